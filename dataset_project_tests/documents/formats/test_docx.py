"""DOCX: what python-docx, lxml and LibreOffice make of what is written."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace

import docx as python_docx
import pytest
from docx.enum.section import WD_SECTION
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from dataset_project.documents.formats import docx
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
from dataset_project.documents.readers.docx import Reader
from dataset_project_tests.documents.formats.test_ooxml import (
    ODD_TEXT,
    bytes_in_other_processes,
    check_spans,
    pdf_pages,
    rich_document,
    value,
    without_values,
)

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"

# Children in the schema's order (ECMA-376 part 1, annex A.1), as far as we write them.
ORDER = {
    "pPr": "pStyle keepNext keepLines numPr pBdr spacing ind contextualSpacing jc outlineLvl rPr sectPr",
    "rPr": "rStyle rFonts b bCs i iCs vanish color spacing sz szCs vertAlign lang",
    "tblPr": "tblStyle tblW tblInd tblBorders tblLayout tblCellMar tblLook",
    "tbl": "tblPr tblGrid tr",
    "tc": "tcPr p",
    "sectPr": "headerReference footerReference type pgSz pgMar cols",
    "sdtPr": "alias tag id text",
    "sdt": "sdtPr sdtContent",
    "style": "name basedOn next uiPriority semiHidden qFormat pPr rPr tblPr tblStylePr",
    "settings": "zoom defaultTabStop characterSpacingControl footnotePr compat themeFontLang decimalSymbol "
    "listSeparator",
    "lvl": "start numFmt pStyle lvlText lvlJc pPr",
}


def written(document: Document | None = None, doc_id: str = "d1"):
    return docx.write(document or rich_document(), doc_id)


def rich_bytes() -> bytes:
    return written().content


def opened(content: bytes):
    return python_docx.Document(io.BytesIO(content))


def parts(content: bytes) -> dict[str, etree._Element]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: etree.fromstring(archive.read(name)) for name in archive.namelist() if name.endswith("xml")}


@pytest.mark.parametrize("doc_id", ["d1", "d2", "d3", "d4", "d5", "d6"])
def test_every_value_is_found_at_its_place(doc_id):
    result = written(doc_id=doc_id)
    check_spans(result, Reader(result.content))
    assert {span.surface for span in result.spans} == docx.SURFACES
    assert [span.start for span in result.spans] == sorted(span.start for span in result.spans)
    unseen = {span.surface for span in result.spans if not span.visible}
    assert unseen == {"hidden", "alt_text", "metadata"}


def test_python_docx_sees_blocks_and_zones():
    content = written(doc_id="whole").content
    document = opened(content)
    styles = {paragraph.text: paragraph.style.name for paragraph in document.paragraphs}
    assert styles["Summary"] == "Heading 1"
    assert styles["Discharge summary of María-José O'Neil"] == "Title"
    assert styles["Course of Mr. O'Neil"] == "Heading 2"
    assert styles["Seen on 2024-02-03 by Dr. Fiona Quill; 5 < 6 & 7 > 6."] == "Body Text"
    assert styles["call 555-0123"] == "List Bullet"
    fields, table = document.tables
    assert [[cell.text for cell in row.cells] for row in fields.rows] == [
        ["Patient", "O'Neil, María-José"],
        ["MRN", "00123456"],
        ["Signature", ""],
    ]
    assert [cell.text for cell in table.rows[2].cells] == ["Potassium", "4.1", "on 02/04/2024"]
    assert table.rows[0]._tr.find(f"{W}trPr/{W}tblHeader") is not None
    assert [section.header.paragraphs[0].text for section in document.sections] == ["Mercy General, O'Neil M, page"] * 2
    assert document.sections[1].footer.paragraphs[0].text == "Printed for Dr. Quill"
    assert [(each.author, each.text) for each in document.comments] == [
        ("Reviewer", "Check 00123456"),
        ("Fiona Quill", "Done."),
        ("Reviewer", "Thanks, Fiona"),
    ]
    properties = document.core_properties
    assert (properties.title, properties.author) == ("Summary O'Neil", "F. Quill")
    # The text box is inside an AlternateContent, where python-docx does not look.
    assert len(document.inline_shapes) == 1


def test_sections_start_new_pages():
    document = opened(written().content)
    assert [section.start_type for section in document.sections][1:] == [WD_SECTION.NEW_PAGE]


@pytest.mark.parametrize(
    "blocks",
    [
        (),
        (Paragraph(("last",)),),
        (TextBox(("in a box",)),),
        (Picture(("alt",)),),
        (Table(("a",), ((("1",),),)),),
        (Fields((("a", ("1",)),)),),
        (FormField("a", "b", ("c",)),),
    ],
)
def test_a_section_break_hangs_on_the_last_paragraph(blocks):
    """One of its own would make an empty page where the page before is full."""
    one = written(Document((Section("First", blocks),)))
    two = written(Document((Section("First", blocks), Section("Second", ()))))
    count = [sum(1 for _ in parts(each.content)["word/document.xml"].iter(f"{W}p")) for each in (one, two)]
    assert count[1] == count[0] + 1
    assert [each.start_type for each in opened(two.content).sections][1:] == [WD_SECTION.NEW_PAGE]
    breaks = list(parts(two.content)["word/document.xml"].iter(f"{W}sectPr"))
    assert [each.getparent().getparent().getparent().tag for each in breaks[:1]] == [f"{W}body"]


def test_an_empty_section_is_a_page_of_its_own():
    document = opened(written(Document((Section("", ()), Section("", ()), Section("", ())))).content)
    assert len(document.sections) == 3


def test_content_controls_have_tag_title_and_text():
    root = parts(written().content)["word/document.xml"]
    found = [
        (
            control.find(f"{W}sdtPr/{W}tag").get(f"{W}val"),
            control.find(f"{W}sdtPr/{W}alias").get(f"{W}val"),
            "".join(each.text or "" for each in control.iter(f"{W}t")),
        )
        for control in root.iter(f"{W}sdt")
    ]
    assert found == [("mrn", "Record number", "MRN-7781"), ("signed", "Signed", "")]


def test_hidden_text_is_hidden_and_nothing_else_is():
    root = parts(written().content)["word/document.xml"]
    hidden = "".join(
        each.text
        for run in root.iter(f"{W}r")
        if run.find(f"{W}rPr/{W}vanish") is not None
        for each in run.iter(f"{W}t")
    )
    assert hidden == "internal id ZX-99-1nothing else"


def test_a_text_box_is_one_and_holds_its_text_once():
    content = written().content
    root = parts(content)["word/document.xml"]
    (box,) = root.iter(f"{W}txbxContent")
    assert "".join(each.text for each in box.iter(f"{W}t")) == "Alert: call Anna O'Neil."
    assert Reader(content).everything().count("Anna O'Neil") == 1
    assert not any("Anna" in paragraph.text for paragraph in opened(content).paragraphs)


def test_footnotes_and_comments_are_referred_to_once_each_and_not_alternating():
    root = parts(written().content)["word/document.xml"]
    references = [
        (element.tag.removeprefix(W), element.get(f"{W}id"))
        for element in root.iter(f"{W}footnoteReference", f"{W}commentReference")
    ]
    notes, comments = "footnoteReference", "commentReference"
    assert references == [(notes, "1"), (notes, "2"), (comments, "0"), (comments, "1"), (comments, "2")]


def test_values_are_spread_over_runs_in_a_share_of_the_lines():
    split = whole = 0
    for number in range(30):
        result = written(doc_id=f"d{number}")
        root = parts(result.content)["word/document.xml"]
        paragraphs = list(root.iter(f"{W}p"))
        for span in result.spans:
            if span.locator.get("part") == "word/document.xml" and span.surface in ("body", "table"):
                texts = [each.text or "" for each in paragraphs[span.locator["paragraph"]].iter(f"{W}t")]
                inside = any(span.value.text in text for text in texts)
                whole, split = whole + inside, split + (not inside)
    assert 0.1 < split / (split + whole) < 0.4


def test_where_runs_are_cut_and_what_is_written_does_not_tell_values():
    document = rich_document()
    section = document.sections[0]
    bare = replace(
        document,
        sections=(
            replace(
                section,
                blocks=tuple(
                    replace(block, runs=without_values(block.runs)) if isinstance(block, Paragraph | TextBox) else block
                    for block in section.blocks
                ),
            ),
            *document.sections[1:],
        ),
        header=without_values(document.header),
        footer=without_values(document.footer),
        hidden=tuple(map(without_values, document.hidden)),
    )
    for doc_id in ("d1", "d2", "d3"):
        planted, plain = written(document, doc_id), written(bare, doc_id)
        assert planted.content == plain.content and planted.text == plain.text
        assert len(planted.spans) > len(plain.spans)


def test_bytes_are_the_same_in_every_process():
    first = rich_bytes()
    assert first == rich_bytes()
    assert len(bytes_in_other_processes(__name__, "rich_bytes") | _digest(first)) == 1
    assert written(doc_id="d2").content != first


def _digest(content: bytes) -> set[str]:
    import hashlib

    return {hashlib.sha256(content).hexdigest() + "\n"}


def test_elements_stand_in_the_order_of_the_schema():
    seen = set()
    for root in parts(written().content).values():
        for element in root.iter():
            name = element.tag.removeprefix(W)
            if element.tag.startswith(W) and name in ORDER:
                seen.add(name)
                order = ORDER[name].split()
                places = [order.index(child.tag.removeprefix(W)) for child in element]
                assert places == sorted(places), etree.tostring(element)[:400]
    assert seen == set(ORDER)


def test_all_relationships_lead_to_parts_and_all_parts_are_declared():
    with zipfile.ZipFile(io.BytesIO(written().content)) as archive:
        names = set(archive.namelist())
        types = etree.fromstring(archive.read("[Content_Types].xml"))
        declared = {each.get("PartName").lstrip("/") for each in types if each.tag.endswith("Override")}
        related = etree.fromstring(archive.read("word/_rels/document.xml.rels"))
        targets = {f"word/{each.get('Target')}" for each in related}
    assert targets <= names
    assert names - declared == {
        "[Content_Types].xml",
        "_rels/.rels",
        "word/_rels/document.xml.rels",
        "word/media/picture.png",
    }


@pytest.mark.parametrize(
    ("document", "zone"),
    [
        (Document((Section("s", (), ("note",)),)), "notes"),
        (Document((), mail=MailHeaders((), (), (), "today")), "mail_header"),
        (Document((), attachments=(("txt", Document(())),)), "attachments"),
    ],
)
def test_zones_that_docx_lacks_are_refused(document, zone):
    with pytest.raises(ValueError, match=f"docx has no {zone}"):
        written(document)


@pytest.mark.parametrize(
    ("block", "error"),
    [
        (Paragraph(("a\nb",)), "line break"),
        (Paragraph(("a\x0bb",)), r"U\+000B"),
        (Picture(("a\x00",)), r"U\+0000"),
        (Table(("a", "b"), ((("1",),),)), "row 0 of table 'Table' has 1 cells, not 2"),
    ],
)
def test_bad_blocks_are_refused(block, error):
    with pytest.raises(ValueError, match=error):
        written(Document((Section("s", (block,)),)))


def test_an_empty_document_and_empty_blocks_are_readable():
    for document in (
        Document(()),
        Document(
            (
                Section(
                    "",
                    (Fields(()), Paragraph(()), Table(("a",), ()), Picture(()), TextBox(())),
                ),
            )
        ),
        Document((), comments=(Comment((), ("remark ", value("x"))),), footnotes=(("note",),)),
    ):
        result = written(document)
        assert opened(result.content) is not None
        for span in result.spans:
            assert span.value.text in Reader(result.content).text_at(span.locator)


@given(st.lists(ODD_TEXT, min_size=6, max_size=6), st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_odd_unicode_is_read_back_everywhere(texts, number):
    runs = [("a ", value(text)) for text in texts]
    document = Document(
        (Section("s", (Paragraph(runs[0]), Fields((("label", runs[1]),)), TextBox(runs[2]), Picture(runs[3]))),),
        header=runs[4],
        comments=(Comment((value(texts[5]),), runs[0]),),
        footnotes=(runs[1],),
        hidden=(runs[2],),
        metadata=Metadata(title=runs[3], custom=(("name", runs[4]),)),
    )
    result = written(document, f"d{number}")
    check_spans(result, Reader(result.content))


@pytest.mark.slow
def test_libreoffice_shows_what_is_visible(tmp_path):
    result = written()
    pages = pdf_pages(result.content, "docx", tmp_path)
    assert len(pages) == 2
    text = " ".join(pages)
    for span in result.spans:
        # Comments are left out of a PDF unless asked for.
        assert not span.visible or span.surface == "comment" or span.value.text in text, span
    assert "ZX-99-1" not in text
    assert "Return on 2024-03-01" in pages[1] and "Record number: MRN-7781" in pages[1]
