"""What calls cost: money as the ledger keeps it, what a budget allows, booking calls with what they settled, and the
table of calls."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pyarrow as pa

from dataset_project.llm.requests import CallRecord, RunStopped, Settlement

# Money is kept in whole picodollars: sums are exact in any order and what is reserved returns to zero. The dearest
# ledger is $9.2 million; the cheapest cached token in price lists is thousands of picodollars.
PICODOLLARS = 10**12

LOST = "lost"
"""Outcome of a call whose process died: whether it was answered and billed nobody knows, so its worst cost counts."""


def _field(name: str, kind: pa.DataType, description: str, unit: str = "", nullable: bool = False) -> pa.Field:
    notes = {"description": description} | ({"unit": unit} if unit else {})
    return pa.field(name, kind, nullable=nullable, metadata=notes)


CALLS = pa.schema(
    [
        _field("item", pa.string(), "what the request was about; empty for calls of no task (embeddings)"),
        _field("group", pa.string(), "the run it was made for; empty when none is known"),
        _field("task_key", pa.string(), "the task: item, prompt, schema and model"),
        _field("model", pa.string(), "as the provider named it, else as asked"),
        _field("asked_model", pa.string(), "as the request names it: what its price goes by"),
        _field("attempt", pa.int32(), "which call of its task in that process, from 1"),
        _field("outcome", pa.string(), "ok, what went wrong with the call, or lost: its process died"),
        _field("http_status", pa.int32(), "status of the response; null when there was none", nullable=True),
        _field("input_tokens", pa.int64(), "as the provider counted them"),
        _field("output_tokens", pa.int64(), "as the provider counted them"),
        _field("cached_tokens", pa.int64(), "of the input tokens, read from the provider's cache"),
        _field("cost_usd", pa.float64(), "by the price list; the worst case for lost and interrupted calls", "USD"),
        _field("latency_ms", pa.float64(), "from sending to the whole answer; null for lost calls", "ms", True),
        _field("started_at", pa.timestamp("us", "UTC"), "when it was sent; for lost calls when its task was claimed"),
        _field("worker", pa.string(), "who made it; empty when none is known"),
        _field("error", pa.string(), "what went wrong; empty when nothing did"),
    ]
)
_ROWS_PER_BATCH = 20_000


@dataclass(frozen=True)
class Spending:
    """The ledger's account: spent by all calls ever, reserved at worst cost for the ``in_flight`` leased tasks."""

    spent_usd: float
    reserved_usd: float
    in_flight: int


def picodollars(usd: float, what: str) -> int:
    """``usd`` as the ledger keeps it. Raises ValueError, naming ``what``, for no sum of money."""
    if not (math.isfinite(usd) and usd >= 0):
        raise ValueError(f"{what}: a cost must be a number of USD from 0, not {usd!r}")
    return round(usd * PICODOLLARS)


def storable(text: str) -> str:
    """``text`` with lone surrogates, which no database holds, as JSON escapes: a paid answer is never turned away."""
    return text.encode("utf-8", "backslashreplace").decode()


def affordable(worst: Sequence[int], account: Spending, budget_usd: float) -> tuple[int, RunStopped | None]:
    """How many of the next tasks, of these worst costs (picodollars) in order, fit into the budget.

    With a RunStopped when not even the first does and nothing in flight could free any.
    """
    committed, fitting = round((account.spent_usd + account.reserved_usd) * PICODOLLARS), 0
    for cost in worst:
        committed += cost
        if committed / PICODOLLARS > budget_usd:
            break
        fitting += 1
    if fitting or account.in_flight:
        return fitting, None
    return 0, RunStopped(
        "budget",
        f"the budget of ${budget_usd:,.2f} is used up: ${account.spent_usd:,.4f} are spent and the next request may "
        f"cost ${worst[0] / PICODOLLARS:,.6f}. What is answered is kept: raise DATASET_LLM__BUDGET_USD to go on",
    )


class Task(NamedTuple):
    """A task's row, as far as claiming and booking need it. ``worst``: picodollars."""

    id: int
    key: str
    state: str
    worst: int
    group_id: int | None
    worker: str | None


TASK_COLUMNS = ", ".join(f"t.{name}" for name in Task._fields)


def tasks_by_key(connection: sqlite3.Connection, keys: Iterable[str]) -> dict[str, Task]:
    """Those of ``keys`` that the ledger has."""
    rows = connection.execute(
        f"SELECT {TASK_COLUMNS} FROM json_each(?) j JOIN tasks t ON t.key = j.value", (json.dumps(list(keys)),)
    )
    return {row[1]: Task(*row) for row in rows}


