"""Commit records: what is known about one partition, kept beside its files.

A record is the last file written of a partition, so a partition without one does not exist. It holds everything the
materialisation event holds, so either can rebuild the other. Reading and writing records is the store's business.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

COMMITTED = "_commit.json"
FAILED = "_failed.json"
DAMAGED = "_damaged.json"

Status = Literal["ok", "empty", "failed", "rejected", "unavailable", "missing", "stale"]
# Ended for good under its fingerprint; the other statuses are attempted again.
FINAL_STATUSES = ("ok", "empty", "rejected")


class FileEntry(BaseModel):
    """One file of a partition. ``mtime_ns`` is that of a local file, 0 on an object store."""

    model_config = ConfigDict(frozen=True)

    sha256: str
    bytes: int
    rows: int | None = None
    mtime_ns: int = 0


class CommitRecord(BaseModel):
    """The outcome of one partition: ``FINAL_STATUSES`` describe what is published, the others the last attempt."""

    model_config = ConfigDict(frozen=True)

    family: str
    dataset: str
    partition: str
    status: Status
    reason: str = ""
    items_planned: int = 0
    items_ok: int = 0
    items_empty: int = 0
    items_failed: int = 0
    items_rejected: int = 0
    rows: int = 0
    bytes: int = 0
    files: Mapping[str, FileEntry] = Field(default_factory=dict)
    sha256: str = ""
    seed: int
    config_hash: str
    code_version: str
    fingerprint: str
    input_hashes: Mapping[str, str] = Field(default_factory=dict)
    run_id: str
    shard: str
    started_at: datetime
    seconds: float
    cpu_seconds: float
    peak_memory_bytes: int
    cache_hits: int = 0
    cost_usd: float = 0.0
    facts: Mapping[str, int | float | str | bool] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _accounted_for(self) -> CommitRecord:
        ended = self.items_ok + self.items_empty + self.items_failed + self.items_rejected
        if ended != self.items_planned:
            raise ValueError(
                f"{self.dataset}/{self.partition}: {self.items_planned} items were planned but {ended} ended "
                f"(ok {self.items_ok}, empty {self.items_empty}, failed {self.items_failed}, "
                f"rejected {self.items_rejected})"
            )
        return self

    @property
    def is_final(self) -> bool:
        return self.status in FINAL_STATUSES

    def tables(self) -> tuple[str, ...]:
        """Names of the partition's tables: its Parquet files at the top of its directory, without their suffix."""
        return tuple(
            name.removesuffix(".parquet") for name in self.files if "/" not in name and name.endswith(".parquet")
        )


def content_hash(files: Mapping[str, FileEntry]) -> str:
    """SHA-256 over the sorted (name, sha256) pairs: equal for equal content, whatever the order of writing."""
    listing = json.dumps(sorted((name, entry.sha256) for name, entry in files.items()))
    return hashlib.sha256(listing.encode()).hexdigest()


def combined_hash(hashes: Mapping[str, str]) -> str:
    """SHA-256 over the sorted (key, hash) pairs of many partitions."""
    return hashlib.sha256(json.dumps(sorted(hashes.items())).encode()).hexdigest()
