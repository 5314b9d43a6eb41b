"""Phrase tables: runs of tokens that may become others, with the neighbours that allow or forbid it.

A table is a list of groups. A group has ``same`` (each may become any other of the list) or ``from`` and ``to``. It may
have ``after``, ``not_after``, ``before``, ``not_before``: folded words that stand directly before or behind. In them
``^`` is the start of a sentence, ``$`` a mark, line break or the end, ``#`` a number in digits or words.
``before_tags`` names part-of-speech tags of what follows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from dataset_project.augmentation.text.guards import profile
from dataset_project.augmentation.text.tokens import Passage, Token, passage


class Site(NamedTuple):
    """Tokens ``first`` … ``last`` and what may stand in their place."""

    first: int
    last: int
    candidates: tuple[str, ...]


class _Entry(NamedTuple):
    candidates: tuple[str, ...]
    after: frozenset[str]
    not_after: frozenset[str]
    before: frozenset[str]
    not_before: frozenset[str]
    before_tags: frozenset[str]


class PhraseTable:
    """Groups of phrases, by their tokens; where a phrase has a space, the text must have exactly one."""

    def __init__(self, groups: Iterable[Mapping[str, Any]]):
        self._entries: dict[tuple[str, ...], list[_Entry]] = {}
        for group in groups:
            limits = [
                frozenset(str(word) for word in _flat(group.get(name, ())))
                for name in ("after", "not_after", "before", "not_before", "before_tags")
            ]
            for phrase, candidates in pairs(group):
                entry = _Entry(candidates, *limits)
                self._entries.setdefault(tuple(_pieces(passage(phrase))), []).append(entry)
        self._longest = max(map(len, self._entries), default=0)
        self._first_words = frozenset(key[0] for key in self._entries)

    def sites(self, source: Passage) -> list[Site]:
        """Places of phrases, from left to right, the longest that fits first; they do not overlap."""
        tokens, pieces, found, place = source.tokens, list(_pieces(source)), [], 0
        while place < len(tokens):
            last = place
            if tokens[place].lower in self._first_words:
                for length in range(min(self._longest, len(tokens) - place), 0, -1):
                    key = (tokens[place].lower, *pieces[place + 1 : place + length])
                    candidates = self._allowed(source, key, place, place + length - 1)
                    if candidates:
                        last = place + length - 1
                        found.append(Site(place, last, candidates))
                        break
            place = last + 1
        return found

    def _allowed(self, source: Passage, key: tuple[str, ...], first: int, last: int) -> tuple[str, ...]:
        entries, candidates = self._entries.get(key), []
        if not entries or not _stands_alone(source.text, source.tokens[first].start, source.tokens[last].end):
            return ()
        behind, ahead = _behind(source, first), _ahead(source, last)
        for entry in entries:
            if (
                (not entry.after or entry.after & behind)
                and not entry.not_after & behind
                and (not entry.before or entry.before & ahead)
                and not entry.not_before & ahead
                and (
                    not entry.before_tags
                    or (
                        "$" not in ahead
                        and last + 1 < len(source.tokens)
                        and source.tags[last + 1] in entry.before_tags
                    )
                )
            ):
                candidates += entry.candidates
        if behind & {"a", "an"}:
            sound = key[0][0] in "aeiou"
            candidates = [each for each in candidates if (each[0] in "aeiou") == sound]
        return tuple(dict.fromkeys(candidates))


def pairs(group: Mapping[str, Any]) -> list[tuple[str, tuple[str, ...]]]:
    """Each phrase of a group with what it may become."""
    if "same" in group:
        return [(each, tuple(other for other in group["same"] if other != each)) for each in group["same"]]
    return [(each, tuple(group["to"])) for each in group["from"]]


def _flat(words: Any) -> Iterable[Any]:
    """Words of nested lists: YAML anchors put lists into lists."""
    for word in words:
        if isinstance(word, list):
            yield from _flat(word)
        else:
            yield word


def _pieces(source: Passage):
    """Folded tokens, each with the space before it: ' ' for one space, '' for none, a tab for anything else."""
    end = 0
    for token in source.tokens:
        gap = source.text[end : token.start]
        yield (gap if gap in ("", " ") else "\t") + token.lower
        end = token.end


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Whether no letter, digit, apostrophe or hyphen is joined to the span."""
    return not (text[start - 1 : start].isalnum() or text[start - 1 : start] in tuple("-/")) and not (
        (text[end : end + 1].isalnum() and text[end - 1].isalnum())
        or (text[end : end + 1] in tuple("-/'’") and text[end + 1 : end + 2].isalnum())
        or (text[end - 1] == "/" and text[end : end + 1] != " ")
    )


def _behind(source: Passage, first: int) -> frozenset[str]:
    if first == 0:
        return frozenset("^")
    token = source.tokens[first - 1]
    return _seen(token) | (frozenset("^") if first in source.sentence_starts else frozenset())


def _ahead(source: Passage, last: int) -> frozenset[str]:
    if last + 1 == len(source.tokens):
        return frozenset("$")
    token = source.tokens[last + 1]
    return _seen(token) | (frozenset("$") if token.kind in ("mark", "newline", "emoji") else frozenset())


def _seen(token: Token) -> frozenset[str]:
    counts = token.guard == "quantity" and profile(token.lower).quantity[0].isdigit()
    number = counts or token.kind == "number" or token.lower in ("hundred", "thousand")
    return frozenset((token.lower, "#") if number else (token.lower,))
