"""The export: trials with their categories in one table, and the calls behind them."""

from __future__ import annotations

import csv

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataset_project.llm.spending import CALLS
from dataset_project.trials.configuration import TrialSettings
from dataset_project.trials.export import calls_table, export_table, finished_rows, write_table
from dataset_project.trials.records.intake import RecordsRead
from dataset_project.trials.records.table import records_table
from dataset_project.trials.trial import Trial
from dataset_project_tests.trials.report.made_up import AREAS, TIERS, failed_row, made_up_trials, no_rows, ruled
from dataset_project_tests.trials.report.test_usage import asked, book, call

FULL = Trial(
    "NCT90999999",
    brief_title='Inhaler, "new" one',
    overall_status="COMPLETED",
    phases=("PHASE1", "PHASE2"),
    conditions=("Asthma", "COPD"),
    interventions=(("DRUG", "budesonide"), ("DEVICE", "spacer")),
)
TRIALS = [*made_up_trials(12), FULL]
RECORDS = records_table(RecordsRead(tuple(sorted(TRIALS, key=lambda trial: trial.nct_id)), ()))
ROWS = ruled(TRIALS)


def test_a_row_is_a_trial_with_its_facts_in_columns_by_id():
    table = export_table(RECORDS, [ROWS.slice(5), no_rows(), ROWS.slice(0, 5)])
    assert table["nct_id"].to_pylist() == sorted(trial.nct_id for trial in TRIALS)
    facts = [fact.name for fact in AREAS.facts]
    assert table.column_names[-len(facts) - 2 :] == [f"fact_{name}" for name in (*facts, "confidence", "notes")]
    (row,) = [row for row in table.to_pylist() if row["nct_id"] == FULL.nct_id]
    assert row["phases"] == "PHASE1 | PHASE2" and row["conditions"] == "Asthma | COPD"
    assert row["interventions"] == "DRUG: budesonide | DEVICE: spacer"
    assert row["category"] == row["fact_primary_area"] == "respiratory" and row["status"] == "ok"


def test_failed_trials_are_in_it_and_say_why():
    (row,) = [row for row in export_table(RECORDS, [failed_row(ROWS, 2)]).to_pylist() if row["status"] == "failed"]
    assert row["category"] is row["fact_primary_area"] is row["fact_other_areas"] is None
    assert row["error"] == "refused: told so"


def test_buckets_of_several_schemes_or_other_records_are_refused_with_what_to_do():
    with pytest.raises(ValueError, match="several category schemes; run `dataset-project build trials`"):
        export_table(RECORDS, [ROWS.slice(0, 6), ruled(TRIALS[6:], TIERS)])
    older = ROWS.set_column(2, ROWS.schema.field(2), pa.array(["0"] * ROWS.num_rows))
    with pytest.raises(ValueError, match="several category schemes"):
        export_table(RECORDS, [ROWS.slice(0, 6), older.slice(6)])
    with pytest.raises(ValueError, match=f"{FULL.nct_id} is categorised but no longer among the records; run "):
        export_table(RECORDS.slice(1), [ROWS])


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_file_holds_the_table_and_is_replaced_whole(tmp_path, suffix):
    path = tmp_path / "deeper" / f"trials{suffix}"
    table = export_table(RECORDS, [ROWS])
    write_table(path, table.slice(0, 1))
    write_table(path, table)
    if suffix == ".parquet":
        assert pq.read_table(path).equals(table)
    else:
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == len(TRIALS) and rows[0]["brief_title"] == FULL.brief_title
    assert [each.name for each in path.parent.iterdir()] == [path.name], "nothing temporary is left"


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"x\.xlsx: an export is one of \.parquet, \.csv"):
        write_table(tmp_path / "x.xlsx", ROWS)
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "trials.csv"
    path.write_text("before")
    with pytest.raises(pa.ArrowException):
        write_table(path, ROWS)  # nested columns, which CSV cannot hold
    assert path.read_text() == "before" and list(tmp_path.iterdir()) == [path]


def test_finished_rows_are_those_whose_answers_are_in_the_ledger(tmp_path):
    assert finished_rows(TrialSettings(), tmp_path, RECORDS)["nct_id"].to_pylist() == RECORDS["nct_id"].to_pylist()
    asking = TrialSettings(categoriser="llm", model="small")
    nothing = finished_rows(asking, tmp_path, RECORDS)
    assert nothing.num_rows == 0 and nothing.schema.equals(ROWS.schema)
    assert list(tmp_path.iterdir()) == [], "asking made no ledger"


def test_calls_are_the_ledgers(tmp_path):
    with pytest.raises(FileNotFoundError, match="no model was asked yet: there is no ledger in "):
        calls_table(tmp_path)
    request = asked(1)
    book(tmp_path, [request], [call(request)])
    table = calls_table(tmp_path)
    assert table.schema.equals(CALLS) and table.num_rows == 1
    write_table(tmp_path / "calls.csv", table)
    assert len((tmp_path / "calls.csv").read_text().splitlines()) == 2
