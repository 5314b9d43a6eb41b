"""Real documents do not tell their class by their look; each of several leaks is noticed and named."""

from __future__ import annotations

import random
import shutil

import numpy as np
import pytest

from dataset_project.documents.configuration import DocumentSettings
from dataset_project.documents.validation import leak_rules
from dataset_project.documents.validation.appearance import CATEGORIES, NUMBERS, appearance
from dataset_project.documents.validation.leak_rules import class_is_not_predictable
from dataset_project_tests.documents.validation.conftest import Corpus, change_rows, write_corpus


@pytest.fixture(scope="module")
def many(tmp_path_factory) -> Corpus:
    """Formats that are written fast, evenly positive and negative."""
    settings = DocumentSettings(seed=0, formats={"txt": 1, "pdf": 1, "docx": 1}, positives=0.5, pii_only=0, mixed=0)
    return write_corpus(tmp_path_factory.mktemp("many"), 170, 85, settings)


@pytest.fixture
def leaky(many, tmp_path) -> Corpus:
    shutil.copytree(many.root, tmp_path / "leaky")
    return Corpus(tmp_path / "leaky", tuple(tmp_path / "leaky" / each.name for each in many.batches), many.settings)


def judged(corpus):
    return class_is_not_predictable(corpus.all(), corpus.batches)


def test_real_documents_do_not_tell(many):
    finding = judged(many)
    assert finding.passed, finding.summary
    assert 0.3 < finding.figures["area_all"] < finding.figures["limit_all"] < 0.72
    assert judged(many) == finding


def test_size_tells(leaky):
    for batch, where in enumerate(leaky.batches):
        for row in leaky.rows("documents", batch):
            if row["class"] == "phi":
                path = where / row["path"]
                path.write_bytes(path.read_bytes() + b"\n" * (3_000 + len(path.read_bytes()) % 700))
    finding = judged(leaky)
    assert not finding.passed and finding.figures["area_all"] > 0.8
    assert "the class can be told without reading: all" in finding.summary and "bytes 0." in finding.summary


@pytest.mark.parametrize(
    ("column", "of_positives", "of_negatives"),
    [("template_id", "discharge_summary", "policy"), ("layout_id", "a", "b")],
)
def test_what_the_table_says_tells(leaky, column, of_positives, of_negatives):
    """Three of four documents of a class have a mark."""
    draw = random.Random(1)

    def mark(rows):
        for row in rows:
            if draw.random() < 0.75:
                row[column] = of_positives if row["class"] == "phi" else of_negatives

    for path in leaky.all()["documents"]:
        change_rows(path, mark)
    finding = judged(leaky)
    assert not finding.passed
    assert column.removesuffix("_id") in finding.summary.partition("alone: ")[2].partition(";")[0]


def test_the_name_tells(leaky):
    """As PHI_POS and PHI_NEG once did: here by its length."""
    for batch, where in enumerate(leaky.batches):
        names = {}
        for row in leaky.rows("documents", batch):
            name = row["path"].replace("doc_", "doc_x" if row["class"] == "phi" else "doc_yy")
            (where / row["path"]).rename(where / name)
            names[row["doc_id"]] = name
        leaky.change(
            "documents", lambda rows, names=names: [row.update(path=names[row["doc_id"]]) for row in rows], batch
        )
    finding = judged(leaky)
    assert not finding.passed and "alone: name_length" in finding.summary


def test_one_format_that_tells_is_named(leaky, monkeypatch):
    monkeypatch.setattr(leak_rules, "ENOUGH", 15)
    for batch, where in enumerate(leaky.batches):
        for row in leaky.rows("documents", batch):
            if row["format"] == "txt" and row["class"] == "phi":
                path = where / row["path"]
                path.write_bytes(path.read_bytes() + b"\n" * 20_000)
    monkeypatch.setattr(leak_rules, "_most_telling", lambda looks, truth: "")
    finding = judged(leaky)
    assert not finding.passed and "; txt " in finding.summary and "; pdf " not in finding.summary
    assert finding.figures["area_txt"] > 0.95 > finding.figures["limit_pdf"] > finding.figures["area_pdf"]


def test_too_few_documents_are_told(corpus):
    one = Corpus(corpus.root, corpus.batches[:1], corpus.settings)
    finding = judged(one)
    assert finding.passed and "too few to tell; 50 of each are enough" in finding.summary


def test_chance_passes_and_its_interval_narrows():
    """Labels drawn without looking: eight corpora of 200, none beyond its limit."""
    draw = np.random.default_rng(5)
    for _ in range(8):
        truth = draw.random(200) < 0.5
        looks = [{name: float(draw.random()) for name in NUMBERS} for _ in truth]
        area = leak_rules._area(looks, truth, NUMBERS, leak_rules._regression)
        assert area <= leak_rules._limit(truth)
    wide, narrow = (leak_rules._limit(np.arange(count) % 2 == 0) for count in (200, 20_000))
    assert wide > 0.64 and 0.55 < narrow < 0.57


def test_a_look_has_every_feature(corpus, containers):
    seen = set()
    for whole in (corpus, containers):
        for batch, where in enumerate(whole.batches):
            for row in whole.rows("documents", batch):
                if row["path"] and row["format"] not in seen:
                    seen.add(row["format"])
                    look = appearance(row, (where / row["path"]).read_bytes(), 2)
                    assert set(look) == {*CATEGORIES, *NUMBERS}
                    assert look["elements"] > 0 and look["unpacked_bytes"] > 0 and look["parts"] == 2
                    if row["format"] in ("docx", "pptx", "xlsx", "pdf", "html", "rtf"):
                        assert look["property_bytes"] > 0, row["format"]
                    if row["format"] in ("eml", "nested_eml"):
                        assert look["header_bytes"] > 100
    assert len(seen) == 11


def test_a_file_that_cannot_be_opened_is_named(leaky):
    batch, row = leaky.file("docx", "phi")
    batch.path(row).write_bytes(b"no package")
    finding = judged(leaky)
    assert not finding.passed and finding.summary.startswith(f"files that cannot be opened: {row['doc_id']}")
