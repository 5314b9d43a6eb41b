"""Forms: registration, the blank form, and a standing order set."""

from __future__ import annotations

from dataset_project.documents.model.blocks import Block, Document, Paragraph, Section, Table
from dataset_project.documents.templates.clinical import office
from dataset_project.documents.templates.draft import Draft
from dataset_project.documents.templates.layouts import (
    Rows,
    bullets,
    cells,
    form_field,
    identity,
    picture,
    section,
    text,
)
from dataset_project.documents.templates.zones import compose

_PERSON: Rows = (
    ("Last name", "patient.family"),
    ("First name", "patient.given"),
    ("Date of birth", "patient.dob"),
    ("Social Security number", "patient.ssn"),
    ("Medical record number", "patient.mrn"),
    ("Driver's license (patient or guarantor)", "patient.licence"),
)
_CONTACT: Rows = (
    ("Street", "patient.street"),
    ("City", "patient.city"),
    ("County", "patient.county"),
    ("ZIP code", "patient.zip"),
    ("Telephone", "patient.phone"),
    ("Fax", "patient.fax"),
    ("E-mail", "patient.email"),
    ("Web page", "patient.url"),
)
_PLAN: Rows = (
    ("Plan", "{patient.plan}"),
    ("Member ID", "patient.member_id"),
    ("Group", "patient.group"),
    ("Medicare number or member ID", "patient.mbi"),
    ("Employer (patient or guarantor)", "patient.employer"),
    ("Account", "patient.account"),
)
_EMERGENCY: Rows = (
    ("Name", "relative.name"),
    ("Relationship", "{relative.relation}"),
    ("Telephone", "relative.phone"),
    ("E-mail", "relative.email"),
)
_SECURITY: Rows = (
    ("Portal user name", "patient.user"),
    ("Signed in from", "patient.ip"),
    ("Fingerprint or palm template", "patient.biometric"),
    ("Photograph", "patient.photo"),
    ("Vehicle plate", "patient.plate"),
    ("Vehicle identification number", "patient.vin"),
    ("Implanted or worn device", "{patient.device_name}"),
    ("Device serial", "patient.device"),
    ("Unique device identifier", "patient.udi"),
    ("Study subject code", "patient.code"),
)


def _identifiers(d: Draft, look: str, sections: tuple[tuple[str, Rows], ...]) -> list[Section]:
    made = []
    for title, rows in sections:
        d.at(title)
        chosen = d.sample(f"rows {title}", rows, max(len(rows) - 1, 3)) if title != "Person" else rows
        made.append(section(title, identity(d, chosen, look, title)))
    return made


def registration(d: Draft) -> Document:
    """What is asked of a patient at the desk; the negative twin is the form before it is filled in."""
    look = {"paper": "fields", "fillable": "form", "grid": "table"}[d.layout]
    # Further identifiers are asked for by some sites only; each site asks for some.
    security = d.sample("security", _SECURITY, d.whole("security count", 3, 6))
    parts = (
        ("Person", _PERSON),
        ("Contact", _CONTACT),
        ("Coverage", _PLAN),
        ("Emergency Contact", _EMERGENCY),
        ("Identification and Devices", security),
    )
    d.at("top")
    top = text(d, d.sample("instructions", office()["form_instructions"], 2))
    sections = [
        section("Patient Registration", Paragraph(d.fill("{facility.name}   Date {date.visit}")), top),
        *_identifiers(d, look, parts),
    ]
    d.at("photo")
    if d.chance("photo", 0.5):
        sections[1] = Section(
            sections[1].title,
            (
                *sections[1].blocks,
                *picture(d, d.fill("Photograph of {patient.name}: {patient.photo}"), ("Photograph",)),
            ),
        )
    sections.append(_consent(d))
    return compose(d, "Patient Registration", sections, narrative=False)


def _consent(d: Draft) -> Section:
    d.at("consent")
    lines: list[Block] = bullets(d, d.sample("consents", office()["consents"], 3))
    lines.append(form_field(d, "Signature of patient or representative", "patient.name", 91))
    lines.append(form_field(d, "Date signed", "date.visit", 92))
    if d.chance("witness", 0.5):
        lines.append(form_field(d, "Witness", "provider.name", 93))
    return section("Consent", lines)


_FORMS = (
    (
        "Authorization to Release Records",
        ("patient.full", "patient.dob", "patient.mrn", "patient.address", "patient.phone"),
    ),
    (
        "Medication History Form",
        ("patient.last_first", "patient.dob", "patient.account", "provider.name", "patient.phone"),
    ),
    ("Consent for Photography", ("patient.name", "patient.dob", "patient.photo", "relative.name", "relative.phone")),
    ("Home Device Agreement", ("patient.name", "patient.mrn", "patient.device", "patient.udi", "patient.address")),
    ("Visitor Vehicle Permit", ("patient.name", "patient.plate", "patient.vin", "patient.licence", "patient.phone")),
    ("Portal Access Request", ("patient.name", "patient.email", "patient.user", "patient.ip", "patient.biometric")),
)
_LABELS = {
    "patient.full": "Full legal name",
    "patient.last_first": "Name (last, first)",
    "patient.name": "Name",
    "patient.dob": "Date of birth",
    "patient.mrn": "Record number",
    "patient.address": "Mailing address",
    "patient.phone": "Telephone",
    "patient.account": "Account",
    "provider.name": "Prescriber",
    "patient.photo": "File of the photograph",
    "relative.name": "Witness or relative",
    "relative.phone": "Telephone of witness",
    "patient.device": "Serial number",
    "patient.udi": "Device identifier",
    "patient.plate": "Plate",
    "patient.vin": "Vehicle number",
    "patient.licence": "Driver's license",
    "patient.email": "E-mail",
    "patient.user": "Requested user name",
    "patient.ip": "Registered from",
    "patient.biometric": "Biometric enrolment",
}


