"""Comma-separated values (RFC 4180, UTF-8, CRLF): one table, with what stands around it as comment lines above it.

A document has exactly one table here. Its paragraphs, fields and section titles, header and footer become lines that
start with ``# ``, all of them before the table, as exports of laboratory and billing systems have them; such lines are
not quoted. A cell that would itself look like one is quoted.
"""

from __future__ import annotations

import re

from dataset_project.documents.formats.layout_text import field_line, refuse_controls, refuse_zones
from dataset_project.documents.model.blocks import Document, Fields, Paragraph, Surface, Table
from dataset_project.documents.model.emitting import Emitter, Written
from dataset_project.documents.model.values import Runs

SURFACES: frozenset[Surface] = frozenset({"body", "table", "header", "footer"})
SUFFIX = "csv"
MEDIA_TYPE = "text/csv"

# What a spreadsheet program would run as a formula (OWASP, "CSV injection"). A quoting apostrophe would change the
# text, so such cells are refused; numbers and dashes alone, which mean what they say, are not.
_FORMULA = re.compile(r"[=+\-@\t]")
_HARMLESS = re.compile(r"[+-]?\d[\d,]*(\.\d+)?%?|-+")
_QUOTED = re.compile(r'[",]|^[#\s]|\s$')


def _comment_lines(document: Document) -> list[tuple[Runs, Surface]]:
    lines: list[tuple[Runs, Surface]] = [(document.header, "header")] if document.header else []
    for section in document.sections:
        if section.title:
            lines.append(((section.title,), "body"))
        for block in section.blocks:
            if isinstance(block, Paragraph):
                lines.append((block.runs, "body"))
            elif isinstance(block, Fields):
                lines += [(field_line(label, runs), "body") for label, runs in block.pairs]
    if document.footer:
        lines.append((document.footer, "footer"))
    return lines


def _only_table(document: Document) -> Table:
    tables = [block for section in document.sections for block in section.blocks if isinstance(block, Table)]
    if len(tables) != 1:
        raise ValueError(f"csv holds exactly one table, the document has {len(tables)}")
    table = tables[0]
    for number, row in enumerate(table.rows):
        if len(row) != len(table.header):
            raise ValueError(f"row {number} has {len(row)} cells under a header of {len(table.header)}")
    return table


def _cell(text: str) -> str:
    if _FORMULA.match(text) and not _HARMLESS.fullmatch(text):
        raise ValueError(f"a spreadsheet would take this cell for a formula: {text!r}")
    return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text


def write(document: Document, doc_id: str) -> Written:
    """``document`` as CSV. Locators: ``line`` of the file and, in the table, ``column``, both from 0.

    Raises ValueError for a zone beyond `SURFACES`, for no or more than one table, for a cell that a spreadsheet would
    take for a formula (it starts with one of ``= + - @`` or a tab and is no number) and for control characters.
    """
    refuse_zones(document, SURFACES, "csv")
    table = _only_table(document)
    emitter = Emitter()
    lines = [
        "# " + emitter.emit(runs, surface, {"kind": "line", "line": number})
        for number, (runs, surface) in enumerate(_comment_lines(document))
    ]
    rows: list[tuple[Runs, ...]] = [tuple((name,) for name in table.header), *table.rows]
    for number, row in enumerate(rows, len(lines)):
        cells = [
            _cell(emitter.emit(runs, "table", {"kind": "line", "line": number, "column": column}))
            for column, runs in enumerate(row)
        ]
        # A row of one empty cell would be a blank line, which readers skip.
        lines.append(",".join(cells) or '""')
    refuse_controls(emitter, "csv")
    lines.append("")
    return Written("\r\n".join(lines).encode(), emitter.text, tuple(emitter.spans))
