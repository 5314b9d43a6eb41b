"""All templates by id.

Every template is positive and negative: what makes a document PHI is who is in it, never which kind of paper it is. Names
of clinicians and facilities are recorded in positives (roles ``provider``, ``facility``) and are not PHI by themselves; a
negative has none of the identity pool. A PII-only document has values of employees and facilities alone.
"""

from __future__ import annotations

from collections.abc import Mapping

from dataset_project.documents.templates import (
    claims,
    decks,
    forms,
    letters,
    messages,
    notes,
    publications,
    reports,
    staff,
    transfers,
    workbooks,
)
from dataset_project.documents.templates.blanks import FORM, PROSE
from dataset_project.documents.templates.template import Template

BOTH = ("phi", "negative")
WITH_STAFF = ("phi", "negative", "pii_only")
MIXABLE = ("phi", "negative", "mixed")

_PAPER = ("docx", "pdf", "rtf", "txt", "html")
_LOOKS = tuple(claims._LOOKS)

_ALL = (
    Template("discharge_summary", 1, "Discharge Summary", BOTH, _PAPER, ("fields_first", "table_first", "letter", "compact"), notes.discharge_summary),
    Template("soap_note", 1, "SOAP Note", BOTH, _PAPER, ("classic", "tabular", "brief", "problem_oriented"), notes.soap_note),
    Template("lab_report", 1, "Laboratory Report", BOTH, ("pdf", "docx", "html", "csv", "xlsx", "txt"), ("classic", "grid", "strip", "interface"), reports.laboratory),
    Template("radiology_report", 1, "Radiology Report", BOTH, _PAPER, ("structured", "prose", "grid"), reports.radiology),
    Template("referral_letter", 1, "Referral Letter", BOTH, ("docx", "pdf", "rtf", "eml"), ("letterhead", "form", "memo"), letters.referral),
    Template("prescription", 1, "Prescription", BOTH, ("pdf", "docx", "html", "txt"), ("pad", "form", "table"), letters.prescription, FORM),
    Template("immunization_record", 1, "Immunization Record", BOTH, ("pdf", "docx", "xlsx", "html", "csv"), ("card", "registry", "school"), letters.immunization, FORM),
    Template("registration_form", 1, "Patient Registration", BOTH, ("docx", "pdf", "html", "xlsx", "rtf"), ("paper", "fillable", "grid"), forms.registration, FORM),
    Template("prior_authorization", 1, "Prior Authorization", BOTH, ("pdf", "docx", "html", "rtf"), _LOOKS, claims.prior_authorization),
    Template("explanation_of_benefits", 1, "Explanation of Benefits", BOTH, ("pdf", "docx", "html", "xlsx"), _LOOKS, claims.explanation_of_benefits),
    Template("claim", 1, "Claim", BOTH, ("pdf", "xlsx", "csv", "html", "docx"), _LOOKS, claims.claim),
    Template("billing_workbook", 1, "Billing Workbook", BOTH, ("xlsx", "csv"), ("accounts", "split_names", "summary_first"), workbooks.billing_workbook, PROSE, workbooks.COMPANIONS),
    Template("ward_census", 1, "Ward Census", BOTH, ("xlsx", "csv", "docx", "pdf", "html"), ("wide", "nursing", "short"), workbooks.ward_census, PROSE, workbooks.COMPANIONS),
    Template("appointment_thread", 1, "Appointment Messages", MIXABLE, ("eml",), ("quoted", "forwarded", "compact"), messages.appointment_thread),
    Template("transfer_request", 1, "Transfer Request", MIXABLE, ("nested_eml", "zip"), ("fields", "table", "narrative"), transfers.transfer_request),
    Template("records_release", 1, "Release of Records", MIXABLE, ("nested_eml", "zip"), ("cover_sheet", "letter", "notice"), transfers.records_release),
    Template("case_conference", 1, "Case Conference", BOTH, ("pptx", "pdf"), ("board", "story", "short"), decks.case_conference),
    Template("provider_email", 1, "Message to a Colleague", MIXABLE, ("eml",), ("prose", "bullets", "card"), messages.provider_email),
    Template("blank_form", 1, "Form", BOTH, ("docx", "pdf", "html", "rtf", "xlsx"), ("lines", "fillable", "boxes"), forms.blank_form, FORM),
    Template("policy", 1, "Policy", BOTH, _PAPER, ("numbered", "table", "memo"), publications.policy),
    Template("device_manual", 1, "Device Manual", BOTH, ("pdf", "docx", "html"), ("chapters", "quick_guide", "service"), publications.device_manual, FORM),
    Template("safe_harbor_summary", 1, "De-identified Summary", BOTH, _PAPER, ("case_report", "registry", "narrative"), notes.safe_harbor_summary),
    Template("aggregate_workbook", 1, "Quality Figures", BOTH, ("xlsx", "csv", "docx"), ("sheets", "dashboard", "report"), workbooks.aggregate_workbook),
    Template("teaching_deck", 1, "Teaching Slides", BOTH, ("pptx", "pdf"), ("lecture", "workshop", "board_review"), decks.teaching_deck),
    Template("newsletter", 1, "Newsletter", WITH_STAFF, ("pdf", "docx", "html", "eml"), ("columns", "bulletin", "two_column"), publications.newsletter),
    Template("order_set", 1, "Order Set", BOTH, _PAPER, ("checklist", "table", "strip"), forms.order_set, FORM),
    Template("announcement", 1, "Staff Announcement", ("phi", "negative", "pii_only", "mixed"), ("eml",), ("bulletin", "letter", "mixed_list"), messages.announcement),
    Template("account_statement", 1, "Account Statement", BOTH, ("pdf", "docx", "html", "xlsx", "rtf"), _LOOKS, claims.statement),
    Template("payroll", 1, "Payroll", WITH_STAFF, ("xlsx", "csv", "pdf"), ("register", "stub", "form"), staff.payroll, FORM),
    Template("vendor_invoice", 1, "Invoice", WITH_STAFF, ("pdf", "docx", "xlsx", "html"), ("classic", "grid", "strip"), staff.vendor_invoice),
    Template("hr_letter", 1, "Letter", WITH_STAFF, ("docx", "pdf", "rtf", "eml"), ("block", "memo", "form"), staff.hr_letter),
)  # fmt: skip

TEMPLATES: Mapping[str, Template] = {each.id: each for each in _ALL}
"""Id → template, in the order in which they are listed to people."""
