"""The registry of behaviour scenarios: what they are called and what their parameters may be.

Values live in ``resources/scenarios.yaml`` with their meaning; drawing from them belongs to ``behaviour``.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

MIXED = "mixed"
REGISTRY = "scenarios.yaml"

Probability = Annotated[float, Field(ge=0, le=1)]
MinuteRange = tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(le=240)]]
BelowOne = Annotated[float, Field(ge=0, lt=1)]


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Scenario(_Declared):
    """How one kind of patient behaves; fields are explained at the head of the YAML file."""

    weight: Annotated[float, Field(ge=0, le=1)]
    description: str
    carb_error_sd: Annotated[float, Field(ge=0, le=1)]
    premeal_minutes: MinuteRange
    late_bolus_probability: Probability
    late_minutes: MinuteRange
    missed_bolus_probability: Probability
    missed_snack_bolus_probability: Probability
    rescue_day_probability: BelowOne
    rescue_night_probability: BelowOne
    urgent_rescue_probability: BelowOne
    basal_error: Annotated[float, Field(ge=0, le=0.5)]
    sensitivity_sd: Annotated[float, Field(ge=0, le=0.5)]

    @model_validator(mode="after")
    def _ordered(self) -> Scenario:
        for name in ("premeal_minutes", "late_minutes"):
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(f"{name} must be (from, to), not ({low}, {high})")
        return self


class Meal(_Declared):
    """One eating occasion of the day."""

    name: str
    minute: Annotated[int, Field(ge=0, lt=1440)]
    minute_sd: Annotated[float, Field(ge=0, le=90)]
    share: Annotated[float, Field(gt=0, le=1)]
    probability: Probability
    snack: bool


class Pump(_Declared):
    """Rules shared by all patients: correction above a level, and what is taken against lows."""

    correct_above_mgdl: Annotated[float, Field(gt=0)]
    correct_to_mgdl: Annotated[float, Field(gt=0)]
    rescue_g: Annotated[float, Field(gt=0)]
    rescue_below_mgdl: Annotated[float, Field(gt=0)]
    urgent_below_mgdl: Annotated[float, Field(gt=0)]


class Registry(_Declared):
    """Everything ``resources/scenarios.yaml`` declares."""

    scenarios: dict[str, Scenario]
    meals: tuple[Meal, ...]
    meal_size_sd: Annotated[float, Field(ge=0, le=1)]
    appetite_sd: Annotated[float, Field(ge=0, le=1)]
    pump: Pump

    @model_validator(mode="after")
    def _consistent(self) -> Registry:
        if MIXED in self.scenarios:
            raise ValueError(f"`{MIXED}` is the mix of the others and cannot be declared")
        if abs(sum(s.weight for s in self.scenarios.values()) - 1) > 1e-9:
            raise ValueError("the weights of the scenarios must add up to 1")
        if [m.minute for m in self.meals] != sorted({m.minute for m in self.meals}):
            raise ValueError("meals must be listed by minute, without repeats")
        return self


@cache
def registry() -> Registry:
    """The validated registry; raises pydantic's ValidationError (a ValueError) when the file is wrong."""
    import yaml

    text = resources.files("dataset_project.simulations").joinpath("resources", REGISTRY).read_text(encoding="utf-8")
    return Registry.model_validate(yaml.safe_load(text))


def known_scenarios() -> tuple[str, ...]:
    """Names a setting may use: ``mixed`` first, then the declared scenarios."""
    return (MIXED, *registry().scenarios)


def validate_scenario(name: str) -> str:
    """``name`` when it is known; otherwise a ValueError whose one line lists the known ones."""
    if name not in known_scenarios():
        raise ValueError(f"unknown scenario {name!r}: use one of {', '.join(known_scenarios())}")
    return name


def choose_scenario(name: str, draw: float) -> str:
    """The scenario of one patient: ``name`` itself, or for ``mixed`` by weight with a uniform ``draw`` in [0, 1)."""
    if validate_scenario(name) != MIXED:
        return name
    for scenario, declared in registry().scenarios.items():
        draw -= declared.weight
        if draw < 0:
            return scenario
    return scenario
