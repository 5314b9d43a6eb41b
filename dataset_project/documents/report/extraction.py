"""What a simple script takes out of a file of each format: the text that most detectors are given.

The few lines that people write with the usual library: body and tables, and nothing that one has to ask for.
Attachments and members are opened likewise, so that a place is not judged by how deep it lies. All there is to find is
what `readers` find.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from html.parser import HTMLParser
from typing import Any

from dataset_project.documents.formats.registry import NAMES, format_named

_DEEPEST = 8


def ordinary_text(name: str, content: bytes) -> str:
    """The text of a file of the format ``name``, a line for each paragraph, cell or shape's paragraph.

    Raises ValueError for a name that is no format's, and for containers nested deeper than any document's.
    """
    if name not in _EXTRACTORS:
        raise ValueError(f"no document format {name!r}: one of {', '.join(NAMES)}")
    return "\n".join(_EXTRACTORS[name](content, 0))


def _docx(content: bytes, _depth: int) -> Iterator[str]:
    """Paragraphs and cells of the body: no headers, notes, comments, text boxes or content controls."""
    import docx

    document = docx.Document(io.BytesIO(content))
    for paragraph in document.paragraphs:
        yield paragraph.text
    for table in document.tables:
        for row in table.rows:
            yield from (cell.text for cell in row.cells)


def _pdf(content: bytes, _depth: int) -> Iterator[str]:
    """Text of the pages: no annotations, form fields or alternative texts."""
    import pypdfium2

    for page in pypdfium2.PdfDocument(content):
        # PDFium marks a hyphen at the end of a line.
        yield page.get_textpage().get_text_range().replace("\x02", "-").replace("\ufffe", "-")


def _xlsx(content: bytes, _depth: int) -> Iterator[str]:
    """Cells of all sheets: no comments, page headers or properties."""
    import openpyxl

    book: Any = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    for sheet in book.worksheets:
        for row in sheet.iter_rows(values_only=True):
            yield from (str(value) for value in row if value is not None)


def _pptx(content: bytes, _depth: int) -> Iterator[str]:
    """Paragraphs of shapes, and cells of tables: no notes, comments or alternative texts."""
    import pptx

    for slide in pptx.Presentation(io.BytesIO(content)).slides:
        for shape in slide.shapes:
            if shape.has_text_frame:
                yield from (paragraph.text for paragraph in shape.text_frame.paragraphs)
            if shape.has_table:
                for row in shape.table.rows:
                    yield from (cell.text for cell in row.cells)


def _message(content: bytes, depth: int) -> Iterator[str]:
    parsed: Any = BytesParser(policy=default).parsebytes(content)
    yield from _of_message(parsed, depth)


def _of_message(message: EmailMessage, depth: int) -> Iterator[str]:
    """Subject and the body as text, or else as HTML: no addresses and no names of attachments."""
    yield str(message["Subject"] or "")
    body: Any = message.get_body(("plain", "html"))
    if body is not None:
        text = body.get_content()
        yield from _visible(text) if body.get_content_subtype() == "html" else [text]
    attachments: Any = message.iter_attachments()
    for part in attachments:
        if part.get_content_type() == "message/rfc822":
            yield from _of_message(part.get_payload(0), _deeper(depth))
        else:
            yield from _inside(part.get_filename() or "", part.get_payload(decode=True), depth)


def _zip(content: bytes, depth: int) -> Iterator[str]:
    """What is in the members: not their names."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            yield from _inside(name, archive.read(name), depth)


def _inside(name: str, content: bytes, depth: int) -> Iterator[str]:
    suffix = name.rpartition(".")[2].lower()
    form = next((each for each in _EXTRACTORS if format_named(each).suffix == suffix), None)
    if form is not None:
        yield from _EXTRACTORS[form](content, _deeper(depth))


def _deeper(depth: int) -> int:
    if depth >= _DEEPEST:
        raise ValueError(f"containers are nested more than {_DEEPEST} deep")
    return depth + 1


class _Visible(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("style", "script", "title"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            self._open.remove(tag)
        elif tag in _BREAKING:
            self.found.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._open:
            self.found.append(data)


# Ends of elements after which a new line begins.
_BREAKING = frozenset(
    (
        *("address", "article", "aside", "dd", "div", "dt", "figcaption", "li", "option", "p", "section", "td", "th"),
        *(f"h{level}" for level in range(1, 7)),
    )
)


def _visible(text: str) -> list[str]:
    """Text between tags, without the title: no attributes, so no values of inputs, and no comments."""
    parser = _Visible()
    parser.feed(text)
    parser.close()
    return "".join(parser.found).splitlines()


def _html(content: bytes, _depth: int) -> Iterator[str]:
    yield from _visible(content.decode("utf-8-sig"))


def _plain(content: bytes, _depth: int) -> Iterator[str]:
    yield content.decode("utf-8-sig")


def _rtf(content: bytes, _depth: int) -> Iterator[str]:
    """The body as it is left when control words are taken away: no headers, notes, comments or properties."""
    from dataset_project.documents.readers.rtf import Reader

    yield from Reader(content).lines.get("body", ())


_EXTRACTORS: Mapping[str, Callable[[bytes, int], Iterator[str]]] = {
    "docx": _docx,
    "pdf": _pdf,
    "xlsx": _xlsx,
    "pptx": _pptx,
    "eml": _message,
    "nested_eml": _message,
    "txt": _plain,
    "html": _html,
    "csv": _plain,
    "rtf": _rtf,
    "zip": _zip,
}
