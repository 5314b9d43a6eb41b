"""The client and the limiters as requests of the pump see them: what lets a request out, and knows what is on the wire.

Providers limit each model by itself, so each has a lane of its own, with its own limiter.

When to shut it, and what becomes of requests that find it shut, is the pump's to decide.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dataset_project.llm.client import ModelClient
from dataset_project.llm.limiter import Limiter, Reservation
from dataset_project.llm.requests import ModelRequest


class Shut(Exception):
    """Nothing further is sent: the request goes back to where it came from."""


@dataclass(frozen=True)
class Sent:
    """A call on the wire: since when (seconds since the epoch), and the cap of its answer in tokens."""

    started_at: float
    cap: int


class Lane:
    """A model's limiter, behind the gate: who waits in it goes home when the gate is shut."""

    def __init__(self, gate: Gate, limiter: Limiter):
        self._gate, self._limiter = gate, limiter
        self.reconcile, self.cancel = limiter.reconcile, limiter.cancel
        self.succeeded, self.throttled, self.observed = limiter.succeeded, limiter.throttled, limiter.observed

    async def acquire(self, tokens: int) -> Reservation:
        """As the limiter's. Raises Shut, also when the gate is shut meanwhile."""
        return await self._gate.passing(self._limiter, tokens)


class Gate:
    """Open, it passes everything on. Shut, it lets nothing out, and those who wait for a limiter go home at once.

    ``on_wire``: calls that are being answered, by the key of their request. ``cut_off``: those that were cancelled
    meanwhile, and may have been billed. ``embedding``: embedding calls that are being answered.
    """

    def __init__(self, client: ModelClient, limiter_of: Callable[[str], Limiter]):
        """``limiter_of``: the limiter of a model, by its name."""
        self._client, self._limiter_of = client, limiter_of
        self._lanes: dict[str, Lane] = {}
        self._is_shut = False
        self._waiting: set[asyncio.Task] = set()
        self.on_wire: dict[str, Sent] = {}
        self.cut_off: dict[str, Sent] = {}
        self.embedding = 0

    def lane(self, model: str) -> Lane:
        """The lane of a model."""
        if model not in self._lanes:
            self._lanes[model] = Lane(self, self._limiter_of(model))
        return self._lanes[model]

    @property
    def is_busy(self) -> bool:
        """Whether anything is on the wire."""
        return bool(self.on_wire or self.embedding)

    def shut(self) -> None:
        """Let nothing out from now on. Safe to call twice."""
        if self._is_shut:
            return
        self._is_shut = True
        for task in self._waiting:
            task.cancel()

    async def passing(self, limiter: Limiter, tokens: int) -> Reservation:
        """A reservation of ``limiter``. Raises Shut, also when the gate is shut meanwhile."""
        if self._is_shut:
            raise Shut
        task = asyncio.current_task()
        self._waiting.add(task)
        try:
            return await limiter.acquire(tokens)
        except asyncio.CancelledError:
            if not self._is_shut:
                raise
            task.uncancel()
            raise Shut from None
        finally:
            self._waiting.discard(task)

    async def complete(self, request: ModelRequest, messages: Sequence[tuple[str, str]], max_output_tokens: int) -> Any:
        """As the client's. Raises Shut."""
        if self._is_shut:
            raise Shut
        sent = self.on_wire[request.key] = Sent(time.time(), max_output_tokens)
        try:
            return await self._client.complete(request, messages, max_output_tokens)
        except asyncio.CancelledError:
            self.cut_off[request.key] = sent
            raise
        finally:
            self.on_wire.pop(request.key, None)

    async def embed(self, model: str, texts: Sequence[str], dimensions: int | None) -> Any:
        """As the client's. Raises Shut."""
        if self._is_shut:
            raise Shut
        self.embedding += 1
        try:
            return await self._client.embed(model, texts, dimensions)
        finally:
            self.embedding -= 1
