"""What a family declares of a dataset, and what its functions may say.

A family supplies a compute function, schemas and validators; everything else (planning, shards, publishing, events,
checks, the manifest) is done once, for all datasets, by the other modules here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dataset_project.storage.fingerprints import canonical_hash
from dataset_project.storage.keys import UNPARTITIONED
from dataset_project.storage.validation import Finding

if TYPE_CHECKING:
    import pyarrow as pa

    from dataset_project.orchestration.work import PartitionInputs, PartitionWork, ShardWork


class Rejected(Exception):
    """A partition's input is bad: final until the input changes. The message is the reason."""


class Unavailable(Exception):
    """A library, resource or key is absent: attempted again by every run. The message is the reason."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What computing one partition came to. Items: planned = ok + empty + failed + rejected, always."""

    items_planned: int
    items_ok: int
    items_empty: int = 0
    items_failed: int = 0
    items_rejected: int = 0
    reason: str = ""
    facts: Mapping[str, int | float | str | bool] = field(default_factory=dict)
    cache_hits: int = 0
    cost_usd: float = 0.0


@dataclass(frozen=True)
class PartitionFiles:
    """What a validator reads: a partition's tables as local Parquet files, and those of the partitions it was made of.

    ``upstream`` maps a dataset's name to its partitions' files, in key order.
    """

    key: str
    tables: Mapping[str, Path]
    directory: Path
    upstream: Mapping[str, Sequence[PartitionFiles]] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        """The table of a dataset that has one."""
        return self.tables["data"]

    def same(self, dataset: str) -> PartitionFiles:
        """The upstream partition with this partition's key."""
        return next(files for files in self.upstream[dataset] if files.key == self.key)


@dataclass(frozen=True, kw_only=True)
class Validator:
    """A rule about a dataset's published content, also asked before publishing.

    ``scope``: "partition" judges one partition (in the shard, and for each partition of a run in the asset check);
    "dataset" judges all published partitions together, in the asset check only, from the list of their files.
    """

    name: str
    description: str
    judge: Callable[[PartitionFiles], Finding] | Callable[[Sequence[PartitionFiles]], Finding]
    scope: Literal["partition", "dataset"] = "partition"
    blocking: bool = True


@dataclass(frozen=True)
class Upstream:
    """A dataset this one is made of, and which of its partitions each of ours needs.

    ``mapping``: the partition of the same key, all its partitions, or a function from our key to theirs. Without
    ``required`` a partition is also made when some of these failed or are unavailable: what became of them is then part
    of its inputs, so it is made again once they change.
    """

    dataset: PartitionedDataset
    mapping: Literal["same", "all"] | Callable[[str], tuple[str, ...]] = "same"
    required: bool = True

    def keys_for(self, key: str) -> tuple[str, ...]:
        if callable(self.mapping):
            return self.mapping(key)
        return (key,) if self.mapping == "same" else self.dataset.keys


@dataclass(frozen=True, kw_only=True, eq=False)
class PartitionedDataset:
    """One dataset: an asset whose partitions are computed independently of each other.

    ``keys`` is None for an unpartitioned dataset, which has the one partition ``all``. ``configuration`` is what
    reaches the output, nothing else: it is hashed into every fingerprint, with ``code_version`` (raised by hand
    whenever the same configuration gives other bytes) and ``resources`` (versions of shipped inputs).
    ``key_configuration`` adds what differs from key to key, such as the size of a last, partial block.
    ``cost`` is a static hint of relative work per key, used until a partition's seconds are on record.
    ``tolerated_failures`` is the share of failed items with which a partition still counts as ok.
    ``session`` opens what the partitions of a shard share while they are computed, such as a connection to a model;
    it is opened when the first of them is about to be computed, and its errors are those of each. ``pool`` is the
    Dagster pool that bounds how many shards of several runs hold one at a time. ``estimate`` says what computing the
    given partitions would take beyond time (requests, tokens, dollars), without doing anything.
    """

    name: str
    family: str
    description: str
    code_version: str
    master_seed: int
    compute: Callable[[PartitionWork], Outcome]
    schemas: Mapping[str, pa.Schema]
    partition_keys: tuple[str, ...] | None = None
    configuration: Mapping[str, Any] = field(default_factory=dict)
    key_configuration: Callable[[str], Mapping[str, Any]] = lambda key: {}
    resources: Mapping[str, str] = field(default_factory=dict)
    upstreams: tuple[Upstream, ...] = ()
    validators: tuple[Validator, ...] = ()
    cost: Callable[[str], float] | None = None
    tolerated_failures: float = 0.0
    session: Callable[[ShardWork], AbstractContextManager[Any]] | None = None
    pool: str | None = None
    estimate: Callable[[Sequence[PartitionInputs]], Sequence[tuple[str, str]]] | None = None
    kinds: tuple[str, ...] = ("parquet",)
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def keys(self) -> tuple[str, ...]:
        return (UNPARTITIONED,) if self.partition_keys is None else self.partition_keys

    @cached_property
    def config_hash(self) -> str:
        return canonical_hash({"configuration": self.configuration, "master_seed": self.master_seed})

    def lineage(self) -> list[PartitionedDataset]:
        """This dataset and everything it is made of, upstream first."""
        ordered: list[PartitionedDataset] = []
        for upstream in self.upstreams:
            ordered += [dataset for dataset in upstream.dataset.lineage() if dataset not in ordered]
        return [*ordered, self]


def in_dependency_order(datasets: Sequence[PartitionedDataset]) -> list[PartitionedDataset]:
    """``datasets`` upstream first, otherwise in the order given."""
    ordered: list[PartitionedDataset] = []
    for dataset in datasets:
        ordered += [each for each in dataset.lineage() if each not in ordered]
    return [dataset for dataset in ordered if dataset in datasets]
