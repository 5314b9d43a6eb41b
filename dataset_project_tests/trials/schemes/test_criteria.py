"""Headings as registries write them, and criteria that only look like headings."""

from __future__ import annotations

import pytest

from dataset_project.trials.schemes.criteria import heading_of, sections

HEADINGS = [
    ("Inclusion Criteria:", "inclusion"),
    ("  INCLUSION CRITERIA", "inclusion"),
    ("Inclusion criteria :", "inclusion"),
    ("- INCLUSION CRITERIA:", "inclusion"),
    ("Inclusion", "inclusion"),
    ("Inc Criteria:", "inclusion"),
    ("Eligibility criteria:", "inclusion"),
    ("Main Inclusion Criteria:", "inclusion"),
    ("Inclusion Criteria for Part 2B only:", "inclusion"),
    ("Inclusion Criteria - for Phase II", "inclusion"),
    ("**Key Exclusion Criteria (Part 1b):**", "exclusion"),
    ("6. Other exclusion criteria:", "exclusion"),
    ("Exclusion criteria", "exclusion"),
    ("EXC CRITERIA (second cohort)", "exclusion"),
    ("Non-inclusion criteria:", "exclusion"),
    ("Ineligibility Criteria:", "exclusion"),
    ("Cohort A exclusion criteria:", "exclusion"),
    ("Patients will be excluded if they have any of the following:", "exclusion"),
    ("In order to be eligible for randomisation, a patient MUST NOT:", "exclusion"),
    ("A subject will not be eligible for inclusion in this study if any of the following apply:", "exclusion"),
]


@pytest.mark.parametrize(("line", "side"), HEADINGS)
def test_headings_are_known(line, side):
    assert heading_of(line) == (side, line.strip(), "")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Exclusion: pregnancy", ("exclusion", "Exclusion:", "pregnancy")),
        ("Inclusion Criteria: - Asthma", ("inclusion", "Inclusion Criteria:", "- Asthma")),
        ("- Exclusion Criteria 3. Hepatitis", ("exclusion", "- Exclusion Criteria", "3. Hepatitis")),
    ],
)
def test_a_heading_may_share_its_line_with_a_criterion(line, expected):
    assert heading_of(line) == expected


@pytest.mark.parametrize(
    "line",
    [
        "* Exclusion of pregnancy by a test",
        "Inclusion of women",
        "Meets inclusion criteria of the parent study",
        "Other protocol-defined inclusion/exclusion criteria may apply",
        "exclusion criteria.",
        "- Patients must not have received:",
        "- Subjects with brain metastases are excluded if their brain metastases are:",
        "Eligible for surgery",
        "Patients with stable disease are not eligible.",
        "",
    ],
)
def test_criteria_are_no_headings(line):
    assert heading_of(line) is None


def test_sections_keep_every_line_in_order():
    text = "Note\nInclusion Criteria:\n\n* A\n* B\n\nExclusion Criteria:\n* C"
    found = sections(text)
    assert [(each.side, each.heading) for each in found] == [
        ("", ""), ("inclusion", "Inclusion Criteria:"), ("exclusion", "Exclusion Criteria:"),
    ]  # fmt: skip
    kept = [line for each in found for line in (each.heading, *each.lines) if line.strip()]
    assert kept == [line for line in text.split("\n") if line]


def test_headings_in_the_middle_of_a_line_are_found():
    text = "INCLUSION CRITERIA: - Adults - Asthma. Exclusion Criteria: - Smokers"
    assert [(each.side, each.text) for each in sections(text)] == [
        ("inclusion", "- Adults - Asthma."),
        ("exclusion", "- Smokers"),
    ]


def test_nothing_has_no_sections():
    assert sections("") == sections("\n \n") == []
