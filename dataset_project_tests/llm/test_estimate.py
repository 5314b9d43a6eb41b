"""The dry run: its figures by hand, which limit binds, and what it says to people."""

from __future__ import annotations

import pytest

from dataset_project.llm.configuration import LlmSettings
from dataset_project.llm.estimate import estimate
from dataset_project.llm.requests import ModelRequest
from dataset_project.llm.tokens import estimate_tokens

SCHEMA = {"type": "object", "properties": {"area": {"type": "string"}}, "required": ["area"]}


def _requests(count: int, model: str = "gpt-4o-mini", cap: int = 1000) -> list[ModelRequest]:
    return [
        ModelRequest(
            f"NCT{n:08d}", model, (("system", "Categorise."), ("user", f"trial {n:06d}")), "facts", SCHEMA, cap
        )
        for n in range(count)
    ]


def _settings(**changes) -> LlmSettings:
    given = {"requests_per_minute": None, "tokens_per_minute": None, "max_in_flight": 4096, "budget_usd": 1000.0}
    return LlmSettings(**{**given, **changes})


def test_tokens_and_dollars_by_hand():
    requests = _requests(40)
    found = estimate(requests, _settings(), expected_output_tokens=150)
    input_tokens = sum(estimate_tokens(request) for request in requests)
    assert (found.requests, found.input_tokens, found.output_tokens) == (40, input_tokens, 40 * 150)
    assert found.cost_usd == pytest.approx((input_tokens * 0.15 + 40 * 150 * 0.6) / 1e6, abs=1e-9)
    assert found.worst_cost_usd == pytest.approx((input_tokens * 0.15 + 40 * 1000 * 0.6) / 1e6, abs=1e-9)


def test_no_answer_is_expected_beyond_its_cap():
    found = estimate(_requests(10, cap=100), _settings(), expected_output_tokens=5000)
    assert found.output_tokens == 1000
    assert found.cost_usd == found.worst_cost_usd


def test_equal_requests_are_asked_and_paid_once():
    once, twice = (estimate(_requests(30) * times, _settings(), 100) for times in (1, 2))
    assert (twice.requests, twice.repeated) == (30, 30)
    assert (twice.cost_usd, twice.input_tokens) == (once.cost_usd, once.input_tokens)
    assert "30 (30 more are repeats" in dict(twice.lines())["requests"]


@pytest.mark.parametrize(
    ("settings", "keywords", "binds", "minutes"),
    [
        # 600 requests at 60 a minute: the last is sent after 599/60 minutes, and answered 6 s later.
        ({"requests_per_minute": 60}, {}, "requests", 599 / 60 + 0.1),
        # In 10 slots each 6 s long: 60 rounds.
        ({"requests_per_minute": 6000, "max_in_flight": 10}, {}, "in flight", 6.0),
        ({"requests_per_minute": 6000, "max_in_flight": 10}, {"processes": 4}, "in flight", 1.5),
        ({}, {}, "latency", 0.1),
    ],
)
def test_which_limit_binds_and_for_how_long(settings, keywords, binds, minutes):
    found = estimate(_requests(600), _settings(**settings), 100, latency_s=6.0, **keywords)
    assert found.binds == binds
    assert found.minutes == pytest.approx(minutes)


def test_tokens_bind_when_requests_are_long():
    settings = _settings(tokens_per_minute=10_000, requests_per_minute=500)
    found = estimate(_requests(200), settings, 500, latency_s=3.0)
    assert found.binds == "tokens"
    tokens = found.input_tokens + found.output_tokens
    assert found.minutes == pytest.approx(tokens / 10_000 * 199 / 200 + 0.05)
    assert set(found.minutes_by) == {"requests", "tokens", "latency"}
    assert "set by the limit on tokens per minute" in dict(found.lines())["time"]


def test_a_budget_that_does_not_suffice_is_said_with_how_far_it_goes():
    whole = estimate(_requests(100), _settings(), 200)
    settings = _settings(budget_usd=whole.cost_usd, requests_per_minute=60)
    assert estimate(_requests(100), settings, 200).binds == "requests"
    short = estimate(_requests(100), settings, 200, spent_usd=whole.cost_usd * 0.75)
    assert short.binds == "budget"
    assert short.shortfall_usd == pytest.approx(whole.cost_usd * 0.75)
    assert short.minutes == estimate(_requests(100), settings, 200).minutes
    text = dict(short.lines())["budget"]
    assert "about 25 of 100 requests" in text and "DATASET_LLM__BUDGET_USD" in text
    assert "not for the worst" in dict(estimate(_requests(100), settings, 200).lines())["budget"]
    overspent = estimate(_requests(100), settings, 200, spent_usd=99)
    assert overspent.shortfall_usd == pytest.approx(whole.cost_usd)
    assert "about 0 of 100" in dict(overspent.lines())["budget"]


def test_several_models_each_at_its_price():
    mixed = estimate(_requests(20) + _requests(5, "gpt-4.1-nano"), _settings(), 100)
    apart = [estimate(_requests(20), _settings(), 100), estimate(_requests(5, "gpt-4.1-nano"), _settings(), 100)]
    assert mixed.cost_usd == pytest.approx(sum(each.cost_usd for each in apart), abs=1e-9)
    assert dict(mixed.lines())["price of gpt-4.1-nano"] == "list price of openai for gpt-4.1-nano"


def test_nothing_to_send():
    found = estimate([], _settings(requests_per_minute=60), 100)
    assert (found.requests, found.cost_usd, found.minutes, found.binds) == (0, 0.0, 0.0, "nothing")
    assert dict(found.lines())["time"] == "nothing to send"


def test_a_local_server_costs_nothing_and_only_its_slots_bind():
    settings = _settings(base_url="http://localhost:11434/v1", max_in_flight=8, budget_usd=0)
    found = estimate(_requests(80, "llama3.1:8b"), settings, 100, latency_s=2)
    assert (found.cost_usd, found.shortfall_usd, found.binds) == (0, 0, "in flight")
    assert found.minutes == pytest.approx(10 * 2 / 60)


@pytest.mark.parametrize(
    ("keywords", "named"),
    [
        ({"expected_output_tokens": -1}, "expected_output_tokens"),
        ({"latency_s": 0}, "latency_s"),
        ({"processes": 0}, "processes"),
        ({"spent_usd": -0.5}, "spent_usd"),
    ],
)
def test_figures_that_cannot_be(keywords, named):
    with pytest.raises(ValueError, match=named):
        estimate(_requests(1), _settings(), **{"expected_output_tokens": 10, **keywords})


def test_a_model_without_a_price_is_refused_before_anything_is_sent():
    with pytest.raises(ValueError, match="DATASET_LLM__INPUT_USD_PER_MILLION"):
        estimate(_requests(3, "house-model"), _settings(), 10)
