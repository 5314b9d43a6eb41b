from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataset_project.trials.records.intake import MOST_TEXT_BYTES, Intake
from dataset_project.trials.records.rejects import reject
from dataset_project.trials.records.schemas import TRIAL_RECORDS, TRIAL_REJECTS
from dataset_project.trials.records.study import trial_of
from dataset_project.trials.records.table import records_table, rejects_table
from dataset_project.trials.trial import Trial, trials_from_rows
from dataset_project.trials.validation.category_rules import records_are_sound
from dataset_project_tests.trials.records.studies import ids, nct, study


def _mixed() -> Intake:
    intake = Intake()
    for record in (
        study(3),
        study(1),
        study(3),
        study(1, briefTitle="Another one"),
        study(2, nctId=None),
        study(2, nctId="NCT9000002"),
        "text",
        {"protocolSection": {"identificationModule": {"nctId": nct(9)}, "statusModule": {"overallStatus": "X"}}},
        study(4, briefTitle="é" * (MOST_TEXT_BYTES // 2)),
        study(5, briefTitle="e" * (MOST_TEXT_BYTES // 2)),
        study(6, officialTitle=["x"]),
    ):
        intake.take_study(record)
    return intake


def test_every_record_ends_as_trial_or_as_reject_with_its_reason():
    intake = _mixed()
    found = intake.result()
    assert intake.records == len(found.trials) + len(found.rejects) == 11
    assert ids(found) == [nct(1), nct(3), nct(5)]
    assert [(each.position, each.nct_id, each.reason) for each in found.rejects] == [
        (3, nct(3), "duplicate_nct_id"),
        (4, nct(1), "conflicting_nct_id"),
        (5, None, "no_nct_id"),
        (6, "NCT9000002", "malformed_nct_id"),
        (7, None, "not_a_study"),
        (8, nct(9), "no_text"),
        (9, nct(4), "too_large"),
        (11, nct(6), "not_a_study"),
    ]
    details = [each.detail for each in found.rejects]
    assert details[0] == "the same as record 1"
    assert details[1] == "differs from record 2 in brief_title"
    assert "officialTitle is a list" in details[-1]


def test_the_first_of_conflicting_records_is_kept():
    assert _mixed().result().trials[0].brief_title == "Trial 1 of velotumab"


def test_ids_of_other_digits_or_with_more_around_them_are_malformed():
    intake = Intake()
    for number, nct_id in enumerate(("NCT9000000١", "NCT900000011", "XNCT90000001", "NCT 90000001", "90000001"), 1):
        intake.take(Trial(nct_id=nct_id, brief_title="x"))
        assert intake.result().rejects[-1].reason == "malformed_nct_id"
        assert intake.records == number


def test_details_are_one_short_line_and_reasons_are_closed():
    made = reject(1, "N" * 500, "no_text", "a\n\n b " * 100)
    assert len(made.detail) == 200 and "\n" not in made.detail and made.detail.startswith("a b a b")
    assert len(made.nct_id) == 64
    with pytest.raises(ValueError, match="because"):
        reject(1, None, "because", "")


def test_progress_is_told_on_the_way():
    told = []
    intake = Intake(lambda done, total: told.append((done, total)))
    for _ in range(10_001):
        intake.refuse("no_nct_id", "")
    assert told == [(5_000, None), (10_000, None)]


def test_tables_follow_their_schemas_and_give_the_same_trials_back(tmp_path):
    found = _mixed().result()
    records, rejects = records_table(found), rejects_table(found)
    assert records.schema.equals(TRIAL_RECORDS, check_metadata=True)
    assert rejects.schema.equals(TRIAL_REJECTS, check_metadata=True)
    assert [name for name in records.column_names if name not in Trial.__dataclass_fields__] == ["bucket", "input_hash"]
    assert all(field.metadata[b"description"] for schema in (TRIAL_RECORDS, TRIAL_REJECTS) for field in schema)
    for name, table in (("records", records), ("rejects", rejects)):
        pq.write_table(table, tmp_path / f"{name}.parquet")
    rows = pq.read_table(tmp_path / "records.parquet").to_pylist()
    assert tuple(trials_from_rows(rows)) == found.trials
    finding = records_are_sound({name: tmp_path / f"{name}.parquet" for name in ("records", "rejects")})
    assert finding.passed, finding.summary


def test_an_empty_read_gives_empty_tables():
    found = Intake().result()
    assert records_table(found).equals(TRIAL_RECORDS.empty_table())
    assert rejects_table(found).equals(TRIAL_REJECTS.empty_table())


def test_a_table_of_several_batches_keeps_the_order():
    intake = Intake()
    trial = trial_of(study(1))
    for number in reversed(range(20_500)):
        intake.take(replace(trial, nct_id=nct(number)))
    table = records_table(intake.result())
    assert table["nct_id"].to_pylist() == [nct(number) for number in range(20_500)]
    assert isinstance(table["interventions"], pa.ChunkedArray) and table["interventions"].num_chunks == 3
