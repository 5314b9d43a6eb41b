"""HTML: one page with tables, input fields, pictures with alternative text, asides, meta tags and comments.

Every element that holds a line has an id, whether or not a value is in it: ids on values alone would tell them.
`Elements` builds the body; the HTML part of messages is made with it too.
"""

from __future__ import annotations

from html import escape
from typing import Literal, Protocol

from dataset_project.documents.formats.layout_text import field_line, refuse_controls, refuse_zones
from dataset_project.documents.model.blocks import (
    Block,
    Document,
    Fields,
    FormField,
    Metadata,
    Paragraph,
    Picture,
    Surface,
    Table,
    TextBox,
)
from dataset_project.documents.model.emitting import Emitter, Locator, Written
from dataset_project.documents.model.values import Runs, plain

SURFACES: frozenset[Surface] = frozenset(
    {
        *("body", "table", "header", "footer", "footnote", "text_box", "form_field"),
        *("alt_text", "hidden", "metadata"),
    }
)
SUFFIX = "html"
MEDIA_TYPE = "text/html"

_CSS = (
    "body{font-family:Arial,sans-serif;font-size:11pt;margin:2em auto;max-width:46em}"
    "p,td,th,li,aside,label,small,header,footer{white-space:pre-wrap}"
    "table{border-collapse:collapse}th,td{border:1px solid #999;padding:2px 6px;text-align:left}"
    "aside{border:1px solid #666;background:#f4f4f4;padding:6px}small,footer,header{color:#555;font-size:9pt}"
)
# A grey pixel (GIF): the picture is made of nothing.
_GREY = "data:image/gif;base64,R0lGODlhAQABAIAAAMDAwAAAACwAAAAAAQABAAACAkQBADs="
_TAGS = {"title": "h1", "heading": "h3", "body": "p", "list": "li", "small": "small"}


class Emits(Protocol):
    """What notes the lines: an `Emitter`, or what stands before one."""

    def emit(self, runs: Runs, surface: Surface, locator: Locator, *, visible: bool = True) -> str: ...


