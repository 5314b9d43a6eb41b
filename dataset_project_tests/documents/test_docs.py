"""The family's page names every setting, format, surface, template and table there is, and its examples run."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import get_args

import pytest
from pydantic_core import PydanticUndefined

from dataset_project.documents.configuration import DocumentSettings
from dataset_project.documents.formats.registry import NAMES, format_named
from dataset_project.documents.model.blocks import Surface
from dataset_project.documents.model.values import Validity
from dataset_project.documents.report.summary import TABLES
from dataset_project.documents.schemas import CLASSES
from dataset_project.documents.templates.registry import TEMPLATES
from dataset_project_tests.documents.report.corpora import publish
from dataset_project_tests.support import ROOT

PAGE = (ROOT / "docs" / "documents.md").read_text(encoding="utf-8")


def _section(title: str) -> str:
    return PAGE.split(f"## {title}\n")[1].split("\n## ")[0]


def _table(section: str) -> list[list[str]]:
    """Cells of a section's table, without its head; back-ticks taken off the first."""
    rows = [line.strip("| ").split(" | ") for line in section.split("\n") if line.startswith("| `")]
    return [[cells[0].strip("`"), *cells[1:]] for cells in rows]


def _default(field) -> str:
    value = field.default_factory() if field.default is PydanticUndefined else field.default
    return "" if value is None else json.dumps(value) if isinstance(value, dict) else str(value)


def test_the_page_lists_every_setting_with_its_default_and_meaning():
    section = _section("Settings")
    rows = [re.fullmatch(r"\| `(\w+)` \| (.*?) ?\| (.*) \|", line) for line in section.split("\n")]
    told = {row[1]: (row[2].strip("` "), row[3]) for row in rows if row}
    expected = {
        name.upper(): (_default(field), field.description.replace("|", "\\|"))
        for name, field in DocumentSettings.model_fields.items()
    }
    assert told == expected, {name for name in told.keys() | expected if told.get(name) != expected.get(name)}


def test_the_page_holds_no_setting_that_does_not_exist():
    known = {name.upper() for name in DocumentSettings.model_fields}
    named = set(re.findall(r"DATASET_DOCUMENTS__([A-Z_]*[A-Z])", PAGE))
    named |= set(re.findall(r"`([A-Z][A-Z_]{2,}[A-Z])(?:=[^`]*)?`", PAGE))
    assert named and named <= known


def test_the_page_lists_every_format_with_its_surfaces():
    order = get_args(Surface)
    expected = [
        [name, ", ".join(surface for surface in order if surface in format_named(name).surfaces)] for name in NAMES
    ]
    assert _table(_section("Formats, and where values sit")) == expected


def test_the_page_lists_every_template_with_its_formats():
    expected = [[name, ", ".join(each.formats)] for name, each in TEMPLATES.items()]
    assert _table(_section("Templates")) == expected
    assert {len(each.layouts) for each in TEMPLATES.values()} == {3, 4}, "as the page says"
    assert all({"phi", "negative", "pii_only"} <= set(each.classes) for each in TEMPLATES.values()), "as the page says"


def test_the_page_lists_every_class_validity_and_table_of_the_report():
    assert [cells[0] for cells in _table(_section("Classes"))] == list(CLASSES)
    assert [cells[0] for cells in _table(_section("Values"))[1:]] == list(get_args(Validity))
    head = PAGE.split("| dataset |")[1].split("\n\n")[0]
    assert {name for name in (*TABLES, "extraction", "presidio_recall") if f"`{name}`" not in head} == set()


@pytest.mark.parametrize("section", ["Reading a span", "Exports"])
def test_the_examples_run_where_the_data_are(section, tmp_path):
    publish(tmp_path / "data", 30, 30, DocumentSettings(seed=0))
    (code,) = re.findall(r"```python\n(.*?)```", _section(section), re.S)
    if section == "Reading a span":
        # Lines that show a value are what must hold.
        code += "\nassert document.canonical_text[span.start : span.end] == span.text"
        code += "\nassert span.text in reader.text_at(json.loads(span.locator))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    if section == "Exports":
        assert (tmp_path / "train.jsonl").stat().st_size and (tmp_path / "purview" / "truth.csv").exists()
        assert any((tmp_path / "i2b2").rglob("*.xml"))
