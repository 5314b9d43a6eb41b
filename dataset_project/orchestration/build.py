"""Building datasets: plan in process, launch ordinary runs for what is to do, none when there is nothing.

One run per partitions definition and contiguous range, in dependency order. After a failed run, what hangs on good
partitions is still built; what hangs on a dataset whose blocking check failed is not. Every run is one the UI shows;
showing progress belongs to the command line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import dagster as dg
from dagster._core.definitions.reconstruct import ReconstructableJob, ReconstructableRepository
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

from dataset_project.orchestration.assets import FORCE_TAG, SHARDS_TAG, asset_key, asset_of_step
from dataset_project.orchestration.checks import check_keys
from dataset_project.orchestration.dataset import PartitionedDataset, in_dependency_order
from dataset_project.orchestration.manifest import MANIFEST_ASSET, manifest_rows, read_manifest
from dataset_project.orchestration.planning import PlannedPartition, Planner, ranges
from dataset_project.orchestration.recorded import disagreement, failing_checks, latest_records
from dataset_project.orchestration.sensors import MANIFEST_JOB
from dataset_project.storage.keys import UNPARTITIONED
from dataset_project.storage.store import DatasetStore

BUILD_TAG = "dataset_project/build"
# How often one build takes up a dataset whose checks no run got as far as asking.
MOST_ROUNDS = 3


@dataclass(frozen=True)
class BuildOptions:
    """``keys`` limits every partitioned dataset; ``build_id`` tags the runs; ``force`` recomputes what is done."""

    build_id: str
    keys: frozenset[str] | None = None
    shards: int | None = None
    force: bool = False


@dataclass(frozen=True)
class RunRequest:
    """One run: datasets that share a partitions definition, and the first and last key (None: unpartitioned)."""

    datasets: tuple[PartitionedDataset, ...]
    first: str | None = None
    last: str | None = None


@dataclass
class BuildResult:
    """What a build came to: its runs (id, succeeded); by dataset the partitions that did not end well, those that wait
    for others, the checks that fail (name → what it said, whether it blocks) and the partitions that are no longer
    planned; the manifest's rows."""

    runs: list[tuple[str, bool]] = field(default_factory=list)
    failed: dict[str, dict[str, str]] = field(default_factory=dict)
    waiting: dict[str, list[str]] = field(default_factory=dict)
    failing_checks: dict[str, dict[str, tuple[str, bool]]] = field(default_factory=dict)
    orphans: dict[str, list[str]] = field(default_factory=dict)
    manifest: list[dict[str, object]] = field(default_factory=list)

    @property
    def succeeded(self) -> bool:
        """Nothing failed and no blocking check fails: partitions may be unavailable, or wait for inputs not asked for.

        A run may have failed all the same, and a later one of the build made it good.
        """
        blocked = any(blocks for checks in self.failing_checks.values() for _, blocks in checks.values())
        return not self.failed and not blocked


def chosen_keys(dataset: PartitionedDataset, options: BuildOptions) -> tuple[str, ...]:
    """Keys of ``dataset`` that the build covers."""
    if options.keys is None or dataset.partition_keys is None:
        return dataset.keys
    return tuple(key for key in dataset.keys if key in options.keys)


def with_inputs(keys: Iterable[str], datasets: Sequence[PartitionedDataset]) -> frozenset[str]:
    """``keys`` and the partitions under other keys that they are made of, such as the resources a combination reads."""
    wanted = set(keys)
    for dataset in reversed(in_dependency_order(datasets)):
        for upstream in dataset.upstreams:
            if callable(upstream.mapping) and dataset.partition_keys is not None:
                wanted.update(*(upstream.keys_for(key) for key in dataset.keys if key in wanted))
    return frozenset(wanted)


