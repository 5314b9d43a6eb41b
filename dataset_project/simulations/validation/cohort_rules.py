"""What must hold for published patients and series, asked of the files themselves.

Each validator takes ``files`` (table name → path, or paths when several partitions are looked at together) and the
settings, and returns a Finding; none shares code with what wrote the files, and each can fail on its own. Rules about
windows are in ``window_validation`` and ``label_validation``, about training files in ``training_validation``;
residual, drift, mass balance and step halving need the model and are in ``diagnostics``.

Bands are declared here: wide enough for any seed, scenario and block, narrow enough that an absurd cohort (99 % of
minutes below 70 mg/dL was once published) is refused.
"""

from __future__ import annotations

from dataset_project.simulations.configuration import SimulationSettings
from dataset_project.simulations.forecasting.baselines import BaselineErrors
from dataset_project.simulations.schemas import AGE_GROUPS, GLUCOSE_TIMESERIES, PATIENTS, SPLITS
from dataset_project.storage.published import Files, open_tables, schema_differences, validator, verdict
from dataset_project.storage.validation import Finding

# Clinical plausibility of one patient; the cohort's own bands per age group are narrower.
PATIENT_BANDS = {
    "age_years": (2.0, 90.0),
    "body_weight_kg": (10.0, 160.0),
    "tdi_u_per_day": (4.0, 150.0),
    "cr_g_per_u": (3.0, 125.0),
    "cf_mgdl_per_u": (10.0, 450.0),
    "basal_u_per_h": (0.05, 4.0),
    "basal_glucose_mgdl": (90.0, 190.0),
}
# Share of samples a block may have flagged (plasma outside 20-600 or a negative state). Seen: 0.02 %.
LARGEST_FLAGGED_SHARE = 0.01
# In a small block one patient's bad day is a large share: so many flagged samples, a day of one patient, are no sign.
FLAGGED_IN_SMALL_BLOCKS = 288
LARGEST_MISSING_SHARE = 0.25
# A block after the warm-up day. Seen over seeds and scenarios: mean 155-181 mg/dL, 0.1-0.9 % below 54, 1.3-4.1 % below
# 70, 54-71 % in range, 3-16 % above 250.
COHORT_BANDS = {
    "mean_mgdl": (115.0, 230.0),
    "share_below_54": (0.0, 0.05),
    "share_below_70": (0.0, 0.12),
    "share_in_range": (0.30, 0.98),
    "share_above_250": (0.0, 0.45),
}
# A block of fewer patients scatters more.
PATIENTS_NEEDED = 10
FEW_PATIENTS_BANDS = {
    "mean_mgdl": (90.0, 300.0),
    "share_below_54": (0.0, 0.15),
    "share_below_70": (0.0, 0.30),
    "share_in_range": (0.10, 1.0),
    "share_above_250": (0.0, 0.75),
}
# No single patient may live in hypoglycaemia either. Seen: 0.23 at most in 1,700 patients.
LARGEST_PATIENT_SHARE_BELOW_70 = 0.40
# CGM minus interstitial, clipped samples left out (spec check 5; Breton & Kovatchev 2008). Seen: 0.7-0.8, 11.4-11.5,
# 0.75 at 15 min (0.7 in the chain, more after interpolation), MARD against plasma 6.5-6.8 %.
SENSOR_BANDS = {
    "mean_mgdl": (0.0, 1.6),
    "sd_mgdl": (10.3, 12.7),
    "correlation_15_min": (0.66, 0.84),
    "mard": (0.045, 0.11),
}
# The bands are for this many readings (errors are correlated over some 90 min) and widen with the square root below;
# very few readings say nothing.
SENSOR_BAND_READINGS = 100_000
SENSOR_READINGS_NEEDED = 2_000


