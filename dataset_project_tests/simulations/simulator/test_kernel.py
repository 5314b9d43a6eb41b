"""The kernel against independent integration, against itself in other layouts, and the decisions it takes."""

from __future__ import annotations

import dataclasses
import hashlib

import numpy as np
import pytest

from dataset_project.simulations.configuration import SimulationSettings
from dataset_project.simulations.simulator import model
from dataset_project.simulations.simulator.cohort import build_cohort
from dataset_project.simulations.simulator.diagnostics import meal_inputs
from dataset_project.simulations.simulator.parameters import ParameterSet
from dataset_project.simulations.simulator.scenarios import registry
from dataset_project.simulations.simulator.simulate import run_closed_loop, run_prescribed, simulate_block

GOLDEN = "f4118978ee154a7c22cebec58131687b114ca436471a33127abc29866e61f871"
SETTINGS = SimulationSettings(days=2, history_hours=(2,))


@pytest.fixture(scope="module")
def cohort():
    return build_cohort(SETTINGS, 21, 0, 37)


@pytest.fixture(scope="module")
def closed(cohort):
    return run_closed_loop(cohort, 21, 3, 2)


def part(cohort, columns):
    columns = np.asarray(columns)
    return dataclasses.replace(
        cohort,
        numbers=[cohort.numbers[i] for i in columns],
        of=tuple(cohort.of[i] for i in columns),
        scenarios=tuple(cohort.scenarios[i] for i in columns),
        parameters=cohort.parameters.take(columns),
        basal_states=np.ascontiguousarray(cohort.basal_states[:, columns]),
    )


@pytest.mark.parametrize("columns", [[5], [36, 0, 20], list(range(36, -1, -1)), [7] * 17])
def test_bits_depend_neither_on_lane_nor_on_neighbours(cohort, closed, columns):
    other = run_closed_loop(part(cohort, columns), 21, 3, 2)
    for name, values in closed.samples.items():
        np.testing.assert_array_equal(other.samples[name], values[columns], err_msg=name)
    np.testing.assert_array_equal(other.counters, closed.counters[columns])


def test_recording_states_changes_nothing(cohort, closed):
    recorded = run_closed_loop(cohort, 21, 3, 2, record=True)
    for name, values in closed.samples.items():
        np.testing.assert_array_equal(recorded.samples[name], values, err_msg=name)
    glucose = recorded.states[:, :-1:5, model.STATE["Gp"]] / cohort.parameters["VG"][:, None]
    np.testing.assert_allclose(recorded.samples["plasma"], glucose, atol=0.00502)


def test_prescribed_run_agrees_with_scipy_on_the_reference_equations(cohort):
    from scipy.integrate import solve_ivp

    chosen = part(cohort, [3, 30])
    insulin, carbs = (values[:, 400:700] for values in meal_inputs(chosen, 21, 1))
    ours = run_prescribed(chosen.parameters, chosen.basal_states, insulin, carbs, 4).states
    for person in range(2):
        p = chosen.parameters.take(np.array([person]))
        state, stomach, taken, ate = chosen.basal_states[:, person], 0.0, 0.0, False
        for minute in range(insulin.shape[1]):
            if carbs[person, minute] > 0:
                if not ate:
                    stomach, taken = state[0] + state[1], 0.0
                taken += carbs[person, minute] * 1000
            ate = carbs[person, minute] > 0
            inputs = (insulin[person, minute] * 6000 / p["BW"], np.array([carbs[person, minute] * 1000]))
            meal = np.array([stomach + taken])
            state = solve_ivp(
                lambda _, y, p=p, i=inputs, m=meal: model.right_hand_side(y[:, None], p, *i, m)[:, 0],
                (0, 1), state, method="DOP853", rtol=1e-10, atol=1e-10,
            ).y[:, -1]  # fmt: skip
        np.testing.assert_allclose(ours[person, -1], state, rtol=1e-6, atol=1e-4)


def test_more_substeps_converge(cohort):
    insulin, carbs = meal_inputs(cohort, 21, 1)
    runs = [
        run_prescribed(cohort.parameters, cohort.basal_states, insulin, carbs, substeps).states[:, :, 3]
        for substeps in (1, 2, 4, 16)
    ]
    errors = [np.abs(run - runs[-1]).max() / 1.5 for run in runs[:3]]
    assert errors[0] > errors[1] > errors[2]
    assert errors[0] < 1.0 and errors[1] < 0.15


def test_exponential_is_accurate_and_saturates():
    from dataset_project.simulations.simulator import kernel

    z = np.linspace(-38, 38, 2001)
    ours = np.array([kernel._exp.py_func(value) for value in z])
    np.testing.assert_allclose(ours, np.exp(z), rtol=3e-13)
    assert kernel._exp.py_func(1e9) == kernel._exp.py_func(38.0)


