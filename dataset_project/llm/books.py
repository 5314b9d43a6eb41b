"""The pump's books: one thread that keeps the ledger, so that the loop never waits for a disk or another process.

What ends while a transaction commits goes into the next one. Claiming and answering belong to `pump`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from dataset_project.llm.ledger import Ledger
from dataset_project.llm.requests import CallRecord, Settlement


@dataclass(frozen=True)
class Ended:
    """What became of one claimed task: settled, or given back (``settlement`` None); and its calls."""

    key: str
    settlement: Settlement | None
    calls: list[CallRecord]


class Books:
    """Made and used in the pump's loop. ``leased``: keys of tasks that this process holds.

    ``on_recorded`` hears when something is on disk. ``on_failure`` hears why the ledger cannot be kept (a full disk, a
    locked file): nothing may be sent that cannot be recorded.
    """

    def __init__(
        self,
        ledger: Ledger,
        worker: str,
        lease_s: float,
        on_recorded: Callable[[], None],
        on_failure: Callable[[BaseException], None],
    ):
        self._ledger, self._worker = ledger, worker
        self._on_recorded, self._on_failure = on_recorded, on_failure
        self.leased: set[str] = set()
        self._thread = ThreadPoolExecutor(1, "llm-ledger")
        self._ended: asyncio.Queue[Ended | None] = asyncio.Queue()
        self._writer = asyncio.create_task(self._write())
        self._keeper = asyncio.create_task(self._extend_leases(lease_s / 4))

    async def ask(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """What ``function``, of the ledger, returns."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)

    def put(self, ended: Ended) -> None:
        """To be recorded soon."""
        self._ended.put_nowait(ended)

    async def close(self) -> None:
        """Record what is left, end the thread."""
        self._keeper.cancel()
        self._ended.put_nowait(None)
        await asyncio.gather(self._writer, self._keeper, return_exceptions=True)
        self._thread.shutdown()

    async def _write(self) -> None:
        """Record what ends, many at a time. What could not be recorded is tried once more at the end, when all has
        come home: answers are paid for, and a disk may have room again."""
        unsaved: list[Ended] = []
        open_ended = is_good = True
        while open_ended:
            batch = [await self._ended.get()]
            while not self._ended.empty():
                batch.append(self._ended.get_nowait())
            open_ended = None not in batch
            unsaved += [each for each in batch if each is not None]
            if not unsaved or (open_ended and not is_good):
                continue
            keys = [each.key for each in unsaved]
            try:
                await self.ask(self._record, unsaved)
            except Exception as error:
                is_good = False
                self._on_failure(error)
            left = {each.key for each in unsaved}
            self.leased.difference_update(key for key in keys if key not in left)
            if len(left) < len(keys):
                self._on_recorded()

    def _record(self, ended: list[Ended]) -> None:
        """What is recorded is taken out of ``ended``, so that a second try does not record it again."""
        given_back = [each for each in ended if each.settlement is None]
        settled = [each for each in ended if each.settlement is not None]
        if settled:
            calls = [call for each in settled for call in each.calls]
            self._ledger.settle(self._worker, [each.settlement for each in settled], calls)
            ended[:] = given_back
        if given_back:
            self._ledger.record_calls([call for each in given_back for call in each.calls])
            for each in given_back:
                each.calls.clear()
            self._ledger.release(self._worker, [each.key for each in given_back])
            ended.clear()

    async def _extend_leases(self, every_s: float) -> None:
        while True:
            await asyncio.sleep(every_s)
            if self.leased:
                try:
                    await self.ask(self._ledger.extend, self._worker, sorted(self.leased))
                except Exception as error:
                    self._on_failure(error)
