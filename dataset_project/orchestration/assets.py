"""A partitioned dataset as a Dagster asset: plan → shards → publish, in one run for any range of partitions.

The plan step deals what is to do into shards; each shard is one step, so one process under the executor; the publish
step reads the commit records of every key of the run and turns each into exactly one materialisation event. Anything
without Dagster in it belongs to `planning` and `shards`.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import dagster as dg
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._core.events import DagsterEvent, EngineEventData
from dagster._utils import interrupts

from dataset_project.orchestration.dataset import PartitionedDataset
from dataset_project.orchestration.events import column_schema, record_metadata
from dataset_project.orchestration.logs import redact
from dataset_project.orchestration.planning import PlannedPartition, Planner, deal
from dataset_project.orchestration.shards import ShardRun, run_shard
from dataset_project.storage.records import CommitRecord
from dataset_project.storage.store import DatasetStore

# Run tags that anyone may set: in the UI's launchpad, on the command line, or by `dataset-project build`.
FORCE_TAG = "dataset_project/force"
SHARDS_TAG = "dataset_project/shards"
# Metadata of the engine events in which steps report progress.
_PROGRESS = "dataset_project/progress"
_SECONDS_BETWEEN_EVENTS = 1.0
# A killed process is retried. Each partition that keeps killing its process uses up two, and on the last retry those
# on which any process died are recorded as failed without being touched.
_SHARD_RETRIES = 20


def asset_key(dataset: PartitionedDataset) -> dg.AssetKey:
    return dg.AssetKey([dataset.name])


def asset_of_step(step_key: str) -> str:
    """Name of the dataset whose graph a step belongs to: ``patients`` for ``patients.patients_shard[0]``."""
    return step_key.split(".", 1)[0]


def partitions_definition(dataset: PartitionedDataset) -> dg.PartitionsDefinition | None:
    """Static partitions; equal for datasets with the same keys, which therefore can share a run."""
    return None if dataset.partition_keys is None else dg.StaticPartitionsDefinition(list(dataset.partition_keys))


def run_keys(context: dg.OpExecutionContext, dataset: PartitionedDataset) -> list[str]:
    """Keys of the dataset that this run targets."""
    return list(dataset.keys) if dataset.partition_keys is None else list(context.partition_keys)


def partitioned_asset(dataset: PartitionedDataset, store: DatasetStore, default_shards: int) -> dg.AssetsDefinition:
    """The graph-backed asset of ``dataset``."""
    plan, shard, publish = (
        _plan_op(dataset, store, default_shards),
        _shard_op(dataset, store),
        _publish_op(dataset, store),
    )
    inputs = [upstream.dataset.name for upstream in dataset.upstreams]

    @dg.graph(name=dataset.name, description=dataset.description, ins={name: dg.GraphIn() for name in inputs})
    def computation(**upstreams: Any):
        return publish(plan(**upstreams).map(shard).collect())

    return dg.AssetsDefinition.from_graph(
        computation,
        keys_by_input_name={name: dg.AssetKey([name]) for name in inputs},
        keys_by_output_name={"result": asset_key(dataset)},
        partitions_def=partitions_definition(dataset),
        partition_mappings=_partition_mappings(dataset),
        # Unpartitioned datasets have the policy too: `--partition-range` asks it of every selected asset.
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name=dataset.family,
        descriptions_by_output_name={"result": dataset.description},
        metadata_by_output_name={"result": {**column_schema(dataset.schemas), "directory": dataset.name}},
        tags_by_output_name={"result": {**dataset.tags, **{f"dagster/kind/{kind}": "" for kind in dataset.kinds}}},
        owners_by_output_name={"result": [f"team:{dataset.family}"]},
        code_versions_by_output_name={"result": dataset.code_version},
    )


def _partition_mappings(dataset: PartitionedDataset) -> dict[str, dg.PartitionMapping]:
    """Dagster's mapping of each partitioned upstream that is not by the same key."""
    mappings: dict[str, dg.PartitionMapping] = {}
    for upstream in dataset.upstreams:
        if upstream.dataset.partition_keys is None or upstream.mapping == "same":
            continue
        if upstream.mapping == "all":
            mappings[upstream.dataset.name] = dg.AllPartitionMapping()
            continue
        ours: dict[str, list[str]] = {}
        for key in dataset.keys:
            for theirs in upstream.keys_for(key):
                ours.setdefault(theirs, []).append(key)
        mappings[upstream.dataset.name] = dg.StaticPartitionMapping(ours)
    return mappings


