"""What must hold for published windows besides their outcomes: which exist, splits that leak nothing, and prevalence.

The expected windows are enumerated by DuckDB from the patients table and the settings, not by ``windows``. Outcomes are
recomputed in ``label_validation``.
"""

from __future__ import annotations

from dataset_project.simulations.configuration import SimulationSettings
from dataset_project.simulations.schemas import FORECAST_WINDOWS, SPLITS
from dataset_project.storage.published import (
    Files,
    open_tables,
    paths_of,
    schema_differences,
    validator,
    verdict,
)
from dataset_project.storage.validation import Finding

# Share of windows with the label, per split × cohort, in groups of PATIENTS_NEEDED or more; `_band` widens them for
# fewer: a single careful patient may have no hypoglycaemia, another may spend three days above 180 mg/dL. Seen in
# groups of 15 patients: hypo70 0.2-10 %, hypo54 0-3 %, hyper180 18-75 %, hyper250 1-44 %.
PREVALENCE_BANDS = {
    "hypo70_any_60": (0.0005, 0.30),
    "hypo54_any_60": (0.0, 0.12),
    "hyper180_any_60": (0.05, 0.95),
    "hyper250_any_60": (0.0, 0.70),
    "valid": (0.40, 1.0),
}
PATIENTS_NEEDED = 20


def _band(name: str, patients: int) -> tuple[float, float]:
    """The declared band; for few patients its lower end is halved or dropped, its upper end half way to everything."""
    low, high = PREVALENCE_BANDS[name]
    if patients >= PATIENTS_NEEDED:
        return low, high
    return (low / 2 if name == "valid" else 0.0), (high + 1) / 2


@validator
def windows_are_the_planned_ones(files: Files, settings: SimulationSettings) -> Finding:
    """Exactly the windows the settings ask for, once each, in order, under the right id, patient, archetype and split.

    No window starts in the warm-up day, every horizon ends within the series, anchors lie on the stride of the split.
    Needs ``patients`` and ``forecast_windows``.
    """
    if wrong := schema_differences(files, "forecast_windows", FORECAST_WINDOWS):
        return Finding(False, f"schema: {wrong[0]}", {"schema_differences": len(wrong)})
    histories = ", ".join(f"({hours * 12})" for hours in settings.history_hours)
    last = settings.days * 1440 - 5
    with open_tables(files, "patients", "forecast_windows") as connection:
        row = connection.execute(
            f"""WITH planned AS (
                    SELECT patient_id, archetype_id, split, n, unnest(range(0, {last} - 60 + 1, stride)) AS anchor
                    FROM (SELECT patient_id, archetype_id, split,
                                 CASE split WHEN 'train' THEN {settings.training_stride_minutes}
                                 ELSE {settings.evaluation_stride_minutes} END AS stride
                          FROM patients), (VALUES {histories}) AS h(n)
                ), expected AS (
                    SELECT *, split_part(patient_id, '_', 2)::BIGINT * 10000000000 + anchor * 1000 + n AS window_id
                    FROM planned WHERE anchor - (n - 1) * 5 >= 1440
                )
                SELECT count(w.window_id), count_if(w.window_id IS NULL), count_if(e.window_id IS NULL),
                    count_if(w.window_id IS NOT NULL AND e.window_id IS NOT NULL AND (w.patient_id <> e.patient_id
                        OR w.archetype_id <> e.archetype_id OR w.split <> e.split OR w.n_history <> e.n
                        OR w.anchor_minute <> e.anchor OR w.start_minute <> e.anchor - (e.n - 1) * 5))
                FROM expected e FULL JOIN forecast_windows w USING (window_id)"""
        ).fetchone()
        repeated = connection.execute("SELECT count(*) - count(DISTINCT window_id) FROM forecast_windows").fetchone()[0]
    windows, absent, unplanned, misdescribed = row
    problems = {
        "windows absent": absent,
        "windows not planned": unplanned,
        "windows misdescribed": misdescribed,
        "repeated window ids": repeated,
        "files out of order": _unordered(files),
    }
    return verdict(problems, f"{windows:,} windows, exactly the planned ones", {"windows": windows})


