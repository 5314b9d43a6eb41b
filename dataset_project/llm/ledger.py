"""The task ledger: what was asked, by whom it is being answered, what came of it and what that cost. It outlives every
process.

A task is claimed under a lease, reserved for at its worst cost, and settled in one transaction; a lease that runs out
is taken over. Sending requests belongs to `pump`; how the file is laid out to `ledger_schema`.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pyarrow as pa

from dataset_project.llm import ledger_schema, spending
from dataset_project.llm.ledger_schema import LEASED, OK, PENDING, StoredRequest, UnusableLedger, named_errors
from dataset_project.llm.progress import Progress, next_tasks, read_answers, read_progress, read_unsettled
from dataset_project.llm.requests import Answer, CallRecord, ModelRequest, Settlement
from dataset_project.llm.spending import PICODOLLARS, Spending, add_calls, settle_tasks, tasks_by_key

# Others' claims wait for a transaction of this many requests, some tens of milliseconds.
_ENQUEUED_AT_ONCE = 1000


@dataclass(frozen=True)
class EnqueueCounts:
    """What became of the requests: ``new`` to the ledger; ``waiting`` in it already, or in flight; ``settled``, which
    stay so; ``rearmed``: failed before and pending again. Together all distinct requests."""

    new: int = 0
    waiting: int = 0
    settled: int = 0
    rearmed: int = 0


@dataclass(frozen=True)
class Claimed:
    """A task under lease: its request, and what is reserved for it."""

    key: str
    request: ModelRequest
    worst_cost_usd: float


class Ledger:
    """One SQLite file in WAL mode on a local disk; any number of processes and threads.

    A process opens its own: a ledger does not survive a fork. Every method raises UnusableLedger when the file is
    damaged, of another kind or version, or cannot be written.
    """

    def __init__(self, path: Path, lease_s: float = 300.0, clock: Callable[[], float] = time.time):
        """``lease_s``: how long a claimed task is its worker's before others may take it over; ``extend`` prolongs."""
        self.path, self._lease_s, self._clock, self._pid = Path(path), lease_s, clock, os.getpid()
        # Readers do not wait for a writer who waits for other processes.
        self._writing, self._reading = threading.Lock(), threading.Lock()
        with named_errors(self.path):
            self._writer = ledger_schema.open_ledger(self.path)
            self._reader = ledger_schema.open_ledger(self.path)
        self._requests = ledger_schema.RequestReader(self._reader)

    def enqueue(
        self,
        group: str,
        requests: Iterable[ModelRequest],
        costs: Mapping[str, float] | None = None,
        label: str = "",
        re_arm: bool = True,
    ) -> EnqueueCounts:
        """Ask for ``requests`` in the name of ``group``; only what a group asked for is claimed for it.

        Safe to repeat. Answered tasks stay answered; tasks that failed are asked again unless ``re_arm`` is false.
        ``costs``: task key → worst cost in USD, reserved while the task is in flight (absent: 0). ``label``: a part of
        the group's work, which ``claim`` may prefer. Raises ValueError for an empty group and for costs that are none.
        """
        if not group:
            raise ValueError("a group of tasks needs a name")
        known_costs = costs or {}
        totals = [0, 0, 0, 0]
        remaining = iter(requests)
        while chunk := list(islice(remaining, _ENQUEUED_AT_ONCE)):
            # Hashing and encoding, the better part of the work, before anyone is kept waiting.
            prepared = {request.key: ledger_schema.stored(request) for request in chunk}
            worst = {
                key: spending.picodollars(known_costs[key], f"task {key}") for key in prepared if key in known_costs
            }
            with self.transaction() as connection:
                counts = _enqueue(connection, group_id_of(connection, group, make=True), label, re_arm, prepared, worst)
            totals = [total + count for total, count in zip(totals, counts, strict=True)]
        return EnqueueCounts(*totals)

    def claim(
        self, group: str, worker: str, count: int, prefer: str | None = None, budget_usd: float | None = None
    ) -> list[Claimed]:
        """Lease up to ``count`` tasks to ``worker``: those whose lease ran out, those labelled ``prefer``, then others,
        each in the order they were asked for.

        Empty while there is nothing to claim or what is in flight may yet free budget. Raises RunStopped (``budget``)
        when the next task does not fit into ``budget_usd`` (all the ledger may ever spend) and nothing is in flight.
        """
        stop = None
        with self.transaction() as connection:
            now = self._clock()
            lapsed = spending.take_back(connection, now)
            group_id = group_id_of(connection, group)
            tasks = next_tasks(connection, group_id, count, lapsed, prefer)
            if budget_usd is not None and tasks:
                fitting, stop = spending.affordable(
                    [each.worst for each in tasks], spending.read_spending(connection), budget_usd
                )
                tasks = tasks[:fitting]
            connection.executemany(
                "UPDATE tasks SET state = 'leased', worker = ?, group_id = ?, claimed_at = ?, lease_until = ?"
                " WHERE id = ?",
                [(worker, group_id, now, now + self._lease_s, each.id) for each in tasks],
            )
        if stop is not None:  # here, and not before what lapsed is booked
            raise stop
        if not tasks:
            return []
        with self.reading():
            requests = self._requests.read([each.id for each in tasks])
        return [Claimed(each.key, requests[each.id], each.worst / PICODOLLARS) for each in tasks]

    def extend(self, worker: str, keys: Sequence[str]) -> None:
        """Prolong the leases ``worker`` still holds; of tasks taken over meanwhile nothing is said."""
        with self.transaction() as connection:
            until = self._clock() + self._lease_s
            connection.execute(
                "UPDATE tasks SET lease_until = ? WHERE key IN (SELECT value FROM json_each(?))"
                " AND state = 'leased' AND worker = ?",
                (until, json.dumps(list(keys)), worker),
            )

    def release(self, worker: str, keys: Sequence[str]) -> None:
        """Give back what ``worker`` still holds: nothing was sent, the reservation is freed."""
        with self.transaction() as connection:
            connection.execute(
                "UPDATE tasks SET state = 'pending' WHERE key IN (SELECT value FROM json_each(?))"
                " AND state = 'leased' AND worker = ?",
                (json.dumps(list(keys)), worker),
            )

    def settle(self, worker: str, settlements: Sequence[Settlement], calls: Sequence[CallRecord]) -> list[str]:
        """Record how tasks ended and their calls, all or nothing. Keys of the tasks that this settled.

        The first result of a task is its result, whoever holds the lease by then; the calls are recorded all the same.
        Raises ValueError for a task that was never enqueued.
        """
        with self.transaction() as connection:
            accepted = settle_tasks(connection, settlements, calls, worker, self._clock())
        return accepted

    def record_calls(self, calls: Sequence[CallRecord], worker: str = "", group: str = "") -> None:
        """Record calls that settled nothing: of tasks that are given back, or of no task (embeddings).

        ``worker`` and ``group`` are the task's where they are not given.
        """
        if not calls:
            return
        with self.transaction() as connection:
            group_id = group_id_of(connection, group, make=True) if group else None
            add_calls(connection, calls, tasks_by_key(connection, {call.task_key for call in calls}), worker, group_id)

    def answers(self, keys: Sequence[str]) -> dict[str, Answer]:
        """Answers of those of ``keys`` that are settled, well or badly, in their order."""
        with self.reading() as connection:
            return read_answers(connection, keys)

    def unsettled(self, keys: Sequence[str]) -> list[str]:
        """Those of ``keys`` without a result, in their order; unknown ones too."""
        with self.reading() as connection:
            return read_unsettled(connection, keys)

    def spending(self) -> Spending:
        """What is spent by all calls ever, and reserved by what is in flight."""
        with self.reading() as connection:
            return spending.read_spending(connection)

    def progress(self, group: str | None, window_s: float = 60.0) -> Progress:
        """How the group's work goes (None: all work), with rates over the last ``window_s`` seconds."""
        with self.reading() as connection:
            return read_progress(connection, group, self._clock(), window_s)

    def calls_table(self) -> pa.Table:
        """Every call ever, as CALLS in `spending`, in order of its start."""
        with self.reading() as connection:
            return spending.read_calls(connection)

    def close(self) -> None:
        """Close the file; leases stay until they run out. Safe to call twice, and in a forked child, which closes none:
        the locks it inherited may be held for ever."""
        if os.getpid() != self._pid:
            return
        with self._writing, self._reading:
            self._writer.close()
            self._reader.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The file to write to, all or nothing: for the package's own modules."""
        self._is_ours()
        with self._writing, named_errors(self.path):
            try:
                # Inside: an interrupt while it waits for the lock comes when it has it.
                self._writer.execute("BEGIN IMMEDIATE")
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One state of the file for several queries: likewise."""
        self._is_ours()
        with self._reading, named_errors(self.path):
            try:
                self._reader.execute("BEGIN")
                yield self._reader
            finally:
                if self._reader.in_transaction:
                    self._reader.execute("ROLLBACK")

    def _is_ours(self) -> None:
        if os.getpid() != self._pid:
            raise UnusableLedger(f"{self.path} was opened by the process this one was forked from: open it anew")


def group_id_of(connection: sqlite3.Connection, group: str, make: bool = False) -> int | None:
    """The group's number in the file; None where nothing was asked in its name."""
    if make:
        connection.execute("INSERT INTO groups (name) VALUES (?) ON CONFLICT DO NOTHING", (group,))
    found = connection.execute("SELECT id FROM groups WHERE name = ?", (group,)).fetchone()
    return found[0] if found else None


