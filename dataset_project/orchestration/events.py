"""Commit records as materialisation metadata, and back.

Either can rebuild the other: every field of the record is on the event under its own name, so the UI can show and plot
it, and facts come both as one JSON value and, when numeric, one by one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from dataset_project.storage.keys import UNPARTITIONED
from dataset_project.storage.records import CommitRecord
from dataset_project.storage.store import DatasetStore

_FIRST = ("status", "rows", "bytes", "sha256")
_JSON_FIELDS = ("files", "input_hashes", "facts")
_LEFT_OUT_WHEN_EMPTY = ("reason", "facts")
_THUMBNAIL_WIDTH = 480
PICTURES = "pictures/"


def record_metadata(record: CommitRecord, store: DatasetStore, *, run_id: str) -> dict[str, Any]:
    """Metadata of a partition's materialisation event. ``reused``: computed by another run and found intact."""
    fields = record.model_dump(mode="json")
    count = "dagster/row_count" if record.partition == UNPARTITIONED else "dagster/partition_row_count"
    # The UI lists metadata in this order: what people look for first, what only a rebuild needs last.
    metadata: dict[str, Any] = {count: record.rows, **{name: fields[name] for name in _FIRST}}
    metadata |= {"reused": record.run_id != run_id, "path": store.relative_directory(record.dataset, record.partition)}
    metadata |= _thumbnails(record, store)
    metadata |= {
        name: value
        for name, value in record.facts.items()
        if isinstance(value, (int, float)) and name not in fields and name not in metadata
    }
    for name, value in fields.items():
        if name not in metadata and (value or name not in _LEFT_OUT_WHEN_EMPTY):
            metadata[name] = dg.MetadataValue.json(value) if name in _JSON_FIELDS else value
    metadata["started_at"] = dg.MetadataValue.timestamp(record.started_at)
    return metadata


def metadata_record(metadata: Mapping[str, dg.MetadataValue]) -> CommitRecord | None:
    """The commit record an event's metadata holds; None for an event that was not made from one."""
    names = [name for name in CommitRecord.model_fields if name in metadata]
    if set(CommitRecord.model_fields) - set(names) - set(_LEFT_OUT_WHEN_EMPTY):
        return None
    fields = {name: metadata[name].value for name in names}
    fields["started_at"] = datetime.fromtimestamp(fields["started_at"], UTC)
    return CommitRecord.model_validate_json(json.dumps(fields, default=str))


def _thumbnails(record: CommitRecord, store: DatasetStore) -> dict[str, dg.MetadataValue]:
    """Small copies of the partition's pictures as markdown, so the UI shows them without serving files."""
    names = [name for name in record.files if name.startswith(PICTURES) and name.endswith(".png")]
    if not names:
        return {}
    import base64
    import io

    from PIL import Image

    shown = {}
    for name in names:
        with (
            store.fs.open(store.path(record.dataset, record.partition, name), "rb") as file,
            Image.open(file) as picture,
        ):
            picture.thumbnail((_THUMBNAIL_WIDTH, 10 * _THUMBNAIL_WIDTH))
            content = io.BytesIO()
            picture.convert("RGB").quantize(64).save(content, "PNG", optimize=True)
        title = name.removeprefix(PICTURES).removesuffix(".png")
        encoded = base64.b64encode(content.getvalue()).decode()
        shown[title] = dg.MetadataValue.md(f"![{title}](data:image/png;base64,{encoded})")
    return shown


def _type_name(kind: Any) -> str:
    """What a reader gets: dictionary encoding is storage, not type."""
    return str(getattr(kind, "value_type", kind) if str(kind).startswith("dictionary<") else kind)


def column_schema(schemas: Mapping[str, Any]) -> dict[str, dg.TableSchema]:
    """Dagster's column schemas of a dataset's Arrow schemas: the only table's is the asset's own."""
    tables = {}
    for table, schema in sorted(schemas.items()):
        columns = []
        for field in schema:
            notes = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
            unit = f" [{notes['unit']}]" if notes.get("unit") else ""
            columns.append(
                dg.TableColumn(
                    field.name,
                    _type_name(field.type),
                    description=notes.get("description", "") + unit,
                    constraints=dg.TableColumnConstraints(nullable=field.nullable),
                )
            )
        name = "dagster/column_schema" if len(schemas) == 1 else f"{table}_schema"
        tables[name] = dg.TableSchema(columns)
    return tables
