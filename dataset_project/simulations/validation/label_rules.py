"""The outcomes of published windows, computed a second time and compared: DuckDB against ``labels`` and ``windows``.

Nothing is shared with the code under test but names and thresholds. ``labels`` shifts bitmaps; here every label follows
from extremes over SQL window frames, and an event is found by its *last* sample, from extremes of three. Frames count
rows (three times as fast as ranges of minutes), which is sound because ``cohort_rules`` prove the 5-minute grid.
"""

from __future__ import annotations

from dataset_project.simulations.configuration import SimulationSettings
from dataset_project.simulations.schemas import (
    HORIZONS_MINUTES,
    HYPER_THRESHOLDS_MGDL,
    HYPO_THRESHOLDS_MGDL,
    LABEL_COLUMNS,
    label_column,
)
from dataset_project.storage.published import Files, open_tables, validator, verdict
from dataset_project.storage.validation import Finding

_VALUES = ("cgm_30_mgdl", "cgm_60_mgdl", "plasma_30_mgdl", "plasma_60_mgdl", "plasma_min_60_mgdl", "plasma_max_60_mgdl")


@validator
def windows_recomputed(files: Files, settings: SimulationSettings) -> Finding:
    """Every outcome, label and valid flag of ``forecast_windows`` equals what ``glucose_timeseries`` says.

    Spec check 6. Needs both tables; O(samples + windows).
    """
    histories = [hours * 12 for hours in settings.history_hours]
    columns = [*_VALUES, *LABEL_COLUMNS, "valid"]
    valid = " ".join(f"WHEN {n} THEN valid_{n}" for n in histories)
    counts = ", ".join(
        f"count_if(w.{name} IS DISTINCT FROM {f'CASE w.n_history {valid} END' if name == 'valid' else f'e.{name}'})"
        for name in columns
    )
    with open_tables(files, "glucose_timeseries", "forecast_windows") as connection:
        connection.execute(f"CREATE TEMP TABLE expected AS {_expected(histories)}")
        row = connection.execute(
            f"""SELECT count(*), count_if(e.anchor_minute IS NULL), {counts}
                FROM forecast_windows w LEFT JOIN expected e USING (patient_id, anchor_minute)"""
        ).fetchone()
    windows, orphans, *wrong = row
    problems = {"windows without samples": orphans} | {
        f"{name} differs": count for name, count in zip(columns, wrong, strict=True) if count
    }
    finding = verdict(problems, f"{windows:,} windows equal their recomputation", {"windows": windows})
    return finding if windows else Finding(False, "no windows to compare", finding.figures)


def _expected(histories: list[int]) -> str:
    horizons = ", ".join(
        f"""{name}_{horizon} AS (PARTITION BY patient_id ORDER BY minute
            ROWS BETWEEN {first} FOLLOWING AND {horizon // 5} FOLLOWING)"""
        for horizon in HORIZONS_MINUTES
        for name, first in (("ahead", 1), ("events", 3))
    )
    extremes = ", ".join(
        f"""min(plasma) OVER ahead_{h} AS lowest_{h}, max(plasma) OVER ahead_{h} AS highest_{h},
            min(highest_of_three) OVER events_{h} AS lowest_event_{h},
            max(lowest_of_three) OVER events_{h} AS highest_event_{h},
            lead(plasma, {h // 5}) OVER patient AS plasma_{h}_mgdl, lead(cgm, {h // 5}) OVER patient AS cgm_{h}_mgdl"""
        for h in HORIZONS_MINUTES
    )
    losses = ", ".join(
        f"""count_if(cgm IS NULL) OVER (patient ROWS BETWEEN {n - 1} PRECEDING AND CURRENT ROW) AS missing_{n},
            count_if(flagged) OVER (patient ROWS BETWEEN {n - 1} PRECEDING AND 12 FOLLOWING) AS flagged_{n}"""
        for n in histories
    )
    valid = ", ".join(
        f"""missing_{n} = 0 AND flagged_{n} = 0 AND cgm_30_mgdl IS NOT NULL AND cgm_60_mgdl IS NOT NULL AS valid_{n}"""
        for n in histories
    )
    labels = ", ".join(f"{rule} AS {name}" for name, rule in _label_rules().items())
    return f"""
        WITH samples AS (
            SELECT patient_id, minute, plasma_mgdl AS plasma, cgm_mgdl AS cgm, flagged,
                   min(plasma_mgdl) OVER three AS lowest_of_three, max(plasma_mgdl) OVER three AS highest_of_three
            FROM glucose_timeseries
            WINDOW three AS (PARTITION BY patient_id ORDER BY minute ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)
        ), measured AS (
            SELECT patient_id, minute, plasma, {extremes}, {losses} FROM samples
            WINDOW patient AS (PARTITION BY patient_id ORDER BY minute), {horizons}
        )
        SELECT patient_id, minute AS anchor_minute, plasma_30_mgdl, plasma_60_mgdl, cgm_30_mgdl, cgm_60_mgdl,
               lowest_60 AS plasma_min_60_mgdl, highest_60 AS plasma_max_60_mgdl, {labels}, {valid}
        FROM measured"""


def _label_rules() -> dict[str, str]:
    rules = {}
    for horizon in HORIZONS_MINUTES:
        for threshold in (*HYPO_THRESHOLDS_MGDL, *HYPER_THRESHOLDS_MGDL):
            if threshold in HYPO_THRESHOLDS_MGDL:
                any_rule, event_rule = f"lowest_{horizon} < {threshold}", f"lowest_event_{horizon} < {threshold}"
            else:
                any_rule, event_rule = f"highest_{horizon} > {threshold}", f"highest_event_{horizon} > {threshold}"
            rules[label_column(threshold, horizon, "any")] = f"({any_rule})"
            rules[label_column(threshold, horizon, "event")] = f"({event_rule})"
            rules[label_column(threshold, horizon, "incident")] = f"({any_rule} AND plasma BETWEEN 70 AND 180)"
    return rules
