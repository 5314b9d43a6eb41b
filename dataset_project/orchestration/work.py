"""What a compute function works with: its partition's identity, its inputs, and a place to write.

Everything it writes lands in the staging directory; publishing is the shard's business.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataset_project.orchestration.dataset import PartitionedDataset, PartitionFiles, Upstream
from dataset_project.orchestration.planning import PlannedPartition, Planner
from dataset_project.storage.records import CommitRecord
from dataset_project.storage.store import DatasetStore

if TYPE_CHECKING:
    import pyarrow as pa

    from dataset_project.storage.parquet import TableWriter


class PartitionInputs:
    """What a partition is made of. Attributes: ``dataset`` (its declaration), ``key``."""

    def __init__(self, dataset: PartitionedDataset, key: str, store: DatasetStore):
        self.dataset, self.key = dataset, key
        self._store = store

    @property
    def master_seed(self) -> int:
        return self.dataset.master_seed

    @property
    def config_hash(self) -> str:
        return self.dataset.config_hash

    def keys(self, dataset: str) -> tuple[str, ...]:
        """Partitions of ``dataset`` that this one is made of and that hold files, in order.

        Raises ValueError for a dataset that is not declared upstream: its content would not reach the fingerprint.
        """
        return tuple(self._store.committed_keys(dataset, self._upstream(dataset).keys_for(self.key)))

    def states(self, dataset: str) -> list[PlannedPartition]:
        """What became of each upstream partition this one is made of, failed and unavailable ones too."""
        return Planner(self._store).plan(self._upstream(dataset).dataset, self._upstream(dataset).keys_for(self.key))

    def relative_directory(self, dataset: str, key: str) -> str:
        """Directory of an upstream partition, relative to the data directory."""
        return self._store.relative_directory(dataset, key)

    def content(self, dataset: str, key: str | None = None) -> str:
        """Content hash of an upstream partition: what a process may key its own cache of it by."""
        record = self._store.committed(dataset, self._upstream_key(dataset, key))
        if record is None:
            raise FileNotFoundError(f"{dataset}/{key} is not published")
        return record.sha256

    def read(
        self, dataset: str, key: str | None = None, *, table: str = "data", columns: Sequence[str] | None = None
    ) -> pa.Table:
        """An upstream partition: ``key``, or the one with this partition's key."""
        return self._store.read(dataset, self._upstream_key(dataset, key), table=table, columns=columns)

    def row_groups(
        self, dataset: str, key: str | None = None, *, table: str = "data", columns: Sequence[str] | None = None
    ) -> Iterator[pa.Table]:
        """An upstream partition in the pieces it was written in, one in memory at a time."""
        import pyarrow.parquet as pq

        path = self._store.path(dataset, self._upstream_key(dataset, key), f"{table}.parquet")
        with self._store.fs.open(path, "rb") as file:
            parquet = pq.ParquetFile(file)
            for number in range(parquet.num_row_groups):
                yield parquet.read_row_group(number, columns=columns).replace_schema_metadata(None)

    def _upstream(self, dataset: str) -> Upstream:
        upstream = next((each for each in self.dataset.upstreams if each.dataset.name == dataset), None)
        if upstream is None:
            raise ValueError(f"{self.dataset.name} does not declare {dataset} as upstream")
        return upstream

    def _upstream_key(self, dataset: str, key: str | None) -> str:
        # Asked for every read: from declarations alone, without reading a record.
        chosen = self.key if key is None else key
        if chosen not in self._upstream(dataset).keys_for(self.key):
            raise FileNotFoundError(f"{dataset}/{chosen} is not among what {self.dataset.name}/{self.key} is made of")
        return chosen


class PartitionWork(PartitionInputs):
    """One partition being computed.

    Attributes besides its inputs: ``fingerprint``, ``directory`` (the staging directory), ``log`` (the shard's log
    file), ``session`` (what the dataset's `session` gave the shard; None where it declares none).
    """

    def __init__(
        self,
        dataset: PartitionedDataset,
        key: str,
        fingerprint: str,
        store: DatasetStore,
        directory: Path,
        log: logging.Logger,
        session: Any = None,
    ):
        super().__init__(dataset, key, store)
        self.fingerprint, self.directory, self.log, self.session = fingerprint, directory, log, session

    @contextmanager
    def writer(self, table: str = "data") -> Iterator[TableWriter]:
        """Write a declared table piece by piece."""
        from dataset_project.storage.parquet import TableWriter

        schema = self.dataset.schemas[table]
        with TableWriter(self.directory / f"{table}.parquet", schema, self._identity()) as writer:
            yield writer

    def write(self, data: pa.Table, table: str = "data") -> None:
        """Write a declared table whole."""
        with self.writer(table) as writer:
            writer.write(data)

    def path(self, name: str) -> Path:
        """Where to write another file of the partition; its folders are made."""
        path = self.directory / name
        if not path.resolve().is_relative_to(self.directory.resolve()):
            raise ValueError(f"{name!r} would leave the partition's directory")
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _identity(self) -> dict[str, str]:
        return {
            "dataset": self.dataset.name,
            "partition": self.key,
            "seed": str(self.master_seed),
            "fingerprint": self.fingerprint,
            "config_hash": self.config_hash,
            "code_version": self.dataset.code_version,
        }


@dataclass(frozen=True)
class ShardWork:
    """What a dataset's `session` is opened for: the partitions that a shard computes, in that order.

    ``group`` names the run whose shards work together. ``report`` shows people what goes on between two partitions
    (name → figure); it may be called as often as wanted, from the thread that computes.
    """

    group: str
    shard: str
    partitions: tuple[PartitionInputs, ...]
    log: logging.Logger
    report: Callable[[Mapping[str, Any]], None]


def files_in(directory: Path, key: str, upstream: Mapping[str, Sequence[PartitionFiles]]) -> PartitionFiles:
    """A directory's tables as a validator reads them."""
    tables = {path.stem: path for path in sorted(directory.glob("*.parquet"))}
    return PartitionFiles(key, tables, directory, upstream)


def published_files(store: DatasetStore, dataset: PartitionedDataset, key: str, scratch: Path) -> PartitionFiles | None:
    """A published partition and its direct inputs as local files; None when it holds none.

    Files of an object store are fetched into ``scratch``.
    """
    record = store.committed(dataset.name, key)
    if record is None or not record.files:
        return None
    return files_in(_local_directory(store, record, scratch), key, upstream_files(store, dataset, key, scratch))


def upstream_files(
    store: DatasetStore, dataset: PartitionedDataset, key: str, scratch: Path
) -> dict[str, list[PartitionFiles]]:
    """Published files of everything the partition is directly made of."""
    found = {}
    for upstream in dataset.upstreams:
        records = ((name, store.committed(upstream.dataset.name, name)) for name in upstream.keys_for(key))
        found[upstream.dataset.name] = [
            files_in(_local_directory(store, record, scratch), name, {})
            for name, record in records
            if record and record.files
        ]
    return found


def _local_directory(store: DatasetStore, record: CommitRecord, scratch: Path) -> Path:
    relative = store.relative_directory(record.dataset, record.partition)
    if store.is_local:
        return store.local_path(relative)
    directory = scratch / relative
    for name in record.files:
        target = directory / name
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            store.fs.get_file(store.path(record.dataset, record.partition, name), str(target))
    return directory
