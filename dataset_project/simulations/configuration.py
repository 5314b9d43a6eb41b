"""The family's settings and what they may be. Nothing here computes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

WARM_UP_DAYS = 1
SAMPLE_MINUTES = 5


class SimulationSettings(BaseModel):
    """Settings of the simulations family (environment: ``DATASET_SIMULATIONS__<NAME>``)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    patients: Annotated[int, Field(ge=1, le=10_000_000)] | None = Field(
        None, description="number of virtual patients; unset: what DATASET_SIZE says (200, 1,000 or 10,000)"
    )
    patients_per_block: int = Field(100, ge=1, le=1_000, description="patients per partition; fixed once data exists")
    days: int = Field(14, ge=2, le=366, description="simulated days per patient; the first is warm-up")
    substeps: Literal[1, 2, 4] = Field(2, description="RK4 steps per minute")
    scenario: str = Field("mixed", description="a scenario of resources/scenarios.yaml, or `mixed`: their declared mix")
    sensor_gaps: bool = Field(True, description="simulate CGM signal loss (null samples)")
    history_hours: tuple[Literal[2, 6, 24], ...] = Field((2, 6, 24), description="histories of the forecast windows")
    training_stride_minutes: int = Field(5, ge=5, le=1440, multiple_of=5, description="anchor stride, train split")
    evaluation_stride_minutes: int = Field(30, ge=5, le=1440, multiple_of=5, description="anchor stride, val and test")
    materialised_history_hours: Literal[2, 6, 24] = Field(2, description="history of the windows in training_splits")

    @field_validator("scenario")
    @classmethod
    def _known(cls, name: str) -> str:
        from dataset_project.simulations.simulator.scenarios import validate_scenario

        return validate_scenario(name)

    @model_validator(mode="after")
    def _consistent(self) -> SimulationSettings:
        if not self.history_hours or list(self.history_hours) != sorted(set(self.history_hours)):
            raise ValueError("history_hours must name at least one of 2, 6, 24, ascending and without repeats")
        if self.materialised_history_hours not in self.history_hours:
            raise ValueError("materialised_history_hours must be one of history_hours")
        longest = self.history_hours[-1]
        if WARM_UP_DAYS * 24 + longest + 1 > self.days * 24:
            raise ValueError(
                f"{self.days} days leave no room for a {longest} h history and a 1 h horizon after the warm-up day: "
                "raise days or drop that history"
            )
        return self
