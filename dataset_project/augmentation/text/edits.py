"""Edits: what a method changes in a text, recorded so that anyone can replay it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Edit(NamedTuple):
    """``text[start:end]`` becomes ``new``; an insertion has start == end. Offsets are code points of the text
    before."""

    start: int
    end: int
    new: str


def tidy(text: str, edits: Iterable[Edit]) -> list[Edit]:
    """``edits`` in order, without those that change nothing. Raises ValueError when two overlap."""
    ordered = sorted(edit for edit in edits if text[edit.start : edit.end] != edit.new)
    for before, after in itertools.pairwise(ordered):
        if after.start < before.end:
            raise ValueError(f"edits overlap: {before} and {after} of {text!r}")
    return ordered


def apply(text: str, edits: Sequence[Edit]) -> str:
    """The text after ``edits``, which are in order and do not overlap."""
    parts, at = [], 0
    for start, end, new in edits:
        parts += (text[at:start], new)
        at = end
    parts.append(text[at:])
    return "".join(parts)
