"""Slide decks: case conference, teaching."""

from __future__ import annotations

from dataset_project.documents.model.blocks import Block, Document, Paragraph
from dataset_project.documents.model.values import Runs
from dataset_project.documents.templates.clinical import medications, phrases, procedures
from dataset_project.documents.templates.draft import Draft
from dataset_project.documents.templates.layouts import (
    box,
    bullets,
    identity,
    orders_lines,
    picture,
    results_table,
    section,
)
from dataset_project.documents.templates.notes import history, who
from dataset_project.documents.templates.zones import compose


def _notes(d: Draft, name: str, options: tuple[str, ...]) -> Runs:
    """Speaker notes, which `compose` drops where a format has none."""
    d.at(f"notes {name}")
    return d.paragraph(d.sample(f"notes {name}", options, 2)) if d.chance(f"has notes {name}", 0.6) else ()


def case_conference(d: Draft) -> Document:
    """A team discusses one case."""
    shown = d.set_clinical("inpatient", images=True)
    title = d.at("title").fill(
        d.pick(
            "title",
            (
                "Case Conference: {short}",
                "{specialty} Board, case of {patient.initials}",
                "Morbidity and Mortality Review",
                "Case of {patient.titled}",
            ),
        )
    )
    rows = [*who(d), ("Presenter", "provider.name"), ("Discussant", "provider2.name"), ("Date", "date.visit")]
    look = {"board": "table", "story": "fields", "short": "line"}[d.layout]
    image = shown.imaging
    labels = (
        "Image of {patient.name}, accession {patient.accession}",
        "Key image, annotated",
        "Key image, label {patient.mrn} at top left",
    )
    shot = picture(d, d.at("picture").fill(d.pick("shot", labels)), (image.exam,))
    asked = (
        "Should the plan change in view of the results?",
        "Who follows {him} after discharge on {date.discharge}?",
        "What would {patient.titled} want? {relative.name} speaks for {him}.",
        "Is the trial, subject code {patient.code}, still open to {him}?",
        "Could the diagnosis have been made earlier?",
        "What can we teach from this case without {patient.initials} being recognized?",
    )
    d.at("story")
    told = history(d, shown)
    sections = [
        section("Case Conference", Paragraph(title, "title"), identity(d.at("who"), rows, look, "Case")),
        section("Presentation", bullets(d, told), notes=_notes(d, "story", phrases("social") + phrases("transitions"))),
        section("Examination", bullets(d, shown.findings)),
        section(
            "Laboratory",
            results_table([each for each in shown.results if each.flag][:8] or shown.results[:6], codes=False),
        ),
        section("Imaging", bullets(d, image.impression), shot),
        section("Course", bullets(d, shown.course), orders_lines(shown.orders[:4])),
        section(
            "Questions",
            bullets(d.at("asked"), d.sample("asked", asked, 3)),
            box(d, d.fill("Decision recorded by {provider2.name}")),
        ),
    ]
    if d.layout == "short":
        sections = [sections[0], sections[1], sections[3], sections[4], sections[6]]
    return compose(d, "Case Conference", sections)


def teaching_deck(d: Draft) -> Document:
    """A lesson on one condition; the positive twin shows a case whose banner was not cropped."""
    shown = d.set_clinical("clinic", images=True)
    condition = shown.condition
    aims = (
        f"Recognize the presentation of {condition.short}",
        "Choose first-line tests and read them",
        "Start treatment and plan follow-up",
        "Explain the condition in plain words",
        "Know when to ask for help",
    )
    ages = (
        f"Usual ages {condition.ages[0]} to {condition.ages[1]}"
        if condition.ages[0]
        else f"Up to {condition.ages[1]} years"
    )
    pearls = d.sample("pearls", phrases("eponyms") + phrases("codes"), 3)
    case_slots = (("Case", "patient.name"), ("Born", "patient.dob"), ("Record", "patient.mrn"), ("Seen", "date.visit"))
    look = {"lecture": "fields", "workshop": "table", "board_review": "line"}[d.layout]
    d.at("case")
    case: list[Block] = identity(d, case_slots, look, "Case")
    case += bullets(d, history(d, shown)[:3])
    shot = picture(
        d,
        d.at("shot").fill(
            d.pick(
                "shot",
                (
                    "Photograph of {patient.name}, {patient.photo}",
                    "Screenshot with banner {patient.last_first}, {patient.mrn}",
                    "Example tracing, labels removed: {patient.mrn}",
                ),
            )
        ),
        ("Example",),
    )
    quiz = [
        Paragraph((each,), "list")
        for each in (
            f"Which drug is first choice? A {medications()[condition.medications[0]].name}  B another",
            f"Which test would you order next? A {procedures()[condition.procedures[0]].name}  B none",
            "What would make you admit?",
        )
    ]
    sections = [
        section(
            "Objectives",
            Paragraph((f"Teaching session: {condition.short}",), "title"),
            bullets(d, d.sample("aims", aims, 4)),
        ),
        section(
            "Background",
            bullets(
                d, (f"{condition.name}, ICD-10-CM {condition.icd10}", ages, f"Often seen with {shown.comorbid_text}")
            ),
        ),
        section("A Case", case, shot, notes=_notes(d, "case", phrases("office_notes"))),
        section("Findings", bullets(d, condition.findings)),
        section(
            "Tests",
            results_table(
                [each for each in shown.results if each.analyte.key in condition.labs][:6] or shown.results[:5],
                codes=True,
            ),
        ),
        section("Treatment", orders_lines(shown.orders[:5]), bullets(d, condition.plan[:2])),
        section("Pearls", bullets(d, pearls)),
        section("Quiz", quiz, box(d, ("Answers on the last page",))),
    ]
    if d.layout == "board_review":
        sections = [sections[number] for number in (0, 7, 2, 3, 4, 5, 6)]
    return compose(d, "Teaching Slides", sections, kind="office")
