"""Outcomes and scores with the shape of a real run, drawn from a fixed stream."""

from __future__ import annotations

import json
from itertools import combinations

import numpy as np
import pyarrow as pa

from dataset_project.augmentation.report.outcomes import ComboOutcome
from dataset_project.augmentation.schemas import DOWNSTREAM_SCORES, REASONS

METHODS = {
    "entity": "name_swap place_swap date_swap",
    "lexical": "wordnet_synonym synonym_insert hypernym embedding_substitute tfidf_substitute tfidf_insert inflection "
    "paraphrase_lexicon homophone",
    "style": "expand_contractions contract abbreviations number_words aeda punctuation_strip filler emoji "
    "clause_reorder sentence_shuffle",
    "word": "spelling word_split word_swap word_delete word_crop",
    "character": "keyboard ocr char_insert char_substitute char_swap char_delete elongation homoglyph letter_case "
    "whitespace_merge",
    "control": "copy",
}
FAMILY = {method: family for family, methods in METHODS.items() for method in methods.split()}
ROWS, VARIANTS = 2030, 2
_LABELS = json.dumps({"ANHEDONIA|1": 300, "FATIGUE|0": 60, "SLEEP_ISSUES|1": 200})


def ran(*methods: str, seed: int = 0) -> ComboOutcome:
    """A combination that ran, its counts adding up as the engine's do."""
    rng = np.random.default_rng([seed, *"+".join(methods).encode()])
    planned = ROWS * VARIANTS
    if methods == ("copy",):
        return _outcome(methods, "ok", _facts(planned, planned, dict.fromkeys(REASONS, 0), (1.0,) * 5))
    accepted = int(planned * min(1.0, rng.beta(3, 0.8) * (0.1 if FAMILY[methods[0]] == "entity" else 1)))
    weights = rng.dirichlet([0.6, 0.05, 0.3, 0.2, 0.3, 0.1, 0.2, 0.1, 0.9, 1.2])
    refused = int(rng.gamma(2, 0.35) * planned) + (planned - accepted)
    rejected = dict(zip(REASONS, (int(count) for count in weights * refused), strict=True))
    similarity = np.sort(rng.uniform(0.56, 0.95, 5)) if accepted else ()
    return _outcome(methods, "ok" if accepted else "empty", _facts(planned, accepted, rejected, similarity))


def did_not_run(method: str, status: str = "unavailable", reason: str = "") -> ComboOutcome:
    return _outcome((method,), status, {}, reason)


def singletons() -> list[ComboOutcome]:
    """Every method that preserves labels, and the copy control, in the registry's order."""
    return [ran(method) for method in FAMILY]


def pairs() -> list[ComboOutcome]:
    """Every pair of them but two that exclude each other, and one that failed."""
    names = [method for method, family in FAMILY.items() if family != "control"]
    both = [pair for pair in combinations(names, 2) if pair != ("expand_contractions", "contract")]
    return [_outcome(pair, "failed", {}, "ValueError") if pair == ("emoji", "ocr") else ran(*pair) for pair in both]


def scores(combo_id: str, gain: float, sizes=(100, 500), repeats: int = 5, noise: float = 0.008) -> pa.Table:
    """Scores that lie ``gain`` above copies, whose own are those of `scores(CONTROL, 0)`."""
    rng, own = np.random.default_rng(7), np.random.default_rng([11, *combo_id.encode()])
    rows = []
    for size in sizes:
        for repeat in range(repeats):
            base = (0.29 if size == sizes[0] else 0.58) + rng.normal(0, 0.02)
            macro_f1 = base + 0.004 + gain + (own.normal(0, noise) if gain else 0.0)
            figures = {"baseline_accuracy": base + 0.1, "baseline_macro_f1": base}
            rows.append(
                {
                    "combo_id": combo_id,
                    "train_size": size,
                    "repeat": repeat,
                    "train_rows": 3 * size,
                    "accuracy": macro_f1 + 0.1,
                    "macro_f1": macro_f1,
                    **figures,
                }
            )
    return pa.Table.from_pylist(rows, schema=DOWNSTREAM_SCORES)


def _facts(planned: int, accepted: int, rejected: dict[str, int], similarity) -> dict[str, int | float | str]:
    facts: dict[str, int | float | str] = {
        "rows_in": ROWS,
        "planned": planned,
        "candidates": accepted + sum(rejected.values()),
        "accepted": accepted,
        "unfilled": planned - accepted,
        **{f"rejected_{reason}": count for reason, count in rejected.items()},
        "label_distribution": _LABELS,
    }
    if not accepted:
        return facts
    quantiles = zip((5, 25, 50, 75, 95), similarity, strict=True)
    facts |= {f"similarity_q{quantile:02d}": float(value) for quantile, value in quantiles}
    return facts | {"distinct_1": 0.1, "distinct_2": 0.4, "self_bleu": 0.2, "near_duplicate_rate": 0.01}


def _outcome(methods: tuple[str, ...], status: str, facts, reason: str = "") -> ComboOutcome:
    combo_id = f"combo_{len(methods)}_{'+'.join(methods)}"
    return ComboOutcome(
        combo_id=combo_id,
        combo_hash="c0ffee",
        methods=methods,
        families=tuple(FAMILY[method] for method in methods),
        label_preserving=True,
        status=status,
        reason=reason,
        dataset_path=f"augmented_sentences/{combo_id}" if facts else "",
        facts=facts,
        input_hash="in" if facts else "",
        resource_hash="re" if facts else "",
        dataset_sha256="da" if facts else "",
    )
