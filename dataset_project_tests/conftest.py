"""Fixtures every test may use."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataset_project_tests.support import TinyProject


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TinyProject:
    """A project of the tiny family in its own directory, with its own Dagster instance."""
    project = TinyProject(tmp_path)
    for name, value in project.environment.items():
        monkeypatch.setenv(name, value)
    return project
