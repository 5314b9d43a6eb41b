"""Batches end to end: tasks of the ledger answered by the loopback server's Batch API."""

from __future__ import annotations

import pytest

from dataset_project.llm import batches as keeping
from dataset_project.llm import runtime as door
from dataset_project.llm.ledger import Ledger
from dataset_project.llm.progress import Progress
from dataset_project.llm.requests import RunStopped
from dataset_project.llm.runtime import open_runtime
from dataset_project_tests.llm.batch_cases import ECHO, asked, batches, lines, settings
from dataset_project_tests.llm.server import loopback_server


@pytest.fixture
def server():
    with loopback_server(answers=ECHO, batch_s=0.05) as running:
        yield running


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    monkeypatch.setattr(keeping, "QUIET_S", 0.02)
    monkeypatch.setattr(keeping, "_IDLE_S", 0.02)
    monkeypatch.setattr(door, "_LOOK_EVERY_S", 0.1)


def run(server, directory, requests, **changes):
    with open_runtime(settings(server.url, **changes), directory, "trials") as runtime:
        return runtime.run(requests)


def books(directory):
    """Calls (rows) and the account, after the run."""
    ledger = Ledger(directory / "ledger.sqlite")
    try:
        return ledger.calls_table().to_pylist(), ledger.spending()
    finally:
        ledger.close()


def about(calls, number):
    return [call for call in calls if call["item"] == f"NCT9{number:07}"]


def outcomes(calls, number):
    return [call["outcome"] for call in about(calls, number)]


def test_all_tasks_go_into_one_batch_and_every_answer_to_its_own_task(server, tmp_path, monkeypatch):
    requests, seen = asked(300), []
    monkeypatch.setattr(keeping, "QUIET_S", 1.0)
    server.control(batch_s=0.5)
    with open_runtime(settings(server.url), tmp_path, "trials") as runtime:
        for place in range(0, 300, 50):
            runtime.submit(requests[place : place + 50], label=f"bucket_{place}")
        answers = runtime.wait(requests, on_progress=seen.append)
        cost = runtime.cost([each.key for each in requests])
    assert {each.key: answers[each.key].value["notes"] for each in requests} == {e.key: e.item for e in requests}
    (batch,) = batches(server)
    sent = lines(server, batch)
    assert [line["custom_id"] for line in sent] == [each.key for each in requests]
    assert {(line["method"], line["url"]) for line in sent} == {("POST", "/v1/chat/completions")}
    assert sent[0]["body"]["response_format"]["json_schema"]["strict"] is True
    calls, account = books(tmp_path)
    assert [call["outcome"] for call in calls] == ["ok"] * 300 and {call["attempt"] for call in calls} == {1}
    assert account.spent_usd == pytest.approx(cost) and (account.reserved_usd, account.in_flight) == (0.0, 0)
    for call in calls:
        assert call["cost_usd"] == pytest.approx((call["input_tokens"] + 2 * call["output_tokens"]) / 1e6)
        assert call["worker"].startswith("batch/")
    waiting = next(each for each in seen if each.batches)
    assert isinstance(waiting, Progress) and (waiting.batches, waiting.in_batches, waiting.in_flight) == (1, 300, 300)
    assert waiting.figures(settings(server.url))["batches"] == "1 with 300 requests" and waiting.eta_s is None


def test_what_is_answered_is_not_asked_again_in_either_mode(server, tmp_path):
    first = run(server, tmp_path, asked(5))
    assert run(server, tmp_path, asked(5)) == first
    assert run(server, tmp_path, asked(5), mode="live") == first
    assert len(batches(server)) == 1 and len(books(tmp_path)[0]) == 5


def test_lines_that_fail_get_further_rounds_and_then_are_exhausted(server, tmp_path):
    server.control(batch_error_share=0.3, seed=3)
    answers = run(server, tmp_path, asked(20), max_attempts=2)
    failed = [each for each in asked(20) if answers[each.key].kind != "ok"]
    assert 2 < len(failed) < 12
    assert {answers[each.key].kind for each in failed} == {"exhausted"}
    assert "2 batches, at last server_error" in answers[failed[0].key].error
    _, second = batches(server)
    assert [line["custom_id"] for line in lines(server, second)] == [each.key for each in failed]
    calls, _ = books(tmp_path)
    assert [call["cost_usd"] for call in calls if call["outcome"] == "server_error"] == [0.0] * 2 * len(failed)
    assert {answers[each.key].attempts for each in failed} == {2}
    server.control(batch_error_share=0.0)
    again = run(server, tmp_path, asked(20))
    assert {each.kind for each in again.values()} == {"ok"} and len(batches(server)) == 3


