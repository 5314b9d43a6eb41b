"""Letters between clinicians and what is handed to patients: referral, prescription, immunization record."""

from __future__ import annotations

from dataset_project.documents.identities.dates import age_on
from dataset_project.documents.model.blocks import Document, Fields, Paragraph, Section, Table
from dataset_project.documents.templates.clinical import Vaccine, phrases, vaccines
from dataset_project.documents.templates.draft import Draft
from dataset_project.documents.templates.layouts import (
    box,
    bullets,
    cells,
    identity,
    orders_lines,
    orders_table,
    result_sentence,
    section,
    text,
)
from dataset_project.documents.templates.notes import history, who
from dataset_project.documents.templates.zones import compose, headers

_ASKS = (
    "I would be grateful for your opinion on further treatment.",
    "Could you see {him} within the next four weeks?",
    "Please advise whether the present drugs should be continued.",
    "{patient.titled} would like to discuss all options, including watching and waiting.",
    "Would you take over the care of this problem? I will go on with the rest.",
    "If an earlier appointment becomes free, {patient.phone} is the best number.",
)


def referral(d: Draft) -> Document:
    """A clinician asks another one to see a patient."""
    picture = d.set_clinical("clinic")
    subject = [*who(d), ("Telephone", "patient.phone"), ("Address", "patient.address")]
    if d.chance("plan", 0.5):
        subject.append(("Plan / member no.", "{patient.plan} / {patient.mbi}"))
    letterhead = [
        ("From", "{provider.name}, {facility.name}"),
        ("Telephone", "provider.phone"),
        ("Fax", "provider.fax"),
    ]
    receiver = [("To", "provider2.name"), ("Specialty", picture.condition.specialty), ("Date", "date.visit")]
    look = {"letterhead": "line", "form": "form", "memo": "fields"}[d.layout]
    d.at("who")
    top = [*identity(d, letterhead, "fields" if look == "form" else look), *identity(d, receiver, look)]
    greeting = d.at("story").fill(
        d.pick("greeting", ("Dear {provider2.name},", "Dear colleague,", "To: {provider2.name}"))
    )
    opening = d.pick(
        "opening line",
        (
            "Thank you for seeing {patient.name}, a {age} {man} with {short}.",
            "I am referring {patient.titled} to you for {short}.",
            "May I ask you to see this {age} {man}, {patient.name}, born {patient.dob}?",
        ),
    )
    sections = [
        section("Referral", top, Paragraph(greeting), text(d, [opening])),
        section("Patient", identity(d.at("subject"), subject, "table" if look == "form" else "fields", "Patient")),
        section("History", text(d.at("history"), history(d, picture)), text(d, [result_sentence(picture.results)])),
        section("Examination", text(d, picture.findings)),
        section(
            "Present Treatment", [orders_table(picture.orders)] if look == "form" else orders_lines(picture.orders)
        ),
        section(
            "Request",
            bullets(d.at("asks"), d.sample("asks", _ASKS, 3)),
            text(d.at("closing"), [*d.sample("closings", phrases("closings"), 2)]),
            Paragraph(d.fill("{provider.name}  NPI {provider.npi}")),
        ),
    ]
    mail = headers(
        d,
        "provider",
        ["provider2"],
        d.pick(
            "mail subject",
            (
                "Referral: {short}",
                "Referral {patient.name}",
                "New patient, {specialty}",
                "Referral of {patient.initials}, MRN {patient.mrn}",
            ),
        ),
    )
    return compose(d, "Referral Letter", sections, mail=mail)


def prescription(d: Draft) -> Document:
    """Drugs for a pharmacy to dispense."""
    picture = d.set_clinical("clinic")
    orders = picture.orders[: d.whole("count", 2, 4)] or picture.orders
    prescriber = [
        ("Prescriber", "provider.name"),
        ("NPI", "provider.npi"),
        ("DEA", "provider.dea"),
        ("License", "provider.licence"),
        ("Practice", "{facility.name}, {facility.address}"),
        ("Telephone / fax", "{provider.phone} / {provider.fax}"),
    ]
    patient = [
        ("Patient", "patient.full"),
        ("Date of birth", "patient.dob"),
        ("Address", "patient.address"),
        ("Telephone", "patient.phone"),
        ("Date written", "date.prescribed"),
        ("Rx no.", "patient.rx"),
    ]
    look = {"pad": "fields", "form": "form", "table": "table"}[d.layout]
    d.at("who")
    sections = [
        section("Prescription", identity(d, prescriber, "line" if look == "fields" else look, "Prescriber")),
        section("Patient", identity(d, patient, look, "Patient")),
    ]
    header = ("Drug", "Strength and form", "Quantity", "Refills", "Directions", "Schedule")
    rows = tuple(
        cells(
            each.medication.name,
            f"{each.dose} {each.medication.form}",
            str(each.quantity),
            str(each.refills),
            each.sig,
            each.medication.schedule or "-",
        )
        for each in orders
    )
    if d.layout == "pad":
        lines = []
        for each in orders:
            lines.append(Paragraph((f"Rx: {each.label}, {each.medication.form}",), "heading"))
            lines.append(Paragraph((f"Sig: {each.sig}. Disp: #{each.quantity}. Refills: {each.refills}.",)))
        sections.append(section("Items", lines))
    else:
        sections.append(section("Items", Table(header, rows, "Items")))
    notes = d.sample(
        "notes lines",
        (
            "Generic substitution permitted.",
            "Dispense as written.",
            "Diagnosis: {diagnosis} ({icd10}).",
            "Allergies: " + picture.allergy + ".",
            "{patient.titled} has been counselled about side effects.",
            "May be collected by {relative.name} ({relative.relation}), {relative.phone}.",
            "Call {provider.phone} before substituting within the class.",
            "Bill to {patient.plan}, member {patient.member_id}, group {patient.group}.",
            "Deliver to {patient.street}.",
            "Supersedes the prescription for {patient.family} sent earlier in the week.",
        ),
        5,
    )
    sections.append(section("Notes to Pharmacist", bullets(d.at("notes lines"), notes)))
    sections.append(section("Signature", Paragraph(d.at("closing").fill("{provider.name}   {date.prescribed}"))))
    return compose(d, "Prescription", sections, narrative=False)