class Builder:
    """Brings datasets up to date, once."""

    def __init__(
        self,
        store: DatasetStore,
        instance: dg.DagsterInstance,
        definitions_module: str,
        options: BuildOptions,
        interrupted: Callable[[], bool] = lambda: False,
    ):
        """``interrupted`` tells, after each run, whether to stop: `build` then raises KeyboardInterrupt."""
        self._store, self._instance, self._options, self._interrupted = store, instance, options, interrupted
        self._repository = ReconstructableRepository.for_module(definitions_module, "defs")
        self._result = BuildResult()
        # What this build has tried: nothing is tried twice, so a build ends.
        self._tried: set[tuple[str, str]] = set()
        self._checked: set[str] = set()
        self._rounds: Counter[str] = Counter()

    def build(
        self, datasets: Sequence[PartitionedDataset], all_datasets: Sequence[PartitionedDataset] | None = None
    ) -> BuildResult:
        """Build ``datasets``; the manifest covers ``all_datasets``, those of the code location (default: the same)."""
        for group in _groups(in_dependency_order(datasets)):
            while requests := self._requests(group):
                for request in requests:
                    self._execute(request)
        for dataset in datasets:
            self._account_for(dataset)
        self._result.manifest = self._refresh_manifest(datasets if all_datasets is None else all_datasets)
        return self._result

    def _requests(self, group: Sequence[PartitionedDataset]) -> list[RunRequest]:
        """Runs that bring a group further: everything to do whose inputs are done or are made in the same run."""
        planner = Planner(self._store)
        to_do: dict[str, set[str]] = {}
        bridgeable = set(chosen_keys(group[0], self._options))
        for dataset in group:
            if any(each.name not in to_do and self._is_poisoned(each) for each in self._made_of(dataset)):
                continue  # the checks of what it is made of do not pass
            states = planner.plan(dataset, chosen_keys(dataset, self._options))
            # Asked again of what is done, in case what a check refused was repaired or the run that asks it was killed.
            unasked = dataset.name not in self._checked and self._rounds[dataset.name] < MOST_ROUNDS
            again = unasked and self._is_poisoned(dataset)
            unrecorded = self._unrecorded(dataset, states)
            for state in states:
                redone = any(state.key in to_do.get(each.dataset.name, ()) for each in dataset.upstreams)
                due = self._options.force or redone or not state.is_done or state.key in unrecorded
                tried = (dataset.name, state.key) in self._tried
                wanted = (again and state.is_done) or (due and not tried)
                if wanted and self._has_inputs(dataset, state.key, planner, to_do):
                    to_do.setdefault(dataset.name, set()).add(state.key)
                elif not state.is_done:
                    bridgeable.discard(state.key)
        needed = tuple(dataset for dataset in group if dataset.name in to_do)
        if not needed:
            return []
        self._rounds.update(dataset.name for dataset in needed)
        if group[0].partition_keys is None:
            return [RunRequest(needed)]
        wanted_keys = set().union(*to_do.values())
        return [RunRequest(needed, *ends) for ends in ranges(group[0].keys, wanted_keys, bridgeable - wanted_keys)]

    def _has_inputs(self, dataset: PartitionedDataset, key: str, planner: Planner, to_do: dict[str, set[str]]) -> bool:
        for upstream in dataset.upstreams:
            if not upstream.required:
                continue
            made_here = to_do.get(upstream.dataset.name, set())
            needed = [each for each in upstream.keys_for(key) if each not in made_here]
            if not all(state.is_done for state in planner.plan(upstream.dataset, needed)):
                return False
        return True

    def _made_of(self, dataset: PartitionedDataset) -> list[PartitionedDataset]:
        """Upstream datasets of which any of the chosen partitions needs one."""
        keys = chosen_keys(dataset, self._options)
        return [each.dataset for each in dataset.upstreams if any(each.keys_for(key) for key in keys)]

    def _is_poisoned(self, dataset: PartitionedDataset) -> bool:
        """Whether a blocking check of the dataset did not pass when it was last asked, or never was."""
        blocking = check_keys(dataset)
        return any(blocking[key] for key in failing_checks(self._instance, dataset))

    def _unrecorded(self, dataset: PartitionedDataset, states: Sequence[PlannedPartition]) -> set[str]:
        """Finished partitions whose newest event is missing or says otherwise, as after a run that was killed."""
        events = latest_records(self._instance, dataset)
        return {state.key for state in states if state.is_done and disagreement(state.record, events.get(state.key))}

    def _execute(self, request: RunRequest) -> None:
        tags = {}
        if request.first is not None:
            tags |= {ASSET_PARTITION_RANGE_START_TAG: request.first, ASSET_PARTITION_RANGE_END_TAG: request.last}
        if self._options.force:
            tags[FORCE_TAG] = "true"
        if self._options.shards:
            tags[SHARDS_TAG] = str(self._options.shards)
        keys = [asset_key(dataset) for dataset in request.datasets]
        result = self._execute_assets(keys, tags)
        started = {asset_of_step(event.step_key) for event in result.all_events if event.is_step_start}
        asked = {evaluation.asset_key for evaluation in result.get_asset_check_evaluations()}
        for dataset in request.datasets:
            # After a failure the later datasets of the run were never begun, and are free to be tried. A run that
            # began nothing at all is not tried again.
            if dataset.name in started or not started:
                self._tried |= {(dataset.name, key) for key in _keys(dataset, request)}
            if asset_key(dataset) in asked or not started:
                self._checked.add(dataset.name)

    def _execute_assets(
        self, keys: Sequence[dg.AssetKey], tags: dict[str, str], job_name: str | None = None
    ) -> dg.JobExecutionResult:
        """One run of these assets and their checks in this process, as ``dagster asset materialize`` makes it."""
        name = job_name or self._repository.get_definition().get_implicit_job_def_for_assets(keys).name
        result = dg.execute_job(
            ReconstructableJob(self._repository, name),
            instance=self._instance,
            asset_selection=list(keys),
            tags={BUILD_TAG: self._options.build_id, **tags},
            # The console shows progress; everything else is on the run and in the shards' logs.
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
        self._result.runs.append((result.run_id, result.success))
        if self._interrupted():
            raise KeyboardInterrupt  # `execute_job` swallows it and returns a failed run
        return result

    def _account_for(self, dataset: PartitionedDataset) -> None:
        orphans = sorted(set(self._store.partitions(dataset.name)) - set(dataset.keys))
        if orphans:
            self._result.orphans[dataset.name] = orphans
        blocking = check_keys(dataset)
        mine = {run_id for run_id, _ in self._result.runs}
        states = Planner(self._store).plan(dataset, chosen_keys(dataset, self._options))
        if any(state.is_done for state in states):
            for key, said in failing_checks(self._instance, dataset).items():
                self._result.failing_checks.setdefault(dataset.name, {})[key.name] = (said, blocking[key])
        for state in states:
            failed_here = state.failure is not None and state.failure.run_id in mine
            if state.status == "unavailable" or (state.is_done and not failed_here):
                continue
            if state.status in ("missing", "stale") and (dataset.name, state.key) not in self._tried:
                self._result.waiting.setdefault(dataset.name, []).append(state.key)
            else:
                self._result.failed.setdefault(dataset.name, {})[state.key] = _described(state)

    def _refresh_manifest(self, datasets: Sequence[PartitionedDataset]) -> list[dict[str, object]]:
        """Materialise the manifest when it does not say what is so; otherwise leave it alone."""
        rows = manifest_rows(datasets, self._store, self._instance)
        if _summary(rows) != _summary(self._written_manifest()):
            if not self._execute_assets([dg.AssetKey([MANIFEST_ASSET])], {}, MANIFEST_JOB).success:
                self._result.failed[MANIFEST_ASSET] = {UNPARTITIONED: "its run failed"}
            rows = manifest_rows(datasets, self._store, self._instance)
        return rows

    def _written_manifest(self) -> list[dict[str, object]]:
        try:
            return read_manifest(self._store)
        except (FileNotFoundError, ValueError):
            return []


def _summary(rows: Sequence[dict[str, object]]) -> list[tuple[object, ...]]:
    names = ("dataset", "partition", "status", "reason", "sha256", "run_id", "fingerprint", "disagreement")
    return [tuple(row.get(name) for name in names) for row in rows]


def _described(state: PlannedPartition) -> str:
    last = state.failure or state
    return f"{last.status}: {last.reason}" if last.reason else last.status


def _keys(dataset: PartitionedDataset, request: RunRequest) -> tuple[str, ...]:
    if request.first is None or request.last is None:
        return dataset.keys
    return dataset.keys[dataset.keys.index(request.first) : dataset.keys.index(request.last) + 1]


def _groups(datasets: Sequence[PartitionedDataset]) -> list[list[PartitionedDataset]]:
    """Neighbours in dependency order that share a partitions definition, so that one range run can cover them."""
    groups: list[list[PartitionedDataset]] = []
    for dataset in datasets:
        if groups and groups[-1][0].partition_keys == dataset.partition_keys:
            groups[-1].append(dataset)
        else:
            groups.append([dataset])
    return groups
