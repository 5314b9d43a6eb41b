"""Sentence methods: clauses and sentences change places, every word stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from dataset_project.augmentation.methods.draws import Draws
from dataset_project.augmentation.methods.registry import Propose, implements
from dataset_project.augmentation.preparation.tables import Prepared
from dataset_project.augmentation.text.casing import with_capital, without_capital
from dataset_project.augmentation.text.clauses import Clauses, movable
from dataset_project.augmentation.text.edits import Edit
from dataset_project.augmentation.text.lexicons import resource
from dataset_project.augmentation.text.sentences import Sentence, sentences
from dataset_project.augmentation.text.tokens import Passage


@implements("clause_reorder")
def _clause_reorder(parameters: Mapping[str, Any], prepared: Prepared) -> Propose:
    """A subordinate clause moves to the other end of its sentence; the comma comes or goes with it."""

    def propose(passage: Passage, draws: Draws, intensity: float) -> Sequence[Edit]:
        sites = []
        for sentence in sentences(passage):
            sites += filter(None, (_swapped(passage, clauses, sentence) for clauses in movable(passage, sentence)))
        return draws.sample(sites, passage.how_many(intensity, len(sites)))

    return propose


def _swapped(passage: Passage, clauses: Clauses, sentence: Sentence) -> Edit | None:
    """The clauses in the other order; None when the first word may be a name, so that its capital is in doubt."""
    tokens = passage.tokens
    first, second = (clauses.subordinate, clauses.main) if clauses.fronted else (clauses.main, clauses.subordinate)
    start, end = tokens[first[0]].start, tokens[second[-1]].end
    front = passage.text[tokens[second[0]].start : end]
    back = passage.text[start : tokens[first[-1]].end]
    opening = tokens[first[0]].text
    if opening[:1].isupper() and first[0] == sentence.first:
        small = without_capital(opening)
        if small is None:
            return None
        front, back = with_capital(front), small + back[len(opening) :]
    return Edit(start, end, f"{front} {back}" if clauses.fronted else f"{front}, {back}")


@implements("sentence_shuffle")
def _sentence_shuffle(parameters: Mapping[str, Any], prepared: Prepared) -> Propose:
    """Neighbouring sentences change places, as in nlpaug's `RandomSentAug` ("neighbor"); what separates them stays."""

    def propose(passage: Passage, draws: Draws, intensity: float) -> Sequence[Edit]:
        found = sentences(passage)
        # A sentence that leans on the one before it stays right behind it.
        leaning = [False, *(_leans(passage, *pair) for pair in pairwise(found))]
        sites = [
            (left, right)
            for place, (left, right) in enumerate(pairwise(found))
            if not any(leaning[place : place + 3]) and _may_swap(passage, left, right)
        ]
        edits, taken = [], set()
        for left, right in draws.sample(sites, passage.how_many(intensity, len(sites))):
            if left.first in taken or right.first in taken:
                continue
            taken |= {left.first, right.first}
            edits += _exchanged(passage, left, right)
        return edits

    return propose


def _span(passage: Passage, sentence: Sentence, with_mark: bool = True) -> tuple[int, int]:
    tokens = passage.tokens
    last = sentence.last if with_mark or sentence.mark is None else sentence.mark - 1
    return tokens[sentence.first].start, tokens[last].end


def _may_swap(passage: Passage, left: Sentence, right: Sentence) -> bool:
    """Whether both are whole: quotation marks closed, no colon at the end.

    Nor may a small letter come to stand where a capital was, or a sentence leave the mention that it began with.
    """
    tokens, text = passage.tokens, passage.text
    for sentence in (left, right):
        start, end = _span(passage, sentence)
        inside = text[start:end]
        if inside.count('"') % 2 or inside.count("“") != inside.count("”") or inside.count("(") != inside.count(")"):
            return False
        if tokens[sentence.last].text in (":", ",", ";", "-", "—") or not text[start].isprintable():
            return False
    if tokens[left.last].text.startswith(("...", "…")):
        return False
    first, second = (text[tokens[each.first].start] for each in (left, right))
    # "@tomi sent me the homework": the mention is the subject.
    if tokens[right.first - 1].kind == "mention" or (
        left.first and tokens[left.first - 1].kind == "mention" and first.islower()
    ):
        return False
    if {first.islower(), second.islower()} == {first.isupper(), second.isupper()} == {True, False}:
        return False
    between = text[_span(passage, left)[1] : _span(passage, right)[0]]
    # Without a mark a sentence ends only at a line break or the text's end: its neighbour must lend it a full stop.
    bare = (left.mark is None) + (right.mark is None)
    return bare == 0 or (bare == 2 and "\n" in between) or (bare == 1 and _lends(passage, left, right))


def _leans(passage: Passage, left: Sentence, right: Sentence) -> bool:
    """Whether ``right`` makes sense only behind ``left``: an answer, "he", "not …", a missing verb ("Mine didn't.")."""
    tokens, lists = passage.tokens, resource("sentences.yaml")
    opening = tokens[right.first].lower
    if opening in lists["leaning"] or opening.split("'")[0] in lists["leaning_subjects"]:
        return True
    if opening == "no" and right.first < right.last and tokens[right.first + 1].kind == "mark":
        return True
    if left.mark is not None and "?" in tokens[left.mark].text:
        return True
    inside = [tokens[place].lower for place in range(right.first, right.last + 1) if tokens[place].kind == "word"]
    left_out = inside[-1].endswith("n't") or inside[-1] in (*resource("clauses.yaml")["auxiliaries"], "too", "either")
    return left_out and len(inside) <= lists["elliptic_words"]


def _lends(passage: Passage, left: Sentence, right: Sentence) -> bool:
    """Whether the one sentence with a mark has a lone full stop, which nothing but a link could spoil."""
    marked, bare = (left, right) if left.mark is not None else (right, left)
    tokens = passage.tokens
    return tokens[marked.mark].text == "." and marked.last == marked.mark and tokens[bare.last].kind != "url"


def _exchanged(passage: Passage, left: Sentence, right: Sentence) -> list[Edit]:
    """Each in the other's place; a lone full stop stays where it is."""
    whole = (left.mark is None) == (right.mark is None)
    first, second = _span(passage, left, whole), _span(passage, right, whole)
    one, other = passage.text[slice(*first)], passage.text[slice(*second)]
    return [Edit(*first, other), Edit(*second, one)]
