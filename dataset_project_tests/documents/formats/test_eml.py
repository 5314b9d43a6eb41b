"""Messages: headers as standards have them, text and HTML parts, attachments, messages within messages."""

from __future__ import annotations

import re
from email import message_from_bytes
from email.policy import default, strict

import pytest

from dataset_project.documents.formats import eml, nested_eml
from dataset_project.documents.formats.mail_headers import address, date, unstructured
from dataset_project.documents.model.blocks import Document, MailHeaders, Paragraph, Section, TextBox
from dataset_project_tests.documents.formats.test_registry import MAIL, assert_found, rich, value


def _mail(**changed: object) -> MailHeaders:
    fields = {"sender": ("a@example.org",), "to": (("b@example.org",),), "subject": ("s",), "date": "2024-01-02"}
    return MailHeaders(**{**fields, **changed})


def _message(written) -> object:
    return message_from_bytes(written.content, policy=default)


def _plain(*texts: str, **zones: object) -> Document:
    blocks = tuple(Paragraph((text,)) for text in texts)
    return Document((Section("", blocks),), **{"mail": _mail(), **zones})


@pytest.mark.parametrize("name", ["eml", "nested_eml"])
def test_a_message_is_ascii_in_short_lines_and_without_defects(name):
    content = (eml if name == "eml" else nested_eml).write(rich(name), "0001").content
    assert content.isascii() and b"\0" not in content
    assert not re.search(rb"[^\r]\n|\r[^\n]", content), "lines end with CRLF"
    assert max(len(line) for line in content.split(b"\r\n")) <= 100
    for part in message_from_bytes(content, policy=strict).walk():
        assert not part.defects


def test_headers_are_read_as_they_were_meant():
    message = _message(eml.write(rich("eml"), "0001"))
    assert str(message["From"].addresses[0].display_name) == "Søren Ødegård, MD"
    assert [each.addr_spec for each in message["To"].addresses] == ["ann@example.com", "bare@example.net"]
    assert message["Subject"] == "Re: Zoë Müller, a subject so long that it has to be folded over two lines, 77-1"
    assert message["Date"].datetime.isoformat() == "2024-03-05T10:11:12+00:00"
    assert re.fullmatch(r"<[0-9a-f]{24}@mail\.example\.org>", message["Message-ID"])


def test_addresses():
    assert address("Lee, Ann <a@b.c>") == '"Lee, Ann" <a@b.c>'
    assert address('"Lee, Ann" <a@b.c>') == '"Lee, Ann" <a@b.c>'
    assert address("Ann <a@b.c>") == "Ann <a@b.c>" and address("a@b.c") == address("<a@b.c>") == "a@b.c"
    for wrong in ("Ann", "Ann <a b@c>", "Ann <é@b.c>", "Ann a@b.c", ""):
        with pytest.raises(ValueError, match="mail address"):
            address(wrong)
    with pytest.raises(ValueError, match="needs a sender"):
        eml.write(_plain("x", mail=_mail(sender=())), "1")


def test_dates():
    assert date("2024-03-05") == "Tue, 05 Mar 2024 00:00:00 +0000"
    assert (
        date("2024-03-05T10:00:00-05:00")
        == date("Tue, 05 Mar 2024 10:00:00 -0500")
        == "Tue, 05 Mar 2024 10:00:00 -0500"
    )
    with pytest.raises(ValueError, match="mail's date"):
        date("yesterday")


@pytest.mark.parametrize(
    "text", ["plain", "a" * 200, "word " * 60 + "end", "é" * 100, "=?utf-8?q?no?=", "  outer  blanks "]
)
def test_a_subject_of_any_kind_is_read_back(text):
    folded = unstructured("Subject", text)
    assert max(len(line) for line in folded.split("\r\n")) <= 78 or " " not in text.strip()
    assert message_from_bytes(folded.encode() + b"\r\n\r\n", policy=default)["Subject"] == text


