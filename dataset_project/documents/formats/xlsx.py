"""Workbooks: a sheet for each section, comments, hidden sheets, rows or columns, page headers, document properties.

Sheets are laid out by `xlsx_sheet`; the package is `ooxml`'s. Source: ECMA-376 part 1, sections 12.3 and 18.
"""

from __future__ import annotations

import re
from functools import cache

from dataset_project.documents.formats.layout_text import refuse_controls, refuse_zones
from dataset_project.documents.formats.ooxml import (
    DECLARATION,
    RELATIONSHIPS,
    Deflated,
    Package,
    add_properties,
    deflated,
    escape_attribute,
)
from dataset_project.documents.formats.xlsx_comments import (
    COMMENTS_TYPE,
    DRAWING_TYPE,
    commented_cells,
    comments_part,
    drawing_part,
)
from dataset_project.documents.formats.xlsx_sheet import MAIN, TITLE, SharedStrings, Sheet
from dataset_project.documents.model.blocks import Document, Surface
from dataset_project.documents.model.emitting import Emitter, Written
from dataset_project.documents.model.values import Runs
from dataset_project.storage.seeding import seed_for

SURFACES: frozenset[Surface] = frozenset({"body", "table", "header", "footer", "comment", "hidden", "metadata"})
SUFFIX = "xlsx"
MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_WORKBOOK = "xl/workbook.xml"
# Excel: 31 characters at most, none of these, no apostrophe at either end.
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
_NAME_LIMIT = 31

_FONT = '<name val="Calibri"/><family val="2"/>'
_FONTS = (
    f'<font><sz val="11"/>{_FONT}</font>',
    f'<font><b/><sz val="11"/>{_FONT}</font>',
    f'<font><b/><sz val="16"/>{_FONT}</font>',
    f'<font><b/><sz val="13"/>{_FONT}</font>',
    f'<font><sz val="9"/><color rgb="FF666666"/>{_FONT}</font>',
)
_FILLS = (
    '<fill><patternFill patternType="none"/></fill>',
    '<fill><patternFill patternType="gray125"/></fill>',
    '<fill><patternFill patternType="solid"><fgColor rgb="FFD9E1F2"/><bgColor indexed="64"/></patternFill></fill>',
)
_BORDERS = (
    "<border><left/><right/><top/><bottom/><diagonal/></border>",
    '<border><left/><right/><top/><bottom style="thin"><color auto="1"/></bottom><diagonal/></border>',
)
# Number format, font, fill and border of each cell format, in the order of `xlsx_sheet`'s indices. Number format 2 is
# 0.00 in all locales.
_FORMATS = ((0, 0, 0, 0), (0, 1, 0, 0), (0, 2, 0, 0), (0, 3, 0, 0), (0, 4, 0, 0), (0, 1, 2, 1), (2, 0, 0, 0))


@cache
def _styles() -> Deflated:
    def listed(name: str, items: tuple[str, ...]) -> str:
        return f'<{name} count="{len(items)}">{"".join(items)}</{name}>'

    formats = tuple(
        f'<xf numFmtId="{number}" fontId="{font}" fillId="{fill}" borderId="{border}" xfId="0" applyNumberFormat="1"'
        ' applyFont="1" applyFill="1" applyBorder="1"/>'
        for number, font, fill, border in _FORMATS
    )
    base = '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    named = '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
    looks = listed("fonts", _FONTS) + listed("fills", _FILLS) + listed("borders", _BORDERS)
    xml = f'{DECLARATION}<styleSheet xmlns="{MAIN}">{looks}{base}{listed("cellXfs", formats)}{named}</styleSheet>'
    return deflated(xml.encode(), f"{_TYPE}.styles+xml", level=9)


def sheet_name(title: str, taken: set[str]) -> str:
    """A sheet's name made of a section's title, unlike all in ``taken`` (casefolded; the new one is added)."""
    base = _NOT_IN_NAMES.sub(" ", title).strip().strip("'")[:_NAME_LIMIT].strip() or "Sheet"
    name, number = base, 1
    # "History" is reserved for tracked changes.
    while name.casefold() in taken or name.casefold() == "history":
        number += 1
        ending = f" {number}"
        name = base[: _NAME_LIMIT - len(ending)] + ending
    taken.add(name.casefold())
    return name


