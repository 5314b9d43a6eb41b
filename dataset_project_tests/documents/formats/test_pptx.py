"""PPTX: what python-pptx, lxml and LibreOffice make of what is written."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from itertools import pairwise

import pptx as python_pptx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from dataset_project.documents.formats import pptx
from dataset_project.documents.formats.pptx_layout import BOTTOM, SIZES, TOP, slides
from dataset_project.documents.formats.pptx_slide import EMU
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
from dataset_project.documents.readers.pptx import Reader
from dataset_project_tests.documents.formats.test_ooxml import (
    ODD_TEXT,
    bytes_in_other_processes,
    check_spans,
    pdf_pages,
    rich_document,
    value,
)

P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"

# Children in the schema's order (ECMA-376 part 1, annexes A.3 and A.4), as far as we write them.
ORDER = {
    f"{P}presentation": "sldMasterIdLst notesMasterIdLst sldIdLst sldSz notesSz",
    f"{P}sld": "cSld clrMapOvr",
    f"{P}notes": "cSld clrMapOvr",
    f"{P}sldMaster": "cSld clrMap sldLayoutIdLst txStyles",
    f"{P}notesMaster": "cSld clrMap notesStyle",
    f"{P}cSld": "bg spTree",
    f"{P}sp": "nvSpPr spPr txBody",
    f"{P}pic": "nvPicPr blipFill spPr",
    f"{P}graphicFrame": "nvGraphicFramePr xfrm",
    f"{P}cm": "pos text",
    f"{P}txBody": "bodyPr lstStyle p",
    f"{A}txBody": "bodyPr lstStyle p",
    f"{A}tbl": "tblPr tblGrid tr",
    f"{A}tc": "txBody tcPr",
    f"{A}tcPr": "lnL lnR lnT lnB solidFill noFill",
    f"{A}pPr": "spcBef buNone buChar",
    f"{A}p": "pPr r fld endParaRPr",
    f"{A}r": "rPr t",
    f"{A}lvl1pPr": "lnSpc spcBef buNone buFont buChar defRPr",
    f"{A}defRPr": "solidFill latin ea cs",
    f"{P}spPr": "xfrm prstGeom noFill solidFill ln",
    f"{A}themeElements": "clrScheme fontScheme fmtScheme",
}


def rich() -> Document:
    return rich_document(notes=True, form_fields=False, footnotes=False)


def written(document: Document | None = None, doc_id: str = "d1"):
    return pptx.write(document or rich(), doc_id)


def rich_bytes() -> bytes:
    return written().content


def opened(content: bytes):
    return python_pptx.Presentation(io.BytesIO(content))


def deck(*blocks, **zones) -> Document:
    return Document((Section("Round", blocks),), **zones)


@pytest.mark.parametrize("doc_id", ["d1", "d2", "d3", "d4", "d5", "d6"])
def test_every_value_is_found_at_its_place(doc_id):
    result = written(doc_id=doc_id)
    check_spans(result, Reader(result.content))
    assert {span.surface for span in result.spans} == pptx.SURFACES
    seen = {span.surface for span in result.spans if span.visible}
    assert seen == {"body", "table", "text_box", "footer"}


def test_python_pptx_sees_blocks_and_zones():
    presentation = opened(written(doc_id="whole").content)
    first = presentation.slides[0]
    assert first.shapes.title.text_frame.text == "Summary"
    tables = [shape.table for slide in presentation.slides for shape in slide.shapes if shape.has_table]
    assert [[cell.text for cell in row.cells] for row in tables[0].rows] == [
        ["Patient", "O'Neil, María-José"],
        ["MRN", "00123456"],
        ["Signature", ""],
    ]
    assert [cell.text for cell in tables[1].rows[2].cells] == ["Potassium", "4.1", "on 02/04/2024"]
    text = [shape.text_frame.text for slide in presentation.slides for shape in slide.shapes if shape.has_text_frame]
    assert "Alert: call Anna O'Neil." in text and any("5 < 6 & 7 > 6." in each for each in text)
    assert text.count("Printed for Dr. Quill") == len(presentation.slides)
    assert first.notes_slide.notes_text_frame.text == "Say hello to Maria"
    alts = [
        element.get("descr")
        for slide in presentation.slides
        for element in slide.element.iter(f"{P}cNvPr")
        if element.get("descr")
    ]
    assert alts == ["Photograph of M. O'Neil"]
    assert presentation.core_properties.title == "Summary O'Neil"


def test_the_header_stands_on_the_notes_page_of_every_slide_with_an_own_span_each():
    result = written()
    shown = [slide for slide in opened(result.content).slides]
    assert all(slide.has_notes_slide for slide in shown)
    headers = [span for span in result.spans if span.surface == "header"]
    assert [span.locator["slide"] for span in headers] == list(range(len(shown)))


def test_hidden_text_is_on_a_hidden_last_slide():
    result = written()
    presentation = opened(result.content)
    shows = [slide.element.get("show") for slide in presentation.slides]
    assert shows == [*[None] * (len(shows) - 1), "0"]
    (hidden,) = [span for span in result.spans if span.surface == "hidden"]
    assert hidden.locator["slide"] == len(shows) - 1 and not hidden.visible
    assert all(span.visible is False for span in result.spans if span.locator.get("slide") == len(shows) - 1)


def test_comments_stand_on_slides_and_authors_once():
    with zipfile.ZipFile(io.BytesIO(written().content)) as archive:
        authors = etree.fromstring(archive.read("ppt/commentAuthors.xml"))
        facts = [(each.get("id"), each.get("name"), each.get("lastIdx")) for each in authors]
        names = sorted(name for name in archive.namelist() if name.startswith("ppt/comments/"))
        comments = [each for name in names for each in etree.fromstring(archive.read(name))]
    assert facts == [("0", "Reviewer", "2"), ("1", "Fiona Quill", "1")]
    texts = {each.findtext(f"{P}text"): (each.get("authorId"), each.get("idx")) for each in comments}
    assert texts == {"Check 00123456": ("0", "1"), "Done.": ("1", "1"), "Thanks, Fiona": ("0", "2")}


def test_a_long_table_goes_on_with_its_header_on_more_slides():
    rows = tuple(((f"row {number}",), (value(f"2024-01-{number % 28 + 1:02d}"),)) for number in range(60))
    result = written(deck(Table(("Name", "Date"), rows)))
    presentation = opened(result.content)
    tables = [shape.table for slide in presentation.slides for shape in slide.shapes if shape.has_table]
    assert len(tables) == len(presentation.slides) > 2
    assert {tuple(cell.text for cell in table.rows[0].cells) for table in tables} == {("Name", "Date")}
    assert [row.cells[0].text for table in tables for row in list(table.rows)[1:]] == [f"row {n}" for n in range(60)]
    titles = [slide.shapes.title.text_frame.text for slide in presentation.slides]
    assert titles == ["Round", *["Round (continued)"] * (len(titles) - 1)]
    check_spans(result, Reader(result.content))
    assert len(result.spans) == 60


def test_shapes_stay_on_the_slide_and_off_each_other():
    blocks = (
        *(Paragraph((f"Paragraph {number} " + "of some length " * 12,), "list") for number in range(14)),
        Fields(tuple((f"Field {number}", (f"value {number}",)) for number in range(22))),
        Picture(("alt",), ("caption",)),
        TextBox(("call out " * 40,)),
        Paragraph(("A very long paragraph. " * 300,)),
        Picture(("alt",)),
    )
    presentation = opened(written(deck(*blocks)).content)
    assert len(presentation.slides) > 3
    for slide in presentation.slides:
        placeholders = ("Title", "Footer", "Slide Number")
        shapes = [each for each in slide.shapes if not each.name.startswith(placeholders)]
        assert shapes
        assert all(each.top >= TOP * EMU and each.top + each.height <= (BOTTOM + 6) * EMU for each in shapes)
        assert all(upper.top + upper.height <= lower.top for upper, lower in pairwise(shapes))


def test_wide_tables_and_long_cells_stay_on_the_slide():
    wide = Table(tuple(f"c{number}" for number in range(70)), (tuple(("x",) for _ in range(70)),))
    (first, *_), *_ = slides([wide])
    assert sum(first.item.widths) == 864 and min(first.item.widths) > 0
    tall = Table(("a", "b"), ((("word " * 700,), (value("12/24/2023"),)),))
    ((placed,),) = slides([tall])
    assert placed.item.size < 12 and placed.top + placed.height <= BOTTOM
    result = written(deck(wide, tall))
    check_spans(result, Reader(result.content))


def test_a_table_that_fits_on_a_slide_is_not_torn_apart_and_a_heading_stays_with_its_text():
    filler = [Paragraph(("Some words of no weight. " * 12,)) for _ in range(4)]
    table = Table(("a", "b"), tuple(((str(number),), ("x",)) for number in range(10)), "Results")
    first, second = slides([*filler, table])
    assert [type(each.item).__name__ for each in first] == ["Text"]
    assert [type(each.item).__name__ for each in second] == ["Text", "Grid"]
    assert len(second[1].item.rows) == 11
    for length in range(1, 8):
        pages = slides([*filler[:1] * length, Paragraph(("Heading",), "heading"), *filler])
        last_lines = [page[-1].item.lines[-1].block.style for page in pages]
        assert "heading" not in last_lines


def test_a_very_long_paragraph_gets_smaller_type():
    ((placed,),) = slides([Paragraph(("A very long paragraph. " * 200,))])
    assert placed.item.lines[0].size < SIZES["body"]


def test_values_are_spread_over_runs_in_a_share_of_the_lines():
    split = whole = 0
    for number in range(20):
        result = written(doc_id=f"d{number}")
        with zipfile.ZipFile(io.BytesIO(result.content)) as archive:
            for span in result.spans:
                if span.surface in ("body", "table", "notes"):
                    paragraphs = list(etree.fromstring(archive.read(span.locator["part"])).iter(f"{A}p"))
                    texts = [each.text for each in paragraphs[span.locator["paragraph"]].iter(f"{A}t")]
                    inside = any(span.value.text in text for text in texts)
                    whole, split = whole + inside, split + (not inside)
    assert 0.1 < split / (split + whole) < 0.4


def test_what_is_written_does_not_tell_values():
    planted = deck(Paragraph(("Seen by ", value("Dr. Adams"), " today")), TextBox((value("Dr. Adams"),)))
    plain = deck(Paragraph(("Seen by Dr. Adams today",)), TextBox(("Dr. Adams",)))
    for doc_id in ("d1", "d2", "d3", "d4"):
        assert written(planted, doc_id).content == written(plain, doc_id).content


def test_bytes_are_the_same_in_every_process():
    digests = bytes_in_other_processes(__name__, "rich_bytes")
    assert digests == {hashlib.sha256(rich_bytes()).hexdigest() + "\n"}
    assert written(doc_id="d2").content != rich_bytes()


def test_elements_stand_in_the_order_of_the_schema_and_ids_are_unique():
    seen = set()
    with zipfile.ZipFile(io.BytesIO(rich_bytes())) as archive:
        for name in archive.namelist():
            if not name.endswith("xml"):
                continue
            root = etree.fromstring(archive.read(name))
            ids = [element.get("id") for element in root.iter(f"{P}cNvPr")]
            assert len(ids) == len(set(ids)), name
            for element in root.iter(*ORDER):
                seen.add(element.tag)
                order = ORDER[element.tag].split()
                children = [re.sub("{.*}", "", child.tag) for child in element]
                places = [order.index(child) for child in children if child != "graphic"]
                assert places == sorted(places), etree.tostring(element)[:400]
    assert seen == set(ORDER)


def test_all_relationships_lead_to_parts_and_all_parts_are_declared():
    presentation = opened(rich_bytes())
    reached = {str(part.partname) for part in presentation.part.package.iter_parts()}
    with zipfile.ZipFile(io.BytesIO(rich_bytes())) as archive:
        names = {f"/{name}" for name in archive.namelist() if not name.endswith(".rels") and name[0] != "["}
        types = etree.fromstring(archive.read("[Content_Types].xml"))
        declared = {each.get("PartName") for each in types if each.tag.endswith("Override")}
    assert reached == names
    assert names - declared == {"/ppt/media/picture.png"}


@pytest.mark.parametrize(
    ("document", "zone"),
    [
        (Document((Section("s", (FormField("a", "b", ("c",)),)),)), "form_field"),
        (Document((), footnotes=(("x",),)), "footnote"),
        (Document((), mail=MailHeaders((), (), (), "today")), "mail_header"),
        (Document((), attachments=(("txt", Document(())),)), "attachments"),
    ],
)
def test_zones_that_pptx_lacks_are_refused(document, zone):
    with pytest.raises(ValueError, match=f"pptx has no {zone}"):
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
        written(deck(block))


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
        Document((), comments=(Comment((), ("remark ", value("x"))),), header=("h",)),
    ):
        result = written(document)
        assert len(opened(result.content).slides) >= 1
        for span in result.spans:
            assert span.value.text in Reader(result.content).text_at(span.locator)


@given(st.lists(ODD_TEXT, min_size=6, max_size=6), st.integers(0, 9))
@settings(max_examples=40, deadline=None)
def test_odd_unicode_is_read_back_everywhere(texts, number):
    runs = [("a ", value(text)) for text in texts]
    document = Document(
        (
            Section(
                "s", (Paragraph(runs[0]), Fields((("label", runs[1]),)), TextBox(runs[2]), Picture(runs[3])), runs[1]
            ),
        ),
        header=runs[4],
        footer=runs[0],
        comments=(Comment((value(texts[5]),), runs[0]),),
        hidden=(runs[2],),
        metadata=Metadata(title=runs[3], custom=(("name", runs[4]),)),
    )
    result = written(document, f"d{number}")
    check_spans(result, Reader(result.content))


@pytest.mark.slow
def test_libreoffice_shows_what_is_visible(tmp_path):
    result = written()
    pages = pdf_pages(result.content, "pptx", tmp_path)
    shown = [slide for slide in opened(result.content).slides if slide.element.get("show") is None]
    assert len(pages) == len(shown)
    for span in result.spans:
        if span.visible:
            assert span.value.text in pages[span.locator["slide"]], span
    assert "ZX-99-1" not in " ".join(pages) and "Maria" not in " ".join(pages)
