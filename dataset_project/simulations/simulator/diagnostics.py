"""Figures that say whether the simulator is sound: steady state, mass balance, order of convergence, sensor noise.

Everything is measured on the kernel that makes the data. Functions return figures; the thresholds they are held to are
the constants here. Who runs them, and when, is decided by the checks.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from dataset_project.simulations.configuration import SimulationSettings
from dataset_project.simulations.simulator.behaviour import draw_behaviour
from dataset_project.simulations.simulator.cohort import Cohort, build_cohort
from dataset_project.simulations.simulator.model import (
    STATE,
    STEADY_STATE_TOLERANCE,
    basal_rate_u_per_min,
    steady_state_residual,
)
from dataset_project.simulations.simulator.parameters import CARBOHYDRATE_RULE, PMOL_PER_UNIT
from dataset_project.simulations.simulator.sensor import chain, johnson
from dataset_project.simulations.simulator.simulate import run_prescribed
from dataset_project.storage.seeding import stream

MAX_RESIDUAL = STEADY_STATE_TOLERANCE
MAX_BASAL_DRIFT_MGDL = 1.0
MAX_MASS_ERROR = 1e-4
ORDER_BAND = (3.7, 4.3)
NOISE_COEFFICIENT_BAND = (0.65, 0.75)
NOISE_MEAN_BAND_MGDL = (0.3, 1.3)
NOISE_SD_BAND_MGDL = (10.6, 12.6)
MARD_BAND_PERCENT = (5.5, 9.5)
_EAT_G_PER_MIN = 5.0


def sample_cohort(master_seed: int, patients: int = 100) -> Cohort:
    """The first patients of the default scenario: what the other functions are usually asked about."""
    return build_cohort(SimulationSettings(patients=patients), master_seed, 0, patients)


def largest_residual(cohort: Cohort) -> float:
    """Largest derivative (model units per minute) at the patients' basal states; must be below MAX_RESIDUAL."""
    return float(steady_state_residual(cohort.basal_states, cohort.parameters).max())


def basal_drift(cohort: Cohort, days: int = 7, substeps: int = 2) -> float:
    """Largest departure of plasma glucose from its start, mg/dL, on basal insulin and no food.

    Must be below MAX_BASAL_DRIFT_MGDL. The insulin is the rate published for the patient, rounding included.
    """
    _, carbs = _basal_only(cohort, days * 1440)
    insulin = np.repeat(cohort.column("basal_u_per_min")[:, None], days * 1440, axis=1)
    run = run_prescribed(cohort.parameters, cohort.basal_states, insulin, carbs, substeps)
    plasma = run.states[:, :, STATE["Gp"]] / cohort.parameters["VG"][:, None]
    return float(np.abs(plasma - plasma[:, :1]).max())


def mass_balance(cohort: Cohort, master_seed: int, days: int = 2, substeps: int = 2) -> dict[str, float]:
    """Relative errors of the accounts of carbohydrate and insulin, closed over ``days`` days of meals and boluses.

    ``carbs``: eaten = absorbed + lost to (1 - f) + still in stomach and gut. ``insulin``: infused + there at the start
    = cleared by plasma (m4) and liver (m3) + there at the end. Each error is the largest of any patient, relative to
    what went in; both must be below MAX_MASS_ERROR. Fluxes are integrated by Simpson's rule over recorded minutes.
    """
    p, minutes = cohort.parameters, days * 1440
    insulin, carbs = meal_inputs(cohort, master_seed, days)
    states = run_prescribed(p, cohort.basal_states, insulin, carbs, substeps).states
    gut = _integral(states[:, :, STATE["Qgut"]]) * p["kabs"]
    absorbed, lost = p["f"] * gut, (1.0 - p["f"]) * gut
    eaten = carbs.sum(axis=1) * 1000.0
    left = states[:, minutes, : STATE["Qgut"] + 1].sum(axis=1)
    carbs_error = np.abs(absorbed + lost + left - eaten) / eaten

    compartments = [STATE[name] for name in ("Ip", "Il", "Isc1", "Isc2")]
    infused = insulin.sum(axis=1) * PMOL_PER_UNIT / p["BW"]
    cleared = p["m4"] * _integral(states[:, :, STATE["Ip"]]) + p["m3"] * _integral(states[:, :, STATE["Il"]])
    start, end = (states[:, minute, compartments].sum(axis=1) for minute in (0, minutes))
    return {
        "carbs": float(carbs_error.max()),
        "insulin": float((np.abs(cleared + end - start - infused) / infused).max()),
    }


