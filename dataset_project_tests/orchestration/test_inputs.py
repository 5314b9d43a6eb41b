"""Inputs by mapping and inputs that may be missing: what is planned, refused, made again."""

from __future__ import annotations

import pyarrow as pa
import pytest

from dataset_project.orchestration.build import with_inputs
from dataset_project.orchestration.dataset import Outcome, PartitionedDataset, Unavailable, Upstream
from dataset_project.orchestration.planning import Planner
from dataset_project.orchestration.shards import ShardRun, run_shard
from dataset_project.storage.store import DatasetStore

SCHEMA = pa.schema([pa.field("value", pa.int64(), nullable=False)])
RUN = ShardRun("run", "run", "0")


class Kitchen:
    """Tools, dishes that each need some of the tools, and a menu of whatever dishes there are."""

    def __init__(self, directory):
        self.store = DatasetStore(directory)
        self.broken: dict[str, Exception] = {}
        common = {
            "family": "kitchen",
            "description": "",
            "code_version": "1",
            "master_seed": 1,
            "schemas": {"data": SCHEMA},
        }
        self.tools = PartitionedDataset(name="tools", compute=self._make, partition_keys=("knife", "oven"), **common)
        needs = {"bread": ("oven",), "salad": ("knife",), "pie": ("knife", "oven"), "water": ()}
        self.dishes = PartitionedDataset(
            name="dishes", compute=self._make, partition_keys=tuple(needs),
            upstreams=(Upstream(self.tools, needs.__getitem__),), **common,
        )  # fmt: skip
        self.menu = PartitionedDataset(
            name="menu", compute=self._menu, upstreams=(Upstream(self.dishes, "all", required=False),), **common
        )

    def _make(self, work) -> Outcome:
        if work.key in self.broken:
            raise self.broken[work.key]
        work.write(pa.table({"value": [len(work.key)]}, SCHEMA))
        return Outcome(items_planned=1, items_ok=1)

    def _menu(self, work) -> Outcome:
        self.seen = {state.key: (state.status, state.reason) for state in work.states("dishes")}
        work.write(pa.table({"value": [len(work.keys("dishes"))]}, SCHEMA))
        return Outcome(items_planned=1, items_ok=1)

    def cook(self, dataset: PartitionedDataset, *keys: str) -> dict[str, str]:
        return {record.partition: record.status for record in run_shard(dataset, keys or dataset.keys, self.store, RUN)}

    def states(self, dataset: PartitionedDataset) -> dict[str, str]:
        return {state.key: state.status for state in Planner(self.store).plan(dataset)}


@pytest.fixture
def kitchen(tmp_path) -> Kitchen:
    return Kitchen(tmp_path)


def test_a_partition_needs_only_what_its_mapping_names(kitchen):
    kitchen.cook(kitchen.tools, "knife")
    assert kitchen.cook(kitchen.dishes, "salad", "water", "bread") == {"salad": "ok", "water": "ok", "bread": "failed"}
    record = kitchen.store.last_failure("dishes", "bread")
    assert record.reason == "needs tools/oven, which is missing"


def test_a_new_tool_makes_only_its_dishes_stale(kitchen, tmp_path):
    kitchen.cook(kitchen.tools)
    kitchen.cook(kitchen.dishes)
    other = Kitchen(tmp_path)
    sharper = {"knife": {"sharp": True}, "oven": {}}
    object.__setattr__(other.tools, "key_configuration", sharper.__getitem__)
    assert other.states(other.dishes) == {"bread": "ok", "salad": "stale", "pie": "stale", "water": "ok"}
    reason = {state.key: state.reason for state in Planner(other.store).plan(other.tools)}["knife"]
    assert reason == "its own configuration, an input or a resource changed"


def test_what_needs_something_unavailable_is_unavailable_before_anyone_tries(kitchen):
    kitchen.broken["oven"] = Unavailable("no gas")
    kitchen.cook(kitchen.tools)
    assert kitchen.states(kitchen.dishes) == {
        "bread": "unavailable", "salad": "missing", "pie": "unavailable", "water": "missing"
    }  # fmt: skip
    assert kitchen.cook(kitchen.dishes)["pie"] == "unavailable"
    kitchen.broken.clear()
    kitchen.cook(kitchen.tools, "oven")
    assert kitchen.cook(kitchen.dishes)["pie"] == "ok"


def test_the_menu_lists_what_there_is_and_is_made_again_when_that_changes(kitchen):
    kitchen.cook(kitchen.tools)
    kitchen.broken["pie"] = RuntimeError("burnt")
    kitchen.cook(kitchen.dishes)
    assert kitchen.cook(kitchen.menu) == {"all": "ok"}
    assert kitchen.seen["pie"] == ("failed", "RuntimeError: burnt") and kitchen.seen["bread"] == ("ok", "")
    assert kitchen.store.read("menu", "all")["value"].to_pylist() == [3]
    assert kitchen.states(kitchen.menu) == {"all": "ok"}
    kitchen.broken.clear()
    kitchen.cook(kitchen.dishes, "pie")
    assert kitchen.states(kitchen.menu) == {"all": "stale"}
    kitchen.cook(kitchen.menu)
    assert kitchen.store.read("menu", "all")["value"].to_pylist() == [4]
    assert kitchen.states(kitchen.menu) == {"all": "ok"}


def test_named_partitions_come_with_what_they_are_made_of(kitchen):
    datasets = [kitchen.tools, kitchen.dishes, kitchen.menu]
    assert with_inputs({"bread"}, datasets) == {"bread", "oven"}
    assert with_inputs({"water", "knife"}, datasets) == {"water", "knife"}
