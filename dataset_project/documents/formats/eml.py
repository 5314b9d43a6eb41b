"""E-mail messages: text with an HTML alternative, and attached files written by the other formats.

The canonical text of a message: its headers, the text part, what only the HTML part has, then each attachment's name
and text. Messages within messages are the format `nested_eml`, which shares `message`.
"""

from __future__ import annotations

from dataclasses import replace

from dataset_project.documents.formats.layout_text import refuse_controls, refuse_zones
from dataset_project.documents.formats.mail_headers import CRLF, header_lines
from dataset_project.documents.formats.mail_parts import ONLY_HTML, at_path, attached, gathered, html_text, plain_text
from dataset_project.documents.formats.registry import MESSAGES, file_name, format_named, write_inside
from dataset_project.documents.model.blocks import Document, Surface
from dataset_project.documents.model.emitting import Emitter, Written

SURFACES: frozenset[Surface] = frozenset(
    {"mail_header", "body", "table", "header", "footer", "footnote", "html_only", "file_name"}
)
SUFFIX = "eml"
MEDIA_TYPE = "message/rfc822"


def message(document: Document, doc_id: str, form: str) -> Written:
    """``document`` as a message with whatever attachments it has. See `write`; ``form`` is the format in errors."""
    if document.mail is None:
        raise ValueError(f"{form} needs mail headers, the document has none")
    refuse_zones(replace(document, attachments=()), SURFACES | ONLY_HTML, form)
    emitter = Emitter()
    headers = header_lines(document.mail, doc_id, emitter)
    # With attachments the alternatives are the first of the mixed parts.
    inside = "1." if document.attachments else ""
    text = plain_text(document, emitter, f"{inside}1")
    content = gathered("alternative", doc_id, [text, html_text(document, emitter, f"{inside}2")])
    refuse_controls(emitter, form)
    if document.attachments:
        parts = [content]
        for number, (name, attachment) in enumerate(document.attachments, 1):
            of_part = format_named(name)
            around = at_path(str(number + 1))
            named = emitter.emit(file_name(attachment, of_part, number), "file_name", around({"kind": "file_name"}))
            written = write_inside(emitter, of_part, attachment, f"{doc_id}.{number}", around)
            parts.append(attached(of_part, written, named))
        content = gathered("mixed", doc_id, parts)
    return Written(CRLF.join((*headers, content)).encode("ascii"), emitter.text, tuple(emitter.spans))


def write(document: Document, doc_id: str) -> Written:
    """``document`` as a message.

    Text boxes, pictures and hidden text go into the HTML part only (surface ``html_only``); everything else stands in
    both parts and is emitted for the text part. Locators: ``mail_header``; ``mime`` path around ``line``, ``html``,
    ``file_name`` or the attachment's own. Raises ValueError for no mail headers, for a zone that is not written, for
    addresses, dates and names that cannot be one, and for an attached message.
    """
    if any(name in MESSAGES for name, _ in document.attachments):
        raise ValueError("eml has no messages within it: that is nested_eml")
    return message(document, doc_id, "eml")
