"""The readers of text, HTML, CSV, RTF, messages and archives on files that other programs make."""

from __future__ import annotations

from email.message import EmailMessage
from io import BytesIO
from zipfile import ZipFile

import pytest

from dataset_project.documents.readers.csv import Reader as CsvReader
from dataset_project.documents.readers.eml import Reader as MailReader
from dataset_project.documents.readers.html import Reader as HtmlReader
from dataset_project.documents.readers.registry import reader_for_file
from dataset_project.documents.readers.rtf import Reader as RtfReader
from dataset_project.documents.readers.txt import Reader as TextReader
from dataset_project.documents.readers.zip import Reader as ZipReader

PAGE = b"""<!DOCTYPE html><html><head><title id=t>T &amp; t</title><meta id=m name=author content="A &lt;a&gt;">
<style>p{color:red}</style></head><body><!-- one --><p id=p>a <b id=b>bold</b> c<br>d<img id=i alt="face"></p>
<input id=f value='O"N'><!--two--><table><tr><td id=c>x<td id=d>y</table></body></html>"""

# As an office program writes it: nested groups, ignorable destinations, hexadecimal characters, styles.
RICH = rb"""{\rtf1\ansi\ansicpg1252\uc1{\fonttbl{\f0\froman\fcharset0 Times;}}{\stylesheet{\s0 Normal;}}
{\*\generator Writer 7.3;}{\info{\title A \'e9 title}{\author Ann}{\creatim\yr2024\mo1}}
{\header \pard Top {\b bold}\par}\pard\plain First{\*\bkmkstart x} line, caf\'e9 \u8212 - d\u233\'e9j\'e0\par
{\pict\pngblip 8950}\trowd\cellx100 one\cell {\i two}\cell\row {\v hidden}\par
text{\super\chftn{\footnote \pard a note}}{\*\atnid A}{\*\atnauthor Bob}\chatn{\*\annotation \pard remark} end\par}"""


def _line(number: int, **more: object) -> dict[str, object]:
    return {"kind": "line", "line": number, **more}


def test_lines_of_text():
    reader = TextReader("\ufeffone\n\nthrée".encode())
    assert reader.text_at(_line(0)) == "one" and reader.text_at(_line(2)) == "thrée"
    assert reader.everything() == "one\n\nthrée"
    for wrong in (_line(1), _line(3), _line(-1), {"kind": "html", "id": "a"}):
        with pytest.raises(KeyError):
            reader.text_at(wrong)


def test_elements_and_comments_of_a_page():
    reader = HtmlReader(PAGE)
    texts = {"t": "T & t", "m": "A <a>", "p": "a bold cd", "b": "bold", "i": "face", "f": 'O"N', "d": "y"}
    assert {name: reader.text_at({"kind": "html", "id": name}) for name in texts} == texts
    assert reader.text_at({"kind": "html", "comment": 1}) == "two"
    everything = reader.everything()
    assert all(text in everything for text in ("T & t", "A <a>", "bold", "face", 'O"N', " one ", "two"))
    assert "color" not in everything
    for wrong in ({"kind": "html", "id": "none"}, {"kind": "html", "comment": 2}, _line(0)):
        with pytest.raises(KeyError):
            reader.text_at(wrong)
    with pytest.raises(ValueError, match="two elements"):
        HtmlReader(b"<p id=a>x</p><p id=a>y</p>")


def test_cells_and_comment_lines():
    reader = CsvReader(b'# made, by hand\r\nName,Note\r\n"Lee, Ann","said ""no"""\r\n')
    assert reader.text_at(_line(2, column=0)) == "Lee, Ann" and reader.text_at(_line(2, column=1)) == 'said "no"'
    assert reader.text_at(_line(0)) == "# made, by hand"
    assert reader.everything().split("\n") == ["# made, by hand", "Name", "Note", "Lee, Ann", 'said "no"']
    for wrong in (_line(2, column=2), _line(7), {"kind": "cell", "sheet": "a", "cell": "A1"}):
        with pytest.raises(KeyError):
            reader.text_at(wrong)


