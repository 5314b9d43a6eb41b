"""Vectors of texts, kept for ever in one SQLite file that any number of processes share.

A text is embedded by whoever claims it first; others wait for that result instead of paying for it again, and take a
claim over when its holder died. Asking the model belongs to `embeddings`.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa

from dataset_project.llm.cache_schema import UnusableCache, named_errors, open_cache

__all__ = ["EmbeddingCache", "EmbeddingSpace", "Standing", "UnusableCache"]

_AT_ONCE = 500
_EXPORT_ROWS = 4096
_VECTOR = np.dtype("<f4")
# Connections of a process that forked: closing them here could take the file from under the process they belong to.
_INHERITED: list[sqlite3.Connection] = []


@dataclass(frozen=True)
class EmbeddingSpace:
    """What makes vectors comparable: vectors of one space may be measured against each other.

    ``provider``: the endpoint. ``dimensions``: as asked for, None where the model decides. ``task_type``: what the
    vectors are for, where a model tells them apart. ``normaliser``: version of the rule that prepared the texts.
    """

    provider: str
    model: str
    dimensions: int | None = None
    task_type: str = ""
    normaliser: str = ""

    def key(self, text: str) -> bytes:
        """Identity of a prepared text's vector: BLAKE2b over the space and the text, 16 bytes."""
        digest = self._start.copy()
        digest.update(text.encode("utf-8"))
        return digest.digest()

    @cached_property
    def identity(self) -> bytes:
        """The space's fields, unambiguously: JSON holds no NUL, so no text can continue into it."""
        fields = [self.provider, self.model, self.dimensions, self.task_type, self.normaliser]
        return json.dumps(fields, separators=(",", ":"), ensure_ascii=True).encode() + b"\0"

    @cached_property
    def _start(self) -> hashlib.blake2b:
        return hashlib.blake2b(self.identity, digest_size=16)


@dataclass(frozen=True)
class Standing:
    """How texts stand: ``free`` to be embedded, ``held`` (being embedded by somebody else), ``cached``."""

    free: list[str]
    held: list[str]
    cached: list[str]


