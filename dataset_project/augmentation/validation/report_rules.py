"""What must hold for the report and the downstream scores: every combination accounted for, no gain without its
control."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from dataset_project.augmentation.schemas import COMBO_STATISTICS, DOWNSTREAM_SCORES
from dataset_project.storage.published import Files, open_tables, schema_differences, validator, verdict
from dataset_project.storage.validation import Finding

RAN = ("ok", "empty")


@validator
def every_combo_is_accounted_for(files: Files, planned: Sequence[str], published: Mapping[str, Path]) -> Finding:
    """One row per planned combination; rows, labels and totals are those of the published files (``published``: by
    key)."""
    if wrong := schema_differences(files, "combo_statistics", COMBO_STATISTICS):
        return Finding(False, f"schema: {wrong[0]}", {"schema_differences": len(wrong)})
    with open_tables(files, "combo_statistics", "merge_statistics") as connection:
        told = {row["combo_id"]: row for row in connection.sql("FROM combo_statistics").to_arrow_table().to_pylist()}
        merged = connection.sql("FROM merge_statistics").to_arrow_table().to_pylist()[0]
    unaccounted = len(set(planned) ^ set(told))
    miscounted = unreasoned = unsummed = 0
    total = 0
    for key, row in told.items():
        unsummed += row["accepted"] + row["unfilled"] != row["planned"]
        if row["status"] not in RAN:
            unreasoned += not row["reason"] and row["status"] in ("failed", "unavailable")
            continue
        if key not in published:
            miscounted += 1
            continue
        table = pq.read_table(published[key], columns=["criterion", "label"])
        total += table.num_rows
        counts = pc.value_counts(pc.binary_join_element_wise(table["criterion"].cast("string"), table["label"], "|"))
        labels = {each["values"].as_py(): each["counts"].as_py() for each in counts}
        miscounted += row["accepted"] != table.num_rows or json.loads(row["label_distribution"] or "{}") != labels
    problems = {
        "combinations unaccounted for": unaccounted,
        "combinations miscounted": miscounted,
        "combinations without a reason": unreasoned,
        "combinations whose variants do not add up": unsummed,
        "merged totals wrong": int((merged["combos"], merged["rows"]) != (len(planned), total)),
    }
    return verdict(problems, f"{len(told)} combinations, {total:,} rows", {"combos": len(told), "rows": total})


@validator
def scores_are_sound(files: Files, sizes: Sequence[int], repeats: int) -> Finding:
    """Schema; one row per draw of each size that the sentences reach; scores between 0 and 1."""
    name = "downstream_scores"
    if wrong := schema_differences(files, name, DOWNSTREAM_SCORES):
        return Finding(False, f"schema: {wrong[0]}", {"schema_differences": len(wrong)})
    with open_tables(files, name) as connection:
        rows, distinct, outside, f1 = connection.execute(f"""
            SELECT count(*),
                   count(DISTINCT (train_size, repeat)) FILTER (train_size IN {list(sizes)} AND repeat < {repeats}),
                   count(*) FILTER (NOT (accuracy BETWEEN 0 AND 1 AND macro_f1 BETWEEN 0 AND 1
                                         AND baseline_accuracy BETWEEN 0 AND 1 AND baseline_macro_f1 BETWEEN 0 AND 1)),
                   avg(macro_f1)
            FROM {name}
        """).fetchone()
    problems = {"draws missing or repeated": rows - distinct + rows % repeats, "scores outside 0-1": outside}
    if f1 is None:
        return verdict(problems, "the sentences reach no training size", {"draws": 0})
    return verdict(problems, f"{rows} draws, mean macro F1 {f1:.3f}", {"draws": rows, "macro_f1": round(f1, 4)})


@validator
def draws_are_paired(files: Files, control: str, present: Sequence[str]) -> Finding:
    """Every combination was scored on the same draws (so baselines agree to the last digit), and the copy control is
    there."""
    name = "downstream_scores"
    with open_tables(files, name) as connection:
        unpaired = connection.execute(f"""
            SELECT count(*) FROM (
                SELECT train_size, repeat FROM {name} GROUP BY ALL
                HAVING count(DISTINCT (baseline_accuracy, baseline_macro_f1)) > 1)
        """).fetchone()[0]
    problems = {"draws that differ between combinations": unpaired, "copy control absent": int(control not in present)}
    return verdict(problems, f"{len(present)} combinations on the same draws", {"combos": len(present)})


@validator
def resource_is_sound(files: Files, guarded: bool) -> Finding:
    """Not empty; each (term, tag) once, in order; what a word may become is no guard word (``guarded``)."""
    from dataset_project.augmentation.schemas import AUGMENTATION_RESOURCES
    from dataset_project.augmentation.text.lexicons import guard_of

    name = "augmentation_resources"
    if wrong := schema_differences(files, name, AUGMENTATION_RESOURCES):
        return Finding(False, f"schema: {wrong[0]}", {"schema_differences": len(wrong)})
    with open_tables(files, name) as connection:
        rows, distinct = connection.execute(f"SELECT count(*), count(DISTINCT (term, tag)) FROM {name}").fetchone()
        # Rows tagged `phrase` name what may not be taken apart; nothing becomes what they hold.
        words = connection.execute(
            f"SELECT DISTINCT unnest(candidates) AS word FROM {name} WHERE tag <> 'phrase' ORDER BY word"
        ).fetchall()
    loose = sum(guard_of("word", word) in ("negation", "quantity") for (word,) in words) if guarded else 0
    problems = {"no entries": int(not rows), "entries repeated": rows - distinct, "candidates that are guarded": loose}
    return verdict(problems, f"{rows:,} entries", {"entries": rows})
