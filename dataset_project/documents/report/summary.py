"""How many documents and values there are of which kind: counted with DuckDB, one batch in memory at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pyarrow as pa

from dataset_project.documents.exports.batches import Batches
from dataset_project.documents.report.schemas import FORMAT_CLASS, SPAN_COUNTS, TEMPLATE_COUNTS

if TYPE_CHECKING:
    import duckdb

# What is counted needs few columns; texts are most of a batch's bytes.
_DOCUMENT_COLUMNS = ("doc_id", "format", "class", "bytes", "template_id", "split", "parent_doc_id", "spans")
_SPAN_COLUMNS = ("doc_id", "type", "hipaa_code", "surface", "validity", "visible")

# A document is in one batch, so that counts of batches add up, those of different documents too.
_QUERIES: Mapping[str, tuple[pa.Schema, str]] = {
    "format_class": (
        FORMAT_CLASS,
        "SELECT format, class, count(*) AS documents, sum(bytes) AS bytes, sum(spans) AS spans FROM files GROUP BY ALL",
    ),
    "span_counts": (
        SPAN_COUNTS,
        """SELECT type, hipaa_code, surface, format, validity, visible, count(*) AS spans,
                  count(DISTINCT doc_id) AS documents
           FROM values_of_batch JOIN files USING (doc_id) GROUP BY ALL""",
    ),
    "template_counts": (
        TEMPLATE_COUNTS,
        "SELECT template_id, class, split, count(*) AS documents, sum(spans) AS spans FROM files GROUP BY ALL",
    ),
}
TABLES: Mapping[str, pa.Schema] = {name: schema for name, (schema, _) in _QUERIES.items()}
"""Name → schema of what `summarise` makes."""


def summarise(batches: Batches) -> dict[str, pa.Table]:
    """FORMAT_CLASS, SPAN_COUNTS and TEMPLATE_COUNTS by name, sorted by their keys; no rows for what does not occur."""
    import duckdb

    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        counted: dict[str, list[pa.Table]] = {name: [] for name in _QUERIES}
        for key in batches:
            connection.register("documents_of_batch", batches.table(key, "documents", _DOCUMENT_COLUMNS))
            connection.register("values_of_batch", batches.table(key, "spans", _SPAN_COLUMNS))
            # Values of a part are among those of its container.
            connection.execute(
                "CREATE OR REPLACE TEMP TABLE files AS FROM documents_of_batch WHERE parent_doc_id IS NULL"
            )
            for name, (schema, query) in _QUERIES.items():
                counted[name].append(_cast(connection.sql(query).to_arrow_table(), schema))
        return {name: _added(connection, pieces, TABLES[name]) for name, pieces in counted.items()}


def _added(connection: duckdb.DuckDBPyConnection, pieces: list[pa.Table], schema: pa.Schema) -> pa.Table:
    numbers = [field.name for field in schema if pa.types.is_integer(field.type)]
    keys = ", ".join(f'"{field.name}"' for field in schema if field.name not in numbers)
    connection.register("pieces", pa.concat_tables([schema.empty_table(), *pieces]))
    sums = ", ".join(f'sum("{name}") AS "{name}"' for name in numbers)
    return _cast(
        connection.sql(f"SELECT {keys}, {sums} FROM pieces GROUP BY ALL ORDER BY {keys}").to_arrow_table(), schema
    )


def _cast(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """With the columns and types of ``schema``: DuckDB sums to wider integers, and names are dictionaries here."""
    return pa.table([table[field.name].cast(field.type) for field in schema], schema=schema)
