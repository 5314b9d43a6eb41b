"""Records that are no trials: why, where they stood in the source, and what exactly was wrong."""

from __future__ import annotations

from dataclasses import dataclass

REASONS = {
    "not_a_study": "broken JSON, a field of the wrong type, a row with another number of cells than the header",
    "no_nct_id": "no id",
    "malformed_nct_id": "an id that is not NCT and eight digits",
    "too_large": "more than 5 MB of text",
    "no_text": "no title, condition, summary or criteria: nothing to categorise",
    "duplicate_nct_id": "says the same as an earlier record with the same id",
    "conflicting_nct_id": "has an earlier record's id but says something else; the earlier one is kept",
}
_MOST_DETAIL = 200
_MOST_ID = 64


@dataclass(frozen=True)
class Reject:
    """``position``: which record of the source it was, from 1. ``nct_id``: None where it has none. ``detail``: one
    line of at most 200 characters."""

    position: int
    nct_id: str | None
    reason: str
    detail: str


def reject(position: int, nct_id: str | None, reason: str, detail: str) -> Reject:
    """A Reject with id and detail cut to their lengths. ValueError for a reason that is none of REASONS."""
    if reason not in REASONS:
        raise ValueError(f"{reason!r} is none of {', '.join(REASONS)}")
    return Reject(position, nct_id[:_MOST_ID] if nct_id else None, reason, _one_line(detail))


def _one_line(text: str) -> str:
    text = " ".join(text[: 10 * _MOST_DETAIL].split())
    return text if len(text) <= _MOST_DETAIL else text[: _MOST_DETAIL - 1] + "…"
