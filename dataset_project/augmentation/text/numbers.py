"""Counts in digits and in words: which numbers are counts, and how they are written the other way."""

from __future__ import annotations

import re
from functools import lru_cache

from dataset_project.augmentation.text.guards import profile
from dataset_project.augmentation.text.lexicons import resource
from dataset_project.augmentation.text.tokens import Passage

_LARGEST = 999
_MONTH = re.compile(
    "jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?|sept?(ember)?|oct(ober)?|nov(ember)?|dec(ember)?"
)
_BEHIND, _AHEAD = ' "“(\n', ' .,!?;:"”)…\n'


@lru_cache(maxsize=1)
def _tables() -> tuple[dict[str, str], dict[str, str]]:
    """Digits → words and words → digits, of those that the guards see as the same number."""
    from num2words import num2words

    spelled = {str(number): num2words(number) for number in range(1, _LARGEST + 1)}
    same = {digits: words for digits, words in spelled.items() if profile(digits) == profile(words)}
    return same, {words: digits for digits, words in same.items()}


def words_of(digits: str) -> str | None:
    """A whole number in words, "twenty-five"; None for what the guards would take for another number."""
    return _tables()[0].get(digits)


def digits_of(words: str) -> str | None:
    """A number word in digits."""
    return _tables()[1].get(words)


def counted(source: Passage, place: int) -> bool:
    """Whether the number at ``place`` stands alone and counts: no time, date, dose, price, label or set phrase."""
    lists, tokens, text = resource("number_words.yaml"), source.tokens, source.text
    token = tokens[place]
    if (token.start and text[token.start - 1] not in _BEHIND) or text[token.end : token.end + 1] not in ("", *_AHEAD):
        return False
    before = tokens[place - 1] if place and tokens[place - 1].kind in ("word", "number") else None
    after = tokens[place + 1] if place + 1 < len(tokens) and tokens[place + 1].kind in ("word", "number") else None
    behind, ahead = before.lower if before else "", after.lower if after else ""
    if token.kind == "number" and int(token.text) in lists["names"] if token.text.isdigit() else token.kind == "number":
        return False
    # "3 hr 50" is one figure.
    goes_on = ahead in lists["labels"] and place + 2 < len(tokens) and tokens[place + 2].kind == "number"
    if (
        goes_on
        or behind in lists["labels"]
        or ahead in lists["units"]
        or _MONTH.fullmatch(behind)
        or _MONTH.fullmatch(ahead)
    ):
        return False
    if before is not None and behind.split("'")[0] != "i" and _is_name(source, place - 1):
        return False
    if any(near is not None and (near.kind == "number" or near.lower in _tables()[1]) for near in (before, after)):
        return False
    if token.kind == "number":
        return not (behind in ("at", "by", "till", "til", "until", "from", "past", "to") and _has_clock(source))
    counting_up = (
        behind == "" and place > 1 and tokens[place - 1].text == "," and tokens[place - 2].lower in _tables()[1]
    )
    if (
        ahead in lists["larger"]
        or behind == "past"
        or counting_up
        or any(_fits(idiom, behind, ahead) for idiom in lists["idioms"])
    ):
        return False
    return token.lower != "one" or ahead in lists["one_unit"]


def _is_name(source: Passage, place: int) -> bool:
    """Whether a word has a capital that no sentence gave it: "iPhone 6", "Boston 26"."""
    text = source.tokens[place].text
    return any(char.isupper() for char in (text[1:] if place in source.sentence_starts else text))


def _has_clock(source: Passage) -> bool:
    """Whether the text tells times in digits: then its bare hours stay digits too."""
    return any(
        (token.kind == "number" and ":" in token.text)
        or token.lower in ("am", "pm", "o'clock")
        or (token.lower.endswith(("am", "pm")) and token.text[0].isdigit())
        for token in source.tokens
    )


def _fits(idiom: list[str], behind: str, ahead: str) -> bool:
    first, second = idiom
    return (not first or first == behind) and (not second or second == ahead)
