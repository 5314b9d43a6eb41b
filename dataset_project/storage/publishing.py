"""Publishing a partition: staged, recorded last, and only then given its name.

On a local directory a partition is written to the work area, its record is written and synced last, and the whole
directory is renamed into place; what a crash leaves between two renames is mended by the next one that opens the
partition. On an object store the old record goes first, then the payload is put, then the new record.

One lock per partition covers computing and publishing, so a second build of it waits and then finds it done.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dataset_project.storage import keys as partition_keys
from dataset_project.storage.records import COMMITTED, DAMAGED, FAILED, CommitRecord, FileEntry
from dataset_project.storage.store import DatasetStore

WORK_AREA = ".work"
_BOOKKEEPING = (COMMITTED, FAILED, DAMAGED)


class PartitionSlot:
    """The right to build one partition, held under its lock: a staging directory and the way to publish it."""

    def __init__(self, store: DatasetStore, dataset: str, key: str, work: Path):
        self.store, self.dataset, self.key = store, dataset, key
        name = partition_keys.encode(key)
        self.staged = work / f"{name}.staged"
        self._replaced = work / f"{name}.replaced"
        self.attempts = attempts_path(store, dataset, key)

    def recover(self) -> None:
        """Finish or undo what a crash left, and clear the staging directory."""
        final = self._final() if self.store.is_local else None
        if final is not None and self._replaced.exists() and not (final / COMMITTED).exists():
            # The crash fell between the two renames: go forward when the new partition is whole, else back. Whatever
            # has the final name meanwhile is a mark, not a partition.
            _remove(final)
            whole = self.staged / COMMITTED
            os.rename(self.staged if whole.exists() else self._replaced, final)
        _remove(self._replaced)
        _remove(self.staged)

    def stage(self) -> Path:
        """An empty staging directory."""
        _remove(self.staged)
        self.staged.mkdir(parents=True)
        return self.staged

    def staged_files(self) -> dict[str, FileEntry]:
        """Every staged file by its relative name, hashed and synced to disk."""
        from dataset_project.storage.parquet import count_rows

        entries = {}
        for path in sorted(path for path in self.staged.rglob("*") if path.is_file()):
            name = path.relative_to(self.staged).as_posix()
            with open(path, "rb+") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                os.fsync(file.fileno())
            status = path.stat()
            rows = count_rows(path) if path.suffix == ".parquet" else None
            mtime = status.st_mtime_ns if self.store.is_local else 0
            entries[name] = FileEntry(sha256=digest, bytes=status.st_size, rows=rows, mtime_ns=mtime)
        return entries

    def publish(self, record: CommitRecord) -> None:
        """Give the staged files their name, with ``record`` describing them. Clears earlier failure marks."""
        clash = sorted(set(record.files) & set(_BOOKKEEPING))
        if clash:
            raise ValueError(f"{self.dataset}/{self.key}: a partition may not have files named {', '.join(clash)}")
        content = record.model_dump_json(indent=1).encode()
        # JSON has no NaN: a record that cannot be read back must not be the one that is trusted.
        CommitRecord.model_validate_json(content)
        if self.store.is_local:
            self._swap(content)
        else:
            self._upload(record, content)
        self.attempts.unlink(missing_ok=True)

    def discard(self) -> None:
        """Throw the staged files away."""
        shutil.rmtree(self.staged, ignore_errors=True)

    def _final(self) -> Path:
        return self.store.local_path(self.store.relative_directory(self.dataset, self.key))

    def _swap(self, content: bytes) -> None:
        with open(self.staged / COMMITTED, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        for directory in sorted(path for path in self.staged.rglob("*") if path.is_dir()):
            _sync_directory(directory)
        _sync_directory(self.staged)
        final = self._final()
        final.parent.mkdir(parents=True, exist_ok=True)
        if final.is_symlink() or (final.exists() and not final.is_dir()):
            raise FileExistsError(f"{final} is in the way: it is not a directory")
        if final.exists():
            os.rename(final, self._replaced)
        try:
            os.rename(self.staged, final)
        except OSError:
            if self._replaced.exists():
                shutil.rmtree(final, ignore_errors=True)
                os.rename(self._replaced, final)
            raise
        _sync_directory(final.parent)
        shutil.rmtree(self._replaced, ignore_errors=True)

    def _upload(self, record: CommitRecord, content: bytes) -> None:
        fs, base = self.store.fs, self.store.path(self.dataset, self.key)
        if fs.exists(f"{base}/{COMMITTED}"):
            fs.rm_file(f"{base}/{COMMITTED}")
        for name in sorted(record.files):
            fs.makedirs(os.path.dirname(f"{base}/{name}"), exist_ok=True)
            fs.put_file(str(self.staged / name), f"{base}/{name}")
        fs.pipe_file(f"{base}/{COMMITTED}", content)
        expected = {f"{base}/{name}".lstrip("/") for name in (*record.files, COMMITTED)}
        for path in fs.find(base, refresh=True):
            if path.lstrip("/") not in expected:
                fs.rm_file(path)
        self.discard()


@contextmanager
def partition_slot(store: DatasetStore, dataset: str, key: str) -> Iterator[PartitionSlot]:
    """Hold the lock of one partition, mend what a crash left, and yield the slot.

    The lock is the kernel's (``flock``), so a killed process lets go of it. On an object store it binds the processes
    of one machine; across machines both builds publish the same bytes.
    """
    from filelock import FileLock

    work = work_area(store) / dataset
    work.mkdir(parents=True, exist_ok=True)
    with FileLock(work / f"{partition_keys.encode(key)}.lock"):
        slot = PartitionSlot(store, dataset, key, work)
        slot.recover()
        yield slot


def rehash(store: DatasetStore, record: CommitRecord) -> list[str]:
    """What differs between a published partition and its files, every file hashed again; empty when intact.

    Damage is marked on the partition, so that the next plan repairs exactly that whoever found it, and a mark that no
    longer holds is taken away.
    """
    differences = store.differences(record, rehash=True)
    if not differences and not store.damage(record.dataset, record.partition):
        return []
    # A build may be replacing it at this very moment: look again when nobody is.
    with partition_slot(store, record.dataset, record.partition):
        current = store.committed(record.dataset, record.partition)
        differences = store.differences(current, rehash=True) if current else ["its commit record is missing"]
        store.mark_damaged(record.dataset, record.partition, "; ".join(differences))
    return differences


def work_area(store: DatasetStore) -> Path:
    """Local directory for locks and staging: inside a local data directory (same file system), else a temporary one."""
    if store.is_local:
        return store.local_path(WORK_AREA)
    name = hashlib.sha256(store.location.encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir(), f"dataset_project-{os.getuid()}-{name}")


def attempts_path(store: DatasetStore, dataset: str, key: str) -> Path:
    """Where a process notes that it has begun the partition; it is gone again once the attempt has ended."""
    return work_area(store) / dataset / f"{partition_keys.encode(key)}.attempts"


def _remove(path: Path) -> None:
    """Remove whatever is there: a directory, a file, a link, or nothing."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
