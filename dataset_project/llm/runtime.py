"""The door of the package: run these structured requests, embed these texts.

    with open_runtime(settings, directory, group) as runtime:
        runtime.submit(requests, label="bucket_03")
        answers = runtime.wait(requests)

Everything asked is in the ledger before it is sent and everything answered is in it before anyone hears of it, so a
process may die at any time: whoever asks again gets what is there and has the rest answered; in batch mode by the
provider's Batch API, whose batches outlive the process that made them. Several processes that
open the same directory under the same group share the work, the limits and the budget.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from dataset_project.llm.batch_pump import BatchPump
from dataset_project.llm.configuration import LlmSettings
from dataset_project.llm.json_schema import answer_schema
from dataset_project.llm.ledger import Ledger
from dataset_project.llm.limiter import Limiter
from dataset_project.llm.prices import Prices
from dataset_project.llm.progress import Progress
from dataset_project.llm.pump import GRACE_S, Pump
from dataset_project.llm.requests import Answer, ModelRequest
from dataset_project.storage import keys

if TYPE_CHECKING:
    import numpy as np

LEDGER, CACHE, LIMITER = "ledger.sqlite", "embeddings.sqlite", "limiter"
# How often a waiter looks for what other processes have settled, and tells how it goes.
_LOOK_EVERY_S = 1.0
_LOOK_NEAR_THE_END_S = 0.1
_SUBMITTED_FIRST, _SUBMITTED_AT_ONCE = 16, 256
# One open request is reason enough to wait: the last ones asked for, which are answered last, are looked at alone.
_LOOKED_AT = 100


def limiter_of(settings: LlmSettings, directory: Path, model: str) -> Limiter:
    """The limiter of a model, shared by all processes that use ``directory``: providers limit each model by itself."""
    return Limiter(directory / LIMITER / keys.encode(model), settings.requests_per_minute, settings.tokens_per_minute)


class Runtime:
    """One process's share of a group's work. Made by `open_runtime`."""

    def __init__(self, settings: LlmSettings, directory: Path, group: str):
        directory.mkdir(parents=True, exist_ok=True)
        self.settings, self.group = settings, group
        self._directory = directory
        self._submitted: set[str] = set()
        self._before: set[str] = set()
        self._prices = Prices(settings)
        self._ledger = Ledger(directory / LEDGER, settings.lease_s)
        kind = BatchPump if settings.mode == "batch" else Pump
        self._pump = kind(settings, self._ledger, partial(limiter_of, settings, directory), self._prices, group)

    def submit(self, requests: Iterable[ModelRequest], label: str = "") -> None:
        """Ask, without waiting. What an earlier run had answered is not asked again, what failed in one is.

        Work labelled like the last `wait` goes first. Raises ValueError for a model whose price is not known and for a
        schema that is not strict: that request, and those after it, are not asked.
        """
        wanted = (request for request in requests if request.key not in self._submitted)
        with self._pump.asking():
            # In pieces that grow, so that the first are on their way while the others are still being counted.
            size = _SUBMITTED_FIRST
            while piece := list(islice(wanted, size)):
                size = min(2 * size, _SUBMITTED_AT_ONCE)
                for request in piece:  # before it is in the ledger, where it would stop every run that comes to it
                    answer_schema(request.schema_hash, request.schema)
                costs = {request.key: self._prices.worst_case(request) for request in piece}
                self._before.update(key for key, each in self._ledger.answers(list(costs)).items() if each.kind == "ok")
                self._ledger.enqueue(self.group, piece, costs, label=label)
                self._submitted.update(costs)
                self._pump.nudge()

    def wait(
        self,
        requests: Sequence[ModelRequest],
        label: str | None = None,
        on_progress: Callable[[Progress], None] = lambda progress: None,
    ) -> dict[str, Answer]:
        """Answers of submitted ``requests`` by request key, once all have ended, well or badly.

        ``on_progress`` is told about once a second, and at the end, how the group's work goes. Raises RunStopped when
        no further request can be sent, with what is answered kept, and ValueError for requests that were not submitted.
        """
        keys = list(dict.fromkeys(request.key for request in requests))
        for request in requests:
            if request.key not in self._submitted:
                raise ValueError(f"the request about {request.item!r} was not submitted: it would never be answered")
        self._pump.nudge(prefer=label)
        seen, told_at = -1, -_LOOK_EVERY_S
        open_keys = keys.copy()
        while True:
            if not open_keys:
                answers = self._ledger.answers(keys)
                if len(answers) == len(keys):
                    on_progress(self.progress())
                    return answers
                open_keys = keys.copy()  # asked anew by somebody meanwhile
            open_keys[-_LOOKED_AT:] = still_open = self._ledger.unsettled(open_keys[-_LOOKED_AT:])
            if not still_open:
                continue
            if self._pump.stopped is not None:
                raise self._pump.stopped
            # Tasks end about in order: once the last ones do, what is left may be another process's, of which this
            # one's pump has no news.
            is_near_the_end = len(still_open) < _LOOKED_AT
            seen = self._pump.wait_for_news(seen, _LOOK_NEAR_THE_END_S if is_near_the_end else _LOOK_EVERY_S)
            if time.monotonic() >= told_at + _LOOK_EVERY_S:
                told_at = time.monotonic()
                on_progress(self.progress())

    def run(self, requests: Sequence[ModelRequest]) -> dict[str, Answer]:
        """`submit` and `wait`."""
        self.submit(requests)
        return self.wait(requests)

    def cost(self, keys: Sequence[str]) -> float:
        """USD that requests with these keys have cost, all their calls together, whenever they were made."""
        return sum(answer.cost_usd for answer in self._ledger.answers(keys).values())

    def answered_before(self, keys: Sequence[str]) -> int:
        """How many of these were answered when this runtime first asked for them."""
        return len(self._before.intersection(keys))

    def progress(self) -> Progress:
        """How the group's work goes: counts, rates, cost, time left."""
        return self._ledger.progress(self.group)

    def embed(self, texts: Sequence[str], model: str, dimensions: int | None = None, task_type: str = "") -> np.ndarray:
        """Vectors of ``texts`` in their order, shape (len(texts), dimensions), float32.

        Cached for ever and shared with every process: each distinct text is paid once. ``task_type`` tells vectors for
        different purposes apart. Raises what `embed_texts` raises; vectors that came are kept.
        """
        from dataset_project.llm.cache import EmbeddingCache
        from dataset_project.llm.embeddings import embed_texts, within_budget

        cache = EmbeddingCache(self._directory / CACHE, lease_s=self.settings.lease_s)
        try:
            return self._pump.call(
                lambda gate: embed_texts(
                    texts,
                    model,
                    client=gate,
                    limiter=gate.lane(model),
                    cache=cache,
                    prices=self._prices,
                    settings=self.settings,
                    on_call=lambda call: self._ledger.record_calls([call], self._pump.worker, self.group),
                    may_spend=within_budget(self._ledger.spending, self.settings.budget_usd),
                    dimensions=dimensions,
                    task_type=task_type,
                )
            )
        finally:
            cache.close()

    def start(self) -> None:
        """Begin to send. Raises RunStopped when there is no key."""
        self._pump.start()

    def close(self, grace_s: float = GRACE_S) -> None:
        """Wait up to ``grace_s`` for what is on the wire, give everything else back to the ledger."""
        try:
            self._pump.stop(grace_s)
        finally:
            if self._pump.has_ended:
                self._ledger.close()


@contextmanager
def open_runtime(settings: LlmSettings, directory: Path, group: str) -> Iterator[Runtime]:
    """A runtime whose ledger, cache and limiter live in ``directory``.

    Raises RunStopped (``invalid_key``) when there is no key and the server is not on this machine.
    """
    runtime = Runtime(settings, directory, group)
    try:
        runtime.start()
        yield runtime
    except BaseException:
        runtime.close()
        raise
    # Nobody waits any more, but what is on the wire for others of the group is paid for.
    runtime.close(grace_s=settings.timeout_s)