def test_lines_in_neither_file_count_at_their_worst_and_are_asked_again(server, tmp_path):
    server.control(batch_missing=3)
    answers = run(server, tmp_path, asked(10), max_attempts=2)
    missing = [each for each in asked(10) if answers[each.key].kind == "exhausted"]
    assert len(missing) == 3 and sum(each.kind == "ok" for each in answers.values()) == 7
    calls, account = books(tmp_path)
    lost = [call for call in calls if call["outcome"] == "missing"]
    assert len(lost) == 6 and all(call["cost_usd"] > 2 * 200 / 1e6 and call["input_tokens"] == 0 for call in lost)
    assert account.spent_usd == pytest.approx(sum(call["cost_usd"] for call in calls))
    server.control(batch_missing=0)
    assert {each.kind for each in run(server, tmp_path, asked(10)).values()} == {"ok"}


def test_of_an_expired_batch_the_finished_part_is_taken_and_the_rest_goes_into_the_next(server, tmp_path):
    server.control(batch_outcome="expired", batch_s=0.3)
    requests = asked(20)

    def whole_again(progress):
        if progress.ok:
            server.control(batch_outcome="completed")

    with open_runtime(settings(server.url), tmp_path, "trials") as runtime:
        runtime.submit(requests)
        answers = runtime.wait(requests, on_progress=whole_again)
    assert {each.key: answers[each.key].value["notes"] for each in requests} == {e.key: e.item for e in requests}
    first, second = batches(server)[:2]
    assert (first["status"], len(lines(server, first)), len(lines(server, second))) == ("expired", 20, 10)
    expired = [call for call in books(tmp_path)[0] if call["outcome"] == "expired"]
    assert len(expired) >= 10 and {call["cost_usd"] for call in expired} == {0.0}


def test_a_batch_that_fails_as_a_whole_settles_its_tasks_with_the_reason_and_costs_nothing(server, tmp_path):
    server.control(batch_outcome="failed")
    answers = run(server, tmp_path, asked(4))
    assert {each.kind for each in answers.values()} == {"bad_request"}
    assert answers[asked(1)[0].key].error == "the batch was rejected: the provider gave no reason"
    calls, account = books(tmp_path)
    assert calls == [] and (account.spent_usd, account.reserved_usd) == (0.0, 0.0) and len(batches(server)) == 1


def test_a_cancelled_batch_stops_the_run_and_is_not_made_anew_by_it(server, tmp_path):
    server.control(batch_s=60)
    requests = asked(3)

    def cancel(progress):
        for batch in batches(server):
            if batch["status"] != "cancelled":
                _post(f"{server.url}/batches/{batch['id']}/cancel")

    with (
        pytest.raises(RunStopped, match=r"batch_1 was cancelled .* run again") as stop,
        open_runtime(settings(server.url), tmp_path, "trials") as runtime,
    ):
        runtime.submit(requests)
        runtime.wait(requests, on_progress=cancel)
    assert stop.value.kind == "cancelled" and len(batches(server)) == 1
    server.control(batch_s=0.05)
    assert {each.kind for each in run(server, tmp_path, requests).values()} == {"ok"}
    assert outcomes(books(tmp_path)[0], 0) == ["cancelled", "ok"]


def _post(url):
    import urllib.request

    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, data=b"{}", timeout=20).close()


def test_a_bad_answer_goes_back_once_with_what_is_wrong_with_it(server, tmp_path):
    once = {"kind": "text", "text": '{"area":"nowhere"}', "match": "NCT90000001"}
    always = {"kind": "malformed_json", "match": "NCT90000002", "count": None}
    server.control(faults=[once, always])
    answers = run(server, tmp_path, asked(3))
    kinds = [answers[each.key].kind for each in asked(3)]
    assert kinds == ["ok", "ok", "invalid"] and "JSON" in answers[asked(3)[2].key].error
    calls, _ = books(tmp_path)
    assert [outcomes(calls, n) for n in range(3)] == [["ok"], ["invalid", "ok"], ["invalid", "invalid"]]
    assert [call["attempt"] for call in about(calls, 1)] == [1, 2]
    _, second = batches(server)
    repair = {line["custom_id"]: line["body"]["messages"] for line in lines(server, second)}[asked(3)[1].key]
    assert repair[-2] == {"role": "assistant", "content": '{"area":"nowhere"}'}
    assert repair[-1]["content"].startswith("That is not valid:\n$.area: ") and len(repair) == 4


def test_a_cut_off_answer_gets_one_more_round_with_more_room(server, tmp_path):
    enough = {"kind": "length", "match": "NCT90000000", "below_cap": 800, "count": None}
    never = {"kind": "length", "match": "NCT90000001", "count": None}
    server.control(faults=[enough, never])
    answers = run(server, tmp_path, asked(2))
    assert [answers[each.key].kind for each in asked(2)] == ["ok", "truncated"]
    _, second = batches(server)
    assert {line["body"]["max_tokens"] for line in lines(server, second)} == {800}


