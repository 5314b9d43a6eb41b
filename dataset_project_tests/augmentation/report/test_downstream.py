from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from dataset_project.augmentation.report import downstream
from dataset_project.augmentation.report.downstream import (
    CONTROL,
    Downstream,
    baselines,
    compare,
    score_combo,
    task_rows,
)
from dataset_project.augmentation.schemas import DOWNSTREAM_COMPARISON, DOWNSTREAM_SCORES
from dataset_project_tests.augmentation.report.synthetic import scores

_WORDS = {
    "SLEEP": "awake night pillow alarm dream nap insomnia morning tired bed clock dark",
    "APPETITE": "lunch fridge plate hungry weight pounds snack dinner kitchen soup bread fork",
    "FATIGUE": "stairs heavy couch limbs drained energy sofa exhausted legs nap shower slow",
}
TOPICS = {criterion: words.split() for criterion, words in _WORDS.items()}
SPLITS = ["train"] * 7 + ["val", "test", "test"]


def make_sources(groups: int = 60, per_group: int = 4) -> pa.Table:
    """Sentences of three criteria, each of few of its criterion's words among many that say nothing."""
    rng = np.random.default_rng(3)
    noise = [f"word{number}" for number in range(150)]
    rows = []
    for group in range(groups):
        for number in range(per_group):
            criterion = sorted(TOPICS)[int(rng.integers(3))]
            words = [*rng.choice(TOPICS[criterion], 2), *rng.choice(noise, 7)]
            rows.append(
                {
                    "source_id": f"s_{group:03d}_{number}",
                    "post_id": f"p_{group:03d}",
                    "text": " ".join(words),
                    "criterion": criterion,
                    "label": "0" if number == 0 and group % 3 == 0 else "1",
                    "split": SPLITS[group % 10],
                }
            )
    return pa.Table.from_pylist(rows)


def make_variants(sources: pa.Table, change=lambda row, variant: row["text"], count: int = 2) -> pa.Table:
    kept = ("source_id", "split")
    return pa.Table.from_pylist(
        [
            {name: row[name] for name in kept} | {"variant": variant, "text": change(row, variant)}
            for row in sources.to_pylist()
            for variant in range(count)
        ]
    )


SOURCES = make_sources()
ASKED = {"master_seed": 42, "train_sizes": (30, 60), "repeats": 3}
TASK = Downstream(SOURCES, **ASKED)
COPIES = make_variants(SOURCES)


def of_own_topic(row, variant):
    words = TOPICS[row["criterion"]]
    return " ".join(words[variant * 6 : variant * 6 + 6])


def drawn_groups(draw) -> list[str]:
    train = task_rows(SOURCES).filter(pc.equal(task_rows(SOURCES)["split"], "train"))
    return train["post_id"].take(pa.array(draw.places)).to_pylist()


def test_scores_have_a_row_per_size_and_repeat_and_count_the_rows_trained_on():
    table = TASK.score("combo_1_copy", COPIES)
    assert table.schema.equals(DOWNSTREAM_SCORES)
    rows = table.to_pylist()
    assert [(row["train_size"], row["repeat"]) for row in rows] == [(s, r) for s in (30, 60) for r in range(3)]
    for row, draw in zip(rows, TASK._draws, strict=True):
        assert row["train_rows"] == 3 * len(draw.places)
        assert all(0 < row[name] < 1 for name in ("accuracy", "macro_f1", "baseline_accuracy", "baseline_macro_f1"))


