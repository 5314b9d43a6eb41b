"""The ledger under several processes, and with files that are not what they should be."""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from dataset_project.llm.ledger import Ledger
from dataset_project.llm.ledger_schema import UnusableLedger
from dataset_project.llm.requests import ModelRequest

SCHEMA = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
DEADLINE_S = 60

# A worker: claims until all is settled, says "sends" with the keys before it would send them and settles one by one.
WORKER = """
import os, sys, time
from dataset_project.llm.ledger import Ledger
from dataset_project.llm.requests import CallRecord, RunStopped, Settlement, Usage

path, worker, lease_s, budget, log = sys.argv[1:]
budget_usd, log = float(budget) or None, os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
ledger = Ledger(path, lease_s=float(lease_s))
while True:
    try:
        claimed = ledger.claim("run", worker, 8, budget_usd=budget_usd)
    except RunStopped as stop:
        print(stop.kind, ledger.spending().in_flight)
        break
    account = ledger.spending()
    assert not budget_usd or account.spent_usd + account.reserved_usd <= budget_usd, account
    if not claimed:
        progress = ledger.progress("run")
        if not progress.pending and not progress.in_flight:
            print("done")
            break
        time.sleep(0.02)
        continue
    for place in range(0, len(claimed), 4):
        group = claimed[place : place + 4]
        calls = [CallRecord(each.key, 1, time.time(), 1.0, "ok", "m", Usage(10, 1), 0.01, 200) for each in group]
        os.write(log, "".join(f"{worker} {each.key}\\n" for each in group).encode())
        time.sleep(0.005)
        answers = [Settlement(each.key, "ok", f'"{each.request.item} by {worker}"') for each in group]
        ledger.settle(worker, answers, calls)
"""


def requests(count: int) -> list[ModelRequest]:
    long = "Facts only. " * 100
    return [ModelRequest(f"item {n}", "m", (("system", long), ("user", str(n))), "s", SCHEMA) for n in range(count)]


def start(path: Path, worker: str, lease_s: float, budget: float = 0.0) -> subprocess.Popen:
    command = [sys.executable, "-c", WORKER, str(path), worker, str(lease_s), str(budget), str(path) + ".log"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen) -> str:
    out, error = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 0, error
    return out.strip()


@pytest.mark.parametrize(("count", "kills"), [(1200, 4), pytest.param(3000, 12, marks=pytest.mark.slow)])
def test_killed_workers_lose_nothing_and_duplicate_nothing(tmp_path, count, kills):
    path, asked = tmp_path / "ledger.sqlite", requests(count)
    ledger = Ledger(path)
    ledger.enqueue("run", asked, {each.key: 0.02 for each in asked})
    log, rng, running, names, killed = Path(f"{path}.log"), random.Random(7), {}, iter(range(10_000)), []
    deadline = time.monotonic() + DEADLINE_S
    try:
        while (done := ledger.progress("run").ok) < len(asked):
            assert time.monotonic() < deadline, f"{done} of {len(asked)} settled"
            for name, process in list(running.items()):
                if process.poll() is not None:
                    finish(running.pop(name))
            while len(running) < 3:
                name = f"w{next(names)}"
                running[name] = start(path, name, lease_s=0.5)
            time.sleep(rng.uniform(0, 0.1))
            # Kill who sent last, which is in the middle of it; the last ones may finish.
            lines = log.read_text().splitlines() if log.exists() else []
            victim = lines[-1].split()[0] if lines else ""
            if victim in running and len(killed) < kills:
                running[victim].send_signal(signal.SIGKILL)
                running.pop(victim).communicate()
                killed.append(victim)
        for process in running.values():
            finish(process)
    finally:
        for process in running.values():
            process.kill()
            process.wait()
    answers = ledger.answers([each.key for each in asked])
    assert {each.key: answers[each.key].value.split(" by ")[0] for each in asked} == {e.key: e.item for e in asked}
    assert len(killed) >= kills // 2
    with sqlite3.connect(path) as file:
        assert file.execute("SELECT count(*), count(DISTINCT task_id) FROM results").fetchone() == (count, count)
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    calls = ledger.calls_table().to_pylist()
    lost = [each for each in calls if each["outcome"] == "lost"]
    sent = Counter(line.split()[1] for line in log.read_text().splitlines())
    repeated = sum(sent.values()) - len(sent)
    assert repeated <= len(lost), "a task is sent again only after a lease on it ran out"
    # On a machine slower than the short lease, live workers lose leases too.
    of_killed = [each for each in lost if each["worker"] in killed]
    assert 0 < len(of_killed) <= 8 * len(killed), "no more than they had leased"
    account = ledger.spending()
    assert (account.reserved_usd, account.in_flight) == (0.0, 0)
    assert account.spent_usd == pytest.approx(sum(each["cost_usd"] for each in calls), abs=1e-9)
    assert sum(each["outcome"] == "ok" for each in calls) >= count
    ledger.close()


def test_four_processes_never_exceed_the_budget(tmp_path):
    path, asked = tmp_path / "ledger.sqlite", requests(600)
    with_room_for = 407  # calls of 0.01, each reserved at 0.025 until it is known
    ledger = Ledger(path)
    ledger.enqueue("run", asked, {each.key: 0.025 for each in asked})
    workers = [start(path, f"w{number}", lease_s=30, budget=with_room_for * 0.01 + 0.015) for number in range(4)]
    assert [finish(each) for each in workers] == ["budget 0"] * 4, "nobody stops while something is in flight"
    account = ledger.spending()
    assert account.spent_usd == pytest.approx(with_room_for * 0.01)
    assert ledger.progress("run").ok == with_room_for
    again = [start(path, f"v{number}", lease_s=30, budget=100.0) for number in range(2)]
    assert [finish(each) for each in again] == ["done"] * 2
    assert ledger.spending().spent_usd == pytest.approx(6.0)
    ledger.close()