def _unordered(files: Files) -> int:
    """How many files are not sorted by patient number, history, anchor."""
    import numpy as np
    import pyarrow.parquet as pq

    count = 0
    for path in paths_of(files, "forecast_windows"):
        ids = pq.read_table(path, columns=["window_id"])["window_id"].to_numpy()
        patient, rest = np.divmod(ids, 10**10)
        anchor, n_history = np.divmod(rest, 10**3)
        key = (patient * 1000 + n_history) * 10**7 + anchor
        count += int(not (np.diff(key) > 0).all())
    return count


@validator
def splits_do_not_leak(files: Files, settings: SimulationSettings) -> Finding:
    """No archetype and no patient is in two splits, over all files given, and windows agree with their patients.

    Spec check 7. Needs ``patients``; reads ``forecast_windows`` too when given. Give it *all* partitions at once.
    """
    tables = ["patients", *(["forecast_windows"] if "forecast_windows" in files else [])]
    union = " UNION ALL ".join(f"SELECT DISTINCT patient_id, archetype_id, split FROM {name}" for name in tables)
    with open_tables(files, *tables) as connection:
        connection.execute(f"CREATE TEMP TABLE membership AS {union}")
        leaks = {
            f"{what}s in two splits": connection.execute(
                f"SELECT count(*) FROM (SELECT {what}_id FROM membership GROUP BY 1 HAVING count(DISTINCT split) > 1)"
            ).fetchone()[0]
            for what in ("archetype", "patient")
        }
        moved = connection.execute(
            """SELECT count(*) FROM (SELECT patient_id FROM membership GROUP BY 1
               HAVING count(DISTINCT archetype_id) > 1)"""
        ).fetchone()[0]
        unknown = connection.execute(f"SELECT count(*) FROM membership WHERE split NOT IN {SPLITS}").fetchone()[0]
        counts = dict(
            connection.execute(
                "SELECT split, count(DISTINCT archetype_id) FROM patients GROUP BY 1 ORDER BY 1"
            ).fetchall()
        )
    problems = leaks | {"patients of two archetypes": moved, "rows of unknown splits": unknown}
    figures = {f"{split}_archetypes": count for split, count in counts.items()}
    return verdict(problems, f"{sum(counts.values()):,} archetypes, each in one split", figures)


@validator
def prevalence_is_credible(files: Files, settings: SimulationSettings) -> Finding:
    """Label prevalence and the share of valid windows per split × cohort lie within ``PREVALENCE_BANDS`` (check 8).

    Needs ``patients`` and ``forecast_windows``; valid windows of the shortest history are judged, so histories do not
    weigh a patient twice.
    """
    n_history = settings.history_hours[0] * 12
    labels = [name for name in PREVALENCE_BANDS if name != "valid"]
    shares = ", ".join(f"avg(w.{name}::INT) FILTER (w.valid)" for name in labels)
    with open_tables(files, "patients", "forecast_windows") as connection:
        rows = connection.execute(
            f"""SELECT w.split, p.cohort, count(DISTINCT w.patient_id), {shares}, avg(w.valid::INT)
                FROM forecast_windows w JOIN patients p USING (patient_id) WHERE w.n_history = {n_history}
                GROUP BY ALL ORDER BY 1, 2"""
        ).fetchall()
    figures: dict[str, int | float | str | bool] = {}
    problems: dict[str, int] = {}
    for split, cohort, patients, *values in rows:
        for name, value in zip((*labels, "valid"), values, strict=True):
            low, high = _band(name, patients)
            figures[f"{split}_{cohort}_{name}"] = -1.0 if value is None else value
            if value is None or not low <= value <= high:
                problems[f"{split} {cohort} {name} outside {low:g} to {high:g}"] = 1
    if not rows:
        return Finding(False, "no windows", {"groups": 0})
    finding = verdict(problems, f"prevalence within bands in {len(rows)} groups", {})
    return Finding(finding.passed, finding.summary, figures)
