"""Verifying what is on disk: every published file re-hashed, every planned partition looked for.

What it finds altered is marked, so that the next build repairs exactly that. It computes nothing itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dataset_project.orchestration.dataset import PartitionedDataset
from dataset_project.storage.publishing import rehash
from dataset_project.storage.records import COMMITTED, DAMAGED, FAILED
from dataset_project.storage.store import DatasetStore


@dataclass(frozen=True)
class Problem:
    """Something wrong with a partition. ``kind``: altered, missing, unreadable, foreign, disagreement or orphan.

    Orphans (partitions that settings no longer plan) are reported and are no error.
    """

    dataset: str
    partition: str
    kind: str
    detail: str

    @property
    def is_error(self) -> bool:
        return self.kind != "orphan"


def verify_datasets(
    datasets: Sequence[PartitionedDataset],
    store: DatasetStore,
    manifest: Sequence[dict],
    on_partition: Callable[[str, str], None] = lambda dataset, key: None,
) -> list[Problem]:
    """Re-hash every published partition and compare it with its record and with the manifest's row.

    ``manifest`` holds the rows of ``manifest.parquet`` as last written. Marks damaged partitions for rebuilding.
    """
    rows = {(row["dataset"], row["partition"]): row for row in manifest}
    problems: list[Problem] = []
    for dataset in datasets:
        present = store.partitions(dataset.name)
        planned = set(dataset.keys)
        for key in sorted({*present, *planned}):
            on_partition(dataset.name, key)
            problems += _partition(dataset, key, store, rows.get((dataset.name, key)), planned)
    return problems


def _partition(
    dataset: PartitionedDataset, key: str, store: DatasetStore, row: dict | None, planned: set[str]
) -> list[Problem]:
    def problem(kind: str, detail: str) -> Problem:
        return Problem(dataset.name, key, kind, detail)

    found = [] if key in planned else [problem("orphan", "published, but no longer planned by the settings")]
    try:
        record = store.committed(dataset.name, key)
    except ValueError as error:
        return [*found, problem("unreadable", str(error))]
    if record is None:
        if row is not None and row["published_fingerprint"]:
            found.append(problem("missing", "in the manifest, but not published"))
        return found
    differences = rehash(store, record)
    if differences:
        found += [problem("missing" if each.endswith(" is missing") else "altered", each) for each in differences]
    found += [
        problem("foreign", f"{name} is not in the commit record") for name in foreign_files(store, dataset, key, record)
    ]
    if key in planned:
        found += _against_manifest(record, row, problem)
    return found


def _against_manifest(record, row: dict | None, problem: Callable[[str, str], Problem]) -> list[Problem]:
    if row is None:
        return [problem("disagreement", "published, but not in the manifest")]
    found = []
    if row["disagreement"]:
        found.append(problem("disagreement", row["disagreement"]))
    # A failed attempt's row is the attempt's; what stays published under it is compared by its record alone.
    if row["run_id"] == record.run_id and row["sha256"] != record.sha256:
        found.append(
            problem("disagreement", f"sha256 {record.sha256[:12]} published, {row['sha256'][:12]} in the manifest")
        )
    return found


def foreign_files(store: DatasetStore, dataset: PartitionedDataset, key: str, record) -> list[str]:
    """Files in a partition's directory that its record does not know."""
    base = store.path(dataset.name, key).rstrip("/")
    known = {*record.files, COMMITTED, FAILED, DAMAGED}
    names = (
        path[path.index(base) + len(base) + 1 :]
        for path in store.fs.find(base, **({} if store.is_local else {"refresh": True}))
    )
    return sorted(name for name in names if name not in known)
