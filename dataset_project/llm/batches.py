"""Batches at the provider: formed from the ledger's tasks, submitted, polled, their answers taken.

Every step is in the register before the next is made, so that a batch outlives the process that submitted it and is
never submitted twice: a batch whose creation nobody noted is looked for at the provider before it is created again.
Here is decided what is done when; the steps are in `batch_sending` and `batch_taking`, the register in
`batch_register`.

Sources: OpenAI "Batch API" guide and FAQ (limits, statuses, expiry: what is done is returned and billed, the rest not).
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from dataset_project.llm.batch_files import MOST_LINES, dialect_of
from dataset_project.llm.batch_records import Batch
from dataset_project.llm.batch_register import BatchRegister
from dataset_project.llm.batch_sending import BatchSender
from dataset_project.llm.batch_taking import BatchTaker, Failure
from dataset_project.llm.batch_watch import LONGEST_PAUSE_S, Watch, pause_s
from dataset_project.llm.client import CallFailed, ModelClient
from dataset_project.llm.configuration import LlmSettings
from dataset_project.llm.ledger import Ledger
from dataset_project.llm.prices import Prices
from dataset_project.llm.requests import RunStopped

FINAL = ("completed", "failed", "expired", "cancelled")
"""Statuses of a batch that is over."""
GIVEN_UP_S = 48 * 3600.0
"""A batch takes 24 h at most: one that cannot be seen any more after twice that is lost."""
# Nothing was asked for this long: whoever submits in pieces is done, and what is there goes into one batch.
QUIET_S = 1.0
# So often the group's queue is looked at without a nudge: for what others asked, and for budget that was freed.
_FORM_EVERY_S = 5.0
_IDLE_S = 0.25
_log = logging.getLogger("dataset_project.llm")


class BatchKeeper:
    """One process's share of the batches. ``ask`` runs a function of the ledger; ``on_taken`` hears of answers.

    ``forms``: new batches are made, too; otherwise those that are there are collected (live mode).
    """

    def __init__(
        self,
        settings: LlmSettings,
        ledger: Ledger,
        prices: Prices,
        client: ModelClient,
        group: str,
        ask: Callable[..., Awaitable[Any]],
        on_taken: Callable[[], None],
        forms: bool = False,
    ):
        self._settings, self._client, self._group = settings, client, group
        self._ask, self._on_taken, self._forms = ask, on_taken, forms
        # Unique, other than process ids: who holds a batch may submit it.
        worker = f"{group}/{os.getpid()}/{uuid.uuid4().hex[:8]}"
        self._register = BatchRegister(ledger, worker, settings.base_url, settings.lease_s)
        self._sender = BatchSender(client, self._register, ask)
        self._taker = BatchTaker(client, self._register, prices, settings.max_attempts, on_taken)
        self._watched: dict[int, Watch] = {}
        self._most = MOST_LINES
        self._crowded = 0
        self._look_at = self._form_at = 0.0

    async def run(
        self, asked_at: Callable[[], float] = lambda: 0.0, prefer: Callable[[], str | None] = lambda: None
    ) -> None:
        """Work until cancelled. ``asked_at``: when something was asked last (monotonic). Raises RunStopped."""
        leases = asyncio.create_task(self._keep_leases())
        seen = 0.0
        try:
            while True:
                if leases.done():
                    leases.result()
                moved = self._look_at <= time.monotonic() and await self._look()
                if self._forms:
                    asked = asked_at()
                    if asked != seen and not self._crowded:
                        self._form_at = asked + QUIET_S
                    seen = asked
                    if self._form_at <= time.monotonic() and time.monotonic() - seen >= QUIET_S:
                        moved = await self._form(prefer()) or moved
                if not moved:
                    await asyncio.sleep(_IDLE_S)
        finally:
            leases.cancel()
            for batch in await self._ask(self._register.let_go):
                if batch.provider_id is not None and batch.tasks:
                    _log.warning(
                        "batch %s with %d requests goes on at %s: whoever asks for them next collects the answers",
                        *(batch.provider_id, batch.tasks, batch.endpoint),
                    )

    async def _keep_leases(self) -> None:
        while True:
            await asyncio.sleep(self._settings.lease_s / 4)
            await self._ask(self._register.hold)

    async def _form(self, prefer: str | None) -> bool:
        # A queue that was full takes one batch at a time.
        self._form_at = time.monotonic() + (LONGEST_PAUSE_S if self._crowded else _FORM_EVERY_S)
        made = await self._ask(self._register.form, self._group, self._most, self._settings.budget_usd, prefer)
        if made:
            self._look_at = 0.0
            if not self._crowded:
                self._form_at = 0.0  # there may be more than goes into one
        return bool(made)

    async def _look(self) -> bool:
        """See to every batch that is due. Whether anything came of it."""
        self._look_at = time.monotonic() + min(self._settings.lease_s / 4, self._settings.batch_poll_s)
        await self._sender.cancel_spares()
        if not await self._ask(self._register.is_anything_open):
            return False
        moved = False
        for batch in await self._ask(self._register.elsewhere, self._group):
            await self._out_of_sight(batch, f"set DATASET_LLM__BASE_URL={batch.endpoint} to collect its answers")
        held = {batch.id: batch for batch in await self._ask(self._register.hold)}
        self._watched = {each: watch for each, watch in self._watched.items() if each in held}
        for batch in held.values():
            watch = self._watched.setdefault(batch.id, Watch(self._settings))
            if watch.is_new and batch.dialect:
                self._client.assume(batch.model, dialect_of(batch.dialect))
            if watch.next_at <= time.monotonic():
                try:
                    moved = await (self._submit if batch.provider_id is None else self._poll)(batch, watch) or moved
                except CallFailed as failed:
                    watch.failed(failed)
        self._look_at = min([self._look_at, *(watch.next_at for watch in self._watched.values())])
        return moved

    async def _submit(self, batch: Batch, watch: Watch) -> bool:
        """Bring the batch to the provider, unless it is there already. Raises CallFailed for another attempt."""
        if batch.file_id is None:
            file_id = await self._upload(batch)
            if file_id is None:
                return True
            watch.answered()
            found = []
        else:
            file_id = batch.file_id
            found = await self._find(batch)
        is_new = not found
        if is_new:
            if not self._forms:
                await self._put_back(batch, "not sent")
                return True
            refused = None
            try:
                found = [await self._sender.create(batch, file_id)]
            except CallFailed as failed:
                if failed.is_retryable:
                    raise  # it may have been made: it is looked for before the next attempt
                refused = failed
            if refused is not None:
                await self._refused(batch, refused)
                return True
        await self._sender.note(batch, found, is_new)
        _log.info("batch %s with %d requests is at %s", found[0], batch.tasks, batch.endpoint)
        watch.seen("submitted")
        return True

    async def _upload(self, batch: Batch) -> str | None:
        refused = None
        try:
            file_id = await self._sender.upload(batch) if self._forms else None
        except CallFailed as failed:
            if failed.is_retryable:
                raise
            refused = failed
        if refused is not None:
            await self._refused(batch, refused)
            return None
        if file_id is None:
            await self._put_back(batch, "not sent")
        return file_id or None

    async def _find(self, batch: Batch) -> list[str]:
        stop = None
        try:
            return await self._sender.find(batch)
        except CallFailed as failed:
            if not failed.stops_run:
                raise
            stop = self._stop(failed, batch.model)
        raise stop

    async def _refused(self, batch: Batch, failed: CallFailed) -> None:
        """The provider does not take the batch, and has none of it. Raises RunStopped where it would take no other."""
        if failed.stops_run:
            await self._put_back(batch, "not sent")
            raise self._stop(failed, batch.model)
        await self._reject(batch, failed.message)

    async def _poll(self, batch: Batch, watch: Watch) -> bool:
        """Look at the batch. Whether it is over, and taken. Raises CallFailed for another attempt."""
        stop = None
        try:
            told = await self._client.batch(batch.provider_id)
        except CallFailed as failed:
            if failed.http_status != 404 and not failed.stops_run:
                raise
            told, stop = {}, failed
        if stop is not None:
            if stop.http_status != 404:
                raise self._stop(stop, batch.model)
            await self._out_of_sight(batch, "use the key, of the project, that it was made with")
            return True
        status = told["status"]
        if status in FINAL and watch.is_whole(told):
            await self._finish(batch, told)
            return True
        watch.seen(status)
        return False

    async def _finish(self, batch: Batch, told: Mapping[str, Any]) -> None:
        """Take what the batch came to. Raises RunStopped when a line says that no further request could succeed."""
        status = told["status"]
        if status == "failed":
            await self._failed(batch, told)
            return
        judge = await self._taker.results(batch, told)
        await self._over(batch, status)
        self._crowded, self._most = 0, min(MOST_LINES, self._most * 2)
        if judge.unsupported is not None:
            self._client.learn(batch.model, dialect_of(batch.dialect), judge.unsupported)
        if judge.stop is not None:
            raise self._stop(judge.stop, batch.model)
        if status == "cancelled":
            said = f"batch {batch.provider_id} was cancelled at {batch.endpoint}; what it had answered is kept"
            raise RunStopped("cancelled", f"{said}: run again to ask for the rest")

    async def _failed(self, batch: Batch, told: Mapping[str, Any]) -> None:
        """The provider did not run the batch, and bills nothing of it."""
        failure = Failure.of(told, self._client)
        if batch.tasks > 1 and failure.is_crowded:
            # More than the account may have waiting: not at once, and smaller where none of ours is to be waited for.
            await self._put_back(batch, "failed", failure.message)
            if not self._watched:
                self._most = max(1, batch.tasks // 2)
            self._crowded += 1
            self._form_at = time.monotonic() + (
                LONGEST_PAUSE_S if self._watched else pause_s(self._settings, self._crowded)
            )
            _log.warning("the account's queue for batches is full; it is tried again later (%s)", failure.message)
            return
        if failure.stop is not None:
            await self._put_back(batch, "failed", failure.message)
            raise self._stop(failure.stop, batch.model)
        await self._reject(batch, failure.message, failure.errors)

    async def _reject(self, batch: Batch, message: str, errors: Sequence[Mapping[str, Any]] = ()) -> None:
        message = f"the batch was rejected: {message}"
        await self._taker.rejected(batch, message, errors)
        await self._over(batch, "failed", message)

    async def _out_of_sight(self, batch: Batch, advice: str) -> None:
        """A batch that cannot be seen from here. Raises RunStopped while its answers may still be had."""
        if batch.file_id is None:
            await self._put_back(batch, "not sent")
            return
        if time.time() - (batch.submitted_at or batch.formed_at) < GIVEN_UP_S:
            name = batch.provider_id or batch.name
            said = f"batch {name} with {batch.tasks} requests cannot be seen at {self._settings.base_url}"
            raise RunStopped("unreachable", f"{said}: {advice} (after two days it is given up, at its worst cost)")
        await self._taker.lost(batch)
        await self._over(batch, "lost")

    async def _put_back(self, batch: Batch, status: str, error: str = "") -> None:
        await self._ask(self._register.put_back, batch)
        await self._over(batch, status, error)

    async def _over(self, batch: Batch, status: str, error: str = "") -> None:
        await self._ask(self._register.close, batch, status, error)
        self._watched.pop(batch.id, None)
        self._form_at = 0.0
        self._on_taken()

    def _stop(self, failed: CallFailed, model: str) -> RunStopped:
        url = self._settings.base_url
        advice = {
            "invalid_key": f"{url} does not accept the key in {self._settings.api_key_variable}: set a valid one",
            "unknown_model": f"{url} has no Batch API for this key, or none for the model {model}: correct the model's "
            "name or the address, or set DATASET_LLM__MODE=live",
            "quota_exhausted": f"the account at {url} has nothing left to pay with: add credit or raise its limit, "
            "then run again",
        }
        return RunStopped(failed.kind, f"{advice[failed.kind]} ({failed})")