def add_calls(
    connection: sqlite3.Connection,
    calls: Iterable[CallRecord],
    tasks: Mapping[str, Task],
    worker: str,
    group_id: int | None,
) -> None:
    """Book calls; the account follows by trigger. ``worker`` and the group are those of the task's last lease where
    they are not given."""
    rows = []
    for call in calls:
        task = tasks.get(call.task_key)
        rows.append(
            (
                task and task.id,
                None if task else call.task_key,
                group_id or (task and task.group_id),
                worker or (task and task.worker) or "",
                storable(call.model),
                call.attempt,
                storable(call.outcome),
                call.usage.input_tokens,
                call.usage.output_tokens,
                call.usage.cached_tokens,
                picodollars(call.cost_usd, f"a call of task {call.task_key}"),
                call.started_at,
                call.latency_ms,
                call.started_at + call.latency_ms / 1000,
                call.http_status,
                storable(call.error),
            )
        )
    connection.executemany(
        "INSERT INTO calls (task_id, task_key, group_id, worker, model, attempt, outcome, input_tokens, output_tokens,"
        " cached_tokens, cost, started_at, latency_ms, finished_at, http_status, error)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )


def settle_tasks(
    connection: sqlite3.Connection,
    settlements: Sequence[Settlement],
    calls: Sequence[CallRecord],
    worker: str,
    now: float,
) -> list[str]:
    """Write how tasks ended, and their calls. Keys of the tasks that this settled: the first result of a task stays.

    Raises ValueError for a task that was never enqueued.
    """
    tasks = tasks_by_key(connection, {each.task_key for each in settlements} | {call.task_key for call in calls})
    accepted: dict[str, Settlement] = {}
    for each in settlements:
        if each.task_key not in tasks:
            raise ValueError(f"task {each.task_key} is not in the ledger: enqueue it first")
        if tasks[each.task_key].state in ("pending", "leased"):
            accepted.setdefault(each.task_key, each)
    # Calls first: they belong to the group the task was claimed for.
    add_calls(connection, calls, tasks, worker, None)
    connection.executemany(
        "INSERT INTO results (task_id, content, error, model, settled_at) VALUES (?, ?, ?, ?, ?)",
        [
            (tasks[key].id, storable(each.content), storable(each.error), storable(each.model), now)
            for key, each in accepted.items()
        ],
    )
    connection.executemany(
        "UPDATE tasks SET state = ? WHERE id = ?",
        [(each.kind, tasks[key].id) for key, each in accepted.items()],
    )
    return list(accepted)


def take_back(connection: sqlite3.Connection, now: float) -> list[int]:
    """Make the tasks whose lease ran out pending and book a lost call at worst cost for each. Their ids."""
    ids = [
        task_id
        for (task_id,) in connection.execute(
            "SELECT id FROM tasks INDEXED BY leases WHERE state = 'leased' AND lease_until < ?", (now,)
        )
    ]
    if ids:
        among = json.dumps(ids)
        connection.execute(
            "INSERT INTO calls (task_id, group_id, worker, model, attempt, outcome, input_tokens, output_tokens,"
            " cached_tokens, cost, started_at, error)"
            " SELECT t.id, t.group_id, t.worker, r.model, t.calls + 1, ?, 0, 0, 0, t.worst, t.claimed_at, ?"
            " FROM json_each(?) j JOIN tasks t ON t.id = j.value JOIN requests r ON r.task_id = t.id",
            (LOST, "its process ended, or was silent for longer than its lease: counted at its worst cost", among),
        )
        connection.execute("UPDATE tasks SET state = 'pending' WHERE id IN (SELECT value FROM json_each(?))", (among,))
    return ids


def read_spending(connection: sqlite3.Connection) -> Spending:
    """The account as it stands."""
    spent, reserved, in_flight = connection.execute(
        "SELECT spent, reserved, ifnull((SELECT tasks FROM tallies WHERE group_id = 0 AND state = 'leased'), 0)"
        " FROM spending"
    ).fetchone()
    return Spending(spent / PICODOLLARS, reserved / PICODOLLARS, in_flight)


def read_calls(connection: sqlite3.Connection) -> pa.Table:
    """CALLS: every call, in order of its start."""
    cursor = connection.execute(
        "SELECT ifnull(r.item, ''), ifnull(g.name, ''), ifnull(t.key, c.task_key), c.model,"
        " ifnull(r.model, c.model), c.attempt, c.outcome,"
        " c.http_status, c.input_tokens, c.output_tokens, c.cached_tokens, c.cost / 1e12, c.latency_ms,"
        " CAST(round(c.started_at * 1e6) AS INTEGER), c.worker, c.error"
        " FROM calls c LEFT JOIN tasks t ON t.id = c.task_id LEFT JOIN requests r ON r.task_id = c.task_id"
        " LEFT JOIN groups g ON g.id = c.group_id ORDER BY c.started_at, c.id"
    )
    batches = []
    while rows := cursor.fetchmany(_ROWS_PER_BATCH):
        columns = zip(*rows, strict=True)
        batches.append(
            pa.record_batch(
                [pa.array(column, type=field.type) for column, field in zip(columns, CALLS, strict=True)],
                schema=CALLS,
            )
        )
    return pa.Table.from_batches(batches, schema=CALLS)
