"""PPTX (PresentationML, transitional): a document as a deck that PowerPoint and LibreOffice read.

A section is a slide, or more when it is full. Every block and zone of the model but form fields, footnotes, mail
headers and attachments. The footer stands on every slide, the header on every notes page (slides have no place for
one), hidden text on a hidden last slide. Each copy is emitted where it stands.

Locators: ``{"kind": "xml", "part": …, "slide": n, "shape": id, "paragraph": m}``: the n-th slide (from 0), the id in
the ``p:cNvPr``, the m-th ``a:p`` of the part in document order (from 0). Instead of the paragraph, ``attribute``
(``descr``) for a picture's alternative text; instead of shape and paragraph, ``comment`` for the m-th ``p:cm`` of a
comments part; instead of all, ``author`` for the m-th author. Properties as in `ooxml`. Fields are a table, so they are
on the ``table`` surface.
"""

from __future__ import annotations

from functools import cache

from dataset_project.documents.formats import pptx_zones as zones
from dataset_project.documents.formats.ooxml import (
    DECLARATION,
    RESOURCES,
    Deflated,
    Package,
    Splitter,
    add_properties,
    deflated,
    refuse_other_zones,
    static_part,
)
from dataset_project.documents.formats.pptx_layout import Placed, slides
from dataset_project.documents.formats.pptx_slide import NAMESPACES, Page
from dataset_project.documents.model.blocks import Comment, Document, Paragraph, Picture, Section, Surface
from dataset_project.documents.model.emitting import Emitter, Written
from dataset_project.documents.model.values import Runs
from dataset_project.storage.seeding import seed_for

SURFACES: frozenset[Surface] = frozenset(
    {"body", "table", "header", "footer", "comment", "text_box", "alt_text", "hidden", "notes", "metadata"}
)
SUFFIX = "pptx"
MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.presentationml.presentation"

_MAIN = "ppt/presentation.xml"
_TYPE = "application/vnd.openxmlformats-officedocument.presentationml"
_THEME_TYPE = "application/vnd.openxmlformats-officedocument.theme+xml"

LOOKS = (
    {"HEAD-FONT": "Calibri Light", "BODY-FONT": "Calibri", "DARK": "1F3864", "ACCENT": "2F5597"},
    {"HEAD-FONT": "Arial", "BODY-FONT": "Arial", "DARK": "1E4D40", "ACCENT": "2E7D64"},
    {"HEAD-FONT": "Georgia", "BODY-FONT": "Arial", "DARK": "404040", "ACCENT": "595959"},
    {"HEAD-FONT": "Calibri", "BODY-FONT": "Calibri", "DARK": "5B1F2B", "ACCENT": "8C3B4A"},
)
"""Fonts and colours (RRGGBB) that the theme is filled with. Drawn by the document's id, whatever it is about."""


@cache
def _theme(look: int) -> Deflated:
    text = (RESOURCES / "pptx" / "theme.xml").read_text(encoding="utf-8")
    for name, value in LOOKS[look].items():
        text = text.replace(name, value)
    return deflated(text.encode(), _THEME_TYPE, level=9)


def _static(name: str, kind: str) -> Deflated:
    return static_part(f"pptx/{name}.xml", f"{_TYPE}.{kind}+xml")


