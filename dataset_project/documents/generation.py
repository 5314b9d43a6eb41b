"""Making a batch: each planned document built from its case, written in its format, its spans kept.

A document depends on its plan, the pools and the settings alone. One that cannot be made is named with its reason, and
the others are made.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from dataset_project.documents.formats.registry import format_named
from dataset_project.documents.identities.case import Case, case_for
from dataset_project.documents.identities.fine_types import is_phi
from dataset_project.documents.identities.pools import Pools
from dataset_project.documents.model.blocks import Document
from dataset_project.documents.model.emitting import Locator, Span, Written
from dataset_project.documents.planning import PlannedDocument, layouts_of
from dataset_project.documents.schemas import DOCUMENTS, SPANS
from dataset_project.documents.templates.registry import TEMPLATES
from dataset_project.storage.seeding import stream

FILES = "files"
_STREAMS = "documents"


@dataclass
class Batch:
    """What was made: rows of DOCUMENTS and of SPANS, and the documents that failed (id → reason)."""

    documents: pa.Table
    spans: pa.Table
    failures: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Made:
    """One document: as it was before it had a format, as a file, and whose case it is."""

    planned: PlannedDocument
    document: Document
    written: Written
    case: Case


def make(planned: PlannedDocument, pools: Pools, seed: int, reference_date: date) -> Made:
    """The document of a plan. Raises what templates and writers raise for what cannot be written."""
    template = TEMPLATES[planned.template_id]
    form = format_named(planned.format)
    case = case_for(pools, seed, planned.doc_id, planned.patient_id, reference_date)
    others = [
        case_for(pools, seed, f"{planned.doc_id}+{number}", patient, reference_date)
        for number, patient in enumerate(planned.companion_ids, 1)
    ]
    document = template.build(
        case,
        partial(stream, seed, _STREAMS, planned.doc_id),
        form.surfaces,
        planned.document_class,
        planned.layout_id,
        planned.difficulty,
        others,
        # Attachments and members keep to the looks of the document's split.
        part_layouts=lambda each: layouts_of(each, planned.split),
    )
    return Made(planned, document, form.write(document, planned.doc_id), case)


def generate_batch(
    planned: Sequence[PlannedDocument], pools: Pools, seed: int, reference_date: date, directory: Path
) -> Batch:
    """Make ``planned`` and write their files into ``directory/files``."""
    files = directory / FILES
    files.mkdir(parents=True, exist_ok=True)
    documents: list[dict[str, Any]] = []
    spans: list[dict[str, Any]] = []
    failures: dict[str, str] = {}
    for each in planned:
        try:
            made = make(each, pools, seed, reference_date)
            rows = list(_document_rows(made, reference_date))
            mine = [_span_row(each.doc_id, number, span) for number, span in enumerate(made.written.spans)]
        except Exception as error:
            failures[each.doc_id] = f"{type(error).__name__}: {error}"
            continue
        (directory / rows[0]["path"]).write_bytes(made.written.content)
        documents += rows
        spans += mine
    return Batch(pa.Table.from_pylist(documents, schema=DOCUMENTS), pa.Table.from_pylist(spans, schema=SPANS), failures)


def _document_rows(made: Made, reference_date: date) -> Iterator[dict[str, Any]]:
    """The row of the file, then those of its parts."""
    planned, case = made.planned, made.case
    has_people = planned.document_class != "negative"
    common = {
        "template_id": planned.template_id,
        "template_version": planned.template_version,
        "layout_id": planned.layout_id,
        "difficulty": planned.difficulty,
        "split": planned.split,
        "patient_id": case.patient.id if planned.document_class in ("phi", "mixed") else None,
        "provider_id": case.provider.id if has_people else None,
        "facility_id": case.facility.id if has_people else None,
        "reference_date": reference_date,
        "llm": False,
        "llm_model": None,
        "llm_prompt_hash": None,
    }
    suffix = format_named(planned.format).suffix
    yield {
        **common,
        **_content(made.written),
        "doc_id": planned.doc_id,
        "path": f"{FILES}/doc_{planned.doc_id}.{suffix}",
        "format": planned.format,
        "class": planned.document_class,
        "parent_doc_id": None,
        "part_path": None,
    }
    for path, form, part, part_id in _parts(made.document, planned.doc_id):
        written = format_named(form).write(part, part_id)
        found = "phi" if any(is_phi(span.value) for span in written.spans) else "negative"
        yield {
            **common,
            **_content(written),
            "doc_id": part_id,
            "path": None,
            "format": form,
            "class": found if planned.document_class == "mixed" else planned.document_class,
            "parent_doc_id": planned.doc_id,
            "part_path": path,
        }


def _content(written: Written) -> dict[str, Any]:
    return {
        "sha256": hashlib.sha256(written.content).hexdigest(),
        "bytes": len(written.content),
        "spans": len(written.spans),
        "canonical_text": written.text,
        "canonical_text_sha256": hashlib.sha256(written.text.encode()).hexdigest(),
    }


def _parts(document: Document, doc_id: str, above: str = "") -> Iterator[tuple[str, str, Document, str]]:
    """(path of numbers, format, part, its id) of every attachment and member, those inside of them too."""
    for number, (form, part) in enumerate(document.attachments, 1):
        path = f"{above}{number}"
        yield path, form, part, f"{doc_id}.{number}"
        yield from _parts(part, f"{doc_id}.{number}", f"{path}/")


def _span_row(doc_id: str, number: int, span: Span) -> dict[str, Any]:
    value = span.value
    return {
        "span_id": f"{doc_id}:{number}",
        "doc_id": doc_id,
        "hipaa_code": value.code,
        "type": value.type,
        "i2b2_type": value.i2b2,
        "canonical": value.canonical,
        "text": value.text,
        "start": span.start,
        "end": span.end,
        "surface": span.surface,
        "locator": json.dumps(span.locator, sort_keys=True, separators=(",", ":")),
        "role": value.role,
        "subject_id": value.subject_id,
        "validity": value.validity,
        "visible": span.visible,
        "nested_in": "/".join(_containers(span.locator)),
    }


def _containers(locator: Locator) -> Iterator[str]:
    """What a locator goes through to reach its place: MIME paths and members, outermost first."""
    while "inner" in locator:
        yield str(locator.get("path") or locator.get("name"))
        locator = locator["inner"]