@validator
def patients_are_sound(files: Files, settings: SimulationSettings) -> Finding:
    """Schema, unique well-formed ids, one seed each, known groups and splits, split a function of the archetype,
    CR = 500/TDI and CF = 1800/TDI, every attribute within its band. Needs ``patients``."""
    if wrong := schema_differences(files, "patients", PATIENTS):
        return Finding(False, f"schema: {wrong[0]}", {"schema_differences": len(wrong)})
    outside = " OR ".join(f"NOT {name} BETWEEN {low} AND {high}" for name, (low, high) in PATIENT_BANDS.items())
    with open_tables(files, "patients") as connection:
        row = connection.execute(
            f"""SELECT count(*), count(*) - count(DISTINCT patient_id), count(*) - count(DISTINCT seed),
                count_if(NOT regexp_full_match(patient_id, 'patient_[0-9]+')),
                count_if(cohort NOT IN {AGE_GROUPS}), count_if(split NOT IN {SPLITS}),
                count_if(abs(cr_g_per_u * tdi_u_per_day / 500 - 1) > 0.01
                         OR abs(cf_mgdl_per_u * tdi_u_per_day / 1800 - 1) > 0.01),
                count_if({outside}),
                max(try_cast(split_part(patient_id, '_', 2) AS BIGINT))
                    - min(try_cast(split_part(patient_id, '_', 2) AS BIGINT)) + 1,
                count(DISTINCT config_hash), count(DISTINCT archetype_id)
                FROM patients"""
        ).fetchone()
        torn = connection.execute(
            """SELECT count(*) FROM (SELECT archetype_id FROM patients GROUP BY 1
               HAVING count(DISTINCT split) > 1 OR count(DISTINCT cohort) > 1)"""
        ).fetchone()[0]
    patients, repeated, seeds, malformed, groups, splits, rules, beyond, span, hashes, archetypes = row
    if not patients:
        return Finding(False, "no patients", {"patients": 0})
    one_block = len(files["patients"]) == 1 if isinstance(files["patients"], (list, tuple)) else True
    problems = {
        "repeated patient ids": repeated,
        "repeated seeds": seeds,
        "malformed ids": malformed,
        "unknown cohorts": groups,
        "unknown splits": splits,
        "archetypes in two splits or cohorts": torn,
        "ratios that break the 500 and 1800 rules": rules,
        "patients outside the bands": beyond,
        "numbers missing from the block": max((span or 0) - patients, 0) if one_block else 0,
        "configurations besides the first": hashes - 1 if one_block else 0,
    }
    figures = {"patients": patients, "archetypes": archetypes}
    return verdict(problems, f"{patients:,} patients of {archetypes:,} archetypes", figures)