def test_constants_are_laid_out_as_the_kernel_reads_them(cohort):
    from dataset_project.simulations.simulator import kernel

    rows = kernel.constants(cohort.parameters)
    np.testing.assert_array_equal(rows[kernel._KM0 - kernel._P], cohort.parameters["Km0"])
    np.testing.assert_array_equal(rows[kernel._BW - kernel._P], cohort.parameters["BW"])
    np.testing.assert_array_equal(rows[kernel._SLOPE_C - kernel._P], 5.0 / cohort.parameters["c"])


def test_what_leaves_the_guards_is_flagged_and_not_clipped(cohort):
    insulin = np.full((37, 600), 0.5)
    run = run_prescribed(cohort.parameters, cohort.basal_states, insulin, np.zeros_like(insulin), 2)
    glucose = run.states[:, :-1, 3] / cohort.parameters["VG"][:, None]
    assert glucose.min() < 20
    by_sample = glucose.reshape(37, -1, 5)
    assert run.samples["flagged"][(by_sample[:, :, 1:].min(axis=2) < 20)].all()
    assert not run.samples["flagged"][:, :6].any()
    assert run.counters[:, 0].tolist() == run.samples["flagged"].sum(axis=1).tolist()
    np.testing.assert_allclose(run.samples["plasma"].min(), glucose[:, ::5].min(), atol=0.01)


def test_an_unphysical_parameter_is_flagged_even_when_it_gives_nan(cohort):
    values = cohort.parameters.take(np.array([0])).values.copy()
    values[0] = np.nan
    zeros = np.zeros((1, 10))
    run = run_prescribed(ParameterSet(values), cohort.basal_states[:, :1], zeros, zeros, 1)
    assert run.samples["flagged"].all()


def test_boluses_follow_the_rule(cohort, closed):
    samples, tdi = closed.samples, cohort.column("tdi_u_per_day")[:, None]
    # One announcement per step, made in the step whose reading it uses.
    seen, counted = samples["cgm"].astype(float), samples["announced"].astype(float)
    dose = counted * tdi / 500 + np.where(seen > 150, (seen - 140) * tdi / 1800, 0.0)
    expected = np.floor(dose * 20 + 0.5) / 20
    given = samples["bolus"].astype(float)
    meals = counted > 0
    assert meals.sum() > 200
    # A dose on the edge between two increments may fall either way here; two boluses in a step round twice.
    agrees = np.abs(given - expected) < 1e-5
    assert agrees[meals].mean() > 0.98 and (given[~meals] == 0).all()


def test_rescue_carbohydrate_is_taken_below_70_only_and_twenty_minutes_apart(cohort, closed):
    taken, seen = closed.samples["rescue"], closed.samples["cgm"]
    starts = [np.flatnonzero((row > 0) & (np.r_[0, row[:-1]] == 0)) for row in taken]
    assert sum(len(one) for one in starts) > 20
    for row, at in enumerate(starts):
        assert (seen[row, at] < 70).all()
        assert (np.diff(at) >= 4).all()
        assert taken[row].sum() <= 15 * len(at) and taken[row].max() <= 15


def test_nobody_is_rescued_who_never_reacts(cohort, monkeypatch):
    declared = registry()
    never = dict.fromkeys(("rescue_day_probability", "rescue_night_probability", "urgent_rescue_probability"), 0.0)
    helpless = {name: one.model_copy(update=never) for name, one in declared.scenarios.items()}
    patched = declared.model_copy(update={"scenarios": helpless})
    monkeypatch.setattr("dataset_project.simulations.simulator.simulate.registry", lambda: patched)
    run = run_closed_loop(cohort, 21, 3, 2)
    assert run.samples["rescue"].sum() == 0
    assert (run.samples["plasma"] < 54).mean() > 0.005


def test_eaten_carbohydrate_is_what_was_planned(cohort, closed):
    from dataset_project.simulations.simulator.behaviour import draw_patient
    from dataset_project.simulations.simulator.parameters import AGE_GROUPS

    for row in (0, 12, 36):
        per_kg = AGE_GROUPS[cohort.of[row].group].daily_carbs_g_per_kg
        carbs = per_kg * cohort.parameters["BW"][row]
        planned = draw_patient(21, cohort.numbers[row], cohort.scenarios[row], carbs, 3)
        assert closed.samples["eaten"][row].sum() == pytest.approx(planned.meal_g.sum(), abs=45)
        assert closed.samples["eaten"][row].max() <= 15
        assert closed.samples["announced"][row].sum() == planned.bolus_g.sum()


def test_golden_bytes_of_a_small_block():
    # Tied to the lock file: a change here means that published data changes, so the family version must be raised.
    block = simulate_block(SETTINGS, 42, 0, 3, "golden")
    digest = hashlib.sha256()
    for name in block.series.column_names[1:]:
        values = block.series[name].to_numpy(zero_copy_only=False)
        digest.update(np.ascontiguousarray(np.nan_to_num(values.astype(np.float64), nan=-1.0)).tobytes())
    assert digest.hexdigest() == GOLDEN
