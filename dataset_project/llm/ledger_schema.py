"""The ledger's file: its tables, the totals that follow from them, its version, how it is opened, and how a request is
held in it so that any process can execute it.

What is done with tasks is in `ledger`. A task's state is written in one place, ``tasks.state``; the queues it stands
in, the counts and the money follow from it by triggers, in the same transaction, so that no path can forget them.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from dataset_project.llm.batch_tables import BATCH_TABLES
from dataset_project.llm.requests import ModelRequest

_APPLICATION = 0x4C4C4D4C  # "LLML": a database of another kind is not taken for a damaged one
SCHEMA_VERSION = 2  # version 1 had no batches; it is brought up to date where it is
_IDENTITY = (f"PRAGMA application_id = {_APPLICATION}", f"PRAGMA user_version = {SCHEMA_VERSION}")
_BUSY_S = 60.0  # others' transactions are short: a lock held longer than this is a stopped process
_TUNING = ("synchronous = FULL", f"cache_size = -{16 * 1024}", f"journal_size_limit = {64 * 2**20}")

# Parts of requests from this length are kept in `texts`, once each: shorter than that, the digest is no gain.
_LONG = 128
# Texts a process remembers, to store or to read: prompts and schemas are among the last used, documents come and go.
_REMEMBERED = 256

PENDING, LEASED, OK = "pending", "leased", "ok"
"""A task's state; the other OutcomeKinds are states as well."""
WHOLE_LEDGER = 0
"""The group whose totals are those of all groups."""

_TABLES = """
-- Long parts of requests (a prompt, a schema), once each. Keyed by BLAKE2b, 16 bytes, hexadecimal.
CREATE TABLE texts (id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, body NOT NULL);

-- Ids follow the order of enqueueing. Small rows: they are rewritten at every step. Money is in whole picodollars.
CREATE TABLE tasks (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, state TEXT NOT NULL, worst INTEGER NOT NULL,
    worker TEXT, group_id INTEGER, claimed_at REAL, lease_until REAL,
    calls INTEGER NOT NULL DEFAULT 0, cost INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX leases ON tasks (lease_until) WHERE state = 'leased';
CREATE TABLE requests (
    task_id INTEGER PRIMARY KEY REFERENCES tasks (id), item NOT NULL, model TEXT NOT NULL, body TEXT NOT NULL
);
CREATE TABLE results (
    task_id INTEGER PRIMARY KEY REFERENCES tasks (id), content TEXT NOT NULL, error TEXT NOT NULL, model TEXT NOT NULL,
    settled_at REAL NOT NULL
);

-- Group 0 is the whole ledger. settled: settlements made for the group, those that were there before not counted.
CREATE TABLE groups (
    id INTEGER PRIMARY KEY, name TEXT UNIQUE, calls INTEGER NOT NULL DEFAULT 0, settled INTEGER NOT NULL DEFAULT 0,
    cost INTEGER NOT NULL DEFAULT 0, first_started_at REAL, last_finished_at REAL
);
INSERT INTO groups (id) VALUES (0);
-- Which group wants which tasks, in the order it asked for them. state repeats the task's.
CREATE TABLE wanted (
    id INTEGER PRIMARY KEY, group_id INTEGER NOT NULL REFERENCES groups (id),
    task_id INTEGER NOT NULL REFERENCES tasks (id), label TEXT NOT NULL, state TEXT NOT NULL,
    UNIQUE (task_id, group_id)
);
-- An index ends with the row's id: both give a group's pending tasks in order, without a look at any other.
CREATE INDEX queue ON wanted (group_id) WHERE state = 'pending';
CREATE INDEX labelled_queue ON wanted (group_id, label) WHERE state = 'pending';
CREATE TABLE tallies (
    group_id INTEGER NOT NULL, state TEXT NOT NULL, tasks INTEGER NOT NULL, PRIMARY KEY (group_id, state)
) WITHOUT ROWID;

CREATE TABLE spending (spent INTEGER NOT NULL, reserved INTEGER NOT NULL);
INSERT INTO spending VALUES (0, 0);
-- task_key only of calls that belong to no task (embeddings). finished_at: null for calls whose end nobody saw.
CREATE TABLE calls (
    id INTEGER PRIMARY KEY, task_id INTEGER, task_key TEXT, group_id INTEGER, worker TEXT NOT NULL, model TEXT NOT NULL,
    attempt INTEGER NOT NULL, outcome TEXT NOT NULL, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL,
    cached_tokens INTEGER NOT NULL, cost INTEGER NOT NULL, started_at REAL NOT NULL, latency_ms REAL, finished_at REAL,
    http_status INTEGER, error TEXT NOT NULL
);
CREATE INDEX recent_calls ON calls (finished_at, group_id, started_at, input_tokens, output_tokens)
WHERE finished_at IS NOT NULL;
"""

