"""All templates by id.

Every template can be of every class: what makes a document PHI is who is in it, never which kind of paper it is. Names
of clinicians and facilities are recorded (roles ``provider``, ``facility``) and are not PHI by themselves. A PII-only
document has values of employees, clinicians and facilities alone, and blanks for patients; a negative has nobody of the
pools.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from dataset_project.documents.model.blocks import Document
from dataset_project.documents.templates import (
    claims,
    decks,
    forms,
    letters,
    meetings,
    messages,
    notes,
    publications,
    reports,
    staff,
    transfers,
    workbooks,
)
from dataset_project.documents.templates.blanks import FORM, PROSE, Manner
from dataset_project.documents.templates.draft import Draft
from dataset_project.documents.templates.template import Template

EVERY = ("phi", "negative", "pii_only")
MIXABLE = (*EVERY, "mixed")

_PAPER = "docx pdf rtf txt html"
_LOOKS = " ".join(claims.LOOKS)


def _template(
    template_id: str,
    title: str,
    write: Callable[[Draft], Document],
    formats: str,
    layouts: str,
    classes: tuple[str, ...] = EVERY,
    manners: Sequence[Manner] = PROSE,
    companions: int = 0,
    version: str = "1",
) -> Template:
    split = tuple(formats.split()), tuple(layouts.split())
    return Template(template_id, version, title, classes, *split, write, manners, companions)


_ALL = (
    _template(
        "discharge_summary",
        "Discharge Summary",
        notes.discharge_summary,
        _PAPER,
        "fields_first table_first letter compact",
    ),
    _template("soap_note", "SOAP Note", notes.soap_note, _PAPER, "classic tabular brief problem_oriented"),
    _template(
        "lab_report",
        "Laboratory Report",
        reports.laboratory,
        "pdf docx html csv xlsx txt",
        "classic grid strip interface",
    ),
    _template("radiology_report", "Radiology Report", reports.radiology, _PAPER, "structured prose grid"),
    _template("referral_letter", "Referral Letter", letters.referral, "docx pdf rtf eml", "letterhead form memo"),
    _template(
        "prescription", "Prescription", letters.prescription, "pdf docx html txt", "pad form table", manners=FORM
    ),
    _template(
        "immunization_record",
        "Immunization Record",
        letters.immunization,
        "pdf docx xlsx html csv",
        "card registry school",
        manners=FORM,
    ),
    _template(
        "registration_form",
        "Patient Registration",
        forms.registration,
        "docx pdf html xlsx rtf",
        "paper fillable grid",
        manners=FORM,
    ),
    _template("prior_authorization", "Prior Authorization", claims.prior_authorization, "pdf docx html rtf", _LOOKS),
    _template(
        "explanation_of_benefits",
        "Explanation of Benefits",
        claims.explanation_of_benefits,
        "pdf docx html xlsx",
        _LOOKS,
    ),
    _template("claim", "Claim", claims.claim, "pdf xlsx csv html docx", _LOOKS),
    _template(
        "billing_workbook",
        "Billing Workbook",
        workbooks.billing_workbook,
        "xlsx csv",
        "accounts split_names summary_first",
        companions=workbooks.COMPANIONS,
    ),
    _template(
        "ward_census",
        "Ward Census",
        workbooks.ward_census,
        "xlsx csv docx pdf html",
        "wide nursing short",
        companions=workbooks.COMPANIONS,
    ),
    _template(
        "appointment_thread",
        "Appointment Messages",
        messages.appointment_thread,
        "eml",
        "quoted forwarded compact",
        classes=MIXABLE,
    ),
    _template(
        "transfer_request",
        "Transfer Request",
        transfers.transfer_request,
        "nested_eml zip",
        "fields table narrative",
        classes=MIXABLE,
    ),
    _template(
        "records_release",
        "Release of Records",
        transfers.records_release,
        "nested_eml zip",
        "cover_sheet letter notice",
        classes=MIXABLE,
    ),
    _template(
        "audit_package",
        "Audit Package",
        transfers.audit_package,
        "nested_eml zip",
        "memo list summary",
        classes=MIXABLE,
    ),
    _template(
        "incident_notice",
        "Incident Notice",
        transfers.incident_notice,
        "nested_eml zip",
        "narrative timeline form",
        classes=MIXABLE,
    ),
    _template("case_conference", "Case Conference", decks.case_conference, "pptx pdf", "board story short"),
    _template(
        "provider_email",
        "Message to a Colleague",
        messages.provider_email,
        "eml",
        "prose bullets card",
        classes=MIXABLE,
    ),
    _template("blank_form", "Form", forms.blank_form, "docx pdf html rtf xlsx", "lines fillable boxes", manners=FORM),
    _template("policy", "Policy", publications.policy, _PAPER, "numbered table memo"),
    _template(
        "device_manual",
        "Device Manual",
        publications.device_manual,
        "pdf docx html",
        "chapters quick_guide service",
        manners=FORM,
    ),
    _template(
        "safe_harbor_summary",
        "De-identified Summary",
        notes.safe_harbor_summary,
        _PAPER,
        "case_report registry narrative",
    ),
    _template(
        "aggregate_workbook",
        "Quality Figures",
        workbooks.aggregate_workbook,
        "xlsx csv docx",
        "sheets dashboard report",
    ),
    _template("teaching_deck", "Teaching Slides", decks.teaching_deck, "pptx pdf", "lecture workshop board_review"),
    _template("quality_deck", "Quality Meeting Slides", meetings.quality_deck, "pptx pdf", "minutes board short"),
    _template(
        "orientation_deck",
        "Orientation Slides",
        meetings.orientation_deck,
        "pptx docx",
        "welcome privacy_first handout",
    ),
    _template("newsletter", "Newsletter", publications.newsletter, "pdf docx html eml", "columns bulletin two_column"),
    _template("order_set", "Order Set", forms.order_set, _PAPER, "checklist table strip", manners=FORM),
    _template(
        "announcement",
        "Staff Announcement",
        messages.announcement,
        "eml",
        "bulletin letter mixed_list",
        classes=MIXABLE,
    ),
    _template("account_statement", "Account Statement", claims.statement, "pdf docx html xlsx rtf", _LOOKS),
    _template("payroll", "Payroll", staff.payroll, "xlsx csv pdf", "register stub form", manners=FORM),
    _template("vendor_invoice", "Invoice", staff.vendor_invoice, "pdf docx xlsx html", "classic grid strip"),
    _template("hr_letter", "Letter", staff.hr_letter, "docx pdf rtf eml", "block memo form"),
)

TEMPLATES: Mapping[str, Template] = {each.id: each for each in _ALL}
"""Id → template, in the order in which they are listed to people."""