def _plan_op(dataset: PartitionedDataset, store: DatasetStore, default_shards: int) -> dg.OpDefinition:
    @dg.op(
        name=f"{dataset.name}_plan",
        description="Decides what is done and what is to do, and deals that into shards, heaviest first.",
        ins={upstream.dataset.name: dg.In(dg.Nothing) for upstream in dataset.upstreams},
        out=dg.DynamicOut(list),
    )
    def plan(context: dg.OpExecutionContext) -> Iterator[dg.DynamicOutput[list]]:
        try:
            store.make_writable()
        except OSError as error:
            message = redact(f"the data directory {store.location} cannot be written: {error}")
            raise dg.Failure(message, allow_retries=False) from None
        planned = Planner(store).plan(dataset, run_keys(context, dataset))
        force = _is_forced(context.run)
        to_do = [partition for partition in planned if force or not partition.is_done]
        shards = deal(to_do, int(context.run.tags.get(SHARDS_TAG, default_shards)))
        done = len(planned) - len(to_do)
        context.log.info(f"{dataset.name}: {len(to_do)} to compute in {len(shards)} shards, {done} done already")
        _report_progress(context, dataset, {"total": len(planned), "reused": done, "to_do": len(to_do)})
        for number, keys in enumerate(shards):
            yield dg.DynamicOutput(keys, mapping_key=str(number))

    return plan


def _shard_op(dataset: PartitionedDataset, store: DatasetStore) -> dg.OpDefinition:
    @dg.op(
        name=f"{dataset.name}_shard",
        description="Computes, validates and publishes its partitions; a failing one is recorded and the others go on.",
        ins={"keys": dg.In(list)},
        out=dg.Out(dg.Nothing),
        retry_policy=dg.RetryPolicy(max_retries=_SHARD_RETRIES, delay=0.5),
        pool=dataset.pool,
    )
    def shard(context: dg.OpExecutionContext, keys: list) -> None:
        name = context.get_mapping_key() or "0"
        run = replace(_shard_run(context, name), last_retry=context.retry_number >= _SHARD_RETRIES)
        try:
            progress = _ShardProgress(context, dataset, name, len(keys))
            records = run_shard(dataset, keys, store, run, progress.after_partition, progress.activity)
        except (KeyboardInterrupt, DagsterExecutionInterruptedError) as error:
            # Dagster would retry an interrupted step. Refuse, and let the run hear of the interrupt once more.
            interrupts._received_interrupt["received"] = True
            raise dg.RetryRequested(max_retries=0) from error
        except Exception as error:
            # Partitions' own errors are caught inside. What reaches here is the machine's, and retrying would not help.
            raise dg.Failure(redact(f"{type(error).__name__}: {error}"), allow_retries=False) from None
        context.add_output_metadata(_figures(records))

    return shard


def _publish_op(dataset: PartitionedDataset, store: DatasetStore) -> dg.OpDefinition:
    @dg.op(
        name=f"{dataset.name}_publish",
        description="Reconciles planned with recorded partitions and records one materialisation for each.",
        ins={"shards": dg.In(dg.Nothing)},
        out=dg.Out(dg.Nothing),
    )
    def publish(context: dg.OpExecutionContext) -> None:
        planned = Planner(store).plan(dataset, run_keys(context, dataset))
        unfinished = [partition.key for partition in planned if _ended_badly(partition, context.run)]
        if unfinished and _shards_were_left_out(context, dataset):
            # "Re-execute from failure" runs this step alone, because the shards had succeeded: heal here.
            context.log.info(f"{dataset.name}: computing {len(unfinished)} unfinished partitions")
            run_shard(dataset, unfinished, store, _shard_run(context, "publish"))
            planned = Planner(store).plan(dataset, run_keys(context, dataset))
        accepted = [partition for partition in planned if not _ended_badly(partition, context.run)]
        failed = [partition for partition in planned if _ended_badly(partition, context.run)]
        _log_shards(context, [partition.record for partition in planned if partition.record])
        if failed:
            _record_good_and_fail(context, dataset, store, accepted, failed)
        step = context.get_step_execution_context()
        for partition in accepted:
            step.add_asset_metadata(
                record_metadata(partition.record, store, run_id=context.run_id),
                asset_key=asset_key(dataset),
                partition_key=None if dataset.partition_keys is None else partition.key,
            )

    return publish


