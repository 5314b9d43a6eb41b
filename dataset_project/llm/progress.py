"""Where work stands: what is settled, what is next; how a group's work goes, with counts from the ledger's tallies and
rates and the time left from its calls. Nothing here changes the ledger."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dataset_project.llm.configuration import LlmSettings
from dataset_project.llm.ledger_schema import LEASED, OK, PENDING, WHOLE_LEDGER
from dataset_project.llm.requests import Answer
from dataset_project.llm.spending import PICODOLLARS, TASK_COLUMNS, Task

# Rates are of at least this long, so that the first call of a run is no thousands per minute.
_SHORTEST_S = 1.0
# Tasks are looked up for each entry of a queue, never the other way round.
_OF_GROUP = "CROSS JOIN tasks t ON t.id = w.task_id WHERE w.state = 'pending' AND w.group_id = ?"


@dataclass(frozen=True)
class Progress:
    """Where a group stands. ``failed``: tasks by the OutcomeKind they ended with, other than ``ok``.

    Rates are of calls that ended in the last ``window_s`` seconds, or since the first of them began. ``eta_s``: seconds
    until everything wanted is settled, at that rate; None while no rate is known. ``spent_usd``: by this group's calls,
    ``ledger_spent_usd``: by all calls ever, which is what the budget is about. Times are seconds since the epoch.
    ``batches``: those under way with any of the group's tasks, ``in_batches`` tasks in all.
    """

    total: int
    ok: int
    failed: Mapping[str, int]
    pending: int
    in_flight: int
    requests_per_minute: float
    tokens_per_minute: float
    spent_usd: float
    ledger_spent_usd: float
    eta_s: float | None
    first_call_at: float | None
    last_call_at: float | None
    batches: int = 0
    in_batches: int = 0

    @property
    def settled(self) -> int:
        return self.ok + sum(self.failed.values())

    def figures(self, settings: LlmSettings) -> dict[str, str]:
        """The same for people, by name, beside the limits of ``settings``."""
        shown = {"answered": f"{self.ok:,} of {self.total:,}"}
        if self.failed:
            kinds = ", ".join(f"{count:,} {kind}" for kind, count in self.failed.items())
            shown["failed"] = f"{sum(self.failed.values()):,} ({kinds})"
        shown |= {
            "in flight": f"{self.in_flight:,}",
            **({"batches": f"{self.batches:,} with {self.in_batches:,} requests"} if self.batches else {}),
            "requests/min": _of(self.requests_per_minute, settings.requests_per_minute),
            "tokens/min": _of(self.tokens_per_minute, settings.tokens_per_minute),
            "spent": f"${self.ledger_spent_usd:,.4f} of ${settings.budget_usd:,.2f}",
        }
        if self.eta_s is not None:
            shown["left"] = _duration(self.eta_s)
        return shown


def read_progress(connection: sqlite3.Connection, group: str | None, now: float, window_s: float) -> Progress:
    """Progress of ``group`` (None: of the whole ledger) at ``now``. Does not look at single tasks."""
    found = connection.execute(
        "SELECT id, calls, settled, cost, first_started_at, last_finished_at FROM groups WHERE "
        + ("id = ?" if group is None else "name = ?"),
        (WHOLE_LEDGER if group is None else group,),
    ).fetchone()
    group_id, calls, settled, cost, first, last = found or (-1, 0, 0, 0, None, None)
    states = dict(
        connection.execute(
            "SELECT state, tasks FROM tallies WHERE group_id = ? AND tasks > 0 ORDER BY state", (group_id,)
        )
    )
    ended, tokens, since = connection.execute(
        "SELECT count(*), ifnull(sum(input_tokens + output_tokens), 0), min(started_at)"
        " FROM calls INDEXED BY recent_calls WHERE finished_at > ?"
        + ("" if group_id == WHOLE_LEDGER else " AND group_id = ?"),
        (now - window_s,) if group_id == WHOLE_LEDGER else (now - window_s, group_id),
    ).fetchone()
    minutes = min(window_s, max(now - since, _SHORTEST_S)) / 60 if ended else 1.0
    batches, in_batches = connection.execute(
        "SELECT count(*), ifnull(sum(lines), 0) FROM (SELECT b.id, b.group_id, (SELECT count(*) FROM batch_tasks l"
        " WHERE l.batch_id = b.id AND l.outcome IS NULL) AS lines FROM batches b WHERE b.state <> 'done') b"
        " WHERE lines > 0 AND (? IN (b.group_id, 0) OR EXISTS (SELECT 1 FROM batch_tasks l JOIN wanted w"
        " ON w.task_id = l.task_id AND w.group_id = ? WHERE l.batch_id = b.id AND l.outcome IS NULL))",
        (group_id, group_id),
    ).fetchone()
    left = states.get(PENDING, 0) + states.get(LEASED, 0)
    eta_s = None
    if left == 0:
        eta_s = 0.0
    elif ended and settled:
        # Retries and repairs included: what is left takes as many calls per task as what was settled.
        eta_s = left * calls / settled / (ended / minutes) * 60
    return Progress(
        total=sum(states.values()),
        ok=states.get(OK, 0),
        failed={state: count for state, count in states.items() if state not in (PENDING, LEASED, OK)},
        pending=states.get(PENDING, 0),
        in_flight=states.get(LEASED, 0),
        requests_per_minute=ended / minutes,
        tokens_per_minute=tokens / minutes,
        spent_usd=cost / PICODOLLARS,
        ledger_spent_usd=connection.execute("SELECT spent FROM spending").fetchone()[0] / PICODOLLARS,
        # Nobody knows when a batch ends.
        eta_s=None if batches else eta_s,
        first_call_at=first,
        last_call_at=last or None,
        batches=batches,
        in_batches=in_batches,
    )


def next_tasks(
    connection: sqlite3.Connection, group_id: int | None, count: int, lapsed: Sequence[int], prefer: str | None
) -> list[Task]:
    """The next tasks of the group, without a look at the rest of its queue."""
    found: dict[int, Task] = {}

    def take(source: str, *values: object) -> None:
        # What was found before comes first again: with so many more, the rest is there too.
        rows = connection.execute(
            f"SELECT {TASK_COLUMNS} FROM {source} ORDER BY w.id LIMIT ?", (*values, count + len(found))
        )
        for row in rows:
            if len(found) < count:
                found.setdefault(row[0], Task(*row))

    if count > 0 and lapsed:
        take(
            "json_each(?) j CROSS JOIN wanted w ON w.task_id = j.value AND w.group_id = ?"
            " CROSS JOIN tasks t ON t.id = w.task_id",
            json.dumps(lapsed),
            group_id,
        )
    if prefer is not None and len(found) < count:
        take(f"wanted w INDEXED BY labelled_queue {_OF_GROUP} AND w.label = ?", group_id, prefer)
    if len(found) < count:
        take(f"wanted w INDEXED BY queue {_OF_GROUP}", group_id)
    return list(found.values())


def read_answers(connection: sqlite3.Connection, keys: Sequence[str]) -> dict[str, Answer]:
    """Answers of those of ``keys`` that are settled, in their order."""
    rows = connection.execute(
        "SELECT t.key, t.state, r.content, r.error, r.model, t.cost, t.calls FROM json_each(?) j"
        " JOIN tasks t ON t.key = j.value JOIN results r ON r.task_id = t.id",
        (json.dumps(list(keys)),),
    )
    found = {
        key: Answer(key, kind, content, error, model, cost / PICODOLLARS, calls)
        for key, kind, content, error, model, cost, calls in rows
    }
    return {key: found[key] for key in keys if key in found}


def read_unsettled(connection: sqlite3.Connection, keys: Sequence[str]) -> list[str]:
    """Those of ``keys`` without a result, in their order."""
    rows = connection.execute(
        "SELECT t.key FROM json_each(?) j JOIN tasks t ON t.key = j.value WHERE t.state NOT IN ('pending', 'leased')",
        (json.dumps(list(keys)),),
    )
    settled = {key for (key,) in rows}
    return [key for key in keys if key not in settled]


def _of(rate: float, limit: int | None) -> str:
    return f"{rate:,.0f}" if limit is None else f"{rate:,.0f} of {limit:,}"


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{math.ceil(seconds)} s"
    minutes = math.ceil(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
