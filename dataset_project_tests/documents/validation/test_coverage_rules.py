"""What a corpus of a size must have, and that what is missing is named."""

from __future__ import annotations

from collections import Counter

import pytest

from dataset_project.documents.configuration import DocumentSettings
from dataset_project.documents.planning import DocumentPlanner, Kind
from dataset_project.documents.templates.registry import TEMPLATES
from dataset_project.documents.validation import coverage_rules
from dataset_project.documents.validation.coverage_rules import coverage, shares
from dataset_project_tests.documents.validation.conftest import change_rows

KINDS = [
    Kind(each.id, str(each.version), each.classes, each.formats, each.layouts, each.companions)
    for each in TEMPLATES.values()
]


@pytest.mark.parametrize(
    "settings",
    [
        DocumentSettings(),
        DocumentSettings(positives=0.3, pii_only=0.3, mixed=0.4, formats={"zip": 1, "csv": 2}),
        DocumentSettings(positives=0, pii_only=0, mixed=0, templates={"policy": 20, "claim": 0}),
    ],
)
def test_expected_shares_are_those_of_the_plan(settings):
    """Written apart from the planner; 3,000 planned documents fall as expected."""
    planner = DocumentPlanner(settings, KINDS, [f"P{number:07}" for number in range(100)])
    planned = [planner.plan(number) for number in range(3_000)]
    found = Counter((each.format, each.document_class, each.template_id) for each in planned)
    expected = {(form, kind, template): share for form, kind, template, share in shares(settings)}
    assert sum(expected.values()) == pytest.approx(1)
    assert set(found) <= set(expected)
    surprise = sum((found[key] - 3_000 * share) ** 2 / (3_000 * share) for key, share in expected.items())
    # Chi-square: mean and twice the variance are the degrees of freedom.
    assert surprise < len(expected) + 5 * (2 * len(expected)) ** 0.5


def test_a_real_corpus_passes_and_is_counted(corpus):
    finding = coverage(corpus.all(), corpus.settings)
    assert finding.passed, finding.summary
    figures = finding.figures
    assert figures["documents"] == 200 and figures["hipaa_codes"] >= 16 and figures["type_surface_format_cells"] > 200
    assert f"asked for from {coverage_rules.ENOUGH_FOR_CODES} positives on" in finding.summary


def test_a_class_of_a_format_that_is_missing_is_named(spoilt):
    def drop(rows):
        rows[:] = [row for row in rows if (row["format"], row["class"]) != ("pdf", "negative")]

    for batch in range(8):
        spoilt.change("documents", drop, batch)
    finding = coverage(spoilt.all(), spoilt.settings)
    assert not finding.passed and "pdf documents of class negative, " in finding.summary


def test_kinds_that_the_settings_do_not_have_are_named(corpus):
    finding = coverage(corpus.all(), DocumentSettings(formats={"docx": 1}, seed=0))
    assert not finding.passed and "kinds of document that the settings do not have" in finding.summary


def test_a_template_of_one_class_is_named(spoilt, monkeypatch):
    """In a corpus that is large enough: here, one that is taken for it."""
    expected: Counter[str] = Counter()
    for _, kind, template, share in shares(spoilt.settings):
        expected[template] += 200 * share if kind == "phi" else 0
    template, number = expected.most_common(1)[0]
    monkeypatch.setattr(coverage_rules, "EXPECTED", number)

    def drop(rows):
        for row in rows:
            if (row["template_id"], row["class"]) == (template, "phi"):
                row["class"] = "negative"

    assert coverage(spoilt.all(), spoilt.settings).passed
    for batch in range(8):
        spoilt.change("documents", drop, batch)
    assert f"template {template} of class phi, {number:.0f} expected" in coverage(spoilt.all(), spoilt.settings).summary


def test_codes_and_zones_without_a_value_are_named(spoilt, monkeypatch):
    monkeypatch.setattr(coverage_rules, "ENOUGH_FOR_CODES", 50)
    monkeypatch.setattr(coverage_rules, "ENOUGH_FOR_SURFACES", 10)

    def drop(rows):
        rows[:] = [row for row in rows if row["hipaa_code"] != "H" and row["surface"] != "comment"]

    for path in spoilt.all()["spans"]:
        change_rows(path, drop)
    finding = coverage(spoilt.all(), spoilt.settings)
    assert not finding.passed
    assert "Safe-Harbor codes without a value: " in finding.summary and "H" in finding.summary
    assert "comment of " in finding.summary and "positive docx" in finding.summary
    assert finding.figures["hipaa_codes"] < 18 and "mrn" in finding.figures["types_without_a_value"]
