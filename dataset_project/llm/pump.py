"""The pump: claims tasks of the ledger, has them answered, settles them. One asyncio thread per process.

Any number of processes pump the same group of tasks: the ledger hands out each task once, so a process that has
nothing left takes over what others have not begun. Deciding what to ask belongs to whoever enqueues.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import CancelledError
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any

from dataset_project.llm.batches import BatchKeeper
from dataset_project.llm.books import Books, Ended
from dataset_project.llm.calling import settle_request
from dataset_project.llm.client import ModelClient
from dataset_project.llm.configuration import LlmSettings
from dataset_project.llm.gate import Gate, Sent, Shut
from dataset_project.llm.ledger import Claimed, Ledger
from dataset_project.llm.limiter import Limiter
from dataset_project.llm.prices import Prices
from dataset_project.llm.requests import CallRecord, RunStopped, Settlement, Usage
from dataset_project.llm.tokens import estimate_tokens

# Tasks are claimed in small leases, so that processes share the work to its end.
_CLAIM_AT_MOST = 16
# Without work of its own a process looks this often whether another's lease ran out.
_IDLE_S = 0.25
# So many requests in a row that used up every attempt are no accident.
_MOST_IN_VAIN = 5
# How long requests on the wire may take to come home once a run is interrupted: they are paid for.
GRACE_S = 15.0
# What came home then still has to be stored: vectors in their cache.
_STORE_S = 2.0


class Pump:
    """Works off a group's tasks until it is stopped. Start it with `start`, end it with `stop`."""

    def __init__(
        self,
        settings: LlmSettings,
        ledger: Ledger,
        limiter_of: Callable[[str], Limiter],
        prices: Prices,
        group: str,
    ):
        """``limiter_of``: the limiter of a model, by its name."""
        self._settings, self._ledger, self._limiter_of, self._prices = settings, ledger, limiter_of, prices
        self._group, self.worker = group, f"{group}/{os.getpid()}"
        self._changed = threading.Condition()
        self._news = 0
        self._pid = os.getpid()
        # Not Thread.join: interrupted, that takes the thread for ended (Python 3.11).
        self._has_begun, self._has_ended = threading.Event(), threading.Event()
        self._has_ended.set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake: asyncio.Event | None = None
        self._ending = False
        self._grace_s = GRACE_S
        self._stopped: BaseException | None = None
        self._prefer: str | None = None
        self._in_vain = 0

    @property
    def stopped(self) -> BaseException | None:
        """Why nothing further is sent; None while the pump works."""
        return self._stopped

    def start(self) -> None:
        """Begin. Raises RunStopped when there is no key, ValueError when the client cannot be made."""
        client = ModelClient(self._settings)
        thread = threading.Thread(target=self._run, args=(client,), name="llm-pump", daemon=True)
        self._has_ended.clear()
        try:
            thread.start()
        except BaseException:  # as many threads as the system allows
            if thread.ident is None:
                self._has_ended.set()
            raise

    def asking(self) -> AbstractContextManager[None]:
        """Around asking: the live pump sends the first requests while the others are still being asked."""
        return nullcontext()

    def nudge(self, prefer: str | None = None) -> None:
        """There is new work, first of all that labelled ``prefer``."""
        self._prefer = prefer if prefer is not None else self._prefer
        loop, wake = self._loop, self._wake
        if loop is not None and wake is not None:
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(wake.set)

    def wait_for_news(self, seen: int, timeout: float) -> int:
        """Sleep until something was settled after ``seen``, or ``timeout`` seconds. The number to call with next."""
        with self._changed:
            self._changed.wait_for(lambda: self._news != seen or self._stopped is not None, timeout)
            return self._news

    def call(self, coroutine: Callable[[Gate], Coroutine[Any, Any, Any]]) -> Any:
        """Run ``coroutine(gate)`` on the pump's loop, and wait for its result. The gate is the client, its lanes limit.

        Raises why nothing is sent any more, when that is so or comes to be so: RunStopped, or RuntimeError once closed.
        """
        if os.getpid() != self._pid:
            raise RuntimeError("the runtime was opened by the process this one was forked from: open it anew")
        if not self._has_ended.is_set():
            self._has_begun.wait()
        with self._changed:
            if self._loop is None:
                raise self._why_not()
            future = asyncio.run_coroutine_threadsafe(self._called(coroutine), self._loop)
        try:
            return future.result()
        except (Shut, CancelledError):
            raise self._why_not() from None

    def _why_not(self) -> BaseException:
        return self._stopped or RuntimeError("the runtime was closed; what came until then is kept")

    async def _called(self, coroutine: Callable[[Gate], Coroutine[Any, Any, Any]]) -> Any:
        task = asyncio.current_task()
        self._called_tasks.add(task)
        task.add_done_callback(self._called_tasks.discard)
        return await coroutine(self._gate)

    @property
    def has_ended(self) -> bool:
        """Whether the ledger is no longer in use."""
        return self._has_ended.is_set()

    def stop(self, grace_s: float = GRACE_S) -> None:
        """Send nothing further, wait for what is on the wire, give the rest back. Safe to call twice.

        Interrupted while it waits for longer than GRACE_S, it waits no longer than that.
        """
        if os.getpid() != self._pid:
            return  # forked: the thread is the other process's
        self._grace_s = grace_s
        self._ending = True
        self.nudge()
        try:
            self._has_ended.wait()
        except KeyboardInterrupt:
            if grace_s > GRACE_S:
                self._grace_s = GRACE_S
                self._has_ended.wait()
            raise

    def _run(self, client: ModelClient) -> None:
        try:
            asyncio.run(self._main(client))
        except BaseException as error:
            self._stop_for(error)
        finally:
            self._has_begun.set()
            self._has_ended.set()

    def _stop_for(self, error: BaseException) -> None:
        with self._changed:
            self._stopped = self._stopped or error
            self._changed.notify_all()

    async def _main(self, client: ModelClient) -> None:
        self._gate, self._wake = Gate(client, self._limiter_of), asyncio.Event()
        lease_s = self._settings.lease_s
        self._books = Books(self._ledger, self.worker, lease_s, self._tell, self._halt_for)
        self._running: set[asyncio.Task] = set()
        self._called_tasks: set[asyncio.Task] = set()
        self._loop = asyncio.get_running_loop()
        self._has_begun.set()
        batches = asyncio.create_task(self._look_after_batches(client))
        batches.add_done_callback(self._finished)
        try:
            while not self._ending and self._stopped is None:
                await self._round()
        finally:
            with self._changed:
                self._loop = None  # nothing further is called
            self._gate.shut()
            await self._bring_home()
            batches.cancel()
            await asyncio.gather(batches, return_exceptions=True)
            await self._books.close()
            await client.close()

    async def _look_after_batches(self, client: ModelClient) -> None:
        """Batches that a run in the other mode left at the provider: what is in them is not asked again."""
        keeper = BatchKeeper(
            self._settings, self._ledger, self._prices, client, self._group, self._books.ask, self._tell
        )
        await keeper.run()

    async def _bring_home(self) -> None:
        """Wait for what is on the wire, then cancel the rest."""
        # What was claimed a moment ago must begin: cancelled before, it would never be given back.
        await asyncio.sleep(0)
        began = time.monotonic()
        while self._gate.is_busy and time.monotonic() < began + self._grace_s:
            pending = self._running | self._called_tasks
            await asyncio.wait(pending, timeout=0.05, return_when=asyncio.FIRST_COMPLETED)
        if self._called_tasks:
            await asyncio.wait(self._called_tasks, timeout=_STORE_S)
        while pending := self._running | self._called_tasks:
            for task in pending:
                task.cancel()
            await asyncio.wait(pending, timeout=1)

    async def _round(self) -> None:
        self._wake.clear()
        free = self._settings.max_in_flight - len(self._running)
        claimed: Sequence[Claimed] = ()
        if free > 0:
            try:
                claimed = await self._books.ask(self._claim, min(free, _CLAIM_AT_MOST))
            except RunStopped as stop:
                self._stop_for(stop)
                return
        for each in claimed:
            if each.key in self._books.leased:
                continue  # on its way: its lease lapsed while this machine slept, or its clock was set
            self._books.leased.add(each.key)
            task = asyncio.create_task(self._answer(each))
            self._running.add(task)
            task.add_done_callback(self._finished)
        if not claimed:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._wake.wait(), _IDLE_S)

    def _claim(self, count: int) -> Sequence[Claimed]:
        return self._ledger.claim(
            self._group, self.worker, count, prefer=self._prefer, budget_usd=self._settings.budget_usd
        )

    def _finished(self, task: asyncio.Task) -> None:
        self._running.discard(task)
        self._wake.set()
        if not task.cancelled() and task.exception() is not None:
            self._halt_for(task.exception())

    def _halt_for(self, error: BaseException) -> None:
        """Stop at once, from within the loop."""
        self._stop_for(error)
        self._gate.shut()
        self._wake.set()

    async def _answer(self, claimed: Claimed) -> None:
        request = claimed.request
        calls: list[CallRecord] = []
        settlement = None
        try:
            settlement = await settle_request(
                request, self._gate, self._gate.lane(request.model), self._prices, self._settings, calls.append
            )
        except Shut:
            pass
        except RunStopped as stop:
            self._halt_for(stop)
        else:
            self._notice(settlement)
        finally:
            sent = self._gate.cut_off.get(claimed.key)
            if settlement is None and sent is not None:
                calls.append(self._cut_off(claimed, len(calls) + 1, sent))
            self._books.put(Ended(claimed.key, settlement, calls))

    def _notice(self, settlement: Settlement) -> None:
        """Stop when nobody answers: request after request used up its attempts, and none succeeded in between."""
        self._in_vain = self._in_vain + 1 if settlement.kind == "exhausted" else 0
        if self._in_vain >= _MOST_IN_VAIN:
            said = f"{self._in_vain} requests in a row used up their attempts, the last with: {settlement.error}"
            advice = f"see that {self._settings.base_url} is right and up, then run again"
            self._halt_for(RunStopped("unreachable", f"{advice} ({said})"))

    def _tell(self) -> None:
        """Something was settled, and is on disk."""
        with self._changed:
            self._news += 1
            self._changed.notify_all()

    def _cut_off(self, claimed: Claimed, attempt: int, sent: Sent) -> CallRecord:
        """Sent, and cancelled before its answer: it may have been billed, so it counts at its worst."""
        request = claimed.request
        usage = Usage(estimate_tokens(request), sent.cap)
        return CallRecord(
            task_key=claimed.key,
            attempt=attempt,
            started_at=sent.started_at,
            latency_ms=round((time.time() - sent.started_at) * 1000, 3),
            outcome="interrupted",
            model=request.model,
            cost_usd=max(claimed.worst_cost_usd, self._prices.worst_cost(request.model, usage)),
        )
