"""How requests are settled, against a real server that breaks in every way it can."""

from __future__ import annotations

import json
import socket

import pytest

from dataset_project.llm.requests import RunStopped, Usage
from dataset_project_tests.llm.server import loopback_server
from dataset_project_tests.llm.server_calls import GOOD, KEY, SCHEMA, request, settings, settle


@pytest.fixture(scope="module")
def shared():
    with loopback_server() as server:
        yield server


@pytest.fixture
def server(shared, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    shared.reset()
    return shared


def test_an_answer_is_settled_with_its_call_and_its_cost(server):
    server.control(model_name="model-2026-01-01")
    settled = settle(settings(server.url))
    (answer,), (call,) = settled.settlements, settled.calls
    assert (answer.kind, answer.error, answer.task_key) == ("ok", "", request().key)
    assert set(json.loads(answer.content)) == set(SCHEMA["properties"])
    assert (call.task_key, call.attempt, call.outcome, call.http_status, call.error) == (
        request().key,
        1,
        "ok",
        200,
        "",
    )
    assert call.model == answer.model == "model-2026-01-01"
    (row,) = server.journal()
    assert [call.usage.input_tokens, call.usage.output_tokens] == row["tokens"]
    assert call.cost_usd == pytest.approx((row["tokens"][0] + 2 * row["tokens"][1]) / 1e6)
    assert settled.limiter.said("reconcile") == [(sum(row["tokens"]),)]
    (body,) = server.bodies()
    assert body["response_format"]["json_schema"] == {"name": "facts", "strict": True, "schema": SCHEMA}
    assert body["max_tokens"] == 200 and "temperature" not in body


# The fault, twice; how the request ends when 3 attempts are allowed; what its calls came to.
RECOVERS = [
    ({"kind": "reset"}, "reset"),
    ({"kind": "close"}, "reset"),
    ({"kind": "reset_body"}, "reset"),
    ({"kind": "truncated_body"}, "reset"),
    ({"kind": "html"}, "garbled"),
    ({"kind": "empty"}, "garbled"),
    ({"kind": "no_choices"}, "garbled"),
    ({"kind": "error_in_200", "status": 502}, "server_error"),
    ({"kind": "error_in_200", "status": 429}, "rate_limited"),
    ({"kind": "status", "status": 500}, "server_error"),
    ({"kind": "status", "status": 502}, "server_error"),
    ({"kind": "status", "status": 503}, "server_error"),
    ({"kind": "status", "status": 503, "retry_after": 0.02}, "rate_limited"),
    ({"kind": "status", "status": 529}, "rate_limited"),
    ({"kind": "status", "status": 408}, "server_error"),
    ({"kind": "status", "status": 409}, "server_error"),
    ({"kind": "rate_limited"}, "rate_limited"),
    ({"kind": "invalid_schema"}, "invalid"),
    ({"kind": "malformed_json"}, "invalid"),
    ({"kind": "text", "text": ""}, "invalid"),
]


@pytest.mark.parametrize(("fault", "outcome"), RECOVERS, ids=lambda value: str(value))
def test_what_passes_is_tried_again_until_it_does(server, fault, outcome):
    server.control(faults=[{**fault, "count": 2}])
    settled = settle(settings(server.url))
    assert settled.kind == "ok"
    assert settled.outcomes == [outcome, outcome, "ok"]
    assert [call.attempt for call in settled.calls] == [1, 2, 3]
    assert len(server.journal()) == 3


ENDS = [
    ({"kind": "reset"}, "exhausted", ["reset"] * 3),
    ({"kind": "status", "status": 500}, "exhausted", ["server_error"] * 3),
    ({"kind": "html"}, "exhausted", ["garbled"] * 3),
    ({"kind": "rate_limited", "retry_after": 0.01}, "exhausted", ["rate_limited"] * 3),
    ({"kind": "invalid_schema"}, "invalid", ["invalid"] * 3),
    ({"kind": "malformed_json"}, "invalid", ["invalid"] * 3),
    ({"kind": "length"}, "truncated", ["truncated"] * 2),
    ({"kind": "refusal"}, "refused", ["refused"]),
    ({"kind": "content_filter"}, "refused", ["refused"]),
    ({"kind": "content_filter_400"}, "refused", ["refused"]),
    ({"kind": "context_length"}, "too_long", ["too_long"]),
    ({"kind": "status", "status": 413}, "too_long", ["too_long"]),
    ({"kind": "bad_request"}, "bad_request", ["bad_request"]),
    ({"kind": "status", "status": 422}, "bad_request", ["bad_request"]),
]


@pytest.mark.parametrize(("fault", "kind", "outcomes"), ENDS, ids=lambda value: str(value))
def test_what_does_not_pass_ends_under_its_name(server, fault, kind, outcomes):
    server.control(faults=[{**fault, "count": None}])
    settled = settle(settings(server.url))
    assert settled.kind == kind
    assert settled.outcomes == outcomes
    assert settled.settlements[0].content == "" and settled.settlements[0].error
    assert KEY not in repr((settled.settlements, settled.calls))


STOPS = [
    ("invalid_key", {"kind": "invalid_key"}, "OPENAI_API_KEY"),
    ("invalid_key", {"kind": "status", "status": 403}, "OPENAI_API_KEY"),
    ("unknown_model", {"kind": "unknown_model"}, "has no model model"),
    ("unknown_model", {"kind": "unknown_model_400"}, "correct the model's name"),
    ("unknown_model", {"kind": "status", "status": 404}, "address"),
    ("unknown_model", {"kind": "status", "status": 308}, "address"),
    ("quota_exhausted", {"kind": "insufficient_quota"}, "add credit"),
    ("quota_exhausted", {"kind": "billing"}, "hard limit"),
    ("quota_exhausted", {"kind": "status", "status": 402}, "add credit"),
]


@pytest.mark.parametrize(("kind", "fault", "advice"), STOPS, ids=lambda value: str(value))
def test_what_no_request_could_survive_stops_the_run_at_once(server, kind, fault, advice):
    server.control(faults=[fault])
    calls = []
    with pytest.raises(RunStopped, match=advice) as stopped:
        settle(settings(server.url), calls=calls)
    assert stopped.value.kind == kind
    assert [call.outcome for call in calls] == [kind]
    assert len(server.journal()) == 1


@pytest.mark.parametrize("kind", ["hang", "slow_loris"])
def test_a_call_ends_at_its_deadline_however_it_is_delayed(server, kind):
    server.control(faults=[{"kind": kind, "count": 2}])
    settled = settle(settings(server.url, timeout_s=0.3))
    assert settled.kind == "ok"
    assert settled.outcomes == ["timeout", "timeout", "ok"]
    assert "0.3 s" in settled.calls[0].error


def _closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@pytest.mark.parametrize(
    ("outcome", "url"),
    [
        ("connect", f"http://127.0.0.1:{_closed_port()}/v1"),
        ("dns", "http://no-such-host.invalid/v1"),
        ("tls", ""),
    ],
    ids=["connect", "dns", "tls"],  # an id with the port would differ from process to process
)
def test_no_connection_is_named_for_its_reason_and_reserves_nothing(server, outcome, url):
    settled = settle(settings(url or server.url.replace("http:", "https:"), max_attempts=2))
    assert settled.kind == "exhausted"
    assert settled.outcomes == [outcome, outcome]
    assert settled.limiter.said("cancel") == [(), ()] and not settled.limiter.said("reconcile")
    assert sum(call.cost_usd for call in settled.calls) == 0


def test_a_repair_sends_back_the_answer_and_what_is_wrong_with_it_alone(server):
    wrong = GOOD.replace('"other"', '"cardiology"')
    worse = GOOD.replace("90", "900")
    server.control(faults=[{"kind": "text", "text": wrong}, {"kind": "text", "text": worse}])
    assert settle(settings(server.url)).kind == "ok"
    first, second, third = [body["messages"] for body in server.bodies()]
    assert second[: len(first)] == first and third[: len(first)] == first
    assert [message["role"] for message in second[2:]] == ["assistant", "user"]
    assert second[2]["content"] == wrong and "$.area" in second[3]["content"]
    assert "'circulatory'" in second[3]["content"] and "confidence" not in second[3]["content"]
    assert third[2]["content"] == worse and "$.confidence" in third[3]["content"]


def test_a_cut_off_answer_has_its_cap_raised_once(server):
    server.control(faults=[{"kind": "length", "below_cap": 800, "count": None}])
    settled = settle(settings(server.url))
    assert settled.kind == "ok" and settled.outcomes == ["truncated", "ok"]
    assert [body["max_tokens"] for body in server.bodies()] == [200, 800]
    assert [tokens - settled.limiter.said("acquire")[0][0] for (tokens,) in settled.limiter.said("acquire")] == [0, 600]
    assert settled.calls[0].usage.output_tokens == 200, "the answer that was thrown away is paid for"


def test_a_raised_cap_that_the_model_does_not_have_is_truncation(server):
    body = '{"error": {"message": "max_tokens is too large: 800. At most 500 completion tokens.", "code": null}}'
    server.control(faults=[{"kind": "length"}, {"kind": "status", "status": 400, "body": body}])
    settled = settle(settings(server.url))
    assert settled.kind == "truncated" and "500 completion tokens" in settled.settlements[0].error


def test_an_answer_that_is_whole_is_taken_whatever_it_says_about_its_length(server):
    server.control(faults=[{"kind": "fenced", "count": None}])
    settled = settle(settings(server.url))
    assert settled.kind == "ok" and settled.settlements[0].content.startswith('{"area":')


def test_budgets_are_apart(server):
    server.control(
        faults=[
            {"kind": "reset", "count": 2},
            {"kind": "length"},
            {"kind": "invalid_schema", "count": 2},
        ]
    )
    settled = settle(settings(server.url))
    assert settled.kind == "ok"
    assert settled.outcomes == ["reset", "reset", "truncated", "invalid", "invalid", "ok"]


def test_a_lost_answer_counts_with_its_whole_cap(server):
    server.control(faults=[{"kind": "truncated_body"}, {"kind": "hang"}, {"kind": "reset"}])
    settled = settle(settings(server.url, timeout_s=0.3, max_attempts=4))
    truncated, timeout, reset, ok = settled.calls
    assert truncated.usage == timeout.usage and truncated.usage.output_tokens == 200
    assert truncated.cost_usd == timeout.cost_usd > ok.cost_usd > 0
    assert (reset.usage, reset.cost_usd) == (Usage(), 0.0), "closed before a header: nothing was answered"


def test_an_answer_without_usage_is_counted_here(server):
    server.control(faults=[{"kind": "no_usage"}])
    (call,) = settle(settings(server.url)).calls
    assert call.usage.input_tokens > 20 and call.usage.output_tokens > 5 and call.cost_usd > 0


def test_hundreds_at_once_under_faults_are_all_settled_and_all_accounted_for(server):
    shares = {"reset": 0.05, "status": 0.05, "truncated_body": 0.05, "invalid_schema": 0.05, "malformed_json": 0.05}
    server.control(faults=[{"kind": kind, "share": share} for kind, share in shares.items()])
    trials = [request(f"NCT9300{n:04}") for n in range(300)]
    settled = settle(settings(server.url, max_attempts=8), *trials)
    kinds = [each.kind for each in settled.settlements]
    assert kinds.count("ok") >= 298 and set(kinds) <= {"ok", "invalid"}
    assert [each.task_key for each in settled.settlements] == [each.key for each in trials]
    journal = server.journal()
    assert len(journal) == len(settled.calls)
    assert {row["fault"] for row in journal} == {"", *shares}
    by_item = {each.key: each.item for each in trials}
    sent, recorded = [
        sorted(row["marker"] for row in journal),
        sorted(by_item[call.task_key] for call in settled.calls),
    ]
    assert sent == recorded, "one record per call, for the trial it was about"


def test_a_schema_that_is_not_strict_is_a_mistake_before_anything_is_sent(server):
    with pytest.raises(ValueError, match="not strict"):
        settle(settings(server.url), request(schema={"type": "object", "properties": {}}))
    assert server.journal() == []
