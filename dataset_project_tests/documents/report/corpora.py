"""Small corpora as they are published: directories of batches, by the real planner, templates and writers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from dataset_project.documents.configuration import DocumentSettings
from dataset_project.documents.exports.batches import Batches, local_batches
from dataset_project.documents.generation import generate_batch
from dataset_project.documents.identities import pools as identity_pools
from dataset_project.documents.planning import DocumentPlanner, Kind
from dataset_project.documents.templates.registry import TEMPLATES

REFERENCE = date(2026, 1, 15)


def publish(root: Path, documents: int, per_batch: int, settings: DocumentSettings) -> Batches:
    """Batches below ``root/phi_documents``, as the store lays them out."""
    people = identity_pools.generate(settings.seed, REFERENCE, patients=80, providers=20, facilities=5, employees=20)
    kinds = [
        Kind(each.id, str(each.version), each.classes, each.formats, each.layouts, each.companions)
        for each in TEMPLATES.values()
    ]
    planner = DocumentPlanner(settings, kinds, people.ids("patients"))
    directories: dict[str, Path] = {}
    for number, first in enumerate(range(0, documents, per_batch)):
        key = f"batch_{number:04d}"
        directories[key] = where = root / "phi_documents" / f"partition={key}"
        planned = [planner.plan(each) for each in range(first, min(first + per_batch, documents))]
        made = generate_batch(planned, people, settings.seed, REFERENCE, where)
        assert not made.failures
        pq.write_table(made.documents, where / "documents.parquet")
        pq.write_table(made.spans, where / "spans.parquet")
    return local_batches(directories)


def rows_of(batches: Batches, table: str) -> list[Mapping[str, Any]]:
    """All rows of a table, batch after batch."""
    return [row for key in batches for row in batches.table(key, table, None).to_pylist()]
