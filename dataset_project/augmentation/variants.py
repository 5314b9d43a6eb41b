"""Variants as a table: the columns of AUGMENTED_SENTENCES from what the engine accepted, and the figures of a
combination."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from dataset_project.augmentation.combos import Combo
from dataset_project.augmentation.engine import Generated, Variant
from dataset_project.augmentation.quality.scorers import Score
from dataset_project.augmentation.schemas import AUGMENTED_SENTENCES, EDIT, METRICS, REASONS
from dataset_project.augmentation.text.guards import profile

if TYPE_CHECKING:
    from dataset_project.augmentation.sentences.corpus import Corpus


def variants_table(
    corpus: Corpus, combo: Combo, generated: Generated, scorers: Mapping[str, Score], metric: str
) -> pa.Table:
    """AUGMENTED_SENTENCES in order of (source, variant). ``scorers``: each score that is stored, by metric."""
    variants = generated.variants
    sources = corpus.table.take(pa.array([each.place for each in variants], pa.int64()))
    originals = [corpus.texts[each.place] for each in variants]
    texts = [each.text for each in variants]
    columns: dict[str, object] = {
        name: sources[name] for name in ("source_id", "post_id", "criterion", "label", "split")
    }
    columns |= {
        "aug_id": [f"{corpus.ids[each.place]}:{combo.key}:{each.variant}" for each in variants],
        "text": texts,
        "original_text": originals,
        "context": [
            None if whole is None else whole.replace(original, text, 1)
            for whole, original, text in zip(sources["context"].to_pylist(), originals, texts, strict=True)
        ],
        "label_preserving": [combo.label_preserving] * len(variants),
        "combo_id": [combo.key] * len(variants),
        "methods": [[spec.id for spec in combo.methods]] * len(variants),
        "variant": [each.variant for each in variants],
        "attempt": [each.attempt for each in variants],
        "seed": [each.seed for each in variants],
        "n_edits": [sum(len(edits) for _, _, edits in each.steps) for each in variants],
        "edits": pa.array([_edits(each) for each in variants], pa.list_(EDIT)),
        "quality_metric": [metric] * len(variants),
        "negation_preserved": [
            profile(text).negation == profile(original).negation
            for text, original in zip(texts, originals, strict=True)
        ],
        "text_sha256": [sha256(text) for text in texts],
    }
    for name in METRICS:
        scored = scorers[name](originals, texts) if name in scorers else [None] * len(variants)
        columns[f"sim_{name}"] = pa.array(scored, pa.float32())
    arrays = [
        column.cast(field.type)
        if isinstance(column := columns[field.name], pa.ChunkedArray)
        else pa.array(column, field.type)
        for field in AUGMENTED_SENTENCES
    ]
    return pa.table(arrays, schema=AUGMENTED_SENTENCES)


def sha256(text: str) -> str:
    """SHA-256 of ``text`` as UTF-8, hexadecimal."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _edits(variant: Variant) -> list[dict[str, object]]:
    return [
        {"step": step, "start": start, "end": end, "old": before[start:end], "new": new, "method": method}
        for step, (method, before, edits) in enumerate(variant.steps)
        for start, end, new in edits
    ]


def figures(
    corpus: Corpus, generated: Generated, table: pa.Table, metric: str, variants: int
) -> dict[str, int | float | str]:
    """A combination's figures as its record keeps them: counts, acceptance, similarity quantiles, diversity, labels."""
    from dataset_project.augmentation.quality import diversity

    texts, accepted = table["text"].to_pylist(), table.num_rows
    counts: dict[str, int | float | str] = {
        "rows_in": len(corpus.texts),
        "planned": len(corpus.texts) * variants,
        "candidates": generated.candidates,
        "accepted": accepted,
        "unfilled": sum(generated.unfilled.values()),
        **{f"rejected_{reason}": generated.rejected[reason] for reason in REASONS},
        "label_distribution": label_distribution(table),
    }
    if not accepted:
        return counts
    similarity = table[f"sim_{metric}"].to_numpy().astype(np.float64)
    counts |= {f"similarity_q{quantile:02d}": value for quantile, value in diversity.quantiles(similarity).items()}
    measured = {
        "acceptance_rate": accepted / generated.candidates,
        "distinct_1": diversity.distinct_n(texts, 1),
        "distinct_2": diversity.distinct_n(texts, 2),
        "self_bleu": diversity.self_bleu(texts),
        "near_duplicate_rate": diversity.near_duplicate_rate(texts, table["source_id"].to_pylist()),
    }
    return counts | {name: round(value, 4) for name, value in measured.items() if value is not None}


def label_distribution(table: pa.Table) -> str:
    """JSON of ``criterion|label`` → rows, sorted by name."""
    labels = zip(table["criterion"].to_pylist(), table["label"].to_pylist(), strict=True)
    return json.dumps(dict(sorted(Counter(f"{criterion}|{label}" for criterion, label in labels).items())))


def unfilled_items(generated: Generated) -> tuple[int, int]:
    """Slots given up: (with nothing to change, refused by a rule)."""
    nothing = generated.unfilled["no_edit"]
    return nothing, sum(generated.unfilled.values()) - nothing
