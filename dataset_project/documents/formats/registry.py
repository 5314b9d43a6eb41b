"""The formats by name, and the writing of one document inside another.

What a format writes and how belongs to its module, which is imported when it is first asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from dataset_project.documents.model.blocks import Document, Surface
from dataset_project.documents.model.emitting import Emitter, Locator, Span, Written
from dataset_project.documents.model.values import Runs, plain

NAMES = ("docx", "pdf", "xlsx", "pptx", "eml", "nested_eml", "txt", "html", "csv", "rtf", "zip")
"""All formats, in the order in which they are listed to people."""

MESSAGES = frozenset({"eml", "nested_eml"})
CONTAINERS = MESSAGES | {"zip"}
"""Formats that hold files: they have ``Document.attachments`` and the zone ``file_name``."""


@dataclass(frozen=True)
class Format:
    """A format. ``suffix``: without the dot. ``surfaces``: the zones it really writes. ``write``: see `Written`."""

    name: str
    suffix: str
    media_type: str
    surfaces: frozenset[Surface]
    write: Callable[[Document, str], Written]


@cache
def format_named(name: str) -> Format:
    """The format ``name``. Raises ValueError for a name that is none of `NAMES`."""
    if name not in NAMES:
        raise ValueError(f"no document format {name!r}: one of {', '.join(NAMES)}")
    module: Any = import_module(f"dataset_project.documents.formats.{name}")
    return Format(name, module.SUFFIX.lstrip("."), module.MEDIA_TYPE, frozenset(module.SURFACES), module.write)


def write_inside(
    emitter: Emitter, form: Format, document: Document, doc_id: str, around: Callable[[Locator], Locator]
) -> bytes:
    """Write ``document`` as a part of the one that ``emitter`` belongs to, and go on with its canonical text.

    ``around`` says where the part is: it puts the part's own locators into the outer file's. Returns the part's bytes.
    """
    written = form.write(document, doc_id)
    if written.text:
        at = emitter.length
        emitter.spans += [
            Span(span.value, at + span.start, at + span.end, span.surface, around(span.locator), span.visible)
            for span in written.spans
        ]
        emitter.pieces.append(written.text)
        emitter.length += len(written.text) + 1
    return written.content


# What file systems and mail programs do not take in a name.
_NOT_IN_NAMES = re.compile(r'[\x00-\x1f\x7f-\x9f/\\:*?"<>|\u2028\u2029\ud800-\udfff]')


def file_name(document: Document, form: Format, number: int) -> Runs:
    """The name of ``document`` as an attachment or a member: its own and the suffix, or ``attachment_<number>``.

    Raises ValueError for a name that cannot be one (separators, control characters, a leading dot, outer blanks).
    """
    stem = plain(document.file_name)
    if _NOT_IN_NAMES.search(stem) or stem.startswith(".") or stem != stem.strip():
        raise ValueError(f"this cannot be the name of a file: {stem!r}")
    return (*(document.file_name or (f"attachment_{number}",)), f".{form.suffix}")
