"""The manifest: one row per planned partition of every dataset, reconciled from three sides.

Planned keys ⟕ commit records ⟕ materialisation events. The row is the record's; where the event or the plan says
otherwise, ``disagreement`` says which and how. Written as Parquet and CSV, with the catalogue, by the asset
`dataset_manifest`, by builds, and by a sensor after every run, failed ones too.
"""

import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from dataset_project.orchestration.assets import asset_key
from dataset_project.orchestration.dataset import PartitionedDataset
from dataset_project.orchestration.planning import PlannedPartition, Planner
from dataset_project.orchestration.recorded import disagreement, latest_records
from dataset_project.storage.catalogue import write_catalogue
from dataset_project.storage.publishing import work_area
from dataset_project.storage.records import CommitRecord
from dataset_project.storage.store import DatasetStore

if TYPE_CHECKING:
    import pyarrow as pa

MANIFEST_ASSET = "dataset_manifest"
MANIFEST_PARQUET, MANIFEST_CSV = "manifest.parquet", "manifest.csv"
_SPREADSHEET_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def manifest_schema() -> "pa.Schema":
    """Columns of the manifest."""
    import pyarrow as pa

    text, whole, real = pa.string(), pa.int64(), pa.float64()
    names = {
        **dict.fromkeys(("family", "dataset", "partition", "status", "reason"), text),
        **dict.fromkeys(("items_planned", "items_ok", "items_empty", "items_failed", "items_rejected"), whole),
        **dict.fromkeys(("rows", "bytes", "files"), whole),
        "sha256": text,
        "seed": whole,
        **dict.fromkeys(("config_hash", "code_version", "input_hashes", "fingerprint", "run_id", "shard"), text),
        "started_at": pa.timestamp("us", tz="UTC"),
        **dict.fromkeys(("seconds", "cpu_seconds"), real),
        **dict.fromkeys(("peak_memory_bytes", "cache_hits"), whole),
        "cost_usd": real,
        "path": text,
        "published_fingerprint": text,
        "disagreement": text,
    }
    return pa.schema(list(names.items()))


def manifest_rows(
    datasets: Sequence[PartitionedDataset], store: DatasetStore, instance: dg.DagsterInstance
) -> list[dict[str, object]]:
    """One row per planned partition, in the order of ``datasets`` and their keys."""
    planner = Planner(store)
    rows = []
    for dataset in datasets:
        events = latest_records(instance, dataset)
        for partition in planner.plan(dataset):
            rows.append(_row(dataset, partition, events.get(partition.key), store))
    return rows


def _row(
    dataset: PartitionedDataset, partition: PlannedPartition, event: CommitRecord | None, store: DatasetStore
) -> dict[str, object]:
    import json

    record, published = partition.record, partition.published
    row: dict[str, object] = {
        "family": dataset.family,
        "dataset": dataset.name,
        "partition": partition.key,
        "status": partition.status,
        "reason": partition.reason,
        "seed": dataset.master_seed,
        "config_hash": dataset.config_hash,
        "code_version": dataset.code_version,
        "fingerprint": partition.fingerprint,
        "path": store.relative_directory(dataset.name, partition.key),
        "published_fingerprint": published.fingerprint if published else None,
        "disagreement": disagreement(published, event),
    }
    if record is not None:
        taken = record.model_dump(exclude={*row, "files", "facts", "input_hashes"})
        row |= taken
        row["files"] = len(record.files)
        row["input_hashes"] = json.dumps(dict(record.input_hashes), sort_keys=True)
    return row


def write_manifest(
    datasets: Sequence[PartitionedDataset], store: DatasetStore, instance: dg.DagsterInstance
) -> list[dict[str, object]]:
    """Rebuild manifest and catalogue, each renamed into place whole; returns the manifest's rows."""
    from filelock import FileLock

    store.make_writable()
    with FileLock(_lock_path(store)):
        return _write_manifest(datasets, store, instance)


def _lock_path(store: DatasetStore) -> Path:
    """One writer at a time: an older, slower refresh must not replace a newer one."""
    work_area(store).mkdir(parents=True, exist_ok=True)
    return work_area(store) / "manifest.lock"


def _write_manifest(
    datasets: Sequence[PartitionedDataset], store: DatasetStore, instance: dg.DagsterInstance
) -> list[dict[str, object]]:
    import pyarrow as pa
    import pyarrow.csv as pc
    import pyarrow.parquet as pq

    rows = manifest_rows(datasets, store, instance)
    table = pa.Table.from_pylist(rows, schema=manifest_schema())
    _replace(store, MANIFEST_PARQUET, lambda sink: pq.write_table(table, sink, compression="zstd"))
    safe = pa.Table.from_pylist([_spreadsheet_safe(row) for row in rows], schema=manifest_schema())
    _replace(store, MANIFEST_CSV, lambda sink: pc.write_csv(safe, sink))
    if store.is_local:
        tables = {dataset.name: (dataset.keys, sorted(dataset.schemas)) for dataset in datasets}
        write_catalogue(store, tables, store.local_path(MANIFEST_PARQUET))
    return rows


def _replace(store: DatasetStore, name: str, write) -> None:
    path = f"{store.root}/{name}"
    if not store.is_local:
        with store.fs.open(path, "wb") as sink:
            write(sink)
        return
    temporary = f"{path}.{os.getpid()}.tmp"
    with open(temporary, "wb") as sink:
        write(sink)
    os.replace(temporary, path)


def _spreadsheet_safe(row: Mapping[str, object]) -> dict[str, object]:
    """A spreadsheet runs a cell that starts like a formula; a leading apostrophe keeps it text (OWASP's rule)."""
    return {
        name: "'" + value if isinstance(value, str) and value.startswith(_SPREADSHEET_FORMULA) else value
        for name, value in row.items()
    }


def read_manifest(store: DatasetStore) -> list[dict]:
    """Rows of ``manifest.parquet``. Raises FileNotFoundError when there is none."""
    import pyarrow.parquet as pq

    with store.fs.open(f"{store.root}/{MANIFEST_PARQUET}", "rb") as file:
        return pq.read_table(file).to_pylist()


def manifest_asset(datasets: Sequence[PartitionedDataset], store: DatasetStore) -> dg.AssetsDefinition:
    """The asset `dataset_manifest`, downstream of every dataset."""
    with warnings.catch_warnings():
        # `backfill_policy` is stable on graph-backed assets and "beta" on the decorator.
        warnings.simplefilter("ignore", dg.BetaWarning)
        return _manifest_asset(datasets, store)


def _manifest_asset(datasets: Sequence[PartitionedDataset], store: DatasetStore) -> dg.AssetsDefinition:
    @dg.asset(
        name=MANIFEST_ASSET,
        group_name="manifest",
        deps=[asset_key(dataset) for dataset in datasets],
        description="One row per planned partition: status, items, rows, bytes, hashes; and the DuckDB catalogue.",
        kinds={"parquet", "duckdb"},
        code_version="1",
        # A range run may include it beside partitioned datasets, which takes the policy on each.
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def dataset_manifest(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        rows = write_manifest(datasets, store, context.instance)
        counts: dict[str, int] = {}
        for row in rows:
            counts[str(row["status"])] = counts.get(str(row["status"]), 0) + 1
        disagreements = sum(bool(row["disagreement"]) for row in rows)
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": len(rows),
                "path": MANIFEST_PARQUET,
                "disagreements": disagreements,
                "bytes": sum(int(row.get("bytes") or 0) for row in rows),
                **{f"partitions_{status}": count for status, count in sorted(counts.items())},
            }
        )

    return dataset_manifest
