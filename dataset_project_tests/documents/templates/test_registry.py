from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from dataset_project.documents.formats.registry import NAMES, format_named
from dataset_project.documents.identities.fine_types import is_phi, problem
from dataset_project.documents.templates.registry import TEMPLATES
from dataset_project_tests.documents.templates.conftest import DIFFICULTIES, texts_in, values_in

SPEC = {
    *("discharge_summary", "soap_note", "lab_report", "radiology_report", "referral_letter", "prescription"),
    *("immunization_record", "registration_form", "prior_authorization", "explanation_of_benefits", "claim"),
    *("billing_workbook", "ward_census", "appointment_thread", "transfer_request", "case_conference", "provider_email"),
    *("blank_form", "policy", "device_manual", "safe_harbor_summary", "aggregate_workbook", "teaching_deck"),
    *("newsletter", "order_set", "announcement", "account_statement", "payroll", "vendor_invoice", "hr_letter"),
}


def test_all_templates_of_the_specification_are_there_and_each_can_be_of_every_class() -> None:
    assert set(TEMPLATES) >= SPEC
    for template in TEMPLATES.values():
        assert set(template.classes) >= {"phi", "negative", "pii_only"}
        # Layouts belong to one split each.
        assert len(set(template.layouts)) == len(template.layouts) >= 3
        assert set(template.formats) <= set(NAMES)


def test_every_format_has_templates_and_containers_have_mixed_ones() -> None:
    for form in NAMES:
        of_format = [each for each in TEMPLATES.values() if form in each.formats]
        assert len(of_format) >= 4, form
        if form in ("nested_eml", "zip"):
            assert all("mixed" in each.classes for each in of_format)


@pytest.mark.parametrize("template_id", TEMPLATES)
def test_whatever_is_asked_for_is_written_with_the_values_of_its_class_only(template_id, build) -> None:
    template = TEMPLATES[template_id]
    combinations = product(template.formats, template.layouts, template.classes)
    for number, (form, layout, document_class) in enumerate(combinations):
        document = build(template_id, number, document_class, form, layout)
        spans = format_named(form).write(document, f"t{number}").spans
        values = [span.value for span in spans]
        # Its own name is written only where it becomes a part; headers are written once a page.
        assert set(values) == set(values_in(replace(document, file_name=()))), "a zone was not written"
        where = (template_id, form, layout, document_class, DIFFICULTIES[number % 3])
        if document_class == "negative":
            assert not values, where
        elif document_class == "pii_only":
            assert {value.role for value in values} <= {"employee", "provider", "facility"}, where
            assert any(value.role in ("employee", "provider") for value in values), where
        else:
            assert any(is_phi(value) for value in values), where
        for value in values:
            assert problem(value) is None, where


def test_mixed_containers_have_parts_of_both_classes(build) -> None:
    mixable = [template for template in TEMPLATES.values() if "mixed" in template.classes]
    places = [(template.id, form) for template in mixable for form in template.formats]
    mixable = [template for template in TEMPLATES.values() if "mixed" in template.classes]
    places = [(template.id, form) for template in mixable for form in template.formats]
    for number, (template_id, form) in enumerate(places * 3):
        document = build(template_id, number, "mixed", form)
        inner = []
        for name, part in document.attachments:
            inner += [member for _, member in part.attachments] if name == "zip" else [part]
        bodies = [any(is_phi(value) for value in values_in(part)) for part in inner]
        outer = any(is_phi(value) for section in document.sections for value in values_in(section))
        assert {True, False} <= {*bodies, outer if document.sections else bodies[0]}, (template_id, form)


def test_negatives_have_nothing_of_anyone_in_the_pools_and_no_shape_of_an_identifier(build, people) -> None:
    from dataset_project.documents.identities.lookalikes import collides
    from dataset_project.documents.identities.patterns import identifiers_in
    from dataset_project.documents.identities.scanner import scanner_of

    number = 0
    for template in TEMPLATES.values():
        for form in template.formats:
            number += 1
            text = format_named(form).write(build(template.id, number, "negative", form), f"t{number}").text
            assert not collides(text, people), (
                template.id,
                form,
                [*scanner_of(people).scan(text), *identifiers_in(text)],
            )


def test_all_text_can_be_set_in_the_fonts_every_reader_of_pdf_has(build) -> None:
    for number, template in enumerate(TEMPLATES.values()):
        document = build(template.id, number, "negative", template.formats[0])
        for text in texts_in(document):
            text.encode("latin-1")


def test_what_a_template_does_not_have_is_refused(build, case_of) -> None:
    with pytest.raises(ValueError, match="not 'mixed'"):
        build("soap_note", 1, "mixed", "docx")
    with pytest.raises(ValueError, match="has the layouts classic, tabular"):
        build("soap_note", 1, "phi", "docx", "landscape")
    with pytest.raises(ValueError, match="difficulty is one of easy"):
        build("soap_note", 1, "phi", "docx", "classic", "brutal")
    template = TEMPLATES["soap_note"]
    with pytest.raises(ValueError, match="takes up to 0 other cases, not 1"):
        template.build(case_of(1), lambda field: None, frozenset(), "phi", "classic", "easy", (case_of(2),))
