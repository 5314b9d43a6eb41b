"""Packages of Office Open XML; and what the tests of DOCX and PPTX share: a rich document, LibreOffice."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import zipfile
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from dataset_project.documents.formats import ooxml
from dataset_project.documents.formats.ooxml_tables import check_table, column_widths
from dataset_project.documents.model.blocks import (
    Comment,
    Document,
    Fields,
    FormField,
    MailHeaders,
    Metadata,
    Paragraph,
    Picture,
    Section,
    Table,
    TextBox,
)
from dataset_project.documents.model.emitting import Emitter, Written
from dataset_project.documents.model.values import Runs, Value, plain

# What XML allows and one emission may hold: no line breaks.
ODD_TEXT = st.text(
    st.one_of(
        st.sampled_from("👩🏽‍⚕️😀e\u0301éשלוםمرحباदी\"'&<>\t  ]]>\x7f\x85\xa0\u2028"),
        st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"),
    ),
    min_size=1,
    max_size=40,
)


def value(text: str) -> Value:
    """A planted value, whatever it is."""
    return Value(text, "A", "patient_name", "PATIENT", "patient", text.casefold(), "realistic", "p1")


def rich_document(*, notes: bool = False, form_fields: bool = True, footnotes: bool = True) -> Document:
    """A document with a value in every block and every zone."""
    blocks = (
        Paragraph(("Discharge summary of ", value("María-José O'Neil")), "title"),
        Fields((("Patient", (value("O'Neil, María-José"),)), ("MRN", (value("00123456"),)), ("Signature", ()))),
        Paragraph(("Course of ", value("Mr. O'Neil")), "heading"),
        Paragraph(("Seen on ", value("2024-02-03"), " by ", value("Dr. Fiona Quill"), "; 5 < 6 & 7 > 6.")),
        Paragraph(("call ", value("555-0123")), "list"),
        Table(
            ("Test", "Result", "Drawn"),
            ((("Sodium",), ("140",), (value("02/03/2024"),)), (("Potassium",), ("4.1",), ("on ", value("02/04/2024")))),
            "Laboratory results",
        ),
        TextBox(("Alert: call ", value("Anna O'Neil"), ".")),
        Picture(("Photograph of ", value("M. O'Neil")), ("Figure 1, taken ", value("3 Feb 2024"))),
        Paragraph(("Copy for ", value("Mercy General")), "small"),
    )
    form = (FormField("mrn", "Record number", (value("MRN-7781"),)), FormField("signed", "Signed", ()))
    return Document(
        (
            Section("Summary", blocks, ("Say hello to ", value("Maria")) if notes else ()),
            Section("Follow-up", (*(form if form_fields else ()), Paragraph(("Return on ", value("2024-03-01"))))),
        ),
        header=("Mercy General, ", value("O'Neil M"), ", page"),
        footer=("Printed for ", value("Dr. Quill")),
        comments=(
            Comment(("Reviewer",), ("Check ", value("00123456"))),
            Comment((value("Fiona Quill"),), ("Done.",)),
            Comment(("Reviewer",), ("Thanks, ", value("Fiona"))),
        ),
        footnotes=(("Seen by ", value("Dr. Adams")), ("See policy.",)) if footnotes else (),
        hidden=(("internal id ", value("ZX-99-1")), ("nothing else",)),
        metadata=Metadata(
            ("Summary ", value("O'Neil")),
            (value("F. Quill"),),
            ("About ", value("O'Neil, M")),
            ("oneil; ", value("00123456")),
            (("Record number", (value("R-5 & 6"),)), ("Status", ("final",))),
        ),
        file_name=("Summary ", value("O'Neil")),
    )


def check_spans(written: Written, reader) -> None:
    """Every span is where it says, in the canonical text and, for an independent library, in the file."""
    assert written.spans
    for span in written.spans:
        assert written.text[span.start : span.end] == span.value.text
        line = written.text[written.text.rfind("\n", 0, span.start) + 1 :].split("\n", 1)[0]
        assert reader.text_at(span.locator) == line


def without_values(runs: Runs) -> Runs:
    """The same text, nothing planted."""
    return (plain(runs),) if runs else ()


def bytes_in_other_processes(module: str, call: str) -> set[str]:
    """Digests of what ``call`` (of the test module ``module``, returning bytes) gives under different hash seeds."""
    code = f"import hashlib; from {module} import {call} as made; print(hashlib.sha256(made()).hexdigest())"
    return {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4711")
    }


def pdf_pages(content: bytes, suffix: str, folder: Path) -> list[str]:
    """Text of the pages that LibreOffice makes of a file. Root installs it where it is absent."""
    import pypdfium2

    if shutil.which("soffice") is None and os.geteuid() == 0 and shutil.which("apt-get"):
        packages = ("libreoffice-writer", "libreoffice-impress")
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for command in (("apt-get", "update"), ("apt-get", "install", "-y", "--no-install-recommends", *packages)):
            subprocess.run(command, env=environment, check=True, capture_output=True, timeout=900)
    soffice = shutil.which("soffice")
    assert soffice, "this test needs LibreOffice (apt-get install libreoffice-writer libreoffice-impress)"
    source = folder / f"document.{suffix}"
    source.write_bytes(content)
    command = [soffice, "--headless", f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--convert-to", "pdf"]
    subprocess.run([*command, "--outdir", str(folder), str(source)], check=True, capture_output=True, timeout=180)
    with pypdfium2.PdfDocument(folder / "document.pdf") as pdf:
        return [re.sub(r"\s+", " ", page.get_textpage().get_text_range()) for page in pdf]


@given(ODD_TEXT)
@settings(max_examples=60, deadline=None)
def test_escaped_text_and_attributes_are_read_back(text):
    xml = f'<a b="{ooxml.escape_attribute(text)}">{ooxml.escape(text)}</a>'
    root = etree.fromstring(xml.encode())
    assert (root.text, root.get("b")) == (text, text)


@pytest.mark.parametrize("character", ["\x00", "\x0b", "\x1f", "\ud800", "\udfff", "\ufffe", "\uffff"])
def test_what_xml_forbids_is_refused_by_name(character):
    for escape in (ooxml.escape, ooxml.escape_attribute):
        with pytest.raises(ValueError, match=f"U\\+{ord(character):04X}"):
            escape(f"a{character}b")


def test_a_carriage_return_survives():
    assert etree.fromstring(f"<a>{ooxml.escape(chr(13))}</a>").text == "\r"


def make_package(names=("b/x.xml", "a.xml", "z.xml")) -> ooxml.Package:
    package = ooxml.Package()
    for name in names:
        package.add(name, f"<x>{name}</x>", "application/x-test+xml")
    package.add("media/p.png", b"not really", "")
    assert package.relate("", "officeDocument", "a.xml") == "rId1"
    assert package.relate("b/x.xml", "image", "../media/p.png") == "rId1"
    assert package.relate("b/x.xml", "http://example.org/other", 'q"&.xml') == "rId2"
    return package


def test_a_package_is_a_plain_archive_with_nothing_that_changes():
    content = make_package().content()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        infos = archive.infolist()
        names = [info.filename for info in infos]
        assert names[0] == "[Content_Types].xml" and names[1:] == sorted(names[1:])
        assert {info.date_time for info in infos} == {(1980, 1, 1, 0, 0, 0)}
        facts = {(i.extra, i.comment, i.flag_bits, i.create_system, i.external_attr, i.compress_type) for i in infos}
        assert facts == {(b"", b"", 0, 0, 0, zipfile.ZIP_DEFLATED)}
        assert archive.read("b/x.xml") == b"<x>b/x.xml</x>"
        related = etree.fromstring(archive.read("b/_rels/x.xml.rels"))
        assert [each.get("Target") for each in related] == ["../media/p.png", 'q"&.xml']
        types = etree.fromstring(archive.read("[Content_Types].xml"))
        overrides = [each.get("PartName") for each in types if each.tag.endswith("Override")]
        assert overrides == ["/a.xml", "/b/x.xml", "/z.xml"]
    assert make_package(("z.xml", "b/x.xml", "a.xml")).content() == content


def test_two_parts_of_one_name_are_refused():
    package = make_package()
    with pytest.raises(ValueError, match=r"two parts of one name: a\.xml"):
        package.add("a.xml", b"")


def test_content_types_and_relationships_do_not_depend_on_what_was_written_before():
    first = make_package().content()
    for number in range(600):
        ooxml._deflated_text(f"<x>{number}</x>")
    assert make_package().content() == first


def test_properties_are_emitted_where_they_are_written():
    document = rich_document()
    emitter = Emitter()
    core = ooxml.core_properties(document.metadata, emitter, ooxml.CORE)
    custom = ooxml.custom_properties(document.metadata, emitter, ooxml.CUSTOM)
    assert emitter.text.split("\n") == [
        "Summary O'Neil",
        "About O'Neil, M",
        "F. Quill",
        "oneil; 00123456",
        "R-5 & 6",
        "final",
    ]
    assert [(span.locator["part"], span.locator["name"]) for span in emitter.spans] == [
        (ooxml.CORE, "title"),
        (ooxml.CORE, "subject"),
        (ooxml.CORE, "author"),
        (ooxml.CORE, "keywords"),
        (ooxml.CUSTOM, "Record number"),
    ]
    assert {(span.surface, span.visible) for span in emitter.spans} == {("metadata", False)}
    assert "".join(etree.fromstring(core.encode()).itertext()) == "Summary O'NeilAbout O'Neil, MF. Quilloneil; 00123456"
    properties = etree.fromstring(custom.encode())
    assert [(each.get("pid"), each.get("name")) for each in properties] == [("2", "Record number"), ("3", "Status")]
    assert ooxml.custom_properties(Metadata(), emitter, ooxml.CUSTOM) == ""


@pytest.mark.parametrize("names", [("",), ("Status", "STATUS")])
def test_custom_properties_need_names_of_their_own(names):
    metadata = Metadata(custom=tuple((name, ("x",)) for name in names))
    with pytest.raises(ValueError, match="names of their own"):
        ooxml.custom_properties(metadata, Emitter(), ooxml.CUSTOM)


@given(st.lists(ODD_TEXT, max_size=20), st.integers(0, 50))
@settings(max_examples=60, deadline=None)
def test_cut_runs_join_to_the_text_and_spare_clusters(texts, number):
    splitter, same = ooxml.Splitter(f"d{number}"), ooxml.Splitter(f"d{number}")
    for text in texts:
        pieces = splitter.pieces(text)
        assert "".join(pieces) == text and all(pieces) and pieces == same.pieces(text)
        for left, right in pairwise(pieces):
            assert (left[-1] + right[0]).isascii()


def test_a_share_of_the_lines_is_cut():
    splitter = ooxml.Splitter("d1")
    assert splitter.pieces("") == []
    cut = sum(len(splitter.pieces("Patient: Jane Roe, record 00123456")) > 1 for _ in range(2000))
    assert 0.25 < cut / 2000 < 0.35


@pytest.mark.parametrize(
    ("surface", "document"),
    [
        ("header", Document((), header=("x",))),
        ("footer", Document((), footer=("x",))),
        ("comment", Document((), comments=(Comment((), ("x",)),))),
        ("footnote", Document((), footnotes=(("x",),))),
        ("hidden", Document((), hidden=(("x",),))),
        ("notes", Document((Section("", (), ("x",)),))),
        ("text_box", Document((Section("", (TextBox(("x",)),)),))),
        ("form_field", Document((Section("", (FormField("x", "x", ()),)),))),
        ("alt_text", Document((Section("", (Picture(()),)),))),
        ("mail_header", Document((), mail=MailHeaders((), (), (), "x"))),
    ],
)
def test_a_zone_that_a_format_lacks_is_refused_by_name(surface, document):
    ooxml.refuse_other_zones(document, frozenset({surface}), "some")
    with pytest.raises(ValueError, match=f"some has no {surface} zone"):
        ooxml.refuse_other_zones(document, frozenset({"body"}), "some")


def test_attachments_are_refused():
    with pytest.raises(ValueError, match="some has no attachments, but the document has 1"):
        ooxml.refuse_other_zones(Document((), attachments=(("txt", Document(())),)), frozenset(), "some")


def test_columns_fill_the_width_by_what_they_hold():
    widths = column_widths([("No.", "Remarks"), ("1", "a long remark " * 20), ("2", "")], 9360)
    assert sum(widths) == 9360 and widths[0] * 3 < widths[1] and widths[0] > 800
    assert sum(column_widths([("a", "b", "c")], 100)) == 100


def test_uneven_tables_are_refused():
    with pytest.raises(ValueError, match="row 1 of table 'T' has 1 cells, not 2"):
        check_table(Table(("a", "b"), ((("1",), ("2",)), (("1",),)), "T"))
    with pytest.raises(ValueError, match="without columns"):
        check_table(Table((), ()))


@pytest.mark.parametrize("path", sorted(ooxml.RESOURCES.rglob("*.xml")), ids=lambda path: path.name)
def test_static_parts_are_well_formed(path):
    assert etree.parse(path).getroot() is not None
