"""The door of the package: asking, waiting, costs, failures, stops, vectors. How work is pumped is in `test_pump`."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import replace

import numpy as np
import pytest

from dataset_project.llm.configuration import LlmSettings
from dataset_project.llm.ledger import Ledger
from dataset_project.llm.ledger_schema import UnusableLedger
from dataset_project.llm.on_record import open_ledger
from dataset_project.llm.requests import RunStopped
from dataset_project.llm.runtime import LEDGER, limiter_of, open_runtime
from dataset_project_tests.llm.runs import (
    GROUP,
    asked,
    interrupting,
    outcomes,
    progress,
    sent,
    unlimited,
    until,
    until_sent,
)
from dataset_project_tests.llm.server import loopback_server
from dataset_project_tests.llm.server_answers import vector
from dataset_project_tests.llm.server_calls import KEY, SCHEMA

CLOSED = "http://127.0.0.1:9/v1"  # the port of a service nobody runs


@pytest.fixture(scope="module")
def shared():
    with loopback_server() as server:
        yield server


@pytest.fixture
def server(shared, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    shared.reset()
    return shared


def test_each_request_is_sent_once_however_often_it_is_asked(server, tmp_path):
    requests = asked(150)
    with open_runtime(unlimited(server.url), tmp_path, GROUP) as runtime:
        runtime.submit(requests)
        runtime.submit(requests[:20])
        answers = runtime.wait([*requests, *requests[:5]])
        assert runtime.answered_before([each.key for each in requests]) == 0
    assert set(answers) == {each.key for each in requests}
    assert {answer.kind for answer in answers.values()} == {"ok"}
    assert set(answers[requests[0].key].value) == set(SCHEMA["properties"])
    with open_runtime(unlimited(server.url), tmp_path, GROUP) as again:
        assert again.run(requests) == answers
        assert again.answered_before([each.key for each in requests[:40]]) == 40
    assert sent(server) == {each.item: 1 for each in requests}


def test_what_requests_cost_is_what_the_provider_counted_at_the_given_prices(server, tmp_path):
    requests = asked(6)
    with open_runtime(unlimited(server.url), tmp_path, GROUP) as runtime:
        runtime.run(requests)
        cost = runtime.cost([each.key for each in requests])
        of_two = runtime.cost([each.key for each in requests[:2]])
        spent = runtime.progress().ledger_spent_usd
    tokens = [row["tokens"] for row in server.journal()]
    assert cost == pytest.approx(sum(1e-6 * given + 2e-6 * made for given, made in tokens), rel=1e-9)
    assert spent == pytest.approx(cost) and 0 < of_two < cost


def test_a_failed_request_stays_failed_in_its_run_and_is_asked_again_in_the_next(server, tmp_path):
    requests = asked(5)
    server.control(faults=[{"kind": "bad_request", "match": requests[2].item}])
    with open_runtime(unlimited(server.url), tmp_path, GROUP) as runtime:
        first = runtime.run(requests)
        assert runtime.run(requests) == first
        assert runtime.progress().failed == {"bad_request": 1}
    assert [first[each.key].kind for each in requests] == ["ok", "ok", "bad_request", "ok", "ok"]
    with pytest.raises(ValueError, match="no answer: bad_request"):
        _ = first[requests[2].key].value
    with open_runtime(unlimited(server.url), tmp_path, GROUP) as runtime:
        second = runtime.run(requests)
        assert runtime.answered_before([each.key for each in requests]) == 4
    assert second[requests[2].key].kind == "ok" and second[requests[2].key].attempts == 2
    assert sent(server) == {each.item: 1 for each in requests} | {requests[2].item: 2}


def test_waiting_for_what_was_never_asked_is_an_error_and_no_endless_wait(server, tmp_path):
    requests = asked(2)
    with open_runtime(unlimited(server.url), tmp_path, GROUP) as runtime:
        runtime.submit(requests[:1])
        with pytest.raises(ValueError, match=f"{requests[1].item}.* was not submitted"):
            runtime.wait(requests)


def test_a_schema_no_answer_could_be_checked_against_never_comes_into_the_ledger(server, tmp_path):
    loose = replace(asked(1)[0], schema={**SCHEMA, "additionalProperties": True})
    with open_runtime(unlimited(server.url), tmp_path, GROUP) as runtime:
        with pytest.raises(ValueError, match="additionalProperties"):
            runtime.submit([loose])
        # In the ledger it would have stopped this run, and every later one.
        assert len(runtime.run(asked(2))) == 2
    assert progress(tmp_path).total == 2


def test_a_model_without_a_price_is_refused_before_anything_is_sent(server, tmp_path):
    given = LlmSettings(base_url="https://llm.example.org/v1")
    with open_runtime(given, tmp_path, GROUP) as runtime:
        with pytest.raises(ValueError, match=r"no list price .* nobody-knows"):
            runtime.submit(asked(1, model="nobody-knows"))
        assert runtime.progress().total == 0


def test_progress_is_told_to_who_waits_and_ends_complete(server, tmp_path):
    server.control(latency_s=0.1)
    told = []
    requests = asked(12)
    with open_runtime(unlimited(server.url, max_in_flight=4), tmp_path, GROUP) as runtime:
        runtime.submit(requests)
        runtime.wait(requests, on_progress=told.append)
    assert len(told) >= 2
    assert told[0].total == 12 and told[0].ok < 12
    assert told[-1].ok == 12 and told[-1].eta_s == 0.0 and told[-1].in_flight == told[-1].pending == 0
    shown = told[-1].figures(unlimited(server.url, requests_per_minute=600, budget_usd=2.5))
    assert shown["answered"] == "12 of 12" and shown["requests/min"].endswith(" of 600")
    assert shown["spent"].endswith(" of $2.50") and "failed" not in shown


@pytest.mark.parametrize(
    ("kind", "fault", "advice"),
    [
        ("invalid_key", "key_echo", "does not accept the key in OPENAI_API_KEY: set a valid one"),
        ("unknown_model", "unknown_model", "has no model model for this key: correct the model's name"),
        ("quota_exhausted", "insufficient_quota", "has nothing left to pay with: add credit"),
        ("budget", None, r"the budget of \$0\.00 is used up.*raise DATASET_LLM__BUDGET_USD to go on"),
        ("unreachable", "reset", "is right and up, then run again .5 requests in a row used up their attempts"),
    ],
)
def test_a_stopped_run_says_why_keeps_what_it_has_and_can_go_on(server, tmp_path, kind, fault, advice):
    requests = asked(60)
    given = unlimited(server.url, max_in_flight=4, max_attempts=1)
    with open_runtime(given, tmp_path, GROUP) as runtime:
        runtime.run(requests[:3])
    if fault is not None:
        server.control(faults=[{"kind": fault, "count": None}])
    stopping = given if fault is not None else given.model_copy(update={"budget_usd": 1e-6})
    with open_runtime(stopping, tmp_path, GROUP) as runtime:
        runtime.submit(requests)
        with pytest.raises(RunStopped, match=advice) as stopped:
            runtime.wait(requests)
        with pytest.raises(RunStopped, match=advice):  # nor do vectors hang
            runtime.embed(["a text"], "small")
    assert stopped.value.kind == kind and KEY not in str(stopped.value)
    assert all(KEY.encode() not in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    # What was on the wire came home; beyond it nothing was sent.
    assert len(server.journal()) <= 3 + 5 + 2 * 4
    after = progress(tmp_path)
    assert after.ok == 3 and after.in_flight == 0 and after.pending + sum(after.failed.values()) == 57
    server.control(faults=[])
    with open_runtime(given, tmp_path, GROUP) as runtime:
        answers = runtime.run(requests)
    assert {answer.kind for answer in answers.values()} == {"ok"}
    assert sum(row["status"] == 200 for row in server.journal()) == 60


def test_without_a_key_nothing_begins(tmp_path, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(RunStopped, match="set OPENAI_API_KEY") as stopped, open_runtime(LlmSettings(), tmp_path, "run"):
        pass
    assert stopped.value.kind == "invalid_key"


def test_five_failures_with_a_success_between_them_are_no_outage(server, tmp_path):
    requests = asked(9)
    bad = [{"kind": "reset", "match": each.item, "count": 1} for each in requests if each is not requests[4]]
    server.control(faults=bad)
    with open_runtime(unlimited(server.url, max_in_flight=1, max_attempts=1), tmp_path, GROUP) as runtime:
        answers = runtime.run(requests)
    assert [answers[each.key].kind for each in requests] == [*["exhausted"] * 4, "ok", *["exhausted"] * 4]


def test_a_server_that_is_not_there_stops_the_run(tmp_path):
    requests = asked(30)
    given = unlimited(CLOSED, max_attempts=1, max_in_flight=3)
    with pytest.raises(RunStopped, match=CLOSED) as stopped, open_runtime(given, tmp_path, GROUP) as runtime:
        runtime.run(requests)
    assert stopped.value.kind == "unreachable"
    after = progress(tmp_path)
    assert 5 <= after.failed["exhausted"] <= 8 and after.pending == 30 - after.failed["exhausted"]


def test_only_this_group_s_work_is_done(server, tmp_path):
    ours, theirs = asked(3), asked(4, first=100)
    other = Ledger(tmp_path / LEDGER)
    other.enqueue("other", [*theirs, ours[0]])
    with open_runtime(unlimited(server.url), tmp_path, GROUP) as runtime:
        runtime.run(ours)
        assert runtime.progress().total == 3
    assert sent(server) == {each.item: 1 for each in ours}
    assert (other.progress("other").pending, other.progress("other").ok) == (4, 1)
    other.close()


def test_the_label_that_is_waited_for_goes_first(server, tmp_path):
    server.control(latency_s=0.03)
    first, second = asked(20), asked(5, first=100)
    with open_runtime(unlimited(server.url, max_in_flight=1), tmp_path, GROUP) as runtime:
        runtime.submit(first, label="first")
        runtime.submit(second, label="second")
        runtime.wait(second, label="second")
        order = [row["marker"] for row in server.journal()]
        assert len(order) < 20  # the other label's would have come before
        runtime.wait(first)
    assert len(sent(server)) == 25


def _said_by_a_fork(runtime, requests, writer: int) -> None:
    uses = (
        lambda: runtime.submit(asked(1, first=50)),
        lambda: runtime.wait(requests),
        lambda: runtime.embed(["text"], "small"),
        runtime.close,
        runtime._ledger.close,
    )
    try:
        signal.alarm(20)
        for use in uses:
            try:
                use()
                os.write(writer, b"nothing\n")
            except (UnusableLedger, RuntimeError) as error:
                os.write(writer, f"{error}\n".encode())
    finally:
        os._exit(0)


def test_a_fork_of_the_process_is_told_to_open_its_own(server, tmp_path):
    requests = asked(3)
    with open_runtime(unlimited(server.url), tmp_path, GROUP) as runtime:
        runtime.run(requests)
        reader, writer = os.pipe()
        with runtime._ledger._writing, runtime._ledger._reading:  # as if the pump were at the ledger in that moment
            child = os.fork()
            if child == 0:
                _said_by_a_fork(runtime, requests, writer)
        os.close(writer)
        with os.fdopen(reader) as told:
            said = told.read().splitlines()
        os.waitpid(child, 0)
        # What the child did to its copies is nothing to this process.
        assert len(runtime.run(asked(2, first=60))) == 2
    assert len(said) == 5 and all("forked" in each for each in said[:3]) and said[3:] == ["nothing"] * 2


def test_what_another_process_asks_anew_meanwhile_is_waited_for(server, tmp_path):
    first, second = asked(2)
    server.control(latency_s=0.6, faults=[{"kind": "bad_request", "match": first.item}])
    other = Ledger(tmp_path / LEDGER)

    def ask_anew() -> None:
        until(lambda: not other.unsettled([first.key]), "the first one's failure")
        assert other.enqueue(GROUP, [first]).rearmed == 1

    with open_runtime(unlimited(server.url, max_in_flight=1), tmp_path, GROUP) as runtime:
        runtime.submit([first, second])
        thread = threading.Thread(target=ask_anew)
        thread.start()
        answers = runtime.wait([first, second])
        thread.join()
    assert {answer.kind for answer in answers.values()} == {"ok"} and len(answers) == 2
    other.close()


TEXTS = [f"text {number}" for number in range(7)]


def test_vectors_come_through_the_pump_are_accounted_for_and_paid_once(server, tmp_path):
    with open_runtime(unlimited(server.url), tmp_path, GROUP) as runtime:
        vectors = runtime.embed([*TEXTS, TEXTS[0]], "small", dimensions=8)
        spent = runtime.progress().ledger_spent_usd
        assert (runtime.embed(TEXTS, "small", dimensions=8) == vectors[:7]).all()
    assert vectors.dtype == np.float32 and vectors.shape == (8, 8)
    assert vectors[3] == pytest.approx(list(vector(TEXTS[3], 8))) and (vectors[7] == vectors[0]).all()
    [row] = server.journal()
    assert row["path"] == "/v1/embeddings" and spent == pytest.approx(1e-6 * row["tokens"][0])
    with open_ledger(tmp_path) as ledger:
        [call] = ledger.calls_table().to_pylist()
    assert (call["outcome"], call["group"], call["item"]) == ("ok", GROUP, "")
    assert call["worker"] == f"{GROUP}/{os.getpid()}" and call["cost_usd"] == pytest.approx(spent)


def test_vectors_are_within_the_budget_of_everything(server, tmp_path):
    dear = {"input_usd_per_million": 1000.0, "output_usd_per_million": 0.0}
    with open_runtime(unlimited(server.url, budget_usd=0.2, **dear), tmp_path, GROUP) as runtime:
        runtime.run(asked(1))
        spent = runtime.progress().ledger_spent_usd
        assert spent > 0
        with pytest.raises(RunStopped, match="raise DATASET_LLM__BUDGET_USD") as stopped:
            for number in range(400):
                runtime.embed([f"{number}: " + "word " * 20], "small")
        assert stopped.value.kind == "budget"
        assert spent < runtime.progress().ledger_spent_usd <= 0.2
        assert len(runtime.embed(["0: " + "word " * 20], "small")) == 1  # what is paid for is there


def test_vectors_on_the_wire_are_kept_when_the_runtime_closes(server, tmp_path):
    server.control(latency_s=0.6)
    texts = [f"sentence {number}" for number in range(250)]  # three requests, one at a time
    given = unlimited(server.url, max_in_flight=1)
    ended = []

    def embed(runtime) -> None:
        try:
            runtime.embed(texts, "small")
        except RuntimeError as error:
            ended.append(str(error))

    with open_runtime(given, tmp_path, GROUP) as runtime:
        thread = threading.Thread(target=embed, args=(runtime,))
        thread.start()
        until_sent(server, 1)
    thread.join()
    assert ended == ["the runtime was closed; what came until then is kept"]
    assert len(server.journal()) == 1 and outcomes(tmp_path) == {"ok": 1}
    server.control(latency_s=0)
    with open_runtime(given, tmp_path, GROUP) as runtime:
        assert len(runtime.embed(texts, "small")) == 250
    assert len(server.journal()) == 3


def test_vectors_that_wait_for_the_provider_s_pause_do_not_hold_up_the_end(server, tmp_path):
    ended = []

    def embed(runtime) -> None:
        with pytest.raises(RuntimeError, match="the runtime was closed"):
            runtime.embed(TEXTS, "small")
        ended.append(True)

    with open_runtime(unlimited(server.url), tmp_path, GROUP) as runtime:
        limiter_of(runtime.settings, tmp_path, "small").throttled(3600)
        thread = threading.Thread(target=embed, args=(runtime,))
        thread.start()
        until(lambda: runtime._pump._has_begun.is_set() and runtime._pump._called_tasks, "the texts' turn")
    thread.join(10)
    assert ended and server.journal() == [] and outcomes(tmp_path) == {}


def test_a_closed_runtime_embeds_nothing(server, tmp_path):
    with open_runtime(unlimited(server.url), tmp_path, GROUP) as runtime:
        pass
    with pytest.raises(RuntimeError, match="closed"):
        runtime.embed(TEXTS, "small")
    runtime.close()


def test_an_interrupt_while_vectors_come_leaves_them_in_the_cache(server, tmp_path, monkeypatch):
    server.control(latency_s=0.5)
    given = unlimited(server.url)
    with pytest.raises(KeyboardInterrupt), open_runtime(given, tmp_path, GROUP) as runtime:
        thread = threading.Thread(target=runtime.embed, args=(TEXTS, "small"))
        thread.start()
        interrupting(server, 1)(runtime.progress())
    thread.join()
    with open_runtime(given, tmp_path, GROUP) as runtime:
        runtime.embed(TEXTS, "small")
    assert len(server.journal()) == 1 and outcomes(tmp_path) == {"ok": 1}


def test_each_model_has_limits_of_its_own(server, tmp_path):
    given = unlimited(server.url)
    requests = asked(6)
    others = [replace(request, model="strong") for request in requests]
    limiter_of(given, tmp_path, "strong").throttled(3600)
    with open_runtime(given, tmp_path, GROUP) as runtime:
        runtime.submit([*others, *requests])
        assert len(runtime.wait(requests)) == 6
    assert {row["model"] for row in server.journal()} == {requests[0].model} != {"strong"}
