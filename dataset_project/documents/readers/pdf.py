"""Reads PDFs with PDFium: text within a box, form fields, annotations, alternative texts, properties."""

from __future__ import annotations

import ctypes
import re
from typing import Any

from dataset_project.documents.model.emitting import Locator

# Taken off a box left and right, as a share of its height, so that neighbours stay out whose ink reaches into it.
_INSET = 0.035
# In points: how near a character's origin is to the edge of a box that starts or ends with it, rounding included.
_NEAR = 0.1
_PROPERTIES = {"title": "Title", "author": "Author", "subject": "Subject", "keywords": "Keywords"}
_ANNOTATION = {"author": b"T", "text": b"Contents", "value": b"V", "name": b"T"}
# PDFium marks a hyphen at the end of a line, after which a word may go on.
_HYPHENS = str.maketrans({"\x02": "-", "\ufffe": "-"})
_WIDGET = 20


def _utf16(call: Any, *arguments: Any) -> str:
    """The text of one of PDFium's functions that fill a buffer with UTF-16LE."""
    size = call(*arguments, None, 0)
    if size <= 2:
        return ""
    buffer = ctypes.create_string_buffer(size)
    call(*arguments, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)) if arguments[1:] else buffer, size)
    return buffer.raw[: size - 2].decode("utf-16-le")


