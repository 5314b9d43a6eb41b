"""What stands around the body: header, footer, comments, footnotes, boxes, pictures, hidden lines, properties.

Which zones a document has, and with which phrase, comes from streams that do not know the class, so twins have the same
zones; only the slots in the phrases differ. Phrases are in `phrases.yaml`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Literal

from dataset_project.documents.identities.lookalikes import lookalike
from dataset_project.documents.model.blocks import (
    Block,
    Comment,
    Document,
    Fields,
    MailHeaders,
    Metadata,
    Paragraph,
    Section,
    Table,
)
from dataset_project.documents.model.values import Runs, plain
from dataset_project.documents.templates.clinical import frames, phrases
from dataset_project.documents.templates.draft import Draft
from dataset_project.documents.templates.encounters import choice, sample
from dataset_project.documents.templates.layouts import box, picture
from dataset_project.documents.templates.slots import safe_in_names
from dataset_project.documents.templates.wording import joined

# Share of documents with look-alike lines, and with incidental identifiers, by difficulty.
_LOOKALIKES = {"easy": 0.25, "medium": 0.6, "hard": 0.95}
_INCIDENTAL = {"easy": 0.35, "medium": 0.6, "hard": 0.8}

Kind = Literal["chart", "office", "staff"]
_TITLES: Mapping[Kind, tuple[str, ...]] = {
    "chart": ("{doctype}", "{doctype}", "{doctype} {patient.last_first}", "{doctype}, {date.visit}"),
    "office": ("{doctype}", "{doctype}", "{doctype} - {facility.name}", "{doctype} ({patient.family})"),
    "staff": ("{doctype}", "{doctype}", "{doctype} - {employee.last_first}", "{doctype}, {facility.name}"),
}

MAILBOXES = (
    ("Health Information Management", "records@example.org"),
    ("Clinical Communications", "info@example.org"),
    ("Quality Office", "compliance@example.net"),
    ("Service Desk", "helpdesk@example.com"),
    ("Shared Mailbox Nursing", "contact@example.org"),
    ("No Reply", "no-reply@example.net"),
)
"""Mailboxes of offices: nobody's, so they stand in positives and negatives alike (RFC 2606 domains)."""
# Slots of what a child does not have.
_OF_ADULTS = re.compile(r"licence|plate|vin|user|url|email|Portal|portal")
_STEM_ENDS = ("v2", "final", "copy", "rev C", "0417", "draft", "signed", "2")


def _of(kind: Kind, name: str) -> tuple:
    """The phrases of a zone for a kind of document."""
    return phrases(name if kind == "chart" else f"{kind}_{name}")


def compose(
    d: Draft,
    doctype: str,
    sections: Sequence[Section],
    *,
    stem: str = "",
    kind: Kind = "chart",
    narrative: bool = True,
    mail: MailHeaders | None = None,
    attachments: tuple[tuple[str, Document], ...] = (),
) -> Document:
    """The document: its sections with what a format's zones add.

    ``kind``: whose phrases suit it; further identifiers of the patient are told in passing in a chart only.
    ``narrative``: whether clinical asides fit, else codes. ``stem``: name of the file with slots, else made of
    ``doctype``. A format of one table gets the largest as such and the others as lines.
    """
    d.words["doctype"] = (doctype,)
    for word, general in (("specialty", "General"), ("short", "a common illness"), ("allergy", "none known")):
        d.words.setdefault(word, (general,))
    kept = tuple(_with_notes(d, _enriched(d, list(sections), kind, narrative), kind))
    if d.single_table:
        kept = _one_table(kept)
    line = identity_line(d)
    kept = (*kept[:-1], replace(kept[-1], blocks=(*kept[-1].blocks, Paragraph(line, "small"))))
    d.at("zones")
    rng = d.rng("zones")
    header = d.fill(choice(rng, _of(kind, "headers"))) if rng.random() < 0.75 else ()
    footer = d.fill(choice(rng, _of(kind, "footers"))) if rng.random() < 0.7 else ()
    comments = sample(rng, _of(kind, "comments"), int(rng.random() * 3))
    authors = sample(rng, _of(kind, "comment_authors"), 3)
    footnotes = sample(rng, _of(kind, "footnotes"), int(rng.random() * 2.6))
    hidden = sample(rng, _of(kind, "hidden"), int(rng.random() * 2.6))
    return Document(
        sections=kept,
        header=header if d.has("header") else (),
        footer=footer if d.has("footer") else (),
        comments=tuple(Comment(d.fill(authors[number % 3]), d.fill(each)) for number, each in enumerate(comments))
        if d.has("comment")
        else (),
        footnotes=d.fills(footnotes) if d.has("footnote") else (),
        hidden=d.fills(hidden) if d.has("hidden") else (),
        metadata=_metadata(d, doctype, kind) if d.has("metadata") else Metadata(),
        file_name=file_name(d, doctype, stem),
        mail=mail if "mail_header" in d.surfaces else None,
        attachments=attachments,
    )


