"""One worksheet: blocks laid out downwards as cells, shared strings, hidden rows and columns, the header of its pages.

The workbook around the sheets belongs to `xlsx`, comments to `xlsx_comments`. Source: ECMA-376 part 1, section 18.3.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache

from dataset_project.documents.formats.ooxml import DECLARATION, RELATIONSHIPS, escape
from dataset_project.documents.model.blocks import Block, Fields, Paragraph, Surface, Table
from dataset_project.documents.model.emitting import Emitter
from dataset_project.documents.model.values import Runs

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
PLAIN, LABEL, TITLE, HEADING, SMALL, HEAD, CENTS = range(7)
"""Cell formats of the style sheet, by index."""

_STYLE_OF = {"title": TITLE, "heading": HEADING, "body": PLAIN, "list": PLAIN, "small": SMALL}
# Limits of Excel ("Excel specifications and limits"): characters of a cell, of a page header with its codes.
_CELL_LIMIT, _HEADER_LIMIT = 32767, 255
_WIDEST = 48.0
# Excel reads _x0041_ as "A".
_ESCAPE_CODE = re.compile(r"_x[0-9A-Fa-f]{4}_")
# What a spreadsheet shows just as it is written when it is stored as a number: whole numbers without leading zeros,
# and two decimals under the format 0.00. It goes by the text alone, whether or not that is a value: MRNs stored as
# text beside look-alikes stored as numbers would tell them apart.
_NUMBER = re.compile(r"-?[1-9]\d{0,8}(\.\d\d)?|0(\.\d\d)?")


@cache
def column_letters(column: int) -> str:
    """Letters of a column counted from 0: A … Z, AA …"""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


class SharedStrings:
    """The workbook's strings, each once, numbered as they come."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.uses = 0

    def number(self, text: str) -> int:
        """The number of ``text``. Raises ValueError for what Excel would read differently or not at all."""
        self.uses += 1
        number = self.numbers.get(text)
        if number is None:
            if len(text) > _CELL_LIMIT:
                raise ValueError(f"a cell holds {_CELL_LIMIT} characters at most, not {len(text)}")
            if "_x" in text and _ESCAPE_CODE.search(text):
                raise ValueError(f"Excel would read a character code in {text!r}")
            number = self.numbers[text] = len(self.numbers)
        return number

    def xml(self) -> str:
        """``xl/sharedStrings.xml``."""
        items = "".join([f'<si><t xml:space="preserve">{escape(text)}</t></si>' for text in self.numbers])
        counts = f'count="{self.uses}" uniqueCount="{len(self.numbers)}"'
        return f'{DECLARATION}<sst xmlns="{MAIN}" {counts}>{items}</sst>'


