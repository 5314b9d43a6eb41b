"""Arrow schemas of what the family makes of trials: columns, units and meanings. Records have theirs in `records`."""

from __future__ import annotations

import pyarrow as pa


def _field(name: str, kind: pa.DataType, description: str, unit: str = "", nullable: bool = False) -> pa.Field:
    notes = {"description": description} | ({"unit": unit} if unit else {})
    return pa.field(name, kind, nullable=nullable, metadata=notes)


def categorized_trials(facts: pa.StructType) -> pa.Schema:
    """CATEGORIZED_TRIALS of a scheme whose facts have the type ``facts``."""
    return pa.schema(
        [
            _field("nct_id", pa.string(), "the trial, as in trial_records"),
            _field("scheme", pa.string(), "the category scheme"),
            _field("scheme_version", pa.string(), "its version"),
            _field("facts", facts, "what was extracted from the trial; null when that failed", nullable=True),
            _field("category", pa.string(), "follows from the facts, in code; null when there are none", nullable=True),
            _field("category_reason", pa.string(), "the rule of the scheme that gave the category"),
            _field("confidence", pa.float32(), "0 to 1; with several votes the share that agrees", "", True),
            _field("categoriser", pa.string(), "what decided: rules, model or strong_model"),
            _field("model", pa.string(), "the model asked; empty for rules"),
            _field("prompt_hash", pa.string(), "hash of what the model was asked; empty for rules"),
            _field("input_hash", pa.string(), "SHA-256 of the trial's record"),
            _field("parts", pa.int16(), "pieces the criteria were sent in; 0 for rules, which read all of them"),
            _field("truncated", pa.bool_(), "whether anything of the trial was not read; never, it is sent in parts"),
            _field("votes", pa.int16(), "opinions of the model that decided; 0 for rules"),
            _field("status", pa.string(), "ok or failed"),
            _field("error", pa.string(), "why it failed, or what went wrong on the way"),
        ]
    )


AGREEMENT = pa.schema(
    [
        _field("scope", pa.string(), "gold: known categories; rules: the offline rules, where a model decided"),
        _field("split", pa.string(), "all, or the part of the trials: by categoriser, or with several gold categories"),
        _field("trials", pa.int32(), "trials compared"),
        _field("agreeing", pa.int32(), "whose category is among the gold ones, or the same"),
        _field("agreement", pa.float64(), "agreeing ÷ trials"),
        _field("agreement_low", pa.float64(), "Wilson 95 % interval, lower end"),
        _field("agreement_high", pa.float64(), "upper end"),
        _field("kappa", pa.float64(), "Cohen's κ", nullable=True),
        _field("kappa_low", pa.float64(), "95 % bootstrap interval, lower end; null if all agree", nullable=True),
        _field("kappa_high", pa.float64(), "upper end", nullable=True),
        _field("brier", pa.float64(), "mean squared distance of confidence from being right, by gold", nullable=True),
        _field("calibration_error", pa.float64(), "expected calibration error over ten equal bins", nullable=True),
    ]
)

CATEGORY_COUNTS = pa.schema(
    [
        _field("category", pa.string(), "category of the scheme"),
        _field("title", pa.string(), "its title"),
        _field("trials", pa.int32(), "trials in it"),
        _field("share", pa.float64(), "of all categorised trials"),
        _field("gold_trials", pa.int32(), "trials with gold whose gold categories hold it"),
        _field("found", pa.int32(), "of those that gold names it alone, put into it"),
        _field("alone", pa.int32(), "trials that gold names it alone"),
        _field("recall", pa.float64(), "found ÷ alone", nullable=True),
        _field("recall_low", pa.float64(), "Wilson 95 % interval, lower end", nullable=True),
        _field("recall_high", pa.float64(), "upper end", nullable=True),
        _field("precision", pa.float64(), "of those put into it that have gold, the share gold allows", nullable=True),
        _field("precision_low", pa.float64(), "Wilson 95 % interval, lower end", nullable=True),
        _field("precision_high", pa.float64(), "upper end", nullable=True),
    ]
)

CONFUSION = pa.schema(
    [
        _field("gold", pa.string(), "gold category; of several the one found, else the first"),
        _field("category", pa.string(), "category found"),
        _field("trials", pa.int32(), "how many"),
    ]
)

CALIBRATION = pa.schema(
    [
        _field("bin", pa.int16(), "tenth of the confidence scale, 0 to 9"),
        _field("trials", pa.int32(), "trials with gold in it"),
        _field("confidence", pa.float64(), "their mean confidence"),
        _field("agreement", pa.float64(), "share that gold allows"),
        _field("agreement_low", pa.float64(), "Wilson 95 % interval, lower end"),
        _field("agreement_high", pa.float64(), "upper end"),
    ]
)

MODEL_USAGE = pa.schema(
    [
        _field("model", pa.string(), "the model asked for, whatever the provider calls it"),
        _field("calls", pa.int64(), "calls made for these trials, failed ones too"),
        _field("failed_calls", pa.int64(), "calls that gave no usable answer"),
        _field("input_tokens", pa.int64(), "as the provider counted them"),
        _field("cached_tokens", pa.int64(), "of those, read from the provider's cache"),
        _field("output_tokens", pa.int64(), "as the provider counted them"),
        _field("cost_usd", pa.float64(), "by the price list", "USD"),
        _field("latency_p50_ms", pa.float64(), "median time of a call; null where none ended", "ms", True),
        _field("latency_p95_ms", pa.float64(), "95th percentile", "ms", True),
    ]
)
