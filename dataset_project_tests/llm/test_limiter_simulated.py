"""The limiter against a provider simulated in virtual time: how much of a quota is used, and how many 429s it costs.

The limiter, its file and its waiting are the real ones; only the clock is not. "Processes" are limiters with a file
descriptor each: who gets a slot differs with their number, when slots are does not, so neither do most figures (real
processes are in `test_limiter`). Run as a script, this prints the figures of every scenario.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from dataset_project.llm.limiter import Limiter


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time jumps to the next timer instead of passing."""

    now = 1_000_000.0

    def time(self) -> float:
        return self.now

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:
            self.now = max(self.now, self._scheduled[0]._when)
        super()._run_once()


def in_virtual_time(coroutine):
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(coroutine)


@dataclass
class Bucket:
    """A provider's quota of ``per_minute``, with room for ``window_s`` of it; refilled all the time, or per window."""

    per_minute: float
    window_s: float
    is_window: bool
    left: float = field(init=False)
    at: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self.left = self.room

    @property
    def room(self) -> float:
        return max(1.0, self.per_minute * self.window_s / 60)

    def change(self, per_minute: float) -> None:
        share = self.left / self.room
        self.per_minute = per_minute
        self.left = share * self.room

    def wait_for(self, amount: float, now: float) -> float:
        if self.is_window:
            begun = now // self.window_s * self.window_s
            if begun > self.at:
                self.left, self.at = self.room, begun
            return 0.0 if self.left >= amount else begun + self.window_s - now
        self.left = min(self.room, self.left + (now - self.at) * self.per_minute / 60)
        self.at = now
        return max(0.0, (amount - self.left) * 60 / self.per_minute)


@dataclass
class Scenario:
    """What is simulated. ``changes``: (second, requests quota) of the provider, which the limiter is not told.

    ``estimate``: tokens reserved per request, of which ``real`` are used, and charged by the provider.
    """

    requests: float | None = 3000
    tokens: float | None = None
    processes: int = 1
    workers: int = 100
    seconds: float = 60.0
    window_s: float = 1.0
    is_window: bool = False
    headers: bool = True
    retry_after: bool = True
    latency_s: tuple[float, float] = (0.2, 0.6)
    estimate: int = 100
    real: int = 100
    changes: tuple[tuple[float, float], ...] = ()
    unlucky_s: float | None = None
    tells_which: bool = True
    seed: int = 1


@dataclass
class Outcome:
    accepted: list[float] = field(default_factory=list)
    used_tokens: int = 0
    refused: list[float] = field(default_factory=list)
    too_soon: int = 0
    incidents: int = 0
    sent_by: dict[int, int] = field(default_factory=dict)

    def rate(self, begin: float, end: float) -> float:
        """Accepted requests per minute between two seconds."""
        return sum(begin <= at < end for at in self.accepted) * 60 / (end - begin)

    @property
    def share_refused(self) -> float:
        return len(self.refused) / (len(self.accepted) + len(self.refused))


def simulate(scenario: Scenario) -> Outcome:
    with tempfile.TemporaryDirectory() as directory:
        return in_virtual_time(_simulate(scenario, Path(directory)))


async def _simulate(scenario: Scenario, directory: Path) -> Outcome:
    loop, drawn, outcome = asyncio.get_running_loop(), random.Random(scenario.seed), Outcome()
    begin = loop.time()
    quotas = {
        name: Bucket(per_minute, scenario.window_s, scenario.is_window)
        for name, per_minute in (("requests", scenario.requests), ("tokens", scenario.tokens))
        if per_minute is not None
    }
    bad_luck = [scenario.unlucky_s] if scenario.unlucky_s is not None else []
    closed_until = 0.0

    async def call(limiter: Limiter) -> None:
        nonlocal closed_until
        reservation = await limiter.acquire(scenario.estimate)
        outcome.sent_by[id(limiter)] = outcome.sent_by.get(id(limiter), 0) + 1
        if loop.time() < closed_until - 1e-6:
            outcome.too_soon += 1
        await asyncio.sleep(drawn.uniform(0.0, 0.05))
        now = loop.time()
        amounts = {"requests": 1, "tokens": scenario.real}
        wait = max((quota.wait_for(amounts[name], now) for name, quota in quotas.items()), default=0.0)
        if bad_luck and now - begin > bad_luck[0]:
            wait = 0.5 + 0 * bad_luck.pop()
        if wait > 0:
            outcome.refused.append(now - begin)
            await asyncio.sleep(0.02)
            told = wait if scenario.retry_after else None
            limiter.reconcile(reservation, 0)
            limiter.throttled(told, reservation if scenario.tells_which else None)
            closed_until = max(closed_until, loop.time() + (told or 0.0))
        else:
            for name, quota in quotas.items():
                quota.left -= amounts[name]
            outcome.accepted.append(now - begin)
            outcome.used_tokens += scenario.real
            await asyncio.sleep(drawn.uniform(*scenario.latency_s))
            limiter.reconcile(reservation, scenario.real)
            limiter.succeeded()
        if scenario.headers:
            limits = [quotas[name].per_minute if name in quotas else None for name in ("requests", "tokens")]
            limiter.observed(*limits)

    async def work(limiter: Limiter) -> None:
        while loop.time() - begin < scenario.seconds:
            await call(limiter)

    limiters = [Limiter(directory, scenario.requests, scenario.tokens, loop.time) for _ in range(scenario.processes)]
    tasks = [asyncio.create_task(work(limiter)) for limiter in limiters for _ in range(scenario.workers)]
    for second, per_minute in scenario.changes:
        await asyncio.sleep(begin + second - loop.time())
        quotas["requests"].change(per_minute)
    await asyncio.sleep(begin + scenario.seconds - loop.time())
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    outcome.incidents = limiters[0].state().incidents
    return outcome


