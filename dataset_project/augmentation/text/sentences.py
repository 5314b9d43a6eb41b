"""Where the sentences of a passage begin and end.

A sentence ends at a line break, or at . ! or ? before a space; not after an abbreviation or an initial, not at an
ellipsis, which as often runs on, and not inside quotation marks or brackets. Numbers and links are single tokens, so
their dots end nothing.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from dataset_project.augmentation.text.lexicons import resource
from dataset_project.augmentation.text.tokens import Passage, passage

_CLOSING = "\"'’”)]"


@lru_cache(maxsize=1)
def _abbreviations() -> frozenset[str]:
    return frozenset(resource("sentences.yaml")["abbreviations"])


class Sentence(NamedTuple):
    """Tokens ``first`` … ``last`` of a passage, closing quotation marks and emoji included.

    ``mark`` is the place of the first mark that ends it, None when it has none. Mentions before it belong to nobody.
    """

    first: int
    last: int
    mark: int | None


def sentences(source: Passage) -> tuple[Sentence, ...]:
    """The sentences of a passage, in order. Those without a word are left out."""
    return _sentences(source.text)


@lru_cache(maxsize=16_384)
def _sentences(text: str) -> tuple[Sentence, ...]:
    source = passage(text)
    tokens, found, first, place = source.tokens, [], 0, 0
    while place < len(tokens):
        if tokens[place].kind == "newline":
            found.append((first, place - 1, None))
            first = place + 1
        elif _ends(source, place):
            mark = place
            while place + 1 < len(tokens) and _belongs(source, place + 1):
                place += 1
            found.append((first, place, mark))
            first = place + 1
        place += 1
    found.append((first, len(tokens) - 1, None))
    kept = (_without_mentions(source, *each) for each in found)
    return tuple(each for each in kept if any(tokens[at].kind == "word" for at in range(each.first, each.last + 1)))


def _without_mentions(source: Passage, first: int, last: int, mark: int | None) -> Sentence:
    while first < last and source.tokens[first].kind == "mention":
        first += 1
    return Sentence(first, last, mark)


def _belongs(source: Passage, place: int) -> bool:
    """Whether a token after the end mark still belongs to the sentence: more marks without a space, or emoji."""
    token = source.tokens[place]
    return token.kind == "emoji" or (token.kind == "mark" and token.start == source.tokens[place - 1].end)


def _ends(source: Passage, place: int) -> bool:
    tokens, text = source.tokens, source.text
    token = tokens[place]
    if token.kind != "mark" or token.text[0] not in ".!?" or token.text.startswith(".."):
        return False
    end = token.end
    while end < len(text) and text[end] in _CLOSING + ".!?":
        end += 1
    if end < len(text) and not text[end].isspace():
        return False
    before = tokens[place - 1] if place and tokens[place - 1].end == token.start else None
    if token.text == "." and before is not None and before.kind == "word" and end < len(text):
        initial = len(before.text) == 1 and before.text.isupper() and before.text not in ("I", "U")
        dotted = len(before.text) == 1 and text[before.start - 1 : before.start] == "."
        if initial or dotted or before.lower in _abbreviations():
            return False
    following = text[end:].lstrip(" ")[:1]
    if end > token.end and following.islower():
        return False
    return not _is_inside(text, token.start, end)


def _is_inside(text: str, start: int, end: int) -> bool:
    """Whether quotation marks or brackets that opened before ``start`` close only behind ``end``, in the same line."""
    line = text.rfind("\n", 0, start) + 1
    before, after = text[line:end], text[end:].split("\n")[0]
    straight = before.count('"') % 2 == 1 and '"' in after
    curly = before.count("“") > before.count("”") and "”" in after
    return straight or curly or (before.count("(") > before.count(")") and ")" in after)
