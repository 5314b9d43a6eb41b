"""Parquet with one fixed set of writer settings, so that equal tables are equal files.

The schema metadata holds only deterministic facts (dataset, partition, seed, fingerprints): never a time, a cost, a
worker or a run.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def _options(schema: pa.Schema) -> dict:
    return {
        "compression": "zstd",
        "compression_level": 3,
        "version": "2.6",
        "data_page_version": "1.0",
        # Measured on series, index and window tables: dictionaries make text and rounded readings a quarter smaller,
        # and ascending integers and overlapping lists a quarter to a half bigger.
        "use_dictionary": [field.name for field in schema if _repeats(field.type)],
        "write_statistics": True,
        "write_page_index": False,
        "store_schema": True,
    }


def _repeats(kind: pa.DataType) -> bool:
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind)
    return text or pa.types.is_floating(kind)


class TableWriter:
    """Writes one table; each `write` is one row group. Nulls where none may be and foreign columns raise ValueError."""

    def __init__(self, path: Path, schema: pa.Schema, metadata: Mapping[str, str]):
        self._schema = schema.with_metadata(
            {**(schema.metadata or {}), **{k.encode(): v.encode() for k, v in sorted(metadata.items())}}
        )
        self._path = path
        self._writer = pq.ParquetWriter(path, self._schema, **_options(self._schema))
        self.rows = 0

    def write(self, table: pa.Table) -> None:
        if table.schema.names != self._schema.names:
            raise ValueError(
                f"{self._path.name}: columns {table.schema.names} are not the declared {self._schema.names}"
            )
        for field, column in zip(self._schema, table.columns, strict=True):
            if not field.nullable and column.null_count:
                raise ValueError(
                    f"{self._path.name}: column {field.name} has {column.null_count} nulls and may have none"
                )
        self._writer.write_table(table.cast(self._schema), row_group_size=max(table.num_rows, 1))
        self.rows += table.num_rows

    def close(self) -> None:
        self._writer.close()

    def __enter__(self) -> TableWriter:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()


def count_rows(path: Path) -> int:
    """Rows of a Parquet file, from its footer."""
    return pq.read_metadata(path).num_rows
