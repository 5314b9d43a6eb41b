"""Workbooks and lists: billing workbook, ward census, aggregate workbook. Rows may be about several patients."""

from __future__ import annotations

from dataset_project.documents.model.blocks import Block, Document, Paragraph, Table
from dataset_project.documents.model.values import Run, Runs
from dataset_project.documents.templates.claims import billed, dollars, lines_table
from dataset_project.documents.templates.clinical import conditions, office
from dataset_project.documents.templates.draft import Draft
from dataset_project.documents.templates.encounters import choice
from dataset_project.documents.templates.layouts import bullets, cells, identity, section, text
from dataset_project.documents.templates.wording import joined
from dataset_project.documents.templates.zones import compose

COMPANIONS = 7
"""Other patients that fit into a census or billing workbook."""


def _people(d: Draft) -> list[Draft]:
    """Drafts about the patient and the others, the patient at a drawn place among them."""
    others = [d.companion(number) for number in range(len(d.others))]
    at = d.whole("place", 0, len(others))
    return [*others[:at], d, *others[at:]]


def billing_workbook(d: Draft) -> Document:
    """A month of accounts: who, what was charged, what was paid."""
    rows: list[tuple[Runs, ...]] = []
    ledger: list[tuple[Runs, ...]] = []
    detail: Table | None = None
    for number, each in enumerate(_people(d)):
        picture = each.set_clinical(each.pick("setting", ("inpatient", "clinic")))
        lines = billed(each, picture, 1)
        if each is d:
            detail = lines_table(each, lines, adjudicated=True)
        charged, paid = (sum(getattr(line, name) for line in lines) for name in ("charged", "paid"))
        each.at("row")
        names = (
            (each.field("patient.family"), each.field("patient.given"))
            if d.layout == "split_names"
            else (each.field("patient.last_first"),)
        )
        rows.append(
            (
                each.field("patient.account"),
                *names,
                each.field("patient.dob"),
                each.field("patient.mbi"),
                each.field("date.admission"),
                (picture.condition.icd10,),
                (dollars(charged),),
                (dollars(paid),),
            )
        )
        status = each.pick("status", ("posted", "denied CO-97", "pending", "appealed", "posted"))
        each.at("ledger")
        ledger.append(
            (
                each.field("patient.claim"),
                each.field("date.visit"),
                (dollars(paid),),
                (status,),
                (each.case.patient.plan,),
            )
        )
        del number
    names = ("Last name", "First name") if d.layout == "split_names" else ("Patient",)
    accounts = Table(
        ("Account", *names, "Birth date", "Member ID", "Service date", "ICD-10-CM", "Charges", "Paid"),
        tuple(rows),
        "Accounts",
    )
    payments = Table(("Claim", "Posted", "Amount", "Status", "Payer"), tuple(ledger), "Payments")
    d.at("notes lines")
    notes = d.sample(
        "notes lines",
        (
            "Account {patient.account} sent to early-out on {date.visit}.",
            "{patient.titled} disputes the second line; call {patient.phone}.",
            "Refund check to {patient.address}.",
            "Ledger closed for the period; adjustments go to the next one.",
            "Guarantor {relative.name} ({relative.relation}), {relative.phone}.",
            "Bad debt is reviewed at 120 days.",
            "Remittance files arrive Tuesdays and Fridays.",
        ),
        4,
    )
    assert detail is not None
    sections = [
        section("Accounts", text(d, ["Billing workbook of {facility.name}"]), accounts),
        section("Payments", payments),
        section("Detail", detail),
        section("Notes", bullets(d, notes)),
    ]
    if d.layout == "summary_first":
        sections = [sections[3], sections[0], sections[1], sections[2]]
    return compose(d, "Billing Workbook", sections, narrative=False)


_BED_NOTES = (
    "telemetry",
    "contact isolation",
    "fall risk",
    "nothing by mouth",
    "discharge planned",
    "pending transfer",
    "-",
    "1:1 observation",
)


