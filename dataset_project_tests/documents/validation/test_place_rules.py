"""Files and spans as they are pass; each thing moved, changed, added or taken away is named."""

from __future__ import annotations

import json
import os

import pytest

from dataset_project.documents.validation.place_rules import spans_are_found
from dataset_project_tests.documents.validation.conftest import Corpus


def judged(corpus: Corpus):
    return spans_are_found(corpus.files(), corpus.batches[0])


def test_real_batches_pass(corpus, containers):
    for each in (corpus, containers):
        finding = judged(each)
        assert finding.passed, finding.summary
        rows, spans = each.rows("documents"), each.rows("spans")
        assert finding.figures["documents"] == sum(row["path"] is not None for row in rows)
        assert finding.figures["parts"] == sum(row["path"] is None for row in rows) > 0
        assert finding.figures["spans"] == len(spans) > 100


@pytest.mark.parametrize(
    "form", ["docx", "pdf", "xlsx", "pptx", "eml", "nested_eml", "txt", "html", "csv", "rtf", "zip"]
)
def test_a_value_at_another_place_is_named(form, spoilt, spoilt_containers):
    """The locator of a span is replaced by that of another value of the same file, which says something else."""
    whole = spoilt_containers if form in ("zip", "nested_eml") else spoilt
    spans = [span for batch in range(len(whole.batches)) for span in whole.rows("spans", batch)]
    whole, row = whole.where("documents", lambda row: row["format"] == form and row["path"] and _two_lines(row, spans))
    first, second = _two_lines(row, spans)

    def move(rows):
        target = next(each for each in rows if each["span_id"] == first["span_id"])
        target["locator"], target["nested_in"] = second["locator"], second["nested_in"]

    whole.change("spans", move)
    finding = judged(whole)
    assert not finding.passed
    assert "not at their locator: 1" in finding.summary and first["span_id"] in finding.summary


def _two_lines(row, spans):
    """Two spans of a document, neither of whose lines is the other's, or None."""
    lines = row["canonical_text"].split("\n")
    mine = [span for span in spans if span["doc_id"] == row["doc_id"]]
    for first in mine:
        for second in mine:
            line = row["canonical_text"][: first["start"]].count("\n")
            other = row["canonical_text"][: second["start"]].count("\n")
            if lines[line] not in lines[other] and first["text"] not in lines[other]:
                return first, second
    return None


def test_a_place_that_is_not_there_is_named(spoilt):
    spoilt, target = spoilt.where("spans", lambda span: '"kind":"line"' in span["locator"] and not span["nested_in"])

    def away(rows):
        each = next(row for row in rows if row["span_id"] == target["span_id"])
        each["locator"] = json.dumps({**json.loads(each["locator"]), "line": 9_999})

    spoilt.change("spans", away)
    finding = judged(spoilt)
    assert not finding.passed and f"{target['span_id']} {target['type']}" in finding.summary


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda span: span.update(start=span["start"] + 1, end=span["end"] + 1), "offsets hold another text"),
        (lambda span: span.update(end=10_000_000), "outside the text"),
        (lambda span: span.update(text=span["text"] + "x"), "offsets hold another text"),
        (lambda span: span.update(locator="no JSON"), "not at their locator"),
        (lambda span: span.update(nested_in="2/1"), "nested elsewhere"),
        (lambda span: span.update(span_id="d9999999:0"), "not numbered"),
        (lambda span: span.update(surface="notes"), "surfaces that the format does not have"),
    ],
)
def test_a_spoilt_span_is_named(spoilt, change, said):
    spoilt, row = spoilt.file("txt", filled=True)
    spoilt.change("spans", lambda rows: change(next(each for each in rows if each["doc_id"] == row["doc_id"])))
    finding = judged(spoilt)
    assert not finding.passed and said in finding.summary and row["doc_id"] in finding.summary


@pytest.mark.parametrize("form", ["docx", "pdf", "txt", "zip"])
def test_a_changed_byte_is_named(spoilt, form):
    spoilt, row = spoilt.file(form)
    content = bytearray(spoilt.path(row).read_bytes())
    content[len(content) // 2] ^= 1
    spoilt.path(row).write_bytes(bytes(content))
    finding = judged(spoilt)
    assert finding.summary == f"files with other bytes: 1 ({row['doc_id']})"


def test_files_and_rows_answer_each_other(spoilt):
    rows = [row for row in spoilt.rows("documents") if row["path"]]
    os.remove(spoilt.path(rows[0]))
    with spoilt.path(rows[1]).open("ab") as longer:
        longer.write(b" ")
    (spoilt.batches[0] / "files" / "notes.txt").write_text("a stray one")
    (spoilt.batches[0] / "files" / "deeper").mkdir()
    os.symlink("/dev/null", spoilt.batches[0] / "files" / "deeper" / "link")
    finding = judged(spoilt)
    assert "files without a row: 2 (files/deeper/link, files/notes.txt)" in finding.summary
    assert f"rows without a file: 1 ({rows[0]['path']})" in finding.summary
    assert f"files of another size: 1 ({rows[1]['doc_id']}" in finding.summary


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows, row: rows.append(dict(row)), "documents with several rows"),
        (lambda rows, row: row.update(path="files/PHI_POS_1.txt"), "not named by the document alone"),
        (lambda rows, row: row.update(spans=row["spans"] + 1), "more or fewer spans than counted"),
        (lambda rows, row: row.update(canonical_text_sha256="0" * 64), "canonical texts with another hash"),
        (lambda rows, row: rows.remove(row), "spans of no document"),
    ],
)
def test_a_spoilt_row_is_named(spoilt, change, said):
    spoilt, row = spoilt.file("txt", filled=True)
    spoilt.change(
        "documents", lambda rows: change(rows, next(each for each in rows if each["doc_id"] == row["doc_id"]))
    )
    finding = judged(spoilt)
    assert not finding.passed and said in finding.summary and row["doc_id"] in finding.summary


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows, part: part.update(sha256="0" * 64), "parts are not those of the table"),
        (lambda rows, part: rows.remove(part), "parts are not those of the table"),
        (lambda rows, part: part.update(parent_doc_id="d9999999"), "parts of no document"),
        (lambda rows, part: part.update(bytes=part["bytes"] + 1), "parts of another size"),
        (lambda rows, part: part.update(canonical_text="something else"), "text is not in their container's"),
    ],
)
def test_a_spoilt_part_is_named(spoilt_containers, change, said):
    part = next(row for row in spoilt_containers.rows("documents") if row["parent_doc_id"])

    def spoil(rows):
        change(rows, next(each for each in rows if each["doc_id"] == part["doc_id"]))

    spoilt_containers.change("documents", spoil)
    finding = judged(spoilt_containers)
    assert not finding.passed and said in finding.summary and part["parent_doc_id"] in finding.summary


def test_another_schema_and_a_broken_table_are_told(spoilt):
    files = spoilt.files()
    finding = spans_are_found({**files, "spans": files["plan"]}, spoilt.batches[0])
    assert not finding.passed and finding.summary.startswith("schema of spans")
    files["documents"].write_bytes(b"no table")
    finding = judged(spoilt)
    assert not finding.passed and finding.summary.startswith("cannot be read")
