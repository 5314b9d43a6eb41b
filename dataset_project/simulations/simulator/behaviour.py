"""What patients do: meals, what they announce and when, carelessness, and how their insulin sensitivity varies.

Everything random about a patient's behaviour is drawn here, from streams named after the patient, before the
simulation starts; decisions that need glucose (corrections, rescue carbohydrate) are taken inside the kernel with the
uniforms drawn here. The parameters belong to ``scenarios``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dataset_project.simulations.simulator.scenarios import Registry, Scenario, registry
from dataset_project.storage.seeding import stream

MINUTES_PER_DAY = 1440
RESCUE_SLOT_MINUTES = 20
SMALLEST_MEAL_G = 4.0
NEVER = np.int32(2**30)


@dataclass(frozen=True)
class PatientBehaviour:
    """One patient's draws: minutes ascending; grams are whole; ``sensitivity`` has one factor per midnight."""

    meal_minute: np.ndarray
    meal_g: np.ndarray
    bolus_minute: np.ndarray
    bolus_g: np.ndarray
    rescue_draws: np.ndarray
    sensitivity: np.ndarray
    basal_factor: float


@dataclass(frozen=True)
class Behaviour:
    """The same for n patients, padded with NEVER to the longest: events (n, k), rescue_draws (n, slots) float32,
    sensitivity (n, days + 1), basal_factor (n,)."""

    meals: tuple[np.ndarray, np.ndarray]
    boluses: tuple[np.ndarray, np.ndarray]
    rescue_draws: np.ndarray
    sensitivity: np.ndarray
    basal_factor: np.ndarray


def _spread(rng: np.random.Generator, sd: float, size: int | tuple[int, ...]) -> np.ndarray:
    """Log-normal factors of mean 1 whose logarithm has SD ``sd``."""
    return np.exp(sd * rng.standard_normal(size) - 0.5 * sd * sd)


def _meals(rng: np.random.Generator, declared: Registry, daily_carbs_g: float, days: int) -> tuple:
    """(minutes, grams, is snack) of every meal eaten, by time. Times keep within two SD of the usual minute."""
    meals = declared.meals
    size = (days, len(meals))
    shift = np.clip(rng.standard_normal(size), -2, 2) * [meal.minute_sd for meal in meals]
    minute = np.round([meal.minute for meal in meals] + shift) + MINUTES_PER_DAY * np.arange(days)[:, None]
    eaten = rng.random(size) < [meal.probability for meal in meals]
    appetite = _spread(rng, declared.appetite_sd, 1)
    grams = daily_carbs_g * appetite * [meal.share for meal in meals] * _spread(rng, declared.meal_size_sd, size)
    grams = np.maximum(np.round(grams), SMALLEST_MEAL_G)
    snack = np.broadcast_to([meal.snack for meal in meals], size)
    minute, grams, snack = minute[eaten], grams[eaten], snack[eaten]
    order = np.argsort(minute, kind="stable")
    return minute[order].astype(np.int32), grams[order], snack[order]


def _boluses(rng: np.random.Generator, scenario: Scenario, minute: np.ndarray, grams: np.ndarray, snack: np.ndarray):
    """(minutes, announced grams) of the boluses given: counted with error, before the meal, late, or missed."""
    counted = np.maximum(np.round(grams * _spread(rng, scenario.carb_error_sd, grams.size)), 1.0)
    missed = rng.random(grams.size) < np.where(
        snack, scenario.missed_snack_bolus_probability, scenario.missed_bolus_probability
    )
    late = rng.random(grams.size) < scenario.late_bolus_probability
    delay = rng.integers(scenario.late_minutes[0], scenario.late_minutes[1], size=grams.size, endpoint=True)
    lead = rng.integers(scenario.premeal_minutes[0], scenario.premeal_minutes[1], size=grams.size, endpoint=True)
    when = np.maximum(minute + np.where(late, delay, -lead), 0)[~missed]
    order = np.argsort(when, kind="stable")
    return when[order].astype(np.int32), counted[~missed][order]


def draw_patient(master_seed: int, number: int, scenario: str, daily_carbs_g: float, days: int) -> PatientBehaviour:
    """All draws of patient ``number`` for ``days`` days; depends on nothing but the arguments."""
    declared = registry()
    chosen = declared.scenarios[scenario]

    def of(purpose: str) -> np.random.Generator:
        return stream(master_seed, "simulations", "patient", number, purpose)

    minute, grams, snack = _meals(of("meals"), declared, daily_carbs_g, days)
    bolus_minute, bolus_g = _boluses(of("boluses"), chosen, minute, grams, snack)
    return PatientBehaviour(
        minute,
        grams,
        bolus_minute,
        bolus_g,
        of("rescue").random(days * MINUTES_PER_DAY // RESCUE_SLOT_MINUTES, dtype=np.float32),
        _spread(of("sensitivity"), chosen.sensitivity_sd, days + 1),
        float(of("basal").uniform(1.0 - chosen.basal_error, 1.0 + chosen.basal_error)),
    )


def _padded(events: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    width = max(1, *(minute.size for minute, _ in events)) if events else 1
    minutes = np.full((len(events), width), NEVER, dtype=np.int32)
    grams = np.zeros((len(events), width))
    for row, (minute, gram) in enumerate(events):
        minutes[row, : minute.size] = minute
        grams[row, : gram.size] = gram
    return minutes, grams


def draw_behaviour(
    master_seed: int, numbers: Sequence[int], scenarios: Sequence[str], daily_carbs_g: np.ndarray, days: int
) -> Behaviour:
    """Behaviour of the patients ``numbers``, living by ``scenarios`` on ``daily_carbs_g`` (n,) grams a day."""
    drawn = [
        draw_patient(master_seed, number, scenario, float(carbs), days)
        for number, scenario, carbs in zip(numbers, scenarios, daily_carbs_g, strict=True)
    ]
    return Behaviour(
        _padded([(one.meal_minute, one.meal_g) for one in drawn]),
        _padded([(one.bolus_minute, one.bolus_g) for one in drawn]),
        np.stack([one.rescue_draws for one in drawn]),
        np.stack([one.sensitivity for one in drawn]),
        np.array([one.basal_factor for one in drawn]),
    )
