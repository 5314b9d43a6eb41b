"""Bringing a batch to the provider: its file, the batch itself, and finding one whose creation nobody noted."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import islice
from typing import Any, BinaryIO

from dataset_project.llm.batch_files import MOST_BYTES, dialect_text, write_lines
from dataset_project.llm.batch_records import Batch
from dataset_project.llm.batch_register import BatchRegister
from dataset_project.llm.bodies import Dialect
from dataset_project.llm.client import CallFailed, ModelClient

# Lines written at once.
_AT_ONCE = 500
# Batches made this long before ours are not looked at: a day, for clocks that differ.
_OLDEST_S = 86_400.0


class BatchSender:
    """``ask`` runs a function of the ledger. Every method raises CallFailed."""

    def __init__(self, client: ModelClient, register: BatchRegister, ask: Callable[..., Awaitable[Any]]):
        self._client, self._register, self._ask = client, register, ask
        self._spares: list[tuple[Batch, str]] = []

    async def upload(self, batch: Batch) -> str | None:
        """Store the batch's input file and note its id. None when there is nothing to send, "" when the batch is
        another process's by now."""
        dialect = self._client.dialect(batch.model)
        with tempfile.TemporaryFile() as file:
            size = await asyncio.to_thread(self._write, file, batch, dialect)
            if not size:
                return None
            file_id = await self._client.upload(batch.name, file, size)
        noted = await self._ask(self._register.note_file, batch, file_id, dialect_text(dialect))
        return file_id if noted else ""

    def _write(self, file: BinaryIO, batch: Batch, dialect: Dialect) -> int:
        """Size of the file. Tasks for which it has no room go back to the queue."""
        left = iter(self._register.keys(batch))
        while keys := list(islice(left, _AT_ONCE)):
            rounds = self._register.rounds(batch, keys)
            without_room = write_lines(file, rounds, self._client, dialect, MOST_BYTES)
            if without_room:
                self._register.put_back(batch, [*without_room, *left])
        return file.tell()

    async def create(self, batch: Batch, file_id: str) -> str:
        """The new batch's id."""
        return (await self._client.create_batch(file_id, batch.name))["id"]

    async def find(self, batch: Batch) -> list[str]:
        """Ids of this batch at the provider, by its file or, where that is kept, its name. The first one counts: the
        oldest that is not cancelled."""
        found, after, more = [], None, True
        while more:
            page, more = await self._client.batches(after)
            for each in page:
                metadata = each.get("metadata")
                name = metadata.get("name") if isinstance(metadata, dict) else None
                if each.get("input_file_id") == batch.file_id or name == batch.name:
                    is_cancelled = each.get("status") in ("cancelled", "cancelling")
                    found.append((is_cancelled, each.get("created_at") or 0, str(each.get("id"))))
            last = page[-1] if page else {}
            # The newest come first.
            more = more and bool(page) and (last.get("created_at") or 0) > batch.formed_at - _OLDEST_S
            after = last.get("id")
        return [batch_id for *_, batch_id in sorted(found)]

    async def note(self, batch: Batch, ids: list[str], is_new: bool) -> None:
        """The first of ``ids`` is the batch. ``is_new``: it was made here, just now.

        Others were made because an answer was lost, or by another process that took this one for dead; where that one
        has noted its own, the one made here is spare.
        """
        noted = await self._ask(self._register.note_submitted, batch, ids[0], time.time())
        self._spares += [(batch, each) for each in (ids[1:] if noted else ids if is_new else ())]
        await self.cancel_spares()

    async def cancel_spares(self) -> None:
        """Have spare batches ended, never the one that counts."""
        for batch, batch_id in self._spares.copy():
            counts = await self._ask(self._register.provider_id, batch)
            if counts is None:
                continue  # another process is about to submit it, and may find this one
            self._spares.remove((batch, batch_id))
            if counts != batch_id:
                with suppress(CallFailed):
                    await self._client.cancel_batch(batch_id)
