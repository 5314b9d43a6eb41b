"""The dataset store on a local directory and on a URL: publishing, reading, damage, and what crashes leave."""

from __future__ import annotations

import os
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from dataset_project.storage.parquet import TableWriter
from dataset_project.storage.publishing import PartitionSlot, partition_slot
from dataset_project.storage.records import CommitRecord, content_hash
from dataset_project.storage.store import DatasetStore

SCHEMA = pa.schema([pa.field("x", pa.int64(), nullable=False), pa.field("s", pa.string())])


@pytest.fixture(params=["directory", "url"])
def store(request, tmp_path: Path) -> DatasetStore:
    return DatasetStore(tmp_path / "data" if request.param == "directory" else f"memory://{uuid.uuid4().hex}/data")


def _table(*values: int) -> pa.Table:
    return pa.table({"x": list(values), "s": [str(value) for value in values]}, SCHEMA)


def _record(key: str, files, **changes) -> CommitRecord:
    fields = {
        "family": "f",
        "dataset": "d",
        "partition": key,
        "status": "ok",
        "items_planned": 1,
        "items_ok": 1,
        "files": files,
        "sha256": content_hash(files),
        "seed": 1,
        "config_hash": "c",
        "code_version": "1",
        "fingerprint": "f",
        "run_id": "r",
        "shard": "0",
        "started_at": datetime(2026, 1, 1, tzinfo=UTC),
        "seconds": 1.0,
        "cpu_seconds": 1.0,
        "peak_memory_bytes": 1,
    }
    return CommitRecord(**(fields | changes))


def _stage(slot: PartitionSlot, *values: int, extra: str = "") -> None:
    directory = slot.stage()
    with TableWriter(directory / "data.parquet", SCHEMA, {"partition": slot.key}) as writer:
        writer.write(_table(*values))
    if extra:
        (directory / "texts").mkdir()
        (directory / "texts" / f"{extra}.txt").write_text(extra)


def _publish(store: DatasetStore, key: str, *values: int, extra: str = "") -> CommitRecord:
    with partition_slot(store, "d", key) as slot:
        _stage(slot, *values, extra=extra)
        record = _record(key, slot.staged_files())
        slot.publish(record)
    return record


def test_published_partitions_are_read_one_many_and_all(store):
    for key, value in (("b", 2), ("a/..", 1), ("c", 3)):
        record = _publish(store, key, value, extra="note")
        assert store.committed("d", key) == record
        assert store.differences(record, rehash=True) == []
        assert record.tables() == ("data",)
        assert sorted(record.files) == ["data.parquet", "texts/note.txt"]
    assert store.partitions("d") == ["a/..", "b", "c"]
    assert store.read("d", "b").column("x").to_pylist() == [2]
    assert store.read("d", ["c", "b"]).column("x").to_pylist() == [3, 2]
    assert store.read("d").column("x").to_pylist() == [1, 2, 3]
    assert store.read("d", columns=["s"]).column_names == ["s"]
    with pytest.raises(FileNotFoundError, match="d/z has no published table"):
        store.read("d", "z")
    with pytest.raises(FileNotFoundError, match="no published partition"):
        store.read("nothing")


def test_republishing_replaces_all_files_of_a_partition(store):
    _publish(store, "a", 1, extra="old")
    store.write_failure(_record("a", {}, status="failed", items_ok=0, items_failed=1))
    store.mark_damaged("d", "a", "bits")
    record = _publish(store, "a", 5, extra="new")
    names = {path.split("/partition=a/")[1] for path in store.fs.find(store.path("d", "a"))}
    assert names == {"data.parquet", "texts/new.txt", "_commit.json"}
    assert store.read("d", "a").column("x").to_pylist() == [5]
    assert store.last_failure("d", "a") is None and store.damage("d", "a") == ""
    assert store.committed("d", "a") == record


def test_damage_is_seen(store):
    record = _publish(store, "a", 1, 2, 3)
    path = store.path("d", "a", "data.parquet")
    content = store.fs.cat_file(path)
    store.fs.pipe_file(path, content[:50] + bytes([content[50] ^ 1]) + content[51:])
    assert "altered" in store.differences(record, rehash=True)[0]
    store.fs.pipe_file(path, content[:-1])
    assert f"has {len(content) - 1} bytes" in store.differences(record)[0]
    store.fs.rm_file(path)
    assert store.differences(record) == ["data.parquet is missing"]


def test_failure_and_damage_marks_leave_what_is_published(store):
    record = _publish(store, "a", 1)
    failure = _record("a", {}, status="failed", reason="why", items_ok=0, items_failed=1)
    store.write_failure(failure)
    store.mark_damaged("d", "a", "flipped")
    assert (store.committed("d", "a"), store.last_failure("d", "a"), store.damage("d", "a")) == (
        record,
        failure,
        "flipped",
    )
    store.mark_damaged("d", "a", "")
    assert store.damage("d", "a") == ""
    assert store.differences(record) == []


