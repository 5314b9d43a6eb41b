"""A synthetic block with the shape of the real one: smooth random glucose, sensor noise, gaps, meals and boluses.

No physiology: tests of labels, windows and validators must not depend on the simulator.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow as pa

from dataset_project.simulations.forecasting.training import WrittenSplits, training_schema, write_splits
from dataset_project.simulations.schemas import AGE_GROUPS, GLUCOSE_TIMESERIES, PATIENTS, SPLITS
from dataset_project.storage.parquet import TableWriter

SPLIT_OF_ARCHETYPE = ("train", "train", "train", "val", "test", "train")
WEIGHT_KG = {"child": 30.0, "adolescent": 55.0, "adult": 75.0}
TDI_U = {"child": 20.0, "adolescent": 42.0, "adult": 45.0}


def make_patients(count: int = 6, first: int = 0) -> pa.Table:
    numbers = range(first, first + count)
    archetypes = [number % len(SPLIT_OF_ARCHETYPE) for number in numbers]
    cohorts = [AGE_GROUPS[a % 3] for a in archetypes]
    tdi = [TDI_U[c] for c in cohorts]
    columns = {
        "patient_id": [f"patient_{n:07d}" for n in numbers],
        "archetype_id": [f"archetype_{a:04d}" for a in archetypes],
        "cohort": cohorts,
        "age_years": [{"child": 9.0, "adolescent": 15.0, "adult": 40.0}[c] for c in cohorts],
        "body_weight_kg": [WEIGHT_KG[c] for c in cohorts],
        "tdi_u_per_day": tdi,
        "cr_g_per_u": [500 / t for t in tdi],
        "cf_mgdl_per_u": [1800 / t for t in tdi],
        "basal_u_per_h": [t / 48 for t in tdi],
        "basal_glucose_mgdl": [130.0] * count,
        "model": ["synthetic"] * count,
        "parameter_source": ["synthetic"] * count,
        "scenario": [("careful", "typical")[n % 2] for n in numbers],
        "seed": [1000 + n for n in numbers],
        "split": [SPLIT_OF_ARCHETYPE[a] for a in archetypes],
        "config_hash": ["0" * 16] * count,
    }
    return pa.table({f.name: pa.array(columns[f.name], f.type) for f in PATIENTS}, schema=PATIENTS)


def make_series(patients: pa.Table, days: int = 4, seed: int = 1, gaps: bool = True) -> pa.Table:
    rng = np.random.default_rng(seed)
    ids = patients["patient_id"].to_pylist()
    shape = (len(ids), days * 288)
    shock = rng.normal(0, 1, shape)
    speed, level = np.zeros(shape), np.full(shape, 150.0)
    for t in range(1, shape[1]):  # a damped oscillator driven by noise: smooth, mean-reverting, autocorrelated
        speed[:, t] = 0.93 * speed[:, t - 1] + 0.9 * shock[:, t] - 0.006 * (level[:, t - 1] - 155)
        level[:, t] = level[:, t - 1] + speed[:, t]
    plasma = np.round(np.clip(level, 30, 500), 2).astype(np.float32)
    interstitial = plasma.copy()
    interstitial[:, 1:] = np.round((plasma[:, 1:] + plasma[:, :-1]) / 2, 2)
    cgm = np.clip(np.round(interstitial + _sensor_noise(rng, shape)), 39, 600).astype(np.float32)
    if gaps:
        for row in range(shape[0]):
            for start in rng.integers(0, shape[1] - 20, size=3):
                cgm[row, start : start + rng.integers(1, 20)] = np.nan
    meal = np.zeros(shape, np.float32)
    for hour in (7, 13, 19):
        meal[:, hour * 12 :: 288] = 40 + 5 * rng.integers(0, 8, size=(shape[0], days))
    tdi = patients["tdi_u_per_day"].to_numpy()[:, None]
    columns = {
        "minute": np.tile(np.arange(shape[1], dtype=np.int32) * 5, len(ids)),
        "plasma_mgdl": plasma,
        "interstitial_mgdl": interstitial,
        "basal_u": np.broadcast_to(tdi / 2 / 288, shape).astype(np.float32),
        "bolus_u": (meal * tdi / 500).astype(np.float32),
        "carbs_announced_g": meal,
        "carbs_eaten_g": meal,
        "rescue_g": np.where(cgm < 55, np.float32(15), np.float32(0)),
        "flagged": (plasma < 20) | (plasma > 600),
    }
    arrays = {name: pa.array(np.ascontiguousarray(values).reshape(-1)) for name, values in columns.items()}
    arrays["cgm_mgdl"] = pa.array(cgm.reshape(-1), from_pandas=True)
    codes = pa.array(np.repeat(np.arange(len(ids), dtype=np.int32), shape[1]))
    arrays["patient_id"] = pa.DictionaryArray.from_arrays(codes, pa.array(ids))
    return pa.Table.from_arrays([arrays[f.name] for f in GLUCOSE_TIMESERIES], schema=GLUCOSE_TIMESERIES)


def _sensor_noise(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """AR(1) noise on the 15-minute grid, Johnson-transformed and interpolated linearly."""
    knots = np.zeros((shape[0], shape[1] // 3 + 2))
    shocks = rng.normal(size=knots.shape)
    knots[:, 0] = shocks[:, 0]
    for n in range(1, knots.shape[1]):
        knots[:, n] = 0.7 * (knots[:, n - 1] + shocks[:, n])
    noise = -5.47 + 15.9574 * np.sinh((knots + 0.5444) / 1.6898)
    at = np.arange(shape[1]) / 3
    return np.stack([np.interp(at, np.arange(knots.shape[1]), row) for row in noise])


def replace_column(table: pa.Table, name: str, values: object) -> pa.Table:
    """``table`` with one column replaced by ``values`` (numpy array or list), same type."""
    field = table.schema.field(name)
    array = pa.array(values, from_pandas=True).cast(field.type)
    return table.set_column(table.schema.get_field_index(name), field, array)


def write_training_files(blocks, folder: Path, n_history: int) -> WrittenSplits:
    """The files of ``training_splits`` in ``folder``, written as the asset writes them."""
    schema = training_schema(n_history)
    with ExitStack() as files:
        writers = {split: files.enter_context(TableWriter(folder / f"{split}.parquet", schema, {})) for split in SPLITS}
        written = write_splits(blocks, writers, n_history)
    (folder / "normalisation.json").write_text(written.normalisation.to_json(), encoding="utf-8")
    return written
