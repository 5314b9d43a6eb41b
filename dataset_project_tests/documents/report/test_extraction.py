"""What a simple script takes out of files that the real writers wrote, with one word in each zone."""

from __future__ import annotations

import io
import zipfile

import pytest

from dataset_project.documents.formats.registry import CONTAINERS, MESSAGES, NAMES, format_named
from dataset_project.documents.model.blocks import (
    Comment,
    Document,
    FormField,
    MailHeaders,
    Metadata,
    Paragraph,
    Picture,
    Section,
    Table,
    TextBox,
)
from dataset_project.documents.readers.registry import reader_of
from dataset_project.documents.report.extraction import ordinary_text


def _document(form: str, attachments: tuple[tuple[str, Document], ...] = ()) -> Document:
    """A document with the word ``in<zone>`` in every zone that the format has."""
    has = format_named(form).surfaces

    def word(surface: str) -> tuple[str, ...]:
        return (f"in{surface.replace('_', '')}",) if surface in has else ()

    blocks: list = [Paragraph(("inbody",))]
    if "table" in has:
        blocks.append(Table(("Head",), ((("intable",),),)))
    if "form_field" in has:
        blocks.append(FormField("field", "Label", word("form_field")))
    if "alt_text" in has:
        blocks.append(Picture(word("alt_text")))
    if "text_box" in has:
        blocks.append(TextBox(word("text_box")))
    mail = None
    if form in MESSAGES:
        mail = MailHeaders(("Sender <s@example.org>",), (("inaddress <t@example.org>",),), ("insubject",), _DATE)
    return Document(
        sections=(Section("Title", tuple(blocks), word("notes")),) if form != "zip" else (),
        header=word("header"),
        footer=word("footer"),
        comments=(Comment(("Author",), word("comment")),) if "comment" in has else (),
        footnotes=(word("footnote"),) if "footnote" in has else (),
        hidden=(word("hidden"),) if "hidden" in has else (),
        metadata=Metadata(title=word("metadata")) if "metadata" in has else Metadata(),
        mail=mail,
        attachments=attachments,
    )


_DATE = "Thu, 15 Jan 2026 09:00:00 +0000"
# Zones that a simple script does not give, by format; of those that the format has, all others it does.
UNSEEN = {
    "docx": {"header", "footer", "comment", "footnote", "text_box", "form_field", "alt_text", "metadata"},
    "pdf": {"comment", "form_field", "alt_text", "metadata"},
    "xlsx": {"header", "footer", "comment", "metadata"},
    # A header stands in the notes alone.
    "pptx": {"header", "comment", "alt_text", "notes", "metadata"},
    "txt": set(),
    "html": {"form_field", "alt_text", "hidden", "metadata"},
    "csv": set(),
    "rtf": {"header", "footer", "comment", "footnote", "metadata"},
}


@pytest.mark.parametrize("form", UNSEEN)
def test_of_each_zone_the_script_gives_what_is_known_of_it(form):
    written = format_named(form).write(_document(form), "d1").content
    words = {surface: f"in{surface.replace('_', '')}" for surface in format_named(form).surfaces}
    text, everything = ordinary_text(form, written), reader_of(form)(written).everything()
    assert {surface for surface, word in words.items() if word not in everything} == set()
    assert {surface for surface, word in words.items() if word not in text} == UNSEEN[form]


def test_the_formats_told_of_and_the_containers_are_all_there_are():
    assert set(UNSEEN) | CONTAINERS == set(NAMES)


@pytest.mark.parametrize("form", sorted(CONTAINERS))
def test_attachments_and_members_are_opened_at_any_depth(form):
    inner = _document("docx")
    within = Document((), file_name=("inname",), attachments=(("docx", inner),))
    outer = _document(form, (("pdf", _document("pdf")), ("zip", within)))
    text = ordinary_text(form, format_named(form).write(outer, "d1").content)
    assert text.count("intable") >= 2 and "inname" not in text and "inmetadata" not in text
    if form in MESSAGES:
        assert "insubject" in text and "inaddress" not in text


def test_another_format_is_an_error_that_names_those_there_are():
    with pytest.raises(ValueError, match=r"'odt'.*docx, pdf"):
        ordinary_text("odt", b"")


def test_an_archive_in_an_archive_without_end_is_an_error():
    content = b"deep"
    name = "deep.txt"
    for _ in range(12):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr(name, content)
        name, content = "deeper.zip", buffer.getvalue()
    with pytest.raises(ValueError, match="nested more than"):
        ordinary_text("zip", content)
