"""The calls of one embedding run: what happens to a batch until it has vectors or a reason why not.

Retries, deadline, budget and accounting of each call, and splitting a batch that fails so that one bad text does not
fail its neighbours. Which texts make a batch, and where vectors go, is in `embeddings`.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from dataset_project.llm.calling import Patience
from dataset_project.llm.configuration import LlmSettings
from dataset_project.llm.faults import STOPPING, CallFailed
from dataset_project.llm.requests import CallRecord, RunStopped, Usage

if TYPE_CHECKING:
    from dataset_project.llm.client import ModelClient
    from dataset_project.llm.limiter import Limiter, Reservation
    from dataset_project.llm.prices import Prices

# A bound on 429s while other calls succeed, in units of the attempts: such a call is never admitted.
_CONTENDED = 5
# A part of a batch that failed is not worth as many attempts as the batch; nor is an answer that makes no sense, which
# was paid for.
_ATTEMPTS_OF_A_PART = 2
# How often a batch is halved while nothing at all succeeds: then it is the server, not a text. Refusals are quick and
# cost nothing, so they are looked into further than time-outs.
_HALVED_REFUSED, _HALVED_FAILED = 4, 2
_NO_USAGE = Usage()
# Faults that one text of many may have caused; no part of a batch fares better at the others.
_MAY_BE_A_TEXT = {"garbled", "server_error", "timeout", "reset", "refused", "too_long", "bad_request"}


@dataclass
class Batch:
    """Texts of one request and their token counts."""

    texts: list[str] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.texts)

    def add(self, text: str, tokens: int) -> None:
        self.texts.append(text)
        self.counts.append(tokens)

    @property
    def tokens(self) -> int:
        return sum(self.counts)

    def key(self, model: str) -> str:
        """What calls of this batch are booked under; 32 hexadecimal digits."""
        digest = hashlib.blake2b(model.encode(), digest_size=16)
        for text in self.texts:
            digest.update(b"\0" + hashlib.blake2b(text.encode(), digest_size=16).digest())
        return digest.hexdigest()

    def halves(self) -> tuple[Batch, Batch]:
        middle = len(self) // 2
        return (
            Batch(self.texts[:middle], self.counts[:middle]),
            Batch(self.texts[middle:], self.counts[middle:]),
        )


class EmbeddingCalls:
    """Calls ``model`` under the limiter, with every call accounted for and the budget asked before it."""

    def __init__(
        self,
        client: ModelClient,
        limiter: Limiter,
        prices: Prices,
        settings: LlmSettings,
        on_call: Callable[[CallRecord], None],
        may_spend: Callable[[float], None],
        model: str,
        dimensions: int | None,
        patience: Patience,
    ):
        self._client, self._limiter, self._prices, self._settings = client, limiter, prices, settings
        self._on_call, self._may_spend = on_call, may_spend
        self._model, self._dimensions, self._patience = model, dimensions, patience
        self._successes = 0
        self._is_stopped = False
        self._off_wire: set[asyncio.Task] = set()

    def check_price(self) -> None:
        """Raises ValueError when calls of the model could not be accounted for."""
        self._prices.cost(self._model, Usage(input_tokens=1))

    def stop(self) -> None:
        """Send nothing further: batches that wait for the limiter or for a retry end, those on the wire come home."""
        self._is_stopped = True
        for task in self._off_wire:
            task.cancel()

    async def outcomes(
        self, batch: Batch, depth: int = 0, attempts: int | None = None, successes: int | None = None
    ) -> AsyncIterator[tuple[list[str], np.ndarray | None, str]]:
        """(texts, vectors (len(texts), d) or None, reason when None), until every text of ``batch`` has had its turn.

        Raises RunStopped. ``depth``, ``attempts`` and ``successes`` (before the first failure) are for its own parts.
        """
        successes = self._successes if successes is None else successes
        try:
            vectors = await self._vectors(batch, attempts or self._settings.max_attempts)
        except CallFailed as failed:
            halvings = _HALVED_FAILED if failed.is_retryable else _HALVED_REFUSED
            is_server_alive = self._successes > successes
            if len(batch) == 1 or failed.kind not in _MAY_BE_A_TEXT or (depth >= halvings and not is_server_alive):
                yield batch.texts, None, f"{failed.kind}: {failed}"
                return
            for half in batch.halves():
                async for outcome in self.outcomes(half, depth + 1, _ATTEMPTS_OF_A_PART, successes):
                    yield outcome
            return
        yield batch.texts, vectors, ""

    async def _vectors(self, batch: Batch, attempts: int) -> np.ndarray:
        calls = spent = 0
        throttled_since, successes = time.monotonic(), self._successes
        while True:
            calls += 1
            try:
                return await self._call(batch, calls)
            except CallFailed as failed:
                if failed.kind in STOPPING:
                    raise RunStopped(failed.kind, self._advice(failed)) from None
                if failed.kind == "unsupported":
                    continue  # the next call does without the parameter; the second time it is a bad request
                if not failed.is_retryable:
                    raise
                if failed.kind == "rate_limited":
                    # A quota is shared, not spent, while other calls succeed; and one per minute clears in one.
                    spent += self._successes == successes
                    is_patient = time.monotonic() - throttled_since < self._patience.throttled_s
                    is_over = (spent >= attempts and not is_patient) or calls >= _CONTENDED * attempts
                else:
                    spent, throttled_since = spent + 1, time.monotonic()
                    is_over = spent >= (min(attempts, _ATTEMPTS_OF_A_PART) if failed.kind == "garbled" else attempts)
                if is_over:
                    raise
                successes = self._successes
                pause = max(self._patience.pause(calls), failed.retry_after_s or 0.0)
            await self._waiting(asyncio.sleep(pause))

    async def _call(self, batch: Batch, attempt: int) -> np.ndarray:
        cost = self._prices.worst_cost(self._model, Usage(input_tokens=batch.tokens))
        reservation = await self._waiting(self._limiter.acquire(batch.tokens))
        try:
            self._may_spend(cost)
        except BaseException:
            self._limiter.cancel(reservation)
            raise
        call = _Call(batch.key(self._model), attempt, self._model, self._on_call)
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                reply = await self._client.embed(self._model, batch.texts, self._dimensions)
            wrong = _wrong(reply.vectors, len(batch), self._dimensions)
        except asyncio.CancelledError:
            call.book("interrupted", cost, error="cancelled before its answer")
            raise
        except TimeoutError:
            failed = CallFailed("timeout", f"no answer within {self._settings.timeout_s:g} s", may_be_billed=True)
            call.book(failed.kind, cost, error=str(failed))
            raise failed from None
        except CallFailed as failed:
            # What may have been billed without a word about its tokens counts in full.
            booked = self._cost(failed.usage, call) if failed.usage != _NO_USAGE else cost * failed.may_be_billed
            call.book(failed.kind, booked, failed.usage, str(failed), failed.http_status, failed.model)
            self._tell_limiter(reservation, failed)
            raise
        usage = reply.usage or Usage(input_tokens=batch.tokens)  # some endpoints count chat only
        self._limiter.reconcile(reservation, usage.input_tokens)
        self._limiter.succeeded()
        self._observe(reply.limits)
        call.book("garbled" if wrong else "ok", self._cost(usage, call), usage, wrong, 200, reply.model)
        if wrong:
            raise CallFailed("garbled", wrong)
        self._successes += 1
        return np.asarray(reply.vectors, np.float32)

    def _tell_limiter(self, reservation: Reservation, failed: CallFailed) -> None:
        if not failed.was_sent:
            self._limiter.cancel(reservation)
        elif not failed.may_be_billed:  # it took a request of the quota, but no tokens
            self._limiter.reconcile(reservation, 0)
        if failed.kind == "rate_limited":
            self._limiter.throttled(failed.retry_after_s, reservation)
        self._observe(failed.limits)

    def _observe(self, limits: tuple[int | None, int | None]) -> None:
        if any(limit is not None for limit in limits):
            self._limiter.observed(*limits)

    def _advice(self, failed: CallFailed) -> str:
        settings = self._settings
        advice = {
            "invalid_key": f"does not accept the key in {settings.api_key_variable}: set a valid one",
            "unknown_model": f"has no model {self._model} for this key: correct the model's name, or the address",
            "quota_exhausted": "has nothing left to pay with on this account: add credit or raise its limit",
        }
        return f"{settings.base_url} {advice[failed.kind]} ({failed})"

    def _cost(self, usage: Usage, call: _Call) -> float:
        return self._prices.cost(self._model, usage, at=call.started_at)

    async def _waiting(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Await what is not on the wire: `stop` ends it."""
        if self._is_stopped:
            coroutine.close()
            raise asyncio.CancelledError
        task = asyncio.current_task()
        self._off_wire.add(task)
        try:
            return await coroutine
        finally:
            self._off_wire.discard(task)


