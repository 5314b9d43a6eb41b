"""Which planted values are in a text that somebody else took out of the file, and where: its places are not ours.

A value counts as found once for each time that it stands there. Where it stands at several places of the document and
the extractor gives fewer of them, a line that is whole in both decides which; then the order of `Surface`, body first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from dataset_project.documents.model.blocks import Surface

_RANK = {surface: rank for rank, surface in enumerate(get_args(Surface))}
_BLANKS = re.compile(r"[^\S\n]+")


def tidy(text: str) -> str:
    """``text`` with one blank for each run of blanks (no-break spaces, tabs), and lines without outer ones."""
    return "\n".join(_BLANKS.sub(" ", line).strip() for line in text.splitlines())


@dataclass(frozen=True)
class _Sought:
    number: int
    value: str
    line: str
    column: int
    pattern: re.Pattern[str]
    order: tuple[int, int, int]


def places(extracted: str, canonical: str, spans: Sequence[Mapping[str, Any]]) -> list[tuple[int, int] | None]:
    """For each of ``spans`` (rows of SPANS, offsets into ``canonical``) its start and end in ``extracted``, or None.

    ``extracted`` must be tidy. No two spans have the same place.
    """
    taken: list[tuple[int, int]] = []
    found: list[tuple[int, int] | None] = [None] * len(spans)
    lines: dict[str, list[int]] = {}
    at = 0
    for line in extracted.split("\n"):
        lines.setdefault(line, []).append(at)
        at += len(line) + 1
    sought = sorted(
        (_sought(number, canonical, span) for number, span in enumerate(spans)), key=lambda each: each.order
    )
    rest = []
    for each in sought:
        places_of_line = [
            (start + each.column, start + each.column + len(each.value)) for start in lines.get(each.line, ())
        ]
        place = next((place for place in places_of_line if _is_free(place, taken)), None)
        if place is None:
            rest.append(each)
        else:
            found[each.number] = place
            taken.append(place)
    # The longest first, so that a street is not looked for inside of an address that stands there whole.
    for each in sorted(rest, key=lambda each: (-len(each.value), each.order)):
        hits = (match.span() for match in each.pattern.finditer(extracted))
        place = next((place for place in hits if _is_free(place, taken)), None)
        if place is not None:
            found[each.number] = place
            taken.append(place)
    return found


def _is_free(place: tuple[int, int], taken: Sequence[tuple[int, int]]) -> bool:
    return all(place[1] <= start or end <= place[0] for start, end in taken)


def _sought(number: int, canonical: str, span: Mapping[str, Any]) -> _Sought:
    start, end = span["start"], span["end"]
    first, last = canonical.rfind("\n", 0, start) + 1, canonical.find("\n", end)
    whole = canonical[first : last if last >= 0 else len(canonical)]
    value = tidy(canonical[start:end])
    # Blanks that tidying takes away before the value move it to the left.
    before = _BLANKS.sub(" ", canonical[first:start]).lstrip()
    # Not inside of a longer word or number, unless that is how it was planted.
    head = "" if start > first and _is_word(canonical[start - 1]) else r"(?<!\w)" if _is_word(value[0]) else ""
    tail = "" if end < first + len(whole) and _is_word(canonical[end]) else r"(?!\w)" if _is_word(value[-1]) else ""
    pattern = re.compile(head + re.escape(value) + tail)
    return _Sought(number, value, tidy(whole), len(before), pattern, (_RANK[span["surface"]], start, number))


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"