def _open_and_ask(path: Path, number: int, barrier, results) -> None:
    barrier.wait()
    try:
        ledger = Ledger(path)
        counts = ledger.enqueue("run", requests(50 * number + 50)[50 * (number // 2) :])
        ledger.close()
        results.put((counts.new, ""))
    except Exception as error:
        results.put((0, repr(error)))


@pytest.mark.parametrize("attempt", range(3))
def test_many_processes_open_and_fill_a_new_ledger_at_once(tmp_path, attempt):
    context = multiprocessing.get_context("fork")  # so that all are at the file at the same moment
    barrier, results, path = context.Barrier(8), context.Queue(), tmp_path / "new" / "ledger.sqlite"
    processes = [context.Process(target=_open_and_ask, args=(path, number, barrier, results)) for number in range(8)]
    for process in processes:
        process.start()
    found = [results.get(timeout=DEADLINE_S) for _ in processes]
    for process in processes:
        process.join(DEADLINE_S)
    assert [error for _, error in found if error] == []
    ledger = Ledger(path)
    assert sum(new for new, _ in found) == ledger.progress(None).total == 400
    ledger.close()


def test_a_process_killed_while_it_makes_the_ledger_leaves_a_usable_file(tmp_path):
    made = tmp_path / "made.sqlite"
    Ledger(made).close()
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from dataset_project.llm import ledger_schema\n"
        "ledger_schema._TRIGGERS = (*ledger_schema._TRIGGERS[:3], 'SELECT kill()')\n"
        "connect = ledger_schema.sqlite3.connect\n"
        "def deadly(*arguments, **keywords):\n"
        "    connection = connect(*arguments, **keywords)\n"
        "    connection.create_function('kill', 0, lambda: os.kill(os.getpid(), signal.SIGKILL))\n"
        "    return connection\n"
        "ledger_schema.sqlite3.connect = deadly\n"
        "ledger_schema.open_ledger(Path(sys.argv[1]))\n"
    )
    path = tmp_path / "half.sqlite"
    done = subprocess.run([sys.executable, "-c", code, str(path)], timeout=DEADLINE_S, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr

    def layout(file: Path) -> list:
        with sqlite3.connect(file) as connection:
            return connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()

    ledger = Ledger(path)
    assert layout(path) == layout(made)
    assert ledger.enqueue("run", requests(1)).new == 1
    ledger.close()


def test_a_forked_process_must_open_its_own(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.enqueue("run", requests(1))
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            ledger.claim("run", "w", 1)
            os.write(writer, b"claimed")
        except UnusableLedger as error:
            os.write(writer, str(error).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert b"open it anew" in os.read(reader, 1000)
    assert len(ledger.claim("run", "w", 1)) == 1
    ledger.close()


def _filled(path: Path) -> None:
    ledger = Ledger(path)
    ledger.enqueue("run", requests(2000))
    ledger.close()


def test_a_file_that_is_no_ledger_is_named(tmp_path):
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(b"not a database, but long enough to be taken for one " * 40)
    before = path.read_bytes()
    with pytest.raises(UnusableLedger, match=r"ledger\.sqlite is damaged .* move it away"):
        Ledger(path)
    assert path.read_bytes() == before
    with pytest.raises(UnusableLedger, match=str(tmp_path)):
        Ledger(tmp_path)


def test_a_damaged_ledger_is_named_when_the_damage_is_met(tmp_path):
    path = tmp_path / "ledger.sqlite"
    _filled(path)
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(path.stat().st_size - 4096))
    with pytest.raises(UnusableLedger, match=r"ledger\.sqlite is damaged") as met:
        ledger = Ledger(path)
        ledger.claim("run", "w", 1)
    assert "paid for again" in str(met.value)


def test_a_newer_ledger_and_another_database_are_left_alone(tmp_path):
    newer, other = tmp_path / "newer.sqlite", tmp_path / "other.sqlite"
    _filled(newer)
    with sqlite3.connect(newer) as file:
        file.execute("PRAGMA user_version = 3")
    with pytest.raises(UnusableLedger, match=r"newer\.sqlite has schema version 3, this program knows 2: update"):
        Ledger(newer)
    with sqlite3.connect(other) as file:
        file.execute("CREATE TABLE people (name TEXT)")
    before = other.read_bytes()
    with pytest.raises(UnusableLedger, match=r"other\.sqlite is a database of another kind"):
        Ledger(other)
    assert other.read_bytes() == before


def test_a_closed_ledger_says_so_and_a_copy_of_the_files_is_whole(tmp_path):
    path = tmp_path / "ledger.sqlite"
    ledger = Ledger(path)
    ledger.enqueue("run", requests(10))
    for file in tmp_path.glob("ledger.sqlite*"):  # as after a power cut: nothing was closed
        shutil.copy(file, tmp_path / file.name.replace("ledger", "copy"))
    copy = Ledger(tmp_path / "copy.sqlite")
    assert copy.progress("run").pending == 10
    copy.close()
    ledger.close()
    ledger.close()
    with pytest.raises(UnusableLedger, match="closed"):
        ledger.claim("run", "w", 1)
