"""How values are written, and that every surface keeps its canonical form and labels."""

from __future__ import annotations

import dataclasses
from datetime import date

import pytest

from dataset_project.documents.identities import fine_types, surfaces
from dataset_project.documents.identities.fine_types import TYPES, is_phi, problem, value_of
from dataset_project.documents.model.values import Value, plain
from dataset_project.storage.seeding import stream

I2B2 = {
    *("PATIENT", "DOCTOR", "USERNAME", "PROFESSION", "HOSPITAL", "ORGANIZATION", "STREET", "CITY", "STATE", "COUNTRY"),
    *("ZIP", "LOCATION-OTHER", "AGE", "DATE", "PHONE", "FAX", "EMAIL", "URL", "IPADDR", "SSN", "MEDICALRECORD"),
    *("HEALTHPLAN", "ACCOUNT", "LICENSE", "VEHICLE", "DEVICE", "BIOID", "IDNUM", "COUNTY"),
}


@dataclasses.dataclass
class Someone:
    id: str = "X1"
    given: str = "Maria"
    middle: str | None = "Elena"
    family: str = "De la Cruz"
    suffix: str | None = None
    sex: str = "F"
    credentials: str = "MD"
    street: str = "12 Fox Hollow Boulevard"
    unit: str | None = "Apt 4"
    city: str = "Rawlins"
    county: str = "Carbon"
    state: str = "WY"
    zip: str = "82301"
    full_name: str = "Maria Elena De la Cruz"


@pytest.fixture
def draw():
    return stream(0, "surfaces")


def test_all_eighteen_paragraphs_and_all_i2b2_types():
    assert {kind.code for kind in TYPES.values()} == set("ABCDEFGHIJKLMNOPQR")
    assert {kind.code for kind in TYPES.values() if kind.phi} == set("ABCDEFGHIJKLMNOPQR")
    assert {kind.i2b2 for kind in TYPES.values()} == I2B2


@pytest.mark.parametrize(
    ("name", "style", "canonical", "text"),
    [
        ("birth_date", "iso", "1931-03-04", "1931-03-04"),
        ("birth_date", "us", "1931-03-04", "03/04/1931"),
        ("birth_date", "us_short", "1931-03-04", "3/4/31"),
        ("birth_date", "long", "1931-03-04", "March 4, 1931"),
        ("birth_date", "military", "1931-03-04", "04-MAR-1931"),
        ("birth_date", "weekday", "2024-06-01", "Saturday, June 1, 2024"),
        ("birth_date", "month_day", "1931-03-04", "March 4"),
        ("birth_date", "month_day_numeric", "1931-03-04", "03/04"),
        ("phone", "parentheses", "2125550142", "(212) 555-0142"),
        ("fax", "dots", "2125550142", "212.555.0142"),
        ("phone", "international", "2125550142", "+1 212-555-0142"),
        ("ssn", "dashes", "900123456", "900-12-3456"),
        ("ssn", "spaces", "900123456", "900 12 3456"),
        ("ssn", "last_four", "900123456", "xxx-xx-3456"),
        ("mrn", "prefix", "62669272", "MRN62669272"),
        ("mrn", "prefix", "62-669-272", "MRN 62-669-272"),
        ("account", "last_four", "7462798600", "xxxxxx8600"),
        ("device_udi", "plain", "(01)09521234543213(21)ABC123", "010952123454321321ABC123"),
        ("url", "bare", "https://www.example.org/~a", "www.example.org/~a"),
        ("age_90_plus", "spelled", "97", "ninety-seven"),
        ("age_90_plus", "spelled", "90", "ninety"),
        ("age_90_plus", "spelled", "104", "one hundred four"),
        ("state", "name", "WY", "Wyoming"),
        ("county", "county", "Carbon", "Carbon County"),
        ("county", "county", "Baltimore City", "Baltimore City"),
    ],
)
def test_styles(draw, name, style, canonical, text):
    value = surfaces.write(name, canonical, draw, role="patient", subject_id="P1", validity=_label(name), style=style)
    assert (value.text, value.canonical, value.type) == (text, canonical, name)
    assert (value.code, value.i2b2) == (TYPES[name].code, TYPES[name].i2b2)


def _label(name: str) -> str | None:
    return None if TYPES[name].validity else "realistic"