def test_refusals_and_requests_that_do_not_fit_settle_at_once(server, tmp_path):
    server.control(
        faults=[
            {"kind": "refusal", "match": "NCT90000000"},
            {"kind": "context_length", "match": "NCT90000001"},
            {"kind": "bad_request", "match": "NCT90000002"},
            {"kind": "fenced", "match": "NCT90000003"},
            {"kind": "no_usage", "match": "NCT90000004"},
        ]
    )
    answers = run(server, tmp_path, asked(5))
    assert [answers[each.key].kind for each in asked(5)] == ["refused", "too_long", "bad_request", "ok", "ok"]
    assert len(batches(server)) == 1
    assert about(books(tmp_path)[0], 4)[0]["cost_usd"] > 0, "what was not counted is estimated"


def test_a_parameter_that_the_model_does_not_know_is_left_out_of_the_next_batch(server, tmp_path):
    server.control(rejects=["max_tokens", "temperature"])
    answers = run(server, tmp_path, asked(4, temperature=0.0))
    assert {each.kind for each in answers.values()} == {"ok"}
    asked_for = [lines(server, batch)[0]["body"] for batch in batches(server)]
    assert [("max_tokens" in body, "temperature" in body) for body in asked_for] == [
        (True, True),
        (False, True),
        (False, False),
    ]


def test_a_refusal_of_what_cannot_be_put_otherwise_settles_at_once(server, tmp_path):
    wrong = '{"error": {"message": "Unsupported parameter", "param": "max_completion_tokens", "code": "%s"}}'
    fault = {"kind": "status", "status": 400, "body": wrong % "unsupported_parameter", "count": None}
    server.control(faults=[fault])
    answers = run(server, tmp_path, asked(2))
    assert {each.kind for each in answers.values()} == {"bad_request"} and len(batches(server)) == 1


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("insufficient_quota", "quota_exhausted"),
        ("invalid_key", "invalid_key"),
        ("unknown_model", "unknown_model"),
        ("key_echo", "invalid_key"),
    ],
)
def test_a_line_that_no_other_request_could_better_stops_the_run_with_the_others_kept(server, tmp_path, fault, kind):
    server.control(faults=[{"kind": fault, "match": "NCT90000001"}])
    with pytest.raises(RunStopped) as stop:
        run(server, tmp_path, asked(3))
    assert stop.value.kind == kind and "sk-" not in str(stop.value)
    calls, account = books(tmp_path)
    assert [outcomes(calls, n) for n in range(3)] == [["ok"], [kind], ["ok"]]
    assert (account.reserved_usd, account.in_flight) == (0.0, 0)
    again = run(server, tmp_path, asked(3), max_attempts=1)
    assert {each.kind for each in again.values()} == {"ok"}, "what stopped a run counts as no attempt"


def test_the_budget_bounds_what_is_in_batches_and_frees_what_was_not_used(server, tmp_path):
    requests = asked(25)
    with open_runtime(settings(server.url), tmp_path / "other", "trials") as runtime:
        worst = runtime._prices.worst_case(requests[0])
    budget = 5.5 * worst
    with pytest.raises(RunStopped) as stop:
        run(server, tmp_path, requests, budget_usd=budget)
    assert stop.value.kind == "budget"
    sizes = [len(lines(server, batch)) for batch in batches(server)]
    assert sizes[0] == 5 and len(sizes) > 1
    _, account = books(tmp_path)
    assert account.spent_usd <= budget < account.spent_usd + worst and account.reserved_usd == 0.0
    answers = run(server, tmp_path, requests)
    assert {each.kind for each in answers.values()} == {"ok"}
    sent = [line["custom_id"] for batch in batches(server) for line in lines(server, batch)]
    assert sorted(sent) == sorted(each.key for each in requests), "each exactly once"


def test_models_do_not_share_a_batch_and_a_batch_does_not_exceed_its_size(server, tmp_path, monkeypatch):
    from dataset_project.llm import batch_sending

    requests = [*asked(12), *asked(3, model="other")]
    monkeypatch.setattr(batch_sending, "MOST_BYTES", 3000)
    answers = run(server, tmp_path, requests)
    assert {each.kind for each in answers.values()} == {"ok"}
    made = [lines(server, batch) for batch in batches(server)]
    assert len(made) > 3 and {len({line["body"]["model"] for line in each}) for each in made} == {1}
    sent = [line["custom_id"] for each in made for line in each]
    assert sorted(sent) == sorted(each.key for each in requests)
    monkeypatch.setattr(batch_sending, "MOST_BYTES", 10)
    assert {each.kind for each in run(server, tmp_path / "tiny", asked(3)).values()} == {"ok"}, "one by one"
