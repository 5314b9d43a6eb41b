"""A batch's files: the lines of its input file, and what the lines of its output and error files mean.

A line stands for a call: it is judged as `calling` judges one. What differs is that a further round takes hours, so
there are fewer of them. Sending and fetching files belongs to `batches`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, BinaryIO

from dataset_project.llm.batch_records import Batch, LineOutcome, Round
from dataset_project.llm.bodies import Dialect
from dataset_project.llm.calling import CAP_FACTOR
from dataset_project.llm.client import CallFailed, ModelClient
from dataset_project.llm.json_schema import InvalidAnswer, answer_schema
from dataset_project.llm.prices import Prices
from dataset_project.llm.requests import CallRecord, OutcomeKind, Usage
from dataset_project.llm.tokens import estimate_tokens

MOST_LINES = 50_000
"""Most requests of a batch (OpenAI "Batch API", limits)."""
MOST_BYTES = 200_000_000
"""Most bytes of its input file (OpenAI: 200 MB)."""
_LONGEST_ANSWER = 20_000  # of a bad answer that is sent back
# Further rounds by outcome. Bad answers get one, with what is wrong with them; a model may not know six parameters.
_FURTHER_ROUNDS = {"invalid": 1, "truncated": 1, "unsupported": 6}
_FINAL = ("ok", "refused", "too_long", "bad_request")
_NOT_RUN = {"batch_expired", "batch_cancelled"}


def dialect_text(dialect: Dialect) -> str:
    """How a model was asked, as the register keeps it."""
    return json.dumps(asdict(dialect))


def dialect_of(text: str) -> Dialect:
    """The dialect that `dialect_text` made a text of."""
    return Dialect(**json.loads(text))


def write_lines(
    file: BinaryIO, rounds: Mapping[str, Round], client: ModelClient, dialect: Dialect, most_bytes: int
) -> list[str]:
    """Write a line for each round while there is room. Keys of those for whose line there was none, from the first on.

    A line that alone is too large is written: the provider's refusal of it is the one that can be told.
    """
    keys = list(rounds)
    for place, key in enumerate(keys):
        messages, cap = _asked(rounds[key])
        line = client.line(rounds[key].request, messages, cap, dialect)
        if file.tell() and file.tell() + len(line) > most_bytes:
            return keys[place:]
        file.write(line)
    return []


def lines_of(content: bytes) -> Iterator[Mapping[str, Any]]:
    """Lines of an output or error file, in any order. What is no line about a request is passed over: that request then
    counts as missing."""
    for raw in content.splitlines():
        try:
            line = json.loads(raw)
        except (ValueError, RecursionError):
            continue
        if isinstance(line, dict) and isinstance(line.get("custom_id"), str):
            yield line


class LineJudge:
    """Judges lines of one batch. ``ended_at``: seconds since the epoch.

    Each call recorded for a line starts when the batch was submitted and takes until it ended: the time its answer
    took. ``stop``: why no further request could succeed, if a line said so. ``unsupported``: the first parameter
    that the model turned out not to know.
    """

    def __init__(self, batch: Batch, client: ModelClient, prices: Prices, max_attempts: int, ended_at: float):
        self._batch, self._client, self._prices, self._max_attempts = batch, client, prices, max_attempts
        self._started_at = batch.submitted_at if batch.submitted_at is not None else batch.formed_at
        self._latency_ms = round(max(0.0, ended_at - self._started_at) * 1000, 3)
        self.stop: CallFailed | None = None
        self.unsupported: CallFailed | None = None

    def line(self, line: Mapping[str, Any], task: Round) -> LineOutcome:
        """What a line of either file comes to."""
        told = line.get("error")
        if isinstance(told, dict) and told.get("code") in _NOT_RUN and not line.get("response"):
            return self.not_run(task, str(told["code"]).removeprefix("batch_"))
        try:
            reply = self._client.answer_of_line(line)
        except CallFailed as failed:
            return self._failed(failed, task)
        request = task.request
        usage = reply.usage or Usage(estimate_tokens(request), len(reply.text) // 3)
        model = reply.model or request.model
        if reply.refusal or reply.finish == "content_filter":
            return self._outcome(
                task, "refused", usage, 200, model=model, error=reply.refusal or "the provider's content filter"
            )
        try:
            text = answer_schema(request.schema_hash, request.schema).check(reply.text)
        except InvalidAnswer as wrong:
            if reply.finish == "length":
                said = f"the answer did not end within {_asked(task)[1]} tokens"
                return self._outcome(task, "truncated", usage, 200, model=model, error=said)
            answer = reply.text[:_LONGEST_ANSWER]
            return self._outcome(task, "invalid", usage, 200, model=model, error=str(wrong), content=answer)
        return self._outcome(task, "ok", usage, 200, model=model, content=text)

    def not_run(self, task: Round, why: str) -> LineOutcome:
        """A request that the batch did not come to: it costs nothing."""
        return self._outcome(task, why, Usage(), None, error=f"the batch ended before this request: {why}")

    def missing(self, task: Round) -> LineOutcome:
        """A request in neither file: it may have been answered and billed, so it counts at its worst."""
        worst = Usage(estimate_tokens(task.request), _asked(task)[1])
        cost = self._prices.worst_cost(self._batch.model, worst, batch=True)
        return self._outcome(task, "missing", Usage(), None, error="in neither file of the batch", cost=cost)

    def rejected(self, task: Round, message: str) -> LineOutcome:
        """A request that the provider rejected before running the batch. Nothing was called."""
        return LineOutcome(task.request.key, "bad_request", "", error=message, model=task.request.model)

    def _failed(self, failed: CallFailed, task: Round) -> LineOutcome:
        usage = failed.usage
        if usage == Usage() and failed.may_be_billed:
            usage = Usage(estimate_tokens(task.request), _asked(task)[1])
        outcome: str = failed.kind
        if failed.stops_run:
            self.stop = self.stop or failed
        elif outcome == "unsupported":
            asked = self._batch.dialect and dialect_of(self._batch.dialect)
            if asked and asked.without(failed.parameter) is not None:
                self.unsupported = self.unsupported or failed
            else:
                outcome = "bad_request"  # there is no other way to put it
        elif outcome == "bad_request" and task.before["truncated"] and "tokens" in failed.message:
            outcome = "truncated"  # no higher cap is accepted
        return self._outcome(task, outcome, usage, failed.http_status, error=failed.message, stops=failed.stops_run)

    def _outcome(
        self,
        task: Round,
        outcome: str,
        usage: Usage,
        status: int | None,
        *,
        model: str = "",
        error: str = "",
        content: str = "",
        cost: float | None = None,
        stops: bool = False,
    ) -> LineOutcome:
        request = task.request
        if cost is None:
            known = usage != Usage()
            cost = self._prices.cost(self._batch.model, usage, self._started_at, batch=True) if known else 0.0
        call = CallRecord(
            task_key=request.key,
            attempt=0,  # the register counts
            started_at=self._started_at,
            latency_ms=self._latency_ms,
            outcome=outcome,
            model=model or request.model,
            usage=usage,
            cost_usd=cost,
            http_status=status,
            error=error[:300],
        )
        kind = None if stops else settled_as(outcome, task.before, self._max_attempts)
        if kind == "exhausted":
            error = f"{sum(task.before.values()) + 1} batches, at last {outcome}: {error}"
        counted = "" if stops else outcome
        kept = content if kind in (None, "ok") else ""
        return LineOutcome(request.key, kind, counted, kept, error, model or request.model, call)


def settled_as(outcome: str, before: Counter[str], max_attempts: int) -> OutcomeKind | None:
    """How a line's outcome settles its task, after rounds that came to ``before``; None: another round.

    A bad answer gets one further round. What is nobody's fault (a server's error, a batch that expired, a missing line)
    gets as many as a call has attempts.
    """
    if outcome in _FINAL:
        return outcome
    if outcome in _FURTHER_ROUNDS:
        if before[outcome] < _FURTHER_ROUNDS[outcome]:
            return None
        return "bad_request" if outcome == "unsupported" else outcome
    in_vain = sum(count for name, count in before.items() if name not in _FURTHER_ROUNDS)
    return None if in_vain + 1 < max_attempts else "exhausted"


def _asked(task: Round) -> tuple[Sequence[tuple[str, str]], int]:
    """Messages and cap of this round: a bad answer is sent back with what is wrong, a cut-off one has more room."""
    request = task.request
    cap = request.max_output_tokens * (CAP_FACTOR if task.before["truncated"] else 1)
    if not task.before["invalid"]:
        return request.messages, cap
    said = (("assistant", task.answer),) if task.answer.strip() else ()
    demand = f"That is not valid:\n{task.error}\nAnswer again, with the whole corrected JSON object and nothing else."
    return (*request.messages, *said, ("user", demand)), cap
