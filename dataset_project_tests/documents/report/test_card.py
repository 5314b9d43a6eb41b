"""The card: this corpus's own figures, everything explained, and examples that run."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import get_args

import pytest

from dataset_project.documents.configuration import DocumentSettings
from dataset_project.documents.model.blocks import Surface
from dataset_project.documents.model.values import HipaaCode, Validity
from dataset_project.documents.report.card import SURFACES, Results, card
from dataset_project.documents.report.recall import measure
from dataset_project.documents.report.summary import summarise
from dataset_project.documents.schemas import CLASSES
from dataset_project_tests.documents.report.corpora import rows_of
from dataset_project_tests.support import ROOT

SETTINGS = DocumentSettings(seed=0)
PICTURES = ("documents_by_format", "pages")
MISSING = "presidio_analyzer is not installed (pip install presidio-analyzer)"


def _card(batches, analyze=None, settings=SETTINGS, reason=MISSING):
    found = measure(batches, analyze, most=60)
    tables = {**summarise(batches), "extraction": found.extraction, "presidio_recall": found.presidio}
    return card(settings, Results(tables, PICTURES, batches.keys[0], found.documents, reason))


@pytest.fixture(scope="module")
def text(published):
    return _card(published)


def test_the_card_tells_the_corpus_s_own_figures(text, published):
    files = [row for row in rows_of(published, "documents") if row["parent_doc_id"] is None]
    spans = rows_of(published, "spans")
    assert "120 documents in 11\nformats" in text
    for name in CLASSES:
        count = sum(row["class"] == name for row in files)
        assert f"{count:,} {name}" in text.split("| documents |")[1].split("\n")[0]
        assert re.search(rf"^\| `{name}` \| .* \| {count:,} \|$", text, re.M)
    assert f"| planted values | {len(spans):,} of {len({row['type'] for row in spans})} types" in text
    unseen = sum(not row["visible"] for row in spans) / len(spans)
    assert f"| not seen by a reader | {unseen:.0%} of the values" in text
    mrn = sum(row["type"] == "mrn" for row in spans)
    assert f"| H medical record numbers | {mrn:,} | `mrn` {mrn:,} |" in text
    for validity in get_args(Validity):
        count = sum(row["validity"] == validity for row in spans)
        assert f"| `{validity}` | {count:,} |" in text
    assert "15 January 2026" in text and "| seed | 0 |" in text


def test_nothing_is_left_open_and_the_warnings_are_there(text):
    assert "$" not in text and "{" not in text and "\n\n\n" not in text
    for words in ("Synthetic", "made up", "reserved", "555-01xx", ".example", "no medical advice", "MIT"):
        assert words in text
    assert re.findall(r"pictures/(\w+)\.png", text) == list(PICTURES)


def test_every_identifier_surface_and_locator_is_explained(text, published):
    assert set(SURFACES) == set(get_args(Surface))
    for code in get_args(HipaaCode):
        assert re.search(rf"^\| {code} [a-z A-Z-]+", text, re.M)
    kinds = set()
    for row in rows_of(published, "spans"):
        locator = json.loads(row["locator"])
        while locator is not None:
            kinds.add(locator["kind"])
            locator = locator.get("inner")
    table = text.split("| locator `kind` |")[1].split("\n\n")[0]
    assert {kind for kind in kinds if f"`{kind}`" not in table} == set()


def test_the_examples_run_where_the_data_are(text, published_root):
    (python,) = re.findall(r"```python\n(.*?)```", text, re.S)
    (sql,) = re.findall(r"```sql\n(.*?)```", text, re.S)
    code = f"{python}\nimport duckdb\nprint(len(spans), len(duckdb.sql({sql!r}).fetchall()))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=published_root, capture_output=True, text=True, check=False,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert all(int(count) > 0 for count in done.stdout.split())


def test_recall_is_told_or_why_there_is_none(text, published):
    assert f"Recall of Presidio is not measured: {MISSING}." in text
    told = _card(published, lambda page: [match.span() for match in re.finditer(r"\d{3}-\d{2}-\d{4}", page)], reason="")
    assert "not measured" not in told and re.search(r"^\| `ssn` \| \d+ \| \d+% \|$", told, re.M)
    assert "Not found at all:" in told and "`patient_name`" in told.split("Not found at all:")[1].split("\n")[0]


def test_a_language_model_is_named_where_one_wrote(published, text):
    assert "language model" not in text
    assert "and, in part, by a language model" in _card(published, settings=DocumentSettings(llm_share=0.5))


def test_a_corpus_without_values_has_a_card_that_says_so(without_values):
    told = _card(without_values)
    assert "| planted values | 0 of 0 types, 0 of 18" in told and "none in this corpus" in told
    assert "nothing is measured" in told
