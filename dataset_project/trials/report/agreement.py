"""Agreement of categories with known ones, or of two categorisers: with intervals, per class, and by confidence.

Where gold names several categories any of them is right. Cohen's κ and recall need one: κ takes the category found
where gold allows it, else the first; recall of a category counts the trials that gold puts there alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from dataset_project.storage.seeding import stream
from dataset_project.trials import schemas
from dataset_project.trials.schemes.scheme import Scheme

GOLD = "gold"
BINS = 10
_RESAMPLES = 1000


@dataclass(frozen=True)
class Judged:
    """One categorised trial with the categories that count as right. ``confidence``: None where none was stored."""

    nct_id: str
    category: str
    right: tuple[str, ...]
    confidence: float | None
    categoriser: str

    @property
    def agrees(self) -> bool:
        return self.category in self.right

    @property
    def expected(self) -> str:
        """The one category it is compared with."""
        return self.category if self.agrees else self.right[0]


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """95 % interval of a proportion (Wilson 1927), lower and upper end; (0, 1) of no trials."""
    if not trials:
        return 0.0, 1.0
    from scipy.stats import binomtest

    interval = binomtest(successes, trials).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)


def kappa(judged: Sequence[Judged], seed: int) -> tuple[float, float | None, float | None] | None:
    """Cohen's κ (1960) and its 95 % bootstrap interval over trials; None where chance agreement is complete.

    Without any disagreement there is no interval: every resample agrees too, however few trials there are.
    """
    from sklearn.metrics import cohen_kappa_score

    names = sorted({each.category for each in judged} | {each.expected for each in judged})
    if len(names) < 2:
        return None
    index = {name: number for number, name in enumerate(names)}
    found = np.array([index[each.category] for each in judged])
    expected = np.array([index[each.expected] for each in judged])
    value = float(cohen_kappa_score(expected, found))
    if np.array_equal(expected, found):
        return value, None, None
    draws = stream(seed, "categorization_report", "kappa").integers(0, len(judged), (_RESAMPLES, len(judged)))
    resampled = np.array([_kappa(expected[draw], found[draw], len(names)) for draw in draws])
    low, high = np.nanquantile(resampled, (0.025, 0.975))
    return value, float(low), float(high)


def _kappa(expected: np.ndarray, found: np.ndarray, classes: int) -> float:
    """κ of one resample: scikit-learn's costs a thousand times more for a thousand of them."""
    total = len(expected)
    by_chance = np.dot(np.bincount(expected, minlength=classes), np.bincount(found, minlength=classes)) / total**2
    return float("nan") if by_chance >= 1 else (np.mean(expected == found) - by_chance) / (1 - by_chance)


def agreement_row(scope: str, split: str, judged: Sequence[Judged], seed: int) -> dict[str, Any]:
    """One row of AGREEMENT. ``judged`` must not be empty."""
    agreeing = sum(each.agrees for each in judged)
    low, high = wilson(agreeing, len(judged))
    kappas = kappa(judged, seed) or (None, None, None)
    # Confidence is meant to be that of being right, which only gold can tell.
    known = [each for each in judged if each.confidence is not None and scope == GOLD]
    brier = float(np.mean([(each.confidence - each.agrees) ** 2 for each in known])) if known else None
    bins = calibration_table(known).to_pylist()
    error = sum(each["trials"] * abs(each["confidence"] - each["agreement"]) for each in bins)
    return {
        "scope": scope,
        "split": split,
        "trials": len(judged),
        "agreeing": agreeing,
        "agreement": agreeing / len(judged),
        "agreement_low": low,
        "agreement_high": high,
        "kappa": kappas[0],
        "kappa_low": kappas[1],
        "kappa_high": kappas[2],
        "brier": brier,
        "calibration_error": error / len(known) if known else None,
    }


def agreement_table(against: Mapping[str, Sequence[Judged]], seed: int) -> pa.Table:
    """AGREEMENT. ``against``: scope (gold, rules) → what is compared; empty ones give no row."""
    rows = []
    for scope, judged in against.items():
        if not judged:
            continue
        rows.append(agreement_row(scope, "all", judged, seed))
        single = [each for each in judged if len(each.right) == 1]
        if 0 < len(single) < len(judged):
            rows.append(agreement_row(scope, "one right category", single, seed))
        deciders = sorted({each.categoriser for each in judged})
        if len(deciders) > 1:
            for name in deciders:
                mine = [each for each in judged if each.categoriser == name]
                rows.append(agreement_row(scope, f"decided by {name}", mine, seed))
    return pa.Table.from_pylist(rows, schema=schemas.AGREEMENT)


def category_table(scheme: Scheme, categories: Sequence[str], judged: Sequence[Judged]) -> pa.Table:
    """CATEGORY_COUNTS: every category of the scheme, in its order. ``categories``: of all categorised trials."""
    counts = Counter(categories)
    rows = []
    for category in scheme.categories:
        alone = [each for each in judged if each.right == (category.id,)]
        put = [each for each in judged if each.category == category.id]
        found, allowed = sum(each.agrees for each in alone), sum(each.agrees for each in put)
        recall = (found / len(alone), *wilson(found, len(alone))) if alone else (None, None, None)
        precision = (allowed / len(put), *wilson(allowed, len(put))) if put else (None, None, None)
        rows.append(
            {
                "category": category.id,
                "title": category.title,
                "trials": counts[category.id],
                "share": counts[category.id] / max(len(categories), 1),
                "gold_trials": sum(category.id in each.right for each in judged),
                "found": found,
                "alone": len(alone),
                **dict(zip(("recall", "recall_low", "recall_high"), recall, strict=True)),
                **dict(zip(("precision", "precision_low", "precision_high"), precision, strict=True)),
            }
        )
    return pa.Table.from_pylist(rows, schema=schemas.CATEGORY_COUNTS)


def confusion_table(scheme: Scheme, judged: Sequence[Judged]) -> pa.Table:
    """CONFUSION: pairs that occur, in the scheme's order."""
    order = {category.id: number for number, category in enumerate(scheme.categories)}
    counts = Counter((each.expected, each.category) for each in judged)
    pairs = sorted(counts, key=lambda pair: (order[pair[0]], order[pair[1]]))
    rows = [{"gold": gold, "category": found, "trials": counts[gold, found]} for gold, found in pairs]
    return pa.Table.from_pylist(rows, schema=schemas.CONFUSION)


def calibration_table(judged: Sequence[Judged]) -> pa.Table:
    """CALIBRATION: tenths of the confidence scale that hold trials."""
    binned: dict[int, list[Judged]] = {}
    for each in judged:
        if each.confidence is not None:
            # Stored in 32 bits, where 0.9 is a little less than that.
            binned.setdefault(min(int(round(each.confidence * BINS, 5)), BINS - 1), []).append(each)
    rows = []
    for number in sorted(binned):
        mine = binned[number]
        agreeing = sum(each.agrees for each in mine)
        low, high = wilson(agreeing, len(mine))
        rows.append(
            {
                "bin": number,
                "trials": len(mine),
                "confidence": float(np.mean([each.confidence for each in mine])),
                "agreement": agreeing / len(mine),
                "agreement_low": low,
                "agreement_high": high,
            }
        )
    return pa.Table.from_pylist(rows, schema=schemas.CALIBRATION)
