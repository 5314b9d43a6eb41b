"""Style methods: marks, numbers and emoji as people write them differently, the words left as they are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

from dataset_project.augmentation.methods.draws import Draws
from dataset_project.augmentation.methods.registry import Propose, implements
from dataset_project.augmentation.preparation.tables import Prepared
from dataset_project.augmentation.text.edits import Edit
from dataset_project.augmentation.text.lexicons import resource
from dataset_project.augmentation.text.numbers import counted, digits_of, words_of
from dataset_project.augmentation.text.sentences import Sentence, sentences
from dataset_project.augmentation.text.tokens import Passage, Token

_AEDA_MARKS = (".", ";", "?", ":", "!", ",")
_DROPPED = frozenset('.,;:!?…"“”„«»()[]{}–—')
_PAIRED = frozenset('"“”„«»()[]{}')
_EMOTICON = re.compile(r"(?<![\w])[:;=][-']?[()DPpOo3/\\|*\]\[](?!\w)|<3")


@implements("aeda")
def _aeda(parameters: Mapping[str, Any], prepared: Prepared) -> Propose:
    """Marks between words, with spaces around each (Karimi et al. 2021); not beside a mark that is there already.

    None parts a negation from what it negates: "I'm not. sad" would deny something else.
    """

    def propose(passage: Passage, draws: Draws, intensity: float) -> Sequence[Edit]:
        tokens = passage.tokens
        gaps = [
            after.start
            for before, after in pairwise(tokens)
            if passage.text[before.end : after.start] == " "
            and {before.kind, after.kind} <= {"word", "number", "url", "mention"}
            and before.guard != "negation"
        ]
        chosen = draws.sample(gaps, passage.how_many(intensity, len(gaps)))
        return [Edit(at, at, f"{draws.choice(_AEDA_MARKS)} ") for at in chosen]

    return propose


@implements("punctuation_strip")
def _punctuation_strip(parameters: Mapping[str, Any], prepared: Prepared) -> Propose:
    """Drops marks with the spaces around them, and leaves one space where two words would meet.

    Apostrophes, hyphens inside words, signs (% & * / + = #) and emoticons are no punctuation. A mark between a negation
    and another word stays, for "I don't. Think of me" must not become "I don't think of me".
    """

    def propose(passage: Passage, draws: Draws, intensity: float) -> Sequence[Edit]:
        text, sites = passage.text, _runs_of_marks(passage)
        if not passage.words:
            return []
        chosen = draws.sample(sites, passage.how_many(intensity, len(sites)))
        # Half a pair of brackets or quotation marks is nothing that anybody writes.
        paired = [site for site in sites if _PAIRED & set(text[slice(*site)])]
        if not set(paired).isdisjoint(chosen):
            chosen = [*(site for site in chosen if site not in paired), *paired]
        edits = []
        for start, end in chosen:
            edge = start == 0 or end == len(text) or "\n" in (text[start - 1], text[end])
            edits.append(Edit(start, end, "" if edge else " "))
        return edits

    return propose


def _runs_of_marks(passage: Passage) -> list[tuple[int, int]]:
    """Spans of marks that may go, with the blanks around them; none touches another."""
    text = passage.text
    kept = {at for match in _EMOTICON.finditer(text) for at in range(match.start(), match.end())}
    runs: list[tuple[int, int]] = []
    for place, token in enumerate(passage.tokens):
        start, end = token.start, token.end
        alone = (
            token.text in ("-", "--") and not (text[start - 1 : start].strip() and start) and text[end : end + 1] == " "
        )
        if token.kind != "mark" or start in kept or not (token.text[0] in _DROPPED or alone) or _is_inside(text, token):
            continue
        if _bounds_a_negation(passage, place):
            continue
        while start and text[start - 1] in " \t":
            start -= 1
        while end < len(text) and text[end] in " \t":
            end += 1
        if runs and runs[-1][1] >= start:
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((start, end))
    return runs


def _bounds_a_negation(passage: Passage, place: int) -> bool:
    """Whether the marks around ``place`` part a negation from a word or number; quotation marks and brackets do not."""
    tokens, first, last = passage.tokens, place, place
    while first and tokens[first].kind == "mark":
        first -= 1
    while last + 1 < len(tokens) and tokens[last].kind == "mark":
        last += 1
    marks = passage.text[tokens[first].end : tokens[last].start]
    parts = tokens[first].guard == "negation" and tokens[last].kind in ("word", "number")
    return parts and _PAIRED.isdisjoint(marks)


def _is_inside(text: str, token: Token) -> bool:
    """Whether a mark is part of a word: "example.org/talk", "a.m."."""
    before, after = text[: token.start], text[token.end : token.end + 1]
    if token.text not in (".", ":") or not before[-1:].isalnum():
        return False
    return after.isalnum() or (token.text == "." and before[-2:-1] == "." and before[-1].isalpha())


@implements("number_words")
def _number_words(parameters: Mapping[str, Any], prepared: Prepared) -> Propose:
    """Counts in digits become words and the other way round; times, dates, doses, prices and labels stay.

    A text's digits change together, and so do its words: nobody writes "between one and 2".
    """

    def propose(passage: Passage, draws: Draws, intensity: float) -> Sequence[Edit]:
        tokens, sites = passage.tokens, {}
        for place, token in enumerate(passage.tokens):
            new = None
            if token.kind == "number" and counted(passage, place):
                new = words_of(token.text)
            elif token.kind == "word" and token.guard == "quantity" and counted(passage, place):
                new = digits_of(token.lower)
            if new:
                sites.setdefault(token.kind, []).append((place, new))
        edits = []
        kinds = draws.sample(list(sites), passage.how_many(intensity, len(sites)))
        for place, new in (site for kind in kinds for site in sites[kind]):
            token = tokens[place]
            starts = place in passage.sentence_starts and any(char.isupper() for char in passage.text)
            new = new[:1].upper() + new[1:] if starts else new
            edits.append(Edit(token.start, token.end, new))
        return edits

    return propose


@lru_cache(maxsize=1)
def _topics() -> tuple[tuple[tuple[str, ...], frozenset[str], tuple[str, ...]], ...]:
    """Per topic: stems, whole words, emoji."""
    return tuple(
        (
            tuple(word[:-1] for word in topic["words"] if word.endswith("*")),
            frozenset(topic["words"]),
            tuple(topic["emoji"]),
        )
        for topic in resource("emoji.yaml")["topics"]
    )


def _of_topics(tokens: Sequence[Token]) -> tuple[str, ...]:
    """Emoji of the topics that the symptom words among ``tokens`` belong to."""
    found: list[str] = []
    for token in tokens:
        if token.guard == "symptom":
            for stems, words, emoji in _topics():
                if token.lower in words or token.lower.startswith(stems):
                    found += emoji
    return tuple(dict.fromkeys(found))


@implements("emoji")
def _emoji(parameters: Mapping[str, Any], prepared: Prepared) -> Propose:
    neutral = tuple(resource("emoji.yaml")["neutral"])

    def fitting(passage: Passage, sentence: Sentence) -> tuple[str, ...]:
        return _of_topics(passage.tokens[sentence.first : sentence.last + 1]) or neutral

    def propose(passage: Passage, draws: Draws, intensity: float) -> Sequence[Edit]:
        tokens, text = passage.tokens, passage.text
        sites = []
        for sentence in sentences(passage):
            inside = tokens[sentence.first : sentence.last + 1]
            end = inside[-1].end
            # A link must stay apart from what follows it, and nothing is hung on a colon or an unfinished mark.
            ends_well = inside[-1].kind in ("word", "number") or (
                inside[-1].kind == "mark" and text[end - 1] in '.!?"”)…'
            )
            if (
                ends_well
                and not any(token.kind == "emoji" for token in inside)
                and text[end : end + 1] in ("", " ", "\n")
            ):
                sites.append((end, sentence))
        chosen = draws.sample(sites, passage.how_many(intensity, len(sites)))
        return [Edit(end, end, f" {draws.choice(fitting(passage, sentence))}") for end, sentence in chosen]

    return propose
