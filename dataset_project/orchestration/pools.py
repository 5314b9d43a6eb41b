"""Dagster pools that datasets declare: how many shards, of all runs together, hold one at a time."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from dataset_project.orchestration.dataset import PartitionedDataset

# One process keeps a provider busy; the second is there when the first dies.
DEFAULT_LIMIT = 2


def limit_pools(instance: dg.DagsterInstance, datasets: Sequence[PartitionedDataset]) -> None:
    """Give each declared pool its limit, unless somebody has set one (`dagster instance concurrency set`)."""
    storage = instance.event_log_storage
    if not storage.supports_global_concurrency_limits:
        return
    chosen = {limit.name for limit in storage.get_pool_limits() if not limit.from_default}
    for pool in sorted({dataset.pool for dataset in datasets if dataset.pool} - chosen):
        storage.set_concurrency_slots(pool, DEFAULT_LIMIT)


def free_slots(instance: dg.DagsterInstance, run_id: str) -> None:
    """Take back what a run that died still holds: nobody else does until a daemon looks."""
    storage = instance.event_log_storage
    if storage.supports_global_concurrency_limits:
        storage.free_concurrency_slots_for_run(run_id)
