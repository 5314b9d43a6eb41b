"""Messages: appointment thread, mail between clinicians, announcement."""

from __future__ import annotations

from dataset_project.documents.model.blocks import Block, Document, Paragraph
from dataset_project.documents.templates.clinical import office, phrases
from dataset_project.documents.templates.draft import Draft
from dataset_project.documents.templates.layouts import bullets, identity, orders_lines, result_sentence, section, text
from dataset_project.documents.templates.notes import history
from dataset_project.documents.templates.parts import attached
from dataset_project.documents.templates.zones import compose, headers

_ASK = (
    "Could I move my visit of {date.visit} to another day? My {relative.relation} {relative.name} has to drive me.",
    "Is the visit with {provider.name} on {date.next} still on? I have not had a reminder.",
    "I would like to see {provider.name} about {complaint}. Mornings suit me best.",
    "My new telephone is {patient.phone}; please update the chart, record {patient.mrn}.",
    "I missed the call yesterday. You can reach me at {patient.phone} or {patient.email}.",
)
_ANSWER = (
    "We have moved {patient.titled} to {date.next} with {provider.name}.",
    "Please arrive fifteen minutes early and bring the card of {patient.plan}, member {patient.member_id}.",
    "To confirm, sign in at {facility.url} or call {facility.phone}.",
    "Your record number is {patient.mrn}; quote it when you call.",
    "Parking is free for two hours; give the plate {patient.plate} at the desk.",
    "Please do not send clinical questions by e-mail.",
    "The clinic is on the second floor, suite 214.",
)
_LAST = (
    "Thank you, {date.next} is fine.",
    "That works. {relative.name} will come along.",
    "Could you send the paperwork to {patient.address}?",
    "Great, thanks. Please remove the old number.",
    "I will be there. Do I need to fast?",
)
_RULE = "-----Original message-----"


def _quoted(d: Draft, sender: str, lines: list[str], layout: str) -> list[Block]:
    """An earlier message of the thread within the text."""
    d.at(f"quoted {sender}")
    first = (
        d.fill(f"On {{date.prior}}, {{{sender}.name}} wrote:")
        if layout == "quoted"
        else d.fill(f"From: {{{sender}.name}}")
    )
    mark = "> " if layout == "quoted" else ""
    blocks: list[Block] = [] if layout == "quoted" else [Paragraph((_RULE,))]
    blocks.append(Paragraph(first))
    return blocks + [Paragraph(d.fill(mark + line)) for line in lines]


def appointment_thread(d: Draft) -> Document:
    """A patient and a clinic agree on a visit."""
    d.set_clinical("clinic")
    answer = list(d.sample("answer", _ANSWER, 5))
    earlier = [answer.pop(d.whole("earlier", 0, 4))]
    ask = list(d.sample("ask", _ASK, 2))
    last = list(d.sample("last", _LAST, 1))
    d.at("body")
    hello = d.fill(d.pick("hello", ("Dear {patient.titled},", "Hello {patient.given},", "Good morning,")))
    signed = d.fill(
        d.pick("signed", ("Scheduling, {facility.name}", "{provider2.name}, {facility.phone}", "The front desk"))
    )
    body: list[Block] = [Paragraph(hello), *[Paragraph(each) for each in d.fills(answer)], Paragraph(signed)]
    if d.layout == "compact":
        body = [Paragraph(hello), text(d, answer), Paragraph(signed)]
    sections = [
        section("", body),
        section(
            "",
            _quoted(d, "patient", last, d.layout),
            _quoted(d, "provider", earlier, d.layout),
            _quoted(d, "patient", ask, d.layout),
        ),
    ]
    subject = d.pick(
        "subject",
        (
            "Re: Your visit",
            "Re: Appointment {date.next}",
            "Re: {patient.name} - reschedule",
            "Re: Re: visit with {provider.name}",
        ),
    )
    mail = headers(d, "provider2", ["patient"], subject, cc=["relative"] if d.chance("cc", 0.3) else [])
    # A thread has often enough no attachment; those that have one carry a form of the same class or, if mixed, another.
    parts = attached(d, ("registration_form", "account_statement", "blank_form"), most=2)
    return compose(d, "Appointment Messages", sections, mail=mail, attachments=parts)