def blank_form(d: Draft) -> Document:
    """A form as it lies on the counter; the positive twin is one that somebody filled in."""
    title, slots = d.pick("form", _FORMS)
    look = {"lines": "fields", "fillable": "form", "boxes": "table"}[d.layout]
    rows = tuple((_LABELS[slot], slot) for slot in slots)
    more = tuple(
        (label, choice)
        for label, choice in (
            ("Preferred language", "English [ ]  Spanish [ ]  other [ ]"),
            ("Purpose", "continuing care [ ]  legal [ ]  personal [ ]  insurance [ ]"),
            ("Format wanted", "paper [ ]  portal [ ]  disc [ ]"),
            ("Valid for", "one year [ ]  this request only [ ]"),
        )
    )
    sections = [
        section(title, text(d.at("top"), d.sample("instructions", office()["form_instructions"], 3))),
        section("Part A", identity(d.at("person"), rows, look, "Part A")),
        section(
            "Part B",
            identity(d.at("choices"), d.sample("more", more, 3), "fields" if look == "form" else look, "Part B"),
        ),
        section(
            "Office Use",
            identity(
                d.at("office"),
                (("Received", "date.visit"), ("By", "provider.name"), ("Unit", "facility.name")),
                "fields",
            ),
        ),
        _consent(d),
    ]
    return compose(d, title, sections, narrative=False)


_ORDER_GROUPS = (
    (
        "Vital signs",
        (
            "Vital signs every 4 hours for 24 hours, then every shift",
            "Weigh on admission and daily at 06:00",
            "Continuous pulse oximetry",
            "Orthostatic pressures each morning",
        ),
    ),
    (
        "Activity",
        ("Out of bed with assistance", "Ambulate three times daily", "Fall precautions", "Bed rest until reviewed"),
    ),
    (
        "Nursing",
        (
            "Intake and output each shift",
            "Foley catheter to gravity, remove by day 2",
            "Incentive spirometer 10 times an hour while awake",
            "Braden score each shift",
        ),
    ),
    (
        "Call",
        (
            "Call for temperature over 38.5 C",
            "Call for heart rate under 50 or over 120",
            "Call for systolic pressure under 90",
            "Call for urine below 30 mL/h",
        ),
    ),
    (
        "Laboratory",
        (
            "Basic metabolic panel in the morning",
            "Complete blood count in the morning",
            "Lactate now and in 6 hours",
            "Magnesium, replace below 1.8",
        ),
    ),
)


def order_set(d: Draft) -> Document:
    """A standing set of orders with placeholders; the positive twin was activated for somebody."""
    picture_ = d.set_clinical("inpatient")
    condition = picture_.condition
    label = (
        ("Patient", "patient.last_first"),
        ("Date of birth", "patient.dob"),
        ("MRN", "patient.mrn"),
        ("Account", "patient.account"),
        ("Attending", "provider.name"),
        ("Activated", "date.admission"),
    )
    look = {"checklist": "fields", "table": "table", "strip": "line"}[d.layout]
    sections = [section(f"Order Set: {condition.short.capitalize()}", identity(d.at("label"), label, look, "Label"))]
    for title, lines in d.sample("groups", _ORDER_GROUPS, 4):
        chosen = d.sample(f"group {title}", lines, 3)
        if d.layout == "table":
            rows = tuple(cells("[ ]" if number else "[x]", each) for number, each in enumerate(chosen))
            sections.append(section(title, Table(("Select", "Order"), rows, title)))
        else:
            sections.append(
                section(
                    title,
                    [
                        Paragraph((f"[{'x' if not number else ' '}] {each}",), "list")
                        for number, each in enumerate(chosen)
                    ],
                )
            )
    drugs = [Paragraph((f"[ ] {each.label}, {each.sig}",), "list") for each in picture_.orders[:6]]
    sections.append(section("Medications", drugs))
    notes = d.at("notes").fills(
        d.sample(
            "notes lines",
            (
                "Weight-based doses use the weight entered in the flowsheet: ____ kg.",
                "Allergies: verify before signing. " + picture_.allergy + " is an example.",
                "Verbal order read back to {provider.name} at {provider.phone}.",
                "Order number {patient.order}; notify {provider2.name} when complete.",
                "Family contact for consent: {relative.name}, {relative.phone}.",
                "Order set reviewed every two years by the committee.",
                "Clinician signature: {provider.name}   NPI {provider.npi}",
            ),
            4,
        )
    )
    sections.append(section("Notes", [Paragraph(each, "list") for each in notes]))
    sections.append(section("Diagnosis", Paragraph((f"{condition.name} ({condition.icd10})",))))
    return compose(d, "Order Set", sections)
