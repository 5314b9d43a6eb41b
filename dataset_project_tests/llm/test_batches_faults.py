"""What goes wrong about batches themselves: the provider does not take one, does not run it, or does not answer.

The loopback server has no faults on these paths: what a provider says instead is put in between, on the real client.
"""

from __future__ import annotations

import socket
from collections import Counter
from typing import Any

import pytest

from dataset_project.llm import batches as keeping
from dataset_project.llm import runtime as door
from dataset_project.llm.batch_files import settled_as
from dataset_project.llm.batch_watch import LONGEST_PAUSE_S, Watch, pause_s
from dataset_project.llm.client import CallFailed, ModelClient
from dataset_project.llm.ledger import Ledger
from dataset_project.llm.requests import RunStopped
from dataset_project.llm.runtime import open_runtime
from dataset_project_tests.llm.batch_cases import asked, batches, lines, settings
from dataset_project_tests.llm.server import loopback_server


@pytest.fixture
def server():
    with loopback_server(batch_s=0.05) as running:
        yield running


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    monkeypatch.setattr(keeping, "QUIET_S", 0.02)
    monkeypatch.setattr(keeping, "_IDLE_S", 0.02)
    monkeypatch.setattr(door, "_LOOK_EVERY_S", 0.1)


def run(url, directory, requests, **changes):
    with open_runtime(settings(url, **changes), directory, "trials") as runtime:
        return runtime.run(requests)


def spending(directory):
    ledger = Ledger(directory / "ledger.sqlite")
    try:
        return ledger.spending()
    finally:
        ledger.close()


def says(monkeypatch, method: str, *first: Any):
    """The client's ``method`` says these things first (exceptions are raised), then what the server does."""
    left, original = list(first), getattr(ModelClient, method)

    async def instead(self, *arguments):
        if not left:
            return await original(self, *arguments)
        said = left.pop(0)
        if isinstance(said, Exception):
            raise said
        return (await original(self, *arguments)) | said if isinstance(said, dict) else said

    monkeypatch.setattr(ModelClient, method, instead)
    return left


def failed(*errors: dict[str, Any]) -> dict[str, Any]:
    return {"status": "failed", "errors": {"object": "list", "data": list(errors)}}


def test_an_address_without_a_batch_api_says_so_and_keeps_nothing_back(server, tmp_path):
    with pytest.raises(RunStopped, match=r"no Batch API .*MODE=live") as stop:
        run(f"{server.url}/nowhere", tmp_path, asked(3))
    assert stop.value.kind == "unknown_model"
    assert (spending(tmp_path).in_flight, spending(tmp_path).reserved_usd) == (0, 0.0)
    assert len(run(server.url, tmp_path, asked(3), mode="live")) == 3


def test_nobody_answers(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    with pytest.raises(RunStopped, match="2 calls about a batch failed in a row") as stop:
        run(url, tmp_path, asked(3), max_attempts=2)
    assert stop.value.kind == "unreachable" and spending(tmp_path).spent_usd == 0.0


def test_calls_about_batches_that_fail_are_made_again(server, tmp_path, monkeypatch):
    reset, busy = CallFailed("reset", "reset by peer", may_be_billed=True), CallFailed("server_error", "HTTP 502")
    slow_down = CallFailed("rate_limited", "HTTP 429", retry_after_s=0.2)
    left = [says(monkeypatch, name, reset, slow_down) for name in ("upload", "create_batch", "batch", "content")]
    left.append(says(monkeypatch, "batches", busy))
    answers = run(server.url, tmp_path, asked(5), max_attempts=5)
    assert {each.kind for each in answers.values()} == {"ok"} and len(batches(server)) == 1
    assert left == [[]] * 5 and sum(row["path"] == "/v1/files" for row in server.journal()) == 1


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        *[(method, "quota_exhausted") for method in ("upload", "create_batch")],
        *[(method, "invalid_key") for method in ("upload", "create_batch", "batch")],
    ],
)
def test_a_provider_that_takes_no_batch_stops_the_run(server, tmp_path, monkeypatch, method, kind):
    with monkeypatch.context() as patch:
        says(patch, method, *[CallFailed(kind, "HTTP 4xx", http_status=401)] * 9)
        with pytest.raises(RunStopped) as stop:
            run(server.url, tmp_path, asked(3))
    assert stop.value.kind == kind
    assert spending(tmp_path).in_flight == (3 if method == "batch" else 0), "what is there stays there"
    assert {each.kind for each in run(server.url, tmp_path, asked(3)).values()} == {"ok"}
    assert len(batches(server)) == 1


def test_a_batch_that_the_provider_does_not_take_settles_its_tasks_with_the_reason(server, tmp_path, monkeypatch):
    says(monkeypatch, "create_batch", CallFailed("bad_request", "HTTP 400: this model is not for batches"))
    answers = run(server.url, tmp_path, asked(2))
    assert {each.kind for each in answers.values()} == {"bad_request"}
    assert "not for batches" in answers[asked(1)[0].key].error and batches(server) == []


def test_lines_that_fail_validation_are_settled_and_the_others_asked_without_them(server, tmp_path, monkeypatch):
    wrong = {"code": "invalid_json_line", "message": "Line 2 is wrong", "line": 2}
    says(monkeypatch, "batch", failed(wrong))
    answers = run(server.url, tmp_path, asked(4))
    assert [answers[each.key].kind for each in asked(4)] == ["ok", "bad_request", "ok", "ok"]
    assert "Line 2 is wrong" in answers[asked(2)[1].key].error
    assert len(lines(server, batches(server)[1])) == 3


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": "billing_hard_limit_reached", "message": "Billing hard limit has been reached"}, "quota_exhausted"),
        ({"code": "model_not_found", "message": "The provided model is not supported"}, "unknown_model"),
    ],
)
def test_a_batch_that_fails_for_the_accounts_sake_stops_the_run(server, tmp_path, monkeypatch, error, kind):
    says(monkeypatch, "batch", failed(error))
    with pytest.raises(RunStopped) as stop:
        run(server.url, tmp_path, asked(3))
    assert stop.value.kind == kind and spending(tmp_path).in_flight == 0
    assert {each.kind for each in run(server.url, tmp_path, asked(3)).values()} == {"ok"}


