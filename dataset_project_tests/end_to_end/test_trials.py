"""The trials family as people use it: real commands, the shipped sample, a real server that plays the model."""

from __future__ import annotations

import os
import random
import re
import signal
from collections import Counter

import duckdb
import pyarrow.parquet as pq
import pytest

from dataset_project.llm.on_record import open_ledger
from dataset_project.trials.configuration import TrialSettings
from dataset_project.trials.export import finished_rows
from dataset_project_tests.end_to_end.trials_workplace import (
    ANSWERS,
    SECRET,
    asking,
    made_up_trials,
    trials_workplace,
    write_trials,
)
from dataset_project_tests.end_to_end.workplace import Workplace, session_members, wait_for
from dataset_project_tests.llm.server import loopback_server

BUCKETS = [f"bucket_{number:02d}" for number in range(20)]


@pytest.fixture(scope="module")
def ruled(tmp_path_factory) -> Workplace:
    """One build of the sample by rules, in one process."""
    workplace = trials_workplace(tmp_path_factory.mktemp("trials"))
    workplace.build()
    return workplace


def _rows(workplace: Workplace) -> list[dict]:
    paths = sorted((workplace.data / "categorized_trials").glob("partition=*/data.parquet"))
    return [row for path in paths for row in pq.read_table(path).to_pylist()]


def _report(workplace: Workplace, table: str) -> list[dict]:
    path = workplace.data / "categorization_report" / "partition=all" / f"{table}.parquet"
    return pq.read_table(path).to_pylist()


def _build_fails(workplace: Workplace, *arguments: str, **environment: str) -> str:
    done = workplace.run("dataset-project", "build", *arguments, **environment)
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


