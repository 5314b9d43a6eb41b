"""Dagster without domains: partitioned datasets, planning, shards, checks, executors, the manifest and builds.

Nothing here knows a dataset family. `dataset`, `planning` and `shards` do not import Dagster either: they are the
part a shard's process runs.
"""
