"""Arrow schemas of the family's tables: names, types, units and meanings, in one place.

Field metadata (``unit``, ``description``) travels into the Parquet files and onto Dagster's column schema.
"""

from __future__ import annotations

import pyarrow as pa

SPLITS = ("train", "val", "test")
AGE_GROUPS = ("child", "adolescent", "adult")
HYPO_THRESHOLDS_MGDL = (70, 54)
HYPER_THRESHOLDS_MGDL = (180, 250)
HORIZONS_MINUTES = (30, 60)
LABEL_VARIANTS = ("any", "event", "incident")

_name = pa.dictionary(pa.int32(), pa.string())


def _field(name: str, kind: pa.DataType, description: str, unit: str = "", nullable: bool = False) -> pa.Field:
    metadata = {"description": description} | ({"unit": unit} if unit else {})
    return pa.field(name, kind, nullable=nullable, metadata=metadata)


PATIENTS = pa.schema(
    [
        _field("patient_id", pa.string(), "patient_N, its number fixed as the dataset grows"),
        _field("archetype_id", pa.string(), "physiological parameter set shared by several patients"),
        _field("cohort", pa.string(), "age group: child, adolescent or adult"),
        _field("age_years", pa.float32(), "age", "year"),
        _field("body_weight_kg", pa.float32(), "body weight", "kg"),
        _field("tdi_u_per_day", pa.float32(), "total daily insulin", "U/day"),
        _field("cr_g_per_u", pa.float32(), "carbohydrate ratio, 500/TDI", "g/U"),
        _field("cf_mgdl_per_u", pa.float32(), "correction factor, 1800/TDI", "mg/dL/U"),
        _field("basal_u_per_h", pa.float32(), "insulin rate that holds the basal steady state", "U/h"),
        _field("basal_glucose_mgdl", pa.float32(), "plasma glucose of the basal steady state", "mg/dL"),
        _field("model", pa.string(), "glucose-insulin model"),
        _field("parameter_source", pa.string(), "where the archetype's parameters come from"),
        _field("scenario", pa.string(), "behaviour scenario of this patient"),
        _field("seed", pa.int64(), "seed of the patient's random streams"),
        _field("split", pa.string(), "train, val or test; a function of the archetype"),
        _field("config_hash", pa.string(), "hash of the configuration that reaches this table"),
    ]
)

GLUCOSE_TIMESERIES = pa.schema(
    [
        _field("patient_id", _name, "patient"),
        _field("minute", pa.int32(), "minutes since the start of the simulation", "min"),
        _field("plasma_mgdl", pa.float32(), "plasma glucose, Gp/VG, rounded to 0.01", "mg/dL"),
        _field("interstitial_mgdl", pa.float32(), "subcutaneous glucose, Gs/VG, rounded to 0.01", "mg/dL"),
        _field("cgm_mgdl", pa.float32(), "sensor reading, 39-600, whole mg/dL; null: signal loss", "mg/dL", True),
        _field("basal_u", pa.float32(), "basal insulin delivered in [minute, minute+5)", "U"),
        _field("bolus_u", pa.float32(), "bolus insulin delivered in [minute, minute+5)", "U"),
        _field("carbs_announced_g", pa.float32(), "carbohydrate the patient counted for a bolus in the step", "g"),
        _field("carbs_eaten_g", pa.float32(), "meal carbohydrate ingested in the step, without rescue", "g"),
        _field("rescue_g", pa.float32(), "rescue carbohydrate ingested in the step", "g"),
        _field(
            "flagged", pa.bool_(), "plasma outside 20-600 mg/dL at the sample or during the step, or a negative state"
        ),
    ]
)


def label_column(threshold: int, horizon: int, variant: str) -> str:
    """Name of a label column, for example ``hypo70_any_30``."""
    return f"{'hypo' if threshold in HYPO_THRESHOLDS_MGDL else 'hyper'}{threshold}_{variant}_{horizon}"


LABEL_COLUMNS = tuple(
    label_column(threshold, horizon, variant)
    for threshold in (*HYPO_THRESHOLDS_MGDL, *HYPER_THRESHOLDS_MGDL)
    for horizon in HORIZONS_MINUTES
    for variant in LABEL_VARIANTS
)

