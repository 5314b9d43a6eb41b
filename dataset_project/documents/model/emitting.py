"""The canonical text of a document and its spans, built while a format emits: never by searching afterwards.

A format calls `Emitter.emit` for every run of text it writes, in its own order, with the place it writes it to. The
canonical text is what was emitted, a line per emission; a span is a value's place in it (Unicode code points) and in
the file (its locator).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dataset_project.documents.model.blocks import Surface
from dataset_project.documents.model.values import Runs, Value, plain

Locator = Mapping[str, Any]
"""Where a value is in the file, as its format addresses it; JSON-able. Always has ``kind``, which a reader goes by:

- ``xml``: part, and paragraph (index of the w:p or a:p in the part, in document order) [docx, pptx; pptx also slide and
  shape; ``attribute`` for alternative texts and authors]
- ``cell``: sheet, cell (``B7``) [xlsx]       - ``sheet_comment``: sheet, cell
- ``pdf_text``: page (from 0), bbox [x0, y0, x1, y1] in points from the bottom left       - ``pdf_field``: name
- ``pdf_annotation``: page, index       - ``pdf_alt``: page, index
- ``property``: part, name [docProps of OOXML, PDF information]
- ``line``: line number from 0 [txt, rtf, csv: with column]   - ``html``: element id, or ``comment`` index
- ``mail_header``: header, index       - ``mime``: path (``2.1``) around another locator ``inner``
- ``member``: name of an archive's member around ``inner``   - ``file_name``: of an attachment or member
"""


@dataclass(frozen=True)
class Span:
    """A planted value in a written document. ``start``/``end``: code points in the canonical text, half open.

    ``visible``: whether a person who opens the file sees it without looking for it.
    """

    value: Value
    start: int
    end: int
    surface: Surface
    locator: Locator
    visible: bool


@dataclass
class Emitter:
    """Collects text and spans. Made by whoever writes a document, one per document."""

    pieces: list[str] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    length: int = 0

    def emit(self, runs: Runs, surface: Surface, locator: Locator, *, visible: bool = True) -> str:
        """Note that ``runs`` are written as one line at ``locator``. Returns their text, which is what must be written.

        Empty runs emit nothing. Raises ValueError for a line break inside: one emission is one line.
        """
        text = plain(runs)
        if not text:
            return text
        if "\n" in text or "\r" in text:
            raise ValueError(f"a line break inside one emission: {text!r}")
        position = self.length
        for run in runs:
            size = len(run) if isinstance(run, str) else len(run.text)
            if isinstance(run, Value):
                self.spans.append(Span(run, position, position + size, surface, locator, visible))
            position += size
        self.pieces.append(text)
        self.length = position + 1
        return text

    def emit_apart(self, runs: Runs, surface: Surface, locators: list[Locator], *, visible: bool = True) -> str:
        """Like `emit`, with a locator of its own for each run (a PDF line whose values have boxes of their own)."""
        first = len(self.spans)
        text = self.emit(runs, surface, {"kind": "apart"}, visible=visible)
        of_values = [locator for run, locator in zip(runs, locators, strict=True) if isinstance(run, Value)]
        for number, locator in enumerate(of_values, first):
            span = self.spans[number]
            self.spans[number] = Span(span.value, span.start, span.end, span.surface, locator, span.visible)
        return text

    @property
    def text(self) -> str:
        """The canonical text so far: emissions joined by line feeds."""
        return "\n".join(self.pieces)


@dataclass(frozen=True)
class Written:
    """A document as a file: its bytes, canonical text and spans (in order of the text)."""

    content: bytes
    text: str
    spans: tuple[Span, ...]
