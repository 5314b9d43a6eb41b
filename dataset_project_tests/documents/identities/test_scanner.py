"""The scanner finds every value it says it finds, in every surface, and nothing in texts without."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_project.documents.identities import case, fine_types, patterns, scanner, surfaces
from dataset_project.storage.seeding import stream
from dataset_project_tests.documents.identities.conftest import REFERENCE

SAY_LESS = {"title_family", "doctor_family", "initial_family", "initials", "given", "family", "last_four", "masked"}
# Dates, places in words and ages are everybody's; numbers of the encounter are in no pool.
NOT_IN_POOLS = {
    *("employer", "occupation", "facility_name", "ward", "city", "county", "zip", "zip3", "state", "country", "age"),
    *("age_90_plus", "group_number", "accession", "claim", "authorization", "order", *fine_types.DATE_TYPES),
}


@pytest.fixture(scope="module")
def scan(people):
    return scanner.Scanner(people).scan


def _values(people, numbers):
    for number in numbers:
        about = case.case_for(people, 0, f"{number}", f"P{number:07}", REFERENCE)
        draw = stream(0, "scan", number)
        for name in sorted(set(fine_types.TYPES) - NOT_IN_POOLS):
            for of in case.OWNERS.get(name, ("patient",)):
                if of == "facility" or not about.can(name, of=of):
                    continue
                if name in ("street", "address"):
                    styles = ("full", "short", "upper")
                elif name.endswith("_name"):
                    styles = surfaces.PROVIDER_NAMES if name == "provider_name" else surfaces.PLAIN_NAMES
                else:
                    styles = surfaces.STYLES[name]
                for style in sorted(set(styles) - SAY_LESS):
                    yield style, about.value(name, draw, of=of, style=style)


def test_every_value_is_found_in_every_surface(people, scan):
    missed, seen = set(), set()
    for style, value in _values(people, range(1, 61)):
        for text in (f"We saw {value.text} today.", f"Field: {value.text}\nNext", f"({value.text})"):
            if not any(hit.subject_id == value.subject_id for hit in scan(text)):
                missed.add((value.type, style, text))
        seen.add(value.type)
    assert missed == set()
    assert seen == set(fine_types.TYPES) - NOT_IN_POOLS - {"facility_name"}


def test_a_find_says_where(people, scan):
    patient = people.patient("P0000011")
    ssn = f"{patient.ssn[:3]}-{patient.ssn[3:5]}-{patient.ssn[5:]}"
    text = f"Ünïcode first; SSN {ssn}; then {patient.family.upper()}, {patient.given}."
    hits = {hit.kind: hit for hit in scan(text) if hit.subject_id == patient.id}
    assert text[hits["ssn"].start : hits["ssn"].end] == ssn == hits["ssn"].text
    assert hits["patient_name"].text == f"{patient.family.upper()}, {patient.given}"
    assert scan(text) == sorted(scan(text), key=lambda hit: hit.start)


def test_names_with_titles_in_cells_and_with_middle_names(people, scan):
    patient = next(people.patient(each) for each in people.ids("patients") if people.patient(each).middle)
    for text in (
        f"{patient.given}\t{patient.family}",
        f"{patient.given}\n{patient.family}",
        f"{patient.given} {patient.middle} {patient.family}",
        f"{patient.family}, {patient.given} {patient.middle[0]}.",
    ):
        assert any(hit.subject_id == patient.id for hit in scan(text)), text
    assert [hit.kind for hit in scan(f"Seen by Dr. {patient.family} alone")] == ["titled_name"]


def test_typographic_apostrophes_are_no_disguise(people, scan):
    patient = next(people.patient(each) for each in people.ids("patients") if "'" in people.patient(each).family)
    text = f"{patient.given} {patient.family}".replace("'", "’")
    assert any(hit.subject_id == patient.id for hit in scan(text))


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=st.sampled_from("aZé0159 -.,()/@:_\n\tMRNx"), max_size=200), st.integers(1, 200))
def test_any_text_can_be_scanned_and_what_is_found_stands_there(people, scan, around, number):
    patient = people.patient(f"P{number:07}")
    text = f"{around} {patient.email} {around}"
    hits = [*scan(text), *patterns.identifiers_in(text)]
    assert any(hit.subject_id == patient.id for hit in hits)
    assert all(text[hit.start : hit.end] == hit.text for hit in hits)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Parkinson disease and Foley catheter care; Hodgkin lymphoma; Graves disease.",
        "Will the unit open in May? Mark the site. Grace period of 10 days.",
        "Total 1,234,567 claims in 2023; 12.5 % of 20,240,125; page 12 of 20.",
        "Effective 01/01/2023, version 10.4.2.118, lot 041-588-2119, order 20240125.",
        "ICD-10 G20, S72.001A, I10; BP 120/80; dose 5 mg; ratio 1:250.",
        "____-__-____ [PATIENT NAME] ___/___/____ (___) ___-____",
    ],
)
def test_clean_texts_are_clean(scan, text):
    assert scan(text) == []
    assert patterns.identifiers_in(text) == []


def test_same_digits_in_another_arrangement_are_no_find(people, scan):
    ssn = people.patient("P0000011").ssn
    assert scan(f"Counts {ssn[:2]} {ssn[2:4]} {ssn[4:]} in three rows") == []
    assert scan(f"{ssn}7") == [] and scan(f"7{ssn}") == []
    vin = people.patient("P0000011").vin
    assert [hit.kind for hit in scan(vin)] == ["vin"] and scan(vin[:-1]) == []


def test_subjects_can_be_left_out(people):
    facility, patient = people.facility("F0002"), people.patient("P0000002")
    text = f"{facility.email} {patient.email}"
    assert {hit.text for hit in scanner.Scanner(people).scan(text)} == {patient.email}
    only = scanner.Scanner(people, ("facility",))
    assert {hit.text for hit in only.scan(text)} == {facility.email}
    for bad in ((), ("visitor",)):
        with pytest.raises(ValueError, match="a scanner looks for"):
            scanner.Scanner(people, bad)


def test_one_scanner_a_pool(people):
    assert scanner.scanner_of(people) is scanner.scanner_of(people)


PATTERNED = {
    *("ssn", "phone", "fax", "email", "url", "ip", "mbi", "device_udi", "biometric", "photo", "trial_subject", "claim"),
    *("accession", "authorization", "order", "street", "address"),
}


def test_shapes_are_found_whoevers_they_are(people):
    missed = set()
    for number in range(1, 61):
        about, draw = case.case_for(people, 0, f"{number}", f"P{number:07}", REFERENCE), stream(0, "shape", number)
        for name in sorted(PATTERNED):
            if not about.can(name):
                continue
            # Nine digits or ten without a label or a bracket are no shape of anything.
            for style in set(surfaces.STYLES[name]) - ({"plain"} if name in ("ssn", "fax") else set()):
                value = about.value(name, draw, style="" if name in ("street", "address") else style)
                if not patterns.identifiers_in(f"Noted {value.text} here"):
                    missed.add((name, style, value.text))
    assert missed == set()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("MRN: 62669272", "mrn"),
        ("Medical record number 62-669-272", "mrn"),
        ("NPI 1234567893", "npi"),
        ("SSN: 900123456", "ssn"),
        ("DOB: 03/04/1931", "birth_date"),
        ("Date of birth: March 4, 1931", "birth_date"),
        ("a 94-year-old woman", "age_90_plus"),
        ("DEA AB1234563", "dea"),
        ("VIN 1M8GDM9AXKP042788", "vin"),
        ("Rx 8886148-05", "rx_number"),
        ("SSN ***-**-4321", "ssn"),
    ],
)
def test_labelled_shapes(text, kind):
    assert [hit.kind for hit in patterns.identifiers_in(text)] == [kind]


@pytest.mark.parametrize(
    "text",
    [
        "1-800-555-0142",
        "privacy@example.org",
        "DEA AB1234560",
        "VIN 1M8GDM9A1KP042788",
        "an 89-year-old",
        "DOB: ____",
        "10.0.0.1",
    ],
)
def test_what_is_no_identifier_here(text):
    assert patterns.identifiers_in(text) == []