_QUESTIONS = (
    "Would you continue {medication} at this dose?",
    "Can you see {him} before {date.next}?",
    "Did you receive the images? They are at {patient.url}.",
    "Please call me on {provider.phone} between cases.",
    "Is the device, serial {patient.device}, safe in the scanner?",
    "{relative.name} asks whether travel is possible; number {relative.phone}.",
    "I could not open the chart under MRN {patient.mrn}; is there another?",
)


def provider_email(d: Draft) -> Document:
    """A clinician asks another one about a shared patient."""
    picture = d.set_clinical("clinic")
    d.at("body")
    greeting = d.fill(
        d.pick(
            "greeting",
            (
                "Hi {provider2.name},",
                "Dear {provider2.name},",
                "Quick question about {patient.initials}:",
                "Good afternoon,",
            ),
        )
    )
    told = history(d, picture)
    if d.layout == "bullets":
        story: list[Block] = bullets(d, told)
    elif d.layout == "card":
        who = (("Patient", "patient.name"), ("DOB", "patient.dob"), ("MRN", "patient.mrn"), ("Phone", "patient.phone"))
        story = [*identity(d, who, "fields"), text(d, told[1:])]
    else:
        story = [text(d, told)]
    questions = bullets(d.at("questions"), d.sample("questions", _QUESTIONS, 3))
    end = d.at("end").fill(
        d.pick(
            "end",
            (
                "Thanks, {provider.name}",
                "Best, {provider.name}, {facility.name}",
                "{provider.name}, pager 4400",
                "Sent from a phone; excuse brevity. {provider.name}",
            ),
        )
    )
    sections = [
        section("", Paragraph(greeting), story),
        section("", text(d, [result_sentence(picture.results)]), orders_lines(picture.orders[:4])),
        section("", questions, Paragraph(end)),
    ]
    subject = d.pick(
        "subject",
        (
            "Shared patient",
            "Question: {short}",
            "{patient.name}, {short}",
            "FW: MRN {patient.mrn}",
            "{patient.initials} - advice please",
        ),
    )
    mail = headers(d, "provider", ["provider2"], subject, cc=["provider"] if d.chance("cc", 0.2) else [])
    parts = attached(d, ("lab_report", "radiology_report", "policy", "soap_note"), most=2)
    return compose(d, "Message to a Colleague", sections, mail=mail, attachments=parts)


def announcement(d: Draft) -> Document:
    """News for all staff. A positive one names a patient who should not be in it, a PII-only one an employee."""
    chosen = d.pick("topic", office()["announcements"])
    d.set_clinical("clinic")
    lines = list(chosen["text"])
    named = "announcement_staff" if d.document_class == "pii_only" else "announcement_cases"
    d.at("body")
    cases = d.sample("cases", office()[named], 2)
    greeting = d.pick("greeting", ("Dear colleagues,", "To all staff,", "Team,", "Good morning everyone,"))
    end = d.fill(
        d.pick(
            "end", ("Thank you, Communications", "Questions: {facility.email}", "Your service desk", "{facility.name}")
        )
    )
    facts = d.sample("facts", phrases("codes"), 2)
    if d.layout == "bulletin":
        body = [*bullets(d, lines), text(d, cases)]
    elif d.layout == "letter":
        body = [text(d, lines), text(d, cases)]
    else:
        body = [text(d, lines[:2]), *bullets(d, lines[2:]), *bullets(d, cases)]
    sections = [
        section(chosen["subject"], Paragraph((greeting,)), body),
        section(
            "Details",
            bullets(d, facts),
            text(
                d,
                d.sample(
                    "more",
                    (
                        "This message was sent to the list all-staff.",
                        "Please print and post it on your unit.",
                        "Do not reply to this message.",
                        "Translations follow next week.",
                    ),
                    2,
                ),
            ),
            Paragraph(end),
        ),
    ]
    owner = "employee" if d.document_class == "pii_only" else "provider"
    mail = headers(d, owner, [owner], chosen["subject"])
    parts = attached(d, ("policy", "newsletter", "blank_form"), most=1)
    return compose(d, "Staff Announcement", sections, kind="office", mail=mail, attachments=parts)