class _Deck:
    """A presentation under construction."""

    def __init__(self, document: Document, doc_id: str) -> None:
        self.document = document
        self.package, self.emitter, self.splitter = Package(), Emitter(), Splitter(doc_id)
        self.theme = _theme(seed_for(0, doc_id, "look") % len(LOOKS))
        self.slides: list[str] = []
        self.has_notes = bool(document.header) or any(section.notes for section in document.sections)
        self.remarks: dict[int, list[tuple[int, int, Runs]]] = {}

    def _masters(self) -> str:
        """Master, layout and theme, common to all slides; returns the master's entry in the presentation."""
        package = self.package
        package.add("ppt/theme/theme1.xml", self.theme)
        package.add("ppt/slideMasters/slideMaster1.xml", _static("slideMaster", "slideMaster"))
        package.add("ppt/slideLayouts/slideLayout1.xml", _static("slideLayout", "slideLayout"))
        # The first relationship of the master is the one its list of layouts names.
        package.relate("ppt/slideMasters/slideMaster1.xml", "slideLayout", "../slideLayouts/slideLayout1.xml")
        package.relate("ppt/slideMasters/slideMaster1.xml", "theme", "../theme/theme1.xml")
        package.relate("ppt/slideLayouts/slideLayout1.xml", "slideMaster", "../slideMasters/slideMaster1.xml")
        number = package.relate(_MAIN, "slideMaster", "slideMasters/slideMaster1.xml")
        masters = f'<p:sldMasterIdLst><p:sldMasterId id="2147483648" r:id="{number}"/></p:sldMasterIdLst>'
        if self.has_notes:
            package.add("ppt/notesMasters/notesMaster1.xml", _static("notesMaster", "notesMaster"))
            package.add("ppt/theme/theme2.xml", self.theme)
            package.relate("ppt/notesMasters/notesMaster1.xml", "theme", "../theme/theme2.xml")
            number = package.relate(_MAIN, "notesMaster", "notesMasters/notesMaster1.xml")
            masters += f'<p:notesMasterIdLst><p:notesMasterId r:id="{number}"/></p:notesMasterIdLst>'
        return masters

    def _page(self, folder: str, name: str, visible: bool) -> Page:
        number = len(self.slides)
        return Page(f"ppt/{folder}/{name}{number + 1}.xml", number, self.emitter, self.splitter, visible)

    def _slide(self, title: str, placed: list[Placed], notes: Runs, *, hidden: bool = False) -> None:
        package, document = self.package, self.document
        page = self._page("slides", "slide", not hidden)
        package.relate(page.part, "slideLayout", "../slideLayouts/slideLayout1.xml")
        picture = ""
        if any(isinstance(each.item, Picture) for each in placed):
            picture = package.relate(page.part, "image", "../media/picture.png")
            package.parts.setdefault("ppt/media/picture.png", static_part("picture.png"))
        if title:
            page.title(title)
        page.items(placed, picture, "hidden" if hidden else "body")
        if document.footer:
            page.placeholder("Footer", 'type="ftr" sz="quarter" idx="11"', document.footer, "footer")
        page.slide_number()
        package.add(page.part, page.document("sld"), f"{_TYPE}.slide+xml")
        if document.header or notes:
            notes_page = self._page("notesSlides", "notesSlide", False)
            xml = zones.notes_page(notes_page, document.header, notes)
            package.add(notes_page.part, xml, f"{_TYPE}.notesSlide+xml")
            package.relate(notes_page.part, "notesMaster", "../notesMasters/notesMaster1.xml")
            package.relate(notes_page.part, "slide", f"../slides/slide{page.number + 1}.xml")
            package.relate(page.part, "notesSlide", f"../notesSlides/notesSlide{page.number + 1}.xml")
        if remarks := self.remarks.get(page.number):
            part = f"ppt/comments/comment{page.number + 1}.xml"
            package.add(part, zones.slide_comments(part, page.number, remarks, self.emitter), f"{_TYPE}.comments+xml")
            package.relate(page.part, "comments", f"../comments/comment{page.number + 1}.xml")
        self.slides.append(package.relate(_MAIN, "slide", f"slides/slide{page.number + 1}.xml"))

    def _place_comments(self, comments: tuple[Comment, ...], on: int) -> None:
        """Deal the comments to the first ``on`` slides."""
        xml, authors = zones.comment_authors(comments, self.emitter)
        self.package.add(zones.AUTHORS, xml, f"{_TYPE}.commentAuthors+xml")
        self.package.relate(_MAIN, "commentAuthors", "commentAuthors.xml")
        counts = dict.fromkeys(authors, 0)
        for number, comment in enumerate(comments):
            counts[comment.author] += 1
            remark = (authors[comment.author], counts[comment.author], comment.runs)
            self.remarks.setdefault(number % on, []).append(remark)

    def write(self) -> Written:
        """All parts, in the order of the text: properties, slides with their notes and comments."""
        document, package = self.document, self.package
        package.relate("", "officeDocument", _MAIN)
        add_properties(package, document.metadata, self.emitter, "Microsoft Office PowerPoint")
        masters = self._masters()
        # A deck without a slide is no deck.
        sections = document.sections or (Section("", ()),)
        laid_out = [(section, slides(section.blocks)) for section in sections]
        if document.comments:
            self._place_comments(document.comments, sum(len(pages) for _, pages in laid_out))
        for section, pages in laid_out:
            for number, placed in enumerate(pages):
                title = f"{section.title} (continued)" if section.title and number else section.title
                self._slide(title, placed, () if number else section.notes)
        if document.hidden:
            for placed in slides([Paragraph(runs) for runs in document.hidden]):
                self._slide("", placed, (), hidden=True)
        ids = "".join(f'<p:sldId id="{number}" r:id="{each}"/>' for number, each in enumerate(self.slides, 256))
        package.add(
            _MAIN,
            f"{DECLARATION}<p:presentation{NAMESPACES}>{masters}<p:sldIdLst>{ids}</p:sldIdLst>"
            '<p:sldSz cx="12192000" cy="6858000"/><p:notesSz cx="6858000" cy="9144000"/></p:presentation>',
            f"{_TYPE}.presentation.main+xml",
        )
        return Written(package.content(), self.emitter.text, tuple(self.emitter.spans))


def write(document: Document, doc_id: str) -> Written:
    """``document`` as PPTX. Raises ValueError for a zone that PPTX lacks, an uneven table, a character XML forbids."""
    refuse_other_zones(document, SURFACES, "pptx")
    return _Deck(document, doc_id).write()