def test_a_full_queue_is_tried_again_with_smaller_batches(server, tmp_path, monkeypatch):
    full = {"code": "token_limit_exceeded", "message": "Enqueued token limit reached for model"}
    says(monkeypatch, "batch", failed(full), failed(full))
    answers = run(server.url, tmp_path, asked(16))
    assert {each.kind for each in answers.values()} == {"ok"} and {each.attempts for each in answers.values()} == {1}
    sizes = [len(lines(server, batch)) for batch in batches(server)]
    assert sizes[:3] == [16, 8, 4] and sum(sizes[2:]) == 16


def test_a_request_that_alone_is_too_much_for_the_queue_is_rejected(server, tmp_path, monkeypatch):
    full = {"code": "token_limit_exceeded", "message": "Enqueued token limit reached for model"}
    says(monkeypatch, "batch", failed(full))
    (answer,) = run(server.url, tmp_path, asked(1)).values()
    assert answer.kind == "bad_request" and "Enqueued token limit" in answer.error


def test_files_that_come_a_little_later_than_the_end_are_waited_for(server, tmp_path, monkeypatch):
    late = {"status": "completed", "output_file_id": None, "request_counts": {"total": 3, "completed": 3, "failed": 0}}
    left = says(monkeypatch, "batch", late, late, late)
    answers = run(server.url, tmp_path, asked(3))
    assert {each.kind for each in answers.values()} == {"ok"} and left == [] and len(batches(server)) == 1
    assert {each.attempts for each in answers.values()} == {1}


def test_a_file_that_is_gone_or_garbled_leaves_its_lines_missing(server, tmp_path, monkeypatch):
    gone = CallFailed("unknown_model", "HTTP 404: No such File object", http_status=404)
    good = b'\n{"custom_id": 7}\n{"custom_id": "another", "response": null}\nnull\n<html>\n\xff\xfe\n'
    says(monkeypatch, "content", gone, good)
    answers = run(server.url, tmp_path, asked(3))
    assert {(each.kind, each.attempts) for each in answers.values()} == {("ok", 3)}
    assert len(batches(server)) == 3


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ({"response": {"status_code": 0, "body": {}}}, "server_error"),
        ({"response": {"status_code": 200, "body": {"choices": []}}}, "garbled"),
        ({"response": {"status_code": 200, "body": None}}, "garbled"),
        ({"response": {"status_code": 429, "body": {"error": {"message": "Rate limit"}}}}, "rate_limited"),
        ({"response": None, "error": {"code": "server_error", "message": "sorry"}}, "server_error"),
        ({"response": "?", "error": None}, "server_error"),
        ({}, "server_error"),
    ],
)
def test_lines_of_all_kinds_are_faults_of_a_call(line, kind):
    client = ModelClient(settings("http://127.0.0.1:1/v1"))
    with pytest.raises(CallFailed) as fault:
        client.answer_of_line({"custom_id": "x", **line})
    assert fault.value.kind == kind


@pytest.mark.parametrize(
    ("outcome", "before", "kind"),
    [
        ("ok", {"invalid": 5}, "ok"),
        ("refused", {}, "refused"),
        ("invalid", {}, None),
        ("invalid", {"truncated": 1, "expired": 3}, None),
        ("invalid", {"invalid": 1}, "invalid"),
        ("truncated", {"truncated": 1}, "truncated"),
        ("unsupported", {"unsupported": 5}, None),
        ("unsupported", {"unsupported": 6}, "bad_request"),
        ("expired", {"invalid": 1, "server_error": 1}, None),
        ("expired", {"missing": 1, "server_error": 1}, "exhausted"),
    ],
)
def test_how_many_rounds_an_outcome_gets(outcome, before, kind):
    assert settled_as(outcome, Counter(before), max_attempts=3) == kind


def test_polls_become_rarer_while_nothing_changes_and_failures_pause_longer(monkeypatch):
    from dataset_project.llm import batch_watch

    given = settings("http://127.0.0.1:1/v1", batch_poll_s=30, max_attempts=4)
    monkeypatch.setattr(batch_watch.time, "monotonic", lambda: 0.0)
    watch, pauses = Watch(given), []
    for status in ["validating", *["in_progress"] * 12, "finalizing"]:
        watch.seen(status)
        pauses.append(watch.next_at)
    assert all(24 <= pauses[n] <= 36 for n in (0, 1, 13)) and 240 <= pauses[12] <= 360
    assert len(set(pauses)) > 10, "with jitter"
    assert [pause_s(given, n) for n in (1, 2, 3, 40)] == [30, 60, 120, LONGEST_PAUSE_S]
    watch.failed(CallFailed("rate_limited", "wait", retry_after_s=5000))
    assert watch.next_at >= 4000, "Retry-After is the provider's word"
    watch.failed(CallFailed("reset", "reset"))
    watch.seen("in_progress")
    for _ in range(3):
        watch.failed(CallFailed("reset", "reset"))
    with pytest.raises(RunStopped, match="4 calls about a batch failed in a row"):
        watch.failed(CallFailed("reset", "reset"))
