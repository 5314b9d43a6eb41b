"""The family's settings and what they may be. Nothing here computes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

REGISTRY_SOURCE = "clinicaltrials.gov"
Categoriser = Literal["rules", "llm", "cascade"]


class TrialSettings(BaseModel):
    """Settings of the trials family (environment: ``DATASET_TRIALS__<NAME>``)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str | None = Field(
        None,
        min_length=1,
        description="file of studies (JSON, CSV, Parquet …) or clinicaltrials.gov; unset: the shipped sample",
    )
    query: str | None = Field(None, min_length=1, description="search terms of the registry, in its own syntax")
    max_trials: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(
        None, description="most trials taken from the registry; unset: all that the query finds"
    )
    api_url: str = Field("https://clinicaltrials.gov/api/v2", description="the registry's address, or a mirror's")
    page_size: int = Field(1000, ge=1, le=1000, description="studies per page of the registry")
    columns: dict[str, str] = Field(
        default_factory=dict, description="our field → column, for CSV and Parquet with other column names"
    )
    gold: str | None = Field(
        None, min_length=1, description="CSV of known categories; unset: the sample's, where the sample is the source"
    )

    scheme: str = Field("therapeutic_area", min_length=1, description="therapeutic_area, kras_g12d_crc or a YAML file")
    categoriser: Categoriser = Field("rules", description="rules (offline), llm, or cascade (rules, then models)")
    model: str = Field("gpt-5-mini", min_length=1, description="model of llm, and of the cascade's first step")
    strong_model: str = Field("gpt-5.1", min_length=1, description="model for what the first one leaves in doubt")
    reasoning_effort: str | None = Field(
        "low", min_length=1, description="how much reasoning models think; null for models that do not"
    )
    votes: int = Field(1, ge=1, le=15, description="votes of the strong model on each such trial; the majority wins")
    confident: float = Field(
        0.8, ge=0, le=1, description="confidence from which the cascade takes an answer without asking further"
    )
    max_criteria_tokens: int = Field(
        12_000, ge=500, le=200_000, description="longer eligibility criteria are sent in parts, none is cut off"
    )
    max_output_tokens: int = Field(2_000, ge=100, le=100_000, description="cap of one answer; raised once if hit")
    tolerated_failures: float = Field(
        0.02, ge=0, lt=1, description="share of a bucket's trials that may fail; they are published as failed"
    )
    agreement_floor: float = Field(
        0.8, ge=0, le=1, description="agreement with gold below which a check warns (lower end of its interval)"
    )

    @model_validator(mode="after")
    def _consistent(self) -> TrialSettings:
        if self.source == REGISTRY_SOURCE and not self.query:
            raise ValueError(f"source {REGISTRY_SOURCE} needs a query: nobody wants all half a million studies")
        if self.source != REGISTRY_SOURCE and self.query:
            raise ValueError(f"a query needs source={REGISTRY_SOURCE}: a file is taken whole")
        if self.source != REGISTRY_SOURCE and self.max_trials is not None:
            raise ValueError(f"max_trials needs source={REGISTRY_SOURCE}: a file is taken whole")
        return self
