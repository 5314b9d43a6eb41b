"""Lossless tokens: where the words, numbers, links and marks of a text stand, and which of them no method may touch.

A passage never rebuilds its text from tokens: edits splice the text itself, so whatever no edit covers is untouched
byte for byte. What is guarded, and why, is decided in `lexicons`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import Literal

from dataset_project.augmentation.text.lexicons import Guard, guard_of, resource

Kind = Literal["word", "number", "url", "mention", "newline", "emoji", "mark"]

_KINDS: tuple[Kind, ...] = ("url", "mention", "newline", "number", "word", "emoji", "mark")
_TOKEN = re.compile(
    r"""
    (?P<url>(?:https?://|www\.)[^\s<>"]*[^\s<>".,;:!?'’)\]]
      |(?<![\w@.])(?:[a-z0-9-]+\.)+(?:com|org|net|edu|gov|io|app|uk)\b(?:/[^\s<>"]*[^\s<>".,;:!?'’)\]])?)
  | (?P<mention>(?<![\w@])(?:@\w[\w.-]*\w|@\w|[ur]/\w+|\#[^\W\d]\w*))
  | (?P<newline>\r?\n)
  | (?P<number>[$£€]?\d+(?:[.,:/]\d+)*(?:%|[^\W\d_]+)?)
  | (?P<word>[wW]/[oO](?:[uU][tT])?\b|[^\W\d_][^\W_]*(?:['’\-][^\W_]+)*)
  | (?P<emoji>(?:[\u203C\u2049\u2122\u2139\u2194-\u21AA\u231A-\u23FF\u25AA-\u27BF\u2934-\u2B55]
      |[\uFE0F\u200D\U0001F000-\U0001FAFF])+)
  | (?P<mark>([^\w\s])\8*|_+)
    """,
    re.VERBOSE,
)
_MOST_REMEMBERED = 16_384
_JOINTS = frozenset("/\\-'’_&@#")


@dataclass(frozen=True, slots=True)
class Token:
    """A token at ``text[start:end]``.

    ``lower`` is folded (lower case, straight apostrophes), ``guard`` says why the token must stay.
    """

    start: int
    end: int
    text: str
    lower: str
    kind: Kind
    guard: Guard | None

    @property
    def is_open(self) -> bool:
        """A plain word that any method may change: no guard, no apostrophe or hyphen inside."""
        return self.kind == "word" and self.guard is None and self.text.isalpha()


class Passage:
    """A text and its tokens, in order; white space has none, a line break has one."""

    def __init__(self, text: str):
        self.text = text
        self.tokens: tuple[Token, ...] = tuple(_tokens(text))

    @cached_property
    def words(self) -> tuple[int, ...]:
        """Places in ``tokens`` of the words, guarded ones too."""
        return tuple(place for place, token in enumerate(self.tokens) if token.kind == "word")

    @cached_property
    def open_words(self) -> tuple[int, ...]:
        """Places in ``tokens`` of the words that any method may change: open ones, no part of something longer."""
        return tuple(place for place, token in enumerate(self.tokens) if token.is_open and not self._is_part(place))

    def _is_part(self, place: int) -> bool:
        """Whether a word is joined to what stands beside it: "w/", "50-foot", "a.m.", "Dr. Oz", "the kids'", "3 pm"."""
        text, token = self.text, self.tokens[place]
        start, end = token.start, token.end
        if _JOINTS & {text[start - 1 : start], text[end : end + 1]}:
            return True
        if text[end : end + 1] == "." and (text[end + 1 : end + 2].isalnum() or token.lower in _words("abbreviations")):
            return True
        if text[start - 1 : start] == "." and text[start - 2 : start - 1].isalnum():
            return True
        before = self.tokens[place - 1] if place else None
        return before is not None and before.kind == "number" and token.lower in _words("units")

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """Penn Treebank part-of-speech tag of each token."""
        from dataset_project.augmentation.text.tagging import tags_of

        return tags_of(self)

    @cached_property
    def sentence_starts(self) -> frozenset[int]:
        """Places in ``tokens`` of words that begin a sentence."""
        starts, at_start = set(), True
        for place, token in enumerate(self.tokens):
            if token.kind in ("word", "number"):
                if at_start:
                    starts.add(place)
                at_start = False
            elif token.kind == "newline" or (token.kind == "mark" and token.text[0] in ".!?…"):
                at_start = True
        return frozenset(starts)

    def how_many(self, intensity: float, among: int) -> int:
        """How many words an ``intensity`` (share of the passage's words) comes to: at least one, at most ``among``."""
        return min(among, max(1, -int(-intensity * len(self.words) // 1)))


@cache
def _words(name: str) -> frozenset[str]:
    """Words that a full stop shortens, or that belong to the number before them."""
    return frozenset(resource({"abbreviations": "sentences.yaml", "units": "number_words.yaml"}[name])[name])


def _tokens(text: str):
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        word = match.group()
        lower = word.lower().replace("’", "'")
        yield Token(match.start(), match.end(), word, lower, kind, guard_of(kind, lower))


@lru_cache(maxsize=_MOST_REMEMBERED)
def passage(text: str) -> Passage:
    """The passage of ``text``, remembered: sources are asked for once per variant, method and attempt."""
    return Passage(text)
