"""Judged trials, categorised rows and calls to models with the shape of real ones, drawn from fixed streams."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from dataset_project.llm.spending import CALLS
from dataset_project.trials.categorisers.driver import categorise
from dataset_project.trials.categorisers.ready import ready_categoriser
from dataset_project.trials.categorisers.table import categorised_table
from dataset_project.trials.configuration import TrialSettings
from dataset_project.trials.report import agreement
from dataset_project.trials.report.agreement import Judged
from dataset_project.trials.report.card import Results
from dataset_project.trials.report.judging import by_models, judged
from dataset_project.trials.report.usage import usage_table
from dataset_project.trials.schemas import MODEL_USAGE, categorized_trials
from dataset_project.trials.schemes.loading import load_scheme
from dataset_project.trials.schemes.scheme import Scheme
from dataset_project.trials.trial import Trial

SEED = 5
AREAS = load_scheme("therapeutic_area")
TIERS = load_scheme("kras_g12d_crc")
# Each with the area that the rules put it into.
CONDITIONS = {
    "Asthma": "respiratory",
    "Atopic dermatitis": "skin",
    "Malaria": "infectious",
    "Breast cancer": "neoplasms",
    "Type 2 diabetes": "endocrine_metabolic",
    "Migraine": "nervous",
    "Heart failure": "circulatory",
    "Ulcerative colitis": "digestive",
}


def made_up_trials(count: int) -> list[Trial]:
    """Trials of one condition each, ids from NCT91000000, conditions in turn."""
    names = list(CONDITIONS)
    return [
        Trial(f"NCT91{number:06d}", brief_title=f"Study {number} of {name}", conditions=(name,))
        for number in range(count)
        for name in [names[number % len(names)]]
    ]


def ruled(trials: Sequence[Trial], scheme: Scheme = AREAS) -> pa.Table:
    """CATEGORIZED_TRIALS as the offline rules give them."""
    settings = TrialSettings(scheme=scheme.id)
    return categorised_table(categorise(ready_categoriser(scheme, settings), trials, None), scheme)


def changed(table: pa.Table, at: int, **values: Any) -> pa.Table:
    """The table with one row's values replaced."""
    rows = table.to_pylist()
    rows[at] |= values
    return pa.Table.from_pylist(rows, schema=table.schema)


def failed_row(table: pa.Table, at: int, error: str = "refused: told so", categoriser: str = "model") -> pa.Table:
    """The table with one row as a failed trial of a model has it."""
    none = dict.fromkeys(("facts", "category", "confidence"))
    said = {"status": "failed", "category_reason": "", "error": error, "categoriser": categoriser, "model": "small"}
    return changed(table, at, **none, **said)


def drawn_judged(scheme: Scheme, count: int, seed: int = SEED, right: float = 0.85) -> list[Judged]:
    """Trials whose categories are right so often, a fifth of them with two right ones, and surer where right."""
    draw = random.Random(seed)
    ids = [category.id for category in scheme.categories]
    found = []
    for number in range(count):
        gold = draw.choice(ids)
        category = gold if draw.random() < right else draw.choice(ids)
        several = (gold,) if draw.random() < 0.8 else tuple(dict.fromkeys((gold, draw.choice(ids))))
        confidence = min(1.0, max(0.0, round(draw.gauss(0.88 if category in several else 0.6, 0.12), 2)))
        decider = "rules" if draw.random() < 0.5 else "model"
        found.append(Judged(f"NCT91{number:06d}", category, several, confidence, decider))
    return found


def made_up_calls(
    count: int, minutes: float, faults: Mapping[str, float] | None = None, seed: int = SEED, model: str = "gpt-5-mini"
) -> pa.Table:
    """CALLS spread over some minutes. ``faults``: outcome → share of calls that ended so."""
    draw = random.Random(seed)
    outcomes = list(faults or {})
    weights = [*(faults or {}).values()]
    first = datetime(2026, 1, 5, 9, tzinfo=UTC)
    started = sorted(first + timedelta(minutes=draw.uniform(0, minutes)) for _ in range(count))
    rows = []
    for number, at in enumerate(started):
        outcome = draw.choices(["ok", *outcomes], [1 - sum(weights), *weights])[0]
        is_ok = outcome == "ok"
        rows.append(
            {
                "item": f"trials/therapeutic_area/NCT91{number:06d}",
                "group": "run",
                "task_key": f"{number:032x}",
                "model": f"{model}-as-served",
                "asked_model": model,
                "attempt": 1,
                "outcome": outcome,
                "http_status": 429 if outcome == "rate_limited" else 200 if is_ok else None,
                "input_tokens": 3000 if is_ok else 0,
                "output_tokens": 600 if is_ok else 0,
                "cached_tokens": 2000 if is_ok else 0,
                "cost_usd": 0.0015 if is_ok else 0.0,
                "latency_ms": None if outcome == "lost" else round(draw.uniform(2_000, 9_000), 3),
                "started_at": at,
                "worker": "w",
                "error": "" if is_ok else "told so",
            }
        )
    return pa.Table.from_pylist(rows, schema=CALLS)


def results_of(
    rows: pa.Table,
    gold: Mapping[str, tuple[str, ...]] | None = None,
    scheme: Scheme = AREAS,
    rules: Mapping[str, tuple[str, ...]] | None = None,
    calls: pa.Table | None = None,
) -> Results:
    """The report's tables of some rows, as the family's door makes them."""
    by_gold = judged(rows, gold or {})
    against = {"gold": by_gold} | ({"rules": by_models(judged(rows, rules))} if rules else {})
    categories = [category for category in rows["category"].to_pylist() if category is not None]
    return Results(
        rows,
        {
            "agreement": agreement.agreement_table(against, SEED),
            "categories": agreement.category_table(scheme, categories, by_gold),
            "confusion": agreement.confusion_table(scheme, by_gold),
            "calibration": agreement.calibration_table(by_gold),
            "usage": MODEL_USAGE.empty_table() if calls is None else usage_table(calls),
        },
    )


def no_rows(scheme: Scheme = AREAS) -> pa.Table:
    """CATEGORIZED_TRIALS of a bucket that no trial falls into."""
    return categorized_trials(scheme.arrow_type()).empty_table()
