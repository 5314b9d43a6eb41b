"""The pump: claims tasks of the ledger, has them answered, settles them. One asyncio thread per process.

Any number of processes pump the same group of tasks: the ledger hands out each task once, so a process that has
nothing left takes over what others have not begun. Deciding what to ask belongs to whoever enqueues.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from dataset_project.llm.calling import settle_request
from dataset_project.llm.client import ModelClient
from dataset_project.llm.configuration import LlmSettings
from dataset_project.llm.ledger import Claimed, Ledger
from dataset_project.llm.limiter import Limiter, Reservation
from dataset_project.llm.prices import Prices
from dataset_project.llm.requests import CallRecord, ModelRequest, RunStopped, Settlement

# Tasks are claimed in small leases, so that processes share the work to its end.
_CLAIM_AT_MOST = 16
# Without work of its own a process looks this often whether another's lease ran out.
_IDLE_S = 0.25
# So many requests in a row that used up every attempt are no accident.
_MOST_IN_VAIN = 5
# How long requests on the wire may take to come home once a run is interrupted: they are paid for.
GRACE_S = 15.0


class _Shut(Exception):
    """The pump is ending: nothing further is sent, and the task goes back to the ledger."""


class _Gate:
    """The client and the limiter as requests see them: shut, it lets nothing out, and it knows what is on the wire."""

    def __init__(self, client: ModelClient, limiter: Limiter):
        self._client, self._limiter = client, limiter
        self._is_shut = False
        self._waiting: set[asyncio.Task] = set()
        self.on_wire: set[str] = set()
        self.cut_off: set[str] = set()
        self.reconcile, self.cancel = limiter.reconcile, limiter.cancel
        self.succeeded, self.throttled, self.observed = limiter.succeeded, limiter.throttled, limiter.observed

    def shut(self) -> None:
        self._is_shut = True
        for task in self._waiting:
            task.cancel()

    async def acquire(self, tokens: int) -> Reservation:
        if self._is_shut:
            raise _Shut
        task = asyncio.current_task()
        self._waiting.add(task)
        try:
            return await self._limiter.acquire(tokens)
        except asyncio.CancelledError:
            if not self._is_shut:
                raise
            task.uncancel()
            raise _Shut from None
        finally:
            self._waiting.discard(task)

    async def complete(self, request: ModelRequest, *arguments: Any, **keywords: Any) -> Any:
        if self._is_shut:
            raise _Shut
        self.on_wire.add(request.key)
        try:
            return await self._client.complete(request, *arguments, **keywords)
        except asyncio.CancelledError:
            self.cut_off.add(request.key)
            raise
        finally:
            self.on_wire.discard(request.key)


@dataclass(frozen=True)
class _Ended:
    """What became of one claimed task: settled, or given back (``settlement`` None); and its calls."""

    key: str
    settlement: Settlement | None
    calls: list[CallRecord]


class Pump:
    """Works off a group's tasks until it is stopped. Start it with `start`, end it with `stop`."""

    def __init__(self, settings: LlmSettings, ledger: Ledger, limiter: Limiter, prices: Prices, group: str):
        self._settings, self._ledger, self._limiter, self._prices = settings, ledger, limiter, prices
        self._group, self.worker = group, f"{group}/{os.getpid()}"
        self._changed = threading.Condition()
        self._news = 0
        self._thread: threading.Thread | None = None
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
        self._thread = threading.Thread(target=self._run, args=(client,), name="llm-pump", daemon=True)
        self._thread.start()

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

    def call(self, coroutine: Callable[[ModelClient, Limiter], Any]) -> Any:
        """Run ``coroutine(client, limiter)`` on the pump's loop, and wait for its result."""
        deadline = time.monotonic() + 30
        while self._loop is None and self._stopped is None and time.monotonic() < deadline:
            time.sleep(0.01)
        if self._loop is None:
            raise self._stopped or RuntimeError("the pump did not start")
        return asyncio.run_coroutine_threadsafe(coroutine(self._client, self._limiter), self._loop).result()

    def stop(self, grace_s: float = GRACE_S) -> None:
        """Send nothing further, wait for what is on the wire, give the rest back. Safe to call twice."""
        self._grace_s = grace_s
        self._ending = True
        self.nudge()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self, client: ModelClient) -> None:
        try:
            asyncio.run(self._main(client))
        except BaseException as error:
            self._stop_for(error)

    def _stop_for(self, error: BaseException) -> None:
        with self._changed:
            self._stopped = self._stopped or error
            self._changed.notify_all()

    async def _main(self, client: ModelClient) -> None:
        self._client, self._gate, self._wake = client, _Gate(client, self._limiter), asyncio.Event()
        # One thread for the ledger: what ends while it commits goes into its next transaction.
        self._books = ThreadPoolExecutor(1, "llm-ledger")
        self._running: set[asyncio.Task] = set()
        self._leased: set[str] = set()
        self._ended: asyncio.Queue[_Ended | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        companions = [asyncio.create_task(self._write()), asyncio.create_task(self._extend_leases())]
        try:
            while not self._ending and self._stopped is None:
                for companion in companions:
                    if companion.done():
                        companion.result()  # a full disk, a lost ledger: nothing may be sent that cannot be kept
                await self._round()
        finally:
            self._gate.shut()
            await self._bring_home()
            companions[1].cancel()
            self._ended.put_nowait(None)
            await asyncio.gather(*companions, return_exceptions=True)
            self._books.shutdown()
            await client.close()

    async def _bring_home(self) -> None:
        """Wait for what is on the wire, then cancel the rest."""
        deadline = time.monotonic() + self._grace_s
        while self._gate.on_wire and time.monotonic() < deadline:
            await asyncio.wait(self._running, timeout=0.05, return_when=asyncio.FIRST_COMPLETED)
        while self._running:
            for task in self._running:
                task.cancel()
            await asyncio.wait(self._running, timeout=1)

    async def _round(self) -> None:
        self._wake.clear()
        free = self._settings.max_in_flight - len(self._running)
        claimed: Sequence[Claimed] = ()
        if free > 0:
            try:
                claimed = await self._in_ledger(self._claim, min(free, _CLAIM_AT_MOST))
            except RunStopped as stop:
                self._stop_for(stop)
                return
        for each in claimed:
            self._leased.add(each.key)
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

    async def _in_ledger(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return await self._loop.run_in_executor(self._books, function, *arguments)

    def _finished(self, task: asyncio.Task) -> None:
        self._running.discard(task)
        self._wake.set()
        if not task.cancelled() and task.exception() is not None:
            self._stop_for(task.exception())

    async def _answer(self, claimed: Claimed) -> None:
        calls: list[CallRecord] = []
        settlement = None
        try:
            settlement = await settle_request(
                claimed.request, self._gate, self._gate, self._prices, self._settings, calls.append
            )
        except _Shut:
            pass
        except RunStopped as stop:
            self._stop_for(stop)
        else:
            self._notice(settlement)
        finally:
            if settlement is None and claimed.key in self._gate.cut_off:
                calls.append(_cut_off(claimed, len(calls) + 1))
            self._ended.put_nowait(_Ended(claimed.key, settlement, calls))

    def _notice(self, settlement: Settlement) -> None:
        """Stop when nobody answers: request after request used up its attempts, and none succeeded in between."""
        self._in_vain = self._in_vain + 1 if settlement.kind == "exhausted" else 0
        if self._in_vain >= _MOST_IN_VAIN:
            said = f"{self._in_vain} requests in a row used up their attempts, the last with: {settlement.error}"
            advice = f"see that {self._settings.base_url} is right and up, then run again"
            self._stop_for(RunStopped("unreachable", f"{advice} ({said})"))

    async def _write(self) -> None:
        """Record what ends, many at a time; waiters hear of it only when it is on disk."""
        open_ended = True
        while open_ended:
            batch = [await self._ended.get()]
            while not self._ended.empty():
                batch.append(self._ended.get_nowait())
            open_ended = None not in batch
            ended = [each for each in batch if each is not None]
            await self._in_ledger(self._record, ended)
            self._leased.difference_update(each.key for each in ended)
            with self._changed:
                self._news += 1
                self._changed.notify_all()

    def _record(self, ended: Sequence[_Ended]) -> None:
        settled = [each for each in ended if each.settlement is not None]
        given_back = [each for each in ended if each.settlement is None]
        if settled:
            calls = [call for each in settled for call in each.calls]
            self._ledger.settle(self.worker, [each.settlement for each in settled], calls)
        if given_back:
            self._ledger.record_calls([call for each in given_back for call in each.calls])
            self._ledger.release(self.worker, [each.key for each in given_back])

    async def _extend_leases(self) -> None:
        while True:
            await asyncio.sleep(self._settings.lease_s / 4)
            if self._leased:
                await self._in_ledger(self._ledger.extend, self.worker, sorted(self._leased))


def _cut_off(claimed: Claimed, attempt: int) -> CallRecord:
    """Sent, and cancelled before its answer: it may have been billed, so it counts at its worst."""
    return CallRecord(
        task_key=claimed.key,
        attempt=attempt,
        started_at=time.time(),
        latency_ms=0.0,
        outcome="interrupted",
        model=claimed.request.model,
        cost_usd=claimed.worst_cost_usd,
    )
