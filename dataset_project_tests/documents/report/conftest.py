"""Corpora that the tests of the report share."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataset_project.documents.configuration import DocumentSettings
from dataset_project.documents.exports.batches import Batches
from dataset_project_tests.documents.report.corpora import publish


@pytest.fixture(scope="session")
def published_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("report")


@pytest.fixture(scope="session")
def published(published_root: Path) -> Batches:
    """120 documents in three batches, containers and PDFs more often than usual."""
    settings = DocumentSettings(seed=0, mixed=0.2, formats={**DocumentSettings().formats, "zip": 2, "pdf": 8})
    return publish(published_root, 120, 40, settings)


@pytest.fixture(scope="session")
def without_values(tmp_path_factory: pytest.TempPathFactory) -> Batches:
    """A few negatives: no planted value anywhere."""
    settings = DocumentSettings(seed=0, positives=0, pii_only=0, mixed=0, formats={"txt": 1, "csv": 1})
    return publish(tmp_path_factory.mktemp("negatives"), 6, 6, settings)
