"""The manifest, the catalogue and verification: three sides that must agree, and what they say when they do not."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import dagster as dg
import duckdb
import pandas as pd
import pyarrow.parquet as pq
import pytest

from dataset_project.orchestration.manifest import manifest_rows, manifest_schema, read_manifest, write_manifest
from dataset_project.orchestration.verification import verify_datasets

REQUIRED = {
    *("family", "dataset", "partition", "status", "reason", "path", "started_at", "run_id", "shard", "sha256", "seed"),
    *("items_planned", "items_ok", "items_empty", "items_failed", "items_rejected", "rows", "bytes", "files"),
    *("config_hash", "code_version", "input_hashes", "seconds", "cpu_seconds", "peak_memory_bytes", "cache_hits"),
    "cost_usd",
}


def _verify(tiny) -> list:
    return verify_datasets(tiny.datasets(), tiny.store, read_manifest(tiny.store))


def test_one_row_per_planned_partition_with_every_status(tiny):
    tiny.trigger("fail", "numbers", "p1")
    tiny.trigger("reject", "numbers", "p2")
    tiny.trigger("unavailable", "numbers", "p3")
    tiny.build("numbers")
    table = pq.read_table(tiny.directory / "data" / "manifest.parquet")
    assert set(table.column_names) >= REQUIRED
    rows = {(row["dataset"], row["partition"]): row for row in table.to_pylist()}
    assert len(rows) == table.num_rows == 9
    assert {key: rows["numbers", key]["status"] for key in ("p0", "p1", "p2", "p3")} == {
        "p0": "ok",
        "p1": "failed",
        "p2": "rejected",
        "p3": "unavailable",
    }
    # What is made of an unavailable partition is unavailable too, what is made of a failed one only missing.
    assert Counter(row["status"] for row in rows.values()) == {
        "ok": 1,
        "failed": 1,
        "rejected": 1,
        "unavailable": 3,
        "missing": 3,
    }
    assert rows["total", "all"]["reason"].startswith("needs squares/p3, which is unavailable (needs numbers/p3")
    assert rows["numbers", "p1"]["reason"] == "RuntimeError: told to fail"
    assert rows["numbers", "p0"]["path"] == "numbers/partition=p0"
    csv = pd.read_csv(tiny.directory / "data" / "manifest.csv")
    assert list(csv.columns) == table.column_names and len(csv) == 9


def test_manifest_is_what_events_say_and_what_files_say(tiny):
    tiny.build()
    rows = read_manifest(tiny.store)
    assert {row["disagreement"] for row in rows} == {""}
    for row in rows:
        partition = None if row["partition"] == "all" else row["partition"]
        metadata = next(each for _, key, each in reversed(tiny.events(row["dataset"])) if key == partition)
        record = tiny.store.committed(row["dataset"], row["partition"])
        assert row["sha256"] == metadata["sha256"] == record.sha256
        assert row["files"] == len(record.files) == len(metadata["files"])


def test_disagreements_are_named(tiny):
    tiny.build("numbers")
    for key, change in (("p0", {"rows": 49}), ("p1", {"sha256": "0" * 64})):
        path = Path(tiny.store.path("numbers", key, "_commit.json"))
        path.write_text(tiny.store.committed("numbers", key).model_copy(update=change).model_dump_json())
    Path(tiny.store.path("numbers", "p2", "_commit.json")).unlink()
    with dg.DagsterInstance.get() as instance:
        rows = manifest_rows(tiny.datasets()[:1], tiny.store, instance)
    said = {row["partition"]: row["disagreement"] for row in rows}
    assert said["p0"] == "rows: files 49, event 50"
    assert said["p1"].startswith("sha256: files 000")
    assert said["p2"] == "a materialisation event, but nothing published"
    assert said["p3"] == ""
    with dg.DagsterInstance.ephemeral() as nothing_recorded:
        rows = manifest_rows(tiny.datasets()[:1], tiny.store, nothing_recorded)
    assert rows[3]["disagreement"] == "published, but no materialisation event"


def test_catalogue_has_a_view_per_table(tiny):
    tiny.build()
    with duckdb.connect(str(tiny.directory / "data" / "catalog.duckdb"), read_only=True) as connection:
        views = {
            name for (name,) in connection.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
        }
        assert views == {"numbers", "squares", "total", "manifest"}
        counted = connection.execute("SELECT partition, count(*) FROM squares GROUP BY 1 ORDER BY 1").fetchall()
        assert counted == [("p0", 50), ("p1", 50), ("p2", 50), ("p3", 50)]
        assert connection.execute("SELECT count(*) FROM manifest").fetchone() == (9,)
        total = connection.execute("SELECT sum(value) FROM total").fetchone()
        assert total == connection.execute("SELECT sum(value) FROM squares").fetchone()


def test_spreadsheet_formulas_are_text_in_the_csv(tiny, monkeypatch):
    from dataset_project.orchestration import manifest

    row = dict.fromkeys(manifest_schema().names)
    monkeypatch.setattr(manifest, "manifest_rows", lambda *_: [row | {"reason": "=HYPERLINK(1)", "family": "tiny"}])
    with dg.DagsterInstance.ephemeral() as instance:
        write_manifest([], tiny.store, instance)
    csv = pd.read_csv(tiny.directory / "data" / "manifest.csv")
    assert csv["reason"][0] == "'=HYPERLINK(1)"
    assert pq.read_table(tiny.directory / "data" / "manifest.parquet")["reason"][0].as_py() == "=HYPERLINK(1)"


@pytest.mark.parametrize("fault", ["truncated", "flipped", "deleted", "foreign", "record gone"])
def test_verify_finds_each_fault_and_a_build_repairs_only_that(tiny, fault):
    tiny.build()
    assert _verify(tiny) == []
    before = tiny.computed()
    path = Path(tiny.store.path("numbers", "p1", "data.parquet"))
    stat, content = path.stat(), path.read_bytes()
    if fault == "truncated":
        path.write_bytes(content[:-10])
    elif fault == "flipped":
        # As a disk does it: same size, same time.
        path.write_bytes(content[:80] + bytes([content[80] ^ 4]) + content[81:])
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    elif fault == "deleted":
        path.unlink()
    elif fault == "foreign":
        path.with_name("stray.txt").write_text("?")
    else:
        path.with_name("_commit.json").unlink()
    problems = _verify(tiny)
    assert {(problem.dataset, problem.partition) for problem in problems} == {("numbers", "p1")}
    assert all(problem.is_error for problem in problems)
    if fault == "foreign":
        return
    assert tiny.build().succeeded
    assert _verify(tiny) == []
    assert path.read_bytes() == content
    assert tiny.computed() - before == Counter({"numbers/p1": 1})


def test_partitions_no_longer_planned_are_orphans_and_no_error(tiny, monkeypatch):
    tiny.build("numbers")
    monkeypatch.setenv("TINY_PARTITIONS", "3")
    tiny.build("numbers")
    with duckdb.connect(str(tiny.directory / "data" / "catalog.duckdb"), read_only=True) as connection:
        listed = connection.execute("SELECT DISTINCT partition FROM numbers ORDER BY 1").fetchall()
    assert listed == [("p0",), ("p1",), ("p2",)], "the catalogue holds what is planned"
    problems = _verify(tiny)
    assert [(problem.partition, problem.kind, problem.is_error) for problem in problems] == [("p3", "orphan", False)]


def test_a_partition_restored_by_hand_is_no_longer_damaged(tiny):
    tiny.build("numbers")
    path = Path(tiny.store.path("numbers", "p0", "data.parquet"))
    content = path.read_bytes()
    path.write_bytes(b"garbage" + content[7:])
    assert _verify(tiny)
    assert tiny.store.damage("numbers", "p0")
    path.write_bytes(content)
    assert _verify(tiny) == []
    assert tiny.store.damage("numbers", "p0") == ""
