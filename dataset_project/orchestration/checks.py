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
from dataset_project.orchestration.logs import redact
from dataset_project.orchestration.work import published_files
from dataset_project.storage.publishing import rehash
from dataset_project.storage.records import COMMITTED
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

    @dg.multi_asset_check(name=f"{dataset.name}_checks", specs=specs, can_subset=True)
    def checks(context) -> Iterator[dg.AssetCheckResult]:
        keys = checked_keys(dataset, context.run.tags, store)
        with tempfile.TemporaryDirectory(prefix="checks-") as scratch:
            asked = {check.name for check in context.selected_asset_check_keys}
            if INTACT in asked:
                yield _result(dataset, INTACT, True, {each: _intact(dataset, store, each) for each in keys})
            present = _readable(dataset, store, keys, Path(scratch))
            for validator in (each for each in dataset.validators if each.name in asked):
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


def checked_keys(dataset: PartitionedDataset, tags: Mapping[str, str], store: DatasetStore) -> list[str]:
    """Keys a run with ``tags`` covers; every published one when it names none."""
    keys = list(dataset.keys)
    if PARTITION_NAME_TAG in tags:
        return [tags[PARTITION_NAME_TAG]]
    if ASSET_PARTITION_RANGE_START_TAG in tags:
        start = keys.index(tags[ASSET_PARTITION_RANGE_START_TAG])
        return keys[start : keys.index(tags[ASSET_PARTITION_RANGE_END_TAG]) + 1]
    return [key for key in keys if store.fs.exists(store.path(dataset.name, key, COMMITTED))]


def _intact(dataset: PartitionedDataset, store: DatasetStore, key: str) -> Finding:
    try:
        record = store.committed(dataset.name, key)
    except ValueError as error:
        return Finding(False, str(error))
    if record is None:
        return Finding(False, "not published")
    differences = rehash(store, record)
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
        return {files.key: _judged(validator, files) for files in present}
    everything = _readable(dataset, store, dataset.keys, scratch)
    return {f"all {len(everything)} partitions": _judged(validator, everything)}


def _readable(
    dataset: PartitionedDataset, store: DatasetStore, keys: Sequence[str], scratch: Path
) -> list[PartitionFiles]:
    """Files of the partitions that hold some. What cannot be read is `_intact`'s to say."""
    found = []
    for key in keys:
        try:
            files = published_files(store, dataset, key, scratch)
        except (ValueError, FileNotFoundError):
            continue
        if files is not None:
            found.append(files)
    return found


def _judged(validator: Validator, files: PartitionFiles | Sequence[PartitionFiles]) -> Finding:
    """A validator that raises has not passed, and does not keep the others from being asked."""
    try:
        return validator.judge(files)
    except Exception as error:
        return Finding(False, redact(f"could not be asked: {type(error).__name__}: {error}"))


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