@validator
def series_is_complete(files: Files, settings: SimulationSettings) -> Finding:
    """Schema; every patient exactly once at 0, 5, ... to the last minute of ``settings.days``; CGM a whole 39-600 or
    null; amounts never negative; plasma outside 20-600 only where flagged; few flags. Needs ``glucose_timeseries``."""
    if wrong := schema_differences(files, "glucose_timeseries", GLUCOSE_TIMESERIES):
        return Finding(False, f"schema: {wrong[0]}", {"schema_differences": len(wrong)})
    samples = settings.days * 288
    amounts = ("basal_u", "bolus_u", "carbs_announced_g", "carbs_eaten_g", "rescue_g")
    with open_tables(files, "glucose_timeseries") as connection:
        row = connection.execute(
            f"""SELECT count(*),
                count_if(cgm_mgdl IS NOT NULL AND (NOT cgm_mgdl BETWEEN 39 AND 600 OR cgm_mgdl <> round(cgm_mgdl))),
                count_if({" OR ".join(f"NOT ({a} >= 0 AND isfinite({a}))" for a in amounts)}),
                count_if(NOT flagged AND NOT (plasma_mgdl BETWEEN 20 AND 600)),
                count_if(NOT isfinite(plasma_mgdl) OR NOT isfinite(interstitial_mgdl)),
                count_if(flagged), avg((cgm_mgdl IS NULL)::INT)
                FROM glucose_timeseries"""
        ).fetchone()
        patients, ragged, unordered = connection.execute(
            f"""SELECT count(*), count_if(n <> {samples} OR minutes <> {samples} OR first <> 0
                                          OR last <> {(samples - 1) * 5} OR off_grid > 0),
                       count_if(misplaced > 0 OR rows <> n)
                FROM (SELECT count(*) AS n, count(DISTINCT minute) AS minutes, min(minute) AS first,
                             max(minute) AS last, count_if(minute % 5 <> 0) AS off_grid,
                             count_if(minute <> file_row_number % {samples} * 5) AS misplaced,
                             max(file_row_number) - min(file_row_number) + 1 AS rows
                      FROM glucose_timeseries GROUP BY patient_id)"""
        ).fetchone()
    rows, readings, negative, unflagged, infinite, flagged, missing = row
    share = flagged / rows if rows else 0.0
    if not rows:
        return Finding(False, "no samples", {"samples": 0})
    gone = LARGEST_MISSING_SHARE if settings.sensor_gaps else 0.0
    problems = {
        "patients off the 5 minute grid": ragged,
        "patients out of order": unordered,
        "impossible CGM readings": readings,
        "negative or infinite amounts": negative,
        "unflagged plasma outside 20-600": unflagged,
        "infinite glucose": infinite,
        "flagged share above tolerance": int(flagged > max(LARGEST_FLAGGED_SHARE * rows, FLAGGED_IN_SMALL_BLOCKS)),
        "missing CGM share above tolerance": int(missing > gone),
    }
    figures = {"samples": rows, "patients": patients, "flagged_share": share, "missing_cgm_share": missing}
    return verdict(problems, f"{rows:,} samples of {patients:,} patients, {share:.3%} flagged", figures)


@validator
def series_is_credible(files: Files, settings: SimulationSettings) -> Finding:
    """The sanity gate: mean glucose and time in ranges of the block, and of its worst patient, are humanly possible.

    Plasma after the warm-up day, flagged samples included. Needs ``glucose_timeseries``.
    """
    with open_tables(files, "glucose_timeseries") as connection:
        row = connection.execute(
            """SELECT avg(mean), avg(b54), avg(b70), avg(inside), avg(a250), max(b70), min(sd), count(*)
               FROM (SELECT avg(plasma_mgdl) AS mean, avg((plasma_mgdl < 54)::INT) AS b54,
                            avg((plasma_mgdl < 70)::INT) AS b70,
                            avg((plasma_mgdl BETWEEN 70 AND 180)::INT) AS inside,
                            avg((plasma_mgdl > 250)::INT) AS a250, stddev_pop(plasma_mgdl) AS sd
                     FROM glucose_timeseries WHERE minute >= 1440 GROUP BY patient_id)"""
        ).fetchone()
    if not row[-1]:
        return Finding(False, "no samples after the warm-up day", {"patients": 0})
    figures = dict(zip(COHORT_BANDS, row[:5], strict=True)) | {"worst_patient_below_70": row[5], "smallest_sd": row[6]}
    bands = COHORT_BANDS if row[-1] >= PATIENTS_NEEDED else FEW_PATIENTS_BANDS
    outside = {
        f"{name} outside {low:g} to {high:g}": int(not low <= figures[name] <= high)
        for name, (low, high) in bands.items()
    }
    outside["a patient too long below 70"] = int(figures["worst_patient_below_70"] > LARGEST_PATIENT_SHARE_BELOW_70)
    outside["a patient whose glucose does not move"] = int(figures["smallest_sd"] < 2.0)
    finding = verdict(
        outside, f"mean {row[0]:.0f} mg/dL, {row[3]:.0%} in range, {row[2]:.1%} below 70, {row[1]:.1%} below 54", {}
    )
    return Finding(finding.passed, finding.summary, figures)


