"""The DuckDB catalogue: one view per published table, and the manifest, in one file to open.

Views list the committed files by name, so an uncommitted file is never read; the hive directory gives the column
``partition``. The file holds no data and is rebuilt whole, then renamed into place.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from dataset_project.storage.store import DatasetStore

CATALOGUE = "catalog.duckdb"


def view_names(dataset: str, tables: Sequence[str]) -> dict[str, str]:
    """View name of each table: the dataset's when it has one table, else ``<dataset>_<table>``."""
    return {table: dataset if len(tables) == 1 else f"{dataset}_{table}" for table in tables}


def write_catalogue(
    store: DatasetStore, datasets: Mapping[str, tuple[Sequence[str], Sequence[str]]], manifest: Path
) -> Path:
    """Write ``catalog.duckdb`` for ``datasets`` (name to its planned keys and its tables) and the manifest file.

    Partitions that are no longer planned are left out: they may hold the same items as others.

    Paths in views are absolute: DuckDB resolves others against the reader's working directory. Only for a local
    data directory: DuckDB needs its httpfs extension, a download, for anything else.
    """
    import duckdb

    final = store.local_path(CATALOGUE)
    temporary = store.local_path(f".{CATALOGUE}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    try:
        with duckdb.connect(str(temporary)) as connection:
            for dataset, (keys, tables) in sorted(datasets.items()):
                for table, view in view_names(dataset, tables).items():
                    paths = _committed_files(store, dataset, keys, table)
                    if paths:
                        connection.execute(f"CREATE VIEW {_quoted(view)} AS SELECT * FROM {_scan(paths)}")
            connection.execute(f"CREATE VIEW manifest AS SELECT * FROM read_parquet({_literal(str(manifest))})")
        os.replace(temporary, final)
    finally:
        temporary.unlink(missing_ok=True)
    return final


def _committed_files(store: DatasetStore, dataset: str, keys: Sequence[str], table: str) -> list[str]:
    found = []
    for key in keys:
        try:
            record = store.committed(dataset, key)
        except ValueError:
            continue  # an unreadable record is no record; the manifest says so
        path = store.path(dataset, key, f"{table}.parquet")
        if record is not None and f"{table}.parquet" in record.files and os.path.exists(path):
            found.append(path)
    return found


def _scan(paths: Sequence[str]) -> str:
    # Keys stay text ("007" is not 7), and files written before a column was added can still be read together.
    listed = ", ".join(_literal(path) for path in paths)
    return f"read_parquet([{listed}], hive_partitioning=true, hive_types_autocast=false, union_by_name=true)"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
