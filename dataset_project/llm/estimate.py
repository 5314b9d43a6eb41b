"""The dry run: what a set of requests will cost and how long it will take, without sending any of them.

Asked before a run; what a run did cost is in the ledger.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from dataset_project.llm.configuration import LlmSettings
from dataset_project.llm.prices import Prices
from dataset_project.llm.requests import ModelRequest, Usage
from dataset_project.llm.tokens import estimate_tokens

Limit = Literal["requests", "tokens", "in flight", "latency", "batch", "budget", "nothing"]
"""What a run waits for: the limit on requests or tokens per minute, the cap on requests in flight, the one slowest
answer (few requests), the provider's time for a batch, its budget; nothing to send."""

_MINUTE_S = 60.0
# What providers allow themselves for a batch; most are answered sooner.
_BATCH_MINUTES = 24 * 60.0
_NAMES = {
    "requests": "the limit on requests per minute",
    "tokens": "the limit on tokens per minute",
    "in flight": "the cap on requests in flight",
    "latency": "the answers themselves",
    "batch": "the Batch API, at most: it is often sooner",
}


@dataclass(frozen=True)
class Estimate:
    """What a run is expected to take.

    ``cost_usd``: with the expected answers, nothing cached by the provider. ``worst_cost_usd``: every answer fills its
    cap, at the dearest hour. Calls repeated after a fault come on top of both; the budget covers them too.
    ``minutes``: of all requests, as if the budget allowed them; ``minutes_by``: what each limit alone would take.
    ``binds``: what holds the run up, ``budget`` when the expected cost exceeds what is left of it.
    ``repeated``: requests that equal an earlier one, and are neither sent nor paid again.
    """

    requests: int
    input_tokens: int
    output_tokens: int
    cost_usd: float
    worst_cost_usd: float
    minutes: float
    binds: Limit
    minutes_by: dict[str, float] = field(default_factory=dict)
    repeated: int = 0
    budget_left_usd: float = math.inf
    prices: dict[str, str] = field(default_factory=dict)

    @property
    def shortfall_usd(self) -> float:
        """By how much the expected cost exceeds what is left of the budget; 0 when it does not."""
        return max(0.0, round(self.cost_usd - self.budget_left_usd, 10))

    def lines(self) -> list[tuple[str, str]]:
        """(label, text) pairs for people."""
        again = f" ({self.repeated:,} more are repeats, asked once)" if self.repeated else ""
        found = [
            ("requests", f"{self.requests:,}{again}"),
            ("input tokens", f"{self.input_tokens:,}"),
            ("output tokens", f"{self.output_tokens:,} expected"),
            ("cost", f"{_usd(self.cost_usd)} expected, {_usd(self.worst_cost_usd)} at most without repeated calls"),
        ]
        found += [(f"price of {model}", source) for model, source in sorted(self.prices.items())]
        if math.isfinite(self.budget_left_usd):
            found.append(("budget", self._budget()))
        found.append(("time", self._time()))
        return found

    def _budget(self) -> str:
        left = _usd(self.budget_left_usd)
        if self.shortfall_usd:
            lasts_for = round(self.requests * self.budget_left_usd / self.cost_usd)
            return (
                f"{left} left: {_usd(self.shortfall_usd)} short; it lasts for about {lasts_for:,} of {self.requests:,} "
                "requests, raise DATASET_LLM__BUDGET_USD to ask them all"
            )
        if self.worst_cost_usd > self.budget_left_usd:
            return f"{left} left: enough for the expected cost, not for the worst"
        return f"{left} left: enough"

    def _time(self) -> str:
        if not self.minutes_by:
            return "nothing to send"
        slowest = max(self.minutes_by, key=self.minutes_by.__getitem__)
        others = ", ".join(
            f"{name} {_minutes(minutes)}" for name, minutes in self.minutes_by.items() if name != slowest
        )
        return f"about {_minutes(self.minutes)}, set by {_NAMES[slowest]}" + (f" ({others})" if others else "")


def estimate(
    requests: Iterable[ModelRequest],
    settings: LlmSettings,
    expected_output_tokens: int,
    latency_s: float = 5.0,
    *,
    processes: int = 1,
    spent_usd: float = 0.0,
    prices: Prices | None = None,
) -> Estimate:
    """The dry run of ``requests``; equal ones count once. Sends nothing.

    ``expected_output_tokens``: of a typical answer, reasoning included (no answer is taken to exceed its cap).
    ``latency_s``: of a typical call. ``processes``: how many work at it. ``spent_usd``: what the ledger has spent and
    reserved of the budget. Raises ValueError for a model without a price (see `Prices`) and for figures below 0.
    """
    for name, value in (("expected_output_tokens", expected_output_tokens), ("spent_usd", spent_usd)):
        if value < 0:
            raise ValueError(f"{name} must not be negative, not {value}")
    if not latency_s > 0 or processes < 1:
        raise ValueError(f"latency_s must be above 0 and processes at least 1, not {latency_s} and {processes}")
    prices = prices or Prices(settings)
    keys: set[str] = set()
    models: set[str] = set()
    count = input_tokens = output_tokens = 0
    costs, worst_costs = [], []
    batch = settings.mode == "batch"
    for request in requests:
        count += 1
        if request.key in keys:
            continue
        keys.add(request.key)
        models.add(request.model)
        asked = estimate_tokens(request)
        answered = min(expected_output_tokens, request.max_output_tokens)
        input_tokens += asked
        output_tokens += answered
        costs.append(prices.cost(request.model, Usage(asked, answered), batch=batch))
        worst_costs.append(prices.worst_cost(request.model, Usage(asked, request.max_output_tokens), batch))
    minutes_by = _minutes_by(settings, len(keys), input_tokens + output_tokens, latency_s, processes)
    cost = round(math.fsum(costs), 10)
    left = max(0.0, settings.budget_usd - spent_usd)
    binds: Limit = max(minutes_by, key=minutes_by.__getitem__) if minutes_by else "nothing"
    return Estimate(
        requests=len(keys),
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cost_usd=cost,
        worst_cost_usd=round(math.fsum(worst_costs), 10),
        minutes=max(minutes_by.values(), default=0.0),
        binds="budget" if cost > left else binds,
        minutes_by=minutes_by,
        repeated=count - len(keys),
        budget_left_usd=left,
        prices={model: prices.source(model) for model in sorted(models)},
    )


def _minutes_by(
    settings: LlmSettings, requests: int, tokens: int, latency_s: float, processes: int
) -> dict[str, float]:
    """Minutes that each limit alone would take, the last answer's latency included; {} for no requests.

    Limits are rates: requests go out evenly spaced, and reservations for longer answers than came are given back.
    """
    if not requests:
        return {}
    if settings.mode == "batch":
        return {"batch": _BATCH_MINUTES}
    last = latency_s / _MINUTE_S
    found = {}
    if settings.requests_per_minute is not None:
        found["requests"] = (requests - 1) / settings.requests_per_minute + last
    if settings.tokens_per_minute is not None:
        found["tokens"] = tokens / settings.tokens_per_minute * (requests - 1) / requests + last
    rounds = math.ceil(requests / (settings.max_in_flight * processes))
    found["latency" if rounds == 1 else "in flight"] = rounds * last
    return found


def _usd(amount: float) -> str:
    return f"${amount:,.2f}" if amount >= 1 else f"${amount:.4f}" if amount else "$0"


def _minutes(minutes: float) -> str:
    if minutes < 1:
        return f"{math.ceil(minutes * 60)} s"
    if minutes < 60:
        return f"{minutes:.1f} min"
    return f"{int(minutes // 60)} h {round(minutes % 60):02d} min"
