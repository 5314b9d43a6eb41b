"""The reference model: steady state, conservation, gastric emptying."""

from __future__ import annotations

import numpy as np
import pytest

from dataset_project.simulations.configuration import SimulationSettings
from dataset_project.simulations.simulator import model
from dataset_project.simulations.simulator.cohort import build_cohort
from dataset_project.simulations.simulator.parameters import (
    HEPATIC_EXTRACTION,
    PARAMETERS,
    PUBLISHED_KP1,
    PUBLISHED_MEANS,
    SUBCUTANEOUS_DELAY_MINUTES,
    UNITS,
    ParameterSet,
)


def mean_rows(basal_insulin: float = 50.0, weight: float = 75.0, glucose: float = 135.0) -> dict:
    rows = {name: np.array([value]) for name, value in PUBLISHED_MEANS.items()}
    rows["m3"] = HEPATIC_EXTRACTION * rows["m1"] / (1 - HEPATIC_EXTRACTION)
    rows |= {"kgri": rows["kmax"], "ksc": np.array([1 / SUBCUTANEOUS_DELAY_MINUTES])}
    rows |= {"Ib": np.array([basal_insulin]), "BW": np.array([weight])}
    rows["kp1"] = model.basal_production_constant(np.array([glucose]), rows)
    return rows


@pytest.fixture(scope="module")
def cohort():
    return build_cohort(SimulationSettings(), 11, 0, 100)


def test_every_parameter_has_a_unit_and_a_place():
    assert set(UNITS) == set(PARAMETERS)
    parameters = ParameterSet.from_rows(mean_rows())
    assert parameters["Km0"] == 225.59
    with pytest.raises(ValueError, match="kp1"):
        ParameterSet.from_rows({name: row for name, row in mean_rows().items() if name != "kp1"})


def test_basal_state_is_steady_for_the_whole_cohort(cohort):
    residual = model.steady_state_residual(cohort.basal_states, cohort.parameters)
    assert residual.shape == (100,)
    assert residual.max() < 1e-8
    assert (cohort.basal_states >= 0).all()


def test_basal_state_refuses_a_glucose_that_kp1_contradicts():
    parameters = ParameterSet.from_rows(mean_rows(glucose=135.0))
    model.basal_state(parameters, np.array([135.0]))
    with pytest.raises(ValueError, match="no basal steady state"):
        model.basal_state(parameters, np.array([136.0]))


def test_tissue_glucose_solves_the_balance_for_low_and_high_plasma():
    rows = {name: value for name, value in mean_rows().items() if name in ("k1", "k2", "Km0", "Vm0")}
    for plasma in (40.0, 150.0, 260.0, 600.0):
        gt = model.tissue_glucose(np.array([plasma]), rows)
        uptake = rows["Vm0"] * gt / (rows["Km0"] + gt)
        assert gt > 0
        np.testing.assert_allclose(rows["k1"] * plasma - rows["k2"] * gt, uptake, rtol=1e-10)


def test_published_kp1_leaves_no_basal_insulin_at_a_diabetic_glucose():
    # Why kp1 is derived and not drawn (parameters.py): the insulin it would take is negative.
    rows = mean_rows(glucose=150.0)
    implied = rows["Ib"] + (PUBLISHED_KP1 - rows["kp1"]) / rows["kp3"]
    assert implied < 0


def test_mean_adult_needs_a_plausible_basal_rate():
    rate = model.basal_rate_u_per_min(ParameterSet.from_rows(mean_rows())) * 60
    assert 0.6 < rate < 1.2


def test_carbohydrate_and_insulin_are_conserved_by_the_derivative(cohort):
    p, rng = cohort.parameters, np.random.default_rng(5)
    state = cohort.basal_states * rng.uniform(0.5, 2.0, cohort.basal_states.shape)
    state[:3] = rng.uniform(0, 40_000, (3, 100))
    insulin, carbs = rng.uniform(0, 50, 100), rng.uniform(0, 5000, 100)
    change = model.right_hand_side(state, p, insulin, carbs, state[:2].sum(axis=0) * 1.1)
    name = model.STATE
    np.testing.assert_allclose(change[:3].sum(axis=0), carbs - p["kabs"] * state[name["Qgut"]], atol=1e-8)
    bodies = change[[name["Ip"], name["Il"], name["Isc1"], name["Isc2"]]].sum(axis=0)
    cleared = p["m4"] * state[name["Ip"]] + p["m3"] * state[name["Il"]]
    np.testing.assert_allclose(bodies, insulin - cleared, atol=1e-9)


def test_gastric_emptying_is_fast_when_full_or_empty_and_slow_between():
    parameters = ParameterSet.from_rows(mean_rows())
    meal = np.array([60_000.0])
    at = {part: model.gastric_emptying(part * meal, meal, parameters)[0] for part in (0.0, 0.43, 1.0)}
    kmin, kmax = parameters["kmin"][0], parameters["kmax"][0]
    assert at[1.0] > 0.9 * kmax
    assert at[0.0] > 0.9 * kmax
    assert kmin <= at[0.43] < 0.5 * kmax
    assert model.gastric_emptying(meal, np.array([0.0]), parameters)[0] == kmax


def test_production_never_turns_negative_and_kidneys_work_above_threshold_only():
    parameters = ParameterSet.from_rows(mean_rows())
    state = model.basal_state(parameters, np.array([135.0]))
    flooded = state.copy()
    flooded[model.STATE["XL"]] = 10_000.0
    nothing = np.zeros(1)
    basal = model.right_hand_side(state, parameters, nothing, nothing, nothing)[model.STATE["Gp"]]
    without = model.right_hand_side(flooded, parameters, nothing, nothing, nothing)[model.STATE["Gp"]]
    production = parameters["kp1"] - parameters["kp2"] * state[3] - parameters["kp3"] * state[8]
    np.testing.assert_allclose(basal - without, production)
    high = state.copy()
    high[model.STATE["Gp"]] = parameters["ke2"] + 10.0
    rate = model.right_hand_side(high, parameters, nothing, nothing, nothing)[3]
    parameters.values[PARAMETERS.index("ke1")] = 0.0
    np.testing.assert_allclose(model.right_hand_side(high, parameters, nothing, nothing, nothing)[3] - rate, 0.005)
