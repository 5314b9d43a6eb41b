"""The report's tables about combinations: one row for every combination, and one row over all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pyarrow as pa

from dataset_project.augmentation.report.outcomes import ComboOutcome
from dataset_project.augmentation.schemas import COMBO_STATISTICS, MERGE_STATISTICS

_DECIMALS = 6


def combo_table(outcomes: Iterable[ComboOutcome]) -> pa.Table:
    """COMBO_STATISTICS, one row per outcome in the order given. One that did not run has counts 0 and figures null."""
    return pa.Table.from_pylist([_row(outcome) for outcome in outcomes], schema=COMBO_STATISTICS)


def _row(outcome: ComboOutcome) -> dict[str, object]:
    rate = outcome.acceptance_rate
    row: dict[str, object] = {
        "combo_id": outcome.combo_id,
        "combo_hash": outcome.combo_hash,
        "methods": list(outcome.methods),
        "families": list(outcome.families),
        "k": len(outcome.methods),
        "label_preserving": outcome.label_preserving,
        "status": outcome.status,
        "reason": outcome.reason,
        "dataset_path": outcome.dataset_path,
        "acceptance_rate": None if rate is None else round(rate, _DECIMALS),
        "label_distribution": str(outcome.facts.get("label_distribution", "{}")),
        "input_hash": outcome.input_hash,
        "resource_hash": outcome.resource_hash,
        "dataset_sha256": outcome.dataset_sha256,
    }
    # What is left are counts and figures, under the names that they were recorded by.
    for column in COMBO_STATISTICS:
        if column.name not in row:
            recorded = outcome.count if pa.types.is_integer(column.type) else outcome.figure
            row[column.name] = recorded(column.name)
    return row


def merge_table(outcomes: Iterable[ComboOutcome]) -> pa.Table:
    """MERGE_STATISTICS, one row: combinations by status, and rows over those that are ok."""
    known = list(outcomes)
    status = Counter(outcome.status for outcome in known)
    rows = [outcome.count("accepted") for outcome in known if outcome.status == "ok"]
    named = {f"combos_{name}": status[name] for name in ("ok", "empty", "failed", "unavailable")}
    merged = {
        "combos": len(known),
        **named,
        "combos_other": len(known) - sum(named.values()),
        "rows": sum(rows),
        "min_rows_per_combo": min(rows, default=None),
        "max_rows_per_combo": max(rows, default=None),
        "mean_rows_per_combo": round(sum(rows) / len(rows), _DECIMALS) if rows else None,
    }
    return pa.Table.from_pylist([merged], schema=MERGE_STATISTICS)
