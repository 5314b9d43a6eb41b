"""The register of batches in the ledger: which tasks are in which batch at the provider, and how far each batch is.

A task in a batch is leased to the batch, without an end: nobody claims it before the batch's outcome is known, however
long that takes and whoever died meanwhile. What has a lease that ends is the batch itself: whoever holds it forms,
submits or polls it; when the holder dies, another takes over. Talking to the provider belongs to `batches`.
"""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from dataset_project.llm import spending
from dataset_project.llm.batch_records import WORKER, Batch, LineOutcome, Round
from dataset_project.llm.ledger import Ledger, group_id_of
from dataset_project.llm.ledger_schema import LEASED, RequestReader
from dataset_project.llm.progress import next_tasks
from dataset_project.llm.requests import Settlement

_COLUMNS = (
    "b.id, b.name, b.endpoint, b.model, b.state, b.file_id, b.provider_id, b.dialect, b.formed_at, b.submitted_at"
)
_UNDER_WAY = "(SELECT count(*) FROM batch_tasks l WHERE l.batch_id = b.id AND l.outcome IS NULL)"


class BatchRegister:
    """The batches of a ledger, as one process (``worker``, unique) sees them that works at ``endpoint``.

    Every method raises what the ledger raises for a file that cannot be used.
    """

    def __init__(
        self, ledger: Ledger, worker: str, endpoint: str, lease_s: float, clock: Callable[[], float] = time.time
    ):
        self._ledger, self._worker, self._endpoint = ledger, worker, endpoint
        self._lease_s, self._clock = lease_s, clock

    def form(self, group: str, count: int, budget_usd: float | None, prefer: str | None = None) -> list[Batch]:
        """Put up to ``count`` of the group's pending tasks into new batches, one per model, and hold those.

        In one transaction, with the tasks' worst costs reserved, as `Ledger.claim` does; RunStopped likewise.
        """
        stop, made = None, []
        with self._ledger.transaction() as connection:
            now = self._clock()
            lapsed = spending.take_back(connection, now)
            group_id = group_id_of(connection, group)
            tasks = next_tasks(connection, group_id, count, lapsed, prefer)
            if budget_usd is not None and tasks:
                account = spending.read_spending(connection)
                fitting, stop = spending.affordable([each.worst for each in tasks], account, budget_usd)
                tasks = tasks[:fitting]
            models = dict(
                connection.execute(
                    "SELECT r.task_id, r.model FROM json_each(?) j JOIN requests r ON r.task_id = j.value",
                    (json.dumps([each.id for each in tasks]),),
                )
            )
            for model in sorted(set(models.values())):
                name = f"{now:.0f}-{uuid.uuid4().hex[:12]}"
                (batch_id,) = connection.execute(
                    "INSERT INTO batches (name, endpoint, model, group_id, worker, lease_until, formed_at)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
                    (name, self._endpoint, model, group_id, self._worker, now + self._lease_s, now),
                ).fetchone()
                ids = sorted(each.id for each in tasks if models[each.id] == model)
                connection.executemany(
                    "UPDATE tasks SET state = 'leased', worker = ?, group_id = ?, claimed_at = ?, lease_until = NULL"
                    " WHERE id = ?",
                    [(WORKER + name, group_id, now, each) for each in ids],
                )
                connection.executemany(
                    "INSERT INTO batch_tasks (task_id, batch_id) VALUES (?, ?)", [(each, batch_id) for each in ids]
                )
                made.append(batch_id)
            batches = _batches(connection, "b.id IN (SELECT value FROM json_each(?))", json.dumps(made))
        if stop is not None:  # here, and not before what lapsed is booked
            raise stop
        return batches

    def hold(self) -> list[Batch]:
        """Prolong what this process holds, take over what a dead one held. All batches it holds now, not done."""
        with self._ledger.transaction() as connection:
            now = self._clock()
            connection.execute(
                "UPDATE batches SET worker = ?, lease_until = ? WHERE state <> 'done' AND endpoint = ?"
                " AND (worker = ? OR lease_until < ?)",
                (self._worker, now + self._lease_s, self._endpoint, self._worker, now),
            )
            return _batches(connection, "b.state <> 'done' AND b.worker = ?", self._worker)

    def let_go(self) -> list[Batch]:
        """End this process's leases: whoever comes next takes over at once. What it held."""
        with self._ledger.transaction() as connection:
            held = _batches(connection, "b.state <> 'done' AND b.worker = ?", self._worker)
            connection.execute(
                "UPDATE batches SET lease_until = 0 WHERE state <> 'done' AND worker = ?", (self._worker,)
            )
        return held

    def is_anything_open(self) -> bool:
        """Whether any batch is not done, anybody's: a look that costs next to nothing."""
        with self._ledger.reading() as connection:
            return bool(connection.execute("SELECT 1 FROM batches WHERE state <> 'done' LIMIT 1").fetchone())

    def elsewhere(self, group: str) -> list[Batch]:
        """Batches at other endpoints that nobody looks after, with tasks that the group waits for."""
        with self._ledger.reading() as connection:
            return _batches(
                connection,
                "b.state <> 'done' AND b.endpoint <> ? AND b.lease_until < ? AND EXISTS (SELECT 1 FROM batch_tasks l"
                " JOIN wanted w ON w.task_id = l.task_id JOIN groups g ON g.id = w.group_id"
                " WHERE l.batch_id = b.id AND l.outcome IS NULL AND g.name = ?)",
                self._endpoint,
                self._clock(),
                group,
            )

    def keys(self, batch: Batch) -> list[str]:
        """Keys of the tasks under way in a batch, in the order of its lines."""
        with self._ledger.reading() as connection:
            rows = connection.execute(
                "SELECT t.key FROM batch_tasks l JOIN tasks t ON t.id = l.task_id"
                " WHERE l.batch_id = ? AND l.outcome IS NULL ORDER BY l.task_id",
                (batch.id,),
            )
            return [key for (key,) in rows]

    def rounds(self, batch: Batch, keys: Sequence[str]) -> dict[str, Round]:
        """Those of ``keys`` that are under way in ``batch``, in their order."""
        with self._ledger.reading() as connection:
            ids = _under_way(connection, batch, keys)
            requests = RequestReader(connection).read(list(ids.values()))
            past = connection.execute(
                "SELECT l.task_id, l.outcome, l.answer, l.error FROM json_each(?) j"
                " JOIN batch_tasks l ON l.task_id = j.value WHERE l.outcome IS NOT NULL ORDER BY l.batch_id",
                (json.dumps(list(ids.values())),),
            ).fetchall()
        found = {key: Round(requests[task_id], Counter()) for key, task_id in ids.items()}
        names = {task_id: key for key, task_id in ids.items()}
        for task_id, outcome, answer, error in past:
            each = found[names[task_id]]
            each.before[outcome] += 1
            if outcome == "invalid":
                found[names[task_id]] = replace(each, answer=answer, error=error)
        return found

    def note_file(self, batch: Batch, file_id: str, dialect: str) -> bool:
        """The batch's file is at the provider. False when the batch is no longer this process's."""
        return self._note(
            batch, "file_id = ?, dialect = ? WHERE id = ? AND worker = ? AND provider_id IS NULL", file_id, dialect
        )

    def note_submitted(self, batch: Batch, provider_id: str, at: float) -> bool:
        """The provider has it. False when another process has submitted it: then that one counts."""
        return self._note(
            batch,
            "provider_id = ?, state = 'open', submitted_at = ? WHERE id = ? AND worker = ? AND provider_id IS NULL",
            provider_id,
            at,
        )

    def provider_id(self, batch: Batch) -> str | None:
        """The id that counts, whoever noted it; None while nobody has."""
        with self._ledger.reading() as connection:
            return connection.execute("SELECT provider_id FROM batches WHERE id = ?", (batch.id,)).fetchone()[0]

    def put_back(self, batch: Batch, keys: Iterable[str] | None = None) -> None:
        """Tasks (None: all) of a batch go back: of these, nothing was sent. Not if another looks after it by now."""
        keys = self.keys(batch) if keys is None else keys
        with self._ledger.transaction() as connection:
            if not self._is_ours(connection, batch):
                return
            ids = _under_way(connection, batch, keys)
            among = json.dumps(list(ids.values()))
            connection.execute(
                "DELETE FROM batch_tasks WHERE batch_id = ? AND task_id IN (SELECT value FROM json_each(?))",
                (batch.id, among),
            )
            _pending(connection, batch, ids.values())

    def take(self, batch: Batch, outcomes: Sequence[LineOutcome]) -> int:
        """Record what lines came to, all or nothing; those recorded before are passed over. How many tasks settled."""
        with self._ledger.transaction() as connection:
            ids = _under_way(connection, batch, [each.key for each in outcomes])
            new = list({each.key: each for each in outcomes if each.key in ids}.values())
            attempts = dict(
                connection.execute(
                    "SELECT l.task_id, count(*) FROM json_each(?) j JOIN batch_tasks l ON l.task_id = j.value"
                    " GROUP BY l.task_id",
                    (json.dumps(list(ids.values())),),
                )
            )
            calls = [replace(each.call, attempt=attempts[ids[each.key]]) for each in new if each.call is not None]
            settled = [each for each in new if each.kind is not None]
            again = [each for each in new if each.kind is None]
            settlements = [Settlement(e.key, e.kind, e.content, e.error[:600], e.model) for e in settled]
            accepted = spending.settle_tasks(connection, settlements, calls, batch.worker, self._clock())
            connection.executemany(
                "UPDATE batch_tasks SET outcome = ?, answer = ?, error = ? WHERE batch_id = ? AND task_id = ?",
                [
                    (e.outcome, spending.storable(e.content), spending.storable(e.error), batch.id, ids[e.key])
                    for e in again
                    if e.outcome
                ],
            )
            connection.executemany(
                "DELETE FROM batch_tasks WHERE batch_id = ? AND task_id = ?",
                [(batch.id, ids[each.key]) for each in new if each.kind is not None or not each.outcome],
            )
            _pending(connection, batch, [ids[each.key] for each in again])
        return len(accepted)

    def close(self, batch: Batch, status: str, error: str = "") -> None:
        """The batch is over: nothing of it is under way any more. Another that looks after it by now does it itself."""
        with self._ledger.transaction() as connection:
            if self._is_ours(connection, batch):
                connection.execute(
                    "UPDATE batches SET state = 'done', status = ?, error = ?, ended_at = ? WHERE id = ?",
                    (status, spending.storable(error[:600]), self._clock(), batch.id),
                )

    def _is_ours(self, connection: sqlite3.Connection, batch: Batch) -> bool:
        """Whether this process looks after it, or nobody."""
        worker, lease_until = connection.execute(
            "SELECT worker, lease_until FROM batches WHERE id = ?", (batch.id,)
        ).fetchone()
        return worker == self._worker or lease_until < self._clock()

    def _note(self, batch: Batch, change: str, *values: object) -> bool:
        with self._ledger.transaction() as connection:
            done = connection.execute(f"UPDATE batches SET {change}", (*values, batch.id, self._worker))
            return done.rowcount == 1


def _batches(connection: sqlite3.Connection, condition: str, *values: object) -> list[Batch]:
    rows = connection.execute(f"SELECT {_COLUMNS}, {_UNDER_WAY} FROM batches b WHERE {condition} ORDER BY b.id", values)
    return [Batch(*row) for row in rows]


def _under_way(connection: sqlite3.Connection, batch: Batch, keys: Iterable[str]) -> dict[str, int]:
    """Task ids of those keys that are under way in the batch, in their order."""
    rows = connection.execute(
        "SELECT t.key, t.id FROM json_each(?) j JOIN tasks t ON t.key = j.value"
        " JOIN batch_tasks l ON l.task_id = t.id AND l.batch_id = ? AND l.outcome IS NULL ORDER BY j.key",
        (json.dumps(list(keys)), batch.id),
    )
    return dict(rows.fetchall())


def _pending(connection: sqlite3.Connection, batch: Batch, task_ids: Iterable[int]) -> None:
    connection.executemany(
        f"UPDATE tasks SET state = 'pending' WHERE id = ? AND state = '{LEASED}' AND worker = ?",
        [(task_id, batch.worker) for task_id in task_ids],
    )
