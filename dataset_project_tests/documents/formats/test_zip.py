"""ZIP archives: names, dates, order, and nothing but attachments."""

from __future__ import annotations

from io import BytesIO
from zipfile import ZipFile

import pytest

from dataset_project.documents.formats import zip as zip_format
from dataset_project.documents.model.blocks import Document, Paragraph, Section
from dataset_project_tests.documents.formats.test_registry import assert_found, rich, value


def _text(text: str, *name: object) -> tuple[str, Document]:
    return "txt", Document((Section("", (Paragraph((value(text),)),)),), file_name=name)


def test_members_are_sorted_and_dated_alike():
    document = Document((), attachments=(_text("two", "b ", value("Zoë")), _text("one", "a"), _text("three")))
    written = zip_format.write(document, "1")
    with ZipFile(BytesIO(written.content)) as archive:
        members = archive.infolist()
    assert [member.filename for member in members] == ["a.txt", "attachment_3.txt", "b Zoë.txt"]
    assert {(member.date_time, member.create_system, member.extra) for member in members} == {
        ((1980, 1, 1, 0, 0, 0), 3, b"")
    }
    # The canonical text goes on in the order of the members, a name before what is in it.
    assert written.text.split("\n") == ["a.txt", "one", "attachment_3.txt", "three", "b Zoë.txt", "two"]
    assert [span.surface for span in written.spans] == ["body", "body", "file_name", "body"]


def test_an_archive_in_an_archive():
    document = Document((), attachments=(("zip", rich("zip", file_name=("inner",))), ("pdf", rich("pdf"))))
    spans = assert_found("zip", zip_format.write(document, "1"))
    assert {"kind": "member", "name": "inner.zip"}.items() <= spans[-1].locator.items()


def test_names_that_differ_by_case_at_most_are_refused():
    with pytest.raises(ValueError, match=r"two members of one name: Case\.txt, case\.txt"):
        zip_format.write(Document((), attachments=(_text("1", "case"), _text("2", "Case"))), "1")


def test_an_archive_is_not_empty_and_has_no_text():
    with pytest.raises(ValueError, match="at least one attachment"):
        zip_format.write(Document(()), "1")
    with pytest.raises(ValueError, match="no text"):
        zip_format.write(Document((Section("S", ()),), attachments=(_text("1"),)), "1")
