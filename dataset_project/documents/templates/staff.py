"""Personal data without health: payroll, vendor invoice, letter of human resources, with PHI twins and empty ones."""

from __future__ import annotations

from dataset_project.documents.model.blocks import Document, Paragraph, Table
from dataset_project.documents.templates.claims import dollars
from dataset_project.documents.templates.clinical import office
from dataset_project.documents.templates.draft import Draft
from dataset_project.documents.templates.layouts import Rows, bullets, cells, identity, section, text
from dataset_project.documents.templates.zones import compose, headers

_EMPLOYEE: Rows = (
    ("Name", "employee.last_first"),
    ("Number", "employee.id"),
    ("Social Security number", "employee.ssn"),
    ("Date of birth", "employee.dob"),
    ("Hired", "employee.hired"),
    ("Address", "employee.address"),
    ("Deposit account", "employee.account"),
    ("E-mail", "employee.email"),
)
_PATIENT: Rows = (
    ("Name", "patient.last_first"),
    ("Number", "patient.mrn"),
    ("Social Security number", "patient.ssn"),
    ("Date of birth", "patient.dob"),
    ("Seen", "date.visit"),
    ("Address", "patient.address"),
    ("Member account", "patient.account"),
    ("E-mail", "patient.email"),
)
"""What the PHI twin of a letter has in the places of `_EMPLOYEE`."""
_WORKING = range(18, 68)
"""Ages, in years, of patients whom a letter addresses as employees; others are members of the plan."""


def payroll(d: Draft) -> Document:
    """A pay register. The PHI twin tells at whose bedside the hours were worked, the negative one has nobody."""
    d.set_clinical("clinic")
    rng = d.rng("amounts")
    rows = d.sample("rows", _EMPLOYEE, 6)
    look = {"register": "wide", "stub": "fields", "form": "table"}[d.layout]
    lines, total = [], 0
    for code, name, rate in d.sample("codes", office()["pay_codes"], 6):
        hours = 2 + int(rng.random() * 70) / 2
        amount = int(hours * rate * 100)
        total += amount
        lines.append(cells(code, name, f"{hours:.1f}", f"{rate:.2f}", dollars(amount)))
    taxes = [
        (name, -int(total * share))
        for name, share in (("Federal", 0.132), ("Social insurance", 0.062), ("Medicare", 0.0145), ("State", 0.041))
    ]
    lines += [cells("TAX", name, "", "", f"({dollars(-amount)})") for name, amount in taxes]
    lines.append(cells("NET", "Net pay", "", "", dollars(total + sum(amount for _, amount in taxes))))
    told = (
        office()["payroll_cases"]
        if d.document_class == "phi"
        else (
            "Direct deposit changes need five days; the account on file is {employee.account}.",
            "Overtime approved by the manager of {employee.name}, {employee.phone}.",
            "Questions about the deposit of {employee.titled} go to {employee.email}.",
        )
    )
    notes = d.sample(
        "notes lines",
        (
            *told,
            "Year-to-date figures are on the portal.",
            "Hours are rounded to the half hour.",
            "Retain for your tax records.",
        ),
        4,
    )
    pay = Table(("Code", "Description", "Hours", "Rate", "Amount"), tuple(lines), "Pay")
    sections = [
        section(
            "Pay Register",
            Paragraph(d.at("top").fill("{facility.name}, pay group 2")),
            identity(d.at("who"), rows, look, "Payee"),
        ),
        section("Earnings and Deductions", pay),
        section("Notes", bullets(d.at("notes lines"), notes)),
    ]
    return compose(d, "Payroll", sections, kind="staff")


