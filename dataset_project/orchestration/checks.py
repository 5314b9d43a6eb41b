"""Asset checks: each dataset's validators asked again, of what was published.

A check covers the partitions of its run and gives one result that names those that fail; without partitions in the
run (a check started by hand) it covers every published one. Blocking ones keep downstream datasets from being built.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import dagster as dg
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
)

from dataset_project.orchestration.assets import asset_key
from dataset_project.orchestration.dataset import PartitionedDataset, PartitionFiles, Validator
from dataset_project.orchestration.work import published_files
from dataset_project.storage.store import DatasetStore
from dataset_project.storage.validation import Finding

INTACT = "files_match_records"
_MOST_NAMED = 20


def dataset_checks(dataset: PartitionedDataset, store: DatasetStore) -> dg.AssetChecksDefinition:
    """The asset checks of ``dataset``: its validators, and that files are what their commit records say."""
    key = asset_key(dataset)
    specs = [
        dg.AssetCheckSpec(
            INTACT, asset=key, blocking=True, description="Every file re-hashed against its commit record."
        )
    ]
    specs += [
        dg.AssetCheckSpec(each.name, asset=key, blocking=each.blocking, description=each.description)
        for each in dataset.validators
    ]

    @dg.multi_asset_check(name=f"{dataset.name}_checks", specs=specs)
    def checks(context) -> Iterator[dg.AssetCheckResult]:
        keys = checked_keys(dataset, context.run.tags)
        with tempfile.TemporaryDirectory(prefix="checks-") as scratch:
            published = {each: published_files(store, dataset, each, Path(scratch)) for each in keys}
            yield _result(dataset, INTACT, True, {each: _intact(dataset, store, each) for each in keys})
            present = [files for files in published.values() if files is not None]
            for validator in dataset.validators:
                yield _result(
                    dataset,
                    validator.name,
                    validator.blocking,
                    _findings(validator, dataset, store, present, Path(scratch)),
                )

    return checks


def check_keys(dataset: PartitionedDataset) -> dict[dg.AssetCheckKey, bool]:
    """Keys of the dataset's checks, and whether each keeps downstream datasets from being built."""
    blocking = {INTACT: True} | {validator.name: validator.blocking for validator in dataset.validators}
    return {dg.AssetCheckKey(asset_key(dataset), name): blocks for name, blocks in blocking.items()}


def checked_keys(dataset: PartitionedDataset, tags: Mapping[str, str]) -> list[str]:
    """Keys a run with ``tags`` covers; all of them when it names none."""
    keys = list(dataset.keys)
    if dataset.partition_keys is None:
        return keys
    if PARTITION_NAME_TAG in tags:
        return [tags[PARTITION_NAME_TAG]]
    if ASSET_PARTITION_RANGE_START_TAG in tags:
        start = keys.index(tags[ASSET_PARTITION_RANGE_START_TAG])
        return keys[start : keys.index(tags[ASSET_PARTITION_RANGE_END_TAG]) + 1]
    return keys


def _intact(dataset: PartitionedDataset, store: DatasetStore, key: str) -> Finding:
    record = store.committed(dataset.name, key)
    if record is None:
        failure = store.last_failure(dataset.name, key)
        status = failure.status if failure else "missing"
        return Finding(status == "unavailable", f"not published: {status}")
    differences = store.differences(record, rehash=True)
    return Finding(
        not differences,
        "; ".join(differences),
        {"rows": record.rows, "bytes": record.bytes, "files": len(record.files)},
    )


def _findings(
    validator: Validator,
    dataset: PartitionedDataset,
    store: DatasetStore,
    present: Sequence[PartitionFiles],
    scratch: Path,
) -> dict[str, Finding]:
    if validator.scope == "partition":
        return {files.key: validator.judge(files) for files in present}
    everything = [
        published_files(store, dataset, key, scratch) for key in store.committed_keys(dataset.name, dataset.keys)
    ]
    return {f"all {len(everything)} partitions": validator.judge([files for files in everything if files])}


def _result(
    dataset: PartitionedDataset, name: str, blocking: bool, findings: Mapping[str, Finding]
) -> dg.AssetCheckResult:
    failing = {key: finding.summary for key, finding in findings.items() if not finding.passed}
    metadata: dict = {"checked": len(findings), "failing": len(failing)}
    if failing:
        metadata["failing_partitions"] = dg.MetadataValue.json(dict(list(failing.items())[:_MOST_NAMED]))
    return dg.AssetCheckResult(
        check_name=name,
        asset_key=asset_key(dataset),
        passed=not failing,
        severity=dg.AssetCheckSeverity.ERROR if blocking else dg.AssetCheckSeverity.WARN,
        description="; ".join(f"{key}: {summary}" for key, summary in list(failing.items())[:3]) or _passing(findings),
        metadata=metadata | _figures(findings),
    )


def _passing(findings: Mapping[str, Finding]) -> str:
    only = next(iter(findings.values())).summary if len(findings) == 1 else ""
    return only or f"{len(findings)} partitions hold"


def _figures(findings: Mapping[str, Finding]) -> dict[str, int | float | str | bool]:
    """A single finding's figures as they are; of several, the smallest and the largest of each number."""
    if len(findings) == 1:
        return dict(next(iter(findings.values())).figures)
    ranges: dict[str, list[float]] = {}
    for finding in findings.values():
        for name, value in finding.figures.items():
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                ranges.setdefault(name, []).append(value)
    return {
        f"{name} ({word})": pick(values)
        for name, values in ranges.items()
        for word, pick in (("min", min), ("max", max))
    }
