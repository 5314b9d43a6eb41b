"""DOCX (WordprocessingML, transitional): a document as a package that Word and LibreOffice read.

Every block and zone of the model but notes, mail headers and attachments. Written as text: python-docx, which builds
trees, makes 6 to 20 such documents per CPU-second, this more than a thousand.

Locators: ``{"kind": "xml", "part": …, "paragraph": n}``, the n-th ``w:p`` of the part in document order (from 0), with
``attribute`` where the text is the ``descr`` of a drawing in the paragraph or the ``author`` of the comment around it;
properties as in `ooxml`. Fields are a two-column table, so they are on the ``table`` surface.
"""

from __future__ import annotations

from functools import cache

from dataset_project.documents.formats import docx_zones as zones
from dataset_project.documents.formats.docx_blocks import GAP, SECTION_TITLE, Body
from dataset_project.documents.formats.docx_story import Story, paragraph_head
from dataset_project.documents.formats.ooxml import (
    RESOURCES,
    Deflated,
    Package,
    Splitter,
    add_properties,
    deflated,
    refuse_other_zones,
    static_part,
)
from dataset_project.documents.model.blocks import Document, Picture, Surface
from dataset_project.documents.model.emitting import Emitter, Written
from dataset_project.storage.seeding import seed_for

SURFACES: frozenset[Surface] = frozenset(
    {
        "body",
        "table",
        "header",
        "footer",
        "comment",
        "footnote",
        "text_box",
        "form_field",
        "alt_text",
        "hidden",
        "metadata",
    }
)
SUFFIX = "docx"
MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

_MAIN = "word/document.xml"
# The gap after a table, where a page may be full.
_FLAT = '<w:spacing w:line="20" w:lineRule="exact"/>'
_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml"

LOOKS = (
    {"BODY-FONT": "Calibri", "HEAD-FONT": "Calibri", "ACCENT": "1F4E79", "SHADE": "DCE6F1"},
    {"BODY-FONT": "Arial", "HEAD-FONT": "Arial", "ACCENT": "2E6B4F", "SHADE": "E2EFDA"},
    {"BODY-FONT": "Times New Roman", "HEAD-FONT": "Arial", "ACCENT": "333333", "SHADE": "E7E6E6"},
    {"BODY-FONT": "Cambria", "HEAD-FONT": "Calibri", "ACCENT": "7A2E3A", "SHADE": "F2E4E6"},
)
"""Fonts and colours (RRGGBB) that ``styles.xml`` is filled with. Drawn by the document's id, whatever it is about."""


@cache
def _styles(look: int) -> Deflated:
    text = (RESOURCES / "docx" / "styles.xml").read_text(encoding="utf-8")
    for name, value in LOOKS[look].items():
        text = text.replace(name, value)
    return deflated(text.encode(), f"{_TYPE}.styles+xml", level=9)


def _section_properties(first: bool, references: str) -> str:
    """``w:sectPr`` of US Letter. Later sections inherit header and footer from the first."""
    kind = "" if first else '<w:type w:val="nextPage"/>'
    return (
        f"<w:sectPr>{references if first else ''}{kind}"
        '<w:pgSz w:w="12240" w:h="15840"/><w:pgMar w:top="1300" w:right="1440" w:bottom="1300" w:left="1440"'
        ' w:header="620" w:footer="560" w:gutter="0"/><w:cols w:space="720"/></w:sectPr>'
    )


def _end_section(story: Story, start: int, properties: str) -> None:
    """Hang ``w:sectPr`` on the last paragraph since ``start`` (an index of the story's XML).

    A paragraph of its own would fall on a page of its own when the one before it is full.
    """
    if len(story.xml) == start:
        story.bare(f"{paragraph_head('Gap', properties)}</w:p>")
    elif story.xml[-1] == GAP:
        story.xml[-1] = f"{paragraph_head('Gap', _FLAT + properties)}</w:p>"
    else:
        # The first properties are those of the paragraph itself, not of one nested in it.
        story.xml[-1] = story.xml[-1].replace("</w:pPr>", f"{properties}</w:pPr>", 1)


def _main(document: Document, story: Story, picture: str, references: str) -> str:
    body = Body(story, picture, zones.anchors(len(document.footnotes), len(document.comments)))
    last = len(document.sections) - 1
    for number, section in enumerate(document.sections):
        start = len(story.xml)
        if section.title:
            story.paragraph(SECTION_TITLE, (section.title,), "body")
        for block in section.blocks:
            body.block(block)
        if number < last:
            _end_section(story, start, _section_properties(number == 0, references))
    body.rest()
    for runs in document.hidden:
        body.hidden(runs)
    story.xml.append(_section_properties(last <= 0, references))
    story.xml.insert(0, "<w:body>")
    story.xml.append("</w:body>")
    return story.document("document")


def write(document: Document, doc_id: str) -> Written:
    """``document`` as DOCX. Raises ValueError for a zone that DOCX lacks, an uneven table, a character XML forbids."""
    refuse_other_zones(document, SURFACES, "docx")
    package, emitter, splitter = Package(), Emitter(), Splitter(doc_id)
    package.relate("", "officeDocument", _MAIN)
    add_properties(package, document.metadata, emitter, "Microsoft Office Word")

    def part(name: str, kind: str, content: str | Deflated) -> str:
        package.add(f"word/{name}", content, "" if isinstance(content, Deflated) else f"{_TYPE}.{kind}+xml")
        return package.relate(_MAIN, kind, name)

    def story(name: str) -> Story:
        return Story(f"word/{name}", emitter, splitter)

    part("styles.xml", "styles", _styles(seed_for(0, doc_id, "look") % len(LOOKS)))
    for kind in ("settings", "numbering", "fontTable"):
        part(f"{kind}.xml", kind, static_part(f"docx/{kind}.xml", f"{_TYPE}.{kind}+xml"))
    picture = ""
    if any(isinstance(block, Picture) for section in document.sections for block in section.blocks):
        package.add("word/media/picture.png", static_part("picture.png"))
        picture = package.relate(_MAIN, "image", "media/picture.png")

    references = ""
    if document.header:
        number = part("header1.xml", "header", zones.header(story("header1.xml"), document.header))
        references = f'<w:headerReference w:type="default" r:id="{number}"/>'
    number = part("footer1.xml", "footer", zones.footer(story("footer1.xml"), document.footer))
    references += f'<w:footerReference w:type="default" r:id="{number}"/>'

    main = _main(document, story("document.xml"), picture, references)
    package.add(_MAIN, main, f"{_TYPE}.document.main+xml")
    part("footnotes.xml", "footnotes", zones.footnotes(story("footnotes.xml"), document.footnotes))
    if document.comments:
        part("comments.xml", "comments", zones.comments(story("comments.xml"), document.comments))
    return Written(package.content(), emitter.text, tuple(emitter.spans))
