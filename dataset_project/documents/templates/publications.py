"""Papers of the organization: policy, device manual, newsletter. Their positive twins have a real case left in."""

from __future__ import annotations

from dataset_project.documents.model.blocks import Block, Document, Paragraph, Table
from dataset_project.documents.templates.clinical import office
from dataset_project.documents.templates.draft import Draft
from dataset_project.documents.templates.layouts import box, bullets, cells, identity, picture, section, text
from dataset_project.documents.templates.zones import compose, headers


def policy(d: Draft) -> Document:
    """A numbered policy with an example from practice."""
    chosen = d.pick("policy", office()["policies"])
    d.set_clinical("clinic")
    rng = d.rng("revision")
    head = (
        ("Number", chosen["number"]),
        ("Owner", chosen["owner"]),
        ("Approved by", "provider.name"),
        ("Applies to", "facility.name"),
        ("Revision", f"{'ABCDE'[int(rng.random() * 5)]}, {d.case.encounter.visit.year - 1 - int(rng.random() * 3)}"),
    )
    look = {"numbered": "fields", "table": "table", "memo": "line"}[d.layout]
    cases = d.at("cases").fills(d.sample("cases", office()["policy_cases"], 3))
    sections = [section(chosen["title"], identity(d.at("head"), head, look, "Policy"))]
    for number, (title, lines) in enumerate(chosen["sections"].items(), 1):
        if d.layout == "numbered":
            blocks: list[Block] = [Paragraph((f"{number}.{at} {line}",)) for at, line in enumerate(lines, 1)]
        elif d.layout == "table" and title == "Procedure":
            blocks = [Table(("Step", "Action"), tuple(cells(str(at), line) for at, line in enumerate(lines, 1)), title)]
        else:
            blocks = bullets(d, lines) if title != "Purpose" else [text(d, lines)]
        sections.append(section(title, blocks))
    example = [Paragraph(each) for each in cases]
    at = d.whole("example place", 2, len(sections))
    sections.insert(at, section("Example", example))
    review = d.sample(
        "review",
        (
            "Reviewed every two years or after a relevant event.",
            "Exceptions are granted by the owner in writing.",
            "Staff who do not follow this policy may be subject to corrective action.",
            "Related: HIM-0217, NUR-0109, form HIM-204.",
            "References: 45 CFR 164.514; Joint Commission NPSG.01.01.01.",
        ),
        3,
    )
    sections.append(section("Review and References", bullets(d, review)))
    return compose(d, chosen["title"], sections, kind="office")


def device_manual(d: Draft) -> Document:
    """How to use a device. A service record at the end is empty or somebody's."""
    chosen = d.pick("manual", office()["manuals"])
    d.set_clinical("clinic")
    specs = Table(("Property", "Value"), tuple(cells(*row) for row in chosen["specs"]), "Specifications")
    codes = Table(("Code", "Meaning", "Action"), tuple(cells(*row) for row in chosen["table"]), "Alarm codes")
    steps: list[Block] = [Paragraph((f"{number}. {line}",), "list") for number, line in enumerate(chosen["steps"], 1)]
    record = (
        ("Serial number", "patient.device"),
        ("Device identifier", "patient.udi"),
        ("User", "patient.name"),
        ("Delivered", "date.visit"),
        ("Technician", "provider.name"),
    )
    look = {"chapters": "fields", "quick_guide": "line", "service": "table"}[d.layout]
    cases = d.at("cases").fills(d.sample("cases", office()["manual_cases"], 2))
    sections = [
        section(
            chosen["device"],
            text(d, chosen["intro"]),
            picture(d, (f"Front view of the {chosen['device']}",), ("Front view",)),
        ),
        section("Warnings", [box(d, (chosen["warnings"][0],)), *bullets(d, chosen["warnings"][1:])]),
        section("Operation", steps),
        section("Alarms", codes),
        section("Technical Data", specs),
        section(
            "Service Record",
            identity(d.at("record"), record, look, "Service record"),
            [Paragraph(each) for each in cases],
        ),
    ]
    if d.layout == "quick_guide":
        sections = [sections[0], sections[2], sections[5], sections[1], sections[3]]
    return compose(d, f"{chosen['device']} Manual", sections, kind="office")


def newsletter(d: Draft) -> Document:
    """News of the house; a positive one tells of a patient by name, a PII-only one of staff."""
    d.set_clinical("inpatient")
    items = list(d.sample("items", office()["newsletter"], 4))
    named = "newsletter_staff" if d.document_class == "pii_only" else "newsletter_cases"
    story = d.sample("story", office()[named], 3)
    titles = ("People", "Thank You", "Around the House", "In Their Words")
    place = d.whole("place", 0, len(items))
    rng = d.rng("issue")
    season = ("spring", "summer", "autumn", "winter")[int(rng.random() * 4)]
    issue = f"Issue {1 + int(rng.random() * 40)}, {season} {d.case.encounter.visit.year}"
    sections = []
    for each in items:
        body = [text(d, each["text"])] if d.layout != "bulletin" else bullets(d, each["text"])
        sections.append(section(each["title"], body))
    d.at("story")
    people = [text(d, story)] if d.layout != "bulletin" else bullets(d, story)
    if d.chance("portrait", 0.5):
        person = "employee" if d.document_class == "pii_only" else "patient"
        people += picture(d, d.fill(f"Portrait of {{{person}.name}}"), d.fill(f"{{{person}.given}} with the team"))
    sections.insert(place, section(d.pick("people", titles), people))
    top = section("The House Letter", Paragraph((issue,)), Paragraph(d.fill("News from {facility.name}"), "small"))
    if d.layout == "two_column":
        index = Table(
            ("Page", "Story"), tuple(cells(str(n), each.title) for n, each in enumerate(sections, 1)), "In this issue"
        )
        top = section("The House Letter", *top.blocks, index)
    imprint = d.at("imprint").fill(
        d.pick(
            "imprint",
            (
                "Editor: {provider.name}, {provider.email}",
                "Write to {facility.email}",
                "Printed on recycled paper; {facility.address}",
            ),
        )
    )
    mail = None
    if "mail_header" in d.surfaces:
        mail = headers(
            d, "provider", ["provider2"], d.pick("subject", ("The House Letter", "News from the house", issue))
        )
    return compose(
        d, "Newsletter", [top, *sections, section("Imprint", Paragraph(imprint, "small"))], kind="office", mail=mail
    )
