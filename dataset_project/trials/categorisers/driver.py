"""Running the steps of many trials: round by round, all that is needed next asked at once.

`Driver` asks a runtime; `finished` uses only what is answered already. Publishing belongs to the family's door.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from dataset_project.llm.requests import Answer, ModelRequest
from dataset_project.trials.categorisers.steps import Categorised, Categoriser, Steps
from dataset_project.trials.trial import Trial

if TYPE_CHECKING:
    from dataset_project.llm.progress import Progress
    from dataset_project.llm.runtime import Runtime


class _Round:
    """Trials whose steps wait for answers, and those that are done."""

    def __init__(self, categoriser: Categoriser, trials: Sequence[Trial]):
        self._order = [trial.nct_id for trial in trials]
        self.done: dict[str, Categorised] = {}
        self._waiting: dict[str, tuple[Steps, list[ModelRequest]]] = {}
        for trial in trials:
            self._advance(trial.nct_id, categoriser.steps(trial), None)

    def _advance(self, nct_id: str, steps: Steps, answers: Mapping[str, Answer] | None) -> None:
        self._waiting.pop(nct_id, None)
        try:
            requests = next(steps) if answers is None else steps.send(answers)
        except StopIteration as finished:
            self.done[nct_id] = finished.value
        else:
            self._waiting[nct_id] = (steps, requests)

    @property
    def requests(self) -> list[ModelRequest]:
        """What is needed next, trial by trial."""
        return [request for _, requests in self._waiting.values() for request in requests]

    def advance(self, answers: Mapping[str, Answer]) -> bool:
        """Take every trial whose answers are all there one step further; whether any was."""
        ready = [
            (nct_id, steps)
            for nct_id, (steps, requests) in self._waiting.items()
            if all(request.key in answers for request in requests)
        ]
        for nct_id, steps in ready:
            self._advance(nct_id, steps, answers)
        return bool(ready)

    def rows(self) -> list[Categorised]:
        """Rows of the trials that are done, in the order the trials were given."""
        return [self.done[nct_id] for nct_id in self._order if nct_id in self.done]


def first_requests(categoriser: Categoriser, trials: Iterable[Trial]) -> list[ModelRequest]:
    """What categorising ``trials`` asks first; later rounds depend on the answers."""
    return _Round(categoriser, list(trials)).requests


def categorise(
    categoriser: Categoriser,
    trials: Sequence[Trial],
    runtime: Runtime | None,
    label: str = "",
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> list[Categorised]:
    """One row per trial, in order. ``runtime`` may be None where no step asks a model.

    Raises RunStopped when no further request can be sent; what is answered is in the ledger.
    """
    work = _Round(categoriser, trials)
    while requests := work.requests:
        runtime.submit(requests, label=label)
        work.advance(runtime.wait(requests, label=label, on_progress=on_progress))
    return work.rows()


def finished(
    categoriser: Categoriser, trials: Sequence[Trial], answers: Callable[[Sequence[str]], Mapping[str, Answer]]
) -> list[Categorised]:
    """Rows of the trials that ``answers`` (of request keys, settled ones only) suffice for."""
    work = _Round(categoriser, trials)
    while work.requests and work.advance(answers([request.key for request in work.requests])):
        pass
    return work.rows()
