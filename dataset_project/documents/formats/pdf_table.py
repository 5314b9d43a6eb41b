"""Tables on the pages of a PDF: widths of columns, rows that stay together, the header row again on each page."""

from __future__ import annotations

from dataclasses import replace

from dataset_project.documents.formats.pdf_page import LEFT, RIGHT, Pages
from dataset_project.documents.formats.pdf_text import CELL, HEAD, Face, Line, broken, widest_unit, width
from dataset_project.documents.model.blocks import Table
from dataset_project.documents.model.values import Runs, plain

_PAD = 4.0
# Below this, in points, text is no longer read; cells are condensed instead.
_SMALLEST = 5.0


def _faces(least: list[float], room: float) -> tuple[Face, Face]:
    """Cell and header face, small enough for the widest piece of each column, down to `_SMALLEST`."""
    share = min(1.0, room / max(sum(least), 1e-9))
    size = max(_SMALLEST, int(CELL.size * share * 2) / 2)
    if size >= CELL.size:
        return CELL, HEAD
    leading = round(CELL.leading * size / CELL.size, 2)
    return replace(CELL, size=size, leading=leading), replace(HEAD, size=size, leading=leading)


def column_widths(natural: list[float], least: list[float], room: float) -> list[float]:
    """Widths that fill ``room``: each column its widest piece (``least``), and of the rest by what it would like more
    (``natural``). Where the pieces do not fit, all are narrowed alike."""
    rest = room - sum(least)
    if rest < 0:
        return [each * room / sum(least) for each in least]
    wishes = [whole - piece for whole, piece in zip(natural, least, strict=True)]
    if (wished := sum(wishes)) <= rest:
        extra = (rest - wished) / len(natural)
        return [whole + extra for whole in natural]
    return [piece + wish * rest / wished for piece, wish in zip(least, wishes, strict=True)]


def _row(pages: Pages, cells: list[list[Line]], face: Face, widths: list[float], top_rule: bool) -> None:
    upper = pages.y
    lines = max((len(cell) for cell in cells), default=1) or 1
    if top_rule:
        pages.rule(LEFT, RIGHT, upper)
    x = LEFT
    for cell, size in zip(cells, widths, strict=True):
        pages.y = upper - 2
        for line in cell:
            pages.line(line, face, "table", x=x + _PAD)
        x += size
    pages.y = upper - lines * face.leading - 4
    pages.rule(LEFT, RIGHT, pages.y)


def add_table(pages: Pages, table: Table) -> None:
    """Write ``table``. Raises ValueError for ragged rows and for a row higher than a page."""
    columns = len(table.header)
    for number, row in enumerate(table.rows):
        if len(row) != columns:
            raise ValueError(f"row {number} has {len(row)} cells under a header of {columns}")
    if not columns:
        raise ValueError("a table without columns")
    head: tuple[Runs, ...] = tuple((name,) if name else () for name in table.header)
    room = RIGHT - LEFT - 2 * _PAD * columns
    natural = [max(width(plain(runs), HEAD), 6.0) for runs in head]
    least = [max(widest_unit(runs, HEAD), 6.0) for runs in head]
    for row in table.rows:
        for column, runs in enumerate(row):
            whole = width(plain(runs), CELL)
            # What is no wider than a piece need not be cut into pieces.
            if whole > least[column]:
                least[column] = max(least[column], widest_unit(runs, CELL))
                natural[column] = max(natural[column], whole)
    face, head_face = _faces(least, room)
    share = face.size / CELL.size
    widths = column_widths([each * share for each in natural], [each * share for each in least], room)
    header = [broken(runs, head_face, size + 0.01) for runs, size in zip(head, widths, strict=True)]
    outer = [size + 2 * _PAD for size in widths]
    head_height = max(len(cell) for cell in header) * head_face.leading + 4

    pages.need(head_height + face.leading + 4)
    _row(pages, header, head_face, outer, True)
    for row in table.rows:
        cells = [broken(runs, face, size + 0.01) for runs, size in zip(row, widths, strict=True)]
        height = max(len(cell) for cell in cells) * face.leading + 4
        if height + head_height > pages.top - pages.bottom:
            raise ValueError("a table's row is higher than a page of a PDF")
        if pages.need(height):
            _row(pages, header, head_face, outer, True)
        _row(pages, cells, face, outer, False)
    pages.y -= 8
