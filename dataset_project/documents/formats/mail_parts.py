"""Parts of messages (RFC 2045, 2046): text, its HTML alternative, attached files and messages, and their gathering.

Everything is 7-bit: text as quoted-printable, files as base64. Header fields of the message belong to `mail_headers`.
"""

from __future__ import annotations

from binascii import b2a_base64, b2a_qp
from collections.abc import Callable

from dataset_project.documents.formats.html import Elements
from dataset_project.documents.formats.layout_text import text_lines
from dataset_project.documents.formats.mail_headers import CRLF, parameter, token
from dataset_project.documents.formats.registry import MESSAGES, Format
from dataset_project.documents.model.blocks import Document, Surface
from dataset_project.documents.model.emitting import Emitter, Locator
from dataset_project.documents.model.values import Runs, plain

# 57 bytes are 76 characters of base64, the most that RFC 2045 allows on a line.
_BASE64_BYTES = 57
ONLY_HTML: frozenset[Surface] = frozenset({"text_box", "alt_text", "hidden"})
"""Zones that a message writes into its HTML part alone: their spans have the surface ``html_only``."""


def at_path(path: str) -> Callable[[Locator], Locator]:
    """Puts a locator into the part at ``path`` (``1.2``: the second part of the first; counted from 1)."""
    return lambda inner: {"kind": "mime", "path": path, "inner": inner}


def _quoted_printable(text: str) -> str:
    return b2a_qp(text.encode()).decode("ascii").replace("\n", CRLF)


def _text_part(kind: str, text: str) -> str:
    return CRLF.join(
        (
            f"Content-Type: text/{kind}; charset=utf-8",
            "Content-Transfer-Encoding: quoted-printable",
            "",
            _quoted_printable(text),
        )
    )


def plain_text(document: Document, emitter: Emitter, path: str) -> str:
    """The text part of ``document``: where its body is emitted."""
    around = at_path(path)
    lines = []
    for runs, surface in text_lines(document):
        if surface is None:
            lines.append(plain(runs))
        else:
            lines.append(emitter.emit(runs, surface, around({"kind": "line", "line": len(lines)})))
    return _text_part("plain", "\n".join((*lines, "")))


class _HtmlOnly:
    """Passes on to ``emitter`` what the text part does not have; the rest was emitted there."""

    def __init__(self, emitter: Emitter, path: str) -> None:
        self.emitter = emitter
        self.around = at_path(path)

    def emit(self, runs: Runs, surface: Surface, locator: Locator, *, visible: bool = True) -> str:
        if surface in ONLY_HTML:
            return self.emitter.emit(runs, "html_only", self.around(locator), visible=visible)
        return plain(runs)


def html_text(document: Document, emitter: Emitter, path: str) -> str:
    """The HTML alternative. Hidden text is an element without display, as the preview lines of newsletters are."""
    elements = Elements(_HtmlOnly(emitter, path), hidden_as="element")
    elements.add(document)
    page = ("<html>", '<head><meta charset="utf-8"></head>', "<body>", *elements.pieces, "</body>", "</html>", "")
    return _text_part("html", "\n".join(page))


def attached(form: Format, content: bytes, name: str) -> str:
    """A file as an attachment; a message as a message, not encoded (RFC 2046 section 5.2.1)."""
    disposition = f"Content-Disposition: attachment;{CRLF} {parameter('filename', name)}"
    if form.name in MESSAGES:
        head = ("Content-Type: message/rfc822", "Content-Transfer-Encoding: 7bit", disposition, "")
        return CRLF.join((*head, content.decode("ascii")))
    kind = f"{form.media_type}; charset=utf-8" if form.media_type.startswith("text/") else form.media_type
    lines = [
        b2a_base64(content[at : at + _BASE64_BYTES], newline=False).decode("ascii")
        for at in range(0, len(content), _BASE64_BYTES)
    ]
    head = (f"Content-Type: {kind}", "Content-Transfer-Encoding: base64", disposition, "")
    return CRLF.join((*head, *lines, ""))


def gathered(kind: str, doc_id: str, parts: list[str]) -> str:
    """``parts`` as one of type ``multipart/<kind>``, with a boundary made of ``doc_id``.

    The boundary starts with ``=_``, which is neither quoted-printable nor base64, so it cannot stand in a part; in
    attached messages it differs by their ids.
    """
    boundary = f"=_{token(doc_id, kind)}"
    pieces = [f'Content-Type: multipart/{kind};{CRLF} boundary="{boundary}"', ""]
    for part in parts:
        pieces += (f"--{boundary}", part)
    return CRLF.join((*pieces, f"--{boundary}--", ""))
