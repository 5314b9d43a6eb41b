"""Whether a variant kept what must be kept: negation, symptoms, quantities, links, mentions, line breaks.

A label rests on these: the similarity of a sentence to its own negation is above that of most paraphrases, so no
similarity band protects a label. What counts as which is decided in `lexicons`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from dataset_project.augmentation.text.lexicons import Guard
from dataset_project.augmentation.text.tokens import passage

SHORTEST, LONGEST = 0.5, 2.0
"""Length of a variant over its original's, in characters."""

_UNITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
          "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_VALUES = {word: value for value, word in enumerate(_UNITS)} | {word: 10 * n for n, word in enumerate(_TENS, start=2)}
# Cues that say the same: expanding a contraction keeps them.
_SAME_CUE = dict.fromkeys((
    "cannot", "cant", "dont", "wont", "isnt", "arent", "wasnt", "werent", "didnt", "doesnt", "couldnt",
    "wouldnt", "shouldnt", "mustnt", "neednt", "havent", "hasnt", "hadnt", "aint",
), "not") | {"w/o": "without", "w/out": "without"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Profile:
    """What of a text must stay, each sorted: negation cues, symptom words, quantities by value, links and the like."""

    negation: tuple[str, ...]
    symptom: tuple[str, ...]
    quantity: tuple[str, ...]
    fixed: tuple[str, ...]


def _cue(lower: str) -> str:
    return "not" if lower.endswith("n't") else _SAME_CUE.get(lower, lower)


def _value(lower: str) -> str:
    """A number word as digits, so that writing a number otherwise is no change of it."""
    if lower in _VALUES:
        return str(_VALUES[lower])
    tens, _, unit = lower.partition("-")
    if tens in _TENS and unit in _UNITS[1:10]:
        return str(_VALUES[tens] + _VALUES[unit])
    return lower


@lru_cache(maxsize=16_384)
def profile(text: str) -> Profile:
    """The profile of ``text``, remembered."""
    found: dict[str, list[str]] = {"negation": [], "symptom": [], "quantity": [], "fixed": []}
    for token in passage(text).tokens:
        guard = token.guard
        if guard == "negation":
            found["negation"].append(_cue(token.lower))
        elif guard == "symptom":
            found["symptom"].append(token.lower)
        elif guard in ("quantity", "number"):
            found["quantity"].append(_value(token.lower))
        elif guard == "fixed":
            found["fixed"].append(token.text)
    return Profile(**{name: tuple(sorted(each)) for name, each in found.items()})


def broken(original: str, variant: str, may_change: Collection[Guard] = ()) -> str:
    """The first guard that ``variant`` breaks (negation, symptom, quantity, fixed, length); empty when it keeps all.

    ``may_change`` names guards that the methods touch on purpose.
    """
    before, after = profile(original), profile(variant)
    if before.negation != after.negation and "negation" not in may_change:
        return "negation"
    if before.symptom != after.symptom and "symptom" not in may_change:
        return "symptom"
    if before.quantity != after.quantity and not {"quantity", "number"} & set(may_change):
        return "quantity"
    if before.fixed != after.fixed:
        return "fixed"
    ratio = len(variant) / max(len(original), 1)
    return "" if SHORTEST <= ratio <= LONGEST else "length"
