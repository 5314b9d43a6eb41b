"""Slides of meetings and courses of staff: quality meeting, orientation of new colleagues."""

from __future__ import annotations

from dataset_project.documents.model.blocks import Document, Paragraph, Table
from dataset_project.documents.templates.clinical import office, phrases
from dataset_project.documents.templates.draft import Draft
from dataset_project.documents.templates.layouts import box, bullets, cells, identity, picture, section
from dataset_project.documents.templates.zones import compose


def quality_deck(d: Draft) -> Document:
    """Figures, an event, and who does what. The event is told without the patient, or with."""
    d.set_clinical("inpatient")
    rng = d.rng("figures")
    measures = d.sample("measures", office()["aggregate_measures"], 6)
    quarters = ("Q1", "Q2", "Q3", "Q4")
    rows = []
    for name, kind, low, high in measures:
        places = 0 if kind in ("count", "years", "minutes") else 1
        rows.append(cells(name, kind, *(f"{low + (high - low) * rng.random():.{places}f}" for _ in quarters)))
    figures = Table(("Measure", "Unit", *quarters), tuple(rows), "Figures")
    event = (
        ("Event", d.pick("event", ("fall with injury", "wrong label", "delayed antibiotic", "pressure injury"))),
        ("Patient", "patient.name"),
        ("Record", "patient.mrn"),
        ("Date", "date.procedure"),
        ("Unit", "facility.ward"),
        ("Reported by", "employee.name"),
    )
    look = {"minutes": "fields", "board": "table", "short": "line"}[d.layout]
    owners = ("employee.name", "provider.name", "provider2.name")
    actions = []
    for number, each in enumerate(d.sample("actions", office()["actions"], 3)):
        owner = d.at(f"action {number}").field(owners[number])
        actions.append(((each,), owner, (f"{30 * (number + 1)} days",)))
    told = (
        "{patient.titled} was {age_short} and in hospital for {short}.",
        "The family, {relative.name}, was informed on {date.reported}.",
        "Two checks were skipped during the change of shift.",
        "The alarm was audible and off for four minutes.",
        "{provider.name} led the review with the unit.",
        "Staffing was as planned.",
    )
    sections = [
        section("Quality Meeting", bullets(d, office()["agenda"])),
        section("Figures", figures),
        section("Event", identity(d.at("event"), event, look, "Event")),
        section("Review", bullets(d.at("told"), d.sample("told", told, 4))),
        section("Actions", Table(("Action", "Owner", "Due in"), tuple(actions), "Actions")),
        section("Next Meeting", box(d, ("Bring the audit sheets.",)), Paragraph(("Same room, same hour.",))),
    ]
    if d.layout == "short":
        sections = [sections[number] for number in (0, 2, 3, 1, 4)]
    return compose(d, "Quality Meeting", sections, kind="office")


def orientation_deck(d: Draft) -> Document:
    """What new staff are told; a screenshot shows a sample chart, or a real one that nobody covered."""
    d.set_clinical("clinic")
    chapters = office()["orientation"]
    banner = (
        ("Banner", "patient.last_first"),
        ("Born", "patient.dob"),
        ("MRN", "patient.mrn"),
        ("Clinician", "provider.name"),
        ("Next visit", "date.next"),
    )
    look = {"welcome": "fields", "privacy_first": "table", "handout": "line"}[d.layout]
    hosts = (
        ("Host", "{employee.name}, {employee.title}"),
        ("Telephone", "employee.phone"),
        ("Mail", "employee.email"),
        ("Sponsor", "provider2.name"),
    )
    shots = (
        "Screenshot of the chart of {patient.name}, MRN {patient.mrn}",
        "Screenshot of the training chart, all fields numbered",
        "Photograph {patient.photo} beside the banner of {patient.last_first}",
    )
    shot = picture(d, d.at("shot").fill(d.pick("shot", shots)), ("Chart banner",))
    sections = [section(title, bullets(d, d.sample(f"lines {title}", lines, 3))) for title, lines in chapters.items()]
    sections.insert(1, section("Your Hosts", identity(d.at("hosts"), hosts, look, "Hosts")))
    sections.append(section("Reading the Chart", identity(d.at("banner"), banner, look, "Banner"), shot))
    sections.append(section("Check Yourself", bullets(d, d.sample("pearls", phrases("codes"), 2))))
    if d.layout == "privacy_first":
        sections = [sections[number] for number in (3, 0, 1, 5, 2, 4, 6)]
    return compose(d, "Staff Orientation", sections, kind="office")
