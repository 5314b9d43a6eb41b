"""Waits, 429s and the limiter while a request is settled: obeyed, and no reason to give a request up."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from dataset_project.llm.calling import Patience, settle_request
from dataset_project.llm.client import ModelClient
from dataset_project.llm.limiter import Limiter
from dataset_project.llm.prices import Prices
from dataset_project_tests.llm.server import loopback_server
from dataset_project_tests.llm.server_calls import KEY, QUICK, OpenLimiter, request, settings, settle


@pytest.fixture(scope="module")
def shared():
    with loopback_server() as server:
        yield server


@pytest.fixture
def server(shared, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    shared.reset()
    return shared


STYLES = ["seconds", "ms", "gemini", "message", "reset"]


@pytest.mark.parametrize("style", STYLES)
def test_the_wait_a_429_asks_for_reaches_the_limiter_and_is_kept(server, style):
    server.control(faults=[{"kind": "rate_limited", "retry_after": 0.25, "style": style}])
    settled = settle(settings(server.url))
    assert settled.outcomes == ["rate_limited", "ok"]
    assert settled.limiter.said("throttled") == [(pytest.approx(0.25),)]
    first, second = [row["at"] for row in server.journal()]
    assert second - first >= 0.25


def test_a_wait_given_as_a_date_is_kept(server):
    server.control(faults=[{"kind": "rate_limited", "retry_after": 0.1, "style": "date"}])
    settled = settle(settings(server.url))
    ((wait,),) = settled.limiter.said("throttled")
    assert wait in (1.0, 2.0)
    first, second = [row["at"] for row in server.journal()]
    assert second >= datetime.fromtimestamp(int(first + 0.1) + 1, UTC).timestamp()


def test_a_wait_of_many_minutes_is_waited_for_and_costs_one_attempt(server, monkeypatch):
    slept = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    # The module's own, not everybody's: other servers may run in this process.
    own = SimpleNamespace(sleep=sleep, CancelledError=asyncio.CancelledError)
    monkeypatch.setattr("dataset_project.llm.calling.asyncio", own)
    server.control(faults=[{"kind": "rate_limited", "retry_after": 3600, "count": 2}])
    settled = settle(settings(server.url), patience=Patience())
    assert settled.outcomes == ["rate_limited", "rate_limited", "ok"]
    assert slept == [3600, 3600] and settled.limiter.said("throttled") == [(3600,), (3600,)]


def test_a_storm_of_429s_exhausts_nothing_while_others_succeed(server):
    # Every request meets five 429s, more than its attempts, but none of them alone.
    server.control(
        faults=[{"kind": "rate_limited", "match": f"NCT9000000{n}", "count": 5} for n in range(3)], latency_s=0.01
    )
    trials = [request(f"NCT9000000{n}") for n in range(3)] + [request(f"NCT9100{n:04}") for n in range(60)]
    patience = Patience(first_s=0.005, most_s=0.02, throttled_s=5.0)
    settled = settle(settings(server.url), *trials, patience=patience)
    assert {each.kind for each in settled.settlements} == {"ok"}
    assert settled.outcomes.count("rate_limited") == 15


def test_a_request_that_is_never_admitted_ends(server):
    server.control(faults=[{"kind": "rate_limited", "match": "NCT90000001", "count": None}], latency_s=0.002)
    trials = [request("NCT90000001"), *(request(f"NCT9100{n:04}") for n in range(30))]
    settled = settle(settings(server.url, max_attempts=2), *trials, patience=QUICK)
    assert [each.kind for each in settled.settlements] == ["exhausted"] + ["ok"] * 30
    assert 2 <= settled.outcomes.count("rate_limited") <= 10


def test_announced_limits_reach_the_limiter(server):
    server.control(requests_per_minute=700, tokens_per_minute=90_000)
    assert settle(settings(server.url)).limiter.said("observed") == [(700, 90_000)]


def test_a_real_quota_is_used_under_the_real_limiter_without_a_429(server, tmp_path):
    server.control(requests_per_minute=6000, window_s=1.0)
    given = settings(server.url, requests_per_minute=6000, tokens_per_minute=None)
    calls = []

    async def run():
        client = ModelClient(given)
        limiter = Limiter(tmp_path, 6000, None)
        trials = [request(f"NCT9400{n:04}") for n in range(150)]
        tasks = [settle_request(each, client, limiter, Prices(given), given, calls.append) for each in trials]
        settled = await asyncio.gather(*tasks)
        await client.close()
        return {each.kind for each in settled}

    began = time.monotonic()
    assert asyncio.run(run()) == {"ok"}
    assert [call.outcome for call in calls] == ["ok"] * 150
    assert time.monotonic() - began < 20


class _Interrupted(Exception):
    """The run is ending: nothing is sent."""


class _Cut:
    """A client whose call is never sent, or cut off on the wire."""

    def __init__(self, error: BaseException):
        self._error = error

    async def complete(self, *arguments):
        raise self._error


def _cut(error):
    given, calls, limiter = settings("http://127.0.0.1:9/v1"), [], OpenLimiter()
    with pytest.raises(type(error)):
        asyncio.run(settle_request(request(), _Cut(error), limiter, Prices(given), given, calls.append))
    return calls, [each[0] for each in limiter.told]


def test_a_call_that_is_not_sent_gives_its_slot_back():
    assert _cut(_Interrupted()) == ([], ["acquire", "cancel"])


def test_a_call_cut_off_on_the_wire_keeps_its_slot_and_is_its_cutters_to_record():
    assert _cut(asyncio.CancelledError()) == ([], ["acquire"])


def test_waits_grow_and_are_drawn_anew():
    patience = Patience(first_s=1.0, most_s=60.0)
    drawn = {failures: [patience.pause(failures) for _ in range(200)] for failures in (1, 4, 50)}
    for failures, most in ((1, 1.0), (4, 8.0), (50, 60.0)):
        assert 0 <= min(drawn[failures]) < most / 4 and most * 3 / 4 < max(drawn[failures]) <= most
