"""Planned, generated and failed add up, and documents made again are the same; what does not is named."""

from __future__ import annotations

import pytest

from dataset_project.documents.validation.account_rules import SAMPLE, bytes_again, planned_equals_generated
from dataset_project_tests.documents.validation.conftest import REFERENCE, SEED


def test_real_batches_add_up(corpus):
    finding = planned_equals_generated(corpus.files(1), {})
    assert finding.passed, finding.summary
    counts = finding.figures
    assert (counts["planned"], counts["generated"], counts["failed"]) == (25, 25, 0)
    for name in ("format", "class"):
        assert sum(count for what, count in counts.items() if what.startswith(f"generated_{name}_")) == 25


def without(corpus, doc_id):
    def change(rows):
        rows[:] = [row for row in rows if doc_id not in (row["doc_id"], row.get("parent_doc_id"))]

    corpus.change("documents", change)
    corpus.change("spans", change)


def test_a_missing_document_is_named_with_format_and_class(spoilt):
    batch, row = spoilt.file("pdf", "phi")
    without(batch, row["doc_id"])
    finding = planned_equals_generated(batch.files(), {})
    assert not finding.passed
    assert finding.summary == f"planned documents neither generated nor failed: 1 ({row['doc_id']} pdf phi)"
    assert finding.figures["missing_from"] == "pdf phi: 1"


def test_a_failed_document_is_accounted_for(spoilt):
    batch, row = spoilt.file("pdf", "phi")
    without(batch, row["doc_id"])
    finding = planned_equals_generated(batch.files(), {row["doc_id"]: "ValueError: too wide"})
    assert finding.passed and (finding.figures["generated"], finding.figures["failed"]) == (24, 1)
    assert "failures without a reason" in planned_equals_generated(batch.files(), {row["doc_id"]: " "}).summary


def test_failures_of_others_and_of_generated_ones_are_named(corpus):
    known = corpus.rows("plan")[0]["doc_id"]
    finding = planned_equals_generated(corpus.files(), {known: "no", "d9999999": "no"})
    assert f"documents that failed and were generated: 1 ({known})" in finding.summary
    assert "failed documents that were not planned: 1 (d9999999)" in finding.summary and not finding.passed


def test_what_was_not_planned_is_named(spoilt):
    gone = spoilt.rows("plan")[3]["doc_id"]
    spoilt.change("plan", lambda rows: rows.pop(3))
    finding = planned_equals_generated(spoilt.files(), {})
    assert finding.summary == f"generated documents that were not planned: 1 ({gone})"


@pytest.mark.parametrize(
    ("column", "value"),
    [("format", "rtf"), ("class", "mixed"), ("template_id", "other"), ("layout_id", "other"), ("split", "none")],
)
def test_a_document_unlike_its_plan_is_named(spoilt, column, value):
    batch, row = spoilt.file("docx", "phi")

    def change(rows):
        next(each for each in rows if each["doc_id"] == row["doc_id"])[column] = value

    batch.change("documents", change)
    finding = planned_equals_generated(batch.files(), {})
    assert not finding.passed and f"{row['doc_id']}: {column} {value}, planned {row[column]}" in finding.summary


def test_another_patient_than_planned_is_named(spoilt):
    batch, row = spoilt.file("docx", "phi")

    def change(rows):
        next(each for each in rows if each["doc_id"] == row["doc_id"])["patient_id"] = "P9999999"

    batch.change("documents", change)
    assert "patient_id P9999999" in planned_equals_generated(batch.files(), {}).summary


def test_documents_made_again_are_the_same(corpus, containers):
    for each, batch in ((corpus, 0), (corpus, 7), (containers, 0)):
        finding = bytes_again(each.files(batch), SEED, REFERENCE)
        assert finding.passed, finding.summary
        assert finding.figures["made_again"] == SAMPLE


def test_another_seed_day_or_pool_gives_other_bytes(corpus, spoilt):
    assert "other bytes when made again" in bytes_again(corpus.files(), SEED + 1, REFERENCE, 12).summary
    assert "other bytes when made again" in bytes_again(corpus.files(), SEED, REFERENCE.replace(day=9), 12).summary
    spoilt.change("patients", lambda rows: [row.update(given="Otherwise", family="Named") for row in rows])
    assert "with another text" in bytes_again(spoilt.files(), SEED, REFERENCE, 12).summary


def test_the_sample_is_named_and_told_when_it_differs(spoilt):
    told = bytes_again(spoilt.files(), SEED, REFERENCE).summary
    chosen = told.removeprefix("made again byte for byte: ").split(", ")
    assert len(chosen) == SAMPLE

    def change(rows):
        next(row for row in rows if row["doc_id"] == chosen[1])["sha256"] = "0" * 64

    spoilt.change("documents", change)
    finding = bytes_again(spoilt.files(), SEED, REFERENCE)
    assert finding.summary.startswith(f"documents with other bytes when made again: 1 ({chosen[1]} ")
    spoilt.change("plan", lambda rows: [row.update(layout_id="no such layout") for row in rows])
    assert "documents that cannot be made again: 3" in bytes_again(spoilt.files(), SEED, REFERENCE).summary