def test_only_sentences_labelled_1_take_part_where_labels_are_0_and_1_and_all_otherwise():
    assert set(task_rows(SOURCES)["label"].to_pylist()) == {"1"}
    graded = SOURCES.set_column(4, "label", pa.array(["severe", "mild"] * (SOURCES.num_rows // 2)))
    assert task_rows(graded).num_rows == SOURCES.num_rows


def test_whole_groups_are_drawn_until_the_size_is_reached_and_smaller_draws_begin_larger_ones():
    in_train = task_rows(SOURCES).filter(pc.equal(task_rows(SOURCES)["split"], "train"))
    whole = Counter(in_train["post_id"].to_pylist())
    largest = max(whole.values())
    for draw in TASK._draws:
        groups = Counter(drawn_groups(draw))
        assert all(count == whole[group] for group, count in groups.items())
        assert draw.size <= sum(groups.values()) < draw.size + largest
    by_draw = {(draw.size, draw.repeat): set(draw.places) for draw in TASK._draws}
    assert all(by_draw[30, repeat] < by_draw[60, repeat] for repeat in range(3))
    assert by_draw[30, 0] != by_draw[30, 1]


def test_draws_follow_the_seed_and_not_the_combination():
    def of(seed):
        return [tuple(draw.places) for draw in Downstream(SOURCES, **ASKED | {"master_seed": seed})._draws]

    assert of(42) == [tuple(draw.places) for draw in TASK._draws] != of(43)


def test_rows_may_come_in_any_order():
    rng = np.random.default_rng(0)
    shuffled = SOURCES.take(pa.array(rng.permutation(SOURCES.num_rows)))
    variants = COPIES.take(pa.array(rng.permutation(COPIES.num_rows)))
    assert score_combo(shuffled, variants, combo_id="c", **ASKED).equals(TASK.score("c", COPIES))


def test_what_was_scored_before_does_not_matter():
    TASK.score("other", make_variants(SOURCES, of_own_topic))
    fresh = Downstream(SOURCES, **ASKED).score("c", COPIES)
    assert TASK.score("c", COPIES).equals(fresh)


def test_variants_that_teach_the_criterion_beat_copies_and_copies_hardly_beat_nothing():
    copies = TASK.score(CONTROL, COPIES)
    taught = TASK.score("taught", make_variants(SOURCES, of_own_topic))
    few = next(row for row in compare({CONTROL: copies, "taught": taught}).to_pylist() if row["combo_id"] == "taught")
    assert few["train_size"] == 30 and few["gain_macro_f1"] > 0.1 and few["gain_low"] > 0
    # Three predictions in 66 held-out sentences: the regulariser hardly sees how often a row occurs.
    moved = copies["accuracy"].to_numpy() - copies["baseline_accuracy"].to_numpy()
    assert np.abs(moved.mean()) < 3 / 66


def test_variants_of_held_out_or_undrawn_sentences_change_nothing():
    poisoned = make_variants(
        SOURCES, lambda row, variant: row["text"] if row["split"] == "train" else of_own_topic(row, variant)
    )
    assert TASK.score("c", poisoned).equals(TASK.score("c", COPIES))
    ids = [row["source_id"] for row in task_rows(SOURCES).to_pylist() if row["split"] == "train"]
    drawn = {ids[place] for draw in TASK._draws for place in draw.places}
    of_drawn = COPIES.filter(pc.is_in(COPIES["source_id"], pa.array(sorted(drawn))))
    assert of_drawn.num_rows < COPIES.num_rows
    assert TASK.score("c", of_drawn).equals(TASK.score("c", COPIES))


def test_without_variants_scores_are_the_baseline():
    rows = TASK.score("none", COPIES.slice(0, 0)).to_pylist()
    assert all(row["macro_f1"] == row["baseline_macro_f1"] for row in rows)
    assert all(row["accuracy"] == row["baseline_accuracy"] for row in rows)


def test_a_trial_is_what_scikit_learns_own_vectoriser_and_classifier_come_to():
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import accuracy_score, f1_score

    variants = make_variants(SOURCES, lambda row, variant: f"{row['text']} new{variant} {row['criterion'].lower()}")
    scored = TASK.score("c", variants).to_pylist()
    rows = task_rows(SOURCES).to_pylist()
    train = [row for row in rows if row["split"] == "train"]
    held_out = [row for row in rows if row["split"] != "train"]
    text = {(row["source_id"], row["variant"]): row["text"] for row in variants.to_pylist()}
    for draw, row in zip(TASK._draws, scored, strict=True):
        known = [(train[place]["text"], train[place]["criterion"]) for place in draw.places]
        known += [(text[train[p]["source_id"], v], train[p]["criterion"]) for p in draw.places for v in (0, 1)]
        vectoriser = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
        model = LogisticRegression(C=10, class_weight="balanced", tol=1e-8, max_iter=5000)
        model.fit(vectoriser.fit_transform([each for each, _ in known]), [each for _, each in known])
        answers = model.predict(vectoriser.transform([each["text"] for each in held_out]))
        truth = [each["criterion"] for each in held_out]
        assert row["accuracy"] == pytest.approx(accuracy_score(truth, answers), abs=1e-6)
        assert row["macro_f1"] == pytest.approx(f1_score(truth, answers, average="macro"), abs=1e-6)


def test_a_size_that_is_not_reached_and_a_task_that_is_none_give_no_scores():
    table = Downstream(SOURCES, **ASKED | {"train_sizes": (30, 100_000)}).score("c", COPIES)
    assert set(table["train_size"].to_pylist()) == {30}
    one = SOURCES.set_column(3, "criterion", pa.array(["SLEEP"] * SOURCES.num_rows))
    no_test = SOURCES.set_column(5, "split", pa.array(["train"] * SOURCES.num_rows))
    for sources in (one, no_test):
        assert Downstream(sources, **ASKED).score("c", COPIES).num_rows == 0


def test_a_draw_of_one_criterion_answers_that_criterion():
    rows = [{**row, "criterion": "SLEEP"} if row["split"] == "train" else row for row in SOURCES.to_pylist()]
    table = score_combo(pa.Table.from_pylist(rows), COPIES, combo_id="c", **ASKED)
    truth = [row["criterion"] for row in task_rows(SOURCES).to_pylist() if row["split"] != "train"]
    assert set(table["accuracy"].to_pylist()) == {round(truth.count("SLEEP") / len(truth), 6)}


def test_no_gain_is_claimed_without_the_copy_control():
    with pytest.raises(ValueError, match="needs the copy control 'combo_1_copy'"):
        compare({"combo_1_keyboard": scores("combo_1_keyboard", 0.01)})


def test_the_comparison_is_the_paired_t_interval():
    from scipy.stats import ttest_rel

    own, copies = scores("combo_1_keyboard", 0.02), scores(CONTROL, 0)
    table = compare({"combo_1_keyboard": own, CONTROL: copies})
    assert table.schema.equals(DOWNSTREAM_COMPARISON)
    rows = table.to_pylist()
    assert [row["combo_id"] for row in rows] == ["combo_1_keyboard"] * 2 + [CONTROL] * 2
    for row in rows[:2]:
        mine, theirs = (
            each.filter(pc.equal(each["train_size"], row["train_size"]))["macro_f1"].to_numpy()
            for each in (own, copies)
        )
        interval = ttest_rel(mine, theirs).confidence_interval(0.95)
        assert (row["gain_low"], row["gain_high"]) == pytest.approx((interval.low, interval.high), abs=2e-6)
        assert row["gain_macro_f1"] == pytest.approx(row["macro_f1"] - row["copy_macro_f1"], abs=2e-6)
    assert all(row["gain_low"] == row["gain_macro_f1"] == row["gain_high"] == 0 for row in rows[2:])


def test_scores_of_other_draws_and_single_draws_are_refused():
    copies = scores(CONTROL, 0)
    for other in (scores("c", 0.01, repeats=4), scores("c", 0.01, sizes=(100,)), _of_another_seed(copies)):
        with pytest.raises(ValueError, match="not scored on the same draws"):
            compare({CONTROL: copies, "c": other})
    with pytest.raises(ValueError, match="at least 2"):
        compare({CONTROL: scores(CONTROL, 0, repeats=1)})


def _of_another_seed(table: pa.Table) -> pa.Table:
    column = table.schema.get_field_index("baseline_macro_f1")
    return table.set_column(column, table.schema.field(column), pc.add(table["baseline_macro_f1"], 0.01))


def test_nothing_scored_is_nothing_compared():
    assert compare({CONTROL: DOWNSTREAM_SCORES.empty_table()}).num_rows == 0
    assert baselines(DOWNSTREAM_SCORES.empty_table()) == {}


def test_baselines_are_means_over_repeats():
    table = scores(CONTROL, 0)
    own = table.filter(pc.equal(table["train_size"], 500))["baseline_macro_f1"].to_numpy()
    assert baselines(table)[500] == pytest.approx(own.mean())


def test_the_solver_converges():
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Downstream(SOURCES, **ASKED).score("c", COPIES)
    assert downstream._TOLERANCE <= 1e-6


def test_what_the_classifier_cannot_see_equals_copies_exactly():
    punctuated = make_variants(SOURCES, lambda row, variant: row["text"].replace(" ", " ; ").upper())
    assert TASK.score("c", punctuated).equals(TASK.score("c", COPIES))