class Reader:
    """A PDF. ``text_at`` takes ``pdf_text``, ``pdf_field``, ``pdf_annotation``, ``pdf_alt`` and ``property``."""

    def __init__(self, content: bytes) -> None:
        import pypdfium2

        self._raw: Any = pypdfium2.raw
        self.content = content
        self.document: Any = pypdfium2.PdfDocument(content)
        self._pages: dict[int, Any] = {}
        self._texts: dict[int, Any] = {}
        self._notes: dict[int, list[dict[str, str]]] = {}

    def _page(self, number: int) -> Any:
        if not 0 <= number < len(self.document):
            raise KeyError(f"no page {number} in the PDF")
        if number not in self._pages:
            self._pages[number] = self.document[number]
        return self._pages[number]

    def _text_page(self, number: int) -> Any:
        if number not in self._texts:
            self._texts[number] = self._page(number).get_textpage()
        return self._texts[number]

    def _annotations(self, number: int) -> list[dict[str, str]]:
        """The annotations of a page: subtype, T, Contents and V of each."""
        if number not in self._notes:
            raw, page, found = self._raw, self._page(number), []
            for index in range(raw.FPDFPage_GetAnnotCount(page)):
                note = raw.FPDFPage_GetAnnot(page, index)
                entries = {
                    key.decode(): _utf16(raw.FPDFAnnot_GetStringValue, note, key) for key in (b"T", b"Contents", b"V")
                }
                entries["subtype"] = str(raw.FPDFAnnot_GetSubtype(note))
                raw.FPDFPage_CloseAnnot(note)
                found.append(entries)
            self._notes[number] = found
        return self._notes[number]

    def _alternatives(self, number: int) -> list[str]:
        """Alternative texts of a page's marked content, in the order of the page."""
        raw, page, found = self._raw, self._page(number), []
        for index in range(raw.FPDFPage_CountObjects(page)):
            item = raw.FPDFPage_GetObject(page, index)
            for mark_index in range(raw.FPDFPageObj_CountMarks(item)):
                mark = raw.FPDFPageObj_GetMark(item, mark_index)
                size = ctypes.c_ulong()
                # As bytes: PDFium does not decode text strings here.
                if not raw.FPDFPageObjMark_GetParamBlobValue(mark, b"Alt", None, 0, size) or not size.value:
                    continue
                buffer = (ctypes.c_ubyte * size.value)()
                raw.FPDFPageObjMark_GetParamBlobValue(mark, b"Alt", buffer, size.value, size)
                text = bytes(buffer)
                found.append(text[2:].decode("utf-16-be") if text[:2] == b"\xfe\xff" else text.decode("latin-1"))
        return found

    def _within(self, number: int, box: list[float]) -> str:
        x0, y0, x1, y1 = box
        inset = _INSET * (y1 - y0)
        text = self._text_page(number).get_text_bounded(x0 + inset, y0, x1 - inset, y1).translate(_HYPHENS).strip()
        return text if not text or "\n" in text else self._from_origins(number, box) or text

    def _from_origins(self, number: int, box: list[float]) -> str:
        """The characters of one line whose origins are within the box, if they stand where it starts; else nothing.

        PDFium goes by the ink, and that of a euro sign, say, reaches far over its own width into its neighbour's box.
        """
        raw, page, (x0, y0, x1, y1) = self._raw, self._text_page(number), box
        x, y = ctypes.c_double(), ctypes.c_double()
        middle, reach = (y0 + y1) / 2, (y1 - y0) / 2

        def origin(index: int) -> float | None:
            found = raw.FPDFText_GetCharOrigin(page, index, x, y)
            return x.value if found and y0 <= y.value <= y1 else None

        index = raw.FPDFText_GetCharIndexAtPos(page, x0 + _NEAR, middle, reach, reach)
        while index > 0 and (at := origin(index - 1)) is not None and at >= x0 - _NEAR:
            index -= 1
        while index >= 0 and (at := origin(index)) is not None and at < x0 - _NEAR:
            index += 1
        characters = []
        while index >= 0 and (at := origin(index)) is not None and x0 - _NEAR <= at < x1 - _NEAR:
            characters.append(chr(raw.FPDFText_GetUnicode(page, index)))
            index += 1
        return "".join(characters).translate(_HYPHENS).strip()

    def text_at(self, locator: Locator) -> str:
        """The text found there. Raises KeyError where there is none."""
        kind, text = locator["kind"], ""
        if kind == "pdf_text":
            text = self._within(locator["page"], locator["bbox"])
        elif kind == "pdf_field":
            for note in (note for page in range(len(self.document)) for note in self._annotations(page)):
                if note["subtype"] == str(_WIDGET) and note["T"] == locator["name"]:
                    text = note["V"]
        elif kind == "pdf_annotation":
            notes = self._annotations(locator["page"])
            if 0 <= locator["index"] < len(notes):
                text = notes[locator["index"]]["T" if locator.get("field") == "author" else "Contents"]
        elif kind == "pdf_alt":
            found = self._alternatives(locator["page"])
            text = found[locator["index"]] if 0 <= locator["index"] < len(found) else ""
        elif kind == "property":
            text = self._property(_PROPERTIES.get(locator["name"], locator["name"]))
        if not text:
            raise KeyError(f"no text at {dict(locator)}")
        return text

    def _property(self, key: str) -> str:
        return _utf16(self._raw.FPDF_GetMetaText, self.document, key.encode())

    def _property_names(self) -> list[str]:
        """Keys of the information dictionary, which PDFium does not list: from the file itself."""
        reference = re.search(rb"/Info\s+(\d+)\s+\d+\s+R", self.content)
        body = reference and re.search(rb"\n%s 0 obj(.*?)endobj" % reference[1], self.content, re.DOTALL)
        names = re.findall(rb"/((?:[^\s/()<>\[\]#]|#[0-9A-Fa-f]{2})+)\s*[(<]", body[1]) if body else []
        hexadecimal = re.compile(r"#([0-9A-Fa-f]{2})")
        return [hexadecimal.sub(lambda found: chr(int(found[1], 16)), name.decode()) for name in names]

    def everything(self) -> str:
        """Text of the pages, seen or not, annotations, form fields, alternative texts and properties."""
        found = []
        for name in self._property_names():
            found += (name, self._property(name))
        for number in range(len(self.document)):
            found.append(self._text_page(number).get_text_range().translate(_HYPHENS))
            found += [text for note in self._annotations(number) for text in (note["T"], note["Contents"], note["V"])]
            found += self._alternatives(number)
        return "\n".join(text for text in found if text)
