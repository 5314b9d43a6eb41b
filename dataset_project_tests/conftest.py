"""Fixtures every test may use."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from dataset_project_tests.support import TinyProject

# A shell starts background jobs with Ctrl-C ignored, which their children inherit; tests press it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TinyProject:
    """A project of the tiny family in its own directory, with its own Dagster instance."""
    project = TinyProject(tmp_path)
    for name, value in project.environment.items():
        monkeypatch.setenv(name, value)
    return project