def _enqueue(
    connection: sqlite3.Connection,
    group_id: int,
    label: str,
    re_arm: bool,
    requests: Mapping[str, StoredRequest],
    worst: Mapping[str, int],
) -> tuple[int, int, int, int]:
    known = tasks_by_key(connection, requests)
    new = [key for key in requests if key not in known]
    waiting = [key for key, task in known.items() if task.state in (PENDING, LEASED)]
    failed = [key for key, task in known.items() if re_arm and task.state not in (PENDING, LEASED, OK)]
    (last,) = connection.execute("SELECT ifnull(max(id), 0) FROM tasks").fetchone()
    ids = {key: task.id for key, task in known.items()} | {key: last + place for place, key in enumerate(new, 1)}
    texts = {digest: body for key in new for digest, body in requests[key].texts.items()}
    connection.executemany("INSERT INTO texts (digest, body) VALUES (?, ?) ON CONFLICT DO NOTHING", texts.items())
    connection.executemany(
        "INSERT INTO tasks (id, key, state, worst) VALUES (?, ?, 'pending', ?)",
        [(ids[key], key, worst.get(key, 0)) for key in new],
    )
    connection.executemany(
        "INSERT INTO requests (task_id, item, model, body) VALUES (?, ?, ?, ?)",
        [(ids[key], requests[key].item, requests[key].model, requests[key].body) for key in new],
    )
    connection.executemany("DELETE FROM results WHERE task_id = ?", [(ids[key],) for key in failed])
    connection.executemany("UPDATE tasks SET state = 'pending' WHERE id = ?", [(ids[key],) for key in failed])
    # Prices change; what a task in flight has reserved does not.
    connection.executemany(
        "UPDATE tasks SET worst = ? WHERE id = ? AND state = 'pending' AND worst <> ?",
        [(cost, ids[key], cost) for key in known if (cost := worst.get(key)) is not None],
    )
    connection.executemany(
        "INSERT INTO wanted (group_id, task_id, label, state) SELECT ?, id, ?, state FROM tasks WHERE id = ?"
        " ON CONFLICT DO UPDATE SET label = excluded.label WHERE excluded.label NOT IN ('', label)",
        [(group_id, label, ids[key]) for key in requests],
    )
    return len(new), len(waiting), len(known) - len(waiting) - len(failed), len(failed)
