"""Which category counts as right for each published row: gold's, or that of the offline rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pyarrow as pa

from dataset_project.trials.report.agreement import Judged


def judged(rows: pa.Table, right: Mapping[str, tuple[str, ...]]) -> list[Judged]:
    """The categorised rows of CATEGORIZED_TRIALS that ``right`` (trial → categories) knows, in order."""
    columns = rows.select(["nct_id", "status", "category", "confidence", "categoriser"]).to_pylist()
    return [
        Judged(row["nct_id"], row["category"], right[row["nct_id"]], row["confidence"], row["categoriser"])
        for row in columns
        if row["status"] == "ok" and row["nct_id"] in right
    ]


def by_models(judged: Iterable[Judged]) -> list[Judged]:
    """Those that a model decided: compared with the offline rules, what these decided agrees with itself."""
    return [each for each in judged if each.categoriser != "rules"]
