"""Reading a labelled sentence table: CSV or Parquet, any column names, one clear error for what is wrong with it.

The shipped sample is read like any other file. Splitting belongs to `splitting`.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dataset_project.augmentation.text.lexicons import resource_text

if TYPE_CHECKING:
    import pyarrow as pa

SAMPLE = "sentences.csv"
_MOST_NAMED = 3


class InvalidSource(ValueError):
    """A sentence table that cannot be used: which column, which rows, and what is wrong with them."""


@dataclass(frozen=True)
class Columns:
    """Names of the table's columns. ``evidence`` and ``split`` are None where there is none."""

    id: str
    text: str
    criterion: str
    label: str
    group: str
    evidence: str | None = None
    split: str | None = None

    def wanted(self) -> dict[str, str]:
        """Role → column, of the columns that are set."""
        return {role: name for role, name in vars(self).items() if name is not None}


def source_bytes(path: str | None) -> bytes:
    """The table's file, or the shipped sample. Raises InvalidSource when it cannot be read."""
    if path is None:
        return resource_text(SAMPLE).encode("utf-8")
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InvalidSource(f"{path} cannot be read: {error.strerror or error}") from None


def source_hash(path: str | None) -> str:
    """SHA-256 of the table's file; of nothing when it cannot be read (which reading it will say)."""
    try:
        return hashlib.sha256(source_bytes(path)).hexdigest()
    except InvalidSource:
        return hashlib.sha256(b"").hexdigest()


def read_sentences(path: str | None, columns: Columns) -> list[dict[str, str]]:
    """Rows with the keys ``id, text, context, criterion, label, group`` and ``split`` (where there is one), sorted by
    id.

    ``text`` is the evidence where a column for it is set; ``context`` is then the whole text, else None. Raises
    InvalidSource, naming column and row, for: a file that cannot be read, is empty, not UTF-8 or not a table; a missing
    column; null or blank values; ids that occur twice; evidence that its text does not contain; a split that is none.
    """
    where = path or "the shipped sample"
    table = _table(source_bytes(path), where, columns)
    roles = columns.wanted()
    missing = [f"{name} ({role})" for role, name in roles.items() if name not in table]
    if missing:
        raise InvalidSource(f"{where}: no column {', '.join(missing)}; it has {', '.join(table)}")
    by_role = {role: table[name] for role, name in roles.items()}
    for role, values in by_role.items():
        _refuse(where, roles[role], [n for n, value in enumerate(values) if value is None], "is null")
        _refuse(where, roles[role], [n for n, value in enumerate(values) if not value.strip()], "is empty")
    seen: dict[str, int] = {}
    again = [n for n, value in enumerate(by_role["id"]) if seen.setdefault(value, n) != n]
    _refuse(where, columns.id, again, "is a duplicate id", by_role["id"])
    rows = [dict(zip(by_role, values, strict=True)) for values in zip(*by_role.values(), strict=True)]
    if columns.evidence is not None:
        outside = [n for n, row in enumerate(rows) if row["evidence"] not in row["text"]]
        _refuse(where, columns.evidence, outside, f"does not occur in {columns.text}")
    if columns.split is not None:
        from dataset_project.augmentation.schemas import SPLITS

        unknown = [n for n, row in enumerate(rows) if row["split"] not in SPLITS]
        _refuse(where, columns.split, unknown, f"is not one of {', '.join(SPLITS)}", by_role["split"])
    for row in rows:
        evidence = row.pop("evidence", None)
        row["context"] = row["text"] if evidence is not None else None
        row["text"] = evidence if evidence is not None else row["text"]
    return sorted(rows, key=lambda row: row["id"])


def _table(content: bytes, where: str, columns: Columns) -> Mapping[str, list[str | None]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not content.strip():
        raise InvalidSource(f"{where} is empty")
    try:
        table = pq.read_table(io.BytesIO(content)) if content[:4] == b"PAR1" else _read_csv(content, where)
    except pa.ArrowException as error:
        raise InvalidSource(f"{where} is not a readable table: {str(error).splitlines()[0]}") from None
    twice = sorted({name for name in table.column_names if table.column_names.count(name) > 1})
    if twice:
        raise InvalidSource(f"{where} has the column {', '.join(twice)} more than once")
    if not table.num_rows:
        raise InvalidSource(f"{where} has no rows")
    wanted = set(columns.wanted().values())
    found = {}
    for name in table.column_names:
        if name not in wanted:
            found[name] = []
            continue
        try:
            found[name] = table[name].cast(pa.string()).to_pylist()
        except pa.ArrowException:
            raise InvalidSource(f"{where}: column {name} is {table[name].type}, not text or a number") from None
    return found


def _read_csv(content: bytes, where: str) -> pa.Table:
    import pyarrow as pa
    import pyarrow.csv as pc

    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InvalidSource(
            f"{where} is not UTF-8: byte {error.start}, line {line}; convert it, for example with iconv"
        ) from None
    header = text.splitlines()[0]
    names = next(csv.reader([header]))
    # Everything is text: an id 007 stays 007, and only an absent value is null.
    options = pc.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False)
    parse = pc.ParseOptions(newlines_in_values=True)
    return pc.read_csv(io.BytesIO(text.encode("utf-8")), parse_options=parse, convert_options=options)


def _refuse(where: str, column: str, rows: list[int], what: str, values: list[str] | None = None) -> None:
    if rows:
        shown = ", ".join(
            f"row {n + 1}" + (f" ({values[n]!r})" if values is not None else "") for n in rows[:_MOST_NAMED]
        )
        more = f" and {len(rows) - _MOST_NAMED} more" if len(rows) > _MOST_NAMED else ""
        raise InvalidSource(f"{where}: column {column} {what} in {shown}{more}")
