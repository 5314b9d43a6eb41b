"""Executors by setting. The same graphs run unchanged under each; shards are the unit they run in parallel."""

from __future__ import annotations

import os
from typing import Literal

import dagster as dg

ExecutorName = Literal["multiprocess", "in_process"]

# Most of what a forked step process does before any work is import these; the fork server imports them once.
# It swallows import errors, so a test imports each.
PRELOAD = (
    "dagster._cli",
    "dagster._core.storage.sqlite_storage",
    "dagster._core.storage.base_storage",
    "dagster._core.storage.local_compute_log_manager",
    "dagster._core.storage.fs_io_manager",
    "dagster._core.run_coordinator",
    "dagster._core.launcher.default_run_launcher",
    "upath.implementations.local",
)


def available_cores() -> int:
    """Cores this process may use (containers and ``taskset`` respected where the platform tells)."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def executor(name: ExecutorName, workers: int, definitions_module: str) -> dg.ExecutorDefinition:
    """``multiprocess``: ``workers`` steps at a time, forked from a server with everything preloaded;
    ``in_process``: one step at a time in the run's own process."""
    if name == "in_process":
        return dg.in_process_executor
    return dg.multiprocess_executor.configured(
        {
            "max_concurrent": workers,
            "start_method": {"forkserver": {"preload_modules": [*PRELOAD, definitions_module]}},
        }
    )
