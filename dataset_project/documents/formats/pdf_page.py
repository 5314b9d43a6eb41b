"""Pages of a PDF under construction: lines with the box of each value, header and footer, frames, fields, notes.

What the lines are and how they are broken belongs to `pdf_text`, which block becomes what to `pdf`, dictionaries to
`pdf_objects`. Drawn on reportlab's canvas; text goes in as one string per line whether or not values are in it, so that
strings do not tell them.
"""

from __future__ import annotations

import re
from typing import Any

from dataset_project.documents.formats.pdf_objects import (
    add_font,
    add_form,
    add_note,
    add_text_field,
    new_canvas,
    set_information,
)
from dataset_project.documents.formats.pdf_text import SMALL, Face, FontName, Line, broken, encoded, literal
from dataset_project.documents.model.blocks import Comment, Metadata, Surface
from dataset_project.documents.model.emitting import Emitter, Locator
from dataset_project.documents.model.values import Runs, plain

WIDTH, HEIGHT = 612.0, 792.0
"""US Letter in points."""
LEFT, RIGHT = 60.0, WIDTH - 60.0
_TOP, _BOTTOM = HEIGHT - 48.0, 48.0
# Helvetica's tallest letters and deepest descenders, as shares of the size (Adobe's metrics: 718 and 207 of 1,000).
_ASCENT, _DESCENT = 0.74, 0.22

STANDARD_PROPERTIES = (("title", "Title"), ("author", "Author"), ("subject", "Subject"), ("keywords", "Keywords"))
_RESERVED = {"Title", "Author", "Subject", "Keywords", "Creator", "Producer", "CreationDate", "ModDate", "Trapped"}
_CUSTOM = re.compile(r"[A-Za-z][A-Za-z0-9 _.-]*")


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


