"""Eligibility criteria in parts of a bounded number of tokens, cut where a reader would cut, with nothing left out.

Which part goes into which prompt belongs to `prompt`; where sections begin to `criteria`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise

from dataset_project.trials.schemes.criteria import sections
from dataset_project.trials.trial import Trial

Count = Callable[[str], int]

CONTINUED = " (continued)"

# A criterion starts with a bullet, a number or after a blank line; deeper bullets stay with the one above them.
_BULLET = re.compile(r"^(?P<indent>\s*)(?:[-*•·◦▪–—]|\(?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{1,4})[.)])\s+")
# Where a criterion that is too long by itself may be cut, in order of preference.
_CUTS = (
    re.compile(rf"\n(?={_BULLET.pattern[1:]})"),
    re.compile(r"\n"),
    re.compile(r"(?<=[.;:])\s+"),
    re.compile(r"\s+"),
)


def parts(trial: Trial, max_tokens: int, count: Count) -> list[str]:
    """The trial's eligibility criteria in order, each part of at most ``max_tokens`` tokens as ``count`` counts them.

    Criteria that fit are one part, verbatim. Longer ones are cut between criteria, a criterion that is too long by
    itself between its lines, sentences, words, at last letters. The heading of its section is repeated in every part,
    so that no exclusion is read as an inclusion. Every word of the criteria is in the parts, in order.

    Raises ValueError when a heading leaves no room for a criterion: nothing is ever cut off.
    """
    criteria = trial.eligibility_criteria
    if max_tokens < 1:
        raise ValueError(f"{trial.nct_id}: max_tokens must be at least 1, not {max_tokens}")
    if count(criteria) <= max_tokens:
        return [criteria]
    found: list[str] = []
    current = ""
    for section in sections(criteria):
        head, again = section.heading, _again(section.heading)
        fresh = True
        for block in _blocks(section.lines):
            start = head if fresh else ""
            longer = "\n".join(filter(None, (current, start, block)))
            if count(longer) <= max_tokens:
                current, fresh = longer, False
                continue
            for number, piece in enumerate(_pieces(block, again, max_tokens, count, trial.nct_id)):
                if current:
                    found.append(current)
                current = "\n".join(filter(None, (head if fresh and not number else again, piece)))
            fresh = False
        if fresh and head:
            # A heading without criteria under it.
            longer = "\n".join(filter(None, (current, head)))
            if count(longer) > max_tokens:
                found.append(current)
                longer = head
            current = longer
    found.append(current)
    return found


def _again(heading: str) -> str:
    if not heading:
        return ""
    return heading[:-1].rstrip() + CONTINUED + ":" if heading.endswith(":") else heading + CONTINUED


def _blocks(lines: tuple[str, ...]) -> Iterator[str]:
    """Criteria with what hangs below them, verbatim but for blank lines around."""
    indents = [len(found.group("indent")) for line in lines if (found := _BULLET.match(line))]
    # "10." is often set one column left of "9.".
    outermost = min(indents, default=0) + 1
    block: list[str] = []
    blank_before = False
    for line in lines:
        if not line.strip():
            blank_before = True
            continue
        bullet = _BULLET.match(line)
        starts = len(bullet.group("indent")) <= outermost if bullet else blank_before and not indents
        if starts and block:
            yield "\n".join(block)
            block = []
        block.append(line)
        blank_before = False
    if block:
        yield "\n".join(block)


def _pieces(block: str, heading: str, max_tokens: int, count: Count, trial: str) -> list[str]:
    """A block in pieces that fit under a repeated heading."""

    def fits(text: str) -> bool:
        return count(f"{heading}\n{text}" if heading else text) <= max_tokens

    if fits(block):
        return [block]
    for cut in _CUTS:
        units = _units(block, cut)
        if len(units) > 1:
            break
    else:
        units = list(block)
    if len(units) == 1:
        raise ValueError(
            f"{trial}: {max_tokens} tokens leave no room for a criterion under {heading!r}; raise max_tokens"
        )
    return _packed(units, heading, max_tokens, count, trial, fits)


def _packed(
    units: list[str], heading: str, max_tokens: int, count: Count, trial: str, fits: Callable[[str], bool]
) -> list[str]:
    """Units, each with the white space that follows it, joined to as few pieces as fit."""
    found: list[str] = []
    start = 0
    while start < len(units):
        # Longest run that fits, by bisection: a long criterion is counted a few times, not once per word.
        low, high = start, len(units)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if fits("".join(units[start:middle]).rstrip()) else (low, middle - 1)
        if low == start:
            found += _pieces(units[start].rstrip(), heading, max_tokens, count, trial)
            start += 1
        else:
            found.append("".join(units[start:low]).rstrip())
            start = low
    return found


def _units(text: str, cut: re.Pattern[str]) -> list[str]:
    ends = [found.end() for found in cut.finditer(text)]
    edges = [0, *ends, len(text)]
    return [text[a:b] for a, b in pairwise(edges) if a < b]