def _record_good_and_fail(
    context: dg.OpExecutionContext,
    dataset: PartitionedDataset,
    store: DatasetStore,
    accepted: Sequence[PlannedPartition],
    failed: Sequence[PlannedPartition],
) -> None:
    """A step that fails records no output, so the good partitions' materialisations are logged one by one."""
    for partition in accepted:
        context.log_event(
            dg.AssetMaterialization(
                asset_key(dataset),
                partition=None if dataset.partition_keys is None else partition.key,
                metadata=record_metadata(partition.record, store, run_id=context.run_id),
                tags={"dagster/code_version": dataset.code_version},
            )
        )
    last = {partition.key: partition.failure or partition for partition in failed}
    reasons = {key: f"{each.status}: {each.reason}" for key, each in last.items()}
    first = ", ".join(f"{key} ({reason})" for key, reason in list(reasons.items())[:3])
    raise dg.Failure(
        f"{dataset.name}: {len(failed)} of {len(failed) + len(accepted)} partitions failed: {first}",
        metadata={"failed": dg.MetadataValue.json(reasons), "ok": len(accepted)},
        allow_retries=False,
    )


def _ended_badly(partition: PlannedPartition, run: dg.DagsterRun) -> bool:
    """Not done, or done before and failed when this run was told to compute it again."""
    failure = partition.failure
    return not partition.is_done or (
        _is_forced(run) and failure is not None and failure.run_id in (run.run_id, run.parent_run_id)
    )


def _is_forced(run: dg.DagsterRun) -> bool:
    return run.tags.get(FORCE_TAG, "").lower() in ("1", "true", "yes")


def _shard_run(context: dg.OpExecutionContext, shard: str) -> ShardRun:
    run = context.run
    return ShardRun(run.run_id, run.root_run_id or run.run_id, shard, _is_forced(run))


def _shards_were_left_out(context: dg.OpExecutionContext, dataset: PartitionedDataset) -> bool:
    steps = context.run.step_keys_to_execute
    if context.run.parent_run_id is None or steps is None:
        return False
    return f"{dataset.name}.{dataset.name}_plan" not in steps


class _ShardProgress:
    """What a shard tells of itself, no more often than once a second."""

    def __init__(self, context: dg.OpExecutionContext, dataset: PartitionedDataset, shard: str, partitions: int):
        self._context, self._dataset = context, dataset
        self._last = float("-inf")
        self._state: dict[str, Any] = {"shard": shard, "done": 0, "of": partitions, "failed": 0, "rows": 0}

    def after_partition(self, done: int, total: int, record: CommitRecord) -> None:
        self._state.update(done=done, of=total, key=record.partition)
        self._state["failed"] += not record.is_final
        self._state["rows"] += record.rows
        self._report(at_once=done == total)

    def activity(self, figures: Mapping[str, Any]) -> None:
        self._state["activity"] = dict(figures)
        self._report()

    def _report(self, at_once: bool = False) -> None:
        if at_once or time.monotonic() - self._last >= _SECONDS_BETWEEN_EVENTS:
            self._last = time.monotonic()
            _report_progress(self._context, self._dataset, self._state)


def _report_progress(context: dg.OpExecutionContext, dataset: PartitionedDataset, state: dict[str, Any]) -> None:
    told = {**state, **state.get("activity", {})}
    told.pop("activity", None)
    message = f"{dataset.name}: " + ", ".join(f"{name} {value}" for name, value in told.items())
    metadata = {_PROGRESS: dg.MetadataValue.json({"dataset": dataset.name, **state})}
    DagsterEvent.engine_event(context.get_step_execution_context(), message, EngineEventData(metadata=metadata))


def progress_of(event: DagsterEvent | None) -> dict[str, Any] | None:
    """What a plan or shard step reported in an engine event: the dataset, and counts; None for other events."""
    if event is None or not event.is_engine_event:
        return None
    value = event.engine_event_data.metadata.get(_PROGRESS)
    return None if value is None else value.value


def _figures(records: Sequence[CommitRecord]) -> dict[str, Any]:
    return {
        "partitions": len(records),
        "not_ok": sum(not record.is_final for record in records),
        "rows": sum(record.rows for record in records),
        "seconds": round(sum(record.seconds for record in records), 3),
        "cpu_seconds": round(sum(record.cpu_seconds for record in records), 3),
        "peak_memory_mb": round(max((record.peak_memory_bytes for record in records), default=0) / 1e6, 1),
    }


def _log_shards(context: dg.OpExecutionContext, records: Sequence[CommitRecord]) -> None:
    """Per-shard figures of what this run computed, on the run's log."""
    for shard in sorted({record.shard for record in records if record.run_id == context.run_id}):
        mine = [record for record in records if record.shard == shard and record.run_id == context.run_id]
        context.log.info(f"shard {shard}: {_figures(mine)}")
