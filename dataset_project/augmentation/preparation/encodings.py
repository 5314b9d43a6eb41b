"""Sentence vectors of the originals: encoded once, so that every combination only encodes its variants."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dataset_project.augmentation.preparation.common_words import resource_table

if TYPE_CHECKING:
    import pyarrow as pa

    from dataset_project.augmentation.preparation.carriers import Carriers


def minilm_originals(carriers: Carriers, texts: Iterable[str]) -> pa.Table:
    """Text → its MiniLM vector (scores; float32, unit length). Raises MissingPart when model or library is absent."""
    from dataset_project.augmentation.quality.scorers import minilm

    distinct = sorted(set(texts))
    vectors = minilm(carriers).embed(distinct)
    return resource_table((text, "", (), vector.tolist()) for text, vector in zip(distinct, vectors, strict=True))
