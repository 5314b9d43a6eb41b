"""The register of batches in the ledger: leases, rounds, what is recorded once; a ledger from before there were any."""

from __future__ import annotations

import sqlite3

import pytest

from dataset_project.llm.batch_records import LineOutcome
from dataset_project.llm.batch_register import BatchRegister
from dataset_project.llm.batch_tables import BATCH_TABLES
from dataset_project.llm.ledger import Ledger
from dataset_project.llm.requests import CallRecord, RunStopped, Usage
from dataset_project_tests.llm.batch_cases import asked

URL = "http://127.0.0.1:1/v1"


class Clock:
    def __init__(self):
        self.now = 1_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def ledger(tmp_path, clock):
    opened = Ledger(tmp_path / "ledger.sqlite", lease_s=100, clock=clock)
    requests = asked(4)
    opened.enqueue("trials", requests, {each.key: 0.25 for each in requests})
    yield opened
    opened.close()


def register(ledger, clock, worker, url=URL):
    return BatchRegister(ledger, worker, url, 100, clock)


def outcome(request, kind, name, **changes):
    call = CallRecord(request.key, 0, 1_000_000.0, 5.0, name, "m", Usage(10, 1), 0.1)
    return LineOutcome(request.key, kind, name, call=call, **changes)


def test_tasks_in_a_batch_are_nobody_elses_however_long_their_batch_takes(ledger, clock):
    (batch,) = register(ledger, clock, "a").form("trials", 3, None)
    assert batch.tasks == 3 and ledger.spending().reserved_usd == 0.75
    clock.now += 1e6
    assert [each.key for each in ledger.claim("trials", "live", 10)] == [asked(4)[3].key]
    clock.now += 1e6
    assert ledger.claim("trials", "live", 10)[0].key == asked(4)[3].key, "a call's lease runs out, a batch's does not"
    assert [call["outcome"] for call in ledger.calls_table().to_pylist()] == ["lost"]
    assert register(ledger, clock, "b").form("trials", 10, None) == []


def test_a_batch_is_taken_over_when_its_holder_is_silent_and_the_holder_then_changes_nothing(ledger, clock):
    first, second = register(ledger, clock, "a"), register(ledger, clock, "b")
    (batch,) = first.form("trials", 4, None)
    clock.now += 99
    assert second.hold() == [] and [each.id for each in first.hold()] == [batch.id]
    clock.now += 99
    assert second.hold() == [], "prolonged"
    clock.now += 2
    assert [each.id for each in second.hold()] == [batch.id] and first.hold() == []
    assert not first.note_file(batch, "file-1", "{}") and not first.note_submitted(batch, "batch_1", clock.now)
    first.put_back(batch)
    first.close(batch, "not sent")
    assert ledger.progress("trials").in_flight == 4 and second.hold()[0].state == "forming"
    assert second.note_file(batch, "file-2", "{}") and second.note_submitted(batch, "batch_2", clock.now)
    assert not second.note_submitted(batch, "batch_3", clock.now), "a batch is submitted once"
    second.let_go()
    assert [each.provider_id for each in first.hold()] == ["batch_2"], "given up, it is taken over at once"


def test_what_a_line_came_to_is_recorded_once(ledger, clock):
    first, second = register(ledger, clock, "a"), register(ledger, clock, "b")
    one, two, three, four = asked(4)
    (batch,) = first.form("trials", 4, None)
    lines = [
        outcome(one, "ok", "ok", content="{}"),
        outcome(two, None, "invalid", content="{", error="no JSON"),
        outcome(three, None, ""),
    ]
    assert first.take(batch, lines) == 1 and second.take(batch, lines) == 0
    assert first.take(batch, [outcome(one, "refused", "refused")]) == 0
    account = ledger.spending()
    assert (round(account.spent_usd, 6), account.reserved_usd, account.in_flight) == (0.3, 0.25, 1)
    assert first.keys(batch) == [four.key] and ledger.answers([one.key])[one.key].content == "{}"
    (again,) = first.form("trials", 4, None)
    rounds = first.rounds(again, [each.key for each in (one, two, three, four)])
    assert {key: dict(each.before) for key, each in rounds.items()} == {two.key: {"invalid": 1}, three.key: {}}
    assert (rounds[two.key].answer, rounds[two.key].error) == ("{", "no JSON")
    assert rounds[two.key].request == two
    first.take(again, [outcome(two, "invalid", "invalid", error="no JSON")])
    calls = [(call["task_key"], call["attempt"]) for call in ledger.calls_table().to_pylist()]
    assert sorted(calls) == sorted([(one.key, 1), (two.key, 1), (three.key, 1), (two.key, 2)])
    ledger.enqueue("trials", [two])
    (anew,) = first.form("trials", 1, None)
    assert anew.tasks == 1 and first.rounds(anew, [two.key])[two.key].before.total() == 0, "a new run, new rounds"


def test_a_batch_is_no_larger_than_its_budget(ledger, clock):
    mine = register(ledger, clock, "a")
    (batch,) = mine.form("trials", 4, 0.6)
    assert batch.tasks == 2 and mine.form("trials", 4, 0.6) == [], "what is in flight may free some"
    mine.put_back(batch)
    mine.close(batch, "not sent")
    assert ledger.spending().reserved_usd == 0.0 and mine.hold() == []
    with pytest.raises(RunStopped, match="budget"):
        mine.form("trials", 4, 0.2)


def test_batches_elsewhere_are_told_to_those_who_wait_for_them(ledger, clock):
    here, there = register(ledger, clock, "a"), register(ledger, clock, "b", "http://127.0.0.1:2/v1")
    (batch,) = there.form("trials", 2, None)
    ledger.enqueue("others", asked(9)[8:])
    assert here.elsewhere("trials") == [], "somebody looks after it"
    there.let_go()
    assert [each.id for each in here.elsewhere("trials")] == [batch.id] and here.hold() == []
    assert here.elsewhere("others") == []


def test_a_ledger_from_before_batches_is_brought_up_to_date_with_all_that_is_in_it(tmp_path, clock):
    path = tmp_path / "old.sqlite"
    old = Ledger(path, clock=clock)
    old.enqueue("trials", asked(3))
    old.close()
    with sqlite3.connect(path) as file:
        for name in ("batch_tasks", "batches"):
            file.execute(f"DROP TABLE {name}")
        file.execute("DROP TRIGGER rounds_forgotten")
        file.execute("PRAGMA user_version = 1")
    assert len(BATCH_TABLES) == 5
    one, two = Ledger(path, clock=clock), Ledger(path, clock=clock)
    assert one.progress("trials").pending == 3
    (batch,) = register(two, clock, "a").form("trials", 5, None)
    assert batch.tasks == 3 and one.progress("trials").batches == 1
    one.close()
    two.close()
    with sqlite3.connect(path) as file:
        assert file.execute("PRAGMA user_version").fetchone() == (2,)
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