def test_the_sample_is_categorised_offline_and_agrees_with_its_gold(ruled):
    rows = ruled.manifest()
    assert [key for dataset, key in rows if dataset == "categorized_trials"] == BUCKETS
    assert {row["status"] for row in rows.values()} == {"ok"}
    records = pq.read_table(ruled.data / "trial_records" / "partition=all" / "records.parquet")
    found = _rows(ruled)
    assert sorted(row["nct_id"] for row in found) == records["nct_id"].to_pylist() and len(found) >= 200
    assert {(row["status"], row["categoriser"], row["truncated"]) for row in found} == {("ok", "rules", False)}
    agreement = _report(ruled, "agreement")[0]
    assert agreement["scope"] == "gold" and agreement["trials"] == len(found)
    assert agreement["agreement_low"] <= agreement["agreement"] <= agreement["agreement_high"]
    assert agreement["agreement_low"] > 0.8 and agreement["kappa_low"] > 0.75
    recalls = {row["category"]: row["recall"] for row in _report(ruled, "categories")}
    assert len(recalls) == 16 and all(recall is not None for recall in recalls.values())
    assert _report(ruled, "usage") == []
    with duckdb.connect(str(ruled.data / "catalog.duckdb"), read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM categorized_trials").fetchone() == (len(found),)


def test_workers_shards_and_hash_seeds_change_no_byte(ruled, tmp_path):
    other = trials_workplace(tmp_path, PYTHONHASHSEED="7")
    other.build("--executor", "multiprocess", "--workers", "2", "--shards", "3")
    assert other.hashes() == ruled.hashes() != {}


def test_an_export_has_one_row_per_trial_with_its_facts(ruled):
    done = ruled.run("dataset-project", "export", "trials", "out/trials.parquet")
    assert done.returncode == 0, done.stderr
    exported = pq.read_table(ruled.directory / "out" / "trials.parquet")
    assert exported.num_rows == len(_rows(ruled)) and {"category", "fact_primary_area"} <= set(exported.column_names)
    assert ruled.run("dataset-project", "export", "trial-calls", "calls.csv").returncode == 1, "no model was asked"


@pytest.fixture(scope="module")
def server():
    with loopback_server(answers=ANSWERS, latency_s=0.01) as running:
        yield running


@pytest.fixture(scope="module")
def asked(server, tmp_path_factory) -> Workplace:
    """One build of 60 trials by the model, with two of them spoilt."""
    directory = tmp_path_factory.mktemp("asked")
    trials = made_up_trials(60)
    write_trials(directory / "mine.csv", trials)
    with open(directory / "mine.csv", "a", encoding="utf-8") as file:
        file.write("NCT9,bad id,gout,\n" + f"{trials[0].nct_id},again,gout,\n")
    workplace = trials_workplace(directory, DATASET_TRIALS__SOURCE="mine.csv", **asking(server.url))
    server.reset()
    server.control(answers=ANSWERS)
    workplace.build()
    return workplace


def test_every_trial_is_asked_once_and_bad_records_are_kept_with_reasons(asked, server):
    calls = [row for row in server.journal() if row["path"].endswith("chat/completions")]
    assert sorted(row["marker"] for row in calls) == [trial.nct_id for trial in made_up_trials(60)]
    rows = _rows(asked)
    assert len(rows) == 60 and {(row["status"], row["categoriser"]) for row in rows} == {("ok", "model")}
    record = asked.store.committed("trial_records", "all")
    assert (record.items_planned, record.items_ok, record.items_rejected) == (62, 60, 2)
    rejects = pq.read_table(asked.data / "trial_records" / "partition=all" / "rejects.parquet").to_pylist()
    assert {row["reason"] for row in rejects} == {"malformed_nct_id", "conflicting_nct_id"}
    usage = _report(asked, "usage")
    assert sum(row["calls"] for row in usage) == 60 and all(row["input_tokens"] > 0 for row in usage)
    assert _report(asked, "agreement")[0]["scope"] == "rules", "no gold: only the two categorisers are compared"


def test_nothing_is_asked_twice_and_a_new_trial_asks_one_call(asked, server):
    before = len(server.journal())
    hashes = asked.hashes()
    asked.build("--force")
    assert len(server.journal()) == before and asked.hashes("categorized_trials") == {
        name: value for name, value in hashes.items() if name.startswith("categorized_trials")
    }
    write_trials(asked.directory / "mine.csv", made_up_trials(61))
    asked.build()
    assert len(server.journal()) == before + 1 and len(_rows(asked)) == 61
    done = asked.run("dataset-project", "export", "trial-calls", "calls.csv")
    assert done.returncode == 0 and len((asked.directory / "calls.csv").read_text().splitlines()) == 62


def test_a_dry_run_says_what_it_would_take_and_sends_nothing(asked, server):
    write_trials(asked.directory / "mine.csv", made_up_trials(80))
    before = len(server.journal())
    told = asked.run("dataset-project", "plan", "trials", DATASET_LLM__REQUESTS_PER_MINUTE="10").stdout
    assert re.search(r"trials\s+80, of which 19 need a model", told) and "requests per minute" in told, told
    prices = {"DATASET_LLM__INPUT_USD_PER_MILLION": "100", "DATASET_LLM__OUTPUT_USD_PER_MILLION": "100"}
    short = asked.run("dataset-project", "plan", "trials", DATASET_LLM__BUDGET_USD="0.5", **prices).stdout
    assert "short" in short, short
    assert len(server.journal()) == before
    write_trials(asked.directory / "mine.csv", made_up_trials(61))


def test_no_secret_is_in_anything_written(asked, server):
    server.control(faults=[{"kind": "key_echo", "count": None}])
    write_trials(asked.directory / "mine.csv", made_up_trials(62))
    said = _build_fails(asked)
    server.control(faults=[])
    asked.build()
    assert "invalid_key" in said or "does not accept the key in OPENAI_API_KEY" in said
    assert SECRET not in said
    for path in asked.directory.rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("insufficient_quota", "add credit"),
        ("unknown_model", "has no model"),
        ("invalid_key", "does not accept the key"),
    ],
)
def test_what_no_request_can_pass_stops_the_run_with_one_line(tmp_path, fault, says):
    write_trials(tmp_path / "mine.csv", made_up_trials(40))
    with loopback_server(answers=ANSWERS, faults=[{"kind": fault, "count": None, "skip": 10}]) as server:
        workplace = trials_workplace(
            tmp_path, DATASET_TRIALS__SOURCE="mine.csv", **asking(server.url, max_in_flight="4")
        )
        assert says in _build_fails(workplace)
        calls = len(server.journal())
        assert calls < 10 + 2 * 4 + 1, "nothing is sent once it is known to be pointless"
        server.control(faults=[])
        workplace.build()
        assert sum(row["status"] == 200 for row in server.journal()) == 40, "what was answered was not asked again"


