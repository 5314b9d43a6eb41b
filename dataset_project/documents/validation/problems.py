"""What a validator found wrong, with names: which document, span or file. How a rule is judged does not belong here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from dataset_project.storage.validation import Finding

# Names shown of each kind of problem: enough to go and look, and the summary stays a line.
_SHOWN = 3
_LONGEST = 160


class Problems:
    """Counts what is wrong, and keeps the first names of each kind."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._names: dict[str, list[str]] = {}

    def add(self, what: str, name: str, count: int = 1) -> None:
        """Note ``count`` cases of ``what``; ``name`` says which one, or one of them."""
        self._counts[what] += count
        names = self._names.setdefault(what, [])
        if len(names) < _SHOWN:
            names.append(name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…")

    def finding(self, good: str, figures: Mapping[str, int | float | str | bool]) -> Finding:
        """Passed, with the summary ``good``, when nothing was noted; else the problems, each with its first names."""
        told = []
        for what, count in self._counts.items():
            names = self._names[what]
            told.append(f"{what}: {count:,} ({', '.join(names)}{', …' if count > len(names) else ''})")
        counts = {what.replace(" ", "_"): count for what, count in self._counts.items()}
        return Finding(not told, "; ".join(told) or good, {**figures, "problems": sum(counts.values()), **counts})
