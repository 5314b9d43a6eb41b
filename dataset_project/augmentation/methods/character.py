"""Character methods: typing, recognition and style noise inside plain words. Guarded words are never touched."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dataset_project.augmentation.methods import nlpaug_models
from dataset_project.augmentation.methods.draws import Draws
from dataset_project.augmentation.methods.registry import Propose, implements
from dataset_project.augmentation.preparation.tables import Prepared
from dataset_project.augmentation.text.edits import Edit
from dataset_project.augmentation.text.lexicons import resource
from dataset_project.augmentation.text.tokens import Passage

Respell = Callable[[str, Draws], str]
"""A word to a noisy form of it; the word itself when it has none."""


def noise(respell: Respell, min_chars: int) -> Propose:
    """A method that respells a share of the open words of at least ``min_chars`` letters."""

    def propose(passage: Passage, draws: Draws, intensity: float) -> Sequence[Edit]:
        tokens = passage.tokens
        eligible = [place for place in passage.open_words if tokens[place].end - tokens[place].start >= min_chars]
        edits = []
        for place in draws.sample(eligible, passage.how_many(intensity, len(eligible))):
            token = tokens[place]
            new = respell(token.text, draws)
            if new != token.text:
                edits.append(Edit(token.start, token.end, new))
        return edits

    return propose


def _how_many(length: int, share: float) -> int:
    return max(1, round(length * share))


def _by_map(confusions: Mapping[str, Sequence[str]], share: float, keep_first: bool) -> Respell:
    def respell(word: str, draws: Draws) -> str:
        places = [place for place, char in enumerate(word) if char in confusions and (place or not keep_first)]
        chars = list(word)
        for place in draws.sample(places, _how_many(len(word), share)):
            chars[place] = draws.choice(confusions[chars[place]])
        return "".join(chars)

    return respell


@implements("keyboard")
def _keyboard(parameters: Mapping[str, Any], prepared: Prepared) -> Propose:
    return noise(_by_map(nlpaug_models.keyboard(), parameters["share"], False), parameters["min_chars"])


@implements("ocr")
def _ocr(parameters: Mapping[str, Any], prepared: Prepared) -> Propose:
    # The first letter stays: a digit there would make a number of the word.
    return noise(_by_map(nlpaug_models.ocr(), parameters["share"], True), parameters["min_chars"])


@implements("char_insert")
def _insert(parameters: Mapping[str, Any], prepared: Prepared) -> Propose:
    letters, share = nlpaug_models.letters(), parameters["share"]

    def respell(word: str, draws: Draws) -> str:
        chars = list(word)
        for place in sorted(draws.sample(range(1, len(word)), _how_many(len(word), share)), reverse=True):
            chars.insert(place, draws.choice(letters))
        return "".join(chars)

    return noise(respell, parameters["min_chars"])


@implements("char_substitute")
def _substitute(parameters: Mapping[str, Any], prepared: Prepared) -> Propose:
    letters, share = nlpaug_models.letters(), parameters["share"]

    def respell(word: str, draws: Draws) -> str:
        chars = list(word)
        for place in draws.sample(range(len(word)), _how_many(len(word), share)):
            drawn = draws.choice(letters)
            chars[place] = drawn.upper() if chars[place].isupper() else drawn
        return "".join(chars)

    return noise(respell, parameters["min_chars"])


@implements("char_swap")
def _swap(parameters: Mapping[str, Any], prepared: Prepared) -> Propose:
    share = parameters["share"]

    def respell(word: str, draws: Draws) -> str:
        chars = list(word)
        places = [place for place in range(len(word) - 1) if chars[place].lower() != chars[place + 1].lower()]
        for place in draws.sample(places, _how_many(len(word), share)):
            left, right = chars[place], chars[place + 1]
            # The capital stays where it was, as in typed text.
            chars[place], chars[place + 1] = _cased(right, left), _cased(left, right)
        return "".join(chars)

    return noise(respell, parameters["min_chars"])


def _cased(char: str, like: str) -> str:
    return char.upper() if like.isupper() else char.lower()


@implements("char_delete")
def _delete(parameters: Mapping[str, Any], prepared: Prepared) -> Propose:
    share = parameters["share"]

    def respell(word: str, draws: Draws) -> str:
        dropped = set(draws.sample(range(1, len(word)), _how_many(len(word), share)))
        return "".join(char for place, char in enumerate(word) if place not in dropped)

    return noise(respell, parameters["min_chars"])


@implements("elongation")
def _elongation(parameters: Mapping[str, Any], prepared: Prepared) -> Propose:
    """Lengthened vowels (“reaaally”), as in informal writing (Brody & Diakopoulos 2011)."""
    longest = parameters["longest"]

    def respell(word: str, draws: Draws) -> str:
        places = [place for place, char in enumerate(word) if char.lower() in "aeiou"]
        if not places:
            return word
        place = draws.choice(places)
        return word[:place] + word[place] + word[place].lower() * (1 + draws.below(longest)) + word[place + 1 :]

    return noise(respell, parameters["min_chars"])


@implements("homoglyph")
def _homoglyph(parameters: Mapping[str, Any], prepared: Prepared) -> Propose:
    """Letters that look alike in another script (Unicode confusables, UTS 39)."""
    table = {key: tuple(values) for key, values in resource("characters.yaml")["homoglyphs"].items()}
    return noise(_by_map(table, parameters["share"], False), parameters["min_chars"])


@implements("letter_case")
def _letter_case(parameters: Mapping[str, Any], prepared: Prepared) -> Propose:
    def respell(word: str, draws: Draws) -> str:
        return draws.choice((word.upper(), word.swapcase(), word.capitalize(), word.lower()))

    return noise(respell, parameters["min_chars"])


@implements("whitespace_merge")
def _whitespace_merge(parameters: Mapping[str, Any], prepared: Prepared) -> Propose:
    """Drops the space between two neighbouring open words."""

    def propose(passage: Passage, draws: Draws, intensity: float) -> Sequence[Edit]:
        tokens, words = passage.tokens, set(passage.open_words)
        gaps = [
            (tokens[place].end, tokens[place + 1].start)
            for place in passage.open_words
            if place + 1 in words and passage.text[tokens[place].end : tokens[place + 1].start] == " "
        ]
        return [Edit(start, end, "") for start, end in draws.sample(gaps, passage.how_many(intensity, len(gaps)))]

    return propose
