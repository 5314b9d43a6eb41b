"""What a report knows of one combination: what it is, what became of it, and the figures recorded when it was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

STATUSES = ("ok", "empty", "failed", "unavailable", "rejected", "missing", "stale")

Fact = int | float | str | bool


@dataclass(frozen=True)
class ComboOutcome:
    """One combination. ``facts`` are empty for one that did not run.

    Facts: the counts ``rows_in, planned, candidates, accepted, unfilled, rejected_<reason>``, the JSON text
    ``label_distribution`` and, when anything was accepted, the figures ``similarity_q05 … q95, distinct_1, distinct_2,
    self_bleu, near_duplicate_rate``. ValueError for a status that is none of STATUSES.
    """

    combo_id: str
    combo_hash: str
    methods: tuple[str, ...]
    families: tuple[str, ...]
    label_preserving: bool
    status: str
    reason: str = ""
    dataset_path: str = ""
    facts: Mapping[str, Fact] = field(default_factory=dict)
    input_hash: str = ""
    resource_hash: str = ""
    dataset_sha256: str = ""

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise ValueError(f"{self.combo_id}: status {self.status!r} is not one of {', '.join(STATUSES)}")

    def count(self, name: str) -> int:
        """A count among its facts; 0 when it did not run."""
        return int(self.facts.get(name, 0))

    def figure(self, name: str) -> float | None:
        """A figure among its facts; None when there is none, as where nothing was accepted."""
        value = self.facts.get(name)
        return None if value is None else float(value)

    @property
    def acceptance_rate(self) -> float | None:
        """Accepted / attempts made; None without attempts."""
        return _share(self.count("accepted"), self.count("candidates"))

    @property
    def filled(self) -> float | None:
        """Accepted / variants asked for; None when none were."""
        return _share(self.count("accepted"), self.count("planned"))

    @property
    def is_control(self) -> bool:
        """Whether its methods are there to be compared with, such as `copy`."""
        return "control" in self.families


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