@dataclass
class Sheet:
    """A worksheet under construction. ``part``: its name in the package. Rows count from 1, columns from 0."""

    name: str
    part: str
    emitter: Emitter
    strings: SharedStrings
    rows: list[str] = field(default_factory=list)
    row: int = 0
    cells: list[str] = field(default_factory=list)
    widths: dict[int, float] = field(default_factory=dict)
    hidden_columns: set[int] = field(default_factory=set)
    header: str = ""
    footer: str = ""

    def _cell(self, column: int, runs: Runs, surface: Surface, style: int, fits: bool, visible: bool = True) -> str:
        reference = f"{column_letters(column)}{self.row}"
        locator = {"kind": "cell", "sheet": self.name, "cell": reference}
        text = self.emitter.emit(runs, surface, locator, visible=visible)
        if not text:
            return ""
        self.cells.append(reference)
        if fits and len(text) > self.widths.get(column, 0):
            self.widths[column] = len(text)
        if style == PLAIN and _NUMBER.fullmatch(text):
            # Two decimals are the format 0.00, of which CENTS is made.
            style_of = f' s="{CENTS}"' if "." in text else ""
            return f'<c r="{reference}"{style_of}><v>{text}</v></c>'
        return f'<c r="{reference}" s="{style}" t="s"><v>{self.strings.number(text)}</v></c>'

    def add_row(self, cells: tuple[Runs, ...], surface: Surface, styles: tuple[int, ...], *, fits: bool = True) -> None:
        """The next row. ``fits``: columns are made as wide as the texts."""
        self.row += 1
        written = [
            self._cell(number, runs, surface, style, fits)
            for number, (runs, style) in enumerate(zip(cells, styles, strict=True))
        ]
        self.rows.append(f'<row r="{self.row}">{"".join(written)}</row>')

    def add_block(self, block: Block) -> None:
        """A block and a blank row under it."""
        if isinstance(block, Paragraph):
            self.add_row((block.runs,), "body", (_STYLE_OF[block.style],), fits=False)
            # Paragraphs that follow each other stand as close as a list.
            return
        self.row += 1
        if isinstance(block, Fields):
            for label, runs in block.pairs:
                self.add_row(((label,), runs), "body", (LABEL, PLAIN))
        elif isinstance(block, Table):
            columns = len(block.header)
            self.add_row(tuple((name,) for name in block.header), "table", (HEAD,) * columns)
            styles = (PLAIN,) * columns
            for number, row in enumerate(block.rows):
                if len(row) != columns:
                    raise ValueError(f"row {number} has {len(row)} cells under a header of {columns}")
                self.add_row(row, "table", styles)
        else:
            raise TypeError(f"no block: {block!r}")
        self.row += 1

    def add_hidden_rows(self, lines: tuple[Runs, ...]) -> None:
        """A line each in hidden rows below everything."""
        self._add_unseen(lines, 0, ' hidden="1"')

    def add_hidden_column(self, lines: tuple[Runs, ...]) -> None:
        """A line each, below everything, in a hidden column right of all others."""
        column = max(self.widths, default=0) + 1
        self.hidden_columns.add(column)
        self._add_unseen(lines, column)

    def add_hidden_lines(self, lines: tuple[Runs, ...]) -> None:
        """A line each, in a sheet that is hidden itself."""
        self._add_unseen(lines, 0)

    def _add_unseen(self, lines: tuple[Runs, ...], column: int, of_row: str = "") -> None:
        self.row += 1
        for runs in lines:
            self.row += 1
            cell = self._cell(column, runs, "hidden", PLAIN, False, visible=False)
            self.rows.append(f'<row r="{self.row}"{of_row}>{cell}</row>')

    def set_page(self, header: Runs, footer: Runs) -> None:
        """Header and footer of the printed pages. Raises ValueError beyond 255 characters, which Excel refuses."""
        for zone, runs in (("header", header), ("footer", footer)):
            if not runs:
                continue
            name = f"odd{zone.capitalize()}"
            locator = {"kind": "property", "part": self.part, "name": name}
            # In the middle; an ampersand starts a code unless doubled.
            text = "&C" + self.emitter.emit(runs, zone, locator).replace("&", "&&")
            if len(text) > _HEADER_LIMIT:
                raise ValueError(f"a page {zone} of a sheet holds {_HEADER_LIMIT} characters with its codes: {text!r}")
            setattr(self, zone, f"<{name}>{escape(text)}</{name}>")

    def _columns(self) -> str:
        # A little air, as Excel leaves.
        columns = [
            f'<col min="{column + 1}" max="{column + 1}" width="{min(width + 2.0, _WIDEST)}" customWidth="1"/>'
            for column, width in sorted(self.widths.items())
        ]
        columns += [
            f'<col min="{column + 1}" max="{column + 1}" width="9" hidden="1"/>'
            for column in sorted(self.hidden_columns)
        ]
        return f"<cols>{''.join(columns)}</cols>" if columns else ""

    def xml(self, drawing: str = "") -> str:
        """The part's XML. ``drawing``: relationship id of the comments' drawing."""
        page = f"<headerFooter>{self.header}{self.footer}</headerFooter>" if self.header or self.footer else ""
        return "".join(
            (
                DECLARATION,
                f'<worksheet xmlns="{MAIN}" xmlns:r="{RELATIONSHIPS}">',
                self._columns(),
                f"<sheetData>{''.join(self.rows)}</sheetData>",
                '<pageMargins left="0.7" right="0.7" top="0.75" bottom="0.75" header="0.3" footer="0.3"/>',
                page,
                f'<legacyDrawing r:id="{drawing}"/>' if drawing else "",
                "</worksheet>",
            )
        )
