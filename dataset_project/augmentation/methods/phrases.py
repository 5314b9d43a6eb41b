"""Phrase methods: runs of words become others that say the same, by tables that stand under ``resources/``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dataset_project.augmentation.methods.draws import Draws
from dataset_project.augmentation.methods.registry import Propose, implements
from dataset_project.augmentation.preparation.tables import Prepared
from dataset_project.augmentation.text.casing import in_case_of, with_capital, without_capital, writes_small_i
from dataset_project.augmentation.text.contractions import contracted, written_out
from dataset_project.augmentation.text.edits import Edit
from dataset_project.augmentation.text.lexicons import resource
from dataset_project.augmentation.text.phrase_table import PhraseTable, Site
from dataset_project.augmentation.text.sentences import Sentence, sentences
from dataset_project.augmentation.text.tokens import Passage


def replacing(find: Callable[[Passage], Sequence[Site]]) -> Propose:
    """A method that puts a drawn candidate, in the case of what stood there, in place of a share of the sites found."""

    def propose(passage: Passage, draws: Draws, intensity: float) -> Sequence[Edit]:
        tokens, sites, edits, curly = passage.tokens, find(passage), [], _is_curly(passage)
        for first, last, candidates in draws.sample(sites, passage.how_many(intensity, len(sites))):
            new = in_case_of(draws.choice(candidates), passage, first, last)
            edits.append(Edit(tokens[first].start, tokens[last].end, new.replace("'", "’") if curly else new))
        return edits

    return propose


def _is_curly(passage: Passage) -> bool:
    """Whether the writer's apostrophes are typographic."""
    return "’" in passage.text and "'" not in passage.text


@implements("paraphrase_lexicon")
def _paraphrase(parameters: Mapping[str, Any], prepared: Prepared) -> Propose:
    """Groups of interchangeable phrases (nlpaug's `ReservedAug`), with neighbours that allow or forbid a change."""
    return replacing(PhraseTable(resource(parameters["lexicon"])["groups"]).sites)


@implements("abbreviations")
def _abbreviations(parameters: Mapping[str, Any], prepared: Prepared) -> Propose:
    return replacing(PhraseTable(resource("abbreviations.yaml")["groups"]).sites)


@implements("expand_contractions")
def _expand(parameters: Mapping[str, Any], prepared: Prepared) -> Propose:
    def find(passage: Passage) -> list[Site]:
        found = ((place, written_out(passage, place)) for place in passage.words)
        return [Site(place, place, (new,)) for place, new in found if new]

    return replacing(find)


@implements("contract")
def _contract(parameters: Mapping[str, Any], prepared: Prepared) -> Propose:
    def find(passage: Passage) -> list[Site]:
        sites, free = [], 0
        for place in passage.words:
            found = contracted(passage, place) if place >= free else None
            if found:
                free = found[0] + 1
                sites.append(Site(place, found[0], (found[1],)))
        return sites

    return replacing(find)


@implements("filler")
def _filler(parameters: Mapping[str, Any], prepared: Prepared) -> Propose:
    """Fillers where speech has them: before a sentence, behind a conjunction, before the mark that ends a statement."""
    lists = resource("fillers.yaml")
    taken, conjunctions, subjects = (frozenset(lists[name]) for name in ("taken", "conjunctions", "subjects"))

    def at_start(passage: Passage, sentence: Sentence) -> tuple[int, int, str, Sequence[str]] | None:
        token = passage.tokens[sentence.first]
        before = passage.text[: token.start]
        if token.kind != "word" or token.lower in taken or (before and not before[-1].isspace()):
            return None
        following = passage.tokens[sentence.first + 1] if sentence.first < sentence.last else token
        if sentence.last - sentence.first < 3 or following.kind != "word" or passage.text[token.end] != " ":
            return None
        moved = without_capital(token.text)
        if moved is None:
            return None
        asks = sentence.mark is not None and "?" in passage.tokens[sentence.mark].text
        return token.start, token.end, moved, lists["question" if asks else "start"]

    def slots(passage: Passage, sentence: Sentence) -> list[tuple[int, int, str, str, Sequence[str]]]:
        """Where a sentence takes a filler: the span it replaces, what comes before and after it, and which fit."""
        tokens, found = passage.tokens, []
        start = at_start(passage, sentence)
        if start:
            found.append((*start[:2], "", f", {start[2]}", start[3]))
        for place in _clauses(passage, sentence, conjunctions, subjects):
            found.append((tokens[place].end, tokens[place].end, " ", ",", lists["clause"]))
        if _takes_an_end(passage, sentence, taken):
            end = tokens[sentence.mark].start
            found.append((end, end, ", ", "", lists["end"]))
        return found

    def propose(passage: Passage, draws: Draws, intensity: float) -> Sequence[Edit]:
        sites = [found for sentence in sentences(passage) if (found := slots(passage, sentence))]
        edits, used, small, curly = [], [], writes_small_i(passage), _is_curly(passage)
        for site in draws.sample(sites, passage.how_many(intensity, len(sites))):
            start, end, before, after, fillers = draws.choice(site)
            filler = draws.choice([each for each in fillers if each not in used] or fillers)
            used.append(filler)
            filler = filler.replace("I", "i") if small else filler
            filler = filler.replace("'", "’") if curly else filler
            if passage.text[start:end][:1].isupper():
                filler = with_capital(filler)
            edits.append(Edit(start, end, before + filler + after))
        return edits

    return propose


def _clauses(passage: Passage, sentence: Sentence, conjunctions: frozenset[str], subjects: frozenset[str]) -> list[int]:
    """Places of conjunctions that begin a clause: behind a comma, before its subject."""
    tokens = passage.tokens
    return [
        place
        for place in range(sentence.first + 3, sentence.last - 2)
        if tokens[place].lower in conjunctions and tokens[place - 1].text == "," and tokens[place + 1].lower in subjects
    ]


def _takes_an_end(passage: Passage, sentence: Sentence, taken: frozenset[str]) -> bool:
    """Whether a filler may stand before the sentence's full stop: a plain statement of some length, nothing quoted."""
    tokens = passage.tokens
    if sentence.mark is None or tokens[sentence.mark].text != "." or sentence.mark - sentence.first < 5:
        return False
    last = tokens[sentence.mark - 1]
    inside = tokens[sentence.first : sentence.mark]
    return (
        last.kind == "word"
        and last.lower not in taken
        and tokens[sentence.first].lower in ("i", "i'm", "i've", "i'd", "my", "im", "ive")
        and not any(token.kind == "mark" or token.lower in taken for token in inside[-4:])
        and not any(token.text[0] in '"“”(?' for token in inside if token.kind == "mark")
    )
