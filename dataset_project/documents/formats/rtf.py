"""Rich Text Format: paragraphs, tables, page header and footer, footnotes, comments, hidden text, properties.

ASCII only; other characters are written as ``\\uN``. Source: Rich Text Format Specification, version 1.9.1.
"""

from __future__ import annotations

import re

from dataset_project.documents.formats.layout_text import field_line, refuse_controls, refuse_zones
from dataset_project.documents.model.blocks import (
    Comment,
    Document,
    Fields,
    Metadata,
    Paragraph,
    Surface,
    Table,
)
from dataset_project.documents.model.emitting import Emitter, Written
from dataset_project.documents.model.values import Runs

SURFACES: frozenset[Surface] = frozenset(
    {"body", "table", "header", "footer", "footnote", "comment", "hidden", "metadata"}
)
SUFFIX = "rtf"
MEDIA_TYPE = "application/rtf"

_PROLOGUE = (
    r"{\rtf1\ansi\ansicpg1252\uc1\deff0{\fonttbl{\f0\fswiss\fcharset0 Arial;}}"
    r"{\colortbl;\red0\green0\blue0;\red90\green90\blue90;}"
)
_PAGE = r"\paperw12240\paperh15840\margl1440\margr1440\margt1440\margb1440"
# Twips between the margins.
_WIDTH = 9360
_STYLES = {
    "title": r"\pard\plain\sa240\f0\fs36\b ",
    "heading": r"\pard\plain\sb180\sa80\keepn\f0\fs26\b ",
    "body": r"\pard\plain\sb60\sa80\f0\fs21 ",
    "list": r"\pard\plain\li360\fi-180\sa60\f0\fs21 ",
    "small": r"\pard\plain\sa60\f0\fs17\cf2 ",
}
_SPECIAL = re.compile(r"[\\{}\t]|[^\x00-\x7f]")


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    if character == "\t":
        return r"\tab "
    if ord(character) < 128:
        return "\\" + character
    # UTF-16 code units as signed 16-bit numbers, each with one replacement character for old readers.
    units = character.encode("utf-16-le")
    numbers = (int.from_bytes(units[at : at + 2], "little", signed=True) for at in range(0, len(units), 2))
    return "".join(f"\\u{number}?" for number in numbers)


def escape(text: str) -> str:
    """``text`` as RTF. Raises UnicodeEncodeError (a ValueError) for a lone surrogate."""
    return _SPECIAL.sub(_escaped, text)


