"""How well controlled a cohort is: time in ranges, mean, spread and the consensus targets.

Statistics are counted per patient in integers, so blocks merge in any order to the same digits; summaries average over
patients, as clinical reports do (a pooled CV would add the differences *between* patients). The warm-up day never
counts. Targets are reported even when missed; refusing an absurd cohort is the job of ``validation``.

Sources: ranges and targets, Battelino et al., Diabetes Care 42(8), 2019; GMI = 3.31 + 0.02392 * mean, Bergenstal et
al., Diabetes Care 41(11), 2018; real-cohort bands, the family's specification.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from dataset_project.simulations.forecasting.series_arrays import (
    SAMPLES_PER_DAY,
    WARM_UP_SAMPLES,
    SeriesArrays,
    attributes,
)
from dataset_project.simulations.schemas import GLUCOSE_RANGES

BATTELINO_TARGETS = {
    "below_54": ("<", 0.01),
    "54_69": ("<", 0.04),
    "70_180": (">", 0.70),
    "181_250": ("<", 0.25),
    "above_250": ("<", 0.05),
    "cv": ("<=", 0.36),
}
REAL_COHORT_BANDS = {"mean_mgdl": (162.0, 166.0), "70_180": (0.60, 0.67), "cv": (0.32, 0.38)}
STEPS_PER_MGDL = 100
OVERALL = "all"
# Upper edges in steps; each range ends where the next begins: <54, [54, 70), [70, 180], (180, 250], >250.
_EDGES = np.array([54, 70, 180, 250]) * STEPS_PER_MGDL
_HIGHEST_MGDL = 600


@dataclass(frozen=True)
class Glycaemia:
    """One row of the report. Shares are 0-1, glucose is mg/dL, ``gmi_percent`` is an HbA1c-like percentage."""

    cohort: str
    scenario: str
    patients: int
    samples: int
    mean_mgdl: float
    sd_mgdl: float
    cv: float
    gmi_percent: float
    shares: dict[str, float]

    def value(self, figure: str) -> float:
        """A figure by its name in ``BATTELINO_TARGETS`` or ``REAL_COHORT_BANDS``."""
        return self.shares[figure] if figure in self.shares else getattr(self, figure)

    def targets_met(self) -> dict[str, bool]:
        """Which consensus targets hold."""
        compare = {"<": lambda a, b: a < b, ">": lambda a, b: a > b, "<=": lambda a, b: a <= b}
        return {name: bool(compare[sign](self.value(name), limit)) for name, (sign, limit) in BATTELINO_TARGETS.items()}

    def within_real_cohorts(self) -> dict[str, bool]:
        """Which figures lie in the bands that real cohorts show."""
        return {name: low <= self.value(name) <= high for name, (low, high) in REAL_COHORT_BANDS.items()}


def patient_glycaemia(series: pa.Table, patients: pa.Table, signal: str = "cgm_mgdl") -> pa.Table:
    """One row per patient of a block: who it is, and integer counts of ``signal`` after the warm-up day.

    Columns: patient_id, cohort, scenario, samples, one count per range, total and squares (in steps of 0.01 mg/dL and
    their squares). Rows of all blocks together are what ``summarise`` takes: about 100 bytes a patient.
    """
    block = SeriesArrays.of(series)
    glucose = block.matrix(signal)[:, WARM_UP_SAMPLES:]
    steps = np.rint(glucose.astype(np.float64) * STEPS_PER_MGDL)
    present = ~np.isnan(steps)
    known = np.where(present, steps, 0).astype(np.int64)
    below = [((known < edge) if i < 2 else (known <= edge)) & present for i, edge in enumerate(_EDGES)]
    cumulative = [side.sum(axis=1) for side in below] + [present.sum(axis=1)]
    counts = np.diff(np.stack(cumulative), axis=0, prepend=0)
    columns = {
        "patient_id": pa.array(block.patient_ids, pa.string()),
        "cohort": pa.array(attributes(patients, block.patient_ids, "cohort"), pa.string()),
        "scenario": pa.array(attributes(patients, block.patient_ids, "scenario"), pa.string()),
        "samples": pa.array(present.sum(axis=1)),
        **{name: pa.array(counts[i]) for i, name in enumerate(GLUCOSE_RANGES)},
        "total": pa.array(known.sum(axis=1)),
        "squares": pa.array((known * known).sum(axis=1)),
    }
    return pa.table(columns)


def summarise(patient_rows: Iterable[pa.Table]) -> list[Glycaemia]:
    """The report: overall (``all``/``all``), per cohort, per scenario, then cohort × scenario, each sorted by name.

    Patients without a single sample are left out. ValueError when no patient is left.
    """
    rows = pa.concat_tables(list(patient_rows)).sort_by("patient_id").to_pylist()
    rows = [row for row in rows if row["samples"] > 0]
    if not rows:
        raise ValueError("no glucose samples after the warm-up day")
    groups: dict[tuple[str, str], list[dict[str, object]]] = {}
    for row in rows:
        for key in (
            (OVERALL, OVERALL),
            (row["cohort"], OVERALL),
            (OVERALL, row["scenario"]),
            (row["cohort"], row["scenario"]),
        ):
            groups.setdefault(key, []).append(row)
    order = sorted(groups, key=lambda key: ((key[0] != OVERALL) + 2 * (key[1] != OVERALL), key))
    return [_group(cohort, scenario, groups[cohort, scenario]) for cohort, scenario in order]


def _group(cohort: str, scenario: str, rows: list[dict[str, object]]) -> Glycaemia:
    means, spreads = [], []
    for row in rows:
        count, total, squares = int(row["samples"]), int(row["total"]), int(row["squares"])
        means.append(total / count / STEPS_PER_MGDL)
        spreads.append(math.sqrt(max(count * squares - total * total, 0)) / count / STEPS_PER_MGDL)
    n = len(rows)
    mean = math.fsum(means) / n
    return Glycaemia(
        cohort=cohort,
        scenario=scenario,
        patients=n,
        samples=sum(int(row["samples"]) for row in rows),
        mean_mgdl=mean,
        sd_mgdl=math.fsum(spreads) / n,
        cv=math.fsum(sd / m for sd, m in zip(spreads, means, strict=True)) / n,
        gmi_percent=3.31 + 0.02392 * mean,
        shares={name: math.fsum(row[name] / row["samples"] for row in rows) / n for name in GLUCOSE_RANGES},
    )


def hourly_histogram(series: pa.Table, signal: str = "cgm_mgdl") -> np.ndarray:
    """Counts of whole mg/dL by hour of the day after the warm-up day: int64 (24, 601). Add the arrays of all blocks.

    Values are rounded to whole mg/dL and those outside 0-600 counted at the edge.
    """
    block = SeriesArrays.of(series)
    glucose = block.matrix(signal)[:, WARM_UP_SAMPLES:]
    hour = (np.arange(glucose.shape[1]) % SAMPLES_PER_DAY) * 24 // SAMPLES_PER_DAY
    present = ~np.isnan(glucose)
    bins = np.clip(np.rint(np.where(present, glucose, 0)), 0, _HIGHEST_MGDL).astype(np.int64)
    flat = (hour * (_HIGHEST_MGDL + 1) + bins)[present]
    return np.bincount(flat, minlength=24 * (_HIGHEST_MGDL + 1)).reshape(24, _HIGHEST_MGDL + 1)


def histogram_percentiles(counts: np.ndarray, percentiles: tuple[int, ...] = (5, 25, 50, 75, 95)) -> np.ndarray:
    """Percentiles of each row of ``counts`` (rows, 601): float64 (len(percentiles), rows), mg/dL; NaN for empty rows.

    The value is the smallest whole mg/dL that at least p % of the samples do not exceed.
    """
    cumulative = np.cumsum(counts, axis=1)
    totals = cumulative[:, -1]
    found = np.full((len(percentiles), counts.shape[0]), np.nan)
    for i, percentile in enumerate(percentiles):
        needed = np.maximum(-(-totals * percentile // 100), 1)
        found[i, totals > 0] = (cumulative < needed[:, None]).sum(axis=1)[totals > 0]
    return found
