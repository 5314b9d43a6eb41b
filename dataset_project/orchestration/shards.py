"""Running one shard: for each of its partitions compute, validate, publish, record.

A failing partition is caught and recorded with its reason, and the others go on. A process that dies leaves no
half-written partition: the retry skips what is published and takes the partition it died on last.
"""

from __future__ import annotations

import json
import logging
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dataset_project.orchestration.dataset import Outcome, PartitionedDataset, Rejected, Unavailable
from dataset_project.orchestration.logs import redact, shard_log
from dataset_project.orchestration.planning import PlannedPartition, Planner
from dataset_project.orchestration.work import PartitionInputs, PartitionWork, ShardWork, files_in, upstream_files
from dataset_project.storage.publishing import PartitionSlot, attempts_path, partition_slot
from dataset_project.storage.records import CommitRecord, FileEntry, Status, content_hash
from dataset_project.storage.store import DatasetStore

# A partition on which this many processes of one run have died is recorded as failed instead of killing another.
MOST_DEATHS = 2


class _Invalid(Exception):
    """A blocking validator refused the partition."""


@dataclass(frozen=True)
class ShardRun:
    """Who computes: the run, the first run of its re-executions, the shard's name, whether done work is redone, and
    whether this is the last retry, on which no partition that a process died on is touched again."""

    run_id: str
    root_run_id: str
    shard: str
    force: bool = False
    last_retry: bool = False


def run_shard(
    dataset: PartitionedDataset,
    keys: Sequence[str],
    store: DatasetStore,
    run: ShardRun,
    on_progress: Callable[[int, int, CommitRecord], None] = lambda done, total, record: None,
    on_activity: Callable[[Mapping[str, Any]], None] = lambda figures: None,
) -> list[CommitRecord]:
    """Compute ``keys`` in order and return one record each.

    ``on_progress`` gets (done, total, record) after each, ``on_activity`` what a session reports between two.
    """
    records = []
    ordered = _died_on_last(dataset, keys, store, run)
    with (
        shard_log(store, run.run_id, dataset.name, run.shard) as log,
        _Session(dataset, ordered, store, run, log, on_activity) as session,
    ):
        log.info("%s: %d partitions", dataset.name, len(keys))
        for key in ordered:
            record = _run_partition(dataset, key, store, run, log, session)
            records.append(record)
            on_progress(len(records), len(keys), record)
        log.info("%s: done, %d not ok", dataset.name, sum(not record.is_final for record in records))
    return records


def _died_on_last(dataset: PartitionedDataset, keys: Sequence[str], store: DatasetStore, run: ShardRun) -> list[str]:
    return sorted(keys, key=lambda key: _deaths(attempts_path(store, dataset.name, key), run))


def _deaths(attempts: Path, run: ShardRun) -> int:
    """How many processes of this run died on the partition; only meaningful while nobody computes it."""
    try:
        noted = json.loads(attempts.read_text())
    except (FileNotFoundError, ValueError):
        return 0
    return noted["started"] if noted["run"] == run.run_id else 0


class _Session:
    """A dataset's session, opened when the first partition is about to be computed and kept until the last one is.

    An error of opening it is every partition's: it is raised again for each.
    """

    def __init__(
        self,
        dataset: PartitionedDataset,
        keys: Sequence[str],
        store: DatasetStore,
        run: ShardRun,
        log: logging.Logger,
        report: Callable[[Mapping[str, Any]], None],
    ):
        self._dataset, self._keys, self._store, self._run = dataset, keys, store, run
        self._log, self._report = log, report
        self._stack = ExitStack()
        self._opened: Any = None
        self._error: Exception | None = None

    def __enter__(self) -> _Session:
        return self

    def __exit__(self, *exception: Any) -> None:
        self._stack.__exit__(*exception)

    def value(self, key: str) -> Any:
        """What the dataset's session gave, opened for ``key`` and those after it. None where it declares none."""
        if self._dataset.session is None:
            return None
        if self._error is not None:
            raise self._error
        if self._opened is None:
            later = self._keys[self._keys.index(key) :]
            states = Planner(self._store).plan(self._dataset, later)
            due = [state.key for state in states if state.key == key or self._run.force or not state.is_done]
            inputs = tuple(PartitionInputs(self._dataset, each, self._store) for each in due)
            work = ShardWork(self._run.run_id, self._run.shard, inputs, self._log, self._report)
            try:
                self._opened = self._stack.enter_context(self._dataset.session(work))
            except Exception as error:
                self._error = error
                raise
        return self._opened


def _run_partition(
    dataset: PartitionedDataset, key: str, store: DatasetStore, run: ShardRun, log: logging.Logger, session: _Session
) -> CommitRecord:
    with partition_slot(store, dataset.name, key) as slot:
        # Another build may have finished it while this one waited for the lock, or this run before it was retried.
        planner = Planner(store)
        planned = planner.plan(dataset, [key])[0]
        if planned.is_done and not (run.force and planned.record.run_id not in (run.run_id, run.root_run_id)):
            log.info("%s is done already", key)
            return planned.record
        deaths = _deaths(slot.attempts, run)
        slot.attempts.write_text(json.dumps({"run": run.run_id, "started": deaths + 1}))
        attempt = _Attempt(dataset, planned, planner, slot, run, log, session)
        if deaths >= (1 if run.last_retry else MOST_DEATHS):
            record = attempt.failed(f"{_processes(deaths)} died while computing it (out of memory, or killed)")
        else:
            record = attempt.compute_and_publish()
        slot.attempts.unlink(missing_ok=True)
        return record


def _processes(count: int) -> str:
    return f"{count} process" if count == 1 else f"{count} processes"


