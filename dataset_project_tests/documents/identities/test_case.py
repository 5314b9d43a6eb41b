"""Cases: consistent people, plausible days, a value of every type, nothing but (seed, document) deciding."""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta

import pytest

from dataset_project.documents.identities import case, dates, fine_types
from dataset_project.documents.identities.case import case_for
from dataset_project.storage.seeding import stream
from dataset_project_tests.documents.identities.conftest import REFERENCE


def _case(people, number: int, **rest) -> case.Case:
    return case_for(people, 0, f"{number:08}", f"P{number:07}", REFERENCE, **rest)


def test_a_value_of_every_type_is_right_and_all_eighteen_are_the_patients_own(people):
    reached, patients_own = set(), set()
    for number in range(1, 151):
        about, draw = _case(people, number), stream(0, "values", number)
        for name in fine_types.TYPES:
            for of in case.OWNERS.get(name, ("patient",)):
                if not about.can(name, of=of):
                    continue
                value = about.value(name, draw, of=of)
                assert fine_types.problem(value) is None
                assert value.type == name and value.role == case.OF[of]
                assert value.subject_id == getattr(about, of).id
                reached.add(name)
                if fine_types.is_phi(value) and value.role == "patient":
                    patients_own.add(value.code)
    assert reached == set(fine_types.TYPES)
    assert patients_own == set("ABCDEFGHIJKLMNOPQR")


def test_a_patient_is_the_same_in_every_document(people):
    cases = [case_for(people, 0, doc, "P0000005", REFERENCE) for doc in ("a", "b", "c")]
    for name in ("patient_name", "ssn", "mrn", "birth_date", "email", "account"):
        values = [each.value(name, stream(0, each.doc_id, name)) for each in cases]
        assert len({value.canonical for value in values}) == 1
    assert len({each.codes.accession for each in cases}) == 3
    assert len({each.encounter.admission for each in cases}) == 3


def test_a_case_depends_on_seed_and_document_alone(people):
    assert _case(people, 9) == _case(people, 9)
    other = case_for(people, 1, "00000009", "P0000009", REFERENCE)
    assert other.patient == _case(people, 9).patient and other.encounter != _case(people, 9).encounter


def test_the_generator_decides_the_surface_and_nothing_else(people):
    about = _case(people, 3)
    texts = [about.value("birth_date", stream(0, "x", number)) for number in range(40)]
    assert len({value.text for value in texts}) > 5 and len({value.canonical for value in texts}) == 1
    assert about.value("phone", stream(0, "y")) == about.value("phone", stream(0, "y"))


def test_days_are_in_order_and_after_birth(people):
    for number in range(1, 1501):
        about = _case(people, number)
        days = about.encounter
        assert days.in_order()
        assert about.patient.birth_date <= days.admission and days.visit <= REFERENCE
        assert about.patient.birth_date <= days.immunization <= REFERENCE


def test_a_newborn_has_an_encounter_and_the_unborn_none():
    draw = stream(0, "newborn")
    for lived in (1, 2, 20):
        assert dates.encounter(REFERENCE - timedelta(days=lived), REFERENCE, draw).in_order()
    with pytest.raises(ValueError, match="not before"):
        dates.encounter(REFERENCE, REFERENCE, draw)


def test_ages_count_completed_years():
    assert dates.age_on(date(1934, 6, 2), REFERENCE) == 89
    assert dates.age_on(date(1934, 6, 1), REFERENCE) == 90
    assert dates.age_identifies(90) and not dates.age_identifies(89)
    with pytest.raises(ValueError, match="before the birth"):
        dates.age_on(date(2024, 6, 2), REFERENCE)


def test_an_age_identifies_from_ninety_on(people):
    seen = set()
    for number in range(1, 400):
        about = _case(people, number)
        value = about.person_age(stream(0, "age", number))
        seen.add(value.type)
        assert (value.type == "age_90_plus") == (int(value.canonical) >= 90)
        assert about.can(value.type) and fine_types.problem(value) is None
    assert seen == {"age", "age_90_plus"}


def test_either_facility_has_its_own_record_number(people):
    here = _case(people, 7)
    there = _case(people, 7, facility_id=here.patient.other_facility_id)
    draw = stream(0, "mrn")
    assert here.value("mrn", draw).canonical == here.patient.mrn
    assert there.value("mrn", draw).canonical == here.patient.other_mrn
    assert there.provider.facility_id == there.facility.id == here.patient.other_facility_id
    neither = next(each for each in people.ids("facilities") if each not in (here.facility.id, there.facility.id))
    with pytest.raises(ValueError, match="no record"):
        _case(people, 7, facility_id=neither)


def test_people_of_a_case_belong_together(people):
    for number in range(1, 60):
        about = _case(people, number)
        assert about.provider.id != about.second_provider.id
        assert (
            about.facility.id == about.provider.facility_id == about.employee.facility_id == about.patient.facility_id
        )
        assert about.relative.id == f"{about.patient.id}-R" and about.relative.relation == about.patient.relation
    named = _case(people, 7, provider_id="D000003", second_provider_id="D000004", employee_id="E000002")
    assert (named.provider.id, named.second_provider.id, named.employee.id) == ("D000003", "D000004", "E000002")


def test_the_plan_id_is_the_mbi_of_a_beneficiary(people):
    kinds = {(_case(people, n).patient.mbi is None, _case(people, n).plan_id(stream(0, n)).type) for n in range(1, 80)}
    assert kinds == {(True, "member_id"), (False, "mbi")}


def test_names_by_method(people):
    about, draw = _case(people, 12), stream(0, "names")
    assert about.patient_name(draw, "given_family").text == f"{about.patient.given} {about.patient.family}"
    assert about.provider_name(draw, "doctor_family", second=True).text == f"Dr. {about.second_provider.family}"
    assert about.relative_name(draw, "given").text == about.relative.given
    assert about.employee_name(draw).role == "employee"
    assert [run.role for run in about.address(draw, of="facility") if not isinstance(run, str)] == ["facility"] * 4


def test_what_there_is_not_is_said(people):
    about, draw = _case(people, 1), stream(0, "errors")
    with pytest.raises(KeyError, match="shoe_size"):
        about.value("shoe_size", draw)
    with pytest.raises(ValueError, match="patient or employee, not of 'provider'"):
        about.value("ssn", draw, of="provider")
    young = next(_case(people, n) for n in range(1, 50) if _case(people, n).patient.mbi is None)
    with pytest.raises(ValueError, match="has no mbi"):
        young.value("mbi", draw)
    with pytest.raises(KeyError, match="P9999999"):
        case_for(people, 0, "d", "P9999999", REFERENCE)
    with pytest.raises(dataclasses.FrozenInstanceError):
        about.doc_id = "other"
