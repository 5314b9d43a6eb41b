"""What the tests of the client share: requests, settings for a loopback server, and one settled request with all that
was said about it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from dataset_project.llm.calling import Patience, settle_request
from dataset_project.llm.client import ModelClient
from dataset_project.llm.configuration import LlmSettings
from dataset_project.llm.prices import Prices
from dataset_project.llm.requests import CallRecord, ModelRequest, Settlement

KEY = "sk-test-ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
QUICK = Patience(first_s=0.002, most_s=0.01, throttled_s=0.0)
SCHEMA = {
    "type": "object",
    "properties": {
        "area": {"type": "string", "enum": ["neoplasms", "circulatory", "other"]},
        "healthy": {"type": "boolean"},
        "confidence": {"type": "integer", "minimum": 0, "maximum": 100},
        "notes": {"type": "string"},
    },
    "required": ["area", "healthy", "confidence", "notes"],
    "additionalProperties": False,
}
GOOD = '{"area":"other","healthy":false,"confidence":90,"notes":""}'


def request(item: str = "NCT90000001", **changes: Any) -> ModelRequest:
    messages = (("system", "Categorise the trial."), ("user", f"Trial {item}: adults with angina."))
    return ModelRequest(**{"item": item, "model": "model", "messages": messages, **_SHAPE, **changes})


_SHAPE = {"schema_name": "facts", "schema": SCHEMA, "max_output_tokens": 200}


def settings(url: str, **changes: Any) -> LlmSettings:
    prices = {"input_usd_per_million": 1.0, "output_usd_per_million": 2.0}
    return LlmSettings(
        **{"base_url": url, "max_in_flight": 32, "timeout_s": 10, "max_attempts": 3, **prices, **changes}
    )


@dataclass
class OpenLimiter:
    """Lets everything through at once, and remembers what it was told."""

    told: list[tuple[Any, ...]] = field(default_factory=list)
    open: int = 0

    async def acquire(self, tokens: int) -> int:
        self.told.append(("acquire", tokens))
        self.open += 1
        return self.open

    def reconcile(self, reservation: int, used_tokens: int) -> None:
        self.told.append(("reconcile", used_tokens))

    def cancel(self, reservation: int) -> None:
        self.told.append(("cancel",))

    def succeeded(self) -> None:
        self.told.append(("succeeded",))

    def throttled(self, retry_after_s: float | None, reservation: int | None = None) -> None:
        self.told.append(("throttled", retry_after_s))

    def observed(self, requests_limit: int | None, tokens_limit: int | None) -> None:
        self.told.append(("observed", requests_limit, tokens_limit))

    def said(self, what: str) -> list[tuple[Any, ...]]:
        return [each[1:] for each in self.told if each[0] == what]


@dataclass
class Settled:
    """Everything about settled requests: how each ended, all calls, and what the limiter heard."""

    settlements: list[Settlement]
    calls: list[CallRecord]
    limiter: OpenLimiter

    @property
    def kind(self) -> str:
        return self.settlements[0].kind

    @property
    def outcomes(self) -> list[str]:
        return [call.outcome for call in self.calls]


def settle(
    given: LlmSettings, *requests: ModelRequest, patience: Patience = QUICK, calls: list[CallRecord] | None = None
) -> Settled:
    """Settle ``requests`` (one by default) at once, with one client. Raises what `settle_request` raises."""
    heard: list[CallRecord] = [] if calls is None else calls
    limiter = OpenLimiter()

    async def run() -> Sequence[Settlement]:
        client = ModelClient(given)
        try:
            return await asyncio.gather(
                *(
                    settle_request(each, client, limiter, Prices(given), given, heard.append, patience=patience)
                    for each in requests or (request(),)
                )
            )
        finally:
            await client.close()

    return Settled(list(asyncio.run(run())), heard, limiter)
