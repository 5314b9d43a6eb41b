"""Word noise: misspellings, splits, and words that change places or are lost. Guarded words neither move nor go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dataset_project.augmentation.methods import nlpaug_models
from dataset_project.augmentation.methods.character import noise
from dataset_project.augmentation.methods.draws import Draws
from dataset_project.augmentation.methods.registry import Propose, implements
from dataset_project.augmentation.preparation.tables import Prepared
from dataset_project.augmentation.text.casing import with_capital, without_capital
from dataset_project.augmentation.text.edits import Edit
from dataset_project.augmentation.text.tokens import Passage


@implements("spelling")
def _spelling(parameters: Mapping[str, Any], prepared: Prepared) -> Propose:
    """Misspellings collected from real writing (Belinkov & Bisk 2018), as nlpaug carries them."""
    known, min_chars = nlpaug_models.misspellings(), parameters["min_chars"]

    def propose(passage: Passage, draws: Draws, intensity: float) -> Sequence[Edit]:
        tokens, sites = passage.tokens, []
        for place in passage.open_words:
            token = tokens[place]
            if token.end - token.start >= min_chars:
                found = known.get(token.text) or known.get(token.lower)
                if found:
                    sites.append((token, found))
        edits = []
        for token, found in draws.sample(sites, passage.how_many(intensity, len(sites))):
            new = draws.choice(found)
            edits.append(Edit(token.start, token.end, like(new, token.text)))
        return edits

    return propose


def like(word: str, model: str) -> str:
    """``word`` in the case of ``model``: all capitals, a capital first, or as it is."""
    if len(model) > 1 and model.isupper():
        return word.upper()
    return word[:1].upper() + word[1:] if model[:1].isupper() else word


@implements("word_split")
def _split(parameters: Mapping[str, Any], prepared: Prepared) -> Propose:
    def respell(word: str, draws: Draws) -> str:
        place = 1 + draws.below(len(word) - 1)
        return f"{word[:place]} {word[place:]}"

    return noise(respell, parameters["min_chars"])


@implements("word_swap")
def _swap(parameters: Mapping[str, Any], prepared: Prepared) -> Propose:
    """Two neighbouring open words, with nothing but one space between them, change places."""

    def propose(passage: Passage, draws: Draws, intensity: float) -> Sequence[Edit]:
        tokens, starts = passage.tokens, passage.sentence_starts
        pairs = [place for place in _neighbours(passage) if tokens[place].lower != tokens[place + 1].lower]
        edits, taken = [], set()
        for place in draws.sample(pairs, passage.how_many(intensity, len(pairs))):
            if place in taken or place + 1 in taken:
                continue
            taken |= {place, place + 1}
            first, second = tokens[place], tokens[place + 1]
            left, right = second.text, first.text
            if place in starts and right[:1].isupper():
                # The capital belongs to the sentence; a name or an abbreviation further right keeps its own.
                left, right = with_capital(left), without_capital(right)
                if right is None:
                    continue
            edits += [Edit(first.start, first.end, left), Edit(second.start, second.end, right)]
        return edits

    return propose


def _movable(passage: Passage) -> list[int]:
    """Places of open words that may move or go: not the one right after a negation, which it negates."""
    tokens = passage.tokens
    return [place for place in passage.open_words if not place or tokens[place - 1].guard != "negation"]


def _neighbours(passage: Passage) -> list[int]:
    """Places of open words that an open word follows after a single space."""
    tokens, movable = passage.tokens, _movable(passage)
    words = set(movable)
    return [
        place
        for place in movable
        if place + 1 in words and passage.text[tokens[place].end : tokens[place + 1].start] == " "
    ]


@implements("word_delete")
def _delete(parameters: Mapping[str, Any], prepared: Prepared) -> Propose:
    def propose(passage: Passage, draws: Draws, intensity: float) -> Sequence[Edit]:
        sites = _movable(passage)
        if len(passage.words) < 3:
            return []
        chosen = draws.sample(sites, passage.how_many(intensity, len(sites)))
        return without(passage, sorted(chosen))

    return propose


@implements("word_crop")
def _crop(parameters: Mapping[str, Any], prepared: Prepared) -> Propose:
    """One stretch of open words is left out; the longest that the intensity asks for and the guards allow."""

    def propose(passage: Passage, draws: Draws, intensity: float) -> Sequence[Edit]:
        if len(passage.words) < 4:
            return []
        wanted = max(2, passage.how_many(intensity, len(passage.words)))
        runs = _runs(passage)
        longest = min(wanted, max(map(len, runs), default=0))
        if longest < 2:
            return []
        run = draws.choice([run for run in runs if len(run) >= longest])
        first = draws.below(len(run) - longest + 1)
        return without(passage, run[first : first + longest])

    return propose


def _runs(passage: Passage) -> list[list[int]]:
    """Stretches of open words with single spaces between them."""
    follows, runs = set(_neighbours(passage)), []
    for place in _movable(passage):
        if runs and runs[-1][-1] == place - 1 and place - 1 in follows:
            runs[-1].append(place)
        else:
            runs.append([place])
    return runs


def without(passage: Passage, places: Sequence[int]) -> list[Edit]:
    """Edits that leave out the words at ``places`` (ascending), each with one space; a sentence keeps its capital.

    A stretch stays when leaving it out would put two marks side by side, or leave no word between two marks.
    """
    tokens, text, edits = passage.tokens, passage.text, []
    for first, last in _stretches(passage, places):
        begins = first == 0 or tokens[first - 1].kind in ("mark", "newline", "emoji")
        ends = last + 1 == len(tokens) or tokens[last + 1].kind in ("mark", "newline", "emoji")
        if begins and ends:
            continue
        start, end = tokens[first].start, tokens[last].end
        if text[start - 1 : start] == " ":
            edits.append(Edit(start - 1, end, ""))
        elif text[end : end + 1] == " ":
            edits.append(Edit(start, end + 1, ""))
        else:
            continue
        if first in passage.sentence_starts and tokens[first].text[0].isupper() and tokens[last + 1].kind == "word":
            heir = tokens[last + 1]
            edits.append(Edit(heir.start, heir.start + 1, heir.text[0].upper()))
    return edits


def _stretches(passage: Passage, places: Sequence[int]) -> list[tuple[int, int]]:
    """``places`` as stretches (first, last) of words with nothing but white space between them."""
    found: list[tuple[int, int]] = []
    for place in places:
        if found and found[-1][1] == place - 1:
            found[-1] = (found[-1][0], place)
        else:
            found.append((place, place))
    return found
