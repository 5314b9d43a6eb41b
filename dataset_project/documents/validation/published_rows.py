"""What the family's rules read: rows of documents and of their spans, the files inside files, the identity pools.

With the standard library alone where files are taken apart, as writers and readers are what is judged.
"""

from __future__ import annotations

import functools
import io
import zipfile
from collections.abc import Iterator, Mapping
from email.parser import BytesParser
from email.policy import default
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dataset_project.documents.identities.pools import SCHEMAS, Pools
from dataset_project.documents.schemas import DOCUMENTS, SPANS
from dataset_project.storage.published import Files, paths_of, schema_differences

Row = Mapping[str, Any]
"""A row of DOCUMENTS or SPANS."""

# Attached messages as they stand in the file: nothing folded again.
_AS_IT_IS = default.clone(refold_source="none", linesep="\r\n")


def schema_problem(files: Files) -> str:
    """How documents or spans differ from their schemas first; empty when they agree."""
    for table, schema in (("documents", DOCUMENTS), ("spans", SPANS)):
        if wrong := schema_differences(files, table, schema):
            return f"schema of {table}: {wrong[0]}"
    return ""


def documents_of(files: Files, columns: list[str] | None = None) -> list[Row]:
    """All rows of ``documents``: files and parts, in their order."""
    return _rows(files, "documents", columns)


def spans_of(files: Files, columns: list[str] | None = None) -> dict[str, list[Row]]:
    """The rows of ``spans`` by document, in their order."""
    found: dict[str, list[Row]] = {}
    for row in _rows(files, "spans", columns):
        found.setdefault(row["doc_id"], []).append(row)
    return found


def _rows(files: Files, table: str, columns: list[str] | None) -> list[Row]:
    return [row for path in paths_of(files, table) for row in table_at(path, columns).to_pylist()]


def table_at(path: Path, columns: list[str] | None = None) -> pa.Table:
    """A table, or some columns of it, as it stands in its file.

    Not with `pq.read_table`: it loads pandas, 50 MB of every shard, and takes ``key=…`` in a path for a column.
    """
    with pq.ParquetFile(path) as file:
        return file.read(columns)


def files_inside(name: str, content: bytes, above: str = "") -> Iterator[tuple[str, bytes]]:
    """(path of names, bytes) of every attachment and member, those inside of them too, in the order of the file.

    What is no container has none. Raises zipfile.BadZipFile for a broken archive.
    """
    suffix = PurePosixPath(name).suffix
    if suffix == ".zip":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            inside = [(each, archive.read(each)) for each in archive.namelist()]
    elif suffix == ".eml":
        message = BytesParser(policy=_AS_IT_IS).parsebytes(content)
        inside = [(each.get_filename() or "", _content(each)) for each in message.iter_attachments()]
    else:
        return
    for each, data in inside:
        yield f"{above}{each}", data
        yield from files_inside(each, data, f"{above}{each}/")


def _content(part: Any) -> bytes:
    if part.get_content_type() == "message/rfc822":
        return part.get_payload(0).as_bytes()
    return part.get_payload(decode=True)


def pools_of(files: Files) -> Pools:
    """The identity pools of ``files`` (patients, providers, facilities, employees); once for the same files.

    Raises KeyError for a table that is not given, ValueError for tables that make no pools.
    """
    stamps = []
    for name in SCHEMAS:
        (path,) = paths_of(files, name)
        about = path.stat()
        stamps.append((name, path, about.st_size, about.st_mtime_ns))
    return _pools(tuple(stamps))


# One: pools may be large, and all batches of a run share theirs.
@functools.lru_cache(maxsize=1)
def _pools(stamps: tuple[tuple[str, Path, int, int], ...]) -> Pools:
    return Pools(**{name: table_at(path) for name, path, _, _ in stamps})
