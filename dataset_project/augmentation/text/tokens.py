"""Lossless tokens: where the words, numbers, links and marks of a text stand, and which of them no method may touch.

A passage never rebuilds its text from tokens: edits splice the text itself, so whatever no edit covers is untouched
byte for byte. What is guarded, and why, is decided in `lexicons`.
"""

from __future__ import annotations

import re
from functools import cache, cached_property, lru_cache
from typing import Literal, NamedTuple

from dataset_project.augmentation.text.lexicons import Guard, guard_of, resource

Kind = Literal["word", "number", "url", "mention", "newline", "emoji", "mark"]

_URL = r"""(?P<url>(?:https?://|www\.)[^\s<>"]*[^\s<>".,;:!?'’)\]]
      |(?<![\w@.])(?:[a-z0-9-]+\.)+(?:com|org|net|edu|gov|io|app|uk)\b(?:/[^\s<>"]*[^\s<>".,;:!?'’)\]])?)"""
_MENTION = r"(?P<mention>(?<![\w@])(?:@\w[\w.-]*\w|@\w|[ur]/\w+|\#[^\W\d]\w*))"
_SLASHED = r"(?P<slashed>[wW]/[oO](?:[uU][tT])?\b)"
_REST = r"""
    (?P<word>[^\W\d_][^\W_]*(?:['’\-][^\W_]+)*)
  | (?P<number>[$£€]?\d+(?:[.,:/]\d+)*(?:%|[^\W\d_]+)?)
  | (?P<newline>\r?\n)
  | (?P<emoji>(?:[\u203C\u2049\u2122\u2139\u2194-\u21AA\u231A-\u23FF\u25AA-\u27BF\u2934-\u2B55]
      |[\uFE0F\u200D\U0001F000-\U0001FAFF])+)
  | (?P<mark>(?P<char>[^\w\s])(?P=char)*|_+)
"""
_TOKEN = re.compile(f"{_URL}|{_MENTION}|{_SLASHED}|{_REST}", re.VERBOSE)
# Most texts have no link and no mention, and looking for them at every word takes most of the time.
_PLAIN_TOKEN = re.compile(_REST, re.VERBOSE)
_MAY_LINK = re.compile(r"[/@#]|\w\.\w")
_MOST_REMEMBERED, _MOST_WORDS = 16_384, 65_536
_JOINTS = frozenset("/\\-'’_&@#")


class Token(NamedTuple):
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
        self.tokens = _tokens(text)

    @cached_property
    def words(self) -> tuple[int, ...]:
        """Places in ``tokens`` of the words, guarded ones too."""
        return tuple(place for place, token in enumerate(self.tokens) if token.kind == "word")

    @cached_property
    def open_words(self) -> tuple[int, ...]:
        """Places in ``tokens`` of the words that any method may change: open ones, no part of something longer."""
        text, after_number, places = f" {self.text} ", False, []
        for place, (start, end, word, lower, kind, guard) in enumerate(self.tokens):
            if kind == "word" and guard is None and word.isalpha():
                beside = text[start], text[end + 1]
                if not (beside != (" ", " ") and self._is_joined(start, end, lower)) and not (
                    after_number and lower in _words("units")
                ):
                    places.append(place)
            after_number = kind == "number"
        return tuple(places)

    def _is_joined(self, start: int, end: int, lower: str) -> bool:
        """Whether a word is part of what stands right beside it: "w/", "50-foot", "a.m.", "Dr. Oz", "the kids'"."""
        text = self.text
        before = text[start - 1] if start else " "
        after = text[end] if end < len(text) else " "
        if before in _JOINTS or after in _JOINTS:
            return True
        if after == "." and (text[end + 1 : end + 2].isalnum() or lower in _words("abbreviations")):
            return True
        return before == "." and text[start - 2 : start - 1].isalnum()

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


@lru_cache(maxsize=_MOST_WORDS)
def _known(group: str, text: str) -> tuple[str, Kind, Guard | None]:
    """Folded text, kind and guard of a token, remembered: a corpus has few different ones."""
    kind = "word" if group == "slashed" else group
    lower = text.lower().replace("’", "'")
    return lower, kind, guard_of(kind, lower)


def _tokens(text: str) -> tuple[Token, ...]:
    pattern = _TOKEN if _MAY_LINK.search(text) else _PLAIN_TOKEN
    # Half the cost of making a named tuple is its own constructor's.
    known, make, tokens = _known, tuple.__new__, []
    for match in pattern.finditer(text):
        found = match.group()
        start, end = match.span()
        lower, kind, guard = known(match.lastgroup, found)
        tokens.append(make(Token, (start, end, found, lower, kind, guard)))
    return tuple(tokens)


@lru_cache(maxsize=_MOST_REMEMBERED)
def passage(text: str) -> Passage:
    """The passage of ``text``, remembered: sources are asked for once per variant, method and attempt."""
    return Passage(text)
