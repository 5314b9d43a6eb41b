"""Scenarios and what patients do: independence of block, declared rates, clear errors."""

from __future__ import annotations

import numpy as np
import pytest

from dataset_project.simulations.simulator import behaviour as module
from dataset_project.simulations.simulator.behaviour import NEVER, draw_behaviour, draw_patient
from dataset_project.simulations.simulator.scenarios import (
    MIXED,
    Registry,
    choose_scenario,
    known_scenarios,
    registry,
    validate_scenario,
)


def test_registry_declares_weights_that_the_mix_follows():
    names = known_scenarios()
    assert names[0] == MIXED and {"careful", "typical", "missed_boluses"} <= set(names)
    draws = (np.arange(10_000) + 0.5) / 10_000
    chosen = [choose_scenario(MIXED, float(draw)) for draw in draws]
    for name, scenario in registry().scenarios.items():
        assert chosen.count(name) / 10_000 == pytest.approx(scenario.weight, abs=1e-3)
    assert choose_scenario("careful", 0.999) == "careful"


def test_an_unknown_scenario_is_one_line_that_lists_the_known():
    with pytest.raises(ValueError, match="unknown scenario 'carefull'") as caught:
        validate_scenario("carefull")
    message = str(caught.value)
    assert "\n" not in message and all(name in message for name in known_scenarios())


def test_a_wrong_registry_is_refused():
    good = registry().model_dump()
    broken = good | {"scenarios": {"careful": good["scenarios"]["careful"]}}
    with pytest.raises(ValueError, match="add up to 1"):
        Registry.model_validate(broken)
    typical = good["scenarios"]["typical"]
    for change, complaint in (
        ({"late_minutes": (50, 10)}, "late_minutes"),
        ({"rescue_day_probability": 1.0}, "rescue"),
        ({"surprise": 1}, "surprise"),
    ):
        scenarios = good["scenarios"] | {"typical": typical | change}
        with pytest.raises(ValueError, match=complaint):
            Registry.model_validate(good | {"scenarios": scenarios})


def test_a_patient_draws_the_same_in_any_block():
    many = draw_behaviour(9, range(40, 60), ["typical"] * 20, np.full(20, 180.0), 5)
    alone = draw_behaviour(9, [47], ["typical"], np.array([180.0]), 5)
    for row, one in ((many.meals[0][7], alone.meals[0][0]), (many.boluses[0][7], alone.boluses[0][0])):
        np.testing.assert_array_equal(row[: one.size], one)
        assert (row[one.size :] == NEVER).all()
    np.testing.assert_array_equal(many.rescue_draws[7], alone.rescue_draws[0])
    np.testing.assert_array_equal(many.sensitivity[7], alone.sensitivity[0])
    assert many.basal_factor[7] == alone.basal_factor[0]
    assert len({float(factor) for factor in many.basal_factor}) == 20


def test_events_are_ordered_and_carbs_scale_with_what_is_asked():
    light, heavy = ([draw_patient(2, number, "typical", carbs, 10) for number in range(40)] for carbs in (100.0, 300.0))
    for one in light:
        assert (np.diff(one.meal_minute) >= 0).all() and (np.diff(one.bolus_minute) >= 0).all()
        assert one.meal_minute.min() >= 0 and (one.meal_g == np.round(one.meal_g)).all()
    daily = np.mean([one.meal_g.sum() / 10 for one in heavy])
    assert 240 < daily < 330
    assert daily / np.mean([one.meal_g.sum() / 10 for one in light]) == pytest.approx(3, rel=0.02)


def test_missed_late_and_miscounted_boluses_occur_at_their_declared_rates():
    declared = registry()
    typical = declared.scenarios["typical"]
    rng = np.random.default_rng(1)
    minute = np.arange(20_000, dtype=np.int32) * 300 + 100
    grams, snack = np.full(20_000, 60.0), np.zeros(20_000, bool)
    when, counted = module._boluses(rng, typical, minute, grams, snack)
    assert 1 - when.size / 20_000 == pytest.approx(typical.missed_bolus_probability, abs=0.01)
    delay = (when - 100 + 150) % 300 - 150
    assert np.mean(delay > 0) == pytest.approx(typical.late_bolus_probability, abs=0.015)
    assert delay.max() <= typical.late_minutes[1] and delay.min() >= -typical.premeal_minutes[1]
    assert counted.mean() == pytest.approx(60, rel=0.02)
    assert np.log(counted).std() == pytest.approx(typical.carb_error_sd, rel=0.05)
    always = typical.model_copy(update={"missed_bolus_probability": 1.0})
    assert module._boluses(rng, always, minute, grams, snack)[0].size == 0


def test_basal_error_and_sensitivity_stay_within_what_is_declared():
    typical = registry().scenarios["typical"]
    drawn = [draw_patient(6, number, "typical", 150.0, 14) for number in range(300)]
    factors = np.array([one.basal_factor for one in drawn])
    assert abs(factors - 1).max() <= typical.basal_error and abs(factors - 1).max() > 0.9 * typical.basal_error
    sensitivity = np.stack([one.sensitivity for one in drawn])
    assert sensitivity.shape == (300, 15) and sensitivity.mean() == pytest.approx(1, abs=0.02)
    assert np.log(sensitivity).std() == pytest.approx(typical.sensitivity_sd, rel=0.05)
    assert all(one.rescue_draws.min() >= 0 and one.rescue_draws.max() < 1 for one in drawn)
