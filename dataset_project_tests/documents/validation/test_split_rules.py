"""Splits of real batches are apart; a patient, a companion, a layout or a part in another split is named."""

from __future__ import annotations

from collections import Counter

from dataset_project.documents.validation.split_rules import patients_and_templates_keep_to_their_split


def move(corpus, doc_id, split):
    def change(rows):
        for row in rows:
            if doc_id in (row["doc_id"], row["parent_doc_id"]):
                row["split"] = split

    corpus.change("documents", change)


def test_real_batches_pass(corpus):
    finding = patients_and_templates_keep_to_their_split(corpus.all())
    assert finding.passed, finding.summary
    assert sum(finding.figures[f"documents_{name}"] for name in ("train", "val", "test")) == 200
    assert finding.figures["patients"] > 50


def test_a_moved_document_is_named_with_patient_and_layout(spoilt):
    rows = [row for batch in range(8) for row in spoilt.rows("documents", batch) if row["path"]]
    train = [row for row in rows if row["split"] == "train" and row["patient_id"]]
    patients = Counter(row["patient_id"] for row in train)
    looks = Counter((row["template_id"], row["layout_id"]) for row in rows)
    batch, row = spoilt.where(
        "documents",
        lambda row: (
            row in train and patients[row["patient_id"]] > 1 and looks[row["template_id"], row["layout_id"]] > 1
        ),
    )
    move(batch, row["doc_id"], "test")
    finding = patients_and_templates_keep_to_their_split(spoilt.all())
    assert not finding.passed
    assert f"{row['patient_id']} in test, train" in finding.summary
    assert f"{row['template_id']} {row['layout_id']} in test, train" in finding.summary


def test_a_patient_who_is_only_named_in_another_split_is_found(spoilt):
    """Spans tell who is in a document, relatives and companions too, across batches."""
    first = next(row for row in spoilt.rows("documents") if row["split"] == "train" and row["patient_id"])
    other = {row["doc_id"] for row in spoilt.rows("documents", 1) if row["split"] == "val"}

    def plant(rows):
        span = next(row for row in rows if row["doc_id"] in other and row["role"] == "patient")
        span["role"], span["subject_id"] = "relative", f"{first['patient_id']}-R"

    spoilt.change("spans", plant, 1)
    finding = patients_and_templates_keep_to_their_split(spoilt.all())
    assert f"patients in several splits: 1 ({first['patient_id']} in train, val" in finding.summary


def test_parts_and_names_of_splits(spoilt):
    batch, part = spoilt.where("documents", lambda row: row["parent_doc_id"])

    def change(rows):
        next(row for row in rows if row["doc_id"] == part["doc_id"])["split"] = "dev"
        next(row for row in rows if row["path"] and row["doc_id"] != part["parent_doc_id"])["split"] = "dev"

    batch.change("documents", change)
    finding = patients_and_templates_keep_to_their_split(spoilt.all())
    assert f"parts in another split than their container: 1 ({part['doc_id']}" in finding.summary
    assert "splits that are none" in finding.summary and "dev" in finding.summary
