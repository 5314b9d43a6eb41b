"""PDF: flowing text on Letter pages, tables, form fields, pictures, frames, notes, invisible text, properties.

Which block becomes what. Text is broken by `pdf_text`, placed by `pdf_page`, tables are `pdf_table`'s.
"""

from __future__ import annotations

from dataset_project.documents.formats.layout_text import refuse_zones
from dataset_project.documents.formats.pdf_page import LEFT, RIGHT, Pages
from dataset_project.documents.formats.pdf_table import add_table
from dataset_project.documents.formats.pdf_text import (
    BODY,
    HEADING,
    HIDDEN,
    LABEL,
    SECTION,
    SMALL,
    TITLE,
    Line,
    broken,
    width,
)
from dataset_project.documents.model.blocks import (
    Block,
    Document,
    Fields,
    FormField,
    Paragraph,
    Picture,
    Surface,
    Table,
    TextBox,
)
from dataset_project.documents.model.emitting import Written
from dataset_project.storage.seeding import seed_for

SURFACES: frozenset[Surface] = frozenset(
    {
        *("body", "table", "header", "footer", "comment", "footnote", "text_box", "form_field"),
        *("alt_text", "hidden", "metadata"),
    }
)
SUFFIX = "pdf"
MEDIA_TYPE = "application/pdf"

_FACES = {"title": TITLE, "heading": HEADING, "body": BODY, "list": BODY, "small": SMALL}
_INDENT = 14.0
_AIR = 5.0
# Of the page's width, for labels of fields at most.
_LABEL_SHARE = 0.45
_BULLET = "•"
# Two ways in which text is in a page and not seen: no rendering (ISO 32000-1, 9.3.6), white on white.
_UNSEEN = ("3 Tr", "1 g")


def _add_fields(pages: Pages, block: Fields) -> None:
    """Labels in bold in a column, values beside them; a line of the text is ``Label: value``."""
    labels = [f"{label}:" if label and label[-1] not in ":?" else label for label, _ in block.pairs]
    most = (RIGHT - LEFT) * _LABEL_SHARE
    column = min(max((width(label, LABEL) for label in labels), default=0.0) + 8, most)
    for label, (_, runs) in zip(labels, block.pairs, strict=True):
        written = broken((label,) if label else (), LABEL, column - 6)
        values = broken(runs, BODY, RIGHT - LEFT - column)
        # One line of a label is drawn beside the value; a longer label stands above it.
        for line in written[:-1]:
            pages.need(BODY.leading * 2)
            pages.line(line, LABEL, "body")
        pages.need(BODY.leading)
        beside = "".join(run for line in written[-1:] for run in line.runs if isinstance(run, str))
        scale = written[-1].scale if written else 1.0
        baseline = pages.y - BODY.leading + (BODY.leading - BODY.size) / 2 + 1
        pages.draw(beside, LABEL, LEFT, baseline, scale)
        first = values[0] if values else Line((), ())
        pages.line(first, BODY, "body", x=LEFT + column, label=beside)
        for line in values[1:]:
            pages.need(BODY.leading)
            pages.line(line, BODY, "body", x=LEFT + column)
    pages.y -= 5


def _add_form_field(pages: Pages, block: FormField) -> None:
    pages.need(24)
    label = broken((block.label,) if block.label else (), BODY, 170)
    upper = pages.y
    for line in label[:1]:
        pages.line(line, BODY, "body")
    pages.y = upper
    pages.field(block.name, block.runs, LEFT + 180, RIGHT - LEFT - 180, 17)
    pages.y = upper - 21
    for line in label[1:]:
        pages.need(BODY.leading)
        pages.line(line, BODY, "body")


def _add_text_box(pages: Pages, block: TextBox) -> None:
    lines = broken(block.runs, BODY, 300)
    height = len(lines) * BODY.leading + 12
    pages.need(height + 8)
    pages.box(LEFT + 60, pages.y - height - 2, 320, height, 0.96)
    pages.y -= 8
    for line in lines:
        pages.line(line, BODY, "text_box", x=LEFT + 70)
    pages.y -= 14


def _add_picture(pages: Pages, block: Picture) -> None:
    pages.need(124)
    pages.picture(block.alt)
    pages.paragraph(block.caption, SMALL, "body")
    pages.y -= 8


def _add_paragraph(pages: Pages, block: Paragraph) -> None:
    face = _FACES[block.style]
    if block.style in ("title", "heading"):
        # With a line of what follows, and air above.
        pages.need(face.leading + BODY.leading + _AIR)
        pages.air(_AIR)
    if block.style == "list":
        for number, line in enumerate(broken(block.runs, face, RIGHT - LEFT - _INDENT)):
            pages.need(face.leading)
            if number == 0:
                pages.draw(_BULLET, face, LEFT + 3, pages.y - face.leading + (face.leading - face.size) / 2 + 1)
            pages.line(line, face, "body", x=LEFT + _INDENT)
        pages.y -= 2
    else:
        pages.paragraph(block.runs, face, "body")
        pages.y -= 5


def _add_block(pages: Pages, block: Block) -> None:
    if isinstance(block, Paragraph):
        _add_paragraph(pages, block)
    elif isinstance(block, Fields):
        _add_fields(pages, block)
    elif isinstance(block, Table):
        add_table(pages, block)
    elif isinstance(block, FormField):
        _add_form_field(pages, block)
    elif isinstance(block, TextBox):
        _add_text_box(pages, block)
    elif isinstance(block, Picture):
        _add_picture(pages, block)
    else:
        raise TypeError(f"no block: {block!r}")


def write(document: Document, doc_id: str) -> Written:
    """``document`` as a PDF.

    A line of the canonical text is a line on a page; header and footer are on, and emitted for, each page. Locators:
    ``pdf_text`` with the box of each value; ``pdf_field``; ``pdf_annotation`` with its ``field``; ``pdf_alt`` with page
    and index of the marked content; ``property``. Raises ValueError for a zone beyond `SURFACES`, for characters that
    the font lacks, for ragged tables and for what must stay together and is higher than a page.
    """
    refuse_zones(document, SURFACES, "pdf")
    pages = Pages(doc_id, document.header, document.footer)
    pages.properties(document.metadata)
    pages.comments(document.comments)
    for section in document.sections:
        if section.title:
            pages.need(SECTION.leading + 2 * BODY.leading + _AIR)
            pages.air(_AIR)
            pages.paragraph((section.title,), SECTION, "body")
            pages.y -= 4
        for block in section.blocks:
            _add_block(pages, block)
    if document.footnotes:
        pages.need(SMALL.leading + 8)
        pages.rule(LEFT, LEFT + 140, pages.y - 2)
        pages.y -= 6
        for number, note in enumerate(document.footnotes, 1):
            pages.paragraph((f"{number} ", *note), SMALL, "footnote")
    way = _UNSEEN[seed_for(0, doc_id, "unseen text") % len(_UNSEEN)]
    for runs in document.hidden:
        pages.paragraph(runs, HIDDEN, "hidden", state=way, visible=False)
    content = pages.content()
    return Written(content, pages.emitter.text, tuple(pages.emitter.spans))
