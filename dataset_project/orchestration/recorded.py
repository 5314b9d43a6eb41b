"""What the Dagster instance has on record of a dataset: materialisations and check results.

Files are the truth of what is published; this is the other side, which must agree with them.
"""

import dagster as dg
from dagster import AssetRecordsFilter, DagsterEventType
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

from dataset_project.orchestration.assets import asset_key
from dataset_project.orchestration.checks import check_keys
from dataset_project.orchestration.dataset import PartitionedDataset
from dataset_project.orchestration.events import metadata_record
from dataset_project.storage.keys import UNPARTITIONED
from dataset_project.storage.records import CommitRecord

_EVENTS_PER_QUERY = 500


def latest_records(instance: dg.DagsterInstance, dataset: PartitionedDataset) -> dict[str, CommitRecord]:
    """What the newest materialisation event of each partition says, from its metadata alone."""
    key = asset_key(dataset)
    if dataset.partition_keys is None:
        newest = instance.fetch_materializations(key, limit=1).records
    else:
        ids = instance.event_log_storage.get_latest_storage_id_by_partition(key, DagsterEventType.ASSET_MATERIALIZATION)
        wanted, newest = sorted(ids.values()), []
        for start in range(0, len(wanted), _EVENTS_PER_QUERY):
            some = wanted[start : start + _EVENTS_PER_QUERY]
            newest += instance.fetch_materializations(
                AssetRecordsFilter(key, storage_ids=some), limit=len(some)
            ).records
    found = {}
    for event in newest:
        record = metadata_record(event.asset_materialization.metadata)
        if record is not None:
            found[event.partition_key or UNPARTITIONED] = record
    return found


def disagreement(published: CommitRecord | None, event: CommitRecord | None) -> str:
    """How what is published differs from the newest event; empty when they agree."""
    if event is None:
        return "published, but no materialisation event" if published else ""
    if published is None:
        return "a materialisation event, but nothing published"
    compared = ("sha256", "fingerprint", "rows", "bytes", "status")
    different = [name for name in compared if getattr(published, name) != getattr(event, name)]
    return "; ".join(f"{name}: files {getattr(published, name)}, event {getattr(event, name)}" for name in different)


def failing_checks(instance: dg.DagsterInstance, dataset: PartitionedDataset) -> dict[dg.AssetCheckKey, str]:
    """Checks that failed or did not finish when they were last asked, or never were, with what is known."""
    keys = list(check_keys(dataset))
    latest = instance.event_log_storage.get_latest_asset_check_execution_by_key(keys)
    failing = {}
    for key in keys:
        record = latest.get(key)
        if record is None:
            failing[key] = "was never asked"
        elif record.status != AssetCheckExecutionRecordStatus.SUCCEEDED:
            event = record.event.dagster_event if record.event else None
            failed = record.status == AssetCheckExecutionRecordStatus.FAILED and event is not None
            failing[key] = (event.asset_check_evaluation_data.description or "") if failed else "did not finish"
    return failing
