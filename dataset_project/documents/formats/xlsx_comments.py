"""Comments on cells: the comments part, and the legacy drawing without which Excel does not show them.

Sources: ECMA-376 part 1, section 18.7 (comments), part 4, section 19.4 (VML drawings of spreadsheets).
"""

from __future__ import annotations

import re

from dataset_project.documents.formats.ooxml import DECLARATION, escape
from dataset_project.documents.formats.xlsx_sheet import MAIN, Sheet
from dataset_project.documents.model.blocks import Comment
from dataset_project.documents.model.emitting import Emitter

COMMENTS_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.comments+xml"
DRAWING_TYPE = "application/vnd.openxmlformats-officedocument.vmlDrawing"

_DRAWING_HEAD = (
    '<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office"'
    ' xmlns:x="urn:schemas-microsoft-com:office:excel"><o:shapelayout v:ext="edit"><o:idmap v:ext="edit" data="1"/>'
    '</o:shapelayout><v:shapetype id="_x0000_t202" coordsize="21600,21600" o:spt="202"'
    ' path="m,l,21600r21600,l21600,xe">'
    '<v:stroke joinstyle="miter"/><v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>'
)


def commented_cells(sheet: Sheet, count: int) -> list[str]:
    """``count`` different cells to comment on, spread over the sheet's cells; below them when they are too few."""
    step = max(1, len(sheet.cells) // (count + 1))
    cells = sheet.cells[step - 1 :: step][:count]
    return cells + [f"A{sheet.row + 2 + number}" for number in range(count - len(cells))]


def comments_part(comments: tuple[Comment, ...], cells: list[str], sheet: str, emitter: Emitter) -> str:
    """``xl/comments1.xml``. Author and text are emitted each; locator ``sheet_comment`` with its ``field``."""
    authors: dict[str, int] = {}
    pieces = []
    for comment, cell in sorted(zip(comments, cells, strict=True), key=lambda pair: _position(pair[1])):
        place = {"kind": "sheet_comment", "sheet": sheet, "cell": cell}
        author = emitter.emit(comment.author, "comment", {**place, "field": "author"}, visible=False)
        text = emitter.emit(comment.runs, "comment", {**place, "field": "text"}, visible=False)
        number = authors.setdefault(author, len(authors))
        pieces.append(
            f'<comment ref="{cell}" authorId="{number}"><text><r><t xml:space="preserve">{escape(text)}</t></r></text>'
            "</comment>"
        )
    names = "".join(f"<author>{escape(author)}</author>" for author in authors)
    body = f"<authors>{names}</authors><commentList>{''.join(pieces)}</commentList>"
    return f'{DECLARATION}<comments xmlns="{MAIN}">{body}</comments>'


def _position(cell: str) -> tuple[int, int]:
    """Row and column of a cell, from 0."""
    match = re.fullmatch(r"([A-Z]+)(\d+)", cell)
    assert match
    column = 0
    for letter in match[1]:
        column = column * 26 + ord(letter) - 64
    return int(match[2]) - 1, column - 1


def drawing_part(cells: list[str]) -> str:
    """``xl/drawings/vmlDrawing1.vml``: a box for each comment, shown when the pointer is over its cell."""
    shapes = []
    for number, cell in enumerate(sorted(cells, key=_position), 1025):
        row, column = _position(cell)
        anchor = f"{column + 1}, 15, {max(row - 1, 0)}, 10, {column + 3}, 15, {max(row - 1, 0) + 4}, 4"
        shapes.append(
            f'<v:shape id="_x0000_s{number}" type="#_x0000_t202" style="position:absolute;margin-left:60pt;'
            'margin-top:1.5pt;width:108pt;height:60pt;z-index:1;visibility:hidden" fillcolor="#ffffe1"'
            ' o:insetmode="auto"><v:fill color2="#ffffe1"/><v:shadow on="t" color="black" obscured="t"/>'
            '<v:path o:connecttype="none"/><v:textbox/><x:ClientData ObjectType="Note"><x:MoveWithCells/>'
            f"<x:SizeWithCells/><x:Anchor>{anchor}</x:Anchor><x:AutoFill>False</x:AutoFill>"
            f"<x:Row>{row}</x:Row><x:Column>{column}</x:Column></x:ClientData></v:shape>"
        )
    return f"{_DRAWING_HEAD}{''.join(shapes)}</xml>"