def ward_census(d: Draft) -> Document:
    """Who lies in which bed; the negative twin is the board with codes and blanks."""
    rows: list[tuple[Runs, ...]] = []
    beds = d.rng("beds")
    floor = 2 + int(beds.random() * 6)
    for number, each in enumerate(_people(d)):
        picture = each.set_clinical("inpatient")
        each.at("row")
        bed = (f"{floor}{number + 1:02}-{'AB'[number % 2]}",)
        age = (*each.age_number, f" {picture.sex}")
        common = (bed, each.field("patient.last_first"), each.field("patient.mrn"), age, (picture.condition.short,))
        if d.layout == "wide":
            common += (each.field("date.admission"), each.field("provider.name"), each.field("patient.dob"))
        elif d.layout == "nursing":
            common += (each.field("date.admission"), (picture.allergy,), (choice(beds, _BED_NOTES),))
        else:
            common += (each.field("provider.name"), (choice(beds, _BED_NOTES),))
        rows.append(common)
        if beds.random() < 0.25:
            empty = (f"{floor}{number + 41:02}-A",)
            rows.append((empty, ("open",), *((),) * (len(common) - 2)))
    last = {"wide": ("Admitted", "Attending", "Birth date"), "nursing": ("Admitted", "Allergy", "Notes")}
    header = ("Bed", "Patient", "MRN", "Age / sex", "Problem", *last.get(d.layout, ("Attending", "Notes")))
    d.at("handoff")
    handoff = d.sample(
        "handoff",
        (
            "{patient.titled} goes to imaging at 10:30; family: {relative.name}, {relative.phone}.",
            "Watch bed alarm of {patient.family}.",
            "Two nurses short for the night; float pool called.",
            "{patient.initials} may transfer to {provider2.name}.",
            "Crash cart checked, seal 4471.",
            "Isolation supplies restocked.",
            "Interpreter booked for {patient.name} on {date.reported}.",
            "Personal effects of {patient.titled}: phone, glasses, car key, plate {patient.plate}.",
        ),
        4,
    )
    counts = Table(
        ("Measure", "Value"),
        tuple(
            cells(name, str(value))
            for name, value in (
                ("Staffed beds", len(rows) + 3),
                ("Occupied", 1 + len(d.others)),
                ("Admissions since midnight", d.whole("new", 0, 5)),
                ("Discharges planned", d.whole("out", 0, 6)),
            )
        ),
        "Counts",
    )
    d.at("top")
    top = d.fill(
        d.pick(
            "top",
            (
                "Unit {facility.ward}, {facility.name}",
                "Census of {date.reported}, charge nurse desk",
                "{facility.name}: unit {facility.ward}, 07:00",
            ),
        )
    )
    sections = [
        section("Ward Census", Paragraph(top), Table(header, tuple(rows), "Census")),
        section("Handoff", bullets(d.at("handoff"), handoff)),
        section("Counts", counts),
    ]
    return compose(d, "Ward Census", sections, narrative=False)


def aggregate_workbook(d: Draft) -> Document:
    """Rates and counts by unit. The positive twin has the sheet of cases behind the figures left in."""
    rng = d.rng("figures")
    d.set_clinical("inpatient")
    units = d.sample("units", office()["units"], 7)
    measures = d.sample("measures", office()["aggregate_measures"], 5)
    rows = []
    for unit in units:
        figures = []
        for _, kind, low, high in measures:
            value = low + (high - low) * rng.random()
            small = kind == "count" and value < low * 1.02
            figures.append(
                "< 11" if small else f"{value:.0f}" if kind in ("count", "minutes", "years") else f"{value:.1f}"
            )
        rows.append(cells(unit, *figures))
    header = ("Unit", *(f"{name} ({kind})" for name, kind, _, _ in measures))
    top: list[Run] = [f"Fiscal year {d.case.encounter.visit.year}; cells under 11 are suppressed."]
    blocks: list[Block] = [Paragraph(joined(top)), Table(header, tuple(rows), "Measures")]
    known = list(conditions().values())
    groups = d.sample("groups", known, 8)
    by_group = Table(
        ("ICD-10-CM", "Condition", "Cases", "Mean stay, days"),
        tuple(
            cells(each.icd10, each.short, str(20 + int(rng.random() * 400)), f"{2 + rng.random() * 6:.1f}")
            for each in groups
        ),
        "By condition",
    )
    d.at("cases")
    sample_rows = (
        ("Outlier reviewed", "patient.name"),
        ("Record", "patient.mrn"),
        ("Stay", "{date.admission} to {date.discharge}"),
        ("ZIP", "patient.zip"),
        ("Reviewer", "provider.name"),
    )
    look = {"sheets": "wide", "dashboard": "fields", "report": "table"}[d.layout]
    method = d.sample(
        "method",
        (
            "Counts come from the discharge abstract; transfers are counted once.",
            "Rates per 1000 patient days; the denominator excludes newborns.",
            "Confidence limits use the Wilson method.",
            "Ages of 90 and over form one group.",
            "Geography is shown for the state only.",
            "The previous year's figures were restated.",
        ),
        3,
    )
    sections = [
        section("Measures by Unit", blocks),
        section("By Condition", by_group),
        section("Case Review", identity(d, sample_rows, look, "Case review")),
        section("Method", bullets(d, method)),
    ]
    return compose(d, "Quality Figures", sections, kind="office")
