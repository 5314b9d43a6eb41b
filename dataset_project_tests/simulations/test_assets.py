"""The family's datasets as the spine runs them, from patients to the report."""

from __future__ import annotations

import pytest

from dataset_project.orchestration.shards import ShardRun, run_shard
from dataset_project.simulations.assets import simulation_datasets
from dataset_project.simulations.configuration import SimulationSettings
from dataset_project.simulations.simulator import simulate
from dataset_project.storage.store import DatasetStore

SMALL = {"patients": 40, "patients_per_block": 20, "days": 3, "history_hours": (2, 6)}


def _build(directory, **changes) -> tuple[DatasetStore, dict[str, list]]:
    store = DatasetStore(directory)
    datasets = simulation_datasets(SimulationSettings(**(SMALL | changes)), "standard", 11)
    run = ShardRun("run", "run", "0")
    records = {dataset.name: run_shard(dataset, dataset.keys, store, run) for dataset in datasets}
    return store, records


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return _build(tmp_path_factory.mktemp("whole"))


def test_every_dataset_is_made_and_accounted_for(whole):
    store, records = whole
    assert {name: [record.status for record in each] for name, each in records.items()} == {
        "patients": ["ok", "ok"],
        "glucose_timeseries": ["ok", "ok"],
        "forecast_windows": ["ok", "ok"],
        "training_splits": ["ok"],
        "simulation_report": ["ok"],
    }
    assert store.read("patients").num_rows == 40
    assert store.read("glucose_timeseries").num_rows == 40 * 3 * 288
    report = store.committed("simulation_report", "all")
    assert {"README.md", "pictures/one_day.png", "pictures/glucose_by_hour.png"} <= set(report.files)
    valid = sum(record.facts["valid_windows"] for record in records["forecast_windows"])
    assert 0 < records["training_splits"][0].rows < valid
    with store.fs.open(store.path("simulation_report", "all", "README.md"), "r") as card:
        text = card.read()
    assert "not for clinical use" in text and "$" not in text


def test_blocks_computed_in_parts_hold_the_same(whole, tmp_path, monkeypatch):
    # Long series and big blocks are simulated, windowed, gathered and reported part by part.
    monkeypatch.setattr(simulate, "ROWS_PER_PART", 1)
    store, records = _build(tmp_path / "parts")
    assert all(record.status == "ok" for each in records.values() for record in each), records
    for name in ("patients", "glucose_timeseries", "forecast_windows"):
        assert store.read(name).equals(whole[0].read(name)), name
    for split in ("train", "val", "test"):
        ours, theirs = (each.read("training_splits", table=split) for each in (store, whole[0]))
        assert ours.to_pylist() == theirs.to_pylist()
    assert store.read("simulation_report", table="cohort_statistics").equals(
        whole[0].read("simulation_report", table="cohort_statistics")
    )


def test_a_block_computed_alone_or_in_a_larger_cohort_has_the_same_bytes(whole, tmp_path):
    store = DatasetStore(tmp_path / "grown")
    for dataset in simulation_datasets(SimulationSettings(**(SMALL | {"patients": 60})), "standard", 11)[:3]:
        run_shard(dataset, ["cohort_0001"], store, ShardRun("other", "other", "7"))
    for name in ("patients", "glucose_timeseries", "forecast_windows"):
        assert store.committed(name, "cohort_0001").sha256 == whole[0].committed(name, "cohort_0001").sha256


@pytest.mark.parametrize("patients", [1, 5, 20])
def test_very_small_cohorts_fail_in_no_unexpected_way(tmp_path, patients):
    _, records = _build(tmp_path, patients=patients)
    for name in ("patients", "glucose_timeseries", "forecast_windows", "training_splits"):
        assert [record.status for record in records[name]] == ["ok"], records[name]
    report = records["simulation_report"][0]
    assert report.status == "ok", report.reason


def test_other_seeds_give_other_patients(whole, tmp_path):
    store = DatasetStore(tmp_path / "seed")
    dataset = simulation_datasets(SimulationSettings(**SMALL), "standard", 12)[0]
    run_shard(dataset, ["cohort_0000"], store, ShardRun("run", "run", "0"))
    ours, theirs = (each.read("patients", "cohort_0000")["tdi_u_per_day"].to_pylist() for each in (store, whole[0]))
    assert not set(ours) & set(theirs)
