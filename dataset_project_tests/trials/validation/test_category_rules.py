"""Rules about records and categories, on real files: good ones pass, and each fault is found by the rule it is for."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataset_project.trials.records.intake import RecordsRead
from dataset_project.trials.records.rejects import reject
from dataset_project.trials.records.table import records_table, rejects_table
from dataset_project.trials.schemes.scheme import Scheme
from dataset_project.trials.trial import Trial
from dataset_project.trials.validation.category_rules import (
    categories_follow_from_facts,
    every_trial_has_one_row,
    records_are_sound,
)
from dataset_project_tests.trials.report.made_up import (
    AREAS,
    TIERS,
    changed,
    failed_row,
    made_up_trials,
    no_rows,
    ruled,
)

TRIALS = made_up_trials(60)
BUCKET = TRIALS[0].bucket
MINE = [trial for trial in TRIALS if trial.bucket == BUCKET]
OTHERS = [trial for trial in TRIALS if trial.bucket != BUCKET]
REJECTS = (
    reject(61, None, "no_nct_id", "no id; title: none either"),
    reject(62, TRIALS[0].nct_id, "conflicting_nct_id", "differs from record 1 in brief_title"),
)
RECORDS = records_table(RecordsRead(tuple(TRIALS), REJECTS))
ROWS = ruled(MINE)
assert len(MINE) >= 2


def _files(directory: Path, **tables: pa.Table) -> dict[str, Path]:
    for name, table in tables.items():
        pq.write_table(table, directory / f"{name}.parquet")
    return {name: directory / f"{name}.parquet" for name in tables}


def _records(directory: Path, records: pa.Table = RECORDS, rejects: pa.Table | None = None):
    told = rejects_table(RecordsRead((), REJECTS)) if rejects is None else rejects
    return records_are_sound(_files(directory, records=records, rejects=told))


def test_sound_records_pass_and_are_counted(tmp_path):
    finding = _records(tmp_path)
    assert finding.passed, finding.summary
    assert finding.summary == "60 trials, 2 records rejected"
    nothing = _records(tmp_path, RECORDS.slice(0, 0), rejects_table(RecordsRead((), ())))
    assert nothing.passed, nothing.summary


TEXTS = ("brief_title", "official_title", "brief_summary", "eligibility_criteria")
BAD_RECORDS = {
    "ids that occur twice": lambda: pa.concat_tables([RECORDS.slice(0, 1), RECORDS]),
    "rows out of order": lambda: pa.concat_tables([RECORDS.slice(30), RECORDS.slice(0, 30)]),
    "malformed ids": lambda: changed(RECORDS, 59, nct_id="NCT9100000X"),
    "trials in another bucket": lambda: changed(
        RECORDS, 3, bucket="bucket_00" if RECORDS["bucket"][3].as_py() != "bucket_00" else "bucket_01"
    ),
    "input hashes that differ": lambda: changed(RECORDS, 3, brief_title="another title"),
    "trials without text": lambda: changed(RECORDS, 3, conditions=[], **dict.fromkeys(TEXTS, "")),
}


@pytest.mark.parametrize("what", BAD_RECORDS)
def test_records_with_a_fault_fail_and_say_which(tmp_path, what):
    finding = _records(tmp_path, BAD_RECORDS[what]())
    assert not finding.passed and what in finding.summary


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"reason": ""}, "rejects without a known reason: 1"),
        ({"reason": "because"}, "rejects without a known reason: 1"),
        ({"detail": ""}, "rejects without an explanation: 1"),
    ],
)
def test_a_reject_without_a_reason_fails(tmp_path, change, what):
    finding = _records(tmp_path, rejects=changed(rejects_table(RecordsRead((), REJECTS)), 1, **change))
    assert not finding.passed and finding.summary == what


def test_an_altered_hash_fails(tmp_path):
    finding = _records(tmp_path, changed(RECORDS, 7, input_hash="0" * 64))
    assert not finding.passed and finding.summary == "input hashes that differ: 1"


def test_another_schema_or_an_unreadable_file_is_a_finding(tmp_path):
    finding = _records(tmp_path, RECORDS.drop_columns(["keywords"]))
    assert not finding.passed and finding.summary.startswith("schema: ")
    files = _files(tmp_path, records=RECORDS, rejects=rejects_table(RecordsRead((), REJECTS)))
    content = files["records"].read_bytes()
    files["records"].write_bytes(content[: len(content) // 2])
    cut = records_are_sound(files)
    assert not cut.passed and "cannot be read" in cut.summary


def _accounted(directory: Path, rows: pa.Table):
    return every_trial_has_one_row(_files(directory, data=rows, records=RECORDS), BUCKET)


def test_a_bucket_with_each_of_its_trials_once_passes(tmp_path):
    finding = _accounted(tmp_path, ROWS)
    assert finding.passed and finding.summary == f"{len(MINE)} trials, one row each"
    empty = every_trial_has_one_row(
        _files(tmp_path, data=no_rows(), records=records_table(RecordsRead(tuple(OTHERS), ()))), BUCKET
    )
    assert empty.passed, "an empty bucket is whole"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (lambda: ROWS.slice(1), "trials without a row: 1"),
        (lambda: ROWS.slice(0, 0), f"trials without a row: {len(MINE)}"),
        (lambda: pa.concat_tables([ROWS, ROWS.slice(0, 1)]), "trials with several rows: 1"),
        (lambda: pa.concat_tables([ROWS, ruled(OTHERS[:1])]), "rows without a trial: 1"),
        (lambda: pa.concat_tables([ROWS, ruled([Trial("NCT99999999", "Asthma")])]), "rows without a trial: 1"),
        (lambda: changed(ROWS, 0, input_hash="0" * 64), "rows of an older record: 1"),
        (
            lambda: pa.concat_tables([ROWS.slice(1), ruled(OTHERS[:1])]),
            "trials without a row: 1; rows without a trial: 1",
        ),
    ],
    ids=["removed", "all removed", "doubled", "of another bucket", "of no record", "altered hash", "exchanged"],
)
def test_a_bucket_that_does_not_account_for_its_trials_fails(tmp_path, rows, said):
    finding = _accounted(tmp_path, rows())
    assert not finding.passed and finding.summary == said


def _followed(directory: Path, rows: pa.Table, scheme: Scheme = AREAS):
    return categories_follow_from_facts(_files(directory, data=rows), scheme)


def test_categories_that_follow_pass_whatever_decided(tmp_path):
    by_model = changed(ROWS, 0, categoriser="strong_model", model="strong", votes=3, confidence=1.0)
    for rows, scheme in (
        (ROWS, AREAS),
        (ruled(TRIALS, TIERS), TIERS),
        (by_model, AREAS),
        (failed_row(ROWS, 0), AREAS),
        (no_rows(), AREAS),
    ):
        finding = _followed(tmp_path, rows, scheme)
        assert finding.passed, finding.summary
    assert _followed(tmp_path, failed_row(ROWS, 0)).figures["ok"] == len(MINE) - 1


def _facts(**values) -> dict:
    return {"facts": ROWS["facts"][0].as_py() | values}


WRONG = "categories that do not follow from the facts: 1"
OUTSIDE = "facts outside the scheme: 1"
BAD_ROWS = {
    "category": ({"category": "injury"}, WRONG),
    "no category": ({"category": None}, WRONG),
    "reason": ({"category_reason": "because"}, WRONG),
    "fact that decides": (_facts(primary_area="skin"), WRONG),
    "fact outside": (_facts(primary_area="lungs"), OUTSIDE),
    "list outside": (_facts(other_areas=["lungs"]), OUTSIDE),
    "fact missing": (_facts(is_neoplasm=None), OUTSIDE),
    "no facts": ({"facts": None}, OUTSIDE),
    "percent outside": (_facts(confidence=101), OUTSIDE),
    "confidence": ({"confidence": 1.5}, "confidences outside 0-1: 1"),
    "status": ({"status": "fine"}, "rows of unknown status: 1"),
    "categoriser": ({"categoriser": "oracle"}, "rows of an unknown categoriser: 1"),
    "rules with a model": ({"model": "small"}, "rows of an unknown categoriser: 1"),
    "scheme": ({"scheme": "mine"}, "rows of another scheme: 1"),
    "version": ({"scheme_version": "0"}, "rows of another scheme: 1"),
    "cut off": ({"truncated": True}, "trials that were cut off: 1"),
}


@pytest.mark.parametrize("name", BAD_ROWS)
def test_a_tampered_row_fails_and_says_why(tmp_path, name):
    change, said = BAD_ROWS[name]
    finding = _followed(tmp_path, changed(ROWS, 0, **change))
    assert not finding.passed and finding.summary == said


def test_facts_that_contradict_each_other_fail_though_the_category_follows(tmp_path):
    facts = ROWS["facts"][0].as_py() | {"is_neoplasm": True, "primary_area": "skin"}
    decision = AREAS.decide(facts)
    rows = changed(ROWS, 0, facts=facts, category=decision.category, category_reason=decision.reason)
    finding = _followed(tmp_path, rows)
    assert not finding.passed and finding.summary == "facts that contradict each other: 1"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"category": "skin"}, "failed rows with a category: 1"),
        ({"facts": ROWS["facts"][0].as_py()}, "failed rows with a category: 1"),
        ({"error": ""}, "failed rows without an error: 1"),
    ],
)
def test_a_failed_row_has_no_category_and_says_why(tmp_path, change, said):
    finding = _followed(tmp_path, changed(failed_row(ROWS, 0), 0, **change))
    assert not finding.passed and finding.summary == said


def test_rows_of_another_schemes_facts_are_another_schema(tmp_path):
    finding = _followed(tmp_path, ruled(MINE, TIERS))
    assert not finding.passed and finding.summary.startswith("schema: ")
