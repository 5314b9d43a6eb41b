"""Payment: prior authorization, claim, explanation of benefits, and the account statement.

Amounts are drawn once and add up. Procedure codes are mock ones (`procedures.yaml`).
"""

from __future__ import annotations

from dataclasses import dataclass

from dataset_project.documents.model.blocks import Document, Paragraph, Table
from dataset_project.documents.templates.clinical import Procedure, procedures
from dataset_project.documents.templates.draft import Draft
from dataset_project.documents.templates.encounters import Clinical
from dataset_project.documents.templates.layouts import bullets, cells, identity, result_sentence, section, text
from dataset_project.documents.templates.notes import history, who
from dataset_project.documents.templates.zones import compose


@dataclass(frozen=True)
class Line:
    """A billed service. Amounts in cents: charged, allowed by the plan, paid by it; the patient owes the rest."""

    procedure: Procedure
    units: int
    charged: int
    allowed: int
    paid: int

    @property
    def owed(self) -> int:
        """What the patient owes, cents."""
        return self.allowed - self.paid


def dollars(cents: int) -> str:
    """Cents as an amount: ``1,204.50``."""
    return f"{cents / 100:,.2f}"


def billed(d: Draft, picture: Clinical, extra: int = 3) -> list[Line]:
    """Services of the encounter and a few more, with amounts."""
    rng = d.rng("amounts")
    known = list(dict.fromkeys(list(picture.procedures) + list(d.sample("services", _minor(), extra))))
    lines = []
    for each in known:
        low, high = each.charge
        units = 1 + int(rng.random() < 0.3 and high < 400)
        charged = int((low + (high - low) * rng.random()) * 100) * units
        allowed = int(charged * (0.38 + 0.35 * rng.random()))
        lines.append(Line(each, units, charged, allowed, int(allowed * (0.7 + 0.2 * rng.random()))))
    return lines


# Services that anybody may have along with others; the rest belong to a condition.
_MINOR = ("office_visit", "ecg", "urinalysis", "blood_culture", "chest_xray", "physical_therapy", "nebulizer", "duplex")


def _minor() -> tuple[Procedure, ...]:
    return tuple(procedures()[key] for key in _MINOR)


def lines_table(d: Draft, lines: list[Line], adjudicated: bool) -> Table:
    """Services as rows with a total; ``adjudicated``: with what the plan allowed and paid."""
    header = ["Service date", "Code", "Description", "Units", "Charge"]
    if adjudicated:
        header += ["Allowed", "Paid", "You owe"]
    rows = []
    for number, each in enumerate(lines):
        day = d.at(f"line {number}").field("date.procedure" if number % 2 == 0 else "date.visit")
        amounts = [dollars(each.charged)]
        if adjudicated:
            amounts += [dollars(each.allowed), dollars(each.paid), dollars(each.owed)]
        rows.append((day, *cells(each.procedure.code, each.procedure.name, str(each.units), *amounts)))
    totals = [sum(each.charged for each in lines)]
    if adjudicated:
        totals += [sum(getattr(each, name) for each in lines) for name in ("allowed", "paid", "owed")]
    rows.append((*cells("", "", "Total", ""), *cells(*(dollars(each) for each in totals))))
    return Table(tuple(header), tuple(rows), "Services")


def _coverage(d: Draft, more: tuple[tuple[str, str], ...] = ()) -> tuple[tuple[str, str], ...]:
    return (
        ("Subscriber", "patient.full"),
        ("Date of birth", "patient.dob"),
        ("Plan", "{patient.plan}"),
        ("Member ID", "patient.mbi"),
        ("Group", "patient.group"),
        *more,
    )


# Layout → look of its labelled contents.
LOOKS = {"fields": "fields", "grid": "table", "strip": "line", "fillable": "form"}


def prior_authorization(d: Draft) -> Document:
    """A practice asks a plan to approve a service."""
    picture = d.set_clinical("clinic")
    lines = billed(d, picture, 1)
    wanted = lines[0].procedure
    drug = picture.orders[0] if picture.orders else None
    look = LOOKS[d.layout]
    d.at("who")
    request = [
        ("Reference", "patient.authorization"),
        ("Service requested", f"{wanted.name} ({wanted.code})"),
        ("Drug, if any", drug.label if drug else "none"),
        ("Diagnosis", f"{picture.condition.name} ({picture.condition.icd10})"),
        ("Place of service", wanted.place),
        ("Planned date", "date.next"),
        ("Urgency", d.pick("urgency", ("standard, 14 days", "expedited, 72 hours", "concurrent"))),
    ]
    requester = [
        ("Requesting clinician", "provider.name"),
        ("NPI", "provider.npi"),
        ("Contact", "{provider.phone}, fax {provider.fax}"),
        ("Facility", "facility.name"),
    ]
    asked = d.sample(
        "asked",
        (
            "Has conservative treatment been tried for six weeks? Yes, without lasting benefit.",
            "Is the request for continuation? Yes, since {date.prior}.",
            "Attach the last note and relevant results. Sent by fax {patient.fax} or portal.",
            "Could the service be done at a lower level of care? No, see narrative.",
            "Has {patient.titled} been informed of the request? Yes, by telephone {patient.phone}.",
            "Is another carrier primary? No; employer {patient.employer}.",
        ),
        3,
    )
    sections = [
        section("Prior Authorization Request", identity(d, request, look, "Request")),
        section("Member", identity(d.at("member"), _coverage(d, (("Address", "patient.address"),)), look, "Member")),
        section("Requester", identity(d.at("requester"), requester, look if look != "form" else "fields", "Requester")),
        section(
            "Narrative",
            text(d.at("story"), history(d, picture)),
            text(d, picture.findings),
            text(d, [result_sentence(picture.results)]),
        ),
        section("Questions", bullets(d.at("asked"), asked)),
        section(
            "Attestation",
            Paragraph(
                d.at("closing").fill("I certify that the information is accurate. {provider.name}, {date.visit}")
            ),
        ),
    ]
    return compose(d, "Prior Authorization", sections)


