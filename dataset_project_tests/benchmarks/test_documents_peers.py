"""The peers of the documents benchmark write what ours write: all text and all tables, readable."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from benchmarks.documents_peers import NAMES, WRITERS, items
from dataset_project.documents.model.blocks import (
    Document,
    Fields,
    FormField,
    MailHeaders,
    Paragraph,
    Picture,
    Section,
    Table,
    TextBox,
)
from dataset_project.documents.model.values import Value
from dataset_project.documents.readers.registry import reader_of

NAME = Value("Anna Quill", "A", "patient_name", "PATIENT", "patient", "Anna Quill")
SECTION = Section(
    "Story",
    (
        Paragraph(("Seen: ", NAME, " <today> & well")),
        Fields((("Label", ("Entry",)),)),
        Table(("Drug", "Dose"), ((("Aspirin",), (NAME,)), (("Zinc",), ()))),
        FormField("name_1", "Family", ("Quill",)),
        Picture(("A grey box",)),
        TextBox(("Framed",)),
    ),
)
MAIL = MailHeaders(("Desk <desk@example.org>",), (("Anna <anna@example.com>",),), ("Re: visit",), "2025-05-01T09:00:00")


def squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def test_items_are_lines_and_tables_with_their_header():
    assert list(items(SECTION)) == [
        "Seen: Anna Quill <today> & well",
        [("Label", "Entry")],
        [("Drug", "Dose"), ("Aspirin", "Anna Quill"), ("Zinc", "")],
        "Family: Quill",
        "A grey box",
        "Framed",
    ]


@pytest.mark.parametrize("form", WRITERS)
def test_a_peer_writes_all_text(form):
    document = Document((SECTION,), mail=MAIL if form == "eml" else None)
    found = squeezed(reader_of(form)(WRITERS[form](document)).everything())
    for text in ("Story", "Seen: Anna Quill <today> & well", "Label", "Entry", "Aspirin", "Zinc", "Family: Quill"):
        assert text in found
    assert set(NAMES) == set(WRITERS)


def test_the_mail_peer_attaches_what_others_write():
    import email
    import email.policy

    part = Document((SECTION,))
    content = WRITERS["eml"](replace(part, mail=MAIL, attachments=(("docx", part), ("csv", part))))
    attached = list(email.message_from_bytes(content, policy=email.policy.default).iter_attachments())
    assert [each.get_filename() for each in attached] == ["1.docx", "2.csv"]
    assert "Aspirin" in reader_of("docx")(attached[0].get_content()).everything()
    assert b"Aspirin\tAnna Quill" in attached[1].get_content()
