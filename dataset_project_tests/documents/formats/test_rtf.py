"""RTF: escapes, destinations, and that an office program reads it."""

from __future__ import annotations

import shutil
import subprocess

import pypdfium2
import pytest

from dataset_project.documents.formats import rtf
from dataset_project.documents.model.blocks import Document, Paragraph, Section
from dataset_project_tests.documents.formats.test_registry import rich, value


def test_everything_is_ascii_and_escaped():
    assert rtf.escape("a{b}\\c") == r"a\{b\}\\c"
    assert rtf.escape("é–𝄞") == r"\u233?\u8211?\u-10188?\u-8930?"
    written = rtf.write(rich("rtf"), "1")
    assert written.content.isascii()
    assert written.content.count(b"{") - written.content.count(rb"\{") == written.content.count(
        b"}"
    ) - written.content.count(rb"\}")


def test_lines_are_numbered_within_their_destination():
    runs = (value("Ann"),)
    document = Document(
        (Section("", (Paragraph(("plain",)), Paragraph(runs))),), header=runs, footnotes=(("x",), runs), hidden=(runs,)
    )
    spans = rtf.write(document, "1").spans
    places = [(span.surface, span.locator["destination"], span.locator["line"]) for span in spans]
    assert places == [("header", "header", 0), ("body", "body", 1), ("hidden", "body", 2), ("footnote", "footnote", 1)]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("soffice") is None, reason="needs LibreOffice")
def test_an_office_program_reads_it(tmp_path):
    (tmp_path / "rich.rtf").write_bytes(rtf.write(rich("rtf"), "1").content)
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    command = ["soffice", "--headless", profile, "--convert-to", "pdf", "--outdir", str(tmp_path)]
    subprocess.run([*command, str(tmp_path / "rich.rtf")], check=True, timeout=180, capture_output=True)
    pages = pypdfium2.PdfDocument((tmp_path / "rich.pdf").read_bytes())
    text = " ".join(" ".join(page.get_textpage().get_text_range() for page in pages).split())
    for found in (
        "María José Hernández",
        "{braces} \\ back & <b>",
        "O'Neil; & Co",
        "12.50",
        "Sons Hospital",
        "Note Keeper",
    ):
        assert found in text
    # Hidden text is not shown.
    assert "999-11-2222" not in text
