"""The kernel against simglucose 0.2.11, driven through the benchmark's adapter. Needs the installed wheel."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from benchmarks import simglucose_oracle as oracle
from dataset_project.simulations.simulator import model, sensor
from dataset_project.simulations.simulator.simulate import run_prescribed

NAMES = ("child#007", "adult#001")
MEALS = [(1.0, 40.0), (5.0, 60.0), (5.2, 10.0)]
MINUTES = 600


@pytest.fixture(scope="module")
def theirs():
    return [oracle.run_loop(row, MEALS, MINUTES, namespaced=True) for row in oracle.patient_rows(NAMES)]


@pytest.fixture(scope="module")
def ours(theirs):
    parameters, initial = oracle.as_parameters(oracle.patient_rows(NAMES))
    insulin, eaten = (np.stack([getattr(one, name) for one in theirs]) for name in ("insulin_u", "eaten_g"))
    run = run_prescribed(parameters, initial, insulin, eaten, 4)
    return run.states[:, 1:, model.STATE["Gs"]] / parameters["VG"][:, None]


def test_kernel_agrees_with_simglucose_on_its_own_patients(theirs, ours):
    for row, one in enumerate(theirs):
        assert np.ptp(one.subcutaneous_mgdl) > 20
        assert np.abs(ours[row] - one.subcutaneous_mgdl).max() <= 0.01


def test_their_samples_are_averages_over_a_step(theirs, ours):
    for row, one in enumerate(theirs):
        averaged = ours[row].reshape(-1, oracle.SAMPLE_MINUTES).mean(axis=1)
        assert np.abs(averaged - one.averaged_mgdl).max() <= 0.01
        assert np.abs(ours[row][oracle.SAMPLE_MINUTES - 1 :: oracle.SAMPLE_MINUTES] - one.averaged_mgdl).max() > 0.1


def test_their_bolus_comes_one_step_after_the_meal(theirs):
    for one in theirs:
        meal = int(np.flatnonzero(one.eaten_g)[0])
        bolus = int(np.flatnonzero(one.insulin_u > one.insulin_u[0] + 0.1)[0])
        assert meal == 60 and bolus == 63


def test_reference_equations_have_their_derivative():
    for row in oracle.patient_rows(oracle.DEFAULT_PATIENTS):
        parameters, initial = oracle.as_parameters([row])
        module = oracle.load("patient.t1dpatient")
        action = module.Action(CHO=4.0, insulin=0.05)
        state = initial[:, 0] * 1.1
        state[:3] = (20_000.0, 9_000.0, 4_000.0)
        expected = module.T1DPatient.model(0, state, action, row, 1000.0, 40.0)
        insulin = np.array([0.05 * 6000]) / parameters["BW"]
        found = model.right_hand_side(state[:, None], parameters, insulin, np.array([4000.0]), np.array([41_000.0]))
        np.testing.assert_allclose(found[:, 0], expected, rtol=1e-9, atol=1e-10)


def test_namespace_and_pandas_rows_give_the_same_glucose():
    row = oracle.patient_rows(("adult#001",))[0]
    insulin, meals = np.full(20, 0.02), np.zeros(20)
    meals[3] = 12.0
    runs = [oracle.run_model(row, insulin, meals, namespaced) for namespaced in (False, True)]
    np.testing.assert_array_equal(runs[0], runs[1])
    parameters, initial = oracle.as_parameters([row])
    states = run_prescribed(parameters, initial, insulin[None], oracle.eating_schedule(meals)[None], 4).states
    np.testing.assert_allclose(states[0, 1:, -1] / parameters["VG"], runs[0], atol=1e-3)


def test_noise_is_their_noise_for_the_same_innovations():
    noise = oracle.load("sensor.noise_gen")
    published = {"PACF": 0.7, "gamma": -0.5444, "lambda": 15.9574, "delta": 1.6898, "xi": -5.47}
    source = noise.noise15_iter(published, seed=4)
    theirs = [next(source) for _ in range(200)]
    innovations = np.random.RandomState(4).randn(200)
    np.testing.assert_allclose(sensor.johnson(sensor.chain(innovations[None]))[0], theirs, rtol=1e-10)


def test_stand_ins_do_not_outlive_the_import():
    oracle.load("patient.t1dpatient")
    assert not any(name in sys.modules and sys.modules[name].__spec__ is None for name in ("gym", "pkg_resources"))
