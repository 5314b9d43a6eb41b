"""Small corpora written by the real templates and writers, and copies of them to spoil."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataset_project.documents.configuration import DocumentSettings
from dataset_project.documents.generation import generate_batch
from dataset_project.documents.identities import pools as identity_pools
from dataset_project.documents.planning import DocumentPlanner, Kind
from dataset_project.documents.schemas import DOCUMENT_PLAN
from dataset_project.documents.templates.registry import TEMPLATES

SEED = 0
REFERENCE = date(2026, 1, 15)
POOLS = tuple(identity_pools.SCHEMAS)


def change_rows(path: Path, change: Callable[[list[dict[str, Any]]], Any]) -> None:
    """Rewrite a table with its rows changed in place, schema kept."""
    table = pq.read_table(path, partitioning=None)
    rows = table.to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)


@dataclass(frozen=True)
class Corpus:
    """Batches of documents in a directory each, with the tables of their pools and of their plan."""

    root: Path
    batches: tuple[Path, ...]
    settings: DocumentSettings

    def files(self, batch: int = 0) -> dict[str, Path]:
        where = self.batches[batch]
        own = {name: where / f"{name}.parquet" for name in ("documents", "spans")}
        return own | {"plan": self.root / f"plan_{where.name}.parquet"} | self.pools()

    def pools(self) -> dict[str, Path]:
        return {name: self.root / f"{name}.parquet" for name in POOLS}

    def all(self) -> Mapping[str, list[Path]]:
        return {name: [where / f"{name}.parquet" for where in self.batches] for name in ("documents", "spans")}

    def rows(self, table: str, batch: int = 0) -> list[dict[str, Any]]:
        return pq.read_table(self.files(batch)[table], partitioning=None).to_pylist()

    def change(self, table: str, change: Callable[[list[dict[str, Any]]], Any], batch: int = 0) -> None:
        change_rows(self.files(batch)[table], change)

    def path(self, row: Mapping[str, Any]) -> Path:
        return self.batches[0] / row["path"]

    def where(self, table: str, wanted: Callable[[dict[str, Any]], Any]) -> tuple[Corpus, dict[str, Any]]:
        """The first batch, alone, with a row that is wanted, and the row."""
        for batch in self.batches:
            one = Corpus(self.root, (batch,), self.settings)
            for row in one.rows(table):
                if wanted(row):
                    return one, row
        raise LookupError(f"no row of {table} is wanted")

    def file(self, form: str = "", kind: str = "", *, filled: bool = False) -> tuple[Corpus, dict[str, Any]]:
        """The first batch with a file of a format and a class, and its row; ``filled``: with values."""
        return self.where(
            "documents",
            lambda row: (
                row["path"] and form in ("", row["format"]) and kind in ("", row["class"]) and row["spans"] >= filled
            ),
        )


def write_corpus(root: Path, documents: int, per_batch: int, settings: DocumentSettings, patients: int = 150) -> Corpus:
    people = identity_pools.generate(SEED, REFERENCE, patients=patients, providers=30, facilities=6, employees=30)
    for name in POOLS:
        pq.write_table(getattr(people, name), root / f"{name}.parquet")
    kinds = [
        Kind(each.id, str(each.version), each.classes, each.formats, each.layouts, each.companions)
        for each in TEMPLATES.values()
    ]
    planner = DocumentPlanner(settings, kinds, people.ids("patients"))
    batches = []
    for number, first in enumerate(range(0, documents, per_batch)):
        where = root / f"batch_{number:04}"
        plan = [planner.plan(each) for each in range(first, min(first + per_batch, documents))]
        made = generate_batch(plan, people, SEED, REFERENCE, where)
        assert not made.failures
        pq.write_table(made.documents, where / "documents.parquet")
        pq.write_table(made.spans, where / "spans.parquet")
        rows = [
            {
                **{name: getattr(each, name) for name in DOCUMENT_PLAN.names if hasattr(each, name)},
                "batch": where.name,
                "class": each.document_class,
                "companion_ids": list(each.companion_ids),
            }
            for each in plan
        ]
        pq.write_table(pa.Table.from_pylist(rows, schema=DOCUMENT_PLAN), root / f"plan_{where.name}.parquet")
        batches.append(where)
    return Corpus(root, tuple(batches), settings)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """200 documents in eight batches, as the default settings mix them."""
    root = tmp_path_factory.mktemp("documents")
    return write_corpus(root, 200, 25, DocumentSettings(seed=SEED))


@pytest.fixture(scope="session")
def containers(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Messages within messages and archives, half of them mixed."""
    settings = DocumentSettings(
        seed=SEED, formats={"zip": 1, "nested_eml": 1}, mixed=0.5, positives=0.25, pii_only=0.05
    )
    return write_corpus(tmp_path_factory.mktemp("containers"), 16, 16, settings)


def _copy(of: Corpus, to: Path) -> Corpus:
    shutil.copytree(of.root, to)
    return Corpus(to, tuple(to / each.name for each in of.batches), of.settings)


@pytest.fixture
def spoilt(corpus: Corpus, tmp_path: Path) -> Corpus:
    """A copy of `corpus` to damage."""
    return _copy(corpus, tmp_path / "spoilt")


@pytest.fixture
def spoilt_containers(containers: Corpus, tmp_path: Path) -> Corpus:
    """A copy of `containers` to damage."""
    return _copy(containers, tmp_path / "spoilt_containers")