class _Call:
    """One call on the wire, to be booked when it ends, however it ends."""

    def __init__(self, task_key: str, attempt: int, model: str, on_call: Callable[[CallRecord], None]):
        self._task_key, self._attempt, self._model, self._on_call = task_key, attempt, model, on_call
        self.started_at, self._began = time.time(), time.perf_counter()

    def book(
        self,
        outcome: str,
        cost_usd: float,
        usage: Usage = _NO_USAGE,
        error: str = "",
        status: int | None = None,
        model: str = "",
    ) -> None:
        self._on_call(
            CallRecord(
                task_key=self._task_key,
                attempt=self._attempt,
                started_at=self.started_at,
                latency_ms=round((time.perf_counter() - self._began) * 1000, 3),
                outcome=outcome,
                model=model or self._model,
                usage=usage,
                cost_usd=cost_usd,
                http_status=status,
                error=error,
            )
        )


def _wrong(vectors: Any, count: int, dimensions: int | None) -> str:
    """What is wrong with an answer's vectors; "" when nothing is."""
    array = np.asarray(vectors)
    if array.ndim != 2 or len(array) != count:
        return f"{len(array) if array.ndim else 0} vectors for {count} texts"
    if not array.shape[1] or (dimensions is not None and array.shape[1] != dimensions):
        return f"vectors of {array.shape[1]} dimensions" + (f", not {dimensions}" if dimensions else "")
    if not np.isfinite(array).all():
        return "a vector with numbers that are not finite"
    if not array.any(axis=1).all():
        return "a vector of zeros"
    return ""
