"""Notes of a stay and of a visit: discharge summary, SOAP note, and the Safe-Harbor summary of a stay."""

from __future__ import annotations

import re

from dataset_project.documents.model.blocks import Block, Document, Fields, Paragraph, Section, Table
from dataset_project.documents.templates.clinical import phrases
from dataset_project.documents.templates.draft import Draft
from dataset_project.documents.templates.encounters import ADULT, OLD, Clinical
from dataset_project.documents.templates.layouts import (
    bullets,
    cells,
    identity,
    orders_lines,
    orders_table,
    result_sentence,
    results_table,
    section,
    text,
)
from dataset_project.documents.templates.zones import compose

_WHO = (
    (("Patient", "patient.name"), ("Date of birth", "patient.dob"), ("MRN", "patient.mrn")),
    (("Name", "patient.last_first"), ("DOB", "patient.dob"), ("Medical record number", "patient.mrn")),
    (
        ("Last name", "patient.family"),
        ("First name", "patient.given"),
        ("Birth date", "patient.dob"),
        ("Chart no.", "patient.mrn"),
    ),
    (("Patient", "patient.full"), ("MRN / Acct", "{patient.mrn} / {patient.account}"), ("Born", "patient.dob")),
)


def who(d: Draft, field: str = "who") -> tuple[tuple[str, str], ...]:
    """Labels and slots by which a patient is told; hard ones have the name in two fields more often."""
    options = _WHO + (_WHO[2],) * 2 if d.difficulty == "hard" else _WHO
    return d.pick(field, options)


# Words of a sentence on how the patient lives that would contradict a story with the same or a like word.
_EITHER = re.compile(r"smok|tobacco|pack-year|drink|wine|alcohol|works|\bjob\b|lives|lived|drives", re.IGNORECASE)
_HABITS = {
    "tobacco": "smok",
    "pack-year": "smok",
    "wine": "drink",
    "alcohol": "drink",
    "job": "works",
    "lived": "lives",
}


def _themes(text: str) -> set[str]:
    return {_HABITS.get(each.lower(), each.lower()) for each in _EITHER.findall(text)}


def social(d: Draft, picture: Clinical) -> str:
    """A sentence on how the patient lives that does not contradict the story."""
    age = d.case.age_of()
    name = "social_child" if age < ADULT else "social_old" if age >= OLD else "social"
    told = _themes(" ".join((picture.complaint, picture.condition.name, *picture.condition.history)))
    options = [each for each in phrases(name) if not told & _themes(each)]
    return d.pick("social", options or phrases("transitions")[-1:])


def transitions(d: Draft) -> tuple[str, ...]:
    """Sentences between course and plan."""
    return d.sample("transitions", phrases("transitions_child" if d.child else "transitions"), 2)


_VISIT = re.compile(
    r"follow-up|review|discussion|second cycle|treatment|an annual visit|a wish|a second opinion|missed work"
)


def is_visit(picture: Clinical) -> bool:
    """Whether what is complained of is the purpose of a visit rather than a symptom."""
    return bool(_VISIT.match(picture.complaint))


def history(d: Draft, picture: Clinical) -> list[str]:
    """The story of the illness, as sentences with slots."""
    name = "openings_visit" if is_visit(picture) else "openings"
    return [d.pick("opening", phrases(name)), *picture.history, social(d, picture)]


def discharge_summary(d: Draft) -> Document:
    """What happened during a stay, for whoever goes on with the treatment."""
    picture = d.set_clinical("inpatient")
    rows = [
        *who(d),
        ("Admitted", "date.admission"),
        ("Discharged", "date.discharge"),
        ("Attending", "provider.name"),
        ("Service", picture.condition.specialty),
        ("Primary care", "provider2.name"),
        ("Facility", "facility.name"),
    ]
    if d.chance("insurance", 0.3):
        rows.append(("Plan / member", "{patient.plan} / {patient.member_id}"))
    look = {"fields_first": "fields", "table_first": "table", "letter": "line", "compact": "wide"}[d.layout]
    head = section("Discharge Summary", identity(d.at("who"), rows, look, "Stay"))
    d.at("story")
    story = text(d, history(d, picture))
    course = text(d, [*picture.course, *transitions(d)])
    diagnoses: list[Block] = (
        [
            Table(
                ("Diagnosis", "ICD-10-CM", "Type"),
                tuple(
                    cells(each.name, each.icd10, "principal" if number == 0 else "secondary")
                    for number, each in enumerate(picture.diagnoses)
                ),
                "Diagnoses",
            )
        ]
        if d.layout in ("table_first", "compact")
        else [Paragraph((f"{each.name} ({each.icd10})",), "list") for each in picture.diagnoses]
    )
    drugs = [orders_table(picture.orders)] if d.layout != "letter" else orders_lines(picture.orders)
    labs = [text(d, [result_sentence(picture.results)])]
    if d.layout in ("fields_first", "compact"):
        labs.append(results_table(picture.results[:10], codes=d.layout == "compact"))
    d.at("plan")
    instructions = d.sample("instructions", phrases("instructions"), 4)
    after = [
        ("Disposition", d.pick("disposition", phrases("dispositions"))),
        ("Diet", d.pick("diet", phrases("diets"))),
        ("Activity", d.pick("activity", phrases("activities"))),
        ("Allergies", picture.allergy),
        ("Follow-up", "{follow_up}, on {date.next} with {provider2.name}"),
    ]
    sections = [
        head,
        section("Diagnoses", diagnoses),
        section("History of Present Illness", story),
        section("Hospital Course", course),
        section("Pertinent Results", labs),
        section("Discharge Medications", drugs),
        section("Plan and Follow-up", bullets(d, picture.plan), identity(d, after, "fields")),
        section("Instructions", bullets(d, instructions), text(d.at("closing"), _closing(d))),
    ]
    if d.layout == "letter":
        sections = [sections[number] for number in (0, 2, 3, 1, 4, 5, 6, 7)]
    return compose(d, "Discharge Summary", sections)


