"""Values of real documents are what they claim; each label that does not fit is named."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from dataset_project.documents.validation.value_rules import values_are_their_owners, values_are_what_they_claim
from dataset_project_tests.documents.validation.conftest import REFERENCE


def test_real_batches_pass(corpus, containers):
    for each in (corpus, containers):
        claims = values_are_what_they_claim(each.files(), REFERENCE)
        owners = values_are_their_owners(each.files())
        assert claims.passed and owners.passed, (claims.summary, owners.summary)
        assert claims.figures["values"] == len(each.rows("spans")) >= owners.figures["values"] > 100


def change_one(corpus, change, **wanted):
    """The batch whose first span with what is wanted was changed, and the span as it was."""
    corpus, target = corpus.where("spans", lambda span: all(span[name] == value for name, value in wanted.items()))

    def spoil(rows):
        change(next(each for each in rows if each["span_id"] == target["span_id"]))

    corpus.change("spans", spoil)
    return corpus, target


@pytest.mark.parametrize(
    ("wanted", "change", "said"),
    [
        (
            {"type": "npi"},
            lambda s: s.update(canonical=s["canonical"][:-1] + str((int(s["canonical"][-1]) + 1) % 10)),
            "npi",
        ),
        ({"type": "npi", "validity": "realistic"}, lambda s: s.update(validity="invalid_checksum"), "invalid_checksum"),
        ({"type": "phone"}, lambda s: s.update(validity="realistic"), "phone is reserved, not realistic"),
        ({"type": "mrn"}, lambda s: s.update(hipaa_code="I"), "mrn is H"),
        ({"type": "patient_name"}, lambda s: s.update(i2b2_type="DOCTOR"), "patient_name is A, PATIENT"),
        ({"type": "patient_name"}, lambda s: s.update(type="nickname"), "'nickname' is no fine type"),
        ({"type": "age"}, lambda s: s.update(canonical="²", text="²"), "values that are not what their labels say"),
        ({"type": "visit_date"}, lambda s: s.update(canonical="soon"), "visit_date 'soon' is not not_applicable"),
        ({"type": "mrn"}, lambda s: s.update(role="provider"), "values of a role that has none"),
        ({"type": "patient_name"}, lambda s: s.update(subject_id="D000001"), "subjects of another role"),
        ({"type": "visit_date"}, lambda s: s.update(canonical="2031-01-01"), "dates after the reference date"),
        ({"type": "mrn"}, lambda s: s.update(text="4711"), "texts that do not write their value"),
    ],
)
def test_a_wrong_label_is_named(spoilt, wanted, change, said):
    spoilt, target = change_one(spoilt, change, **wanted)
    finding = values_are_what_they_claim(spoilt.files(), REFERENCE)
    assert not finding.passed and said in finding.summary and target["span_id"] in finding.summary
    assert finding.figures["problems"] == 1


def test_another_reference_date_is_told(corpus):
    finding = values_are_what_they_claim(corpus.files(), date(2025, 1, 15))
    assert "documents of another reference date" in finding.summary and not finding.passed


@pytest.mark.parametrize(
    ("wanted", "change"),
    [
        ({"type": "account"}, lambda s: s.update(canonical="1234567890")),
        ({"type": "patient_name"}, lambda s: s.update(canonical="Nobody Known")),
        ({"type": "patient_name"}, lambda s: s.update(subject_id="P9999999")),
        ({"type": "visit_date"}, lambda s: s.update(canonical="1801-01-01")),
        ({"type": "email", "role": "patient"}, lambda s: s.update(canonical="x@example.org")),
        ({"type": "provider_name"}, lambda s: s.update(type="ssn")),
        ({"type": "street"}, lambda s: s.update(canonical="1 Other Street")),
    ],
)
def test_a_value_that_is_not_the_subjects_is_named(spoilt, wanted, change):
    spoilt, target = change_one(spoilt, change, **wanted)
    finding = values_are_their_owners(spoilt.files())
    assert f"values that are not their subject's: 1 ({target['span_id']}" in finding.summary and not finding.passed


def test_a_document_of_nobody_in_the_pools_is_named(spoilt):
    spoilt, row = spoilt.where("documents", lambda row: row["patient_id"])

    def spoil(rows):
        next(each for each in rows if each["doc_id"] == row["doc_id"])["patient_id"] = "P9999999"

    spoilt.change("documents", spoil)
    assert f"people who are in no pool: 1 ({row['doc_id']} P9999999)" in values_are_their_owners(spoilt.files()).summary


def test_the_day_itself_is_not_after_it(spoilt):
    """A visit on the reference date is allowed, the day after is not."""
    day = REFERENCE
    spoilt, target = change_one(
        spoilt, lambda s: s.update(canonical=day.isoformat(), text=day.isoformat()), type="visit_date"
    )
    assert values_are_what_they_claim(spoilt.files(), REFERENCE).passed
    later = (day + timedelta(days=1)).isoformat()
    change_one(spoilt, lambda s: s.update(canonical=later, text=later), span_id=target["span_id"])
    assert not values_are_what_they_claim(spoilt.files(), REFERENCE).passed
