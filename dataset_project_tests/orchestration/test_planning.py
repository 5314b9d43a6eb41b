"""The plan function: fingerprints, states, dealing and ranges."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_project.orchestration.dataset import Upstream
from dataset_project.orchestration.planning import LONGEST_BRIDGED_GAP, PlannedPartition, Planner, deal, ranges
from dataset_project_tests.orchestration.tiny_family import tiny_datasets


def _planned(key: str, weight: float) -> PlannedPartition:
    return PlannedPartition(key, "f", "missing", "", None, None, None, weight)


@given(st.lists(st.floats(0, 1e6), max_size=40), st.integers(1, 10))
def test_dealing_gives_every_key_once_and_balances(weights, shards):
    partitions = [_planned(f"k{number:03d}", weight) for number, weight in enumerate(weights)]
    dealt = deal(partitions, shards)
    assert sorted(key for shard in dealt for key in shard) == [each.key for each in partitions]
    assert len(dealt) == min(shards, len(partitions)) and all(dealt)
    weight_of = {each.key: each.weight for each in partitions}
    loads = [sum(weight_of[key] for key in shard) for shard in dealt]
    if loads:
        best = max(max(weights), sum(weights) / len(loads))
        assert max(loads) <= best * 2 + 1e-6
        assert [weight_of[key] for key in dealt[0]] == sorted((weight_of[key] for key in dealt[0]), reverse=True)
    assert deal(list(reversed(partitions)), shards) == dealt


@given(st.sets(st.integers(0, 30)), st.sets(st.integers(0, 30)))
def test_ranges_cover_what_is_wanted_and_only_bridge_what_may_be(wanted, bridgeable):
    keys = [f"k{number:02d}" for number in range(31)]
    want, bridge = {keys[number] for number in wanted}, {keys[number] for number in bridgeable}
    covered = [
        key for first, last in ranges(keys, want, bridge) for key in keys[keys.index(first) : keys.index(last) + 1]
    ]
    assert len(covered) == len(set(covered))
    assert want <= set(covered) <= want | bridge
    assert all(first in want and last in want for first, last in ranges(keys, want, bridge))


def test_a_long_gap_is_another_range():
    keys = [f"{number:05d}" for number in range(LONGEST_BRIDGED_GAP + 10)]
    ends = {keys[0], keys[-1]}
    assert ranges(keys, ends, set(keys)) == [(keys[0], keys[0]), (keys[-1], keys[-1])]


def test_fingerprints_know_code_configuration_seed_inputs_and_key(tiny):
    numbers, squares, total = tiny_datasets()
    planner = Planner(tiny.store)
    base = planner.fingerprint(squares, "p1")
    assert base != planner.fingerprint(squares, "p2")
    variants = [
        replace(squares, code_version="2"),
        replace(squares, configuration={"a": 1}),
        replace(squares, key_configuration=lambda key: {"size": 3}),
        replace(squares, master_seed=8),
        replace(squares, resources={"words": "2"}),
        replace(squares, upstreams=(Upstream(replace(numbers, code_version="2")),)),
    ]
    found = {Planner(tiny.store).fingerprint(variant, "p1") for variant in variants}
    assert len(found | {base}) == len(variants) + 1
    grown = tiny_datasets(5)
    assert Planner(tiny.store).fingerprint(grown[1], "p1") == base, "growing leaves the old partitions alone"
    assert Planner(tiny.store).fingerprint(grown[2], "all") != planner.fingerprint(total, "all")


def test_unknown_keys_are_named(tiny):
    with pytest.raises(ValueError, match=r"numbers has no partition 'p9'; it has 4: p0 … p3"):
        Planner(tiny.store).plan(tiny_datasets()[0], ["p0", "p9"])


def _states(tiny, dataset: int = 0) -> dict[str, tuple[str, str]]:
    return {state.key: (state.status, state.reason) for state in Planner(tiny.store).plan(tiny_datasets()[dataset])}


def test_states_follow_the_files(tiny, monkeypatch):
    assert set(_states(tiny).values()) == {("missing", "")}
    tiny.trigger("fail", "numbers", "p1")
    tiny.build("numbers")
    Path(tiny.store.path("numbers", "p2", "data.parquet")).unlink()
    Path(tiny.store.path("numbers", "p3", "_commit.json")).write_text("not json")
    states = _states(tiny)
    assert states["p0"] == ("ok", "")
    assert states["p1"] == ("failed", "RuntimeError: told to fail")
    assert states["p2"] == ("stale", "data.parquet is missing")
    assert states["p3"][0] == "missing" and "is not a commit record" in states["p3"][1]
    changed = replace(tiny_datasets()[0], code_version="2")
    assert Planner(tiny.store).plan(changed, ["p0"])[0].reason == "code version 1, now 2"


def test_changed_content_of_an_input_makes_what_was_made_of_it_stale(tiny):
    tiny.build("numbers", "squares")
    record = tiny.store.committed("numbers", "p0")
    path = Path(tiny.store.path("numbers", "p0", "_commit.json"))
    path.write_text(record.model_copy(update={"sha256": "0" * 64}).model_dump_json())
    assert _states(tiny, 1)["p0"] == ("stale", "the content of numbers is not what this was made of")
    assert _states(tiny, 1)["p1"][0] == "ok"


def test_recorded_seconds_decide_weights(tiny):
    tiny.build("numbers", keys={"p0"})
    record = tiny.store.committed("numbers", "p0")
    path = Path(tiny.store.path("numbers", "p0", "_commit.json"))
    path.write_text(record.model_copy(update={"seconds": 30.0}).model_dump_json())
    dataset = replace(tiny_datasets()[0], cost=lambda key: 4.0 if key == "p3" else 2.0)
    weights = {state.key: state.weight for state in Planner(tiny.store).plan(dataset)}
    assert weights == {"p0": 30.0, "p1": 30.0, "p2": 30.0, "p3": 60.0}