@validator
def series_matches_patients(files: Files, settings: SimulationSettings) -> Finding:
    """Series and patients tables hold the same patients. Needs both."""
    with open_tables(files, "patients", "glucose_timeseries") as connection:
        silent, unknown, both = connection.execute(
            """SELECT count_if(s.patient_id IS NULL), count_if(p.patient_id IS NULL),
                      count_if(s.patient_id IS NOT NULL AND p.patient_id IS NOT NULL)
               FROM patients p FULL JOIN (SELECT DISTINCT patient_id FROM glucose_timeseries) s USING (patient_id)"""
        ).fetchone()
    problems = {"patients without series": silent, "series without patient": unknown}
    return verdict(problems, f"the same {both:,} patients in both tables", {"patients": both})


@validator
def sensor_is_credible(files: Files, settings: SimulationSettings) -> Finding:
    """Sensor error has the mean, spread, correlation and MARD of the published model (spec check 5).

    Few readings are reported and not judged. Needs ``glucose_timeseries``.
    """
    with open_tables(files, "glucose_timeseries") as connection:
        readings, mean, sd, correlation, mard = connection.execute(
            """WITH errors AS (
                   SELECT patient_id, minute, CASE WHEN cgm_mgdl > 39 AND cgm_mgdl < 600
                          THEN cgm_mgdl::DOUBLE - interstitial_mgdl END AS error, plasma_mgdl AS plasma,
                          cgm_mgdl AS cgm
                   FROM glucose_timeseries WHERE minute >= 1440 AND NOT flagged),
               pairs AS (SELECT *, lead(error, 3) OVER (PARTITION BY patient_id ORDER BY minute) AS later FROM errors)
               SELECT count(error), avg(error), stddev_pop(error), corr(error, later), avg(abs(cgm - plasma) / plasma)
               FROM pairs"""
        ).fetchone()
    if not readings:
        return Finding(False, "no CGM readings", {"readings": 0})
    figures = dict(zip(SENSOR_BANDS, (mean, sd, correlation or 0.0, mard), strict=True))
    summary = f"mean {mean:+.2f}, SD {sd:.1f} mg/dL, correlation {figures['correlation_15_min']:.2f}, MARD {mard:.1%}"
    if readings < SENSOR_READINGS_NEEDED:
        return Finding(True, f"{summary} ({readings:,} readings: too few to judge)", figures | {"readings": readings})
    widening = max(1.0, (SENSOR_BAND_READINGS / readings) ** 0.5)
    problems = {}
    for name, (low, high) in SENSOR_BANDS.items():
        middle, room = (low + high) / 2, (high - low) / 2 * widening
        problems[f"{name} outside {middle:.3g} ± {room:.2g}"] = int(not abs(figures[name] - middle) <= room)
    finding = verdict(problems, summary, {})
    return Finding(finding.passed, finding.summary, figures | {"readings": readings})


def ridge_beats_persistence(errors: list[BaselineErrors], fewest_windows: int = 500) -> Finding:
    """Ridge has the lower RMSE at +30 and +60 on every held-out split with enough windows (spec check 11)."""
    judged = [e for e in errors if e.windows >= fewest_windows]
    figures: dict[str, int | float | str | bool] = {}
    problems: dict[str, int] = {}
    for e in errors:
        figures[f"{e.split}_windows"] = e.windows
        for horizon in (30, 60):
            figures[f"{e.split}_persistence_{horizon}_mgdl"] = e.persistence[horizon]
            figures[f"{e.split}_ridge_{horizon}_mgdl"] = e.ridge[horizon]
            if e in judged:
                problems[f"{e.split} at {horizon} min not beaten"] = int(not e.ridge[horizon] < e.persistence[horizon])
    if not judged:
        return Finding(False, f"no held-out split has {fewest_windows} windows", figures)
    good = ", ".join(f"{e.split} {e.ridge[30]:.1f}/{e.ridge[60]:.1f}" for e in judged)
    finding = verdict(problems, f"ridge RMSE at 30/60 min {good} mg/dL, below persistence", {})
    return Finding(finding.passed, finding.summary, figures)
