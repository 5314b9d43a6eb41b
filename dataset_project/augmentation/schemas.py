"""Arrow schemas of the family's tables: columns, units and meanings."""

from __future__ import annotations

import pyarrow as pa

SPLITS = ("train", "val", "test")
METRICS = ("char", "tfidf", "embedding", "minilm")
# Why a candidate was refused, in the order the engine asks.
REASONS = (
    "no_edit",
    "identical",
    "duplicate",
    "negation",
    "symptom",
    "quantity",
    "fixed",
    "length",
    "below_band",
    "above_band",
)

_name = pa.dictionary(pa.int32(), pa.string())


def _field(name: str, kind: pa.DataType, description: str, unit: str = "", nullable: bool = False) -> pa.Field:
    notes = {"description": description} | ({"unit": unit} if unit else {})
    return pa.field(name, kind, nullable=nullable, metadata=notes)


_LABELS = (
    _field("criterion", _name, "what the sentence was annotated for, as given"),
    _field("label", pa.string(), "the annotation, as given: in the sample 1 present, 0 absent"),
    _field("split", _name, "train, val or test: a function of the group, so that no group is in two"),
)

SOURCE_SENTENCES = pa.schema(
    [
        _field("source_id", pa.string(), "the sentence's id, as given"),
        _field("post_id", pa.string(), "the group it belongs to (a post, an author), as given"),
        _field("text", pa.string(), "what is augmented: the evidence where a column for it is set, else the text"),
        _field("context", pa.string(), "the whole text around the evidence; null when the text is the unit", "", True),
        *_LABELS,
        _field("text_sha256", pa.string(), "SHA-256 of the text, UTF-8"),
    ]
)

AUGMENTATION_RESOURCES = pa.schema(
    [
        _field("term", pa.string(), "a word, or what else the resource looks up"),
        _field("tag", pa.string(), "part of speech (n, v, a, r) or kind of entry; empty where it does not matter"),
        _field("candidates", pa.list_(pa.string()), "what the term may become, best first"),
        _field("scores", pa.list_(pa.float32()), "figures of the candidates or of the term: see the resource"),
    ]
)

EDIT = pa.struct(
    [
        pa.field("step", pa.int16(), nullable=False),
        pa.field("start", pa.int32(), nullable=False),
        pa.field("end", pa.int32(), nullable=False),
        pa.field("old", pa.string(), nullable=False),
        pa.field("new", pa.string(), nullable=False),
        pa.field("method", pa.string(), nullable=False),
    ]
)

AUGMENTED_SENTENCES = pa.schema(
    [
        _field(
            "aug_id", pa.string(), "source id, combination and variant joined by colons: unique over all combinations"
        ),
        _field("source_id", pa.string(), "the sentence it was made from"),
        _field("post_id", pa.string(), "the group of that sentence"),
        _field("text", pa.string(), "the variant"),
        _field("original_text", pa.string(), "the sentence it was made from, as it was"),
        _field("context", pa.string(), "the whole text with the variant in its place; null without evidence", "", True),
        *_LABELS,
        _field("label_preserving", pa.bool_(), "whether every method of the combination means to keep the label"),
        _field("combo_id", _name, "the combination: its partition key"),
        _field("methods", pa.list_(pa.string()), "its methods, in the order they were applied"),
        _field("variant", pa.int16(), "0 … variants per sample - 1"),
        _field("attempt", pa.int16(), "which attempt was accepted, from 0"),
        _field("seed", pa.int64(), "seed of that attempt's first step"),
        _field("n_edits", pa.int32(), "edits of all steps"),
        _field(
            "edits", pa.list_(EDIT), "each edit: step, code points [start, end) of that step's input, old, new, method"
        ),
        _field("sim_char", pa.float32(), "normalised Indel similarity to the original", "1"),
        _field("sim_tfidf", pa.float32(), "cosine of character 3-5-gram TF-IDF vectors", "1"),
        _field("sim_embedding", pa.float32(), "cosine of averaged GloVe vectors; null when not computed", "1", True),
        _field("sim_minilm", pa.float32(), "cosine of MiniLM sentence vectors; null when not computed", "1", True),
        _field("quality_metric", _name, "the score that the quality band was applied to"),
        _field("negation_preserved", pa.bool_(), "the same negation cues as in the original"),
        _field("text_sha256", pa.string(), "SHA-256 of the variant, UTF-8"),
    ]
)