FIXED = {
    "bucket of 1 s": Scenario(),
    "bucket of 60 s": Scenario(window_s=60),
    "window of 60 s": Scenario(window_s=60, is_window=True),
    "no headers": Scenario(headers=False),
    "slow answers": Scenario(requests=500, latency_s=(5, 15), seconds=120, workers=128),
    "6 a minute": Scenario(requests=6, window_s=60, seconds=600, workers=8),
    "tokens bind": Scenario(requests=9000, tokens=200_000, workers=150),
}
"""Quotas that stay as they are."""

GIVEN_BACK = {
    "all used": Scenario(requests=None, tokens=60_000),
    "two thirds used": Scenario(requests=None, tokens=60_000, estimate=150, real=100),
    "both limits": Scenario(requests=9000, tokens=60_000, estimate=150, real=100),
}
"""Quotas of tokens, with estimates that are too high."""

CHANGED = {
    "headers": Scenario(changes=((30, 1500),), seconds=90),
    "headers, 500 a minute": Scenario(requests=500, changes=((30, 250),), seconds=90),
    "no headers": Scenario(headers=False, changes=((30, 1500),), seconds=90),
    "no headers, 500 a minute": Scenario(requests=500, headers=False, changes=((30, 250),), seconds=90),
    "no headers, slow answers": Scenario(
        requests=500, headers=False, changes=((30, 250),), seconds=90, latency_s=(5, 15), workers=128
    ),
    "no headers, no Retry-After": Scenario(headers=False, retry_after=False, changes=((30, 1500),), seconds=90),
    "no headers, sending unknown": Scenario(headers=False, tells_which=False, changes=((30, 1500),), seconds=90),
}
"""Quotas that are halved after 30 seconds."""


@pytest.mark.parametrize("processes", [1, pytest.param(2, marks=pytest.mark.slow), 4])
@pytest.mark.parametrize("name", FIXED)
def test_a_fixed_quota_is_used_without_a_single_429(name, processes):
    scenario = replace(FIXED[name], processes=processes)
    outcome = simulate(scenario)
    assert outcome.refused == []
    assert len(outcome.sent_by) == processes
    if sum(outcome.sent_by.values()) > 500:  # processes race for slots: a few dozen are shared by chance
        assert min(outcome.sent_by.values()) >= 0.5 * max(outcome.sent_by.values()), "one process starves the others"
    share = outcome.rate(0, scenario.seconds) / scenario.requests
    if scenario.tokens:
        share = outcome.used_tokens / scenario.tokens / (scenario.seconds / 60)
    assert share >= 0.95


@pytest.mark.parametrize("name", GIVEN_BACK)
def test_tokens_that_were_not_used_are_used_by_others(name):
    scenario = GIVEN_BACK[name]
    outcome = simulate(scenario)
    assert outcome.refused == []
    assert outcome.rate(15, scenario.seconds) * scenario.real >= 0.95 * scenario.tokens


@pytest.mark.parametrize("name", CHANGED)
def test_a_halved_quota_costs_few_429s_and_is_used_again_within_ten_seconds(name):
    scenario = replace(CHANGED[name], processes=2)
    outcome = simulate(scenario)
    assert outcome.share_refused <= 0.02
    assert outcome.too_soon == 0
    assert outcome.rate(40, 50) >= 0.9 * scenario.changes[0][1]
    assert outcome.rate(40, 90) >= 0.9 * scenario.changes[0][1]
    assert outcome.rate(0, 30) >= 0.95 * scenario.requests
    if scenario.headers:
        assert outcome.incidents == 0, "the header said it before any 429 did"


def test_a_quota_that_is_restored_is_used_again_as_soon_as_the_header_says_so():
    outcome = simulate(Scenario(changes=((20, 1500), (40, 3000)), seconds=60))
    assert outcome.refused == []
    assert outcome.rate(30, 40) == pytest.approx(1500, rel=0.05)
    assert outcome.rate(45, 60) >= 0.95 * 3000


def test_a_quota_that_is_restored_without_a_word_is_found_within_two_minutes():
    outcome = simulate(Scenario(headers=False, changes=((20, 1500), (40, 3000)), seconds=170, workers=60))
    assert outcome.share_refused <= 0.02
    assert outcome.rate(150, 170) >= 0.9 * 3000


@pytest.mark.parametrize("headers", [True, False])
def test_one_unlucky_429_costs_a_few_seconds(headers):
    outcome = simulate(Scenario(headers=headers, unlucky_s=30.0))
    assert len(outcome.refused) == 1
    assert outcome.rate(35, 60) >= 0.9 * 3000
    assert outcome.too_soon == 0


if __name__ == "__main__":
    for title, scenarios in (("fixed", FIXED), ("given back", GIVEN_BACK), ("halved after 30 s", CHANGED)):
        for name, scenario in scenarios.items():
            for processes in (1, 2, 4):
                outcome = simulate(replace(scenario, processes=processes))
                quota = (scenario.requests, scenario.tokens and scenario.tokens / scenario.real)
                quota = min(each for each in quota if each is not None)
                if scenario.changes:
                    quota = scenario.changes[-1][1]
                begin = 40 if scenario.changes else 0
                print(
                    f"{title}: {name}, {processes} processes: 429s {len(outcome.refused)}"
                    f" ({outcome.share_refused:.2%}), {outcome.rate(begin, begin + 10) / quota:.1%} of the quota in"
                    f" seconds {begin}-{begin + 10}, {outcome.rate(begin, scenario.seconds) / quota:.1%} till the end"
                )
