"""The one plan function: which partitions are done, which are to do and why, and how they are dealt into shards.

Assets, builds, status, schedules and the manifest all ask here, so they can never disagree.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from dataset_project.orchestration.dataset import PartitionedDataset
from dataset_project.storage.fingerprints import fingerprint as hash_fingerprint
from dataset_project.storage.records import CommitRecord, Status, combined_hash
from dataset_project.storage.store import DatasetStore


@dataclass(frozen=True)
class PlannedPartition:
    """One key's state and what a run would do with it.

    ``status`` follows the project's vocabulary; ``record`` is the one that says so (None when missing, or unavailable
    for want of an input).
    ``published`` is what readers find, if anything: also when it is stale or the last attempt failed. ``failure`` is
    the record of the last attempt under this fingerprint, when that published nothing.
    """

    key: str
    fingerprint: str
    status: Status
    reason: str
    record: CommitRecord | None
    published: CommitRecord | None
    failure: CommitRecord | None
    weight: float

    @property
    def is_done(self) -> bool:
        return self.record is not None and self.record.is_final and self.status == self.record.status


class Planner:
    """Plans datasets against one store. Remembers what it has read, so make one per plan.

    Planning reads commit records and file sizes only; it computes and locks nothing.
    """

    def __init__(self, store: DatasetStore):
        self._store = store
        self._fingerprints = lru_cache(maxsize=None)(self._compute_fingerprint)
        self._content = lru_cache(maxsize=None)(self._content_of)
        self._standing = lru_cache(maxsize=None)(self._standing_of)
        self._states = lru_cache(maxsize=None)(self._state)

    def fingerprint(self, dataset: PartitionedDataset, key: str) -> str:
        """Fingerprint of a partition: pure, from declarations alone."""
        return self._fingerprints(dataset, key)

    def plan(self, dataset: PartitionedDataset, keys: Sequence[str] | None = None) -> list[PlannedPartition]:
        """State of each key, in order. Raises ValueError for keys the dataset does not have."""
        asked = dataset.keys if keys is None else keys
        unknown = sorted(set(asked) - set(dataset.keys))
        if unknown:
            raise ValueError(
                f"dataset {dataset.name} has no partition {', '.join(map(repr, unknown[:5]))}; "
                f"it has {len(dataset.keys)}: {dataset.keys[0]} … {dataset.keys[-1]}"
            )
        states = [self._states(dataset, key) for key in asked]
        return _with_weights(dataset, states)

    def input_hashes(self, dataset: PartitionedDataset, key: str) -> dict[str, str]:
        """Content hash of every dataset the partition is made of, as published now ('' where something is missing).

        Of an upstream that is not required: the hash of what each of its partitions came to, content or reason.
        """
        return {
            upstream.dataset.name: (self._content if upstream.required else self._standing)(
                upstream.dataset, upstream.keys_for(key)
            )
            for upstream in dataset.upstreams
        }

    def _content_of(self, dataset: PartitionedDataset, keys: tuple[str, ...]) -> str:
        hashes = {}
        for key in keys:
            try:
                record = self._store.committed(dataset.name, key)
            except ValueError:
                record = None
            if record is None:
                return ""
            hashes[key] = record.sha256
        return combined_hash(hashes)

    def _standing_of(self, dataset: PartitionedDataset, keys: tuple[str, ...]) -> str:
        states = [self._states(dataset, key) for key in keys]
        return combined_hash(
            {
                state.key: state.record.sha256 if state.record and state.is_done else f"{state.status}: {state.reason}"
                for state in states
            }
        )

    def _unavailable_input(self, dataset: PartitionedDataset, key: str) -> str:
        """What the partition needs and cannot be had here; empty when nothing."""
        for upstream in dataset.upstreams:
            if upstream.required:
                states = (self._states(upstream.dataset, each) for each in upstream.keys_for(key))
                found = next((state for state in states if state.status == "unavailable"), None)
                if found:
                    return f"needs {upstream.dataset.name}/{found.key}, which is unavailable ({found.reason})"
        return ""

    def _compute_fingerprint(self, dataset: PartitionedDataset, key: str) -> str:
        inputs = {}
        for upstream in dataset.upstreams:
            hashes = {name: self.fingerprint(upstream.dataset, name) for name in upstream.keys_for(key)}
            inputs[upstream.dataset.name] = combined_hash(hashes)
        return hash_fingerprint(
            dataset=dataset.name,
            partition=key,
            code_version=dataset.code_version,
            configuration={**dataset.configuration, **dataset.key_configuration(key)},
            master_seed=dataset.master_seed,
            inputs=inputs,
            resources=dataset.resources,
        )

    def _state(self, dataset: PartitionedDataset, key: str) -> PlannedPartition:
        expected = self.fingerprint(dataset, key)

        def state(status: Status, reason: str, record: CommitRecord | None) -> PlannedPartition:
            return PlannedPartition(key, expected, status, reason, record, published, failure, 0.0)

        published = failure = None
        try:
            published = self._store.committed(dataset.name, key)
            failure = self._store.last_failure(dataset.name, key)
        except ValueError as error:
            return state("missing", str(error), None)
        if failure is not None and failure.fingerprint != expected:
            failure = None  # an attempt at something else says nothing of this
        if published is not None and published.fingerprint == expected:
            wrong = self._what_is_wrong(dataset, published)
            if not wrong:
                return state(published.status, published.reason, published)
            if failure is None:
                return state("stale", wrong, published)
        if failure is not None:
            return state(failure.status, failure.reason, failure)
        if published is not None:
            return state("stale", _what_changed(dataset, published), published)
        needs = self._unavailable_input(dataset, key)
        return state("unavailable", needs, None) if needs else state("missing", "", None)

    def _what_is_wrong(self, dataset: PartitionedDataset, record: CommitRecord) -> str:
        damage = self._store.damage(record.dataset, record.partition)
        if damage:
            return damage
        differences = self._store.differences(record)
        if differences:
            return "; ".join(differences)
        # An input that is not published now cannot be said to have changed; it is judged once it is back.
        current = self.input_hashes(dataset, record.partition)
        changed = [name for name, content in current.items() if content and content != record.input_hashes.get(name)]
        return f"the content of {', '.join(changed)} is not what this was made of" if changed else ""


def _what_changed(dataset: PartitionedDataset, record: CommitRecord) -> str:
    if record.code_version != dataset.code_version:
        return f"code version {record.code_version}, now {dataset.code_version}"
    if record.config_hash != dataset.config_hash:
        return "the configuration changed"
    return "its own configuration, an input or a resource changed"


def _with_weights(dataset: PartitionedDataset, states: list[PlannedPartition]) -> list[PlannedPartition]:
    """Weights for dealing: recorded seconds; for keys without any, the static hint scaled to the recorded ones."""

    def hint(key: str) -> float:
        return dataset.cost(key) if dataset.cost else 1.0

    seconds = {state.key: state.published.seconds for state in states if state.published}
    known = sum(hint(key) for key in seconds)
    scale = sum(seconds.values()) / known if known > 0 else 1.0
    return [replace(state, weight=seconds.get(state.key, hint(state.key) * scale)) for state in states]


def deal(partitions: Sequence[PlannedPartition], shards: int) -> list[list[str]]:
    """Keys dealt into at most ``shards`` shards, heaviest first, each to the shard with the least work so far.

    Longest-processing-time-first: the longest shard is at most 4/3 of the best possible (Graham 1969). Within a shard
    the heaviest comes first too. Deterministic: ties go by key, then by shard number.
    """
    # Equal loads go to the shard with fewer keys: weights may all be zero.
    heap = [(0.0, 0, number) for number in range(min(shards, len(partitions)))]
    dealt: list[list[str]] = [[] for _ in heap]
    for partition in sorted(partitions, key=lambda each: (-each.weight, each.key)):
        load, held, number = heapq.heappop(heap)
        dealt[number].append(partition.key)
        heapq.heappush(heap, (load + partition.weight, held + 1, number))
    return dealt


# A finished partition inside a range costs milliseconds, another run seconds: bridge gaps up to this long.
LONGEST_BRIDGED_GAP = 500


def ranges(keys: Sequence[str], wanted: set[str], bridgeable: set[str]) -> list[tuple[str, str]]:
    """Contiguous ranges (first, last) of ``keys`` that cover ``wanted`` and otherwise only stretches of ``bridgeable``.

    >>> ranges(list("abcdef"), {"a", "c", "f"}, bridgeable={"b"})
    [('a', 'c'), ('f', 'f')]
    """
    found: list[tuple[str, str]] = []
    gap = LONGEST_BRIDGED_GAP + 1
    for key in keys:
        if key in wanted:
            if found and gap <= LONGEST_BRIDGED_GAP:
                found[-1] = (found[-1][0], key)
            else:
                found.append((key, key))
            gap = 0
        else:
            gap = gap + 1 if key in bridgeable else LONGEST_BRIDGED_GAP + 1
    return found