class _Writer:
    """Collects the pieces of the file and counts the lines of each destination: what locators number."""

    def __init__(self) -> None:
        self.emitter = Emitter()
        self.pieces: list[str] = []
        self.lines: dict[str, int] = {}

    def line(self, runs: Runs, surface: Surface, destination: str = "body", *, visible: bool = True) -> str:
        """Note a line of ``destination``; returns its text, escaped."""
        number = self.lines.get(destination, 0)
        self.lines[destination] = number + 1
        locator = {"kind": "line", "line": number, "destination": destination}
        return escape(self.emitter.emit(runs, surface, locator, visible=visible))

    def paragraph(self, runs: Runs, style: str = "body", surface: Surface = "body") -> None:
        self.pieces.append(f"{_STYLES[style]}{self.line(runs, surface)}\\par\n")

    def table(self, table: Table) -> None:
        columns = len(table.header)
        edges = "".join(rf"\clbrdrb\brdrs\brdrw8\cellx{_WIDTH * (n + 1) // columns}" for n in range(columns))
        rows: list[tuple[Runs, ...]] = [tuple((name,) for name in table.header), *table.rows]
        for number, row in enumerate(rows):
            if len(row) != columns:
                raise ValueError(f"row {number - 1} has {len(row)} cells under a header of {columns}")
            bold = r"\b " if number == 0 else " "
            cells = "".join([rf"\pard\plain\intbl\f0\fs19{bold}{self.line(runs, 'table')}\cell" + "\n" for runs in row])
            self.pieces.append(rf"\trowd\trgaph80{edges}" + f"\n{cells}\\row\n")
        self.pieces.append("\\pard\\plain\n")

    def info(self, metadata: Metadata) -> None:
        """The information group, and user properties after it."""
        emit = self.emitter.emit
        pieces = []
        for name in ("title", "subject", "author", "keywords"):
            if runs := getattr(metadata, name):
                text = emit(runs, "metadata", {"kind": "property", "part": "info", "name": name}, visible=False)
                pieces.append(f"{{\\{name} {escape(text)}}}")
        self.pieces.append(f"{{\\info{''.join(pieces)}}}\n")
        if metadata.custom:
            pieces = []
            for name, runs in metadata.custom:
                text = emit(runs, "metadata", {"kind": "property", "part": "userprops", "name": name}, visible=False)
                # Type 30: text.
                pieces.append(f"{{\\propname {escape(name)}}}\\proptype30{{\\staticval {escape(text)}}}")
            self.pieces.append(f"{{\\*\\userprops {''.join(pieces)}}}\n")

    def notes(self, document: Document) -> None:
        """A last paragraph with the anchors of footnotes and comments, where there are any."""
        if not (document.footnotes or document.comments):
            return
        self.pieces.append(_STYLES["body"])
        for runs in document.footnotes:
            text = self.line(runs, "footnote", "footnote")
            self.pieces.append(rf"{{\super\chftn}}{{\footnote\pard\plain\f0\fs17{{\super\chftn}}{text}}}" + "\n")
        for comment in document.comments:
            self.pieces.append(self.comment(comment))
        self.lines["body"] = self.lines.get("body", 0) + 1
        self.pieces.append("\\par\n")

    def comment(self, comment: Comment) -> str:
        author = self.line(comment.author, "comment", "atnauthor", visible=False)
        text = self.line(comment.runs, "comment", "annotation")
        return rf"{{\*\atnid Note}}{{\*\atnauthor {author}}}\chatn{{\*\annotation\pard\plain\f0\fs17 {text}}}" + "\n"


def write(document: Document, doc_id: str) -> Written:
    """``document`` as RTF. Locators: ``line`` number (paragraphs and cells, from 0) within a ``destination``: body,
    header, footer, footnote, annotation, atnauthor.

    Raises ValueError for a zone beyond `SURFACES`, for ragged tables and for control characters.
    """
    refuse_zones(document, SURFACES, "rtf")
    writer = _Writer()
    writer.pieces.append(_PROLOGUE + "\n")
    writer.info(document.metadata)
    writer.pieces.append(_PAGE + "\n")
    for zone, runs in (("header", document.header), ("footer", document.footer)):
        if runs:
            text = writer.line(runs, zone, zone)
            writer.pieces.append(rf"{{\{zone}\pard\plain\f0\fs17\cf2 {text}\par}}" + "\n")
    for section in document.sections:
        if section.title:
            writer.paragraph((section.title,), "heading")
        for block in section.blocks:
            if isinstance(block, Paragraph):
                writer.paragraph(block.runs, block.style)
            elif isinstance(block, Fields):
                for label, runs in block.pairs:
                    writer.paragraph(field_line(label, runs))
            elif isinstance(block, Table):
                writer.table(block)
            else:
                raise TypeError(f"no block: {block!r}")
    for runs in document.hidden:
        text = writer.line(runs, "hidden", visible=False)
        # The paragraph mark is hidden too: no gap shows where the text is.
        writer.pieces.append(f"\\pard\\plain{{\\v\\f0\\fs21 {text}\\par}}\n")
    writer.notes(document)
    writer.pieces.append("}\n")
    refuse_controls(writer.emitter, "rtf")
    return Written("".join(writer.pieces).encode("ascii"), writer.emitter.text, tuple(writer.emitter.spans))