def test_a_copied_data_directory_is_still_intact(tmp_path):
    store = DatasetStore(tmp_path / "data")
    record = _publish(store, "a", 1)
    os.utime(store.path("d", "a", "data.parquet"), ns=(1, 1))
    assert store.differences(record) == []


@pytest.mark.parametrize("moment", ["while writing", "before the swap", "between the renames", "after the swap"])
def test_a_crash_at_any_moment_leaves_the_old_or_the_new_partition(tmp_path, moment):
    store = DatasetStore(tmp_path / "data")
    _publish(store, "a", 1)
    final = Path(store.path("d", "a"))
    work = store.local_path(".work", "d")
    with partition_slot(store, "d", "a") as slot:
        _stage(slot, 2)
        if moment != "while writing":
            record = _record("a", slot.staged_files())
            (slot.staged / "_commit.json").write_text(record.model_dump_json())
        if moment in ("between the renames", "after the swap"):
            os.rename(final, work / "a.replaced")
        if moment == "after the swap":
            os.rename(slot.staged, final)
    with partition_slot(store, "d", "a"):
        pass
    expected = 2 if moment in ("between the renames", "after the swap") else 1
    assert store.read("d", "a").column("x").to_pylist() == [expected]
    assert store.differences(store.committed("d", "a"), rehash=True) == []
    assert sorted(path.name for path in work.iterdir()) == ["a.lock"]


def test_records_must_account_for_every_item():
    with pytest.raises(ValueError, match="3 items were planned but 2 ended"):
        _record("a", {}, items_planned=3, items_ok=1, items_failed=1)


def test_a_partition_may_not_shadow_its_record(tmp_path):
    store = DatasetStore(tmp_path / "data")
    with partition_slot(store, "d", "a") as slot:
        (slot.stage() / "_commit.json").write_text("mine")
        with pytest.raises(ValueError, match=r"may not have files named _commit\.json"):
            slot.publish(_record("a", slot.staged_files()))


def test_an_unreadable_record_is_an_error_that_names_it(tmp_path):
    store = DatasetStore(tmp_path / "data")
    _publish(store, "a", 1)
    Path(store.path("d", "a", "_commit.json")).write_text("{")
    with pytest.raises(ValueError, match=r"partition=a/_commit\.json is not a commit record"):
        store.committed("d", "a")


def test_tables_refuse_nulls_and_foreign_columns(tmp_path):
    with TableWriter(tmp_path / "t.parquet", SCHEMA, {}) as writer:
        with pytest.raises(ValueError, match="column x has 1 nulls"):
            writer.write(pa.table({"x": pa.array([None], pa.int64()), "s": ["a"]}))
        with pytest.raises(ValueError, match="are not the declared"):
            writer.write(pa.table({"y": [1]}))
        writer.write(_table(1))
    assert writer.rows == 1


def test_equal_tables_are_equal_files(tmp_path):
    for name in ("a", "b"):
        with TableWriter(
            tmp_path / f"{name}.parquet", SCHEMA, {"z": "1", "a": "2"} if name == "a" else {"a": "2", "z": "1"}
        ) as writer:
            writer.write(_table(1, 2, 3))
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_a_swap_that_fails_puts_the_old_partition_back(tmp_path, monkeypatch):
    store = DatasetStore(tmp_path / "data")
    _publish(store, "a", 1)
    real = os.rename

    def failing(source, target):
        if str(source).endswith(".staged"):
            raise OSError(39, "Directory not empty")
        real(source, target)

    with partition_slot(store, "d", "a") as slot:
        _stage(slot, 2)
        record = _record("a", slot.staged_files())
        with monkeypatch.context() as patched, pytest.raises(OSError):
            patched.setattr(os, "rename", failing)
            slot.publish(record)
    assert store.read("d", "a").column("x").to_pylist() == [1]


def test_a_mark_left_between_the_renames_is_no_partition(tmp_path):
    store = DatasetStore(tmp_path / "data")
    _publish(store, "a", 1)
    os.rename(store.path("d", "a"), store.local_path(".work", "d", "a.replaced"))
    store.mark_damaged("d", "a", "written at the wrong moment")
    with partition_slot(store, "d", "a"):
        pass
    assert store.read("d", "a").column("x").to_pylist() == [1]


def test_a_file_in_the_way_is_named_and_kept(tmp_path):
    store = DatasetStore(tmp_path / "data")
    final = Path(store.path("d", "a"))
    final.parent.mkdir(parents=True)
    final.write_text("somebody's file")
    with pytest.raises(FileExistsError, match="partition=a is in the way"):
        _publish(store, "a", 1)
    assert final.read_text() == "somebody's file"
    store.local_path(".work", "d", "b.staged").write_text("debris")
    _publish(store, "b", 1)
    assert store.read("d", "b").column("x").to_pylist() == [1]
