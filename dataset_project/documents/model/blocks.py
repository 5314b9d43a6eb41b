"""What a document consists of, whatever its format: blocks of its body, and zones around it.

A format writes the zones it has (`formats`) and says so; a template asks before it puts something into one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from dataset_project.documents.model.values import Runs

Style = Literal["title", "heading", "body", "list", "small"]
Surface = Literal[
    "body",
    "table",
    "header",
    "footer",
    "comment",
    "footnote",
    "text_box",
    "form_field",
    "alt_text",
    "hidden",
    "notes",
    "metadata",
    "file_name",
    "mail_header",
    "html_only",
]
"""Where a value sits, as an extractor sees it: the most useful label of a span."""


@dataclass(frozen=True)
class Paragraph:
    """One line or paragraph of text."""

    runs: Runs
    style: Style = "body"


@dataclass(frozen=True)
class Fields:
    """Label and value pairs, as on a form: written as lines, as a two-column table, or as cells, as formats do."""

    pairs: tuple[tuple[str, Runs], ...]


@dataclass(frozen=True)
class Table:
    """A table with a header row. All rows are as wide as the header. ``name``: of a sheet or caption."""

    header: tuple[str, ...]
    rows: tuple[tuple[Runs, ...], ...]
    name: str = "Table"


@dataclass(frozen=True)
class FormField:
    """A field that is filled in: a content control, an AcroForm field, an input. ``name`` is its machine name."""

    name: str
    label: str
    runs: Runs


@dataclass(frozen=True)
class Picture:
    """A picture (made of nothing: a grey box drawn by the format) with its alternative text."""

    alt: Runs
    caption: Runs = ()


@dataclass(frozen=True)
class TextBox:
    """Text in a frame of its own: a text box, a call-out, a shape."""

    runs: Runs


Block = Paragraph | Fields | Table | FormField | Picture | TextBox


@dataclass(frozen=True)
class Section:
    """A page's worth of body: a slide, a sheet, a chapter. ``notes``: speaker notes, where the format has them."""

    title: str
    blocks: tuple[Block, ...]
    notes: Runs = ()


@dataclass(frozen=True)
class Comment:
    """A remark in the margin. ``author`` is a plain name of no identity pool unless it is a value itself."""

    author: Runs
    runs: Runs


@dataclass(frozen=True)
class Metadata:
    """Properties of the file. ``custom``: name → value, for formats that have custom properties."""

    title: Runs = ()
    author: Runs = ()
    subject: Runs = ()
    keywords: Runs = ()
    custom: tuple[tuple[str, Runs], ...] = ()


@dataclass(frozen=True)
class MailHeaders:
    """Headers of a message; addresses are written ``Name <address>`` within the runs."""

    sender: Runs
    to: tuple[Runs, ...]
    subject: Runs
    date: str
    cc: tuple[Runs, ...] = ()
    reply_to: Runs = ()
    message_id: str = ""


@dataclass(frozen=True)
class Document:
    """A document without a format.

    ``header``/``footer``: of every page. ``hidden``: what a reader does not see unless they look (hidden text, a hidden
    sheet or column, an HTML comment). ``file_name``: stem of the file as people would name it, without suffix; it is
    the name of an attachment or an archive member, never of a published file. ``mail``: only for messages.
    ``attachments``: (format name, document) pairs: parts of a message or members of an archive.
    """

    sections: tuple[Section, ...]
    header: Runs = ()
    footer: Runs = ()
    comments: tuple[Comment, ...] = ()
    footnotes: tuple[Runs, ...] = ()
    hidden: tuple[Runs, ...] = ()
    metadata: Metadata = field(default_factory=Metadata)
    file_name: Runs = ()
    mail: MailHeaders | None = None
    attachments: tuple[tuple[str, Document], ...] = ()