class Pages:
    """The pages of one PDF. ``y``: the upper edge of what is free on the current page, in points from the bottom."""

    def __init__(self, doc_id: str, header: Runs, footer: Runs) -> None:
        self.canvas = new_canvas(WIDTH, HEIGHT, doc_id)
        self.emitter = Emitter()
        self.header = broken(header, SMALL, RIGHT - LEFT)
        self.footer = broken(footer, SMALL, RIGHT - LEFT)
        self.bottom = _BOTTOM + (len(self.footer) * SMALL.leading + 8 if footer else 0)
        self.fonts: dict[FontName, str] = {}
        self.page = 0
        self.pictures = 0
        self.fields: list[Any] = []
        self.field_names: set[str] = set()
        self._begin()

    def _begin(self) -> None:
        self.y = _TOP
        self.pictures = 0
        for line in self.header:
            self.line(line, SMALL, "header")
        if self.header:
            self.rule(LEFT, RIGHT, self.y - 2)
            self.y -= 12
        self.top = self.y

    def _finish(self) -> None:
        self.y = _BOTTOM + len(self.footer) * SMALL.leading
        for line in self.footer:
            self.line(line, SMALL, "footer")
        self.canvas.showPage()

    def turn(self) -> None:
        """Finish the page and begin the next."""
        self._finish()
        self.page += 1
        self._begin()

    def need(self, height: float) -> bool:
        """Turn the page unless ``height`` points are free on it. Returns whether it was turned. Raises ValueError for
        more than a page."""
        if self.y - height >= self.bottom:
            return False
        if height > self.top - self.bottom:
            raise ValueError(f"{height:.0f} points that stay together do not fit onto a page of a PDF")
        self.turn()
        return True

    def air(self, height: float) -> None:
        """Leave ``height`` points free, except at the top of a page."""
        if self.y < self.top:
            self.y -= height

    def line(
        self,
        line: Line,
        face: Face,
        surface: Surface,
        *,
        x: float = LEFT,
        label: str = "",
        state: str = "",
        visible: bool = True,
    ) -> None:
        """Write ``line`` under what is there and go down by its leading; the caller has seen to the room.

        ``label``: stands before it in the emission, drawn elsewhere. ``state``: operators that hold for this line.
        """
        self.y -= face.leading
        self.text(line, face, surface, x, self.y + (face.leading - face.size) / 2 + 1, label, state, visible)

    def text(
        self,
        line: Line,
        face: Face,
        surface: Surface,
        x: float,
        baseline: float,
        label: str = "",
        state: str = "",
        visible: bool = True,
    ) -> None:
        """Write ``line`` at a place and emit it, each run with the box of its glyphs."""
        low, high = round(baseline - _DESCENT * face.size, 2), round(baseline + _ASCENT * face.size, 2)
        locators: list[Locator] = []
        at = x
        for size in line.widths:
            box = [round(at, 2), low, round(at + size, 2), high]
            locators.append({"kind": "pdf_text", "page": self.page, "bbox": box})
            at += size
        runs = line.runs
        if label:
            runs = (f"{label} ", *runs) if runs else (label,)
            locators.insert(0, {"kind": "pdf_text", "page": self.page, "bbox": [round(x, 2), low, round(x, 2), high]})
        self.emitter.emit_apart(runs, surface, locators, visible=visible)
        self.draw(plain(line.runs), face, x, baseline, line.scale, state)

    def draw(self, text: str, face: Face, x: float, baseline: float, scale: float = 1.0, state: str = "") -> None:
        """Draw text that is emitted by other means."""
        if not text:
            return
        font = self.fonts.get(face.font)
        if font is None:
            font = self.fonts[face.font] = add_font(self.canvas, face.font)
        if scale != 1.0:
            state = f"{state} {scale * 100:.3f} Tz"
        content = literal(encoded(text))
        shown = f"BT {font} {_number(face.size)} Tf {_number(x)} {_number(baseline)} Td {content} Tj ET"
        self.canvas.addLiteral(f"q {state.strip()} {shown} Q" if state else shown)

    def paragraph(
        self, runs: Runs, face: Face, surface: Surface, *, x: float = LEFT, state: str = "", visible: bool = True
    ) -> None:
        """Write ``runs`` as lines from ``x`` to the right margin, over pages as need be."""
        for line in broken(runs, face, RIGHT - x):
            self.need(face.leading)
            self.line(line, face, surface, x=x, state=state, visible=visible)

    def rule(self, x0: float, x1: float, y: float) -> None:
        """A thin grey line across."""
        self.canvas.addLiteral(f"q 0.5 w 0.6 G {_number(x0)} {_number(y)} m {_number(x1)} {_number(y)} l S Q")

    def box(self, x: float, y: float, width: float, height: float, grey: float) -> None:
        """A filled rectangle with an edge. ``grey``: 0 black to 1 white."""
        corners = " ".join(_number(value) for value in (x, y, width, height))
        self.canvas.addLiteral(f"q 0.5 w 0.4 G {grey} g {corners} re B Q")

    def picture(self, alt: Runs, width: float = 200.0, height: float = 100.0) -> None:
        """A grey box under what is there, with its alternative text as marked content (ISO 32000-1, 14.9.3)."""
        self.y -= height
        text = alt and self.emitter.emit(
            alt, "alt_text", {"kind": "pdf_alt", "page": self.page, "index": self.pictures}, visible=False
        )
        if text:
            self.pictures += 1
            # Text strings of any characters: UTF-16 with a byte order mark.
            self.canvas.addLiteral(f"/Span <</Alt <{(chr(0xFEFF) + text).encode('utf-16-be').hex()}>>> BDC")
        self.box(LEFT, self.y, width, height, 0.8)
        if text:
            self.canvas.addLiteral("EMC")

    def field(self, name: str, runs: Runs, x: float, width: float, height: float) -> None:
        """A filled-in text field whose upper edge is ``y``. Names are made unlike each other: PDF fields of one name
        are one field."""
        base = unique = name.replace(".", "_") or "field"
        number = 1
        while unique in self.field_names:
            number += 1
            unique = f"{base}_{number}"
        self.field_names.add(unique)
        text = self.emitter.emit(runs, "form_field", {"kind": "pdf_field", "name": unique, "page": self.page})
        self.fields.append(add_text_field(self.canvas, unique, text, (x, self.y - height, width, height)))

    def comments(self, comments: tuple[Comment, ...]) -> None:
        """Notes in the margin of the current page, before anything else that makes an annotation there."""
        for index, comment in enumerate(comments):
            place = {"kind": "pdf_annotation", "page": self.page, "index": index}
            author = self.emitter.emit(comment.author, "comment", {**place, "field": "author"}, visible=False)
            text = self.emitter.emit(comment.runs, "comment", {**place, "field": "text"}, visible=False)
            # Twenty below each other, then from the top again.
            y = _TOP - 40 - 30 * (index % 20)
            add_note(self.canvas, author, text, (RIGHT + 16, y, 18, 18))

    def properties(self, metadata: Metadata) -> None:
        """The information dictionary. Raises ValueError for a custom name that is a standard one or taken."""
        entries = {"Producer": "ReportLab PDF Library"}
        named = [(name, key, getattr(metadata, name)) for name, key in STANDARD_PROPERTIES]
        for name, runs in metadata.custom:
            if not _CUSTOM.fullmatch(name) or name in _RESERVED:
                raise ValueError(f"a custom property of a PDF has a name of its own, of ASCII letters: {name!r}")
            named.append((name, name, runs))
        for name, key, runs in named:
            if runs:
                if key in entries:
                    raise ValueError(f"two properties of one name: {name!r}")
                locator = {"kind": "property", "part": "info", "name": name}
                entries[key] = self.emitter.emit(runs, "metadata", locator, visible=False)
        set_information(self.canvas, entries)

    def content(self) -> bytes:
        """Finish the last page; the file's bytes."""
        self._finish()
        if self.fields:
            add_form(self.canvas, self.fields)
        return self.canvas.getpdfdata()
