"""The cohort's report: how glycaemia, labels and baselines look over all blocks, as tables and pictures.

One pass over the blocks, one block in memory at a time. What the figures mean is decided where they are computed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataset_project.simulations.forecasting.baselines import BaselineErrors, BaselineSums
from dataset_project.simulations.report import pictures
from dataset_project.simulations.report.glycaemia import (
    Glycaemia,
    histogram_percentiles,
    hourly_histogram,
    patient_glycaemia,
    summarise,
)
from dataset_project.simulations.schemas import (
    BASELINE_ERRORS,
    COHORT_STATISTICS,
    LABEL_COLUMNS,
    LABEL_PREVALENCE,
    SPLITS,
)

_DAY_MINUTES = 1440
# A linear solver's last digits depend on the CPU model; what is stored does not.
_DECIMALS = 4
PICTURED_LABELS = ("hypo70_any_30", "hypo70_any_60", "hypo54_any_60", "hyper180_any_60", "hyper250_any_60")


@dataclass
class ReportSums:
    """Everything the report needs, added block by block; the order of blocks does not matter but for ``day``."""

    patients: list[pa.Table] = field(default_factory=list)
    histogram: np.ndarray = field(default_factory=lambda: np.zeros((24, 601), dtype=np.int64))
    baselines: BaselineSums = field(default_factory=BaselineSums)
    labels: dict[tuple[str, int], np.ndarray] = field(default_factory=dict)
    day: pa.Table | None = None

    def add(self, patients: pa.Table, series: pa.Table, windows: pa.Table) -> None:
        """Add one block's tables (schemas PATIENTS, GLUCOSE_TIMESERIES, FORECAST_WINDOWS)."""
        self.patients.append(patient_glycaemia(series, patients))
        self.histogram += hourly_histogram(series)
        self.baselines.add(series, windows)
        self._count_labels(windows)
        if self.day is None:
            self.day = _first_full_day(series)

    def _count_labels(self, windows: pa.Table) -> None:
        valid = windows.filter(windows["valid"]).unify_dictionaries()
        grouped = valid.group_by(["split", "n_history"], use_threads=False).aggregate(
            [([], "count_all"), *((name, "sum") for name in LABEL_COLUMNS)]
        )
        for row in grouped.to_pylist():
            counts = np.array([row["count_all"], *(row[f"{name}_sum"] for name in LABEL_COLUMNS)], dtype=np.int64)
            key = (row["split"], row["n_history"])
            self.labels[key] = self.labels.get(key, np.zeros_like(counts)) + counts


def _first_full_day(series: pa.Table) -> pa.Table:
    """The second day of the block's first patient: the first after the warm-up."""
    first = series["patient_id"][0]
    mine = series.filter(pc.equal(series["patient_id"], first))
    minute = mine["minute"]
    return mine.filter(pc.and_(pc.greater_equal(minute, _DAY_MINUTES), pc.less(minute, 2 * _DAY_MINUTES)))


def statistics_table(rows: Iterable[Glycaemia]) -> pa.Table:
    """COHORT_STATISTICS: one row per group, with the targets it misses and the real-cohort bands it leaves."""

    def values(row: Glycaemia) -> dict[str, object]:
        flat: dict[str, object] = {f"share_{name}": share for name, share in row.shares.items()}
        flat |= {name: getattr(row, name) for name in COHORT_STATISTICS.names if hasattr(row, name)}
        missed = [name for name, met in row.targets_met().items() if not met]
        outside = [name for name, inside in row.within_real_cohorts().items() if not inside]
        return flat | {"targets_missed": ", ".join(missed), "outside_real_cohorts": ", ".join(outside)}

    return pa.Table.from_pylist([values(row) for row in rows], schema=COHORT_STATISTICS)


def baseline_table(errors: Iterable[BaselineErrors]) -> pa.Table:
    """BASELINE_ERRORS: one row per held-out split and horizon."""
    rows = [
        {
            "split": one.split,
            "horizon_minutes": horizon,
            "windows": one.windows,
            "persistence_rmse_mgdl": round(one.persistence[horizon], _DECIMALS),
            "ridge_rmse_mgdl": round(one.ridge[horizon], _DECIMALS),
        }
        for one in errors
        for horizon in sorted(one.ridge)
    ]
    return pa.Table.from_pylist(rows, schema=BASELINE_ERRORS)


def baseline_errors(table: pa.Table) -> list[BaselineErrors]:
    """The errors a BASELINE_ERRORS table holds."""
    found: dict[str, BaselineErrors] = {}
    for row in table.to_pylist():
        one = found.setdefault(row["split"], BaselineErrors(row["split"], row["windows"], {}, {}))
        one.persistence[row["horizon_minutes"]] = row["persistence_rmse_mgdl"]
        one.ridge[row["horizon_minutes"]] = row["ridge_rmse_mgdl"]
    return list(found.values())


def prevalence_table(labels: dict[tuple[str, int], np.ndarray]) -> pa.Table:
    """LABEL_PREVALENCE: one row per split, history and label, valid windows only."""
    ordered = sorted(labels, key=lambda key: (SPLITS.index(key[0]), key[1]))
    rows = [
        {"split": split, "n_history": n_history, "label": label, "windows": int(counts[0]), "positives": int(count)}
        for split, n_history in ordered
        for counts in (labels[split, n_history],)
        for label, count in zip(LABEL_COLUMNS, counts[1:], strict=True)
    ]
    return pa.Table.from_pylist(rows, schema=LABEL_PREVALENCE)


def draw(sums: ReportSums, groups: list[Glycaemia], errors: list[BaselineErrors]) -> Iterator[tuple[str, bytes]]:
    """The report's pictures: (name, PNG)."""
    yield "glucose_by_hour", pictures.agp_png(histogram_percentiles(sums.histogram))
    yield "time_in_ranges", pictures.time_in_ranges_png(groups)
    if sums.day is not None:
        yield "one_day", pictures.day_png(sums.day)
    shortest = min((n_history for _, n_history in sums.labels), default=None)
    if shortest is not None:
        yield "label_prevalence", pictures.prevalence_png(_shares(sums.labels, shortest))
    if errors:
        yield "forecast_error", pictures.rmse_png(errors)


def _shares(labels: dict[tuple[str, int], np.ndarray], n_history: int) -> dict[str, dict[str, float]]:
    of_split = {split: labels[split, n_history] for split in SPLITS if (split, n_history) in labels}
    return {
        label: {split: counts[1 + LABEL_COLUMNS.index(label)] / counts[0] for split, counts in of_split.items()}
        for label in PICTURED_LABELS
    }


def glycaemia_of(sums: ReportSums) -> list[Glycaemia]:
    """The report's groups: everybody, cohorts, scenarios, and both."""
    return summarise(sums.patients)