def test_without_a_key_the_buckets_are_unavailable_and_the_rest_is_built(tmp_path):
    write_trials(tmp_path / "mine.csv", made_up_trials(5))
    environment = {
        name: value for name, value in asking("https://model.invalid/v1").items() if name != "OPENAI_API_KEY"
    }
    prices = {"DATASET_LLM__INPUT_USD_PER_MILLION": "1", "DATASET_LLM__OUTPUT_USD_PER_MILLION": "1"}
    workplace = trials_workplace(tmp_path, DATASET_TRIALS__SOURCE="mine.csv", **environment, **prices)
    workplace.build()
    rows = workplace.manifest()
    assert rows["trial_records", "all"]["status"] == "ok"
    unavailable = rows["categorized_trials", "bucket_00"]
    assert unavailable["status"] == "unavailable" and "OPENAI_API_KEY" in unavailable["reason"]


def test_a_trial_that_fails_has_a_row_that_says_why_and_a_bucket_with_too_many_fails(tmp_path):
    trials = made_up_trials(40)
    write_trials(tmp_path / "mine.csv", trials)
    bad = trials[7]
    with loopback_server(answers=ANSWERS, faults=[{"kind": "refusal", "count": None, "match": bad.nct_id}]) as server:
        workplace = trials_workplace(tmp_path, DATASET_TRIALS__SOURCE="mine.csv", **asking(server.url))
        said = _build_fails(workplace)
        assert bad.bucket in said and "refused" in said
        assert not (workplace.data / "categorized_trials" / f"partition={bad.bucket}" / "data.parquet").exists()
        workplace.build(DATASET_TRIALS__TOLERATED_FAILURES="0.9")
        row = next(row for row in _rows(workplace) if row["nct_id"] == bad.nct_id)
        assert (row["status"], row["category"]) == ("failed", None) and row["error"].startswith("refused")
        server.control(faults=[])
        workplace.build("--force", DATASET_TRIALS__TOLERATED_FAILURES="0.9")
        assert all(row["status"] == "ok" for row in _rows(workplace)), "failed ones are asked again, when told to"


def test_a_budget_stops_the_run_before_it_is_passed_and_raising_it_goes_on(tmp_path):
    write_trials(tmp_path / "mine.csv", made_up_trials(80))
    prices = {"input_usd_per_million": "10", "output_usd_per_million": "10", "max_in_flight": "4"}
    with loopback_server(answers=ANSWERS, latency_s=0.01) as server:
        workplace = trials_workplace(
            tmp_path, DATASET_TRIALS__SOURCE="mine.csv", **asking(server.url, budget_usd="1", **prices)
        )
        assert "DATASET_LLM__BUDGET_USD" in _build_fails(workplace)
        with open_ledger(workplace.data / "llm") as ledger:
            spent = ledger.spending()
        assert 0.5 < spent.spent_usd <= 1 and spent.reserved_usd == 0
        told = workplace.run("dataset-project", "status").stdout
        assert re.search(r"spent\s+\$0\.\d+ of \$1\.00", told), told
        partial = workplace.run("dataset-project", "export", "trials", "so_far.csv", "--partial")
        exported = len((workplace.directory / "so_far.csv").read_text().splitlines()) - 1
        assert partial.returncode == 0 and 0 < exported < 80
        workplace.build(DATASET_LLM__BUDGET_USD="20")
        assert len(_rows(workplace)) == 80 and sum(row["status"] == 200 for row in server.journal()) == 80


def test_a_cascade_asks_only_where_the_rules_are_not_sure(tmp_path):
    with loopback_server(answers=ANSWERS) as server:
        environment = asking(server.url) | {"DATASET_TRIALS__CATEGORISER": "cascade", "DATASET_TRIALS__VOTES": "3"}
        workplace = trials_workplace(tmp_path, DATASET_TRIALS__CONFIDENT="0.9", **environment)
        told = workplace.run("dataset-project", "plan").stdout
        assert re.search(r"if every trial went on\s+to gpt-5.1, 3 votes each", told), told
        workplace.build()
        models = Counter(row["model"] for row in server.journal() if row["path"].endswith("completions"))
    rows = _rows(workplace)
    deciders = Counter(row["categoriser"] for row in rows)
    assert set(deciders) == {"rules", "model", "strong_model"} and deciders["rules"] > len(rows) / 2
    # The first model is asked for all that rules leave, the strong one with three votes for what that one leaves.
    assert models["gpt-5-mini"] == len(rows) - deciders["rules"]
    assert models["gpt-5.1"] == 3 * deciders["strong_model"] > 0
    assert {row["votes"] for row in rows if row["categoriser"] == "strong_model"} == {3}
    scopes = {(row["scope"], row["split"]) for row in _report(workplace, "agreement")}
    assert {("gold", "all"), ("gold", "decided by strong_model"), ("rules", "all")} <= scopes


