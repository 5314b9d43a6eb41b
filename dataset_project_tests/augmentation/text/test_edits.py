"""Edits: splicing that touches nothing else."""

from __future__ import annotations

import pytest

from dataset_project.augmentation.text.edits import Edit, apply, tidy


def test_splicing_replaces_inserts_and_drops():
    text = "It’s a 😴 day"
    edits = tidy(text, [Edit(9, 12, "night"), Edit(0, 0, "Well, "), Edit(5, 7, "")])
    assert edits == sorted(edits)
    assert apply(text, edits) == "Well, It’s 😴 night"
    assert apply(text, []) == text


def test_edits_that_change_nothing_are_dropped():
    assert tidy("a b", [Edit(0, 1, "a"), Edit(2, 3, "c")]) == [Edit(2, 3, "c")]


def test_overlapping_edits_are_refused():
    with pytest.raises(ValueError, match="overlap"):
        tidy("a word here", [Edit(2, 6, "x"), Edit(4, 8, "y")])