class Elements:
    """The elements of a page's body, in order; ids count up from ``e1``."""

    def __init__(self, emitter: Emits, hidden_as: Literal["comment", "element"] = "comment") -> None:
        self.emitter = emitter
        self.hidden_as = hidden_as
        self.pieces: list[str] = []
        self.elements = 0
        self.comments = 0

    def _next(self) -> str:
        self.elements += 1
        return f"e{self.elements}"

    def _text(self, tag: str, runs: Runs, surface: Surface, name: str = "") -> str:
        """An element with a line of text. ``name``: the element's, when the tag has attributes."""
        number = self._next()
        text = self.emitter.emit(runs, surface, {"kind": "html", "id": number})
        return f'<{tag} id="{number}">{escape(text, quote=False)}</{name or tag}>'

    def add_lines(self, tag: str, lines: tuple[Runs, ...], surface: Surface) -> None:
        """Elements ``tag`` with a line each."""
        self.pieces += [self._text(tag, runs, surface) for runs in lines]

    def add_block(self, block: Block) -> None:
        """A block of a section."""
        if isinstance(block, Paragraph):
            element = self._text(_TAGS[block.style], block.runs, "body")
            self.pieces.append(f"<ul>{element}</ul>" if block.style == "list" else element)
        elif isinstance(block, Fields):
            self.pieces += [self._text("p", field_line(label, runs), "body") for label, runs in block.pairs]
        elif isinstance(block, Table):
            self._add_table(block)
        elif isinstance(block, FormField):
            self._add_field(block)
        elif isinstance(block, Picture):
            self._add_picture(block)
        elif isinstance(block, TextBox):
            self.pieces.append(self._text("aside", block.runs, "text_box"))
        else:
            raise TypeError(f"no block: {block!r}")

    def _add_table(self, table: Table) -> None:
        head = "".join([self._text("th", (name,), "table") for name in table.header])
        self.pieces.append(f"<table><thead><tr>{head}</tr></thead><tbody>")
        for row in table.rows:
            self.pieces.append(f"<tr>{''.join([self._text('td', runs, 'table') for runs in row])}</tr>")
        self.pieces.append("</tbody></table>")

    def _add_field(self, block: FormField) -> None:
        label = self._text("label", (block.label,), "body")
        number = self._next()
        text = self.emitter.emit(block.runs, "form_field", {"kind": "html", "id": number})
        entry = f'<input type="text" id="{number}" name="{escape(block.name)}" value="{escape(text)}">'
        self.pieces.append(f"<p>{label} {entry}</p>")

    def _add_picture(self, block: Picture) -> None:
        number = self._next()
        text = self.emitter.emit(block.alt, "alt_text", {"kind": "html", "id": number}, visible=False)
        caption = self._text("figcaption", block.caption, "body") if block.caption else ""
        image = f'<img id="{number}" src="{_GREY}" width="240" height="120" alt="{escape(text)}">'
        self.pieces.append(f"<figure>{image}{caption}</figure>")

    def add_hidden(self, runs: Runs) -> None:
        """A line that is not shown: a comment, or, where HTML forbids the text in one, an element without display."""
        text = plain(runs)
        forbidden = "--" in text or text.startswith((">", "->")) or text.endswith(("-", "<!"))
        if self.hidden_as == "comment" and not forbidden:
            locator = {"kind": "html", "comment": self.comments}
            self.comments += 1
            self.pieces.append(f"<!--{self.emitter.emit(runs, 'hidden', locator, visible=False)}-->")
        else:
            number = self._next()
            self.emitter.emit(runs, "hidden", {"kind": "html", "id": number}, visible=False)
            self.pieces.append(f'<div id="{number}" style="display:none">{escape(text, quote=False)}</div>')

    def add(self, document: Document) -> None:
        """The whole document but its metadata."""
        if document.header:
            self.add_lines("header", (document.header,), "header")
        for section in document.sections:
            if section.title:
                self.add_lines("h2", ((section.title,),), "body")
            for block in section.blocks:
                self.add_block(block)
        for number, note in enumerate(document.footnotes, 1):
            self.add_lines("small", ((f"[{number}] ", *note),), "footnote")
        for runs in document.hidden:
            self.add_hidden(runs)
        if document.footer:
            self.add_lines("footer", (document.footer,), "footer")


def _head(metadata: Metadata, emitter: Emitter) -> str:
    title = emitter.emit(metadata.title, "metadata", {"kind": "html", "id": "title"}, visible=False)
    pieces = ['<head><meta charset="utf-8">', f'<title id="title">{escape(title, quote=False)}</title>']
    standard = (
        ("author", metadata.author),
        ("description", metadata.subject),
        ("keywords", metadata.keywords),
    )
    for number, (name, runs) in enumerate((*standard, *metadata.custom), 1):
        if runs:
            text = emitter.emit(runs, "metadata", {"kind": "html", "id": f"m{number}"}, visible=False)
            pieces.append(f'<meta id="m{number}" name="{escape(name)}" content="{escape(text)}">')
    return "\n".join((*pieces, f"<style>{_CSS}</style></head>"))


def write(document: Document, doc_id: str) -> Written:
    """``document`` as a page. Locators: the ``id`` of the element whose text, value, alt or content it is, or the
    number of the ``comment``. Raises ValueError for a zone beyond `SURFACES` and for control characters.
    """
    refuse_zones(document, SURFACES, "html")
    emitter = Emitter()
    head = _head(document.metadata, emitter)
    elements = Elements(emitter)
    elements.add(document)
    refuse_controls(emitter, "html")
    page = ["<!DOCTYPE html>", '<html lang="en">', head, "<body>", *elements.pieces, "</body>", "</html>", ""]
    return Written("\n".join(page).encode(), emitter.text, tuple(emitter.spans))
