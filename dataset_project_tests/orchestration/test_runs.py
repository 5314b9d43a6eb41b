"""What a run does and leaves: events, records, failures, and every way people heal them."""

from __future__ import annotations

import os

import dagster as dg
import pytest
from dagster._core.definitions.reconstruct import ReconstructableJob, ReconstructableRepository

from dataset_project.orchestration.assets import FORCE_TAG
from dataset_project.storage.keys import UNPARTITIONED
from dataset_project_tests.support import TINY_DEFINITIONS

RANGE = {"dagster/asset_partition_range_start": "p0", "dagster/asset_partition_range_end": "p3"}


def _materialise(tiny, *names: str, tags=RANGE, **options):
    """One ordinary run in process, as the UI's dialog launches it."""
    job = tiny.definitions().resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.get() as instance:
        return job.execute_in_process(
            instance=instance,
            asset_selection=[dg.AssetKey([name]) for name in names],
            tags=tags,
            raise_on_error=False,
            **options,
        )


def _by_partition(tiny, dataset: str, run_id: str) -> dict:
    events = [(partition, metadata) for run, partition, metadata in tiny.events(dataset) if run == run_id]
    assert len(events) == len({partition for partition, _ in events}), "a partition has two events in one run"
    return dict(events)


def test_one_event_per_partition_with_its_own_metadata(tiny):
    result = _materialise(tiny, "numbers", "squares")
    assert result.success
    for dataset in ("numbers", "squares"):
        events = _by_partition(tiny, dataset, result.run_id)
        assert sorted(events) == ["p0", "p1", "p2", "p3"]
        for key, metadata in events.items():
            record = tiny.store.committed(dataset, key)
            assert metadata["sha256"] == record.sha256
            assert metadata["dagster/partition_row_count"] == record.rows == 50
            assert metadata["reused"] is False


def test_reused_partitions_get_an_event_with_their_stored_metadata(tiny):
    first = _materialise(tiny, "numbers", tags={"dagster/partition": "p1"})
    second = _materialise(tiny, "numbers")
    events = _by_partition(tiny, "numbers", second.run_id)
    assert {key: metadata["reused"] for key, metadata in events.items()} == {
        "p0": False,
        "p1": True,
        "p2": False,
        "p3": False,
    }
    assert events["p1"]["run_id"] == first.run_id
    assert events["p1"]["rows"] == 50
    assert tiny.computed()["numbers/p1"] == 1


def test_unpartitioned_dataset_is_one_partition_named_all(tiny):
    _materialise(tiny, "numbers", "squares")
    result = _materialise(tiny, "total", tags={})
    assert result.success
    assert list(_by_partition(tiny, "total", result.run_id)) == [None]
    assert tiny.store.committed("total", UNPARTITIONED).rows == 4


def test_failure_is_recorded_with_its_reason_and_the_others_are_good(tiny):
    tiny.trigger("fail", "numbers", "p2")
    result = _materialise(tiny, "numbers", "squares")
    assert not result.success
    assert sorted(_by_partition(tiny, "numbers", result.run_id)) == ["p0", "p1", "p3"]
    failure = tiny.store.last_failure("numbers", "p2")
    assert (failure.status, failure.reason) == ("failed", "RuntimeError: told to fail")
    assert failure.items_planned == failure.items_failed == 1
    assert tiny.events("squares") == [], "nothing downstream may run after a failure"
    log = (tiny.store.local_path("logs") / result.run_id).glob("numbers.*.log")
    assert any("Traceback" in path.read_text() for path in log)


@pytest.mark.parametrize("route", ["failed and missing", "all steps", "from failure", "build"])
def test_failure_heals_by_every_route(tiny, route):
    trigger = tiny.trigger("fail", "numbers", "p2")
    failed = _materialise(tiny, "numbers")
    trigger.unlink()
    if route == "failed and missing":
        assert _materialise(tiny, "numbers", tags={"dagster/partition": "p2"}).success
    elif route == "build":
        assert tiny.build("numbers").succeeded
    else:
        with dg.DagsterInstance.get() as instance:
            options = (
                dg.ReexecutionOptions.from_failure(failed.run_id, instance)
                if route == "from failure"
                else dg.ReexecutionOptions(failed.run_id)
            )
            job = ReconstructableJob(ReconstructableRepository.for_module(TINY_DEFINITIONS, "defs"), "__ASSET_JOB")
            with dg.execute_job(job, instance, tags=RANGE, reexecution_options=options) as healed:
                assert healed.success
                expected = ["p0", "p1", "p2", "p3"]
                assert sorted(_by_partition(tiny, "numbers", healed.run_id)) == expected
    assert tiny.store.committed("numbers", "p2").status == "ok"
    assert tiny.store.last_failure("numbers", "p2") is None
    assert tiny.computed() == {"numbers/p0": 1, "numbers/p1": 1, "numbers/p2": 2, "numbers/p3": 1}


