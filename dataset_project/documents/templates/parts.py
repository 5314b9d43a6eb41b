"""Parts of containers: documents of other templates as attachments of messages and members of archives.

A part is built by its own template, with streams named after its place, for the zones of its own format. In a mixed
container parts of both classes are next to each other; otherwise all have the class of the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dataset_project.documents.formats.registry import format_named
from dataset_project.documents.model.blocks import Document
from dataset_project.documents.templates.draft import Draft
from dataset_project.documents.templates.encounters import choice

Part = tuple[str, Document]

_PAPERS = ("pdf", "docx", "txt", "html", "rtf", "xlsx", "csv", "pptx")
BUNDLE = (
    "discharge_summary",
    "lab_report",
    "radiology_report",
    "soap_note",
    "registration_form",
    "immunization_record",
    "policy",
    "blank_form",
    "order_set",
    "explanation_of_benefits",
)
"""Templates of what is sent when records are asked for."""


def part_classes(d: Draft, count: int) -> list[str]:
    """Classes of ``count`` parts: of a mixed container at least one of each, if there are two or its text is the other.

    Raises ValueError for a mixed container without parts.
    """
    if d.document_class != "mixed":
        return [d.document_class] * count
    if not count:
        raise ValueError("a mixed document needs parts")
    rng = d.rng("part classes")
    classes = [choice(rng, ("phi", "negative")) for _ in range(count)]
    at = int(rng.random() * count)
    if count > 1:
        classes[at], classes[(at + 1) % count] = "phi", "negative"
    else:
        # The one part is what the text is not.
        classes[at] = "negative" if d.holds("patient.name") else "phi"
    return classes


def part(d: Draft, number: int, template_id: str, document_class: str, formats: Sequence[str] = _PAPERS) -> Part:
    """The part ``number``: a document of a template in one of ``formats`` that suits it, with its format's name.

    Its file name begins with the number, so that no two of a container are alike.
    """
    from dataset_project.documents.templates.registry import TEMPLATES

    template = TEMPLATES[template_id]
    rng = d.rng(f"part {number}")
    suits = [each for each in template.formats if each in formats]
    form = format_named(choice(rng, suits))
    layout = choice(rng, d.part_layouts(template) if d.part_layouts else template.layouts)
    document = template.build(
        d.case,
        lambda field: d.stream_for(f"part {number}/{field}"),
        form.surfaces,
        document_class,
        layout,
        d.difficulty,
        part_layouts=d.part_layouts,
    )
    return form.name, replace(document, file_name=(f"{number:02}_", *document.file_name))


def attached(d: Draft, template_ids: Sequence[str], most: int) -> tuple[Part, ...]:
    """Up to ``most`` attached files of a message, at least one if it is mixed; none where there is no mail."""
    if "mail_header" not in d.surfaces:
        return ()
    rng = d.rng("attachments")
    count = int(rng.random() * (most + 1))
    if d.document_class == "mixed":
        count = max(count, 1)
    ids = [choice(rng, template_ids) for _ in range(count)]
    classes = part_classes(d, count)
    return tuple(part(d, number, ids[number - 1], classes[number - 1]) for number in range(1, count + 1))


def archive(d: Draft, first: int, count: int, classes: Sequence[str]) -> Part:
    """A ZIP of ``count`` documents, numbered from ``first``."""
    rng = d.rng(f"archive {first}")
    ids = [choice(rng, BUNDLE) for _ in range(count)]
    members = tuple(part(d, first + at, ids[at], classes[at]) for at in range(count))
    name = choice(rng, ("records", "documents", "attachments", "transfer_packet", "chart_copy"))
    return "zip", Document(sections=(), file_name=(f"{first:02}_{name}",), attachments=members)


def bare_archive(d: Draft) -> Document:
    """An archive that is a document by itself."""
    count = d.whole("members", 2, 4)
    _, packed = archive(d, 1, count, part_classes(d, count))
    return packed


def forwarded(d: Draft) -> tuple[Part, ...]:
    """What a message with copies carries: an archive, mostly with an earlier message, at times with a paper."""
    rng = d.rng("carries")
    draw, packed = rng.random(), 2 + int(rng.random() * 2)
    before = 0 if draw < 0.35 else 1 if draw < 0.8 else 2
    classes = part_classes(d, packed + before)
    parts = []
    if before:
        earlier = choice(rng, ("provider_email", "referral_letter", "announcement"))
        parts.append(part(d, 1, earlier, classes[packed], ("eml",)))
    if before == 2:
        parts.append(part(d, 2, "radiology_report", classes[packed + 1]))
    return (*parts, archive(d, 10, packed, classes))