class EmbeddingCache:
    """The cache in the file ``path``, made when absent. Thread-safe; also across a fork.

    ``lease_s``: a claim that is not extended for this long is open to others. What `put_many` returned from outlives
    a kill -9 of every process; a power cut may cost the last moments, never the file. Every method raises
    UnusableCache, naming the file, when it is no cache, a newer version's, damaged or cannot be opened.
    """

    def __init__(self, path: Path, lease_s: float = 300.0, clock: Callable[[], float] = time.time):
        self.path, self.lease_s = Path(path), lease_s
        self._clock = clock
        self._lock = threading.RLock()
        self._connected: tuple[int, sqlite3.Connection] | None = None
        with self._lock, named_errors(self.path):
            self._connection()

    def get_many(self, space: EmbeddingSpace, texts: Iterable[str]) -> dict[str, np.ndarray]:
        """Vectors of those ``texts`` that are there, read-only float32 arrays of shape (width,)."""
        by_key = {space.key(text): text for text in texts}
        found = {}
        with self._lock, named_errors(self.path):
            connection = self._connection()
            for keys in _chunks(list(by_key)):
                for key, vector in connection.execute(
                    f"SELECT key, vector FROM embeddings WHERE key IN ({_marks(keys)})", keys
                ):
                    found[by_key[key]] = np.frombuffer(vector, _VECTOR)
        return found

    def put_many(self, space: EmbeddingSpace, vectors: Mapping[str, np.ndarray]) -> None:
        """Keep ``vectors`` (text → (width,)) and end their claims, in one transaction. A vector that is there stays.

        Raises ValueError for a vector that is empty, not finite, all zeros or not as wide as the space's others.
        """
        if not vectors:
            return
        rows = [(space.key(text), text, _checked(text, vector)) for text, vector in vectors.items()]
        widths = sorted({len(blob) // _VECTOR.itemsize for *_, blob in rows})
        with self._writing() as connection:
            number, width = _known_space(connection, space, widths[0])
            if widths != [width]:
                raise ValueError(
                    f"vectors of {space.model} ({space.provider}) have {width} dimensions in {self.path}, not "
                    f"{', '.join(map(str, widths))}: the model behind the name has changed, or the server is at fault"
                )
            connection.executemany(
                "INSERT INTO embeddings (key, space, text, vector) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
                [(key, number, text, blob) for key, text, blob in rows],
            )
            connection.executemany("DELETE FROM claims WHERE key = ?", [(key,) for key, *_ in rows])

    def look(self, space: EmbeddingSpace, texts: Sequence[str]) -> Standing:
        """How the distinct ``texts`` stand, without a lock."""
        return self._standing(space, texts, None)

    def claim(self, space: EmbeddingSpace, texts: Sequence[str], owner: str) -> Standing:
        """Claim those of the distinct ``texts`` that are free: they are in ``free``, and now ``owner``'s to embed.

        A claim of ``owner``'s own is renewed, an expired one taken over.
        """
        with self._writing() as connection:
            standing = self._standing(space, texts, owner)
            now = self._clock()
            connection.executemany(
                "INSERT INTO claims VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET "
                "owner = excluded.owner, claimed_at = excluded.claimed_at, expires_at = excluded.expires_at",
                [(space.key(text), owner, now, now + self.lease_s) for text in standing.free],
            )
        return standing

    def _standing(self, space: EmbeddingSpace, texts: Sequence[str], owner: str | None) -> Standing:
        standing, now = Standing([], [], []), self._clock()
        with self._lock, named_errors(self.path):
            connection = self._connection()
            for some in _chunks(list(dict.fromkeys(texts))):
                keys = [space.key(text) for text in some]
                marks = _marks(keys)
                query = f"SELECT key FROM embeddings WHERE key IN ({marks})"
                there = {key for (key,) in connection.execute(query, keys)}
                query = f"SELECT key, owner, claimed_at, expires_at FROM claims WHERE key IN ({marks})"
                taken = {
                    key
                    for key, by, since, until in connection.execute(query, keys)
                    # A claim from the future was made before the clock went back: it must not hold for longer.
                    if by != owner and until > now and since <= now + self.lease_s
                }
                for key, text in zip(keys, some, strict=True):
                    kind = standing.cached if key in there else standing.held if key in taken else standing.free
                    kind.append(text)
        return standing

    def extend(self, owner: str) -> None:
        """Renew every claim of ``owner``: it is alive, its calls are only slow."""
        with self._writing() as connection:
            now = self._clock()
            connection.execute(
                "UPDATE claims SET claimed_at = ?, expires_at = ? WHERE owner = ?", (now, now + self.lease_s, owner)
            )

    def release(self, space: EmbeddingSpace, texts: Iterable[str], owner: str) -> None:
        """Give ``owner``'s claims on ``texts`` up: nothing came of them."""
        with self._writing() as connection:
            connection.executemany(
                "DELETE FROM claims WHERE key = ? AND owner = ?", [(space.key(text), owner) for text in texts]
            )

    def release_all(self, owner: str) -> None:
        """Give every claim of ``owner`` up."""
        with self._writing() as connection:
            connection.execute("DELETE FROM claims WHERE owner = ?", (owner,))

    def __len__(self) -> int:
        with self._lock, named_errors(self.path):
            return self._connection().execute("SELECT count(*) FROM embeddings").fetchone()[0]

    def to_table(self) -> pa.Table:
        """Everything, in the order of the keys: the same content gives the same table, whoever embedded what first."""
        schema = pa.schema(
            [
                *((name, pa.string()) for name in ("key", "provider", "model")),
                ("dimensions", pa.int32()),
                *((name, pa.string()) for name in ("task_type", "normaliser", "text")),
                ("embedding", pa.list_(pa.float32())),
            ]
        )
        batches = []
        with self._lock, named_errors(self.path):
            rows = self._connection().execute(
                "SELECT key, provider, model, dimensions, task_type, normaliser, text, vector "
                "FROM embeddings JOIN spaces ON spaces.id = embeddings.space ORDER BY key"
            )
            while some := rows.fetchmany(_EXPORT_ROWS):
                keys, *columns, blobs = zip(*some, strict=True)
                ends = np.cumsum([0, *(len(blob) // _VECTOR.itemsize for blob in blobs)], dtype=np.int32)
                numbers = pa.array(np.frombuffer(b"".join(blobs), _VECTOR), pa.float32())
                arrays = [pa.array([key.hex() for key in keys], pa.string())]
                arrays += [pa.array(each, field.type) for each, field in zip(columns, list(schema)[1:-1], strict=True)]
                arrays.append(pa.ListArray.from_arrays(pa.array(ends), numbers))
                batches.append(pa.record_batch(arrays, schema=schema))
        return pa.Table.from_batches(batches, schema)

    def close(self) -> None:
        """Close the file. The object opens it again when it is used again."""
        with self._lock:
            pid, connection = self._connected or (None, None)
            self._connected = None
            if connection is not None and pid == os.getpid():
                connection.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, named_errors(self.path):
            connection = self._connection()
            try:
                # Inside: an interrupt while it waits for the lock comes when it has it.
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.commit()
            except BaseException:
                connection.rollback()
                raise

    def _connection(self) -> sqlite3.Connection:
        # A connection must not cross a fork: both sides would write by one side's knowledge of the file.
        if self._connected is None or self._connected[0] != os.getpid():
            if self._connected is not None:
                _INHERITED.append(self._connected[1])
            self._connected = (os.getpid(), open_cache(self.path))
        return self._connected[1]


def _known_space(connection: sqlite3.Connection, space: EmbeddingSpace, width: int) -> tuple[int, int]:
    """Number and width of the space, made with ``width`` when it is new."""
    connection.execute(
        "INSERT INTO spaces (provider, model, dimensions, task_type, normaliser, identity, width) "
        "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (identity) DO NOTHING",
        (*(space.provider, space.model, space.dimensions, space.task_type, space.normaliser), space.identity, width),
    )
    return connection.execute("SELECT id, width FROM spaces WHERE identity = ?", (space.identity,)).fetchone()


def _checked(text: str, vector: np.ndarray) -> bytes:
    """The vector's bytes. Raises ValueError for what no embedding is."""
    array = np.ascontiguousarray(vector, _VECTOR)
    if array.ndim != 1 or not array.size or not np.isfinite(array).all() or not array.any():
        raise ValueError(f"no vector for {text[:40]!r}: it must be one row of finite numbers, not all zero")
    return array.tobytes()


def _chunks(values: list) -> Iterator[list]:
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]


def _marks(values: Sequence) -> str:
    return ",".join("?" * len(values))