def test_validator_refuses_before_anything_has_a_name(tiny):
    tiny.trigger("invalid", "numbers", "p1")
    assert not _materialise(tiny, "numbers").success
    assert tiny.store.committed("numbers", "p1") is None
    assert tiny.store.last_failure("numbers", "p1").reason.startswith("not_negative: lowest value -")
    assert not tiny.store.local_path("numbers", "partition=p1", "data.parquet").exists()


def test_failed_attempt_keeps_what_was_published(tiny, monkeypatch):
    _materialise(tiny, "numbers")
    before = tiny.store.committed("numbers", "p0")
    monkeypatch.setenv("TINY_VERSION", "2")
    tiny.trigger("fail", "numbers", "p0")
    assert not _materialise(tiny, "numbers").success
    assert tiny.store.committed("numbers", "p0") == before
    assert tiny.store.differences(before, rehash=True) == []


def test_rejected_is_final(tiny):
    tiny.trigger("reject", "numbers", "p0")
    first = _materialise(tiny, "numbers", "squares")
    assert first.success, "bad input is an outcome, not a failure"
    metadata = _by_partition(tiny, "numbers", first.run_id)["p0"]
    assert (metadata["status"], metadata["reason"]) == ("rejected", "the input is nonsense")
    downstream = _by_partition(tiny, "squares", first.run_id)["p0"]
    assert (downstream["status"], downstream["reason"]) == (
        "rejected",
        "numbers/p0 was rejected: the input is nonsense",
    )
    _materialise(tiny, "numbers", "squares")
    assert tiny.computed()["numbers/p0"] == 1


def test_unavailable_is_no_materialisation_is_tried_again_and_fails_no_build(tiny):
    trigger = tiny.trigger("unavailable", "numbers", "p1")
    run = _materialise(tiny, "numbers")
    assert not run.success and sorted(_by_partition(tiny, "numbers", run.run_id)) == ["p0", "p2", "p3"]
    result = tiny.build()
    assert result.succeeded and result.failing_checks == {}
    assert tiny.store.committed_keys("squares") == ["p0", "p2", "p3"]
    assert {row["status"] for row in result.manifest if row["partition"] == "p1"} == {"unavailable"}
    trigger.unlink()
    assert tiny.build().succeeded
    assert tiny.computed()["numbers/p1"] == 3
    assert tiny.store.committed("total", UNPARTITIONED).rows == 4


def test_force_recomputes_with_the_same_bytes(tiny):
    _materialise(tiny, "numbers")
    before = {key: tiny.store.committed("numbers", key) for key in ("p0", "p1", "p2", "p3")}
    result = _materialise(tiny, "numbers", tags={**RANGE, FORCE_TAG: "true"})
    for key, record in before.items():
        again = tiny.store.committed("numbers", key)
        assert again.run_id == result.run_id != record.run_id
        assert again.sha256 == record.sha256


def test_changed_code_version_makes_downstream_stale_too(tiny, monkeypatch):
    tiny.build()
    monkeypatch.setenv("TINY_VERSION", "2")
    result = tiny.build()
    assert result.succeeded
    assert tiny.computed() == {
        f"{name}/{key}": 2 for name in ("numbers", "squares") for key in ("p0", "p1", "p2", "p3")
    } | {"total/all": 2}


def test_blocking_check_sees_altered_files_and_stops_downstream(tiny):
    _materialise(tiny, "numbers")
    path = tiny.store.local_path("numbers", "partition=p1", "data.parquet")
    recorded = tiny.store.committed("numbers", "p1").files["data.parquet"]
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(recorded.mtime_ns, recorded.mtime_ns))
    result = _materialise(tiny, "numbers", "squares")
    assert not result.success
    evaluations = {each.check_name: each for each in result.get_asset_check_evaluations()}
    assert not evaluations["files_match_records"].passed
    assert list(evaluations["files_match_records"].metadata["failing_partitions"].value) == ["p1"]
    assert tiny.events("squares") == []


def test_growing_adds_partitions_and_leaves_the_old_alone(tiny, monkeypatch):
    tiny.build("numbers", "squares")
    before = {key: tiny.store.committed("squares", key) for key in ("p0", "p3")}
    monkeypatch.setenv("TINY_PARTITIONS", "6")
    assert tiny.build("numbers", "squares").succeeded
    assert {key: tiny.store.committed("squares", key) for key in ("p0", "p3")} == before
    assert tiny.store.committed_keys("squares") == ["p0", "p1", "p2", "p3", "p4", "p5"]