def vendor_invoice(d: Draft) -> Document:
    """A supplier bills. PII-only: with the buyer's contact; PHI: with the patient who got the implant."""
    d.set_clinical("inpatient")
    rng = d.rng("amounts")
    number = f"INV-{int(rng.random() * 90000) + 10000}"
    phi = d.document_class == "phi"
    contact: Rows = (
        (
            ("Invoice", number),
            ("Ordered by", "provider.name"),
            ("Patient", "patient.name"),
            ("Record", "patient.mrn"),
            ("Procedure date", "date.procedure"),
            ("Device serial", "patient.device"),
            ("Ship to", "facility.address"),
        )
        if phi
        else (
            ("Invoice", number),
            ("Ordered by", "employee.name"),
            ("Buyer e-mail", "employee.email"),
            ("Buyer number", "employee.id"),
            ("Telephone", "employee.phone"),
            ("Sole trader tax no.", "employee.ssn"),
            ("Ship to", "employee.address"),
        )
    )
    lines, total = [], 0
    for item, name, price in d.sample("items", office()["invoice_items"], 6):
        units = 1 + int(rng.random() * 8)
        amount = int(price * 100) * units
        total += amount
        lines.append(cells(item, name, str(units), dollars(int(price * 100)), dollars(amount)))
    tax = int(total * 0.0625)
    lines += [cells("", "Sales tax 6.25 %", "", "", dollars(tax)), cells("", "Total", "", "", dollars(total + tax))]
    look = {"classic": "fields", "grid": "table", "strip": "line"}[d.layout]
    d.at("notes lines")
    notes = d.sample(
        "notes lines",
        (
            "Implant record: {patient.udi}, {patient.full}." if phi else "Approved by {employee.name}.",
            "Consigned for {patient.titled}, {date.procedure}." if phi else "Remit to account {employee.account}.",
            "Terms: net 30 days, 1.5 % a month thereafter.",
            "Returns need an authorization within ten days.",
            "Lots 0417-2208 and 0417-2211.",
            "Catalogue prices of the current contract.",
        ),
        4,
    )
    sections = [
        section("Invoice", Paragraph(("Brightline Surgical Supply",)), identity(d.at("who"), contact, look, "Invoice")),
        section("Items", Table(("Item", "Description", "Quantity", "Price", "Amount"), tuple(lines), "Items")),
        section("Terms", bullets(d.at("notes lines"), notes)),
    ]
    return compose(d, "Invoice", sections, kind="staff")


def hr_letter(d: Draft) -> Document:
    """A letter to an employee. The PHI twin is the clearance by occupational health of somebody treated there."""
    working = d.document_class == "pii_only" or d.case.age_of() in _WORKING
    chosen = d.pick("letter", office()["hr_letters"]) if working else office()["hr_dependents"]
    d.set_clinical("clinic")
    phi = d.document_class == "phi"
    rows = d.sample("rows", (_PATIENT if phi else _EMPLOYEE)[1:], 5)
    owner = "patient" if phi else "employee"
    d.at("body")
    address = d.fill(f"{{{owner}.name}}, {{{owner}.address}}")
    greeting = d.fill(f"Dear {{{owner}.titled}}:")
    lines = list(chosen["text"])
    more = (
        office()["hr_cases" if working else "hr_dependent_cases"]
        if phi
        else d.sample(
            "more",
            (
                "Our records for {employee.name} begin on {employee.hired}; number {employee.id}.",
                "Your salary goes to account {employee.account}; tell us if it has changed.",
                "Sign in as {employee.user} to see the details.",
                "We have {employee.phone} and {employee.email} as your contacts.",
            ),
            2,
        )
    )
    look = {"block": "line", "memo": "fields", "form": "table"}[d.layout]
    end = d.fill(
        d.pick(
            "end",
            (
                "Sincerely, Human Resources",
                "Human Resources, {facility.name}",
                "For {facility.name}: the benefits team, {facility.phone}",
            ),
        )
    )
    sections = [
        section(chosen["subject"], Paragraph(address), Paragraph(greeting), text(d.at("lines"), lines), text(d, more)),
        section("Details", identity(d.at("who"), rows, look, "Details")),
        section(
            "Next Steps",
            bullets(
                d,
                d.sample(
                    "steps",
                    (
                        "Sign and return the attached copy.",
                        "Meet your supervisor within two weeks.",
                        "Update your emergency contact on the portal.",
                        "Keep this letter with your records.",
                    ),
                    3,
                ),
            ),
            Paragraph(end),
        ),
    ]
    mail = headers(d, "provider", [owner], chosen["subject"])
    return compose(d, "Letter", sections, kind="staff", mail=mail)