def identity_line(d: Draft) -> Runs:
    """Who prepared the paper, as values that are never left blank: with it every document but a negative has staff."""
    return d.at("contact").fill(d.pick("contact", phrases("contact_lines")), whole=True)


def _metadata(d: Draft, doctype: str, kind: Kind) -> Metadata:
    d.at("properties")
    rng = d.rng("metadata")
    title = choice(rng, _TITLES[kind])
    subject, keywords, author = (choice(rng, _of(kind, each)) for each in ("subjects", "keywords", "authors"))
    custom = sample(rng, _of(kind, "custom"), int(rng.random() * 3))
    return Metadata(
        title=d.fill(title),
        author=d.fill(author),
        subject=d.fill(subject) if rng.random() < 0.7 else (),
        keywords=d.fill(keywords) if rng.random() < 0.6 else (),
        custom=tuple((name, d.fill(value)) for name, value in custom),
    )


def lookalike_lines(d: Draft, count: int, narrative: bool) -> list[str]:
    """Lines that resemble identifiers and are none: such as a note may have, or a form."""
    rng = d.rng("lookalikes")
    options = phrases("eponyms") + phrases("numbers") if narrative else phrases("codes")
    lines = list(sample(rng, options, count))
    if rng.random() < 0.5:
        kind = choice(rng, tuple(frames()))
        lines[-1] = frames()[kind].format(lookalike(rng, kind).text)
    return lines


def _enriched(d: Draft, sections: list[Section], kind: Kind, narrative: bool) -> list[Section]:
    """The sections with a box, a picture, look-alikes and incidental sentences here and there."""
    rng = d.rng("enrich")
    parts = rng.random(8)
    added: list[tuple[float, list[Block]]] = []
    if parts[0] < _LOOKALIKES[d.difficulty]:
        added.append(
            (
                parts[1],
                [
                    Paragraph((each,))
                    for each in lookalike_lines(d, 1 + int(parts[2] * 2), kind == "chart" and narrative)
                ],
            )
        )
    if kind == "chart" and parts[3] < _INCIDENTAL[d.difficulty]:
        d.at("incidental")
        options = [each for each in phrases("incidental") if not (d.child and _OF_ADULTS.search(each))]
        chosen = sample(rng, options, 1 + int(parts[4] * 2))
        added.append((parts[5], [Paragraph(d.paragraph(chosen))]))
    if rng.random() < 0.3:
        d.at("box")
        added.append((rng.random(), [box(d, d.fill(choice(rng, _of(kind, "boxes"))))]))
    if rng.random() < 0.25:
        d.at("picture")
        alt = d.fill(choice(rng, _of(kind, "alts")))
        added.append((rng.random(), picture(d, alt, (f"Figure {1 + int(parts[6] * 3)}",))))
    for place, blocks in added:
        at = int(place * len(sections))
        sections[at] = replace(sections[at], blocks=sections[at].blocks + tuple(blocks))
    return sections


def _with_notes(d: Draft, sections: list[Section], kind: Kind) -> list[Section]:
    """Speaker notes on some slides, where the format has them; those a template wrote stay."""
    if not d.has("notes"):
        return [replace(each, notes=()) if each.notes else each for each in sections]
    rng = d.rng("notes")
    d.at("notes")
    made = []
    for each in sections:
        draw, phrase = rng.random(), choice(rng, _of(kind, "notes"))
        made.append(replace(each, notes=d.fill(phrase)) if draw < 0.4 and not each.notes else each)
    return made