DOWNSTREAM_SCORES = pa.schema(
    [
        _field("combo_id", _name, "the combination whose variants were added to the training sentences"),
        _field("train_size", pa.int32(), "original training sentences, drawn by whole groups"),
        _field("repeat", pa.int32(), "which draw of training sentences: the same for every combination"),
        _field("train_rows", pa.int32(), "training rows with the variants"),
        _field("accuracy", pa.float64(), "share of held-out originals whose criterion was predicted", "1"),
        _field("macro_f1", pa.float64(), "F1 averaged over criteria", "1"),
        _field("baseline_accuracy", pa.float64(), "the same sentences without variants", "1"),
        _field("baseline_macro_f1", pa.float64(), "the same sentences without variants", "1"),
    ]
)

COMBO_STATISTICS = pa.schema(
    [
        _field("combo_id", pa.string(), "the combination: its partition key"),
        _field("combo_hash", pa.string(), "hash of methods, parameters, order, libraries and resources"),
        _field("methods", pa.list_(pa.string()), "in the order they are applied"),
        _field("families", pa.list_(pa.string()), "family of each"),
        _field("k", pa.int32(), "how many methods"),
        _field("label_preserving", pa.bool_(), "whether all of them mean to keep the label"),
        _field("status", pa.string(), "ok, empty, failed, unavailable, rejected, missing or stale"),
        _field("reason", pa.string(), "why it is not ok"),
        _field("dataset_path", pa.string(), "directory of its dataset, relative to the data directory"),
        _field("rows_in", pa.int64(), "source sentences"),
        _field("planned", pa.int64(), "variants asked for"),
        _field("candidates", pa.int64(), "attempts made"),
        _field("accepted", pa.int64(), "variants published: the rows of its dataset"),
        _field("unfilled", pa.int64(), "variants asked for and not found"),
        *(
            _field(f"rejected_{reason}", pa.int64(), f"attempts refused: {reason.replace('_', ' ')}")
            for reason in REASONS
        ),
        _field("acceptance_rate", pa.float64(), "accepted / candidates", "1", True),
        *(
            _field(
                f"similarity_q{quantile:02d}", pa.float64(), f"{quantile} % quantile of the quality metric", "1", True
            )
            for quantile in (5, 25, 50, 75, 95)
        ),
        _field("distinct_1", pa.float64(), "distinct words / words of the variants (Li 2016)", "1", True),
        _field("distinct_2", pa.float64(), "distinct word pairs / word pairs", "1", True),
        _field(
            "self_bleu",
            pa.float64(),
            "BLEU-4 of a variant against others, averaged over a fixed sample (Zhu 2018)",
            "1",
            True,
        ),
        _field(
            "near_duplicate_rate",
            pa.float64(),
            "share of variants almost equal to a variant of another source",
            "1",
            True,
        ),
        _field("label_distribution", pa.string(), "JSON: criterion|label → accepted rows"),
        _field("input_hash", pa.string(), "content hash of the source sentences it was made from"),
        _field("resource_hash", pa.string(), "content hash of the resources it was made from"),
        _field("dataset_sha256", pa.string(), "content hash of its files"),
    ]
)

MERGE_STATISTICS = pa.schema(
    [
        _field("combos", pa.int64(), "combinations planned"),
        _field("combos_ok", pa.int64(), "published with rows"),
        _field("combos_empty", pa.int64(), "ran, and no variant was accepted"),
        _field("combos_failed", pa.int64(), "failed"),
        _field("combos_unavailable", pa.int64(), "need a library or resource that is absent"),
        _field("combos_other", pa.int64(), "rejected, missing or stale"),
        _field("rows", pa.int64(), "accepted rows of all combinations"),
        _field("min_rows_per_combo", pa.int64(), "over published combinations", "", True),
        _field("max_rows_per_combo", pa.int64(), "over published combinations", "", True),
        _field("mean_rows_per_combo", pa.float64(), "over published combinations", "", True),
    ]
)

DOWNSTREAM_COMPARISON = pa.schema(
    [
        _field("combo_id", pa.string(), "the combination"),
        _field("train_size", pa.int32(), "original training sentences"),
        _field("repeats", pa.int32(), "paired draws"),
        _field("accuracy", pa.float64(), "mean accuracy with its variants", "1"),
        _field("macro_f1", pa.float64(), "mean macro F1 with its variants", "1"),
        _field("copy_accuracy", pa.float64(), "mean accuracy with plain copies", "1"),
        _field("copy_macro_f1", pa.float64(), "mean macro F1 with plain copies", "1"),
        _field("gain_macro_f1", pa.float64(), "mean paired difference to plain copies", "1"),
        _field("gain_low", pa.float64(), "lower end of its 95 % interval (paired t)", "1"),
        _field("gain_high", pa.float64(), "upper end of its 95 % interval (paired t)", "1"),
    ]
)
