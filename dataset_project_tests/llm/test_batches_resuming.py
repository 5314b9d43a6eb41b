"""Batches outlive processes: killed, interrupted, taken over, several at once, the other mode; none is made twice."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from dataset_project.llm import batches as keeping
from dataset_project.llm import runtime as door
from dataset_project.llm.batch_register import BatchRegister
from dataset_project.llm.batch_sending import BatchSender
from dataset_project.llm.client import ModelClient
from dataset_project.llm.ledger import Ledger
from dataset_project.llm.requests import RunStopped
from dataset_project.llm.runtime import open_runtime
from dataset_project_tests.llm.batch_cases import ECHO, asked, batches, lines, settings
from dataset_project_tests.llm.server import loopback_server

DEADLINE_S = 60.0
PROCESS = """
import json, sys
from pathlib import Path
from dataset_project.llm import batches as keeping
from dataset_project.llm import runtime as door
from dataset_project.llm.runtime import open_runtime
from dataset_project_tests.llm.batch_cases import asked, settings

keeping.QUIET_S, keeping._IDLE_S, door._LOOK_EVERY_S = 0.3, 0.02, 0.1
url, directory, first, last = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
requests = asked(last)[first:]
with open_runtime(settings(url, lease_s=1), directory, "trials") as runtime:
    print("asking", flush=True)
    answers = runtime.run(requests)
