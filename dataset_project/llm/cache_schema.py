"""The embedding cache's file: its tables, their version, and how it is opened. What is done with it is in `cache`."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_APPLICATION = 0x454D4243  # "EMBC": a database of another kind is not taken for a damaged one
SCHEMA_VERSION = 1
# A row with a vector of 1,536 numbers (6 KB) fits a page of 8 KB without overflow pages.
_PAGE_BYTES = 8192
# Others' transactions are short: a lock held longer than this is a stopped process.
_BUSY_S = 60.0

_TABLES = """
CREATE TABLE spaces (
    id INTEGER PRIMARY KEY, provider TEXT NOT NULL, model TEXT NOT NULL, dimensions INTEGER, task_type TEXT NOT NULL,
    normaliser TEXT NOT NULL, identity BLOB NOT NULL UNIQUE, width INTEGER NOT NULL
);
CREATE TABLE embeddings (
    key BLOB NOT NULL UNIQUE, space INTEGER NOT NULL REFERENCES spaces (id), text TEXT NOT NULL, vector BLOB NOT NULL
);
CREATE TABLE claims (key BLOB PRIMARY KEY, owner TEXT NOT NULL, claimed_at REAL NOT NULL, expires_at REAL NOT NULL)
WITHOUT ROWID;
"""


class UnusableCache(ValueError):
    """The cache file cannot be used: which file, what is wrong with it, what to do."""


@contextmanager
def named_errors(path: Path) -> Iterator[None]:
    """Errors of SQLite as UnusableCache, with the file's name and what to do."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        name = getattr(error, "sqlite_errorname", "") or ""
        if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
            raise UnusableCache(
                f"{path} is damaged or no embedding cache ({error}): move it away; a new one is made, and the texts "
                "are embedded and paid for again"
            ) from None
        raise UnusableCache(f"{path}: {error}") from error


def open_cache(path: Path) -> sqlite3.Connection:
    """A connection to the cache in ``path``, made when absent. Raises UnusableCache for a file of another kind or
    version, sqlite3.DatabaseError for what SQLite refuses."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        if not _is_made(connection, path):
            connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
            _use_wal(connection)
            connection.execute("BEGIN IMMEDIATE")
            # Whoever comes first makes the tables; a process killed half-way leaves none.
            if not _is_made(connection, path):
                for statement in _TABLES.split(";"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {_APPLICATION}")
                connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            connection.commit()
        connection.execute("PRAGMA synchronous = NORMAL")
    except BaseException:
        connection.close()
        raise
    return connection


def _is_made(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether the cache's tables are there. A file of another kind is refused before anything in it is changed."""
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
        raise UnusableCache(f"{path} is a database of another kind: choose another file for the cache")
    if version != SCHEMA_VERSION:
        raise UnusableCache(
            f"{path} has schema version {version}, this program knows {SCHEMA_VERSION}: update the program, or move "
            "the file away"
        )
    return True


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switching to WAL needs the file alone, and SQLite does not wait for that by itself."""
    deadline = time.monotonic() + _BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
        time.sleep(0.01)
