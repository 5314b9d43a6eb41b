"""Published batches as reports and exports read them: tables and files by key, wherever they are stored.

Whoever knows the store gives two functions; nothing here knows paths of a data directory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

Row = dict[str, Any]


@dataclass(frozen=True)
class Batches:
    """Batches of phi_documents, in the order of their keys.

    ``table``: (key, ``documents`` or ``spans``, columns or None for all) → the table. ``file``: (key, path as in
    DOCUMENTS) → bytes. Both raise what the store raises for what is not there.
    """

    keys: Sequence[str]
    table: Callable[[str, str, Sequence[str] | None], pa.Table]
    file: Callable[[str, str], bytes]

    def documents(self, key: str, columns: Sequence[str] | None = None) -> list[Row]:
        """Rows of the batch's files, without those of parts: a part's values are among its container's spans."""
        wanted = None if columns is None else list(dict.fromkeys((*columns, "parent_doc_id")))
        return [row for row in self.table(key, "documents", wanted).to_pylist() if row["parent_doc_id"] is None]

    def spans(self, key: str, columns: Sequence[str] | None = None) -> dict[str, list[Row]]:
        """Document → rows of its spans, in the order of its text."""
        wanted = None if columns is None else list(dict.fromkeys((*columns, "doc_id", "start")))
        found: dict[str, list[Row]] = {}
        for row in self.table(key, "spans", wanted).to_pylist():
            found.setdefault(row["doc_id"], []).append(row)
        for rows in found.values():
            rows.sort(key=lambda row: row["start"])
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys)


def local_batches(directories: Mapping[str, Path]) -> Batches:
    """Batches in local directories, by key. Raises KeyError for another key, OSError for a file that is not there."""

    def table(key: str, name: str, columns: Sequence[str] | None) -> pa.Table:
        import pyarrow.parquet as pq

        with pq.ParquetFile(directories[key] / f"{name}.parquet") as file:
            return file.read(None if columns is None else list(columns))

    def content(key: str, path: str) -> bytes:
        return (directories[key] / path).read_bytes()

    return Batches(tuple(sorted(directories)), table, content)