def step_halving_order(cohort: Cohort, master_seed: int) -> float:
    """Observed order of convergence between meals: log2 of the error ratio of 1 and 2 substeps against 4.

    Starts 90 min after the first meal and runs 3 h on basal insulin. RK4 shows its order only where the right-hand
    side is smooth, so patients whose production is cut off at 0 or whose glucose crosses the renal threshold meanwhile
    are left out. Median over the others of the order of plasma glucose at the end; must lie in ORDER_BAND. Raises
    ValueError when nobody is left.
    """
    insulin, carbs = meal_inputs(cohort, master_seed, 1)
    p = cohort.parameters
    length = int(max(np.flatnonzero(row)[0] for row in carbs)) // 5 * 5 + 90
    meal = run_prescribed(p, cohort.basal_states, insulin[:, :length], carbs[:, :length], 4)
    state = meal.states[:, length].T.copy()
    # A new run knows no last meal: the stomach empties at kmax, which is smooth too and the same for all substeps.
    basal, nothing = _basal_only(cohort, 180)
    states = [run_prescribed(p, state, basal, nothing, substeps).states for substeps in (1, 2, 4)]
    gp, xl = states[2][:, :, STATE["Gp"]].T, states[2][:, :, STATE["XL"]].T
    produces = (p["kp1"] - p["kp2"] * gp - p["kp3"] * xl > 0.0).all(axis=0)
    excretes = gp > p["ke2"]
    smooth = produces & (excretes.all(axis=0) | ~excretes.any(axis=0))
    if not smooth.any():
        raise ValueError("no patient's equations stay smooth between meals: ask with a larger cohort")
    one, two, four = (run[smooth, -1, STATE["Gp"]] for run in states)
    # For order q the differences are in the ratio (1 - 2^-q) : (2^-q - 4^-q) = 2^q.
    return float(np.median(np.log2(np.abs(one - two) / np.abs(two - four))))


def noise_figures(master_seed: int, n_knots: int = 100_000) -> dict[str, float]:
    """Sensor noise before rounding and clipping: chain coefficient, mean and SD at the 15-min knots (mg/dL)."""
    e = chain(stream(master_seed, "simulations", "diagnostics", "noise").standard_normal((1, n_knots)))
    noise = johnson(e)
    return {
        "coefficient": float(np.corrcoef(e[0, 1:], e[0, :-1])[0, 1]),
        "mean_mgdl": float(noise.mean()),
        "sd_mgdl": float(noise.std()),
    }


def mard_percent(series: pa.Table) -> float:
    """Mean absolute relative difference of CGM readings from plasma glucose, percent; should lie in MARD_BAND_PERCENT.

    The published noise is in mg/dL, so this falls as the cohort's mean glucose rises: about 6.5 at 164 mg/dL.
    """
    seen = series["cgm_mgdl"].to_numpy(zero_copy_only=False)
    plasma = series["plasma_mgdl"].to_numpy()
    there = ~np.isnan(seen)
    return float(100.0 * np.mean(np.abs(seen[there] - plasma[there]) / plasma[there], dtype=np.float64))


def _basal_only(cohort: Cohort, minutes: int) -> tuple[np.ndarray, np.ndarray]:
    rate = basal_rate_u_per_min(cohort.parameters)
    return np.repeat(rate[:, None], minutes, axis=1), np.zeros((len(rate), minutes))


def meal_inputs(cohort: Cohort, master_seed: int, days: int) -> tuple[np.ndarray, np.ndarray]:
    """Per-minute insulin (U) and carbohydrate (g), each (n, days x 1440), that no decision depends on.

    The patients' own meals (3 g per kg and day) with an exact meal bolus each, on exact basal insulin.
    """
    insulin, carbs = _basal_only(cohort, days * 1440)
    per_gram = cohort.column("tdi_u_per_day") / CARBOHYDRATE_RULE
    behaviour = draw_behaviour(master_seed, cohort.numbers, cohort.scenarios, 3.0 * cohort.parameters["BW"], days)
    for row, (minutes, grams) in enumerate(zip(*behaviour.meals, strict=True)):
        for minute, gram in zip(minutes, grams, strict=True):
            if minute < carbs.shape[1]:
                last = min(int(minute) + int(np.ceil(gram / _EAT_G_PER_MIN)), carbs.shape[1])
                carbs[row, minute:last] += gram / (last - minute)
                insulin[row, minute] += gram * per_gram[row]
    return insulin, carbs


def _integral(values: np.ndarray) -> np.ndarray:
    """Simpson's rule over the minutes of (n, even number + 1) samples, (n,)."""
    return (values[:, 0] + values[:, -1] + 4 * values[:, 1:-1:2].sum(axis=1) + 2 * values[:, 2:-1:2].sum(axis=1)) / 3
