"""The family's settings and what they may be. Nothing here computes."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

FORMATS = ("docx", "pdf", "xlsx", "pptx", "eml", "nested_eml", "txt", "html", "csv", "rtf", "zip")
Share = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0, le=1000)]


class DocumentSettings(BaseModel):
    """Settings of the documents family (environment: ``DATASET_DOCUMENTS__<NAME>``)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    documents: Annotated[int, Field(ge=1, le=100_000_000)] | None = Field(
        None, description="number of documents; unset: by size (demo 200, standard 1,000, full 10,000)"
    )
    documents_per_batch: int = Field(
        100, ge=1, le=10_000, description="documents per partition; fixed once there are data"
    )
    patients: int = Field(2_000, ge=10, le=10_000_000, description="patients in the identity pool")
    providers: int = Field(300, ge=5, le=1_000_000, description="providers in the identity pool")
    facilities: int = Field(40, ge=2, le=100_000, description="facilities in the identity pool")
    positives: Share = Field(0.40, description="share of documents with PHI")
    pii_only: Share = Field(0.10, description="share of documents with PII that is no PHI")
    mixed: Share = Field(0.05, description="share of containers with parts of both kinds; the rest is negative")
    formats: dict[str, Weight] = Field(
        default_factory=lambda: {
            "docx": 4, "pdf": 4, "xlsx": 2, "pptx": 1.5, "eml": 2.5, "nested_eml": 1,
            "txt": 1, "html": 1, "csv": 0.8, "rtf": 0.8, "zip": 0.6,
        },
        description="weight of each format",
    )  # fmt: skip
    templates: dict[str, Weight] = Field(
        default_factory=dict, description="weight of templates that are not to have weight 1"
    )
    reference_date: date = Field(date(2026, 1, 15), description="the day on which everything was written")
    seed: int = Field(42, ge=0, lt=2**63, description="seed of the family's random streams; 0 is a seed")
    llm_share: Share = Field(
        0.0, description="share of documents whose prose a language model writes (placeholders only)"
    )
    llm_model: str = Field("gpt-5-mini", min_length=1, description="the model that writes it")

    @model_validator(mode="after")
    def _consistent(self) -> DocumentSettings:
        total = self.positives + self.pii_only + self.mixed
        if total > 1 + 1e-9:
            raise ValueError(f"positives + pii_only + mixed are {total:g}: the shares must leave room for negatives")
        unknown = sorted(set(self.formats) - set(FORMATS))
        if unknown:
            raise ValueError(f"formats: no format {', '.join(unknown)}; there are {', '.join(FORMATS)}")
        if not any(self.formats.values()):
            raise ValueError("formats: at least one needs a weight above 0")
        return self
