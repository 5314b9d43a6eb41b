"""Recall by place: against detectors whose answers are known, on a published corpus."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from dataset_project.documents.exports.batches import Batches
from dataset_project.documents.report.recall import measure
from dataset_project.documents.report.schemas import EXTRACTION, PRESIDIO_RECALL
from dataset_project_tests.documents.report.corpora import rows_of

# A detector of one idea: what looks like an American social security number.
SSN = re.compile(r"\b\d{3}-\d{2}-\d{4}\b")


def _ssn(text):
    return [match.span() for match in SSN.finditer(text)]


def _everything(text):
    return [(0, len(text))] if text else []


@pytest.fixture(scope="module")
def complete(published):
    """Every file, and a detector that finds whatever there is."""
    return measure(published, _everything, most=10_000)


def test_all_text_of_a_file_holds_every_value_and_the_body_is_ordinary(complete, published):
    assert complete.extraction.schema == EXTRACTION and complete.presidio.schema == PRESIDIO_RECALL
    rows = complete.extraction.to_pylist()
    assert all(row["in_everything"] == row["spans"] for row in rows)
    assert sum(row["spans"] for row in rows) == len(rows_of(published, "spans"))
    shares = {row["surface"]: Counter() for row in rows}
    for row in rows:
        shares[row["surface"]].update({"spans": row["spans"], "seen": row["in_ordinary"]})
    for surface in ("body", "table"):
        assert shares[surface]["seen"] == shares[surface]["spans"] > 0
    for surface in ("metadata", "comment", "alt_text", "form_field"):
        assert shares[surface]["seen"] == 0 < shares[surface]["spans"]


def test_a_perfect_detector_finds_exactly_what_it_is_given(complete):
    rows = complete.presidio.to_pylist()
    assert rows and all(row["found_in_ordinary"] == row["in_ordinary"] for row in rows)
    assert all(row["found_in_everything"] == row["in_everything"] for row in rows)
    assert any(row["in_ordinary"] < row["in_everything"] for row in rows)


def test_a_detector_is_credited_with_its_type_alone(published):
    found = Counter()
    for row in measure(published, _ssn, most=10_000).presidio.to_pylist():
        found[row["type"]] += row["found_in_everything"]
    written = [row["text"] for row in rows_of(published, "spans") if row["type"] == "ssn"]
    assert found["ssn"] == sum(bool(SSN.search(text)) for text in written) > 0
    assert sum(found.values()) == found["ssn"]


def test_less_than_half_of_a_value_is_not_found(published):
    def ends(size):
        return lambda text: [
            (place, place + size) for each in SSN.finditer(text) for place in (each.start(), each.end() - size)
        ]

    def found(analyze):
        rows = measure(published, analyze, most=10_000).presidio.to_pylist()
        return sum(row["found_in_everything"] for row in rows if row["type"] == "ssn")

    # Two of 11 signs at either end are 4, three are 6.
    assert found(ends(2)) == 0 < found(ends(3))


def test_without_a_detector_there_is_extraction_and_no_recall(published):
    sample = measure(published, None, most=10)
    assert sample.documents == 10 and sample.presidio.num_rows == 0 and sample.extraction.num_rows > 0


def test_the_sample_is_the_same_whatever_the_order_of_batches(published):
    backwards = Batches(tuple(reversed(published.keys)), published.table, published.file)
    first, second = (measure(batches, _ssn, most=25) for batches in (published, backwards))
    assert first.extraction.equals(second.extraction) and first.presidio.equals(second.presidio)


def test_a_corpus_without_values_has_nothing_to_measure(without_values):
    found = measure(without_values, _ssn)
    assert (found.documents, found.extraction.num_rows, found.presidio.num_rows) == (0, 0, 0)