def test_destinations_of_rich_text():
    reader = RtfReader(RICH)
    assert reader.lines["body"] == ["First line, café — déjà", "one", "two", "hidden", "text end"]
    texts = {"header": "Top bold", "footnote": "a note", "annotation": "remark", "atnauthor": "Bob"}
    assert {zone: reader.text_at(_line(0, destination=zone)) for zone in texts} == texts
    assert reader.text_at({"kind": "property", "part": "info", "name": "title"}) == "A é title"
    everything = reader.everything()
    assert all(text in everything for text in (*texts.values(), "A é title", "hidden"))
    assert not any(text in everything for text in ("Times", "Normal", "8950", "Writer", "2024"))
    for wrong in (_line(9), _line(0, destination="footer"), {"kind": "property", "part": "userprops", "name": "x"}):
        with pytest.raises(KeyError):
            reader.text_at(wrong)
    for wrong in (b"plain", rb"{\rtf1 open"):
        with pytest.raises(ValueError):
            RtfReader(wrong)


def _message() -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Søren Ødegård <s@example.org>"
    message["To"] = 'Ann Lee <a@example.org>, "Roe, Max" <m@example.org>'
    message["Subject"] = "Grüße"
    message["X-Case"] = "77"
    message.set_content("first\nsecond é\n")
    message.add_alternative('<p id="e1">only here</p>', subtype="html")
    return message


def test_a_message_of_the_standard_library():
    message = _message()
    message.add_attachment(b"a,b\r\n1,2\r\n", maintype="text", subtype="csv", filename="Łukasz.csv")
    inner = _message()
    inner.replace_header("Subject", "inner")
    message.add_attachment(inner)
    reader = MailReader(message.as_bytes())

    def header(name: str, index: int = 0) -> dict[str, object]:
        return {"kind": "mail_header", "header": name, "index": index}

    def within(path: str, inner: dict[str, object]) -> dict[str, object]:
        return {"kind": "mime", "path": path, "inner": inner}

    assert reader.text_at(header("From")) == "Søren Ødegård <s@example.org>"
    assert reader.text_at(header("To", 1)) == "Roe, Max <m@example.org>"
    assert reader.text_at(header("Subject")) == "Grüße"
    assert reader.text_at(within("1.1", _line(1))) == "second é"
    assert reader.text_at(within("1.2", {"kind": "html", "id": "e1"})) == "only here"
    assert reader.text_at(within("2", {"kind": "file_name"})) == "Łukasz.csv"
    assert reader.text_at(within("2", _line(1, column=1))) == "2"
    assert reader.text_at(within("3", header("Subject"))) == "inner"
    assert reader.text_at(within("3", within("1", _line(0)))) == "first"
    everything = reader.everything()
    assert all(
        text in everything for text in ("Søren Ødegård", "Roe, Max", "X-Case: 77", "only here", "Łukasz.csv", "inner")
    )
    wrongs = (header("Cc"), header("To", 2), within("4", _line(0)), within("1.1.1", _line(0)), _line(0))
    for wrong in (*wrongs, within("1.1", {"kind": "file_name"})):
        with pytest.raises(KeyError):
            reader.text_at(wrong)


def test_a_malformed_message_is_refused():
    with pytest.raises(ValueError, match="malformed"):
        MailReader(b'Content-Type: multipart/mixed; boundary="x"\r\n\r\nno parts\r\n')


def test_members_of_an_archive():
    buffer = BytesIO()
    with ZipFile(buffer, "w") as archive:
        archive.writestr("a/b é.txt", "text")
        archive.writestr("page.HTML", '<p id="e1">hi</p>')
        archive.comment = b"packed"
    reader = ZipReader(buffer.getvalue())
    assert reader.text_at({"kind": "member", "name": "a/b é.txt", "inner": _line(0)}) == "text"
    assert reader.text_at({"kind": "member", "name": "page.HTML", "inner": {"kind": "html", "id": "e1"}}) == "hi"
    assert reader.text_at({"kind": "member", "name": "page.HTML", "inner": {"kind": "file_name"}}) == "page.HTML"
    assert reader.everything().split("\n") == ["packed", "a/b é.txt", "text", "page.HTML", "hi"]
    for wrong in ({"kind": "member", "name": "none", "inner": {"kind": "file_name"}}, _line(0)):
        with pytest.raises(KeyError):
            reader.text_at(wrong)
    with pytest.raises(KeyError):
        reader_for_file("letter.unknown", b"")
    damaged = bytearray(buffer.getvalue())
    damaged[damaged.index(b"text")] = 0
    with pytest.raises(ValueError, match="damaged"):
        ZipReader(bytes(damaged))
