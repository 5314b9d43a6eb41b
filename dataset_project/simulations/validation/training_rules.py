"""What must hold for the materialised training files: the right windows, once, in the right file, the right samples.

Read back with DuckDB and compared with the published windows and series; nothing is shared with ``training`` but its
schema. Memory stays that of one partition: files are compared block by block or as a stream.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from dataset_project.simulations.configuration import SimulationSettings
from dataset_project.simulations.forecasting.training import TARGETS, training_schema
from dataset_project.simulations.schemas import LABEL_COLUMNS, SPLITS
from dataset_project.storage.published import (
    Files,
    open_tables,
    paths_of,
    schema_differences,
    validator,
    verdict,
)
from dataset_project.storage.validation import Finding

# Windows per file whose samples are compared one by one with the series, evenly spaced over the file.
SAMPLED_WINDOWS = 1_000


@validator
def training_files_match_windows(files: Files, settings: SimulationSettings) -> Finding:
    """Each split's file holds exactly its valid windows, with the index's targets and labels; no patient or archetype
    is in two files. Needs ``train``, ``val``, ``test`` and ``forecast_windows`` (all partitions)."""
    n_history = settings.materialised_history_hours * 12
    for split in SPLITS:
        if wrong := schema_differences(files, split, training_schema(n_history)):
            return Finding(False, f"schema: {wrong[0]}", {"schema_differences": len(wrong)})
    totals = np.zeros(5, dtype=np.int64)
    for path in paths_of(files, "forecast_windows"):
        totals += _compare_block({**files, "forecast_windows": path}, n_history)
    members = " UNION ALL ".join(f"SELECT DISTINCT '{s}' AS file, patient_id, archetype_id FROM {s}" for s in SPLITS)
    with open_tables(files, *SPLITS) as connection:
        connection.execute(f"CREATE TEMP TABLE membership AS {members}")
        leaking = sum(
            connection.execute(
                f"SELECT count(*) FROM (SELECT 1 FROM membership GROUP BY {what} HAVING count(DISTINCT file) > 1)"
            ).fetchone()[0]
            for what in ("archetype_id", "patient_id")
        )
        per_file = {s: connection.execute(f"SELECT count(*) FROM {s}").fetchone()[0] for s in SPLITS}
    matched, absent, differing, misfiled, repeated = totals.tolist()
    problems = {
        "valid windows absent": absent,
        "windows that should not be there": max(sum(per_file.values()) - matched, 0),
        "windows unlike their index row": differing,
        "windows in another split's file": misfiled,
        "repeated windows": repeated,
        "archetypes or patients in two files": leaking,
    }
    return verdict(
        problems, f"{matched:,} windows, exactly the valid ones", {f"{s}_windows": n for s, n in per_file.items()}
    )


def _compare_block(files: Files, n_history: int) -> np.ndarray:
    """Windows of one block: matched, absent, differing, in the wrong file, repeated."""
    compared = ("patient_id", "archetype_id", "anchor_minute", "split", *TARGETS, *LABEL_COLUMNS)
    differs = " OR ".join(f"t.{name} IS DISTINCT FROM w.{name}" for name in compared)
    columns = ", ".join(("window_id", *compared))
    with open_tables(files, "forecast_windows", *SPLITS) as connection:
        first, last = connection.execute("SELECT min(window_id), max(window_id) FROM forecast_windows").fetchone()
        if first is None:
            return np.zeros(5, dtype=np.int64)
        rows = " UNION ALL ".join(
            f"SELECT '{s}' AS file, {columns} FROM {s} WHERE window_id BETWEEN {first} AND {last}" for s in SPLITS
        )
        counts = connection.execute(
            f"""WITH wanted AS (SELECT * FROM forecast_windows WHERE valid AND n_history = {n_history})
                SELECT count_if(t.window_id IS NOT NULL), count_if(t.window_id IS NULL),
                       count_if(t.window_id IS NOT NULL AND ({differs})), count_if(t.file <> w.split),
                       count(t.window_id) - count(DISTINCT t.window_id)
                FROM wanted w LEFT JOIN ({rows}) t USING (window_id)"""
        ).fetchone()
    return np.array(counts, dtype=np.int64)


@validator
def training_samples_match_series(files: Files, settings: SimulationSettings) -> Finding:
    """The samples of evenly spaced windows are those of the series, oldest first, the anchor last.

    Needs ``train``, ``val``, ``test`` and ``glucose_timeseries`` (all partitions).
    """
    span = (settings.materialised_history_hours * 12 - 1) * 5
    checked, wrong = 0, 0
    with open_tables(files, "glucose_timeseries", *SPLITS) as connection:
        for split in SPLITS:
            rows = connection.execute(f"SELECT count(*) FROM {split}").fetchone()[0]
            every = max(rows // SAMPLED_WINDOWS, 1)
            total, differing = connection.execute(
                f"""WITH picked AS (SELECT * FROM {split} WHERE file_row_number % {every} = 0),
                    looked_up AS (
                        SELECT p.window_id, list(s.cgm_mgdl ORDER BY s.minute) AS cgm,
                               list(s.basal_u + s.bolus_u ORDER BY s.minute) AS insulin,
                               list(s.carbs_announced_g ORDER BY s.minute) AS carbs
                        FROM picked p JOIN glucose_timeseries s ON s.patient_id = p.patient_id
                             AND s.minute BETWEEN p.anchor_minute - {span} AND p.anchor_minute
                        GROUP BY p.window_id)
                    SELECT count(*), coalesce(count_if(l.window_id IS NULL OR p.cgm::FLOAT[] IS DISTINCT FROM l.cgm
                        OR p.insulin::FLOAT[] IS DISTINCT FROM l.insulin
                        OR p.carbs::FLOAT[] IS DISTINCT FROM l.carbs), 0)
                    FROM picked p LEFT JOIN looked_up l USING (window_id)"""
            ).fetchone()
            checked += total
            wrong += differing
    return verdict(
        {"windows with other samples": wrong}, f"{checked:,} windows hold the series' samples", {"windows": checked}
    )


@validator
def normalisation_is_of_train(files: Files, settings: SimulationSettings) -> Finding:
    """``normalisation.json`` gives mean and SD of the train patients' samples after the warm-up day, within 0.1 %.

    Train patients are those with a window of the materialised history in ``forecast_windows``. Needs ``normalisation``,
    ``forecast_windows`` and ``glucose_timeseries`` (all partitions).
    """
    path: Path = paths_of(files, "normalisation")[0]
    stated = json.loads(path.read_text(encoding="utf-8"))["channels"]
    with open_tables(files, "glucose_timeseries", "forecast_windows") as connection:
        row = connection.execute(
            f"""WITH train AS (SELECT DISTINCT patient_id FROM forecast_windows
                               WHERE split = 'train' AND n_history = {settings.materialised_history_hours * 12})
                SELECT avg(cgm_mgdl), stddev_pop(cgm_mgdl),
                       avg(basal_u::DOUBLE + bolus_u), stddev_pop(basal_u::DOUBLE + bolus_u),
                       avg(carbs_announced_g), stddev_pop(carbs_announced_g)
                FROM glucose_timeseries SEMI JOIN train USING (patient_id) WHERE minute >= 1440"""
        ).fetchone()
    figures: dict[str, int | float | str | bool] = {}
    problems: dict[str, int] = {}
    for i, channel in enumerate(("cgm", "insulin", "carbs")):
        for name, value in (("mean", row[2 * i]), ("std", row[2 * i + 1])):
            figures[f"{channel}_{name}"] = stated[channel][name]
            # A constant channel is given the SD 1, see ``normalisation``.
            expected = 1.0 if name == "std" and value == 0 else value
            if expected is None or abs(stated[channel][name] - expected) > 1e-3 * max(abs(expected), 0.01):
                problems[f"{channel} {name} is not that of train"] = 1
    finding = verdict(problems, "mean and SD are those of the train samples", {})
    return Finding(finding.passed, finding.summary, figures)