def _could_have(vaccine: Vaccine, age: int, born: int, now: int) -> bool:
    """Whether somebody of this age (years) can have had it: it existed while they were of its ages, which are told."""
    first = max(vaccine.since, born + vaccine.ages[0])
    return vaccine.ages[0] <= max(age, 1) and first <= min(now, born + vaccine.ages[1])


_SITES = ("left deltoid", "right deltoid", "left thigh", "right thigh", "oral")


def immunization(d: Draft) -> Document:
    """Doses given to one person; the negative twin is an empty or sample record."""
    age, born, now = d.case.age_of(), d.case.patient.birth_date, d.case.encounter.visit.year
    given_on = d.case.encounter.immunization
    rng = d.rng("doses")
    known = list(vaccines().values())
    # The dose with a full date must suit the age and the year of that day.
    then = age_on(born, given_on)
    dated = [each for each in known if each.ages[0] <= then <= each.ages[1] and each.since <= given_on.year]
    latest = d.pick("latest", dated or known[:1])
    fits = [each for each in known if each is not latest and _could_have(each, age, born.year, now)]
    chosen = [latest, *d.sample("vaccines", fits, d.whole("count", 5, 9))]
    rows = [
        ("Name", "patient.last_first"),
        ("Date of birth", "patient.dob"),
        ("Record no.", "patient.mrn"),
        ("Guardian / contact", "{relative.name} ({relative.relation})"),
        ("Telephone", "relative.phone"),
        ("Clinic", "facility.name"),
    ]
    header = ("Date", "Vaccine", "CVX", "Dose", "Route and site", "Lot", "Given by")
    table = []
    for number, each in enumerate(chosen):
        d.at(f"dose {number}")
        lot = (
            "".join("ABCDEFGHJKLMNPRTUWXY"[int(part * 20)] for part in rng.random(2))
            + f"{int(rng.random() * 9000) + 1000}"
        )
        site = _SITES[4] if each.route == "PO" else _SITES[int(rng.random() * 4)]
        first = max(each.since, born.year + each.ages[0])
        year = first + int(rng.random() * (max(min(now, born.year + each.ages[1]), first) - first + 1))
        when = (str(year),) if number else d.field("date.immunized")
        given = ("reported by registry",) if number > 1 else d.field("provider.name")
        table.append((when, (each.name,), (each.cvx,), (each.dose,), (f"{each.route}, {site}",), (lot,), given))
    look = {"card": "fields", "registry": "wide", "school": "form"}[d.layout]
    d.at("who")
    due = [each for each in known if each.ages[0] <= age <= each.ages[1] and each.since <= now and each not in chosen][
        :3
    ]
    remarks = d.sample(
        "remarks",
        (
            "No reaction within fifteen minutes of observation.",
            "Next dose due {date.next}; reminder to {patient.email}.",
            "{patient.given} held {his} arm still and received a sticker.",
            "Copy given to {relative.name}.",
            "Vaccine information statements were provided before each dose.",
            "State registry match by name and {patient.dob}.",
            "History of varicella disease reported by family.",
        ),
        3,
    )
    sections: list[Section] = [
        section("Immunization Record", identity(d, rows, look, "Person")),
        section("Doses", Table(header, tuple(table), "Doses")),
        section(
            "Due",
            [Fields(((each.disease[:1].upper() + each.disease[1:], (f"{each.name}, {each.dose}",)),)) for each in due],
        )
        if due
        else section("Due", Paragraph(("Nothing is due at present.",))),
        section(
            "Remarks", bullets(d.at("remarks"), remarks), box(d, d.fill("Certified by {provider.name}, {date.visit}"))
        ),
    ]
    return compose(d, "Immunization Record", sections, narrative=False)
