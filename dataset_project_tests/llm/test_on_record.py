"""What the ledger says to those who call no model: answers, costs, calls, and the status for people."""

from __future__ import annotations

import pytest

from dataset_project.llm.ledger import Ledger
from dataset_project.llm.ledger_schema import UnusableLedger
from dataset_project.llm.on_record import answers_on_record, calls_on_record, open_ledger, spent_on_record
from dataset_project.llm.requests import CallRecord, Settlement, Usage
from dataset_project.llm.runtime import LEDGER, limiter_of
from dataset_project.llm.status import status_lines
from dataset_project_tests.llm.runs import asked, unlimited
from dataset_project_tests.llm.server_calls import GOOD

GIVEN = unlimited("http://127.0.0.1:9/v1", requests_per_minute=500, tokens_per_minute=90_000, budget_usd=5)
REQUESTS = asked(6)


@pytest.fixture
def directory(tmp_path):
    """Two answered, one refused, one in flight, two not begun; each answer took two calls."""
    ledger = Ledger(tmp_path / LEDGER)
    ledger.enqueue("run", REQUESTS, {each.key: 0.5 for each in REQUESTS})
    claimed = [each.key for each in ledger.claim("run", "w", 4)]
    ended = [Settlement(claimed[0], "ok", GOOD, model="m-1"), Settlement(claimed[1], "ok", GOOD, model="m-1")]
    calls = [
        CallRecord(key, attempt, 1_700_000_000.0 + attempt, 20.0, outcome, "m-1", Usage(100, 10), 0.0625, status)
        for key in claimed[:2]
        for attempt, outcome, status in ((1, "server_error", 500), (2, "ok", 200))
    ]
    ledger.settle("w", [*ended, Settlement(claimed[2], "refused", error="it would rather not")], calls)
    ledger.close()
    return tmp_path


def test_where_nothing_was_asked_there_is_nothing_and_nothing_is_made(tmp_path):
    nowhere = tmp_path / "llm"
    assert answers_on_record(nowhere, [REQUESTS[0].key]) == {}
    assert spent_on_record(nowhere) == 0.0
    assert calls_on_record(nowhere) is None
    assert status_lines(GIVEN, nowhere) == []
    assert not nowhere.exists()


def test_answers_on_record_are_those_that_need_not_be_asked_again(directory):
    found = answers_on_record(directory, [each.key for each in REQUESTS])
    assert list(found) == [REQUESTS[0].key, REQUESTS[1].key]
    assert found[REQUESTS[0].key].content == GOOD and found[REQUESTS[0].key].attempts == 2
    assert found[REQUESTS[0].key].cost_usd == 0.125


def test_what_is_in_flight_counts_as_spent(directory):
    assert spent_on_record(directory) == 4 * 0.0625 + 0.5


def test_every_call_is_on_record_in_order(directory):
    calls = calls_on_record(directory).to_pylist()
    assert [call["attempt"] for call in calls] == [1, 1, 2, 2]
    assert {call["item"] for call in calls} == {REQUESTS[0].item, REQUESTS[1].item}
    assert {call["outcome"] for call in calls} == {"ok", "server_error"}


def test_the_status_says_how_things_stand(directory):
    lines = status_lines(GIVEN, directory)
    assert [label for label, _ in lines[:4]] == ["answered", "waiting", "failed", "in flight"]
    shown = dict(lines)
    assert shown["answered"] == "2 of 6" and shown["waiting"] == "2" and shown["in flight"] == "1"
    assert shown["failed"] == "1 (1 refused)"
    assert shown["spent"] == "$0.2500 of $5.00"
    assert shown["reserved"] == "$0.5000 for what is in flight"
    assert shown["requests/min"] == "0 of 500" and shown["tokens/min"] == "0 of 90,000"
    assert "told to wait" not in shown


def test_the_status_says_when_the_provider_asked_for_a_pause(directory):
    limiter_of(GIVEN, directory, "models/small").throttled(3000.0)
    said = dict(status_lines(GIVEN, directory))["told to wait"]
    assert (
        said.endswith(" s, by the provider of models/small") and 2900 < float(said.split()[0].replace(",", "")) <= 3000
    )


def test_the_status_changes_no_limits(directory):
    of_the_run = limiter_of(GIVEN, directory, "small")
    of_the_run.reserve(10)
    status_lines(GIVEN.model_copy(update={"requests_per_minute": 7}), directory)
    assert of_the_run.state().configured_requests_per_minute == 500


def test_a_file_that_is_no_ledger_is_named(tmp_path):
    (tmp_path / LEDGER).write_bytes(b"not a database, but long enough to be looked at" * 40)
    with pytest.raises(UnusableLedger, match=LEDGER), open_ledger(tmp_path):
        pass
