"""A document as lines of plain text, and what the plain formats refuse.

Shared by the text format and the text part of messages. Marks of a format (tags, quotes, control words) do not belong
here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dataset_project.documents.formats.ooxml import refuse_other_zones
from dataset_project.documents.model.blocks import (
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
from dataset_project.documents.model.emitting import Emitter
from dataset_project.documents.model.values import Run, Runs, plain

Line = tuple[Runs, Surface | None]
"""A line's runs and zone. Zone None: a blank line or a rule, which is layout and no text of the document."""

BLANK: Line = ((), None)
GAP = "  "
"""Between two columns of a table."""

_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_NO_METADATA = Metadata()


def refuse_zones(document: Document, surfaces: frozenset[Surface], form: str) -> None:
    """Raise ValueError naming the first zone of ``document`` that the format ``form`` does not write.

    Beyond `refuse_other_zones`: the file's properties, tables and text where a format has none.
    """
    refuse_other_zones(document, surfaces, form)
    if document.metadata != _NO_METADATA and "metadata" not in surfaces:
        raise ValueError(f"{form} has no metadata zone, but the document puts something there")


def refuse_controls(emitter: Emitter, form: str) -> None:
    """Raise ValueError naming the first control character, line separator or lone surrogate of the canonical text."""
    for piece in emitter.pieces:
        if not piece.isprintable() and (found := _CONTROL.search(piece)):
            raise ValueError(f"{form} cannot hold the character U+{ord(found[0]):04X}: {piece!r}")


def field_line(label: str, runs: Runs) -> Runs:
    """A field as one line: ``Label: value``; no colon without a label, or when the label brings its own mark."""
    if not label:
        return runs
    return (f"{label} " if label[-1] in ":?" else f"{label}: ", *runs)


def _table_lines(table: Table) -> Iterator[Line]:
    rows: list[tuple[Runs, ...]] = [tuple((name,) for name in table.header), *table.rows]
    lengths = [[len(plain(cell)) for cell in row] for row in rows]
    widths = [max(column) for column in zip(*lengths, strict=True)]
    for number, (row, sizes) in enumerate(zip(rows, lengths, strict=True)):
        runs: list[Run] = []
        for column, (cell, size) in enumerate(zip(row, sizes, strict=True)):
            runs += cell
            if column < len(widths) - 1:
                runs.append(" " * (widths[column] - size) + GAP)
        yield tuple(runs), "table"
        if number == 0:
            yield (GAP.join("-" * width for width in widths),), None


def _section_lines(blocks: tuple) -> Iterator[Line]:
    for block in blocks:
        kind = type(block)
        if kind is Paragraph:
            if block.style == "title":
                yield block.runs, "body"
                yield ("=" * len(plain(block.runs)),), None
            else:
                yield (("- ", *block.runs) if block.style == "list" else block.runs), "body"
        elif kind is Fields:
            for label, runs in block.pairs:
                yield field_line(label, runs), "body"
        elif kind is Table:
            yield from _table_lines(block)
        elif kind is Picture and block.caption:
            yield block.caption, "body"
        elif kind in (FormField, TextBox, Picture):
            # Only messages get here: their HTML part has these.
            continue
        yield BLANK


def text_lines(document: Document) -> Iterator[Line]:
    """The lines of ``document``: header, sections, footnotes (``[1] …``), footer, with blank lines between them.

    Paragraphs are not wrapped: a line of the document is a line of the file. Raises ValueError for a table whose rows
    differ in width.
    """
    if document.header:
        yield document.header, "header"
        yield BLANK
    for section in document.sections:
        if section.title:
            yield (section.title,), "body"
            yield ("-" * len(section.title),), None
        yield from _section_lines(section.blocks)
    for number, note in enumerate(document.footnotes, 1):
        yield (f"[{number}] ", *note), "footnote"
    if document.footer:
        yield BLANK
        yield document.footer, "footer"
