"""What python-pptx and lxml find in a PPTX: the text at a locator, and all of it."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dataset_project.documents.readers.ooxml import Archive, local, paragraph_texts

if TYPE_CHECKING:
    from pptx.presentation import Presentation

    from dataset_project.documents.model.emitting import Locator

_CORE = "docProps/core.xml"
_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"


@dataclass(frozen=True)
class _Page:
    """A slide or its notes: number of the slide, shapes by id, paragraphs with their text."""

    slide: int
    shapes: dict[int, Any]
    paragraphs: list[tuple[Any, str]]


class Reader:
    """Reads a PPTX. Raises zipfile.BadZipFile for what is no package, ValueError for what is no presentation."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._archive = Archive(content)

    @cached_property
    def presentation(self) -> Presentation:
        """As python-pptx opens it: parts that nothing relates to are not in it."""
        import pptx

        return pptx.Presentation(io.BytesIO(self._content))

    @cached_property
    def _slides(self) -> list[Any]:
        return list(self.presentation.slides)

    @cached_property
    def _parts(self) -> set[str]:
        return {str(part.partname).lstrip("/") for part in self.presentation.part.package.iter_parts()}

    def text_at(self, locator: Locator) -> str:
        """The whole text of the paragraph, comment, author, alternative text or property at ``locator``.

        KeyError when nothing is there, or when part, slide and shape do not belong together.
        """
        kind, part = locator.get("kind"), locator.get("part")
        if kind not in ("xml", "property") or part not in self._parts:
            raise KeyError(f"no such place in a PPTX: {dict(locator)}")
        if kind == "property":
            text = self._property(part, locator["name"])
        elif "author" in locator:
            text = self._numbered(part, f"{_P}cmAuthor", locator["author"]).get("name", "")
        elif "comment" in locator:
            self._check_comments(part, locator)
            text = self._numbered(part, f"{_P}cm", locator["comment"]).findtext(f"{_P}text") or ""
        else:
            text = self._on_page(part, locator)
        if not text:
            raise KeyError(f"no text at {dict(locator)}")
        return text

    def _property(self, part: str, name: str) -> str:
        if part == _CORE:
            return getattr(self.presentation.core_properties, name, "")
        return self._archive.property(part, name)

    def _numbered(self, part: str, tag: str, number: int) -> Any:
        found = list(self._archive.root(part).iter(tag))
        if not 0 <= number < len(found):
            raise KeyError(f"{part} has {len(found)} of {local(tag)}, none is number {number}")
        return found[number]

    def _check_comments(self, part: str, locator: Locator) -> None:
        number = locator["slide"]
        if not 0 <= number < len(self._slides):
            raise KeyError(f"the deck has {len(self._slides)} slides: {dict(locator)}")
        related = self._slides[number].part.rels.values()
        if not any(str(each.target_part.partname) == f"/{part}" for each in related):
            raise KeyError(f"slide {locator['slide']} has no {part}")

    @cached_property
    def _pages(self) -> dict[str, _Page]:
        """Slides and their notes pages, by part."""
        pages = {}
        for number, slide in enumerate(self._slides):
            for each in (slide, slide.notes_slide) if slide.has_notes_slide else (slide,):
                shapes = {shape.shape_id: shape._element for shape in each.shapes}
                pages[str(each.part.partname).lstrip("/")] = _Page(number, shapes, paragraph_texts(each.element))
        return pages

    def _on_page(self, part: str, locator: Locator) -> str:
        page = self._pages.get(part)
        if page is None or page.slide != locator["slide"]:
            raise KeyError(f"{part} is not slide {locator['slide']}, nor its notes")
        shape = page.shapes.get(locator["shape"])
        if shape is None:
            raise KeyError(f"{part} has no shape {locator['shape']}")
        if locator.get("attribute") == "descr":
            return next((each.get("descr") for each in shape.iter(f"{_P}cNvPr") if each.get("descr")), "")
        number = locator["paragraph"]
        if not 0 <= number < len(page.paragraphs):
            raise KeyError(f"{part} has {len(page.paragraphs)} paragraphs: {dict(locator)}")
        paragraph, text = page.paragraphs[number]
        if shape not in paragraph.iterancestors():
            raise KeyError(f"paragraph {number} of {part} is not in shape {locator['shape']}")
        return text

    def everything(self) -> str:
        """All text anywhere in the file, a line for each piece: see `Archive.everything`."""
        return self._archive.everything()
