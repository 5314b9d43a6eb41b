"""Presidio where it is not installed, behind a stand-in, and, where it is, the real one."""

from __future__ import annotations

import sys
import types
from importlib.machinery import ModuleSpec
from typing import Any

import pytest

from dataset_project.documents.report import presidio


def test_what_is_missing_is_named(monkeypatch):
    monkeypatch.setattr(presidio, "find_spec", lambda name: None)
    assert presidio.unavailable().startswith("presidio_analyzer and spacy are not installed")
    with pytest.raises(ImportError, match="pip install presidio-analyzer"):
        presidio.patterns_only()
    monkeypatch.setattr(presidio, "find_spec", lambda name: None if name == "spacy" else ModuleSpec(name, None))
    assert presidio.unavailable().startswith("spacy is not installed")


@pytest.fixture
def stand_in(monkeypatch):
    """Modules with the few names of Presidio and spaCy that are used, as their documentation has them."""
    made: dict[str, Any] = {}

    class SpacyNlpEngine:
        def __init__(self, models):
            made["models"] = models
            self.nlp = None

    class Result:
        def __init__(self, start, end):
            self.start, self.end = start, end

    class AnalyzerEngine:
        def __init__(self, nlp_engine, supported_languages):
            made["nlp"], made["languages"] = nlp_engine.nlp, supported_languages

        def analyze(self, text, language):
            assert language == "en"
            at = text.find("4711")
            # Two recognisers may find the same.
            return [Result(at, at + 4), Result(0, 1), Result(at, at + 4)]

    modules = {name: types.ModuleType(name) for name in ("spacy", "presidio_analyzer", "presidio_analyzer.nlp_engine")}
    modules["spacy"].blank = lambda language: f"blank {language}"
    modules["presidio_analyzer"].AnalyzerEngine = AnalyzerEngine
    modules["presidio_analyzer.nlp_engine"].SpacyNlpEngine = SpacyNlpEngine
    for name, module in modules.items():
        module.__spec__ = ModuleSpec(name, None)
        monkeypatch.setitem(sys.modules, name, module)
    return made


def test_the_analyzer_gets_a_blank_model_and_gives_places(stand_in):
    assert presidio.unavailable() == ""
    analyze = presidio.patterns_only()
    assert stand_in["nlp"] == {"en": "blank en"}, "given, so that none is downloaded"
    assert stand_in["languages"] == ["en"]
    assert analyze("x MRN 4711") == [(0, 1), (6, 10)]


def test_the_real_one_finds_a_number_by_its_pattern_and_no_name():
    pytest.importorskip("presidio_analyzer")
    pytest.importorskip("spacy")
    text = "Ana Lee, SSN 536-22-1234, reachable at 192.0.2.44"
    covered = {text[start:end] for start, end in presidio.patterns_only()(text)}
    assert "192.0.2.44" in covered and "Ana Lee" not in covered
