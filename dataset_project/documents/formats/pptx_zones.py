"""Zones of a presentation beside its slides: notes pages with header and speaker notes, comments and their authors.

Slides and the shapes on them belong to `pptx_slide`, document properties to `ooxml`.
"""

from __future__ import annotations

from collections.abc import Sequence

from dataset_project.documents.formats.ooxml import DECLARATION, escape, escape_attribute
from dataset_project.documents.formats.pptx_slide import NAMESPACES, Page
from dataset_project.documents.model.blocks import Comment
from dataset_project.documents.model.emitting import Emitter
from dataset_project.documents.model.values import Runs

AUTHORS = "ppt/commentAuthors.xml"

_SLIDE_IMAGE = (
    '<p:sp><p:nvSpPr><p:cNvPr id="2" name="Slide Image 1"/><p:cNvSpPr><a:spLocks noGrp="1" noRot="1"'
    ' noChangeAspect="1"/></p:cNvSpPr><p:nvPr><p:ph type="sldImg"/></p:nvPr></p:nvSpPr><p:spPr/></p:sp>'
)


def notes_page(page: Page, header: Runs, notes: Runs) -> str:
    """A notes page: the slide's image, what is said to it, and the document's header, whose place in a deck is here."""
    page.xml.append(_SLIDE_IMAGE)
    page.shape = 2
    if header:
        page.placeholder("Header", 'type="hdr" sz="quarter"', header, "header")
    page.placeholder("Notes", 'type="body" idx="1"', notes, "notes")
    return page.document("notes")


def comment_authors(comments: Sequence[Comment], emitter: Emitter) -> tuple[str, dict[Runs, int]]:
    """The part of the authors, each once, and their numbers. Locator: part and ``author``, the number.

    Initials are required, so they are a constant: the author's own would be a value in another form.
    """
    counts: dict[Runs, int] = {}
    for comment in comments:
        counts[comment.author] = counts.get(comment.author, 0) + 1
    numbers = {author: number for number, author in enumerate(counts)}
    pieces = []
    for author, number in numbers.items():
        where = {"kind": "xml", "part": AUTHORS, "author": number}
        name = escape_attribute(emitter.emit(author, "comment", where, visible=False))
        pieces.append(
            f'<p:cmAuthor id="{number}" name="{name}" initials="R" lastIdx="{counts[author]}" clrIdx="{number}"/>'
        )
    return f"{DECLARATION}<p:cmAuthorLst{NAMESPACES}>{''.join(pieces)}</p:cmAuthorLst>", numbers


def slide_comments(part: str, slide: int, comments: Sequence[tuple[int, int, Runs]], emitter: Emitter) -> str:
    """The comments of one slide: (author, index among the author's, text). Locator: part, ``slide`` and ``comment``,
    the place among these. A reader sees a mark on the slide and has to open it."""
    pieces = []
    for number, (author, index, runs) in enumerate(comments):
        where = {"kind": "xml", "part": part, "slide": slide, "comment": number}
        text = emitter.emit(runs, "comment", where, visible=False)
        place = f'<p:pos x="{10 + 140 * number}" y="10"/>'
        pieces.append(f'<p:cm authorId="{author}" idx="{index}">{place}<p:text>{escape(text)}</p:text></p:cm>')
    return f"{DECLARATION}<p:cmLst{NAMESPACES}>{''.join(pieces)}</p:cmLst>"
