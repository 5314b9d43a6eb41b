"""The report's pictures: the same bytes for the same figures, and marks where the values are."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
from collections import Counter

import numpy as np
import pypdfium2
import pytest
from PIL import Image

from dataset_project.documents.configuration import DocumentSettings
from dataset_project.documents.report.pages import pages_png, twin_pages
from dataset_project.documents.report.pictures import drawn
from dataset_project.documents.report.recall import measure
from dataset_project.documents.report.schemas import EXTRACTION, FORMAT_CLASS, PRESIDIO_RECALL, SPAN_COUNTS
from dataset_project.documents.report.summary import summarise
from dataset_project.documents.templates.registry import TEMPLATES
from dataset_project_tests.documents.report.corpora import publish, rows_of
from dataset_project_tests.support import ROOT


def _size(png):
    with Image.open(io.BytesIO(png)) as image:
        image.load()
        return image.size


@pytest.fixture(scope="module")
def tables(published):
    found = measure(published, lambda text: [(0, 40)], most=40)
    return {**summarise(published), "extraction": found.extraction, "presidio_recall": found.presidio}


@pytest.fixture(scope="module")
def pictures(tables):
    return dict(drawn(tables))


def test_there_is_a_picture_of_every_table(pictures):
    assert list(pictures) == ["documents_by_format", "values_by_type", "extraction", "recall_by_surface"]
    for png in pictures.values():
        width, height = _size(png)
        assert width == 1200 and 400 < height < 3000


def test_pictures_are_the_same_bytes_again(pictures, tables):
    assert dict(drawn(tables)) == pictures


def test_another_figure_is_another_picture(pictures, tables):
    rows = tables["format_class"].to_pylist()
    rows[0]["documents"] += 1
    changed = tables | {"format_class": tables["format_class"].from_pylist(rows, schema=FORMAT_CLASS)}
    assert dict(drawn(changed))["documents_by_format"] != pictures["documents_by_format"]


def test_what_there_is_nothing_of_is_not_drawn(without_values):
    empty = {"extraction": EXTRACTION.empty_table(), "presidio_recall": PRESIDIO_RECALL.empty_table()}
    assert list(dict(drawn({**summarise(without_values), **empty}))) == ["documents_by_format"]
    nothing = {"format_class": FORMAT_CLASS.empty_table(), "span_counts": SPAN_COUNTS.empty_table()}
    assert _size(dict(drawn({**nothing, **empty}))["documents_by_format"])[0] == 1200


@pytest.fixture(scope="module")
def pairs(published):
    return twin_pages(published)


def test_twins_are_of_one_template_and_layout_each_pair_of_another(pairs, published):
    by_id = {row["doc_id"]: row for row in rows_of(published, "documents")}
    assert 2 <= len(pairs) <= 4
    for positive, twin in pairs:
        left, right = by_id[positive.doc_id], by_id[twin.doc_id]
        assert (left["class"], right["class"]) == ("phi", "negative")
        assert all(left[name] == right[name] for name in ("format", "template_id", "layout_id"))
        assert positive.marked > 0 == twin.marked
    assert len({positive.kind for positive, _ in pairs}) == len(pairs)


def _plain(content, width):
    """The first page in grey, as wide as on the sheet, without marks; where form fields are; pixels of a point."""
    document = pypdfium2.PdfDocument(content)
    document.init_forms()
    page = document[0]
    scale = width / page.get_width()
    looks = [np.array(page.render(scale=scale, may_draw_forms=forms).to_pil().convert("L")) for forms in (True, False)]
    return looks[0], looks[0] != looks[1], scale


def test_marks_are_exactly_where_the_boxes_of_the_values_are(pairs, published):
    (keys,) = [{row["doc_id"]: key for key in published for row in published.documents(key, ("doc_id",))}]
    by_id = {row["doc_id"]: row for row in rows_of(published, "documents")}
    for positive, _ in pairs:
        content = published.file(keys[positive.doc_id], by_id[positive.doc_id]["path"])
        plain, fields, scale = _plain(content, positive.pixels.shape[1])
        height = plain.shape[0] / scale
        expected = np.zeros(positive.pixels.shape[:2], dtype=bool)
        for span in rows_of(published, "spans"):
            place = json.loads(span["locator"])
            if span["doc_id"] == positive.doc_id and place["kind"] == "pdf_text" and place["page"] == 0:
                x0, y0, x1, y1 = place["bbox"]
                inner = np.s_[
                    round((height - y1) * scale) : round((height - y0) * scale), round(x0 * scale) : round(x1 * scale)
                ]
                expected[inner] = True
        pixels = positive.pixels.astype(int)
        # Where the paper is white: orange takes blue away, sky takes red away.
        fields = fields[: pixels.shape[0], : pixels.shape[1]]
        paper = plain[: pixels.shape[0], : pixels.shape[1]] > 250
        coloured = pixels.max(axis=2) - pixels.min(axis=2) > 60
        assert (coloured & expected & paper).sum() > 0.97 * (expected & paper).sum() > 0
        # A rim of a pixel or two, and signs of remarks.
        around = sum(np.roll(expected, shift, axis) for axis in (0, 1) for shift in (-3, -2, -1, 1, 2, 3)) > 0
        around |= np.roll(around, 2, 0) | np.roll(around, -2, 0) | fields
        assert (coloured & paper & ~expected & ~around).sum() < 0.1 * expected.sum()


def test_a_filled_field_is_marked_and_an_empty_one_is_not(tmp_path):
    settings = DocumentSettings(seed=0, positives=0.5, pii_only=0, mixed=0, formats={"pdf": 1}, templates=_ONLY_FORMS)
    batches = publish(tmp_path, 24, 24, settings)
    fields = Counter(
        row["doc_id"]
        for row in rows_of(batches, "spans")
        if '"pdf_field"' in row["locator"] and '"page":0' in row["locator"]
    )
    seen = set()
    for page in (page for pair in twin_pages(batches) for page in pair):
        (path,) = [row["path"] for row in batches.documents("batch_0000") if row["doc_id"] == page.doc_id]
        _, places, _ = _plain(batches.file("batch_0000", path), page.pixels.shape[1])
        pixels = page.pixels.astype(int)
        coloured = (pixels.max(axis=2) - pixels.min(axis=2) > 60) & places[:, : pixels.shape[1]]
        # A sign of a remark has some 150 pixels, a field thousands.
        assert (coloured.sum() > 1_000) == (fields[page.doc_id] > 0)
        seen.add((fields[page.doc_id] > 0, bool(places.sum() > 1_000)))
    assert {(True, True), (False, True)} <= seen, "both a filled and an empty form were looked at"


_ONLY_FORMS = {name: 0 for name in TEMPLATES} | {"registration_form": 1, "blank_form": 1, "prior_authorization": 1}


def test_nothing_is_marked_on_the_twins(pairs):
    for _, twin in pairs:
        pixels = twin.pixels.astype(int)
        coloured = pixels.max(axis=2) - pixels.min(axis=2) > 60
        # No more than the signs of remarks.
        assert twin.marked == 0 and coloured.mean() < 0.004


def test_the_sheet_is_the_same_bytes_in_another_process(pairs, published, published_root):
    sheet = pages_png(pairs)
    assert _size(sheet)[0] > 2 * pairs[0][0].pixels.shape[1]
    code = f"""
import hashlib, pathlib
from dataset_project.documents.exports.batches import local_batches
from dataset_project.documents.configuration import DocumentSettings
from dataset_project.documents.report.pages import pages_png, twin_pages
found = {{p.name.partition("=")[2]: p for p in pathlib.Path({str(published_root)!r}).glob("phi_documents/*")}}
print(hashlib.sha256(pages_png(twin_pages(local_batches(found)))).hexdigest())
"""
    environment = {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "77", "PATH": ""}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.strip() == hashlib.sha256(sheet).hexdigest()


def test_a_corpus_without_twins_has_no_pages(without_values):
    assert twin_pages(without_values) == []
