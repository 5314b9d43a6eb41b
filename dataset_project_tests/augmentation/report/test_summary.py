import pytest

from dataset_project.augmentation.report.outcomes import ComboOutcome
from dataset_project.augmentation.report.summary import combo_table, merge_table
from dataset_project.augmentation.schemas import COMBO_STATISTICS, MERGE_STATISTICS, REASONS
from dataset_project_tests.augmentation.report.synthetic import did_not_run, ran, singletons

FAILED = did_not_run("emoji", "failed", "ValueError: no emoji")


def test_every_combination_has_a_row_in_the_order_given_whatever_became_of_it():
    outcomes = [ran("keyboard"), FAILED, did_not_run("homophone", "unavailable", "no CMUdict"), ran("aeda", "ocr")]
    table = combo_table(outcomes)
    assert table.schema.equals(COMBO_STATISTICS)
    assert table["combo_id"].to_pylist() == [outcome.combo_id for outcome in outcomes]
    assert table["k"].to_pylist() == [1, 1, 1, 2]
    assert table["reason"].to_pylist()[1:3] == ["ValueError: no emoji", "no CMUdict"]


def test_counts_of_a_row_add_up_to_its_attempts():
    for row in combo_table(singletons()).to_pylist():
        assert row["candidates"] == row["accepted"] + sum(row[f"rejected_{reason}"] for reason in REASONS)
        assert row["acceptance_rate"] == pytest.approx(row["accepted"] / row["candidates"], abs=1e-6)


def test_one_that_did_not_run_has_no_counts_and_unknown_figures():
    (row,) = combo_table([FAILED]).to_pylist()
    assert row["candidates"] == row["accepted"] == row["rejected_negation"] == row["rows_in"] == 0
    assert row["acceptance_rate"] is row["similarity_q50"] is row["self_bleu"] is None
    assert row["label_distribution"] == "{}" and row["dataset_path"] == ""


def test_an_empty_one_keeps_its_counts_and_has_a_rate_of_zero():
    facts = {"rows_in": 10, "planned": 20, "candidates": 60, "accepted": 0, "unfilled": 20, "rejected_no_edit": 60}
    empty = ComboOutcome("combo_1_emoji", "h", ("emoji",), ("style",), True, "empty", facts=facts)
    (row,) = combo_table([empty]).to_pylist()
    assert (row["candidates"], row["rejected_no_edit"], row["acceptance_rate"]) == (60, 60, 0.0)
    assert row["similarity_q05"] is None


def test_an_unknown_status_is_refused():
    with pytest.raises(ValueError, match="combo_1_emoji: status 'done'"):
        did_not_run("emoji", "done")


def test_the_merge_counts_combinations_by_status_and_rows_of_those_that_are_ok():
    known = [ran("keyboard"), ran("ocr"), FAILED, did_not_run("homophone"), did_not_run("aeda", "stale")]
    table = merge_table(known)
    assert table.schema.equals(MERGE_STATISTICS)
    (row,) = table.to_pylist()
    accepted = [known[0].count("accepted"), known[1].count("accepted")]
    assert [row[f"combos{name}"] for name in ("", "_ok", "_empty", "_failed", "_unavailable", "_other")] == [
        5, 2, 0, 1, 1, 1,
    ]  # fmt: skip
    assert row["rows"] == sum(accepted) == combo_table(known[:2])["accepted"].to_numpy().sum()
    assert (row["min_rows_per_combo"], row["max_rows_per_combo"]) == (min(accepted), max(accepted))
    assert row["mean_rows_per_combo"] == sum(accepted) / 2


def test_a_merge_without_published_combinations_knows_no_rows_per_combination():
    for outcomes in ([], [FAILED]):
        (row,) = merge_table(outcomes).to_pylist()
        assert row["rows"] == 0
        assert row["min_rows_per_combo"] is row["max_rows_per_combo"] is row["mean_rows_per_combo"] is None
