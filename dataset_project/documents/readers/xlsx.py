"""Reads workbooks with openpyxl: cells as they are shown, comments, properties; page headers from the sheets' parts."""

from __future__ import annotations

import warnings
from io import BytesIO
from typing import Any
from xml.etree import ElementTree
from zipfile import ZipFile

from dataset_project.documents.model.emitting import Locator

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_CORE = {"title": "title", "author": "creator", "subject": "subject", "keywords": "keywords"}
_PAGE = tuple(f"{which}{zone}" for which in ("odd", "even", "first") for zone in ("Header", "Footer"))


def _page_text(codes: str) -> str:
    """A page header without its codes: sections left, centre and right joined, doubled ampersands single."""
    pieces, at = [], 0
    while at < len(codes):
        if codes[at] == "&" and at + 1 < len(codes):
            if codes[at + 1] == "&":
                pieces.append("&")
            at += 2
        else:
            pieces.append(codes[at])
            at += 1
    return "".join(pieces)


class Reader:
    """A workbook. ``text_at`` takes ``cell``, ``sheet_comment`` and ``property`` locators."""

    def __init__(self, content: bytes) -> None:
        from openpyxl import load_workbook

        with warnings.catch_warnings():
            warnings.simplefilter("error")
            self.book: Any = load_workbook(BytesIO(content))
        self.pages: dict[tuple[str, str], str] = {}
        with ZipFile(BytesIO(content)) as archive:
            self.properties: list[str] = []
            for part in archive.namelist():
                if part.startswith("xl/worksheets/sheet"):
                    self._read_page(part, ElementTree.fromstring(archive.read(part)))
                elif part.startswith("docProps/") and part.endswith(".xml"):
                    self._read_properties(ElementTree.fromstring(archive.read(part)))

    def _read_page(self, part: str, root: ElementTree.Element) -> None:
        for name in _PAGE:
            for element in root.iter(_MAIN + name):
                self.pages[part, name] = _page_text(element.text or "")

    def _read_properties(self, root: ElementTree.Element) -> None:
        for element in root.iter():
            self.properties += [text for text in (element.get("name"), element.text) if text and text.strip()]

    def _shown(self, cell: Any) -> str:
        value = cell.value
        if isinstance(value, float | int) and not isinstance(value, bool):
            return f"{value:.2f}" if cell.number_format == "0.00" else f"{value}"
        return "" if value is None else str(value)

    def _cell(self, locator: Locator) -> Any:
        if locator["sheet"] not in self.book.sheetnames:
            raise KeyError(f"no sheet {locator['sheet']!r}")
        return self.book[locator["sheet"]][locator["cell"]]

    def _property(self, part: str, name: str) -> str:
        if part == "docProps/core.xml":
            return getattr(self.book.properties, _CORE[name]) or ""
        if part == "docProps/custom.xml":
            found = [each.value for each in self.book.custom_doc_props.props if each.name == name]
            return found[0] if found else ""
        return self.pages.get((part, name), "")

    def text_at(self, locator: Locator) -> str:
        """What is shown there. Raises KeyError where there is nothing."""
        kind, text = locator["kind"], ""
        if kind == "cell":
            text = self._shown(self._cell(locator))
        elif kind == "sheet_comment" and (comment := self._cell(locator).comment):
            text = comment.author if locator["field"] == "author" else comment.text
        elif kind == "property":
            text = self._property(locator["part"], locator["name"])
        if not text:
            raise KeyError(f"no text at {dict(locator)}")
        return text

    def everything(self) -> str:
        """Names of sheets, all cells, hidden or not, comments with authors, page headers, properties, defined names."""
        found = list(self.properties)
        for name, defined in self.book.defined_names.items():
            found += (name, str(defined.value))
        for sheet in self.book.worksheets:
            found.append(sheet.title)
            for row in sheet.iter_rows():
                for cell in row:
                    if text := self._shown(cell):
                        found.append(text)
                    if cell.comment:
                        found += (cell.comment.author or "", cell.comment.text)
        return "\n".join((*found, *self.pages.values()))
