"""The family's settings and what they may be. Nothing here computes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Metric = Literal["char", "tfidf", "embedding", "minilm"]
Share = Annotated[float, Field(ge=0, le=1)]
_BAND = (0.55, 0.95)
# Averages of word vectors hardly move: seen on the shipped sentences, light noise leaves 0.988 at its 5 % quantile.
_BANDS: dict[str, tuple[float, float]] = {"embedding": (0.85, 0.999)}


class AugmentationSettings(BaseModel):
    """Settings of the augmentation family (environment: ``DATASET_AUGMENTATION__<NAME>``)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str | None = Field(None, min_length=1, description="CSV or Parquet of sentences; unset: the shipped sample")
    id_column: str = Field("sentence_id", min_length=1, description="column of unique ids")
    text_column: str = Field("sentence_text", min_length=1, description="column of texts")
    evidence_column: str | None = Field(
        None, description="column with the part of the text to augment; unset: the text"
    )
    criterion_column: str = Field("DSM5_symptom", min_length=1, description="column of what was annotated")
    label_column: str = Field("status", min_length=1, description="column of the annotation")
    group_column: str = Field("post_id", min_length=1, description="column of groups that no split may divide")
    split_column: str | None = Field(
        None, description="column with train, val or test; unset: drawn by group, 70/15/15"
    )

    registry: str | None = Field(None, min_length=1, description="YAML file of methods; unset: the shipped registry")
    methods: tuple[str, ...] = Field(
        (), description="methods that take part; empty: all that preserve labels, and copy"
    )
    include_label_changing: bool = Field(False, description="also antonym and negate")
    mode: Literal["singletons", "pairs", "bounded_k", "all", "ordered"] | None = Field(
        None, description="which combinations; unset: what DATASET_SIZE says (singletons, or pairs at full)"
    )
    max_methods: int = Field(3, ge=2, le=8, description="methods in one combination: bounded_k and ordered")
    confirm_all: bool = Field(False, description="mode `all` needs this, too")
    max_combos: int = Field(10_000, ge=1, le=100_000, description="more combinations than this are refused")

    variants_per_sample: int = Field(2, ge=1, le=50, description="variants asked for per sentence and combination")
    attempts: int = Field(6, ge=1, le=50, description="attempts at one variant before it is given up")
    seed: int = Field(42, ge=0, lt=2**63, description="seed of the family's random streams")
    quality_metric: Metric = Field("tfidf", description="score that the band applies to")
    extra_scores: tuple[Metric, ...] = Field((), description="further scores to store: embedding, minilm")
    min_similarity: Share | None = Field(None, description="lowest accepted score; unset: 0.55, embedding 0.85")
    max_similarity: Share | None = Field(None, description="highest accepted score; unset: 0.95, embedding 0.999")

    carriers: str | None = Field(
        None, description="directory of downloaded data carriers; unset: <environment>/share/…"
    )
    downstream_sizes: tuple[Annotated[int, Field(ge=20, le=1_000_000)], ...] = Field(
        (100, 500), description="original training sentences of the downstream comparison"
    )
    downstream_repeats: int = Field(5, ge=2, le=50, description="paired draws of training sentences")

    @property
    def scores(self) -> frozenset[str]:
        """Scores that are stored: char and tfidf always."""
        return frozenset({"char", "tfidf", self.quality_metric, *self.extra_scores})

    @property
    def band(self) -> tuple[float, float]:
        """Lowest and highest accepted score."""
        low, high = _BANDS.get(self.quality_metric, _BAND)
        return (
            low if self.min_similarity is None else self.min_similarity,
            high if self.max_similarity is None else self.max_similarity,
        )

    @model_validator(mode="after")
    def _consistent(self) -> AugmentationSettings:
        low, high = self.band
        if low >= high:
            raise ValueError(f"the quality band is empty: min_similarity {low} must be below max_similarity {high}")
        if self.mode == "all" and not self.confirm_all:
            raise ValueError(
                "mode `all` takes every combination of any number of methods: set confirm_all=true as well"
            )
        if not self.downstream_sizes or list(self.downstream_sizes) != sorted(set(self.downstream_sizes)):
            raise ValueError("downstream_sizes must be ascending, without repeats")
        return self
