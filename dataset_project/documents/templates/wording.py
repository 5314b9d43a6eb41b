"""Small repairs of wording: pieces of text joined, articles and prepositions fitted to what a slot became."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dataset_project.documents.model.values import Run, Runs


def worded(before: str, filled: Runs) -> tuple[str, Runs]:
    """Wording without identifiers made to fit: "on 2024" becomes "in 2024", "Dear the patient" loses its article."""
    word = str(filled[0])
    if re.fullmatch(r"\d{4}", word):
        return re.sub(r"\bon $", "in ", before), filled
    if before.endswith(("Dear ", "Hello ", "Hi ")) and word.startswith(("the ", "a ")):
        return before, (word.partition(" ")[2], *filled[1:])
    return before, filled


def lowered(name: str) -> str:
    """A name within a sentence: its first letter small."""
    return name[:1].lower() + name[1:]


def joined(runs: Sequence[Run]) -> Runs:
    """Neighbouring pieces of plain text as one, empty ones dropped."""
    made: list[Run] = []
    for run in runs:
        if isinstance(run, str):
            if not run:
                continue
            if made and isinstance(made[-1], str):
                made[-1] += run
                continue
        made.append(run)
    return tuple(made)