def claim(d: Draft) -> Document:
    """A facility bills a plan."""
    picture = d.set_clinical(d.pick("setting", ("inpatient", "clinic")))
    lines = billed(d, picture, 4)
    look = LOOKS[d.layout]
    head = (
        ("Claim number", "patient.claim"),
        ("Account", "patient.account"),
        ("Billing provider", "{facility.name}, NPI {facility.npi}"),
        ("Rendering provider", "{provider.name}, NPI {provider.npi}"),
        ("Statement covers", "{date.admission} - {date.discharge}"),
        ("Type of bill", d.pick("bill type", ("0111", "0131", "0121", "0851"))),
    )
    person = (*who(d), *_coverage(d)[2:], ("Address", "patient.address"), ("Relationship to subscriber", "self"))
    codes = Table(
        ("Qualifier", "ICD-10-CM", "Description"),
        tuple(cells("ABK" if n == 0 else "ABF", each.icd10, each.name) for n, each in enumerate(picture.diagnoses)),
        "Diagnoses",
    )
    notes = d.sample(
        "notes lines",
        (
            "Prior authorization {patient.authorization} on file.",
            "Accident: no. Other coverage: none reported.",
            "Patient signature on file since {date.prior}.",
            "Corrected claim replaces control number {patient.claim}.",
            "Revenue codes follow the charge master.",
            "Attachment: itemized statement, two pages.",
            "Signed for {facility.name} by the billing office.",
        ),
        3,
    )
    sections = [
        section("Institutional Claim", identity(d.at("head"), head, look, "Claim")),
        section("Patient and Insured", identity(d.at("person"), person, look, "Patient")),
        section("Diagnosis Codes", codes),
        section("Service Lines", lines_table(d, lines, adjudicated=False)),
        section("Remarks", bullets(d.at("notes lines"), notes)),
    ]
    return compose(d, "Claim", sections, narrative=False)


_REMARKS = (
    "CO-45: the charge exceeds the contracted amount.",
    "PR-1: deductible amount. PR-2: coinsurance amount.",
    "N130: consult the plan benefit documents.",
    "This is not a bill. Compare it with what your clinician sends.",
    "You have 180 days to appeal in writing.",
    "Fraud hotline hours are 08:00 to 18:00.",
)


def explanation_of_benefits(d: Draft) -> Document:
    """A plan tells a member what it paid."""
    picture = d.set_clinical(d.pick("setting", ("inpatient", "clinic")))
    lines = billed(d, picture, 3)
    look = LOOKS[d.layout]
    rows = (
        *_coverage(d),
        ("Claim", "patient.claim"),
        ("Provider", "{provider.name}, {facility.name}"),
        ("Processed", "date.visit"),
    )
    owed = sum(each.owed for each in lines)
    words = d.sample(
        "words",
        (
            "{patient.titled}, your plan discount saved "
            + dollars(sum(each.charged - each.allowed for each in lines))
            + " dollars.",
            "Mail for this claim goes to {patient.address}.",
            "We telephoned {patient.phone} on {date.visit} about other coverage.",
            "Sign in at {patient.url} to see the claim.",
            "Payment of " + dollars(sum(each.paid for each in lines)) + " dollars was sent to {facility.name}.",
            "Dependents on the policy: {relative.name}, {relative.relation}.",
        ),
        3,
    )
    sections = [
        section(
            "Explanation of Benefits", identity(d.at("who"), rows, look, "Member"), Paragraph(("THIS IS NOT A BILL",))
        ),
        section("Claim Details", lines_table(d, lines, adjudicated=True)),
        section("Summary", Paragraph((f"Amount you may owe: {dollars(owed)}",)), text(d.at("words"), words)),
        section("Remark Codes", bullets(d, d.sample("remarks", _REMARKS, 4))),
    ]
    return compose(d, "Explanation of Benefits", sections, narrative=False)


def statement(d: Draft) -> Document:
    """An account statement: in the negative a layout proof without an account, in the positive somebody's."""
    picture = d.set_clinical("clinic")
    lines = billed(d, picture, 3)
    look = LOOKS[d.layout]
    rows = (
        ("Account", "patient.account"),
        ("Guarantor", "patient.full"),
        ("Address", "patient.address"),
        ("Statement date", "date.visit"),
        ("Due date", "date.next"),
        ("Questions", "{facility.phone}, {facility.email}"),
    )
    notes = d.sample(
        "notes lines",
        (
            "Detach here and return the lower part with your payment.",
            "Financial assistance is available; ask for the application.",
            "Insurance on file: {patient.plan}, member {patient.member_id}.",
            "Payments received after {date.reported} are not shown.",
            "Autopay from bank card ending as on file is off.",
            "Call if your address {patient.street} has changed.",
        ),
        4,
    )
    sections = [
        section(
            "Account Statement",
            Paragraph(d.at("top").fill("{facility.name}")),
            identity(d.at("who"), rows, look, "Account"),
        ),
        section("Activity", lines_table(d, lines, adjudicated=True)),
        section("Messages", bullets(d.at("notes lines"), notes)),
        section(
            "Payment Coupon",
            identity(
                d.at("coupon"),
                (
                    ("Account", "patient.account"),
                    ("Name", "patient.last_first"),
                    ("Amount due", dollars(sum(each.owed for each in lines))),
                ),
                "line",
            ),
        ),
    ]
    return compose(d, "Account Statement", sections, narrative=False)
