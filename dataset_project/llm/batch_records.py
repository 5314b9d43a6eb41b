"""What the register of batches says and is told: plain values."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from dataset_project.llm.requests import CallRecord, ModelRequest, OutcomeKind

WORKER = "batch/"
"""What the worker of a batch's tasks and calls begins with; the batch's name follows."""


@dataclass(frozen=True)
class Batch:
    """One batch. ``name``: ours. ``file_id``, ``provider_id``: the provider's, None until noted. ``dialect``: how its
    model was asked, JSON. Times are seconds since the epoch. ``tasks``: those under way."""

    id: int
    name: str
    endpoint: str
    model: str
    state: str
    file_id: str | None
    provider_id: str | None
    dialect: str | None
    formed_at: float
    submitted_at: float | None
    tasks: int

    @property
    def worker(self) -> str:
        return WORKER + self.name


@dataclass(frozen=True)
class Round:
    """A task of a batch: its request, and what earlier rounds came to: how often which outcome, the last bad answer and
    what was wrong with it."""

    request: ModelRequest
    before: Counter[str]
    answer: str = ""
    error: str = ""


@dataclass(frozen=True)
class LineOutcome:
    """What a line came to. ``kind``: how its task is settled by it, None for another round. ``outcome``: counted
    against further rounds; "" when it does not count. ``call``: booked, its attempt is set here."""

    key: str
    kind: OutcomeKind | None
    outcome: str
    content: str = ""
    error: str = ""
    model: str = ""
    call: CallRecord | None = None
