"""Draws: a fixed sequence, fair, and without repeats where there may be none."""

from __future__ import annotations

from collections import Counter

import pytest

from dataset_project.augmentation.methods.draws import Draws


def test_the_sequence_is_fixed():
    """Python guarantees it for `random` alone; a change here would change every dataset."""
    draws = Draws(42)
    assert [round(draws.uniform(), 6) for _ in range(3)] == [0.639427, 0.025011, 0.275029]
    assert Draws(42).sample(range(10), 4) == Draws(42).sample(range(10), 4) == [6, 1, 4, 2]


def test_samples_hold_no_item_twice_and_are_fair():
    draws, counts = Draws(1), Counter()
    for _ in range(4_000):
        chosen = draws.sample("abcde", 2)
        assert len(set(chosen)) == 2
        counts.update(chosen)
    assert all(1_400 < count < 1_800 for count in counts.values())
    assert draws.sample("ab", 5) in (["a", "b"], ["b", "a"])
    assert draws.sample([], 3) == []


def test_weights_count():
    draws = Draws(2)
    firsts = Counter(draws.weighted_sample("abc", (8.0, 1.0, 0.0), 1)[0] for _ in range(2_000))
    assert firsts["a"] > 5 * firsts["b"] > 0 and firsts["c"] == 0
    assert sorted(draws.weighted_sample("abc", (1.0, 1.0, 1.0), 3)) == ["a", "b", "c"]
    drawn = Counter(draws.from_cumulative("xyz", (1.0, 1.0, 4.0)) for _ in range(2_000))
    assert drawn["y"] == 0 and drawn["z"] > 2 * drawn["x"] > 0


def test_choice_of_nothing_is_an_error():
    with pytest.raises(IndexError):
        Draws(0).choice(())
