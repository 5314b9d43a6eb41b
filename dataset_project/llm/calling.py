"""One request until it is settled: calls, waits, repairs and a raised cap, each with a budget of its own.

Single calls are the client's, the pace is the limiter's; here is decided whether another call is worth making.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataset_project.llm.configuration import LlmSettings
from dataset_project.llm.faults import CallFailed
from dataset_project.llm.json_schema import AnswerSchema, InvalidAnswer, answer_schema
from dataset_project.llm.requests import CallRecord, ModelRequest, OutcomeKind, RunStopped, Settlement, Usage
from dataset_project.llm.tokens import estimate_tokens

if TYPE_CHECKING:
    from dataset_project.llm.client import ModelClient, Reply
    from dataset_project.llm.limiter import Limiter, Reservation
    from dataset_project.llm.prices import Prices

REPAIRS = 2
"""How often a bad answer is sent back with what is wrong with it."""
CAP_FACTOR = 4
"""By what the cap of an answer that it cut off is raised, once."""
# A model may not know the cap's name, the temperature, the effort and two ways to ask for JSON.
_ADAPTATIONS = 6
# A bound on 429s while other requests succeed, in units of the attempts: such a request is never admitted.
_CONTENDED = 5
_ENDINGS: dict[str, OutcomeKind] = {"refused": "refused", "too_long": "too_long", "bad_request": "bad_request"}
_jitter = random.Random()  # seeded by the system; nothing it draws reaches a file


@dataclass(frozen=True)
class Patience:
    """Waits between attempts: anything up to ``first_s`` × 2 ^ failures, at most ``most_s`` (full jitter).

    429s alone exhaust a request only after ``throttled_s``: a quota per minute clears in one.
    """

    first_s: float = 1.0
    most_s: float = 60.0
    throttled_s: float = 150.0

    def pause(self, failures: int) -> float:
        """Seconds to wait after so many failures. Processes that failed together do not come back together."""
        return _jitter.uniform(0.0, min(self.most_s, self.first_s * 2 ** min(failures - 1, 30)))


async def settle_request(
    request: ModelRequest,
    client: ModelClient,
    limiter: Limiter,
    prices: Prices,
    settings: LlmSettings,
    on_call: Callable[[CallRecord], None],
    *,
    patience: Patience = Patience(),
) -> Settlement:
    """Ask until there is a valid answer or another call is pointless. ``on_call`` hears of every call, failed or not.

    A call whose answer was lost on the way may have been billed: it counts with its whole cap. A call that is
    cancelled on the wire is the canceller's to account for. Raises RunStopped when no request could succeed,
    ValueError for a schema that is not strict.
    """
    return await _Settling(request, client, limiter, prices, settings, on_call, patience).run()


class _Settling:
    """One request's state: what it has been through."""

    def __init__(
        self,
        request: ModelRequest,
        client: ModelClient,
        limiter: Limiter,
        prices: Prices,
        settings: LlmSettings,
        on_call: Callable[[CallRecord], None],
        patience: Patience,
    ):
        self._request, self._client, self._limiter, self._prices = request, client, limiter, prices
        self._settings, self._on_call = settings, on_call
        self._schema: AnswerSchema = answer_schema(request.schema_hash, request.schema)
        self._input_tokens = estimate_tokens(request)
        self._messages, self._cap = request.messages, request.max_output_tokens
        self._calls = self._repairs = self._adaptations = 0
        self._attempts = _Attempts(settings.max_attempts, patience)
        self._model = request.model

    async def run(self) -> Settlement:
        while True:
            try:
                outcome, text = await self._call()
            except CallFailed as failed:
                ending = await self._after(failed)
                if ending is not None:
                    return ending
                continue
            if outcome == "ok":
                return Settlement(self._request.key, "ok", content=text, model=self._model)
            if outcome == "truncated" and self._cap == self._request.max_output_tokens:
                self._cap *= CAP_FACTOR
                continue
            if outcome != "invalid" or self._repairs == REPAIRS:
                return self._settled(outcome, text)
            self._repairs += 1

    async def _after(self, failed: CallFailed) -> Settlement | None:
        """What a failed call means: None for another attempt, after the wait it takes. Raises RunStopped."""
        if failed.stops_run:
            raise RunStopped(failed.kind, self._advice(failed))
        if failed.kind == "unsupported":
            self._adaptations += 1
            return None if self._adaptations <= _ADAPTATIONS else self._settled("bad_request", failed.message)
        if not failed.is_retryable:
            is_raised = self._cap > self._request.max_output_tokens
            if failed.kind == "bad_request" and is_raised and "tokens" in failed.message:
                return self._settled("truncated", f"cut off, and no higher cap is accepted: {failed.message}")
            return self._settled(_ENDINGS[failed.kind], failed.message)
        pause = self._attempts.pause_after(failed)
        if pause is None:
            return self._settled("exhausted", f"{self._attempts.spent} attempts, at last {failed.kind}: {failed}")
        await asyncio.sleep(pause)
        return None

    async def _call(self) -> tuple[str, str]:
        """One call: its outcome and the answer's JSON, or what is wrong with it. Raises CallFailed."""
        reservation = await self._limiter.acquire(self._input_tokens + self._cap)
        self._calls += 1
        started_at, begun = time.time(), time.perf_counter()
        try:
            reply = await self._client.complete(self._request, self._messages, self._cap)
        except CallFailed as failed:
            self._record(started_at, begun, failed.kind, self._usage_of(failed), failed.http_status, failed.message)
            self._tell_limiter(reservation, failed)
            raise
        except asyncio.CancelledError:
            raise  # on the wire: the reservation stays
        except BaseException:
            self._limiter.cancel(reservation)
            raise
        usage = reply.usage or Usage(self._input_tokens, len(reply.text) // 3)
        self._limiter.reconcile(reservation, usage.input_tokens + usage.output_tokens)
        self._observe(reply.limits)
        self._limiter.succeeded()
        self._model = reply.model or self._request.model
        outcome, text = self._judged(reply)
        self._record(started_at, begun, outcome, usage, 200, "" if outcome == "ok" else text[:300])
        return outcome, text

    def _judged(self, reply: Reply) -> tuple[str, str]:
        if reply.refusal or reply.finish == "content_filter":
            return "refused", reply.refusal or "the provider's content filter"
        try:
            return "ok", self._schema.check(reply.text)
        except InvalidAnswer as wrong:
            if reply.finish == "length":
                return "truncated", f"the answer did not end within {self._cap} tokens"
            self._messages = self._repairing(reply.text, str(wrong))
            return "invalid", str(wrong)

    def _repairing(self, answer: str, wrong: str) -> tuple[tuple[str, str], ...]:
        """The request's messages, the bad answer and what is wrong with it; of several bad answers the last."""
        said = (("assistant", answer),) if answer.strip() else ()
        demand = f"That is not valid:\n{wrong}\nAnswer again, with the whole corrected JSON object and nothing else."
        return (*self._request.messages, *said, ("user", demand))

    def _usage_of(self, failed: CallFailed) -> Usage:
        if failed.usage != Usage() or not failed.may_be_billed:
            return failed.usage
        return Usage(self._input_tokens, self._cap)

    def _record(
        self, started_at: float, begun: float, outcome: str, usage: Usage, status: int | None, error: str
    ) -> None:
        self._on_call(
            CallRecord(
                task_key=self._request.key,
                attempt=self._calls,
                started_at=started_at,
                latency_ms=round((time.perf_counter() - begun) * 1000, 3),
                outcome=outcome,
                model=self._model,
                usage=usage,
                cost_usd=self._prices.cost(self._request.model, usage, started_at) if usage != Usage() else 0.0,
                http_status=status,
                error=error,
            )
        )

    def _tell_limiter(self, reservation: Reservation, failed: CallFailed) -> None:
        if not failed.was_sent:
            self._limiter.cancel(reservation)
        elif not failed.may_be_billed:
            # It took a request of the quota, but no tokens.
            self._limiter.reconcile(reservation, 0)
        if failed.kind == "rate_limited":
            self._limiter.throttled(failed.retry_after_s, reservation)
        self._observe(failed.limits)

    def _observe(self, limits: tuple[int | None, int | None]) -> None:
        if limits != (None, None):
            self._limiter.observed(*limits)

    def _settled(self, kind: str, error: str) -> Settlement:
        return Settlement(self._request.key, kind, error=error[:600], model=self._model)

    def _advice(self, failed: CallFailed) -> str:
        settings = self._settings
        advice = {
            "invalid_key": f"{settings.base_url} does not accept the key in {settings.api_key_variable}: set a "
            "valid one",
            "unknown_model": f"{settings.base_url} has no model {self._request.model} for this key: correct the "
            "model's name, or the address",
            "quota_exhausted": f"the account at {settings.base_url} has nothing left to pay with: add credit or raise "
            "its limit, then run again",
        }
        return f"{advice[failed.kind]} ({failed})"


class _Attempts:
    """The budget of the transport: connections, 5xx, time-outs and 429s.

    A 429 is no attempt while other requests of this process succeed: the quota is shared, not spent. Nor do 429s alone
    exhaust a request within `Patience.throttled_s`. Between two of them lies at least Retry-After, so a cool-down
    of an hour costs one attempt.
    """

    def __init__(self, most: int, patience: Patience):
        self._most, self._patience = most, patience
        self.spent = self._failures = self._throttled = 0
        self._successes: int | None = None
        self._throttled_since = 0.0

    def pause_after(self, failed: CallFailed) -> float | None:
        """Seconds to wait before the next attempt; None when there is none left."""
        self._failures += 1
        pause = max(self._patience.pause(self._failures), failed.retry_after_s or 0.0)
        if failed.kind != "rate_limited":
            self.spent += 1
            return None if self.spent >= self._most else pause
        now = time.monotonic()
        is_contended = self._successes is not None and failed.successes > self._successes
        if self._throttled == 0:
            self._throttled_since = now
        self._throttled += 1
        self._successes = failed.successes
        if not is_contended:
            self.spent += 1
        is_patient = now - self._throttled_since < self._patience.throttled_s
        if self._throttled >= _CONTENDED * self._most or (self.spent >= self._most and not is_patient):
            return None
        return pause
