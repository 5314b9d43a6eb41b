"""Which combinations there are, and what they are called."""

from __future__ import annotations

from math import comb, perm

import pytest

from dataset_project.augmentation.combos import TooManyCombos, plan_combos
from dataset_project.augmentation.methods.registry import load_registry

THREE = ("wordnet_synonym", "aeda", "keyboard")


def _keys(mode, **options) -> list[str]:
    return [combo.key for combo in plan_combos(load_registry(), mode, **options)]


def test_singletons_are_every_label_preserving_method_and_copy():
    keys, registry = _keys("singletons"), load_registry()
    assert len(keys) == len(set(keys)) == sum(spec.label_preserving for spec in registry.methods.values())
    assert "combo_1_copy" in keys and "combo_1_antonym" not in keys
    assert {"combo_1_antonym", "combo_1_negate"} < set(_keys("singletons", include_label_changing=True))


def test_larger_modes_keep_the_smaller_ones_in_place():
    singletons, pairs = _keys("singletons"), _keys("pairs")
    assert pairs[: len(singletons)] == singletons
    assert _keys("bounded_k", max_methods=2) == pairs
    methods, excluded = len(singletons) - 1, 3
    assert len(pairs) - len(singletons) == comb(methods, 2) - excluded


def test_modes_over_three_methods():
    assert _keys("pairs", methods=THREE) == [
        *(f"combo_1_{name}" for name in (*THREE, "copy")),
        *("combo_2_wordnet_synonym+aeda", "combo_2_wordnet_synonym+keyboard", "combo_2_aeda+keyboard"),
    ]
    assert "combo_3_wordnet_synonym+aeda+keyboard" in _keys("bounded_k", methods=THREE)
    assert len(_keys("all", methods=THREE)) == 1 + 2**3 - 1
    ordered = _keys("ordered", methods=THREE, max_methods=3)
    assert len(ordered) == 4 + perm(3, 2) + perm(3, 3)
    assert {"combo_2_aeda+keyboard", "combo_2_keyboard+aeda"} < set(ordered)


def test_more_than_the_cap_is_refused_before_anything_is_enumerated():
    with pytest.raises(TooManyCombos, match=r"'all' would make up to 137,\d+,\d+,\d+ combinations, the cap is 10,000"):
        _keys("all")
    with pytest.raises(TooManyCombos, match="the cap is 100"):
        _keys("pairs", cap=100)


def test_an_unknown_method_is_named():
    with pytest.raises(ValueError, match=r"no method 'keybord'; there are: name_swap"):
        _keys("singletons", methods=("keybord",))


def test_keys_fit_a_path_however_many_methods():
    from dataset_project.storage.keys import encode

    keys = _keys("all", methods=tuple(load_registry().methods)[:11])
    assert len(keys) == len(set(keys)) > 1_000
    assert all(len(encode(key)) <= 200 for key in keys)


def test_resources_cost_and_identity():
    combo = next(c for c in plan_combos(load_registry(), "pairs") if c.key == "combo_2_wordnet_synonym+homophone")
    assert combo.resources == ("homophones", "wordnet_synonyms")
    assert [each["id"] for each in combo.identity] == ["wordnet_synonym", "homophone"]
    assert combo.cost > 1 and combo.floor == 0.0 and combo.label_preserving
