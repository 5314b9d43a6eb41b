"""What must hold for records and categories: every trial once, closed facts, categories that follow from them."""

from __future__ import annotations

from collections import Counter

import pyarrow.parquet as pq

from dataset_project.storage.published import Files, open_tables, schema_differences, validator, verdict
from dataset_project.storage.validation import Finding
from dataset_project.trials.records.rejects import REASONS
from dataset_project.trials.records.schemas import TRIAL_RECORDS, TRIAL_REJECTS
from dataset_project.trials.schemas import categorized_trials
from dataset_project.trials.schemes.scheme import Scheme
from dataset_project.trials.trial import bucket_of, trials_from_rows

_CATEGORISERS = ("rules", "model", "strong_model")


@validator
def records_are_sound(files: Files) -> Finding:
    """Schemas; ids unique, of the registry's form and in order; bucket and input hash as recomputed; one of the known
    reasons for every reject."""
    for table, schema in (("records", TRIAL_RECORDS), ("rejects", TRIAL_REJECTS)):
        if wrong := schema_differences(files, table, schema):
            return Finding(False, f"schema: {wrong[0]}", {"schema_differences": len(wrong)})
    with open_tables(files, "records", "rejects") as connection:
        rows, distinct, malformed, unordered, textless = connection.execute("""
            SELECT count(*), count(DISTINCT nct_id), count(*) FILTER (NOT regexp_full_match(nct_id, 'NCT[0-9]{8}')),
                   count(*) FILTER (nct_id <= before),
                   count(*) FILTER (brief_title = '' AND official_title = '' AND len(conditions) = 0
                                    AND brief_summary = '' AND eligibility_criteria = '')
            FROM (SELECT *, lag(nct_id) OVER (ORDER BY file_row_number) AS before FROM records)
        """).fetchone()
        rejects, unreasoned, unexplained = connection.execute(
            """
            SELECT count(*), count(*) FILTER (NOT list_contains(?, reason)), count(*) FILTER (detail = '') FROM rejects
            """,
            [list(REASONS)],
        ).fetchone()
    misplaced = altered = 0
    path = files["records"]
    for batch in pq.ParquetFile(path).iter_batches(2_000):
        table = batch.to_pylist()
        for row, trial in zip(table, trials_from_rows(table), strict=True):
            misplaced += row["bucket"] != bucket_of(trial.nct_id)
            altered += row["input_hash"] != trial.input_hash
    problems = {
        "ids that occur twice": rows - distinct,
        "malformed ids": malformed,
        "rows out of order": unordered,
        "trials without text": textless,
        "rejects without a known reason": unreasoned,
        "rejects without an explanation": unexplained,
        "trials in another bucket": misplaced,
        "input hashes that differ": altered,
    }
    figures = {"trials": rows, "rejects": rejects}
    return verdict(problems, f"{rows:,} trials, {rejects:,} records rejected", figures)


@validator
def every_trial_has_one_row(files: Files, bucket: str) -> Finding:
    """The bucket's trials of ``records``, each exactly once in ``data`` with its input hash, and no other."""
    with open_tables(files, "data", "records") as connection:
        missing, foreign, changed = connection.execute(
            """
            SELECT count(*) FILTER (data.nct_id IS NULL), count(*) FILTER (mine.nct_id IS NULL),
                   count(*) FILTER (data.input_hash <> mine.input_hash)
            FROM (SELECT nct_id, input_hash FROM records WHERE bucket = ?) AS mine
            FULL JOIN data ON data.nct_id = mine.nct_id
            """,
            [bucket],
        ).fetchone()
        rows, distinct = connection.execute("SELECT count(*), count(DISTINCT nct_id) FROM data").fetchone()
    problems = {
        "trials without a row": missing,
        "rows without a trial": foreign,
        "rows of an older record": changed,
        "trials with several rows": rows - distinct,
    }
    return verdict(problems, f"{rows:,} trials, one row each", {"rows": rows})


@validator
def categories_follow_from_facts(files: Files, scheme: Scheme) -> Finding:
    """Schema; facts within the scheme's enumerations and consistent; each stored category and reason as recomputed from
    the facts; failed rows have neither, and say why."""
    if wrong := schema_differences(files, "data", categorized_trials(scheme.arrow_type())):
        return Finding(False, f"schema: {wrong[0]}", {"schema_differences": len(wrong)})
    problems: Counter[str] = Counter()
    rows = ok = 0
    for batch in pq.ParquetFile(files["data"]).iter_batches(2_000):
        for row in batch.to_pylist():
            rows += 1
            ok += row["status"] == "ok"
            for what in _wrong_with(row, scheme):
                problems[what] += 1
    return verdict(problems, f"{rows:,} rows, {ok:,} categorised", {"rows": rows, "ok": ok})


def _wrong_with(row: dict, scheme: Scheme) -> list[str]:
    wrong = []
    if (row["scheme"], row["scheme_version"]) != (scheme.id, scheme.version):
        wrong.append("rows of another scheme")
    if row["categoriser"] not in _CATEGORISERS or (row["categoriser"] == "rules") != (row["model"] == ""):
        wrong.append("rows of an unknown categoriser")
    if row["truncated"]:
        wrong.append("trials that were cut off")
    if row["confidence"] is not None and not 0 <= row["confidence"] <= 1:
        wrong.append("confidences outside 0-1")
    if row["status"] == "failed":
        if row["facts"] is not None or row["category"] is not None:
            wrong.append("failed rows with a category")
        if not row["error"]:
            wrong.append("failed rows without an error")
        return wrong
    if row["status"] != "ok":
        return [*wrong, "rows of unknown status"]
    facts = row["facts"] or {}
    if scheme.problems(facts):
        return [*wrong, "facts outside the scheme"]
    if scheme.inconsistencies(facts):
        wrong.append("facts that contradict each other")
    decision = scheme.decide(facts)
    if (decision.category, decision.reason) != (row["category"], row["category_reason"]):
        wrong.append("categories that do not follow from the facts")
    return wrong
