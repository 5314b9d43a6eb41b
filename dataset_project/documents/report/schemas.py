"""Arrow schemas of the report's tables: columns, units and meanings."""

from __future__ import annotations

import pyarrow as pa


def _field(name: str, description: str, kind: pa.DataType | None = None, unit: str = "") -> pa.Field:
    notes = {"description": description} | ({"unit": unit} if unit else {})
    return pa.field(name, kind or pa.string(), nullable=False, metadata=notes)


def _count(name: str, description: str) -> pa.Field:
    return _field(name, description, pa.int64())


FORMAT_CLASS = pa.schema(
    [
        _field("format", "format of the file"),
        _field("class", "phi, negative, pii_only or mixed"),
        _count("documents", "files, without the parts of containers"),
        _field("bytes", "size of those files", pa.int64(), "bytes"),
        _count("spans", "planted values in them"),
    ]
)

SPAN_COUNTS = pa.schema(
    [
        _field("type", "fine type, such as patient_name or mrn"),
        _field("hipaa_code", "Safe-Harbor identifier, A to R: 45 CFR 164.514(b)(2)(i)"),
        _field("surface", "where it sits: body, table, header, comment, hidden, metadata …"),
        _field("format", "format of the file, a container's for what is inside of it"),
        _field("validity", "realistic, reserved, invalid_checksum or not_applicable"),
        _field("visible", "whether a person who opens the file sees it without looking for it", pa.bool_()),
        _count("spans", "planted values"),
        _count("documents", "files that hold at least one"),
    ]
)

TEMPLATE_COUNTS = pa.schema(
    [
        _field("template_id", "what kind of document it is"),
        _field("class", "phi, negative, pii_only or mixed"),
        _field("split", "train, val or test"),
        _count("documents", "files, without the parts of containers"),
        _count("spans", "planted values in them"),
    ]
)

EXTRACTION = pa.schema(
    [
        _field("format", "format of the file, a container's for what is inside of it"),
        _field("surface", "where the value sits"),
        _count("spans", "planted values in the sample"),
        _count("in_ordinary", "those in the text that a simple script takes out of such a file"),
        _count("in_everything", "those in all text that there is anywhere in the file"),
    ]
)

PRESIDIO_RECALL = pa.schema(
    [
        _field("surface", "where the value sits"),
        _field("type", "fine type, such as patient_name or mrn"),
        _count("spans", "planted values in the sample"),
        _count("in_ordinary", "those in the text that a simple script takes out"),
        _count("found_in_ordinary", "those of them that Presidio's patterns find there, under any name"),
        _count("in_everything", "those in all text of the file"),
        _count("found_in_everything", "those of them that Presidio's patterns find there, under any name"),
    ]
)
