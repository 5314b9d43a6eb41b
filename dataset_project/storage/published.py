"""Published Parquet files as DuckDB views: what the validators of every family read.

Opening and asking belong here, rules do not. DuckDB is imported on first use.
"""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from dataset_project.storage.validation import Finding

if TYPE_CHECKING:
    import duckdb

# A shard's memory must not grow with its block: beyond this DuckDB works from temporary files.
MEMORY_LIMIT = "256MB"

Files = Mapping[str, "Path | Sequence[Path]"]
"""Table name → its file, or its files when several partitions are looked at together."""


def paths_of(files: Files, table: str) -> list[Path]:
    """The files of ``table``. KeyError, naming the table, when the validator was not given it."""
    if table not in files:
        raise KeyError(f"this validator needs the files of {table!r}; it was given {sorted(files)}")
    found = files[table]
    return [found] if isinstance(found, Path) else list(found)


def open_tables(files: Files, *tables: str) -> duckdb.DuckDBPyConnection:
    """An in-memory connection with one view per table, one thread so that results do not depend on the machine.

    Views have the columns of the files and ``file_row_number``, the row's position in its file.
    """
    import duckdb

    settings = {
        "threads": 1,
        "memory_limit": MEMORY_LIMIT,
        "temp_directory": tempfile.gettempdir(),
    }
    connection = duckdb.connect(":memory:", config=settings)
    connection.execute("SET enable_progress_bar = false")
    for table in tables:
        names = [str(path) for path in paths_of(files, table)]
        connection.read_parquet(names, hive_partitioning=False, file_row_number=True).create_view(table)
    return connection


def schema_differences(files: Files, table: str, expected: pa.Schema) -> list[str]:
    """How the files' columns differ from ``expected`` in name, order, type or nullability; empty when they agree."""
    import pyarrow.parquet as pq

    differences = []
    for path in paths_of(files, table):
        found = pq.read_schema(path)
        if found.names != expected.names:
            differences.append(f"{path.name}: columns {found.names}")
            continue
        for field in expected:
            other = found.field(field.name)
            if other.type != field.type or other.nullable != field.nullable:
                differences.append(f"{path.name}: {field.name} is {other.type}, nullable={other.nullable}")
    return differences


def verdict(problems: Mapping[str, int], good: str, figures: Mapping[str, int | float | str | bool]) -> Finding:
    """A Finding that fails when any count in ``problems`` (what is wrong → how often) is positive."""
    wrong = {what: count for what, count in problems.items() if count}
    summary = good if not wrong else "; ".join(f"{what}: {count:,}" for what, count in wrong.items())
    return Finding(not wrong, summary, {**figures, **{what.replace(" ", "_"): n for what, n in problems.items()}})


def validator(function: Callable[..., Finding]) -> Callable[..., Finding]:
    """A file that cannot be read or lacks a column is a failed finding that says so, not a crash of the shard."""

    @functools.wraps(function)
    def checked(*args: object, **keywords: object) -> Finding:
        import duckdb

        try:
            return function(*args, **keywords)
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            return Finding(False, f"cannot be read: {str(error).splitlines()[0]}", {"error": type(error).__name__})

    return checked
