"""The figures that checks ask for, and that they notice what is broken."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from dataset_project.simulations.simulator import diagnostics
from dataset_project.simulations.simulator.parameters import ROW, ParameterSet


@pytest.fixture(scope="module")
def cohort():
    return diagnostics.sample_cohort(13, 40)


def test_basal_insulin_holds_the_basal_state(cohort):
    assert diagnostics.largest_residual(cohort) < diagnostics.MAX_RESIDUAL
    assert diagnostics.basal_drift(cohort) < diagnostics.MAX_BASAL_DRIFT_MGDL


def test_drift_notices_a_wrong_parameter(cohort):
    values = cohort.parameters.values.copy()
    values[ROW["kp1"]] *= 1.02
    broken = dataclasses.replace(cohort, parameters=ParameterSet(values))
    assert diagnostics.largest_residual(broken) > diagnostics.MAX_RESIDUAL
    assert diagnostics.basal_drift(broken, days=2) > diagnostics.MAX_BASAL_DRIFT_MGDL


def test_carbohydrate_and_insulin_are_accounted_for(cohort):
    errors = diagnostics.mass_balance(cohort, 13)
    assert set(errors) == {"carbs", "insulin"}
    assert 0 <= max(errors.values()) < diagnostics.MAX_MASS_ERROR


def test_mass_balance_notices_a_leak(cohort, monkeypatch):
    original = diagnostics.run_prescribed

    def leaking(parameters, initial, insulin, carbs, substeps):
        return original(parameters, initial, insulin, carbs * 0.99, substeps)

    monkeypatch.setattr(diagnostics, "run_prescribed", leaking)
    errors = diagnostics.mass_balance(cohort, 13)
    assert errors["carbs"] == pytest.approx(0.01, rel=0.05) and errors["insulin"] < diagnostics.MAX_MASS_ERROR


def test_halving_the_step_shows_fourth_order(cohort):
    order = diagnostics.step_halving_order(cohort, 13)
    assert diagnostics.ORDER_BAND[0] < order < diagnostics.ORDER_BAND[1]


def test_meal_inputs_feed_everyone(cohort):
    insulin, carbs = diagnostics.meal_inputs(cohort, 13, 2)
    assert insulin.shape == carbs.shape == (40, 2880)
    daily = carbs.sum(axis=1) / 2 / cohort.parameters["BW"]
    assert 2.0 < daily.mean() < 4.0 and (insulin > 0).all()
    assert np.abs(carbs.sum(axis=1) - np.round(carbs.sum(axis=1))).max() < 1e-6
