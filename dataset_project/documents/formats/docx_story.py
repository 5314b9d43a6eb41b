"""Stories of a word-processing document (body, header, comments …): paragraphs and their runs, numbered as written.

What a block or a zone becomes belongs to `docx_blocks` and `docx_zones`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from dataset_project.documents.formats.ooxml import DECLARATION, RELATIONSHIPS, Splitter, escape
from dataset_project.documents.model.blocks import Surface
from dataset_project.documents.model.emitting import Emitter, Locator
from dataset_project.documents.model.values import Runs

DRAWING = "http://schemas.openxmlformats.org/drawingml/2006"
NAMESPACES = (
    ' xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    f' xmlns:r="{RELATIONSHIPS}"'
    f' xmlns:wp="{DRAWING}/wordprocessingDrawing" xmlns:a="{DRAWING}/main" xmlns:pic="{DRAWING}/picture"'
    ' xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    ' xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"'
)
"""Of the root of every story; the last two are those of text boxes."""

# The revision that later pieces of a cut run are marked with: what real documents show where a run was edited.
_EDITED = ' w:rsidR="00B43F2A"'


def paragraph_head(style: str, properties: str = "") -> str:
    """Start tag and properties of a paragraph. ``properties``: what follows ``w:pStyle`` in the schema's order."""
    return f'<w:p><w:pPr><w:pStyle w:val="{style}"/>{properties}</w:pPr>'


def _text(piece: str) -> str:
    """``w:t`` (and ``w:tab``) elements of a piece."""
    if "\t" in piece:
        return "<w:tab/>".join(_text(part) if part else "" for part in piece.split("\t"))
    # Without the attribute Word drops blanks at the ends.
    if piece[0] == " " or piece[-1] == " ":
        return f'<w:t xml:space="preserve">{escape(piece)}</w:t>'
    return f"<w:t>{escape(piece)}</w:t>"


@dataclass
class Story:
    """The XML of one part that holds paragraphs. ``paragraphs``: how many there are so far, nested ones included."""

    part: str
    emitter: Emitter
    splitter: Splitter
    xml: list[str] = field(default_factory=list)
    paragraphs: int = 0

    def locator(self) -> Locator:
        """Of the paragraph that is written next."""
        return {"kind": "xml", "part": self.part, "paragraph": self.paragraphs}

    def runs(self, text: str, properties: str = "") -> str:
        """``w:r`` elements of ``text``, cut as editing does. ``properties``: content of each one's ``w:rPr``."""
        pieces = self.splitter.pieces(text)
        properties = f"<w:rPr>{properties}</w:rPr>" if properties else ""
        if len(pieces) == 1:
            return f"<w:r>{properties}{_text(text)}</w:r>"
        marks = ("", _EDITED)
        return "".join(
            f"<w:r{marks[number & 1]}>{properties}{_text(piece)}</w:r>" for number, piece in enumerate(pieces)
        )

    def paragraph(
        self,
        head: str,
        runs: Runs,
        surface: Surface,
        *,
        properties: str = "",
        before: str = "",
        after: str = "",
        visible: bool = True,
    ) -> None:
        """Write and emit a paragraph. ``head``: see `paragraph_head`. ``before``, ``after``: XML around its runs."""
        text = self.emitter.emit(runs, surface, self.locator(), visible=visible)
        self.xml.append(f"{head}{before}{self.runs(text, properties)}{after}</w:p>")
        self.paragraphs += 1

    def bare(self, xml: str) -> None:
        """Write a paragraph that has no text of the document, as XML."""
        self.xml.append(xml)
        self.paragraphs += 1

    def document(self, root: str) -> str:
        """The part: its root element around what was written."""
        return f"{DECLARATION}<w:{root}{NAMESPACES}>{''.join(self.xml)}</w:{root}>"