_COUNT_ONE = "INSERT INTO tallies VALUES ({group}, new.state, 1) ON CONFLICT DO UPDATE SET tasks = tasks + 1;"
_UNCOUNT_ONE = "UPDATE tallies SET tasks = tasks - 1 WHERE group_id = {group} AND state = old.state;"
_ALL = {"group": WHOLE_LEDGER}

_TRIGGERS = (
    f"CREATE TRIGGER task_added AFTER INSERT ON tasks BEGIN {_COUNT_ONE.format(**_ALL)} END",
    f"""CREATE TRIGGER task_moved AFTER UPDATE OF state ON tasks WHEN old.state <> new.state BEGIN
        UPDATE wanted SET state = new.state WHERE task_id = new.id;
        {_UNCOUNT_ONE.format(**_ALL)} {_COUNT_ONE.format(**_ALL)}
    END""",
    """CREATE TRIGGER task_reserved AFTER UPDATE OF state ON tasks WHEN 'leased' IN (old.state, new.state) BEGIN
        UPDATE spending SET reserved = reserved
            + iif(new.state = 'leased', new.worst, 0) - iif(old.state = 'leased', old.worst, 0);
    END""",
    """CREATE TRIGGER task_settled AFTER UPDATE OF state ON tasks WHEN new.state NOT IN ('pending', 'leased') BEGIN
        UPDATE groups SET settled = settled + 1 WHERE id IN (0, new.group_id);
    END""",
    f"CREATE TRIGGER want_added AFTER INSERT ON wanted BEGIN {_COUNT_ONE.format(group='new.group_id')} END",
    f"""CREATE TRIGGER want_moved AFTER UPDATE OF state ON wanted WHEN old.state <> new.state BEGIN
        {_UNCOUNT_ONE.format(group="old.group_id")} {_COUNT_ONE.format(group="new.group_id")}
    END""",
    """CREATE TRIGGER call_added AFTER INSERT ON calls BEGIN
        UPDATE spending SET spent = spent + new.cost;
        UPDATE tasks SET calls = calls + 1, cost = cost + new.cost WHERE id = new.task_id;
        UPDATE groups SET calls = calls + 1, cost = cost + new.cost,
            first_started_at = min(ifnull(first_started_at, new.started_at), new.started_at),
            last_finished_at = max(ifnull(last_finished_at, 0), ifnull(new.finished_at, 0))
        WHERE id IN (0, new.group_id);
    END""",
)


class UnusableLedger(ValueError):
    """The ledger's file cannot be used: which file, what is wrong with it, what to do."""


@contextmanager
def named_errors(path: Path) -> Iterator[None]:
    """Errors of SQLite as UnusableLedger, with the file's name and what to do."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        name = getattr(error, "sqlite_errorname", "") or ""
        if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
            raise UnusableLedger(
                f"{path} is damaged or no task ledger ({error}): restore it from a copy, or move it away with its -wal "
                "and -shm files; a new one is made, and what it held is asked and paid for again"
            ) from None
        if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            raise UnusableLedger(
                f"{path} was locked for {_BUSY_S:.0f} s: a process that writes to it is stopped; end or resume it"
            ) from None
        raise UnusableLedger(f"{path}: {error}") from error


def open_ledger(path: Path) -> sqlite3.Connection:
    """A connection to the ledger in ``path``, made when absent; many processes may come first.

    Every commit is synced to disk (``synchronous = FULL``): an answer is paid for once it is there, and a lease whose
    record is lost in a power cut is a call nobody accounts for. Measured on a virtual disk, 0.16 ms a transaction
    against 0.03; a disk that takes 5 ms claims and settles 1,600 tasks a second in batches of 16. Raises
    UnusableLedger for a file of another kind or version or without WAL, sqlite3.DatabaseError for what SQLite refuses.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        if not _is_made(connection, path):
            _use_wal(connection, path)
            connection.execute("BEGIN IMMEDIATE")
            # Whoever comes first makes the tables; a process killed half-way leaves none.
            if not _is_made(connection, path):
                is_new = connection.execute("PRAGMA user_version").fetchone()[0] == 0
                first = (*_TABLES.split(";"), *_TRIGGERS) if is_new else ()
                for statement in (*first, *BATCH_TABLES, *_IDENTITY):
                    connection.execute(statement)
            connection.commit()
        for setting in _TUNING:
            connection.execute(f"PRAGMA {setting}")
    except BaseException:
        connection.close()
        raise
    return connection


