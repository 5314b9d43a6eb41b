"""How work is pumped: shared by processes, interrupted, killed, without a ledger to write to. Nothing is lost, nothing
is paid twice, everything is accounted for."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import threading
import time
from collections import Counter

import pytest

from dataset_project.llm import pump
from dataset_project.llm.books import Books, Ended
from dataset_project.llm.ledger import Ledger
from dataset_project.llm.ledger_schema import UnusableLedger
from dataset_project.llm.on_record import open_ledger
from dataset_project.llm.requests import CallRecord, Settlement
from dataset_project.llm.runtime import LEDGER, limiter_of, open_runtime
from dataset_project_tests.llm.runs import (
    DEADLINE_S,
    GROUP,
    asked,
    interrupting,
    outcomes,
    process,
    progress,
    sent,
    unlimited,
    until,
    until_sent,
)
from dataset_project_tests.llm.server import loopback_server


@pytest.fixture(scope="module")
def shared():
    with loopback_server() as server:
        yield server


@pytest.fixture
def server(shared, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    shared.reset()
    return shared


def finish(server, given, directory, requests) -> None:
    """A later run that ends the work: everything answered."""
    server.control(faults=[], latency_s=0)
    with open_runtime(given, directory, GROUP) as runtime:
        answers = runtime.run(requests)
    assert {answer.kind for answer in answers.values()} == {"ok"} and len(answers) == len(requests)


def calls(directory) -> list[dict]:
    with open_ledger(directory) as ledger:
        return ledger.calls_table().to_pylist()


def test_two_processes_of_a_group_share_the_work_and_send_each_request_once(server, tmp_path):
    server.control(latency_s=0.05)
    requests, given = asked(60), unlimited(server.url, max_in_flight=8)
    with process(given, tmp_path, requests) as first, process(given, tmp_path, requests) as second:
        first.join(DEADLINE_S)
        second.join(DEADLINE_S)
        assert first.exitcode == second.exitcode == 0
    assert sent(server) == {each.item: 1 for each in requests}
    workers = Counter(call["worker"] for call in calls(tmp_path))
    assert set(workers) == {f"{GROUP}/{first.pid}", f"{GROUP}/{second.pid}"} and min(workers.values()) > 8


def test_no_more_requests_are_in_flight_than_allowed(server, tmp_path):
    latency = 0.25
    server.control(latency_s=latency)
    with open_runtime(unlimited(server.url, max_in_flight=5), tmp_path, GROUP) as runtime:
        runtime.submit(asked(20))
        leased = []
        until(lambda: leased.append(runtime.progress().in_flight) or runtime.progress().ok == 20, "all answers")
    # Nor does it keep from others what it cannot send yet, beside what is answered and about to be recorded.
    assert 5 <= max(leased) <= 10
    arrivals = [row["at"] for row in server.journal()]
    at_once = [sum(at - 0.9 * latency < other <= at for other in arrivals) for at in arrivals]
    assert max(at_once) <= 5


def test_an_interrupted_run_brings_home_what_is_on_the_wire_and_gives_back_the_rest(server, tmp_path):
    server.control(latency_s=0.5)
    requests, given = asked(40), unlimited(server.url, max_in_flight=8)
    with pytest.raises(KeyboardInterrupt), open_runtime(given, tmp_path, GROUP) as runtime:
        runtime.submit(requests)
        runtime.wait(requests, on_progress=interrupting(server, 8))
    after = progress(tmp_path)
    assert (after.ok, after.pending, after.in_flight) == (8, 32, 0)
    assert outcomes(tmp_path) == {"ok": 8} and len(server.journal()) == 8
    finish(server, given, tmp_path, requests)
    assert sent(server) == {each.item: 1 for each in requests}


def test_ctrl_c_to_a_process_loses_nothing(server, tmp_path):
    server.control(latency_s=0.4)
    requests, given = asked(30), unlimited(server.url, max_in_flight=6)
    with process(given, tmp_path, requests) as running:
        until_sent(server, 6)
        os.kill(running.pid, signal.SIGINT)
        running.join(DEADLINE_S)
        assert running.exitcode == 130
    after, on_server = progress(tmp_path), len(server.journal())
    assert after.ok == on_server < 30 and after.in_flight == 0 and after.pending == 30 - on_server
    finish(server, given, tmp_path, requests)
    assert sent(server) == {each.item: 1 for each in requests}


def test_what_hangs_at_the_end_is_cut_off_and_booked_at_its_worst(server, tmp_path):
    requests, given = asked(6), unlimited(server.url, timeout_s=600)
    server.control(faults=[{"kind": "hang", "match": requests[3].item}])
    began = time.time()
    with open_runtime(given, tmp_path, GROUP) as runtime:
        runtime.submit(requests)
        until(lambda: runtime.progress().ok == 5, "five answers")
        worst = runtime.progress().ledger_spent_usd
        runtime.close(grace_s=0.3)
    [cut_off] = [call for call in calls(tmp_path) if call["outcome"] != "ok"]
    assert (cut_off["outcome"], cut_off["item"], cut_off["attempt"]) == ("interrupted", requests[3].item, 1)
    assert cut_off["cost_usd"] > max(call["cost_usd"] for call in calls(tmp_path) if call["outcome"] == "ok")
    assert began - 0.01 < cut_off["started_at"].timestamp() < time.time() - 0.3 and cut_off["latency_ms"] >= 300
    after = progress(tmp_path)
    assert (after.pending, after.in_flight) == (1, 0)
    assert after.ledger_spent_usd == pytest.approx(worst + cut_off["cost_usd"])
    finish(server, given, tmp_path, requests)
    assert sent(server) == {each.item: 1 for each in requests} | {requests[3].item: 2}


def test_a_call_cut_off_with_a_raised_cap_counts_with_that(server, tmp_path):
    [request], given = asked(1), unlimited(server.url, timeout_s=600)
    # The first answer is cut off by its cap; the call with the raised one hangs.
    server.control(faults=[{"kind": "length", "below_cap": 201}, {"kind": "hang"}])
    with open_runtime(given, tmp_path, GROUP) as runtime:
        runtime.submit([request])
        until_sent(server, 2)
        runtime.close(grace_s=0)
    first, second = calls(tmp_path)
    assert (first["outcome"], second["outcome"], second["attempt"]) == ("truncated", "interrupted", 2)
    assert second["cost_usd"] >= 4 * 200 * 2e-6


def test_an_interrupt_while_the_last_answers_come_for_others_does_not_lose_them(server, tmp_path, monkeypatch):
    monkeypatch.setattr(pump, "GRACE_S", 0.6)
    requests, given = asked(4), unlimited(server.url, timeout_s=600)
    server.control(latency_s=0.3, faults=[{"kind": "hang", "match": requests[3].item}])
    interrupt = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
    other = Ledger(tmp_path / LEDGER)
    other.enqueue(GROUP, requests)
    with pytest.raises(KeyboardInterrupt), open_runtime(given, tmp_path, GROUP):
        until_sent(server, 4)
        interrupt.start()  # the runtime closes by then, and would wait for `timeout_s`
    assert outcomes(tmp_path) == {"ok": 3, "interrupted": 1}
    assert other.progress(GROUP).in_flight == 0
    other.close()


def test_a_killed_process_is_taken_over_once_its_lease_is_out(server, tmp_path):
    server.control(latency_s=0.3)
    requests, given = asked(30), unlimited(server.url, max_in_flight=6, lease_s=1)
    with process(given, tmp_path, requests) as killed:
        until_sent(server, 10)
        os.kill(killed.pid, signal.SIGKILL)
        killed.join()
    leased = progress(tmp_path).in_flight
    assert 1 <= leased <= 6
    finish(server, given, tmp_path, requests)
    assert outcomes(tmp_path) == {"ok": 30, "lost": leased}
    assert max(sent(server).values()) <= 2 and 30 <= len(server.journal()) <= 30 + leased


def test_a_lease_that_lapsed_while_the_machine_slept_is_no_reason_to_send_again(server, tmp_path):
    server.control(latency_s=1.0)
    requests = asked(4)
    with open_runtime(unlimited(server.url, lease_s=50), tmp_path, GROUP) as runtime:
        runtime.submit(requests)
        until_sent(server, 4)
        runtime._ledger._clock = lambda: time.time() + 1000
        answers = runtime.wait(requests)
    assert {answer.kind for answer in answers.values()} == {"ok"}
    assert sent(server) == {each.item: 1 for each in requests}
    assert outcomes(tmp_path) == {"ok": 4, "lost": 4}  # for all the ledger knows, they were another's


def test_leases_are_kept_while_answers_take_longer_than_they_last(server, tmp_path):
    server.control(latency_s=1.6)
    requests, given = asked(3), unlimited(server.url, lease_s=1)
    with process(given, tmp_path, requests) as other:
        until_sent(server, 3)
        with open_runtime(given, tmp_path, GROUP) as runtime:  # looks for lapsed leases four times a second
            assert len(runtime.run(requests)) == 3
        other.join(DEADLINE_S)
    assert len(server.journal()) == 3 and outcomes(tmp_path) == {"ok": 3}


def until_raised(runtime, requests, kind=UnusableLedger) -> str:
    with pytest.raises(kind) as raised:
        runtime.wait(requests)
    return str(raised.value)


@pytest.mark.parametrize(
    ("fault", "message"),
    [("PRAGMA max_page_count = 1", "full"), ("PRAGMA query_only = 1", "readonly")],
)
def test_a_ledger_that_cannot_be_written_ends_the_run_with_an_error(server, tmp_path, fault, message):
    server.control(latency_s=0.05, answer='{"area":"other","healthy":true,"confidence":1,"notes":"%s"}' % ("x" * 9000))
    requests, given = asked(60), unlimited(server.url, max_in_flight=4)
    with open_runtime(given, tmp_path, GROUP) as runtime:
        runtime.submit(requests)
        runtime.wait(requests[:5])
        runtime._ledger._writer.execute(fault)
        assert message in until_raised(runtime, requests)
        runtime.close()
        on_server = len(server.journal())
    assert on_server < 30
    after = progress(tmp_path)
    assert after.ok >= 5 and on_server - 12 <= after.ok <= on_server
    # What is not on record stays leased, and is accounted for by whoever takes it over.
    assert after.ok + after.pending + after.in_flight == 60


def test_what_is_claimed_while_the_run_ends_is_given_back(server, tmp_path, monkeypatch):
    requests = asked(9)
    with open_runtime(unlimited(server.url), tmp_path, GROUP) as runtime:
        claim = runtime._pump._claim

        def claim_and_end(count: int):
            claimed = claim(count)
            runtime._pump._ending = runtime._pump._ending or bool(claimed)
            return claimed

        monkeypatch.setattr(runtime._pump, "_claim", claim_and_end)
        runtime.submit(requests)
    assert (progress(tmp_path).pending, progress(tmp_path).in_flight) == (9, 0)
    assert server.journal() == []


def test_answers_that_could_not_be_recorded_at_once_are_at_the_end(server, tmp_path, monkeypatch):
    requests, given = asked(12), unlimited(server.url, max_in_flight=4)
    server.control(latency_s=0.1)
    with open_runtime(given, tmp_path, GROUP) as runtime:
        runtime.submit(requests)
        runtime.wait(requests[:4])
        settle, fails = runtime._ledger.settle, iter([True])

        def settle_later(*arguments):
            if next(fails, False):
                raise UnusableLedger("the disk is full, for a moment")
            return settle(*arguments)

        monkeypatch.setattr(runtime._ledger, "settle", settle_later)
        assert "for a moment" in until_raised(runtime, requests)
    assert progress(tmp_path).ok == len(server.journal()) < 12
    assert outcomes(tmp_path) == {"ok": len(server.journal())}


def test_calls_are_booked_once_when_recording_them_takes_two_tries(tmp_path, monkeypatch):
    requests, failures = asked(2), []
    ledger = Ledger(tmp_path / LEDGER)
    ledger.enqueue(GROUP, requests)
    done, given_back = (each.key for each in ledger.claim(GROUP, "w", 2))
    release, fails = ledger.release, iter([True])

    def release_later(*arguments):
        if next(fails, False):
            raise UnusableLedger("locked, for a moment")
        return release(*arguments)

    monkeypatch.setattr(ledger, "release", release_later)

    async def record() -> None:
        books = Books(ledger, "w", 60, lambda: None, failures.append)
        books.leased.update((done, given_back))
        books.put(Ended(done, Settlement(done, "ok", "{}"), [CallRecord(done, 1, 1.0, 1.0, "ok", "m")]))
        books.put(Ended(given_back, None, [CallRecord(given_back, 1, 1.0, 1.0, "reset", "m")]))
        while not failures:
            await asyncio.sleep(0.01)
        await books.close()
        assert books.leased == set()

    asyncio.run(record())
    assert [str(failure) for failure in failures] == ["locked, for a moment"]
    assert outcomes(tmp_path) == {"ok": 1, "reset": 1}
    assert (ledger.progress(GROUP).ok, ledger.progress(GROUP).pending) == (1, 1)
    ledger.close()


def test_a_system_without_threads_left_is_an_error_and_no_hang(server, tmp_path, monkeypatch):
    def cannot(thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", cannot)
    with pytest.raises(RuntimeError, match="new thread"), open_runtime(unlimited(server.url), tmp_path, GROUP):
        pass


def test_a_mistake_in_the_pump_reaches_who_waits_and_leaves_the_ledger_in_order(server, tmp_path, monkeypatch):
    requests = asked(8)

    async def mistaken(request, *arguments) -> Settlement:
        raise ZeroDivisionError(f"about {request.item}")

    monkeypatch.setattr(pump, "settle_request", mistaken)
    with open_runtime(unlimited(server.url), tmp_path, GROUP) as runtime:
        runtime.submit(requests)
        assert "about NCT9000000" in until_raised(runtime, requests, ZeroDivisionError)
    assert (progress(tmp_path).pending, progress(tmp_path).in_flight) == (8, 0)


def test_nobody_waits_for_a_cool_down_to_end_the_run(server, tmp_path):
    server.control(faults=[{"kind": "rate_limited", "retry_after": 3600, "count": 1}])
    requests, given = asked(20), unlimited(server.url, max_in_flight=2)
    began = time.monotonic()
    with open_runtime(given, tmp_path, GROUP) as runtime:
        runtime.submit(requests)
        until(lambda: limiter_of(given, tmp_path, requests[0].model).state().cool_down_s > 0, "a cool-down")
    assert time.monotonic() - began < DEADLINE_S
    after = progress(tmp_path)
    assert after.in_flight == 0 and after.pending + after.ok == 20 and after.pending >= 16
    assert outcomes(tmp_path)["rate_limited"] == 1 and "interrupted" not in outcomes(tmp_path)


def test_closing_an_idle_runtime_twice_is_fine(server, tmp_path):
    with open_runtime(unlimited(server.url), tmp_path, GROUP) as runtime:
        runtime.close()
    runtime.close()


def test_an_interrupt_while_the_ledger_is_locked_leaves_it_usable(tmp_path):
    ledger = Ledger(tmp_path / LEDGER)
    other = sqlite3.connect(tmp_path / LEDGER, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")

    def interrupt_and_unlock() -> None:
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.2)
        other.execute("ROLLBACK")

    thread = threading.Thread(target=interrupt_and_unlock)
    with pytest.raises(KeyboardInterrupt):
        thread.start()
        ledger.enqueue(GROUP, asked(3))
        thread.join()
    thread.join()
    # Else: "cannot start a transaction within a transaction", and every paid answer after it is lost.
    assert ledger.enqueue(GROUP, asked(3)).new == 3
    other.close()
    ledger.close()
