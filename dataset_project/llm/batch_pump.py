"""The pump that answers tasks by batches: hours instead of minutes, at half the price. Nothing is called but what is
embedded; batches are `batches`' business.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from dataset_project.llm.batches import BatchKeeper
from dataset_project.llm.client import ModelClient
from dataset_project.llm.pump import Pump


class BatchPump(Pump):
    """As the pump to whoever asks. Stopped, it leaves its batches at the provider, and the next one collects them."""

    def __init__(self, *arguments: Any, **keywords: Any):
        super().__init__(*arguments, **keywords)
        self._asked_at = time.monotonic()
        self._is_asking = False

    @contextmanager
    def asking(self) -> Iterator[None]:
        """No batch is formed while somebody asks, however long that takes on a busy machine."""
        self._is_asking = True
        try:
            yield
        finally:
            self._asked_at, self._is_asking = time.monotonic(), False

    def nudge(self, prefer: str | None = None) -> None:
        self._asked_at = time.monotonic()
        super().nudge(prefer)

    async def _look_after_batches(self, client: ModelClient) -> None:
        keeper = BatchKeeper(
            *(self._settings, self._ledger, self._prices, client, self._group, self._books.ask, self._tell), forms=True
        )
        await keeper.run(lambda: time.monotonic() if self._is_asking else self._asked_at, lambda: self._prefer)

    async def _round(self) -> None:
        self._wake.clear()
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._wake.wait(), 1.0)
