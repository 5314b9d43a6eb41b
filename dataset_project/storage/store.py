"""The dataset store: where partitions live, what is recorded of them, and reading them back.

Layout under the data directory (a local path, or any URL fsspec knows)::

    <dataset>/partition=<encoded key>/<table>.parquet      a partition's tables, and any other files it has
    <dataset>/partition=<encoded key>/_commit.json         its commit record; without it the partition does not exist
    <dataset>/partition=<encoded key>/_failed.json         the last attempt's record, when that one failed
    <dataset>/partition=<encoded key>/_damaged.json        what `verify` found altered, until the partition is rebuilt

Writing partitions belongs to ``publishing``; what a partition should hold is declared elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import fsspec
from fsspec.implementations.local import LocalFileSystem

from dataset_project.storage import keys as partition_keys
from dataset_project.storage.records import COMMITTED, DAMAGED, FAILED, CommitRecord

if TYPE_CHECKING:
    import pyarrow as pa

_HASH_CHUNK = 1 << 22


class DatasetStore:
    """All datasets under one data directory.

    ``location`` is a local path or an fsspec URL (``s3://bucket/prefix``, ``memory://name``).
    """

    def __init__(self, location: str | os.PathLike[str]):
        self.location = os.fspath(location)
        self.fs, root = fsspec.core.url_to_fs(self.location)
        self.is_local = isinstance(self.fs, LocalFileSystem)
        self.root = os.path.abspath(root) if self.is_local else root.rstrip("/")

    # -- where things are ---------------------------------------------------------------------------------------------

    def relative_directory(self, dataset: str, key: str) -> str:
        """Directory of a partition relative to the data directory, with ``/``."""
        return f"{dataset}/{partition_keys.directory_name(key)}"

    def path(self, dataset: str, key: str, name: str = "") -> str:
        """Path of a partition, or of a file in it, as this store's file system names it."""
        base = f"{self.root}/{self.relative_directory(dataset, key)}"
        return f"{base}/{name}" if name else base

    def local_path(self, *parts: str) -> Path:
        """A path under a local data directory. Raises ValueError on an object store."""
        if not self.is_local:
            raise ValueError(f"{self.location} is not a local directory")
        return Path(self.root, *parts)

    def make_writable(self) -> None:
        """Create the data directory and prove that files can be written there; raises OSError when they cannot."""
        if self.is_local:
            os.makedirs(self.root, exist_ok=True)
            probe = os.path.join(self.root, f".probe-{os.getpid()}")
            with open(probe, "wb"):
                pass
            os.unlink(probe)
        else:
            self.fs.makedirs(self.root, exist_ok=True)

    def partitions(self, dataset: str) -> list[str]:
        """Keys with a directory in the dataset, sorted: committed or not."""
        base = f"{self.root}/{dataset}"
        if not self.fs.isdir(base):
            return []
        names = (entry.rstrip("/").rsplit("/", 1)[-1] for entry in self.fs.ls(base, detail=False, refresh=True))
        prefix = partition_keys.DIRECTORY_PREFIX
        return sorted(partition_keys.decode(name[len(prefix) :]) for name in names if name.startswith(prefix))

    # -- records ------------------------------------------------------------------------------------------------------

    def committed(self, dataset: str, key: str) -> CommitRecord | None:
        """The record of what is published, or None. Raises ValueError when the record itself cannot be read."""
        return self._record(dataset, key, COMMITTED)

    def last_failure(self, dataset: str, key: str) -> CommitRecord | None:
        """The record of the last attempt when it published nothing, or None."""
        return self._record(dataset, key, FAILED)

    def damage(self, dataset: str, key: str) -> str:
        """What `verify` found wrong with the partition; empty when nothing."""
        content = self._read_bytes(self.path(dataset, key, DAMAGED))
        if content is None:
            return ""
        try:
            return str(json.loads(content)["reason"])
        except (ValueError, KeyError):
            return "marked as damaged"

    def write_failure(self, record: CommitRecord) -> None:
        """Keep the record of an attempt that published nothing, beside whatever is published."""
        self._write_bytes(record.dataset, record.partition, FAILED, record.model_dump_json(indent=1).encode())

    def mark_damaged(self, dataset: str, key: str, reason: str) -> None:
        """Have the partition rebuilt by whoever plans next; an empty ``reason`` takes the mark away again."""
        if not reason:
            if self.fs.exists(self.path(dataset, key, DAMAGED)):
                self.fs.rm_file(self.path(dataset, key, DAMAGED))
            return
        self._write_bytes(dataset, key, DAMAGED, json.dumps({"reason": reason}).encode())

    def _record(self, dataset: str, key: str, name: str) -> CommitRecord | None:
        content = self._read_bytes(self.path(dataset, key, name))
        if content is None:
            return None
        try:
            return CommitRecord.model_validate_json(content)
        except ValueError as error:
            raise ValueError(
                f"{self.relative_directory(dataset, key)}/{name} is not a commit record: {error}"
            ) from None

    def _read_bytes(self, path: str) -> bytes | None:
        try:
            if self.is_local:
                return Path(path).read_bytes()
            return self.fs.cat_file(path)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _write_bytes(self, dataset: str, key: str, name: str, content: bytes) -> None:
        path = self.path(dataset, key, name)
        if not self.is_local:
            self.fs.pipe_file(path, content)
            return
        os.makedirs(os.path.dirname(path), exist_ok=True)
        temporary = f"{path}.{os.getpid()}.tmp"
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)

    # -- are the files what the record says? --------------------------------------------------------------------------

    def differences(self, record: CommitRecord, *, rehash: bool = False) -> list[str]:
        """What differs between a record and its files: missing, resized or altered ones; empty when intact.

        Sizes and modification times are compared, and a file whose time differs is hashed again (a copied data
        directory stays valid). ``rehash`` hashes every file whatever its time.
        """
        found = []
        for name, entry in sorted(record.files.items()):
            path = self.path(record.dataset, record.partition, name)
            try:
                info = self.fs.info(path, **({} if self.is_local else {"refresh": True}))
            except (FileNotFoundError, TypeError):
                found.append(f"{name} is missing")
                continue
            if info["size"] != entry.bytes:
                found.append(f"{name} has {info['size']} bytes, recorded {entry.bytes}")
                continue
            try:
                touched = self.is_local and os.stat(path).st_mtime_ns != entry.mtime_ns
                altered = (rehash or touched) and self.hash_file(path) != entry.sha256
            except FileNotFoundError:
                found.append(f"{name} is missing")
                continue
            if altered:
                found.append(f"{name} was altered (sha256 differs from the record)")
        return found

    def hash_file(self, path: str) -> str:
        """SHA-256 of a file of this store."""
        digest = hashlib.sha256()
        with self.fs.open(path, "rb") as file:
            while chunk := file.read(_HASH_CHUNK):
                digest.update(chunk)
        return digest.hexdigest()

    # -- reading ------------------------------------------------------------------------------------------------------

    def committed_keys(self, dataset: str, keys: Sequence[str] | None = None) -> list[str]:
        """The partitions among ``keys`` (default: all there are) that are published and hold files."""
        candidates = self.partitions(dataset) if keys is None else keys
        return [key for key in candidates if (record := self.committed(dataset, key)) and record.files]

    def read(
        self,
        dataset: str,
        keys: str | Sequence[str] | None = None,
        *,
        table: str = "data",
        columns: Sequence[str] | None = None,
    ) -> pa.Table:
        """One partition, several, or all published ones, as one Arrow table in key order.

        Raises FileNotFoundError when a named partition (or, with no names, every partition) is not published.
        """
        import pyarrow as pa

        tables = list(self.iterate(dataset, keys, table=table, columns=columns))
        if not tables:
            raise FileNotFoundError(f"dataset {dataset} has no published partition in {self.location}")
        return pa.concat_tables(tables, promote_options="none").unify_dictionaries()

    def iterate(
        self,
        dataset: str,
        keys: str | Sequence[str] | None = None,
        *,
        table: str = "data",
        columns: Sequence[str] | None = None,
    ) -> Iterator[pa.Table]:
        """Like `read`, one partition at a time, so that memory holds one."""
        import pyarrow.parquet as pq

        named = [keys] if isinstance(keys, str) else keys
        for key in self.committed_keys(dataset) if named is None else named:
            record = self.committed(dataset, key)
            if record is None or f"{table}.parquet" not in record.files:
                raise FileNotFoundError(f"{dataset}/{key} has no published table {table!r} in {self.location}")
            with self.fs.open(self.path(dataset, key, f"{table}.parquet"), "rb") as file:
                content = pq.read_table(file, columns=None if columns is None else list(columns))
            yield content.replace_schema_metadata(None).unify_dictionaries()