def test_mbi_has_dashes_after_the_fourth_and_seventh(draw):
    value = surfaces.write("mbi", "1EG4TE5MK73", draw, role="patient", validity="realistic", style="dashes")
    assert value.text == "1EG4-TE5-MK73" and problem(value) is None


@pytest.mark.parametrize(
    ("style", "text"),
    [
        ("given_family", "Maria De la Cruz"),
        ("full", "Maria Elena De la Cruz"),
        ("given_initial_family", "Maria E. De la Cruz"),
        ("family_given", "DE LA CRUZ, Maria E."),
        ("title_family", "Ms. De la Cruz"),
        ("initials", "M.E.D."),
        ("initial_family", "M. De la Cruz"),
    ],
)
def test_names(draw, style, text):
    value = surfaces.write_name("patient_name", Someone(), draw, role="patient", style=style)
    assert (value.text, value.canonical) == (text, "Maria Elena De la Cruz")


def test_doctors_have_styles_of_their_own(draw):
    write = surfaces.write_name
    assert write("provider_name", Someone(), draw, role="provider", style="credentials").text == "Maria De la Cruz, MD"
    assert write("provider_name", Someone(), draw, role="provider", style="doctor_family").text == "Dr. De la Cruz"
    with pytest.raises(ValueError, match="doctor_family"):
        write("patient_name", Someone(), draw, role="patient", style="doctor_family")
    middleless = Someone(middle=None, full_name="Maria De la Cruz", sex="M")
    assert write("patient_name", middleless, draw, role="patient", style="family_given").text == "DE LA CRUZ, Maria"


def test_addresses(draw):
    runs = surfaces.write_address(Someone(), draw, role="patient", style="short")
    assert plain(runs) == "12 Fox Hollow Blvd Apt 4, Rawlins, WY 82301"
    assert [run.type for run in runs if isinstance(run, Value)] == ["street", "city", "state", "zip"]
    whole = surfaces.write_whole_address(Someone(unit=None), draw, role="patient", style="upper")
    assert whole.text == "12 FOX HOLLOW BLVD, RAWLINS, WY 82301"
    assert whole.canonical == "12 Fox Hollow Boulevard, Rawlins, WY 82301"


def test_every_style_of_a_date_is_drawn_and_rare_ones_rarely(draw):
    canonical = date(1931, 12, 24).isoformat()
    texts = [surfaces.write("birth_date", canonical, draw, role="patient").text for _ in range(3000)]
    assert set(texts) == {write(canonical) for write in surfaces.DATES.values()}
    assert 0.01 < texts.count("December 24") / 3000 < 0.06


def test_unknown_styles_and_types_are_refused(draw):
    with pytest.raises(ValueError, match="a ssn is written as dashes"):
        surfaces.write("ssn", "900123456", draw, role="patient", style="roman")
    with pytest.raises(KeyError):
        surfaces.write("shoe_size", "9", draw, role="patient")


def test_labels_must_be_given_where_they_vary_and_only_there():
    with pytest.raises(ValueError, match="must be given"):
        value_of("npi", "1234567893", "1234567893", "provider", "D1")
    with pytest.raises(ValueError, match="always reserved"):
        value_of("ssn", "900-12-3456", "900123456", "patient", "P1", "realistic")
    with pytest.raises(ValueError, match="one line"):
        value_of("city", "Raw\nlins", "Rawlins", "patient", "P1")


def test_phi_depends_on_whose_it_is():
    ssn = value_of("ssn", "900-12-3456", "900123456", "patient", "P1")
    assert is_phi(ssn)
    assert not is_phi(dataclasses.replace(ssn, role="employee"))
    assert not is_phi(value_of("state", "WY", "WY", "patient", "P1"))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"type": "shoe_size"}, "no fine type"),
        ({"code": "H"}, "not H"),
        ({"validity": "realistic"}, "is reserved, not realistic"),
        ({"canonical": "123456789"}, "is not reserved"),
    ],
)
def test_wrong_labels_are_noticed(changed, words):
    right = value_of("ssn", "900-12-3456", "900123456", "patient", "P1")
    assert problem(right) is None
    assert words in problem(dataclasses.replace(right, **changed))


def test_an_age_is_what_it_is_called():
    assert problem(value_of("age", "90", "90", "patient", "P1")) is not None
    assert problem(value_of("age_90_plus", "90", "90", "patient", "P1")) is None
    assert set(fine_types.DATE_TYPES) >= {"birth_date", "admission_date", "hire_date"}