class _Attempt:
    """One attempt at one partition, whose clock starts when it is made."""

    def __init__(
        self,
        dataset: PartitionedDataset,
        planned: PlannedPartition,
        planner: Planner,
        slot: PartitionSlot,
        run: ShardRun,
        log: logging.Logger,
        session: _Session,
    ):
        self._dataset, self._planned, self._planner, self._slot = dataset, planned, planner, slot
        self._run, self._log, self._session = run, log, session
        self._started_at = datetime.now(UTC)
        self._input_hashes: dict[str, str] = {}
        self._clock, self._cpu_clock = time.monotonic(), time.process_time()

    def compute_and_publish(self) -> CommitRecord:
        key = self._planned.key
        try:
            self._input_hashes = self._planner.input_hashes(self._dataset, key)
            self._require_inputs()
            outcome, files = self._compute()
            record = self._record("ok" if outcome.items_ok else "empty", outcome.reason, outcome, files)
            self._slot.publish(record)
        except Rejected as error:
            self._slot.stage()
            record = self._record("rejected", str(error), _one_item(items_rejected=1))
            self._slot.publish(record)
            self._log.warning("%s rejected: %s", key, error)
        except Unavailable as error:
            record = self.failed(str(error), status="unavailable")
        except _Invalid as error:
            record = self.failed(str(error))
        except Exception as error:
            self._log.error("%s failed\n%s", key, traceback.format_exc())
            record = self.failed(f"{type(error).__name__}: {error}")
        else:
            self._log.info(
                "%s %s: %d rows, %d bytes, %.2f s", key, record.status, record.rows, record.bytes, record.seconds
            )
        return record

    def failed(self, reason: str, status: Status = "failed") -> CommitRecord:
        """Record the attempt as failed; what was published before stays."""
        self._slot.discard()
        record = self._record(status, reason, _one_item(items_failed=1))
        self._log.error("%s %s: %s", self._planned.key, status, reason)
        try:
            self._slot.store.write_failure(record)
        except OSError as error:
            self._log.error("%s: the failure could not be recorded: %s", self._planned.key, error)
        return record

    def _require_inputs(self) -> None:
        for upstream in self._dataset.upstreams:
            if not upstream.required:
                continue
            states = self._planner.plan(upstream.dataset, upstream.keys_for(self._planned.key))
            waiting = [state for state in states if not state.is_done]
            if waiting:
                first = waiting[0]
                more = f" and {len(waiting) - 1} more" if len(waiting) > 1 else ""
                why = f" ({first.reason})" if first.reason else ""
                unavailable = all(state.status == "unavailable" for state in waiting)
                needs = f"needs {upstream.dataset.name}/{first.key}{more}, which is {first.status}{why}"
                raise Unavailable(needs) if unavailable else _Invalid(needs)
            if upstream.mapping == "same" and states[0].status == "rejected":
                raise Rejected(f"{upstream.dataset.name}/{states[0].key} was rejected: {states[0].reason}")

    def _compute(self) -> tuple[Outcome, dict[str, FileEntry]]:
        dataset, key, store = self._dataset, self._planned.key, self._slot.store
        session = self._session.value(key)
        staged = self._slot.stage()
        work = PartitionWork(dataset, key, self._planned.fingerprint, store, staged, self._log, session)
        outcome = dataset.compute(work)
        failed_share = outcome.items_failed / max(outcome.items_planned, 1)
        if failed_share > dataset.tolerated_failures:
            raise _Invalid(f"{outcome.items_failed} of {outcome.items_planned} items failed: {outcome.reason}")
        with tempfile.TemporaryDirectory(prefix="inputs-") as scratch:
            staged_files = files_in(staged, key, upstream_files(store, dataset, key, Path(scratch)))
            for validator in dataset.validators:
                if validator.scope == "partition":
                    finding = validator.judge(staged_files)
                    if not finding.passed and validator.blocking:
                        raise _Invalid(f"{validator.name}: {finding.summary}")
        return outcome, self._slot.staged_files()

    def _record(
        self, status: Status, reason: str, outcome: Outcome, files: dict[str, FileEntry] | None = None
    ) -> CommitRecord:
        dataset, files = self._dataset, files or {}
        return CommitRecord(
            family=dataset.family,
            dataset=dataset.name,
            partition=self._planned.key,
            status=status,
            reason=redact(reason),
            items_planned=outcome.items_planned,
            items_ok=outcome.items_ok,
            items_empty=outcome.items_empty,
            items_failed=outcome.items_failed,
            items_rejected=outcome.items_rejected,
            rows=sum(entry.rows or 0 for entry in files.values()),
            bytes=sum(entry.bytes for entry in files.values()),
            files=files,
            sha256=content_hash(files),
            seed=dataset.master_seed,
            config_hash=dataset.config_hash,
            code_version=dataset.code_version,
            fingerprint=self._planned.fingerprint,
            input_hashes=self._input_hashes,
            run_id=self._run.run_id,
            shard=self._run.shard,
            started_at=self._started_at,
            seconds=round(time.monotonic() - self._clock, 3),
            cpu_seconds=round(time.process_time() - self._cpu_clock, 3),
            peak_memory_bytes=_peak_memory_bytes(),
            cache_hits=outcome.cache_hits,
            cost_usd=outcome.cost_usd,
            facts={name: redact(fact) if isinstance(fact, str) else fact for name, fact in outcome.facts.items()},
        )


def _one_item(items_failed: int = 0, items_rejected: int = 0) -> Outcome:
    """The counts of a partition that ended as a whole, before its items could be told apart."""
    return Outcome(items_planned=1, items_ok=0, items_failed=items_failed, items_rejected=items_rejected)


def _peak_memory_bytes() -> int:
    """Peak resident memory of this process so far (Linux gives KiB, macOS bytes)."""
    import resource
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
