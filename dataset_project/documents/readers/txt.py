"""Reads plain text: lines by number."""

from __future__ import annotations

from dataset_project.documents.model.emitting import Locator


class Reader:
    """A text file. ``text_at`` takes ``line`` locators; a blank line is nothing."""

    def __init__(self, content: bytes) -> None:
        self.text = content.decode("utf-8-sig")
        self.lines = self.text.split("\n")

    def text_at(self, locator: Locator) -> str:
        """The line. Raises KeyError where there is none."""
        number = locator["line"] if locator["kind"] == "line" else -1
        if not 0 <= number < len(self.lines) or not self.lines[number]:
            raise KeyError(f"no text at {dict(locator)}")
        return self.lines[number]

    def everything(self) -> str:
        """The whole text."""
        return self.text
