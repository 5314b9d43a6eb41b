"""The client judged by llmock: another's server, with real quotas and a verdict on how retries behave."""

from __future__ import annotations

import pytest

from dataset_project.llm.calling import Patience
from dataset_project.llm.requests import RunStopped
from dataset_project_tests.llm.server_calls import request, settings, settle

PATIENCE = Patience(first_s=0.2, most_s=1.0, throttled_s=0.0)


def _settings(llmock, **changes):
    return settings(llmock.base_url("openai"), max_attempts=5, **changes)


def test_answers_satisfy_the_schema(llmock):
    settled = settle(_settings(llmock), request(model="gpt-4o-mini"), patience=PATIENCE)
    assert settled.kind == "ok"
    assert settled.calls[0].usage.input_tokens > 0
    llmock.assert_resilient(strict=True)


def test_retry_after_is_obeyed(llmock):
    llmock.rate_limit(times=2, retry_after=0.5)
    assert settle(_settings(llmock), patience=PATIENCE).outcomes == ["rate_limited", "rate_limited", "ok"]
    llmock.assert_resilient()


def test_an_outage_is_neither_hammered_nor_given_up_too_early(llmock):
    llmock.fail(502, times=2).fail(500, times=1)
    assert settle(_settings(llmock), patience=PATIENCE).outcomes == ["server_error"] * 3 + ["ok"]
    llmock.assert_resilient()


def test_errors_that_no_retry_can_mend_are_not_retried(llmock):
    llmock.fail(400, times=None, message="messages is malformed")
    assert settle(_settings(llmock), patience=PATIENCE).kind == "bad_request"
    llmock.reset().context_overflow()
    assert settle(_settings(llmock), patience=PATIENCE).kind == "too_long"
    llmock.reset().fail(429, times=None, code="insufficient_quota", message="You exceeded your current quota")
    with pytest.raises(RunStopped, match="nothing left to pay"):
        settle(_settings(llmock), patience=PATIENCE)
    llmock.reset().fail(401, times=None)
    with pytest.raises(RunStopped, match="does not accept the key"):
        settle(_settings(llmock), patience=PATIENCE)
    assert len(llmock.requests) == 1
    llmock.assert_resilient()


def test_a_real_quota_is_waited_for(llmock):
    llmock.limits(rpm=240)
    trials = [request(f"NCT9600{n:04}") for n in range(8)]
    settled = settle(_settings(llmock), *trials, patience=PATIENCE)
    assert {each.kind for each in settled.settlements} == {"ok"}
    assert (240, None) in settled.limiter.said("observed")
    llmock.assert_resilient()
