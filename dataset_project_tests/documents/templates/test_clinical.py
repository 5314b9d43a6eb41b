from __future__ import annotations

import re
from itertools import product

import pytest

from dataset_project.documents.templates import clinical
from dataset_project.documents.templates.blanks import entry
from dataset_project.documents.templates.draft import _pieces
from dataset_project.documents.templates.encounters import draw_clinical, egfr, sample
from dataset_project.documents.templates.slots import SLOTS
from dataset_project.storage.seeding import stream

_WORDS = {
    *("he", "He", "his", "His", "him", "Him", "man", "Man", "age", "age_short", "complaint", "Complaint", "comorbid"),
    *("short", "diagnosis", "icd10", "specialty", "follow_up", "medication", "doctype", "allergy", "image"),
    *("relative.relation", "patient.plan", "patient.occupation", "patient.device_name", "employee.title"),
}


def test_conditions_name_things_that_there_are_and_have_something_to_say() -> None:
    conditions = clinical.conditions()
    assert len(conditions) >= 35
    for each in conditions.values():
        assert re.fullmatch(r"[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?", each.icd10), each.key
        assert len(each.history) >= 3, each.key
        assert len(each.plan) >= 4, each.key
        assert set(each.medications) <= set(clinical.medications()), each.key
        assert set(each.labs) <= set(clinical.analytes()), each.key
        assert set(each.procedures) <= set(clinical.procedures()), each.key
        assert set(each.comorbid) <= set(conditions) - {each.key}, each.key
        assert each.ages[0] <= each.ages[1]


def test_loinc_codes_have_their_check_digit() -> None:
    """The digit after the dash is a Mod 10 of those before it (LOINC Users' Guide, appendix C)."""
    for each in clinical.analytes().values():
        number, check = each.loinc.split("-")
        odd, even = number[::-1][::2], number[::-1][1::2]
        total = sum(int(digit) for digit in str(int(odd[::-1]) * 2)) + sum(int(digit) for digit in even)
        assert (10 - total % 10) % 10 == int(check), each.key
        assert each.male[0] < each.male[1]


def test_procedure_codes_are_mock_ones_and_distinct() -> None:
    codes = [each.code for each in clinical.procedures().values()]
    assert len(set(codes)) == len(codes)
    # CPT has five characters, HCPCS a letter and four digits: neither can be read into these.
    assert all(re.fullmatch(r"PX-\d{4}-[A-Z]", code) for code in codes)


@pytest.mark.parametrize("sex", ["F", "M"])
def test_everybody_can_have_something_that_fits(sex: str) -> None:
    for age, setting in product(range(105), ("inpatient", "clinic")):
        picture = draw_clinical(sex, age, lambda field, age=age: stream(age, field), setting)
        for each in picture.diagnoses:
            assert each.sex in ("", sex)
        low, high = picture.condition.ages
        assert low - 4 <= age <= high + 4, (age, picture.condition.key)
        keys = [each.medication.key for each in picture.orders]
        assert len(set(keys)) == len(keys)
        if age < 12:
            assert not {"oxycodone", "amoxicillin", "doxycycline"} & set(keys)


def test_results_agree_with_each_other_and_with_their_flags() -> None:
    for number in range(200):
        picture = draw_clinical("F" if number % 2 else "M", 30 + number % 60, lambda field, n=number: stream(n, field))
        by_key = {each.analyte.key: each for each in picture.results}
        for each in picture.results:
            value = float(each.text)
            assert each.flag == ("L" if value < each.low else "H" if value > each.high else "")
        for key, (low, high) in picture.condition.labs.items():
            if key not in ("egfr", "hematocrit", "cholesterol"):
                slack = 10 ** -by_key[key].analyte.decimals
                assert low - slack <= float(by_key[key].text) <= high + slack, (picture.condition.key, key)
        if "cholesterol" in by_key and "cholesterol" not in picture.condition.labs:
            parts = [float(by_key[key].text) for key in ("ldl", "hdl", "triglycerides")]
            assert abs(float(by_key["cholesterol"].text) - (parts[0] + parts[1] + parts[2] / 5)) < 2


def test_filtration_rate_by_the_published_equation() -> None:
    # National Kidney Foundation's calculator: man of 50 with 1.0 mg/dL 92, woman of 70 with 1.2 mg/dL 49.
    assert round(egfr(1.0, 50, "M")) == 92
    assert round(egfr(1.2, 70, "F")) == 49


def test_samples_are_distinct_and_keep_their_order() -> None:
    drawn = sample(stream(1, "x"), "abcdefgh", 4)
    assert len(set(drawn)) == 4
    assert list(drawn) == sorted(drawn)
    assert sample(stream(1, "x"), "ab", 5) == ("a", "b")


def _texts(content) -> list[str]:
    if isinstance(content, str):
        return [content]
    parts = content.values() if isinstance(content, dict) else content if isinstance(content, (list, tuple)) else ()
    return [text for part in parts for text in _texts(part)]


@pytest.mark.parametrize(
    "name",
    [
        *("conditions_heart_lung.yaml", "conditions_abdomen_metabolic.yaml", "conditions_other.yaml", "phrases.yaml"),
        *("phrases_office.yaml", "office.yaml", "labs.yaml", "medications.yaml", "procedures.yaml", "vaccines.yaml"),
    ],
)
def test_every_slot_that_a_phrase_has_exists_and_every_text_is_latin_1(name: str) -> None:
    for text in _texts(clinical._read(name)):
        text.encode("latin-1")
        for slot in _pieces(text)[1::2]:
            assert slot in SLOTS or slot in _WORDS, (text, slot)
            if slot in SLOTS:
                entry(slot)