_VARIANT_MEANING = {
    "any": "at least one sample",
    "event": "at least 15 consecutive minutes (three samples)",
    "incident": "at least one sample while plasma at the anchor is within 70-180 mg/dL",
}


def _label_fields() -> list[pa.Field]:
    fields = []
    for threshold in (*HYPO_THRESHOLDS_MGDL, *HYPER_THRESHOLDS_MGDL):
        side = "below" if threshold in HYPO_THRESHOLDS_MGDL else "above"
        for horizon in HORIZONS_MINUTES:
            for variant in LABEL_VARIANTS:
                meaning = f"plasma {side} {threshold} mg/dL within the next {horizon} min: {_VARIANT_MEANING[variant]}"
                fields.append(_field(label_column(threshold, horizon, variant), pa.bool_(), meaning))
    return fields


FORECAST_WINDOWS = pa.schema(
    [
        _field("window_id", pa.int64(), "patient number x 10^10 + anchor minute x 10^3 + history samples"),
        _field("patient_id", _name, "patient"),
        _field("archetype_id", _name, "archetype of the patient"),
        _field("start_minute", pa.int32(), "minute of the first history sample", "min"),
        _field("anchor_minute", pa.int32(), "minute of the last history sample: now", "min"),
        _field("n_history", pa.int16(), "history samples, 5 min apart: 24, 72 or 288"),
        _field("split", _name, "train, val or test"),
        *(
            _field(
                f"{signal}_{horizon}_mgdl",
                pa.float32(),
                f"{signal} {horizon} min after the anchor",
                "mg/dL",
                signal == "cgm",
            )
            for signal in ("cgm", "plasma")
            for horizon in HORIZONS_MINUTES
        ),
        _field("plasma_min_60_mgdl", pa.float32(), "lowest plasma in the next 60 min", "mg/dL"),
        _field("plasma_max_60_mgdl", pa.float32(), "highest plasma in the next 60 min", "mg/dL"),
        *_label_fields(),
        _field("valid", pa.bool_(), "no missing CGM in the history or at +30/+60, no flagged sample up to +60"),
    ]
)

GLUCOSE_RANGES = ("below_54", "54_69", "70_180", "181_250", "above_250")

COHORT_STATISTICS = pa.schema(
    [
        _field("cohort", pa.string(), "age group, or `all`"),
        _field("scenario", pa.string(), "behaviour scenario, or `all`"),
        _field("patients", pa.int64(), "patients of the group"),
        _field("samples", pa.int64(), "CGM samples after the warm-up day"),
        _field("mean_mgdl", pa.float64(), "mean CGM, averaged over patients", "mg/dL"),
        _field("sd_mgdl", pa.float64(), "within-patient SD of CGM, averaged over patients", "mg/dL"),
        _field("cv", pa.float64(), "coefficient of variation, averaged over patients", "1"),
        _field("gmi_percent", pa.float64(), "glucose management indicator (Bergenstal 2018)", "%"),
        *(_field(f"share_{name}", pa.float64(), f"share of time {name.replace('_', ' ')} mg/dL", "1")
          for name in GLUCOSE_RANGES),
        _field("targets_missed", pa.string(), "Battelino 2019 targets that the group misses"),
        _field("outside_real_cohorts", pa.string(), "figures outside the bands of published cohorts"),
    ]
)  # fmt: skip

BASELINE_ERRORS = pa.schema(
    [
        _field("split", pa.string(), "held-out split"),
        _field("horizon_minutes", pa.int32(), "forecast horizon", "min"),
        _field("windows", pa.int64(), "windows scored"),
        _field("persistence_rmse_mgdl", pa.float64(), "RMSE of repeating the last reading", "mg/dL"),
        _field("ridge_rmse_mgdl", pa.float64(), "RMSE of ridge regression fitted on train", "mg/dL"),
    ]
)

LABEL_PREVALENCE = pa.schema(
    [
        _field("split", pa.string(), "train, val or test"),
        _field("n_history", pa.int32(), "history samples"),
        _field("label", pa.string(), "label column of forecast_windows"),
        _field("windows", pa.int64(), "valid windows"),
        _field("positives", pa.int64(), "valid windows whose label is true"),
    ]
)
