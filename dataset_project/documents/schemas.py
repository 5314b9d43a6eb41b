"""Arrow schemas of the family's tables: columns, units and meanings. The identity pools have theirs in `identities`."""

from __future__ import annotations

import pyarrow as pa

SPLITS = ("train", "val", "test")
CLASSES = ("phi", "negative", "pii_only", "mixed")

_name = pa.dictionary(pa.int32(), pa.string())


def _field(name: str, kind: pa.DataType, description: str, unit: str = "", nullable: bool = False) -> pa.Field:
    notes = {"description": description} | ({"unit": unit} if unit else {})
    return pa.field(name, kind, nullable=nullable, metadata=notes)


DOCUMENT_PLAN = pa.schema(
    [
        _field("doc_id", pa.string(), "the document: d and its number"),
        _field("number", pa.int64(), "number of the document, from 0"),
        _field("batch", _name, "partition of phi_documents"),
        _field("class", _name, "phi, negative, pii_only or mixed (a container with parts of both)"),
        _field("format", _name, "format of the file"),
        _field("template_id", _name, "what kind of document it is"),
        _field("template_version", _name, "version of the template"),
        _field("layout_id", _name, "one of the template's layouts"),
        _field("difficulty", _name, "easy, medium or hard: how values are written, and what stands beside them"),
        _field("split", _name, "train, val or test: of the patient and of the template, so that neither is in two"),
        _field("patient_id", pa.string(), "whose case it is; of a negative, whose case it leaves out"),
        _field("companion_ids", pa.list_(pa.string()), "other patients of the same split whom a list may name"),
        _field("llm", pa.bool_(), "whether a language model writes its prose, with placeholders"),
    ]
)

DOCUMENTS = pa.schema(
    [
        _field("doc_id", pa.string(), "the document, as in document_plan"),
        _field("path", pa.string(), "its file, relative to the partition's directory; null for a part", "", True),
        _field("sha256", pa.string(), "SHA-256 of the file, or of the part's bytes"),
        _field("bytes", pa.int64(), "size of the file or part", "bytes"),
        _field("format", _name, "format of the file or part"),
        _field("template_id", _name, "what kind of document it is"),
        _field("template_version", _name, "version of the template"),
        _field("layout_id", _name, "one of the template's layouts"),
        _field("class", _name, "phi, negative, pii_only or mixed"),
        _field("difficulty", _name, "easy, medium or hard"),
        _field("split", _name, "train, val or test"),
        _field("patient_id", pa.string(), "whose case it is; null where nobody's values are in it", "", True),
        _field("provider_id", pa.string(), "who writes it; null where nobody's values are in it", "", True),
        _field("facility_id", pa.string(), "where it is written; null where nobody's values are in it", "", True),
        _field("reference_date", pa.date32(), "the day on which it was written"),
        _field("parent_doc_id", pa.string(), "the container of a part; null for a file", "", True),
        _field(
            "part_path", pa.string(), "where in the container it is: MIME path or member; null for a file", "", True
        ),
        _field("spans", pa.int32(), "planted values in it"),
        _field("canonical_text", pa.string(), "its text as spans count it, lines joined by line feeds"),
        _field("canonical_text_sha256", pa.string(), "SHA-256 of that text, UTF-8"),
        _field("llm", pa.bool_(), "whether a language model wrote its prose"),
        _field("llm_model", pa.string(), "which; null where none did", "", True),
        _field("llm_prompt_hash", pa.string(), "hash of what it was asked; null where none did", "", True),
    ]
)

SPANS = pa.schema(
    [
        _field("span_id", pa.string(), "the document and the span's number in it"),
        _field("doc_id", pa.string(), "the document"),
        _field("hipaa_code", _name, "Safe-Harbor identifier, A to R: 45 CFR 164.514(b)(2)(i)"),
        _field("type", _name, "fine type, such as patient_name or mrn"),
        _field("i2b2_type", _name, "type of the i2b2 2014 de-identification track"),
        _field("canonical", pa.string(), "the value in one form, the same for all its surfaces"),
        _field("text", pa.string(), "the value as written here"),
        _field("start", pa.int32(), "first code point in the canonical text"),
        _field("end", pa.int32(), "code point after the last"),
        _field("surface", _name, "where it sits: body, table, header, comment, hidden, metadata …"),
        _field("locator", pa.string(), "where it is in the file, as its format addresses it: JSON"),
        _field("role", _name, "whose it is: patient, relative, provider, facility, employee, other"),
        _field("subject_id", pa.string(), "id in the identity pools; empty for none"),
        _field("validity", _name, "realistic, reserved, invalid_checksum or not_applicable"),
        _field("visible", pa.bool_(), "whether a person who opens the file sees it without looking for it"),
        _field("nested_in", pa.string(), "path of the attachments or members it is inside of; empty for none"),
    ]
)