def _is_made(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether all of the ledger's tables are there. A file of another kind is refused before it is changed."""
    # One transaction, so that a file another process is making is seen before or after, never in between.
    connection.execute("SAVEPOINT look")
    try:
        application, version, tables = (
            connection.execute(query).fetchone()[0]
            for query in ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_master")
        )
    finally:
        connection.execute("RELEASE look")
    if not (application or version or tables):
        return False
    if application != _APPLICATION:
        raise UnusableLedger(f"{path} is a database of another kind: choose another file for the ledger")
    if version not in (1, SCHEMA_VERSION):
        raise UnusableLedger(
            f"{path} has schema version {version}, this program knows {SCHEMA_VERSION}: update the program, or move "
            "the file away"
        )
    return version == SCHEMA_VERSION


def _use_wal(connection: sqlite3.Connection, path: Path) -> None:
    """Switching to WAL needs the file alone, and SQLite does not wait for that by itself."""
    deadline = time.monotonic() + _BUSY_S
    while True:
        try:
            mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
        else:
            if mode != "wal":
                raise UnusableLedger(f"{path}: the file system has no shared memory for SQLite: use a local disk")
            return
        time.sleep(0.01)


@dataclass(frozen=True)
class StoredRequest:
    """A request as the ledger holds it: its body, in which long parts are digests, and those parts by digest."""

    item: str | bytes
    model: str
    body: str
    texts: Mapping[str, str | bytes]


def stored(request: ModelRequest) -> StoredRequest:
    """``request`` as the ledger holds it. The schema keeps its order, which models answer in."""
    texts: dict[str, str | bytes] = {}

    def part(text: str) -> str | dict[str, str]:
        if len(text) < _LONG:
            return text
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        texts[digest] = _held(text)
        return {"text": digest}

    body = {
        "messages": [[role, part(content)] for role, content in request.messages],
        "schema_name": request.schema_name,
        "schema": part(json.dumps(request.schema, separators=(",", ":"))),
        "max_output_tokens": request.max_output_tokens,
        "temperature": request.temperature,
        "reasoning_effort": request.reasoning_effort,
        "sample": request.sample,
    }
    return StoredRequest(_held(request.item), request.model, json.dumps(body, separators=(",", ":")), texts)


class RequestReader:
    """Requests of the ledger, made again. Texts and schemas that many requests share are read once and shared."""

    def __init__(self, connection: sqlite3.Connection):
        self._connection = connection
        self._text = lru_cache(_REMEMBERED)(self._read_text)
        self._schema = lru_cache(_REMEMBERED)(_parsed)

    def read(self, task_ids: Sequence[int]) -> dict[int, ModelRequest]:
        """Requests by the id of their task."""
        rows = self._connection.execute(
            "SELECT t.id, t.key, r.item, r.model, r.body FROM json_each(?) j JOIN tasks t ON t.id = j.value"
            " JOIN requests r ON r.task_id = t.id",
            (json.dumps(list(task_ids)),),
        ).fetchall()
        return {task_id: self._request(*row) for task_id, *row in rows}

    def _request(self, key: str, item: str | bytes, model: str, body: str) -> ModelRequest:
        told = json.loads(body)
        schema, schema_hash = self._schema(told["schema_name"], self._part(told["schema"]))
        request = ModelRequest(
            item=_told(item),
            model=model,
            messages=tuple((role, self._part(content)) for role, content in told["messages"]),
            schema_name=told["schema_name"],
            schema=schema,
            max_output_tokens=told["max_output_tokens"],
            temperature=told["temperature"],
            reasoning_effort=told["reasoning_effort"],
            sample=told["sample"],
        )
        # Both are known: hashing the prompt again would cost as much as the rest of a claim.
        request.__dict__.update(key=key, schema_hash=schema_hash)
        return request

    def _part(self, part: str | Mapping[str, str]) -> str:
        return part if isinstance(part, str) else self._text(part["text"])

    def _read_text(self, digest: str) -> str:
        (body,) = self._connection.execute("SELECT body FROM texts WHERE digest = ?", (digest,)).fetchone()
        return _told(body)


def _parsed(name: str, text: str) -> tuple[Mapping[str, Any], str]:
    schema = json.loads(text)
    return schema, ModelRequest("", "", (), name, schema).schema_hash


def _held(text: str) -> str | bytes:
    """Text as a database holds it: with lone surrogates, which are no UTF-8, as bytes."""
    data = text.encode("utf-8", "surrogatepass")
    return data if data.decode("utf-8", "ignore") != text else text


def _told(held: str | bytes) -> str:
    return held if isinstance(held, str) else held.decode("utf-8", "surrogatepass")