def _one_table(sections: tuple[Section, ...]) -> tuple[Section, ...]:
    """The sections with their largest table alone; a small one becomes lines of its cells."""
    tables = [block for each in sections for block in each.blocks if isinstance(block, Table)]
    largest = max(tables, key=lambda table: len(table.rows) * len(table.header), default=None)
    made = []
    for each in sections:
        blocks: list[Block] = []
        for block in each.blocks:
            if isinstance(block, Table) and block is not largest:
                blocks += [Paragraph(_row_line(block.header, row)) for row in block.rows]
            else:
                blocks.append(block)
        made.append(replace(each, blocks=tuple(blocks)))
    if largest is None:
        # A list of fields is a table of two columns, too.
        first = next(block for each in made for block in each.blocks if isinstance(block, Fields))
        table = Table(("Item", "Entry"), tuple(((label,), runs) for label, runs in first.pairs))
        made = [
            replace(each, blocks=tuple(table if block is first else block for block in each.blocks)) for each in made
        ]
    return tuple(made)


def _row_line(header: tuple[str, ...], row: tuple[Runs, ...]) -> Runs:
    runs: list = []
    for label, cell in zip(header, row, strict=True):
        if cell:
            runs += [f"{'; ' if runs else ''}{label}: ", *cell]
    return joined(runs) or ("-",)


def file_name(d: Draft, doctype: str, stem: str = "") -> Runs:
    """A name as people give files: with a name or number of the patient in a share of the positives."""
    d.at("properties")
    rng = d.rng("file name")
    words = "_".join(doctype.lower().replace("-", " ").split())
    end = choice(rng, _STEM_ENDS)
    wanted = rng.random() < 0.5
    options = (
        (stem,)
        if stem
        else (words + "_{patient.family}", "{patient.given}_{patient.family}_" + words, words + "_{patient.mrn}")
    )
    chosen = choice(rng, options)
    made = d.fill(chosen, whole=True)
    if wanted and safe_in_names(made) and plain(made)[0] not in ". ":
        return made
    return (f"{words}_{end.replace(' ', '_')}",)


def mailbox(d: Draft, owner: str, field: str, share: float = 0.75) -> Runs:
    """``Name <address>`` of somebody (patient, relative, provider, provider2, employee), else an office's mailbox."""
    rng = d.rng(f"mailbox/{field}")
    # Nobody writes to the last one.
    part, (name, address) = rng.random(), choice(rng, MAILBOXES if field == "from" else MAILBOXES[:-1])
    if part < share and d.holds(f"{owner}.name"):
        d.at(f"mailbox/{field}")
        return joined((*d.field(f"{owner}.name"), " <", *d.field(f"{owner}.email"), ">"))
    return (f"{name} <{address}>",)


def mail_date(d: Draft, days_before: int = 0) -> str:
    """When a message was sent, ISO 8601: a day before the reference date, nobody's event."""
    part = d.rng("mail date").random(2)
    day = d.case.reference_date - timedelta(days=int(part[0] * 280) + days_before)
    minute = 7 * 60 + int(part[1] * 660)
    return f"{day.isoformat()}T{minute // 60:02}:{minute % 60:02}:00"


def headers(
    d: Draft, sender: str, to: Sequence[str], subject: str, cc: Sequence[str] = (), days_before: int = 0
) -> MailHeaders:
    """Headers of a message between owners of mailboxes; ``subject`` may have slots."""
    made_cc = tuple(mailbox(d, each, f"cc{number}") for number, each in enumerate(cc))
    receivers = tuple(mailbox(d, each, f"to{number}") for number, each in enumerate(to))
    d.at("mail subject")
    return MailHeaders(
        sender=mailbox(d, sender, "from"),
        to=receivers,
        subject=d.fill(subject),
        date=mail_date(d, days_before),
        cc=made_cc,
    )