@pytest.mark.slow
def test_workers_killed_at_random_lose_nothing_and_repeat_only_what_they_had_leased(tmp_path):
    trials = made_up_trials(1_000)
    write_trials(tmp_path / "mine.csv", trials)
    draw = random.Random(5)
    with loopback_server(answers=ANSWERS, latency_s=["uniform", 0.1, 0.4]) as server:
        environment = asking(server.url, max_in_flight="16", requests_per_minute="2400")
        workplace = trials_workplace(tmp_path, DATASET_TRIALS__SOURCE="mine.csv", **environment)
        arguments = ("--executor", "multiprocess", "--workers", "2", "--shards", "2")
        kills = 0
        with workplace.started("dataset-project", "build", *arguments) as build:
            wait_for("calls", lambda: len(server.journal()) > 20)
            while build.poll() is None and kills < 10:
                victims = [each for each in session_members(build.pid) if each.pid != build.pid and _is_shard(each)]
                if victims:
                    os.kill(draw.choice(victims).pid, signal.SIGKILL)
                    kills += 1
                wait_for("a pause", lambda: True)
                try:
                    build.wait(draw.uniform(0.8, 2.5))
                except Exception:
                    continue
            build.wait(240)
        assert kills >= 5
        # A partition that killed its process twice is failed; the next build takes it up.
        workplace.build(*arguments)
        served = sum(row["status"] == 200 for row in server.journal())
    rows = _rows(workplace)
    assert sorted(row["nct_id"] for row in rows) == sorted(trial.nct_id for trial in trials)
    assert {row["status"] for row in rows} == {"ok"}
    with open_ledger(workplace.data / "llm") as ledger:
        progress, calls = ledger.progress(None), ledger.calls_table()
    outcomes = calls["outcome"].to_pylist()
    assert (progress.ok, progress.pending, progress.in_flight) == (1_000, 0, 0)
    assert outcomes.count("ok") == 1_000, "no task has two results"
    assert served - 1_000 <= outcomes.count("lost"), "calls repeated beyond the leases of the killed"
    # What is published is what the ledger holds, trial by trial.
    records = pq.read_table(workplace.data / "trial_records" / "partition=all" / "records.parquet")
    settings = TrialSettings(source="mine.csv", categoriser="llm")
    from_ledger = finished_rows(settings, workplace.data / "llm", records).to_pylist()
    assert from_ledger == sorted(rows, key=lambda row: row["nct_id"])


@pytest.mark.slow
def test_a_build_that_was_killed_whole_leaves_no_slot_of_the_pool_taken(tmp_path):
    write_trials(tmp_path / "mine.csv", made_up_trials(60))
    with loopback_server(answers=ANSWERS, faults=[{"kind": "hang", "count": None, "skip": 20}]) as server:
        workplace = trials_workplace(tmp_path, DATASET_TRIALS__SOURCE="mine.csv", **asking(server.url))
        arguments = ("--executor", "multiprocess", "--workers", "2", "--shards", "2")
        with workplace.started("dataset-project", "build", *arguments) as build:
            wait_for("calls that hang", lambda: len(server.journal()) > 40)
            for process in session_members(build.pid):
                process.kill()
            build.wait(30)
        server.control(faults=[])
        workplace.build(*arguments)
    assert len(_rows(workplace)) == 60
    with workplace.instance() as instance:
        info = instance.event_log_storage.get_concurrency_info("llm")
    assert info.slot_count == 2 and info.active_slot_count == 0


def _is_shard(process) -> bool:
    """A forked step of the multiprocess executor that asks the model: it holds the ledger open."""
    try:
        return any(file.path.endswith("ledger.sqlite") for file in process.open_files())
    except Exception:
        return False