def _closing(d: Draft) -> list[str]:
    signed = d.pick(
        "signed",
        (
            "Electronically signed by {provider.name} on {date.discharge}.",
            "Dictated by {provider.name}; copy to {provider2.name}.",
            "{provider.name}, {facility.name}, {provider.phone}",
        ),
    )
    return [*d.sample("closings", phrases("closings"), 1), signed]


def soap_note(d: Draft) -> Document:
    """A visit to a clinic: subjective, objective, assessment, plan."""
    picture = d.set_clinical("clinic")
    rows = [*who(d), ("Date of visit", "date.visit"), ("Clinician", "provider.name")]
    if d.chance("contact", 0.35):
        rows.append(("Home phone", "patient.phone"))
    if d.chance("age", 0.5):
        rows.append(("Age / sex", f"{{age_number}} / {picture.sex}"))
    d.words["age_number"] = d.at("age").age_number
    look = {"classic": "fields", "tabular": "wide", "brief": "line", "problem_oriented": "fields"}[d.layout]
    top = identity(d.at("who"), rows, look, "Visit")
    d.at("subjective")
    subjective = [text(d, history(d, picture))]
    if d.layout != "brief":
        subjective.append(text(d, d.sample("systems", phrases("review_of_systems"), 4)))
    vitals = list(picture.vitals.items())
    measured: Block = (
        Table(tuple(label for label, _ in vitals), (cells(*(value for _, value in vitals)),), "Vital signs")
        if d.layout == "tabular"
        else Paragraph(("; ".join(f"{label} {value}" for label, value in vitals) + ".",))
    )
    exam = text(d.at("exam"), [*d.sample("exam", phrases("normal_exam"), 3), *picture.findings])
    assessment: list[Block] = []
    for number, each in enumerate(picture.diagnoses, 1):
        assessment.append(Paragraph((f"{number}. {each.name} ({each.icd10})",), "body"))
        if d.layout == "problem_oriented":
            assessment += bullets(d, d.sample(f"plan {number}", each.plan, 2))
    d.at("plan")
    plan = bullets(d, [*picture.plan, *(f"Refill {each.label}, {each.sig}" for each in picture.orders[:3])])
    end = d.at("closing").paragraph([*d.sample("closings", phrases("closings"), 1), "{provider.name}, {date.visit}"])
    sections = [
        section("Progress Note", top),
        section("Subjective", subjective),
        section("Objective", measured, exam, text(d, [result_sentence(picture.results)])),
        section("Assessment", assessment),
        section("Plan", plan, Paragraph(end)),
    ]
    if d.layout == "brief":
        sections = [section("Clinic Note", *(each.blocks for each in sections))]
    return compose(d, "Progress Note", sections)


def safe_harbor_summary(d: Draft) -> Document:
    """A summary of a stay as it may be published; the positive twin is one whose de-identification was missed."""
    picture = d.set_clinical("inpatient")
    year = str(d.case.encounter.visit.year)
    rows = [
        ("Subject", "patient.name"),
        ("Record", "patient.mrn"),
        ("Age", "{age_number}"),
        ("Sex", "female" if picture.sex == "F" else "male"),
        ("Place", "patient.city"),
        ("Stay", "{date.admission} to {date.discharge}"),
        ("Year", year),
        ("Method", "45 CFR 164.514(b)(2), Safe Harbor"),
    ]
    d.words["age_number"] = d.at("age").age_number
    look = {"case_report": "fields", "registry": "table", "narrative": "line"}[d.layout]
    d.at("story")
    story = text(d, history(d, picture))
    course = text(d, [*picture.course, *transitions(d)])
    removed = [
        "Names, contact data and numbers were removed or generalized as shown above.",
        "Dates were reduced to the year; ages over 89 form one group.",
        "Geography is limited to the state and the first three digits of the ZIP code where allowed.",
        "No actual knowledge remains that the rest could identify the subject.",
    ]
    sections: list[Section] = [
        section("De-identified Case Summary", identity(d.at("who"), rows, look, "Case")),
        section("Presentation", story),
        section("Course", course),
        section("Results", results_table(picture.results[:12], codes=d.layout == "registry")),
        section("Diagnoses", [Paragraph((f"{each.name} ({each.icd10})",), "list") for each in picture.diagnoses]),
        section("Treatment", [Fields((("Drugs", (", ".join(each.label for each in picture.orders),)),))]),
        section("Statement on De-identification", bullets(d, d.sample("removed", removed, 3))),
    ]
    return compose(d, "Case Summary", sections)
