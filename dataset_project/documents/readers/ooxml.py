"""Reading packages of Office Open XML: parts, properties, paragraphs, and all text there is anywhere.

With lxml and zipfile, nothing of the writers. What a locator of DOCX or PPTX means belongs to `docx` and `pptx`.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from functools import cached_property
from typing import Any

WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
CUSTOM_PROPERTY = "{http://schemas.openxmlformats.org/officeDocument/2006/custom-properties}property"
CORE = {
    "title": "{http://purl.org/dc/elements/1.1/}title",
    "subject": "{http://purl.org/dc/elements/1.1/}subject",
    "author": "{http://purl.org/dc/elements/1.1/}creator",
    "keywords": "{http://schemas.openxmlformats.org/package/2006/metadata/core-properties}keywords",
}
"""Element of ``docProps/core.xml`` by the model's name of the property."""

_PARAGRAPHS = (f"{WORD}p", f"{DRAWING}p")
_TEXTS = {f"{WORD}t", f"{DRAWING}t", f"{WORD}delText"}
# In runs only: among a paragraph's properties `w:tab` is a tab stop.
_AS_CHARACTER = {f"{WORD}tab": "\t", f"{WORD}br": "\n", f"{WORD}cr": "\n", f"{DRAWING}br": "\n"}
_TELLING_ATTRIBUTES = ("author", "initials", "descr", "title", "name", "tooltip", "display", "location", "Target")
_TELLING_ELEMENTS = ("alias", "tag", "tblCaption", "tblDescription", "bookmarkStart", "docVar")


def local(name: str) -> str:
    """``name`` without its namespace."""
    return name.rpartition("}")[2]


def paragraph_texts(root: Any) -> list[tuple[Any, str]]:
    """Paragraphs under ``root`` in document order, each with its own text: not that of paragraphs nested in it."""
    texts: dict[Any, list[str]] = {}
    for element in root.iter(*_PARAGRAPHS, *_TEXTS, *_AS_CHARACTER):
        tag = element.tag
        if tag in _PARAGRAPHS:
            texts[element] = []
            continue
        if tag not in _TEXTS and local(element.getparent().tag) not in ("r", "p"):
            continue
        owner = next(element.iterancestors(*_PARAGRAPHS), None)
        if owner is not None:
            texts[owner].append(_AS_CHARACTER.get(tag) or element.text or "")
    return [(paragraph, "".join(pieces)) for paragraph, pieces in texts.items()]


class Archive:
    """The parts of a package. Raises zipfile.BadZipFile for what is no ZIP."""

    def __init__(self, content: bytes) -> None:
        self._zip = zipfile.ZipFile(io.BytesIO(content))
        self._roots: dict[str, Any] = {}
        self._paragraphs: dict[str, list[tuple[Any, str]]] = {}

    @cached_property
    def names(self) -> list[str]:
        """Of all members."""
        return self._zip.namelist()

    def root(self, part: str) -> Any:
        """The root element of an XML part. KeyError when there is no such part."""
        if part not in self._roots:
            from lxml import etree

            # No entities, no network: what is read may come from anywhere.
            parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
            self._roots[part] = etree.fromstring(self._zip.read(part), parser)
        return self._roots[part]

    def paragraphs(self, part: str) -> list[tuple[Any, str]]:
        """`paragraph_texts` of a part, kept."""
        if part not in self._paragraphs:
            self._paragraphs[part] = paragraph_texts(self.root(part))
        return self._paragraphs[part]

    def property(self, part: str, name: str) -> str:
        """A document property, core or custom. KeyError when it is not there."""
        root = self.root(part)
        if part.endswith("core.xml"):
            found = root.find(CORE[name])
        else:
            found = next((each for each in root.iter(CUSTOM_PROPERTY) if each.get("name") == name), None)
        if found is None:
            raise KeyError(f"no property {name!r} in {part}")
        return "".join(found.itertext())

    def everything(self) -> str:
        """A line for each piece of text: names and comments of members, paragraphs, other text, telling attributes."""
        return "\n".join(filter(None, self._pieces()))

    def _pieces(self) -> Iterator[str]:
        yield self._zip.comment.decode("utf-8", "replace")
        for member in self._zip.infolist():
            yield member.filename
            yield member.comment.decode("utf-8", "replace")
            if member.filename.endswith((".xml", ".rels", ".vml")):
                yield from self._texts(member.filename)
            elif member.filename.endswith(".png"):
                yield from _png_texts(self._zip.read(member))

    def _texts(self, part: str) -> Iterator[str]:
        for _, text in self.paragraphs(part):
            yield text
        for element in self.root(part).iter():
            # Of comments and processing instructions too: they have no tag, but text.
            is_element = isinstance(element.tag, str)
            if element.text and not (is_element and element.tag in _TEXTS):
                yield element.text.strip()
            if element.tail:
                yield element.tail.strip()
            if not is_element:
                continue
            telling = local(element.tag) in _TELLING_ELEMENTS
            for name, value in element.attrib.items():
                if telling or local(name) in _TELLING_ATTRIBUTES:
                    yield value


def _png_texts(data: bytes) -> Iterator[str]:
    """Text chunks of a PNG."""
    at = 8
    while at + 8 <= len(data):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if kind in (b"tEXt", b"iTXt", b"eXIf"):
            yield data[at + 8 : at + 8 + size].decode("latin-1")
        at += 12 + size
