"""What is asked of a model and what comes back: plain values that every module of the runtime shares.

A request's key is its identity: equal requests are one task, asked and paid once, whoever asks and however often.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

OutcomeKind = Literal[
    "ok",
    "refused",  # the model declined, or the provider's content filter did
    "invalid",  # no JSON, or JSON against the schema, after every repair
    "truncated",  # the answer did not end within the raised cap either
    "too_long",  # the request does not fit the model's context
    "bad_request",  # the provider rejects the request itself (HTTP 400, 422)
    "exhausted",  # the transport's retries are used up: timeouts, resets, 5xx, 429
]
"""How one request ended. All but ``ok`` are failures of this request alone: the others go on."""

StopKind = Literal["invalid_key", "unknown_model", "quota_exhausted", "unreachable", "budget", "cancelled"]
"""Why a run stops: no further request could succeed, none may be paid for, or somebody cancelled it (a batch)."""


class RunStopped(Exception):
    """No further request can be sent; what is settled stays. ``kind`` is a StopKind, the message says what to do."""

    def __init__(self, kind: StopKind, message: str):
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class ModelRequest:
    """One structured request: messages, and the JSON schema its answer must satisfy.

    ``item``: what the request is about (a trial, a document), which the ledger accounts for. ``messages``: (role,
    content) pairs. ``schema``: a strict JSON schema (every property required, ``additionalProperties`` false).
    ``sample`` tells repeated votes on the same question apart. ``max_output_tokens`` caps the answer; the cap is raised
    once when an answer is cut off by it. ``reasoning_effort``: of models that reason, as the provider names it.
    """

    item: str
    model: str
    messages: tuple[tuple[str, str], ...]
    schema_name: str
    schema: Mapping[str, Any]
    max_output_tokens: int = 1024
    temperature: float | None = None
    reasoning_effort: str | None = None
    sample: int = 0

    @cached_property
    def prompt_hash(self) -> str:
        """SHA-256 of the messages and what else steers the answer; first 32 hexadecimal digits."""
        return _hash([self.messages, self.temperature, self.reasoning_effort, self.sample])

    @cached_property
    def schema_hash(self) -> str:
        """SHA-256 of the schema; first 32 hexadecimal digits."""
        return _hash([self.schema_name, self.schema])

    @cached_property
    def key(self) -> str:
        """Identity of the task: item, prompt, schema and model; 32 hexadecimal digits."""
        return _hash([self.item, self.prompt_hash, self.schema_hash, self.model])


@dataclass(frozen=True)
class Usage:
    """Tokens of one call, as the provider counted them. ``cached_tokens`` are part of ``input_tokens``."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0


@dataclass(frozen=True)
class CallRecord:
    """One HTTP call, whatever it came to: a row of the calls table. ``outcome``: ``ok`` or what went wrong with it.

    ``started_at``: seconds since the epoch. ``model``: as the provider named it, else as asked.
    """

    task_key: str
    attempt: int
    started_at: float
    latency_ms: float
    outcome: str
    model: str
    usage: Usage = Usage()
    cost_usd: float = 0.0
    http_status: int | None = None
    error: str = ""


@dataclass(frozen=True)
class Settlement:
    """How a task ended. ``content``: the answer's JSON text, valid against the schema, when ``kind`` is ``ok``."""

    task_key: str
    kind: OutcomeKind
    content: str = ""
    error: str = ""
    model: str = ""


@dataclass(frozen=True)
class Answer:
    """A settled task as people who asked see it. ``cost_usd`` and ``attempts`` cover all its calls."""

    request_key: str
    kind: OutcomeKind
    content: str
    error: str
    model: str
    cost_usd: float
    attempts: int

    @property
    def value(self) -> Any:
        """The answer's JSON. Raises ValueError for an answer that is not ``ok``."""
        if self.kind != "ok":
            raise ValueError(f"no answer: {self.kind} ({self.error})")
        return json.loads(self.content)


def _hash(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