def test_ids_and_boundaries_are_the_documents_own():
    first, again, other = (eml.write(rich("eml"), doc_id).content for doc_id in ("1", "1", "2"))
    assert first == again != other
    assert (
        _message(eml.write(_plain("x", mail=_mail(message_id="<mine@example.org>")), "1"))["Message-ID"]
        == "<mine@example.org>"
    )
    with pytest.raises(ValueError, match="message id"):
        eml.write(_plain("x", mail=_mail(message_id="a b")), "1")
    content = nested_eml.write(rich("nested_eml"), "1").content
    boundaries = re.findall(rb'boundary="([^"]+)"', content)
    assert len(boundaries) == len(set(boundaries)) == 4


def test_text_stands_in_both_parts_and_some_only_in_html():
    document = Document(
        (Section("", (Paragraph(("in both ", value("Ann"))), TextBox(("boxed ", value("Max"))))),),
        mail=_mail(),
        hidden=(("preview ", value("Zoë")),),
    )
    written = eml.write(document, "1")
    message = _message(written)
    text, page = (message.get_body((kind,)).get_content() for kind in ("plain", "html"))
    assert "in both Ann" in text and "in both Ann" in page
    assert "boxed Max" not in text and "boxed Max" in page and "preview Zoë" not in text
    assert re.search(r'display:none">preview Zoë<', page)
    spans = [(span.value.text, span.surface, span.locator["path"], span.visible) for span in written.spans]
    assert spans == [("Ann", "body", "1", True), ("Max", "html_only", "2", True), ("Zoë", "html_only", "2", False)]
    # The text is noted once, not once per part.
    assert written.text.count("in both Ann") == 1


def test_paths_count_from_the_mixed_part_when_files_are_attached():
    document = _plain("x", attachments=(("txt", _plain("inner", mail=None, file_name=(value("Łukasz"),))),))
    written = eml.write(document, "1")
    message = _message(written)
    assert [part.get_content_type() for part in message.walk()] == [
        *("multipart/mixed", "multipart/alternative", "text/plain", "text/html", "text/plain")
    ]
    (attachment,) = message.iter_attachments()
    assert attachment.get_filename() == "Łukasz.txt"
    assert attachment.get_content().strip() == "inner"
    assert [(span.surface, span.locator["path"]) for span in written.spans] == [("file_name", "2")]


def test_a_message_within_a_message_within_a_message():
    inner = rich("eml", file_name=("Fwd",))
    middle = rich("nested_eml", attachments=(("eml", inner),), file_name=("Fwd Fwd",))
    written = nested_eml.write(rich("nested_eml", attachments=(("nested_eml", middle), ("zip", rich("zip")))), "1")
    spans = assert_found("nested_eml", written)
    depth = max(str(span.locator).count("'mime'") for span in spans)
    assert depth == 3, "the innermost attachment's own place is within three messages"
    message = _message(written)
    nested = [part for part in message.walk() if part.get_content_type() == "message/rfc822"]
    assert [part.get_payload(0)["Subject"] for part in nested] == [message["Subject"]] * 2


def test_lines_that_mail_programs_treat_specially():
    document = _plain("From the start", ".", "--=_x", "a=b =3D", "é" * 200, "trailing ", "x" * 1000)
    message = _message(eml.write(document, "1"))
    lines = message.get_body(("plain",)).get_content().splitlines()
    assert [line for line in lines if line] == [
        *("From the start", ".", "--=_x", "a=b =3D", "é" * 200, "trailing ", "x" * 1000)
    ]


def test_containers_belong_into_nested_eml():
    with pytest.raises(ValueError, match="that is nested_eml"):
        eml.write(_plain("x", attachments=(("eml", _plain("y")),)), "1")
    with pytest.raises(ValueError, match="a message or an archive"):
        nested_eml.write(_plain("x", attachments=(("txt", rich("txt")),)), "1")
    with pytest.raises(ValueError, match="needs mail headers"):
        eml.write(_plain("x", mail=None), "1")
    with pytest.raises(ValueError, match="txt has no mail_header"):
        eml.write(_plain("x", attachments=(("txt", _plain("y", mail=MAIL)),)), "1")
