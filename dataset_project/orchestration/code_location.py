"""Assembling the code location: every dataset's asset and checks, the manifest, its sensors, the executor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import dagster as dg

from dataset_project.orchestration.assets import partitioned_asset
from dataset_project.orchestration.checks import dataset_checks
from dataset_project.orchestration.dataset import PartitionedDataset
from dataset_project.orchestration.executors import ExecutorName, executor
from dataset_project.orchestration.manifest import MANIFEST_ASSET, manifest_asset
from dataset_project.orchestration.sensors import MANIFEST_JOB, manifest_sensors
from dataset_project.storage.store import DatasetStore


@dataclass(frozen=True)
class Execution:
    """How runs are executed: executor, processes at a time, shards per dataset and run."""

    executor: ExecutorName
    workers: int
    shards: int


def assemble(
    datasets: Sequence[PartitionedDataset], store: DatasetStore, execution: Execution, definitions_module: str
) -> dg.Definitions:
    """What Dagster loads. ``definitions_module``: the module that calls this, which the fork server preloads."""
    refresh = dg.define_asset_job(
        MANIFEST_JOB,
        selection=[MANIFEST_ASSET],
        executor_def=dg.in_process_executor,
        description="Refreshes the manifest.",
    )
    return dg.Definitions(
        assets=[
            *(partitioned_asset(each, store, execution.shards) for each in datasets),
            manifest_asset(datasets, store),
        ],
        asset_checks=[dataset_checks(dataset, store) for dataset in datasets],
        jobs=[refresh],
        sensors=manifest_sensors(refresh),
        executor=executor(execution.executor, execution.workers, definitions_module),
    )