class _Workbook:
    """The sheets of a workbook as they are written, and what they share."""

    def __init__(self) -> None:
        self.emitter = Emitter()
        self.strings = SharedStrings()
        self.sheets: list[Sheet] = []
        self.hidden: set[str] = set()
        self.taken: set[str] = set()

    def sheet(self, title: str) -> Sheet:
        part = f"xl/worksheets/sheet{len(self.sheets) + 1}.xml"
        self.sheets.append(Sheet(sheet_name(title, self.taken), part, self.emitter, self.strings))
        return self.sheets[-1]

    def hide(self, lines: tuple[Runs, ...], doc_id: str) -> None:
        """Hidden lines: in a hidden sheet, in hidden rows or in a hidden column, drawn by the document's id."""
        way = seed_for(0, doc_id, "hidden cells") % 3
        if way == 0:
            self.sheets[0].add_hidden_rows(lines)
        elif way == 1:
            self.sheets[0].add_hidden_column(lines)
        else:
            sheet = self.sheet("Lookup")
            self.hidden.add(sheet.name)
            sheet.add_hidden_lines(lines)

    def xml(self, package: Package) -> str:
        sheets = []
        for number, sheet in enumerate(self.sheets, 1):
            relation = package.relate(_WORKBOOK, "worksheet", sheet.part.removeprefix("xl/"))
            state = ' state="hidden"' if sheet.name in self.hidden else ""
            name = escape_attribute(sheet.name)
            sheets.append(f'<sheet name="{name}" sheetId="{number}"{state} r:id="{relation}"/>')
        views = '<bookViews><workbookView windowWidth="24000" windowHeight="12000"/></bookViews>'
        spaces = f'xmlns="{MAIN}" xmlns:r="{RELATIONSHIPS}"'
        return f"{DECLARATION}<workbook {spaces}>{views}<sheets>{''.join(sheets)}</sheets></workbook>"


def _add_comments(package: Package, document: Document, book: _Workbook) -> str:
    """The comments of the first sheet; returns the relationship of their drawing."""
    if not document.comments:
        return ""
    sheet = book.sheets[0]
    cells = commented_cells(sheet, len(document.comments))
    package.add("xl/comments1.xml", comments_part(document.comments, cells, sheet.name, book.emitter), COMMENTS_TYPE)
    package.add("xl/drawings/vmlDrawing1.vml", drawing_part(cells), DRAWING_TYPE)
    package.relate(sheet.part, "comments", "../comments1.xml")
    return package.relate(sheet.part, "vmlDrawing", "../drawings/vmlDrawing1.vml")


def write(document: Document, doc_id: str) -> Written:
    """``document`` as a workbook.

    Locators: ``cell`` and ``sheet_comment`` of a sheet; ``property`` for metadata and for a sheet's page header and
    footer (``oddHeader``, ``oddFooter`` of the sheet's part), which every visible sheet has. Raises ValueError for a
    zone beyond `SURFACES`, for ragged tables, and for text that Excel cannot hold.
    """
    refuse_zones(document, SURFACES, "xlsx")
    book = _Workbook()
    for section in document.sections:
        sheet = book.sheet(section.title)
        if section.title:
            sheet.add_row(((section.title,),), "body", (TITLE,), fits=False)
        for block in section.blocks:
            sheet.add_block(block)
    if not book.sheets:
        book.sheet("")
    for sheet in book.sheets:
        sheet.set_page(document.header, document.footer)
    package = Package()
    drawing = _add_comments(package, document, book)
    if document.hidden:
        book.hide(document.hidden, doc_id)
    package.relate("", "officeDocument", _WORKBOOK)
    package.add(_WORKBOOK, book.xml(package), f"{_TYPE}.sheet.main+xml")
    for number, sheet in enumerate(book.sheets):
        package.add(sheet.part, sheet.xml("" if number else drawing), f"{_TYPE}.worksheet+xml")
    package.add("xl/styles.xml", _styles())
    package.relate(_WORKBOOK, "styles", "styles.xml")
    package.add("xl/sharedStrings.xml", book.strings.xml(), f"{_TYPE}.sharedStrings+xml")
    package.relate(_WORKBOOK, "sharedStrings", "sharedStrings.xml")
    add_properties(package, document.metadata, book.emitter, "Microsoft Excel")
    refuse_controls(book.emitter, "xlsx")
    return Written(package.content(), book.emitter.text, tuple(book.emitter.spans))
