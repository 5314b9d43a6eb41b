"""Taking what a batch came to: its files' lines, what is in neither of them, and why it was not run.

Every piece is recorded in one transaction and recorded once, so a process may die in the middle, and two may do it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from dataset_project.llm.batch_files import LineJudge, lines_of, settled_as
from dataset_project.llm.batch_records import Batch, LineOutcome, Round
from dataset_project.llm.batch_register import BatchRegister
from dataset_project.llm.client import CallFailed, ModelClient
from dataset_project.llm.prices import Prices

# Lines judged and recorded at once.
_AT_ONCE = 500
_LINE_BYTES = 20_000  # on the large side, for the deadline of a download


@dataclass(frozen=True)
class Failure:
    """Why the provider did not run a batch. ``errors``: as told, some with the ``line`` they are about.

    ``is_crowded``: the account has too many tokens waiting in batches. ``stop``: no other batch would fare better.
    """

    errors: Sequence[Mapping[str, Any]]
    message: str
    is_crowded: bool
    stop: CallFailed | None

    @classmethod
    def of(cls, told: Mapping[str, Any], client: ModelClient) -> Failure:
        errors = (told.get("errors") or {}).get("data") or []
        errors = [each for each in errors if isinstance(each, dict)]
        faults = [client.fault_of(400, {"error": each}) for each in errors]
        messages = dict.fromkeys(fault.message.removeprefix("HTTP 400: ") for fault in faults)
        return cls(
            errors,
            "; ".join(messages) or "the provider gave no reason",
            # OpenAI's and Azure's code, and OpenAI's words.
            any(e.get("code") == "token_limit_exceeded" or "nqueued token" in str(e.get("message")) for e in errors),
            next((fault for fault in faults if fault.stops_run), None),
        )


class BatchTaker:
    """``on_taken`` hears when something was recorded."""

    def __init__(
        self,
        client: ModelClient,
        register: BatchRegister,
        prices: Prices,
        max_attempts: int,
        on_taken: Callable[[], None],
    ):
        self._client, self._register, self._prices = client, register, prices
        self._max_attempts, self._on_taken = max_attempts, on_taken

    async def results(self, batch: Batch, told: Mapping[str, Any]) -> LineJudge:
        """Take a batch that is over: what its files say, then what they do not. The judge, for what it noticed.

        Requests that a batch did not come to before it expired or was cancelled cost nothing; one that is missing from
        a completed batch counts at its worst. Raises CallFailed.
        """
        status = told["status"]
        ended_at = told.get(f"{status}_at")
        judge = self._judge(batch, ended_at if isinstance(ended_at, (int, float)) else time.time())
        for name in ("output_file_id", "error_file_id"):
            if told.get(name):
                try:
                    content = await self._client.content(told[name], batch.tasks * _LINE_BYTES)
                except CallFailed as failed:
                    if failed.http_status != 404:
                        raise
                    status = "missing"  # deleted, or kept no longer
                    continue
                await asyncio.to_thread(self._take_lines, batch, judge, lines_of(content))
                self._on_taken()
        is_known = status in ("expired", "cancelled")
        await self._take_all(batch, lambda task: judge.not_run(task, status) if is_known else judge.missing(task))
        return judge

    async def lost(self, batch: Batch) -> None:
        """Take a batch that will never be seen again: at its worst cost."""
        await self._take_all(batch, self._judge(batch, time.time()).missing)

    async def rejected(self, batch: Batch, message: str, errors: Sequence[Mapping[str, Any]]) -> None:
        """Settle what the provider rejects, as ``bad_request``: the lines that ``errors`` name, else all. The others
        get another round, without those."""
        judge = self._judge(batch, time.time())
        keys = await asyncio.to_thread(self._register.keys, batch)
        lines = [each.get("line") for each in errors]
        named = {keys[n - 1] for n in lines if isinstance(n, int) and 0 < n <= len(keys)}

        def outcome(task: Round) -> LineOutcome:
            if not named or task.request.key in named:
                return judge.rejected(task, message)
            kind = settled_as("failed", task.before, self._max_attempts)
            return LineOutcome(task.request.key, kind, "failed", error=message, model=batch.model)

        await self._take_all(batch, outcome)

    def _judge(self, batch: Batch, ended_at: float) -> LineJudge:
        return LineJudge(batch, self._client, self._prices, self._max_attempts, ended_at)

    def _take_lines(self, batch: Batch, judge: LineJudge, lines: Iterable[Mapping[str, Any]]) -> None:
        lines = iter(lines)
        while some := list(islice(lines, _AT_ONCE)):
            rounds = self._register.rounds(batch, [line["custom_id"] for line in some])
            self._register.take(
                batch, [judge.line(line, rounds[line["custom_id"]]) for line in some if line["custom_id"] in rounds]
            )

    async def _take_all(self, batch: Batch, outcome: Callable[[Round], LineOutcome]) -> None:
        def take() -> None:
            left = iter(self._register.keys(batch))
            while some := list(islice(left, _AT_ONCE)):
                self._register.take(batch, [outcome(task) for task in self._register.rounds(batch, some).values()])

        await asyncio.to_thread(take)
        self._on_taken()
