"""Figures of agreement against scikit-learn, SciPy, statistics by hand and cases with nothing in them."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from dataset_project.trials.report import agreement
from dataset_project.trials.report.agreement import Judged
from dataset_project.trials.report.judging import by_models
from dataset_project.trials.schemas import AGREEMENT, CALIBRATION, CATEGORY_COUNTS, CONFUSION
from dataset_project_tests.trials.report.made_up import AREAS, SEED, TIERS, drawn_judged


def _judged(*pairs: tuple[str, str], confidence: float | None = 0.9) -> list[Judged]:
    return [
        Judged(f"NCT{number:08d}", found, tuple(right.split("|")), confidence, "rules")
        for number, (found, right) in enumerate(pairs)
    ]


def test_wilsons_interval_is_the_published_one():
    # Newcombe 1998, Statistics in Medicine 17:857, table I, method 3.
    for successes, trials, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611),
                                         (1, 29, 0.0061, 0.1718)):  # fmt: skip
        assert agreement.wilson(successes, trials) == pytest.approx((low, high), abs=5e-5)
    # 43 of 50, the figure of the predecessor: 74 to 93 %.
    assert agreement.wilson(43, 50) == pytest.approx((0.7381, 0.9305), abs=5e-5)
    assert agreement.wilson(0, 0) == (0.0, 1.0)
    assert agreement.wilson(7, 7)[1] == 1.0


def test_kappa_is_cohens_by_hand_and_scikit_learns():
    # Two raters, 50 proposals (Cohen's worked example): 20 both yes, 15 both no, 5 and 10 otherwise: κ = 0.40.
    pairs = [("1", "1")] * 20 + [("1", "4")] * 5 + [("4", "1")] * 10 + [("4", "4")] * 15
    value, low, high = agreement.kappa(_judged(*pairs), SEED)
    assert value == pytest.approx(0.4)
    # Its large-sample interval (Fleiss, Cohen and Everitt 1969) is 0.40 ± 1.96 × 0.126.
    assert (low, high) == pytest.approx((0.153, 0.647), abs=0.05)
    from sklearn.metrics import cohen_kappa_score

    drawn = drawn_judged(AREAS, 400)
    expected = cohen_kappa_score([each.expected for each in drawn], [each.category for each in drawn])
    value, low, high = agreement.kappa(drawn, SEED)
    assert value == pytest.approx(expected) and low < value < high


def test_the_fast_kappa_of_resamples_is_scikit_learns():
    from sklearn.metrics import cohen_kappa_score

    rng = np.random.default_rng(SEED)
    for classes in (2, 5, 16):
        one = rng.integers(0, classes, 300)
        other = np.where(rng.random(300) < 0.6, one, rng.integers(0, classes, 300))
        assert agreement._kappa(one, other, classes) == pytest.approx(cohen_kappa_score(one, other))


def test_kappa_is_the_same_every_time_and_unknown_with_one_class():
    drawn = drawn_judged(TIERS, 60)
    assert agreement.kappa(drawn, SEED) == agreement.kappa(drawn, SEED)
    assert agreement.kappa(drawn, SEED) != agreement.kappa(drawn, SEED + 1)
    assert agreement.kappa(_judged(("1", "1"), ("1", "1")), SEED) is None
    # Three trials: many a resample holds one class only, and is left out of the interval.
    value, low, high = agreement.kappa(_judged(("1", "1"), ("4", "4"), ("1", "4")), SEED)
    assert value == pytest.approx(0.4) and -1 <= low <= value <= high <= 1
    # Two trials that agree are no proof of perfection: κ is 1, and no interval is claimed.
    assert agreement.kappa(_judged(("1", "1"), ("4", "4")), SEED) == (1.0, None, None)
    row = agreement.agreement_row("gold", "all", _judged(("1", "1")), SEED)
    assert row["kappa"] is row["kappa_low"] is row["kappa_high"] is None and row["agreement"] == 1.0


def test_brier_and_calibration_error_are_the_independent_ones():
    from sklearn.metrics import brier_score_loss

    drawn = drawn_judged(AREAS, 500)
    right, sure = np.array([each.agrees for each in drawn]), np.array([each.confidence for each in drawn])
    row = agreement.agreement_row("gold", "all", drawn, SEED)
    assert row["brier"] == pytest.approx(brier_score_loss(right, sure))
    # Naeini et al. 2015: the bins' |accuracy − confidence| by their share. Two decimals: exact in integer percent.
    percent = np.rint(100 * sure).astype(int)
    bins = np.minimum(percent // 10, 9)
    error = sum((bins == n).mean() * abs(right[bins == n].mean() - sure[bins == n].mean()) for n in set(bins.tolist()))
    assert row["calibration_error"] == pytest.approx(error)
    table = agreement.calibration_table(drawn).to_pylist()
    assert [(each["bin"], each["trials"]) for each in table] == sorted(Counter(bins.tolist()).items())
    for each in table:
        assert each["agreement_low"] <= each["agreement"] <= each["agreement_high"]


def test_a_stored_confidence_falls_into_its_own_tenth():
    # As stored in 32 bits, 0.7 and 0.9 are below themselves; 1 belongs to the last tenth.
    for confidence, number in ((0.0, 0), (0.7, 7), (0.9, 9), (0.8999, 8), (1.0, 9)):
        stored = float(np.float32(confidence))
        (row,) = agreement.calibration_table(_judged(("1", "1"), confidence=stored)).to_pylist()
        assert row["bin"] == number, confidence


def test_any_of_several_right_categories_is_right_and_the_first_stands_for_them_otherwise():
    judged = _judged(("skin", "respiratory|skin"), ("other", "respiratory|skin"), ("skin", "skin"), ("other", "skin"))
    rows = {row["split"]: row for row in agreement.agreement_table({"gold": judged}, SEED).to_pylist()}
    assert (rows["all"]["trials"], rows["all"]["agreeing"]) == (4, 2)
    assert (rows["one right category"]["trials"], rows["one right category"]["agreeing"]) == (2, 1)
    confusion = agreement.confusion_table(AREAS, judged).to_pylist()
    assert {(row["gold"], row["category"]): row["trials"] for row in confusion} == {
        ("respiratory", "other"): 1,
        ("skin", "skin"): 2,
        ("skin", "other"): 1,
    }
    skin = next(row for row in _categories(judged) if row["category"] == "skin")
    assert (skin["gold_trials"], skin["alone"], skin["found"], skin["recall"], skin["precision"]) == (4, 2, 1, 0.5, 1.0)


def _categories(judged: list[Judged], scheme=AREAS) -> list[dict]:
    return agreement.category_table(scheme, [each.category for each in judged], judged).to_pylist()


def test_recall_and_precision_are_scikit_learns_where_gold_has_one_category():
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    judged = [each for each in drawn_judged(TIERS, 300) if len(each.right) == 1]
    ids = [category.id for category in TIERS.categories]
    gold, found = [each.right[0] for each in judged], [each.category for each in judged]
    precision, recall, _, support = precision_recall_fscore_support(gold, found, labels=ids)
    rows = _categories(judged, TIERS)
    assert [row["category"] for row in rows] == ids, "every category, in the scheme's order"
    assert [row["recall"] for row in rows] == pytest.approx(recall.tolist())
    assert [row["precision"] for row in rows] == pytest.approx(precision.tolist())
    assert [row["alone"] for row in rows] == support.tolist()
    assert sum(row["share"] for row in rows) == pytest.approx(1)
    matrix = confusion_matrix(gold, found, labels=ids)
    for row in agreement.confusion_table(TIERS, judged).to_pylist():
        assert row["trials"] == matrix[ids.index(row["gold"]), ids.index(row["category"])]
    assert agreement.confusion_table(TIERS, judged)["trials"].to_numpy().sum() == len(judged)


def test_splits_are_told_where_there_are_several():
    judged = [each for each in drawn_judged(AREAS, 80) if len(each.right) == 1]
    table = agreement.agreement_table({"gold": judged, "rules": judged[:10], "nothing": []}, SEED)
    told = [(row["scope"], row["split"]) for row in table.to_pylist()]
    parts = ["decided by model", "decided by rules"]
    assert told == [(scope, split) for scope in ("gold", "rules") for split in ("all", *parts)]
    rows = table.to_pylist()
    assert sum(row["trials"] for row in rows[1:3]) == rows[0]["trials"] == len(judged)
    # Confidence is that of being right; the other categoriser does not know what is right.
    assert all(
        (row["brier"] is None) == (row["calibration_error"] is None) == (row["scope"] == "rules") for row in rows
    )


def test_rows_that_rules_decided_are_not_compared_with_the_rules():
    drawn = drawn_judged(AREAS, 30)
    assert {each.categoriser for each in by_models(drawn)} == {"model"} and 0 < len(by_models(drawn)) < 30


def test_without_gold_there_are_schemas_counts_and_no_figure():
    assert agreement.agreement_table({"gold": []}, SEED).equals(AGREEMENT.empty_table())
    assert agreement.confusion_table(AREAS, []).equals(CONFUSION.empty_table())
    assert agreement.calibration_table([]).equals(CALIBRATION.empty_table())
    rows = agreement.category_table(AREAS, ["skin", "skin", "other"], [])
    assert rows.schema.equals(CATEGORY_COUNTS)
    counts = {
        row["category"]: (row["trials"], row["share"], row["recall"], row["precision"]) for row in rows.to_pylist()
    }
    assert len(counts) == 16 and counts["skin"] == (2, pytest.approx(2 / 3), None, None)
    # Not one trial was categorised: no share is a division by zero.
    assert {row["share"] for row in agreement.category_table(AREAS, [], []).to_pylist()} == {0.0}


def test_without_confidences_agreement_stands_alone():
    row = agreement.agreement_row("gold", "all", _judged(("1", "1"), ("4", "1"), confidence=None), SEED)
    assert row["agreement"] == 0.5 and row["brier"] is row["calibration_error"] is None
