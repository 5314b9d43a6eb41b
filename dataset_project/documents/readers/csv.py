"""Reads comma-separated values with the standard library's parser; comment lines above the table as they are."""

from __future__ import annotations

import csv

from dataset_project.documents.model.emitting import Locator


class Reader:
    """A CSV file. ``text_at`` takes ``line`` locators: with a column a cell, without one a comment line."""

    def __init__(self, content: bytes) -> None:
        self.lines = content.decode("utf-8-sig").splitlines(keepends=False)
        self.cells = {
            number: next(csv.reader([line], strict=True))
            for number, line in enumerate(self.lines)
            if line and not line.startswith("#")
        }

    def text_at(self, locator: Locator) -> str:
        """The cell or comment. Raises KeyError where there is none."""
        if locator["kind"] != "line":
            raise KeyError(f"a CSV has no {locator['kind']}")
        number = locator["line"]
        try:
            text = self.cells[number][locator["column"]] if "column" in locator else self.lines[number]
        except IndexError:
            text = ""
        if not text:
            raise KeyError(f"no text at {dict(locator)}")
        return text

    def everything(self) -> str:
        """Comments, and cells without their quotes, a line each."""
        found: list[str] = []
        for number, line in enumerate(self.lines):
            found += self.cells.get(number, [line])
        return "\n".join(found)