def test_damage_found_by_a_check_is_repaired_by_the_next_build(tiny):
    tiny.build("numbers")
    path = tiny.store.local_path("numbers", "partition=p1", "data.parquet")
    recorded, content = tiny.store.committed("numbers", "p1").files["data.parquet"], path.read_bytes()
    path.write_bytes(content[:100] + bytes([content[100] ^ 1]) + content[101:])
    os.utime(path, ns=(recorded.mtime_ns, recorded.mtime_ns))
    assert not _materialise(tiny, "numbers").success
    _materialise(tiny, "numbers", tags={"dagster/partition": "p3"})
    assert tiny.build().succeeded, "a later run of another partition does not make it forgotten"
    assert path.read_bytes() == content
    assert tiny.computed()["numbers/p1"] == 2


@pytest.mark.parametrize("raises", [False, True])
def test_a_check_that_fails_or_crashes_is_named_and_holds_back_downstream(tiny, raises):
    switch = tiny.trigger("check-raises" if raises else "check-fails", "numbers", "all")
    held = tiny.build()
    assert not held.succeeded
    said, blocks = held.failing_checks["numbers"]["obedient"]
    assert blocks and ("could not be asked: RuntimeError" if raises else "told to fail") in said
    assert tiny.computed()["squares/p0"] == 0, "nothing may be made of what a check refuses"
    assert not tiny.build().succeeded
    switch.unlink()
    assert tiny.build().succeeded
    assert tiny.computed()["numbers/p0"] == tiny.computed()["squares/p0"] == 1


def test_what_a_killed_run_published_is_recorded_by_the_next_build(tiny):
    from dataset_project.orchestration.shards import ShardRun, run_shard

    numbers = tiny.datasets()[0]
    run_shard(numbers, numbers.keys, tiny.store, ShardRun("killed", "killed", "0"))
    assert tiny.events("numbers") == []
    result = tiny.build()
    assert result.succeeded and result.failing_checks == {}
    assert {row["disagreement"] for row in result.manifest} == {""}
    recorded = sorted((partition, metadata["reused"]) for _, partition, metadata in tiny.events("numbers"))
    assert recorded == [(key, True) for key in ("p0", "p1", "p2", "p3")]
    assert set(tiny.computed().values()) == {1}
    assert tiny.build().runs == []


def test_a_failing_forced_recompute_is_a_failure(tiny):
    tiny.build("numbers")
    tiny.trigger("fail", "numbers", "p1")
    result = tiny.build("numbers", force=True)
    assert not result.succeeded and result.failed == {"numbers": {"p1": "failed: RuntimeError: told to fail"}}
    assert tiny.store.committed("numbers", "p1").status == "ok", "what was good stays"
    assert tiny.build("numbers").succeeded


def test_an_unreadable_record_is_rebuilt_and_bricks_nothing(tiny):
    tiny.build()
    tiny.store.local_path("numbers", "partition=p1", "_commit.json").write_text("{")
    result = tiny.build()
    assert result.succeeded and {row["disagreement"] for row in result.manifest} == {""}
    assert tiny.computed() == {"numbers/p1": 2} | {key: 1 for key in tiny.computed() if key != "numbers/p1"}, (
        "its content is what everything was made of"
    )


def test_a_whole_build_on_a_url(tiny, monkeypatch):
    from dataset_project.orchestration.manifest import read_manifest
    from dataset_project.orchestration.verification import verify_datasets
    from dataset_project.storage.store import DatasetStore

    tiny.build()
    url = f"memory://{tiny.directory.name}/data"
    monkeypatch.setenv("DATASET_DATA_DIR", url)
    here, tiny.store = tiny.store, DatasetStore(url)
    assert tiny.build().succeeded
    rows = read_manifest(tiny.store)
    assert {row["status"] for row in rows} == {"ok"} and {row["disagreement"] for row in rows} == {""}
    assert verify_datasets(tiny.datasets(), tiny.store, rows) == []
    for row in rows:
        assert row["sha256"] == here.committed(row["dataset"], row["partition"]).sha256
    tiny.store.fs.pipe_file(tiny.store.path("squares", "p2", "data.parquet"), b"garbage")
    assert [problem.partition for problem in verify_datasets(tiny.datasets(), tiny.store, rows)] == ["p2"]
    assert tiny.build().succeeded
    assert verify_datasets(tiny.datasets(), tiny.store, read_manifest(tiny.store)) == []
