"""What python-docx and lxml find in a DOCX: the text at a locator, and all of it."""

from __future__ import annotations

import io
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dataset_project.documents.readers.ooxml import WORD, Archive

if TYPE_CHECKING:
    from docx.document import Document

    from dataset_project.documents.model.emitting import Locator

_CORE = "docProps/core.xml"
_COMMENTS = "word/comments.xml"


class Reader:
    """Reads a DOCX. Raises zipfile.BadZipFile for what is no package, ValueError for what is no word document."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._archive = Archive(content)

    @cached_property
    def document(self) -> Document:
        """As python-docx opens it: parts that nothing relates to are not in it."""
        import docx

        return docx.Document(io.BytesIO(self._content))

    @cached_property
    def _parts(self) -> set[str]:
        return {str(part.partname).lstrip("/") for part in self.document.part.package.iter_parts()}

    def text_at(self, locator: Locator) -> str:
        """The whole text of the paragraph, comment author, alternative text or property at ``locator``.

        KeyError when nothing is there, or in a part that no relationship leads to.
        """
        kind, part = locator.get("kind"), locator.get("part")
        if kind not in ("xml", "property") or part not in self._parts:
            raise KeyError(f"no such place in a DOCX: {dict(locator)}")
        text = self._property(part, locator["name"]) if kind == "property" else self._in_part(part, locator)
        if not text:
            raise KeyError(f"no text at {dict(locator)}")
        return text

    def _property(self, part: str, name: str) -> str:
        if part == _CORE:
            return getattr(self.document.core_properties, name, "")
        return self._archive.property(part, name)

    def _in_part(self, part: str, locator: Locator) -> str:
        paragraphs, number = self._archive.paragraphs(part), locator["paragraph"]
        if not 0 <= number < len(paragraphs):
            raise KeyError(f"{part} has {len(paragraphs)} paragraphs: {dict(locator)}")
        paragraph, text = paragraphs[number]
        attribute = locator.get("attribute")
        return text if attribute is None else self._attribute(part, paragraph, attribute)

    def _attribute(self, part: str, paragraph: Any, attribute: str) -> str:
        if attribute == "author" and part == _COMMENTS:
            # python-docx knows the comment by its number.
            comment = self.document.comments.get(int(paragraph.getparent().get(f"{WORD}id")))
            return comment.author if comment is not None else ""
        if attribute == "descr":
            drawings = paragraph.iter("{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}docPr")
            return next((each.get("descr") for each in drawings if each.get("descr")), "")
        raise KeyError(f"no such attribute of a paragraph: {attribute!r}")

    def everything(self) -> str:
        """All text anywhere in the file, a line for each piece: see `Archive.everything`."""
        return self._archive.everything()