print(json.dumps({each.key: answers[each.key].content for each in requests}))
"""


@pytest.fixture
def server():
    with loopback_server(answers=ECHO, batch_s=0.05) as running:
        yield running


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    monkeypatch.setattr(keeping, "QUIET_S", 0.02)
    monkeypatch.setattr(keeping, "_IDLE_S", 0.02)
    monkeypatch.setattr(door, "_LOOK_EVERY_S", 0.1)


def start(server, directory, first, last):
    command = [sys.executable, "-c", PROCESS, server.url, str(directory), str(first), str(last)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def until(condition):
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_submitted(directory):
    path = directory / "ledger.sqlite"
    if not path.exists():
        return False
    with sqlite3.connect(path) as file:
        try:
            return file.execute("SELECT count(*) FROM batches WHERE provider_id IS NOT NULL").fetchone()[0] > 0
        except sqlite3.OperationalError:
            return False  # being made


def run(server, directory, requests, **changes):
    with open_runtime(settings(server.url, lease_s=1, **changes), directory, "trials") as runtime:
        return runtime.run(requests)


def assert_each_was_sent_once(server, requests):
    sent = [line["custom_id"] for batch in batches(server) for line in lines(server, batch)]
    assert sorted(sent) == sorted(each.key for each in requests)


def account(directory):
    ledger = Ledger(directory / "ledger.sqlite")
    try:
        return ledger.spending(), ledger.calls_table().to_pylist()
    finally:
        ledger.close()


def test_a_batch_whose_process_was_killed_is_collected_by_the_next_one(server, tmp_path):
    server.control(batch_s=3600)
    process = start(server, tmp_path, 0, 100)
    try:
        # On a busy machine they may go out in more than one batch.
        until(lambda: (is_submitted(tmp_path) and account(tmp_path)[0].in_flight == 100) or process.poll() is not None)
        process.send_signal(signal.SIGKILL)
        _, error = process.communicate(timeout=DEADLINE_S)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == -signal.SIGKILL, error
    time.sleep(1.1)  # every lease has run out
    spent = account(tmp_path)[0]
    assert (spent.spent_usd, spent.in_flight) == (0.0, 100)
    server.control(batch_s=0.05)
    answers = run(server, tmp_path, asked(120))
    assert {answers[each.key].value["notes"] for each in asked(120)} == {each.item for each in asked(120)}
    assert_each_was_sent_once(server, asked(120))
    spent, calls = account(tmp_path)
    assert [call["outcome"] for call in calls] == ["ok"] * 120, "nothing is lost, nothing is paid twice"
    assert spent.spent_usd == pytest.approx(sum(call["cost_usd"] for call in calls)) and spent.reserved_usd == 0.0


def test_processes_at_once_share_the_work_and_send_each_task_once(server, tmp_path):
    server.control(batch_s=0.5)
    processes = [start(server, tmp_path, 0, 60), start(server, tmp_path, 40, 100), start(server, tmp_path, 0, 100)]
    answers = {}
    try:
        for process in processes:
            out, error = process.communicate(timeout=DEADLINE_S)
            assert process.returncode == 0, error
            answers |= json.loads(out.splitlines()[-1])
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert {json.loads(answers[each.key])["notes"] for each in asked(100)} == {each.item for each in asked(100)}
    assert_each_was_sent_once(server, asked(100))
    assert [call["outcome"] for call in account(tmp_path)[1]] == ["ok"] * 100


@pytest.mark.parametrize(
    ("owner", "step", "uploads"),
    [
        (BatchSender, "upload", 1),  # nothing was sent
        (BatchSender, "create", 1),  # the file is there, the batch is not
        (BatchRegister, "note_submitted", 1),  # the batch is there, and nobody noted it
        (BatchRegister, "note_file", 2),  # the file is there, and nobody noted it
    ],
)
def test_a_process_that_ends_between_two_steps_leaves_one_batch(server, tmp_path, monkeypatch, owner, step, uploads):
    class Killed(Exception):
        pass

    def end(*_):
        raise Killed

    async def end_before(*_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(owner, step, end if owner is BatchRegister else end_before)
        patch.setattr(BatchRegister, "let_go", lambda self: [])  # the killed do not
        with pytest.raises(Killed):
            run(server, tmp_path, asked(10))
    assert account(tmp_path)[0].in_flight == 10
    answers = run(server, tmp_path, asked(10))
    assert {each.kind for each in answers.values()} == {"ok"} and len(batches(server)) == 1
    assert_each_was_sent_once(server, asked(10))
    assert sum(row["path"] == "/v1/files" for row in server.journal()) == uploads


def test_an_interrupted_run_says_that_its_batch_goes_on_and_the_next_one_collects_it(server, tmp_path, caplog):
    server.control(batch_s=3600)
    with (
        caplog.at_level(logging.WARNING, "dataset_project.llm"),
        pytest.raises(KeyboardInterrupt),
        open_runtime(settings(server.url), tmp_path, "trials") as runtime,
    ):
        runtime.submit(asked(6))
        until(lambda: is_submitted(tmp_path))
        raise KeyboardInterrupt
    assert "batch batch_1 with 6 requests goes on at http://127.0.0.1" in caplog.text
    assert batches(server)[0]["status"] == "in_progress" or batches(server)[0]["status"] == "validating"
    server.control(batch_s=0.05)
    with open_runtime(settings(server.url), tmp_path, "another group") as runtime:  # at once: the lease was given up
        answers = runtime.run(asked(6))
    assert {each.kind for each in answers.values()} == {"ok"}
    assert_each_was_sent_once(server, asked(6))


def test_live_mode_collects_a_batch_that_was_left_and_calls_for_the_rest(server, tmp_path):
    server.control(batch_s=3600, faults=[{"kind": "malformed_json", "match": "NCT90000001"}])
    with open_runtime(settings(server.url), tmp_path, "trials") as runtime:
        runtime.submit(asked(4))
        until(lambda: is_submitted(tmp_path))
    server.control(batch_s=0.05)
    answers = run(server, tmp_path, asked(6), mode="live")
    assert {each.kind for each in answers.values()} == {"ok"}
    assert len(batches(server)) == 1 and len(lines(server, batches(server)[0])) == 4
    calls = account(tmp_path)[1]
    by_item = {item: [c["worker"].startswith("batch/") for c in calls if c["item"] == item] for item in _items(6)}
    assert by_item == dict(zip(_items(6), [[True], [True, False], [True], [True], [False], [False]], strict=True))


def _items(count):
    return [each.item for each in asked(count)]


def test_a_batch_made_twice_is_cancelled_once(server, tmp_path, monkeypatch):
    from openai import OpenAI

    original = BatchSender.create
    sdk = OpenAI(api_key="none", base_url=server.url, max_retries=0)

    async def lost_answer(self, batch, file_id):
        # Created, and the answer lost; and once more by somebody who did not look.
        await original(self, batch, file_id)
        sdk.batches.create(input_file_id=file_id, endpoint="/v1/chat/completions", completion_window="24h")
        from dataset_project.llm.faults import CallFailed

        raise CallFailed("reset", "connection reset", may_be_billed=True)

    server.control(batch_s=0.5)
    monkeypatch.setattr(BatchSender, "create", lost_answer)
    answers = run(server, tmp_path, asked(3))
    assert {each.kind for each in answers.values()} == {"ok"}
    assert sorted(each["status"] for each in batches(server)) == ["cancelled", "completed"]
    assert [call["outcome"] for call in account(tmp_path)[1]] == ["ok"] * 3


@pytest.mark.parametrize("adopted", [True, False])
def test_a_process_that_was_taken_for_dead_cancels_only_what_does_not_count(server, tmp_path, adopted):
    server.control(batch_s=3600)
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.enqueue("trials", asked(3))
    slow, quick = (BatchRegister(ledger, name, server.url, lease_s=-1) for name in ("slow", "quick"))

    async def race():
        client = ModelClient(settings(server.url))
        first, second = (BatchSender(client, each, asyncio.to_thread) for each in (slow, quick))
        (batch,) = slow.form("trials", 3, None)
        file_id = await first.upload(batch)
        made = [] if adopted else [await second.create(batch, file_id)]
        mine = await first.create(batch, file_id)
        (taken,) = quick.hold()  # before the other has noted anything
        await first.note(batch, [mine], is_new=True)
        assert {each["status"] for each in batches(server)} == {"validating"}, "nobody has said yet which one counts"
        found = await second.find(taken)
        await second.note(taken, made or found, is_new=bool(made))
        await first.cancel_spares()
        await client.close()
        return (made or found)[0], mine

    counts, mine = asyncio.run(race())
    states = {each["id"]: each["status"] == "cancelled" for each in batches(server)}
    assert states == ({mine: False} if adopted else {counts: False, mine: True})
    ledger.close()


def test_a_batch_at_another_address_is_not_asked_again_here(server, tmp_path):
    server.control(batch_s=3600)
    with open_runtime(settings(server.url), tmp_path, "trials") as runtime:
        runtime.submit(asked(3))
        until(lambda: is_submitted(tmp_path))
    with loopback_server() as other:
        for mode in ("batch", "live"):
            with pytest.raises(RunStopped, match=rf"batch_1 with 3 requests .*BASE_URL={server.url}") as stop:
                run(other, tmp_path, asked(3), mode=mode)
            assert stop.value.kind == "unreachable"
        with open_runtime(settings(other.url), tmp_path, "another group") as runtime:  # which it does not hold up
            assert len(runtime.run(asked(5)[3:])) == 2
        _age(tmp_path, 3 * 86_400)
        assert {each.kind for each in run(other, tmp_path, asked(3)).values()} == {"ok"}
    calls = account(tmp_path)[1]
    missing = [call for call in calls if call["outcome"] == "missing"]
    assert len(missing) == 3 and all(call["cost_usd"] > 2 * 200 / 1e6 for call in missing)


def test_a_batch_that_the_key_does_not_see_is_given_up_after_two_days_at_its_worst_cost(server, tmp_path):
    server.control(batch_s=3600)
    with open_runtime(settings(server.url), tmp_path, "trials") as runtime:
        runtime.submit(asked(2))
        until(lambda: is_submitted(tmp_path))
    with sqlite3.connect(tmp_path / "ledger.sqlite") as file:
        file.execute("UPDATE batches SET provider_id = 'batch_of_another_project'")
    with pytest.raises(RunStopped, match=r"batch_of_another_project .*key"):
        run(server, tmp_path, asked(2))
    assert account(tmp_path)[0].in_flight == 2 and len(batches(server)) == 1
    _age(tmp_path, 3 * 86_400)
    server.control(batch_s=0.05)
    assert {each.kind for each in run(server, tmp_path, asked(2)).values()} == {"ok"}
    assert sorted(call["outcome"] for call in account(tmp_path)[1]) == ["missing", "missing", "ok", "ok"]


def _age(directory, seconds):
    with sqlite3.connect(directory / "ledger.sqlite") as file:
        file.execute(
            "UPDATE batches SET submitted_at = submitted_at - ?, formed_at = formed_at - ?", (seconds, seconds)
        )


@pytest.mark.slow
def test_killed_again_and_again_at_any_moment_each_task_is_sent_and_paid_once(server, tmp_path):
    server.control(batch_s=0.3)
    rng, requests, killed = random.Random(5), asked(400), 0
    for last in range(40, 401, 40):  # more is asked each time, so that there is always something to do
        process = start(server, tmp_path, 0, last)
        try:
            process.stdout.readline()
            time.sleep(rng.uniform(0.25, 0.75))
            killed += process.poll() is None
        finally:
            process.kill()
            process.communicate()
    time.sleep(1.1)
    answers = run(server, tmp_path, requests)
    assert {answers[each.key].value["notes"] for each in requests} == {each.item for each in requests}
    assert killed > 5
    assert_each_was_sent_once(server, requests)
    spent, calls = account(tmp_path)
    assert [call["outcome"] for call in calls] == ["ok"] * 400
    assert spent.spent_usd == pytest.approx(sum(call["cost_usd"] for call in calls)) and spent.in_flight == 0
