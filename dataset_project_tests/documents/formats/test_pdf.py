"""PDF: flow over pages, values kept whole, boxes that hold them, fields, notes, what is not seen, what is refused."""

from __future__ import annotations

import itertools

import pypdfium2
import pytest

from dataset_project.documents.formats import pdf
from dataset_project.documents.formats.pdf_table import column_widths
from dataset_project.documents.formats.pdf_text import BODY, CELL, broken, width
from dataset_project.documents.model.blocks import (
    Comment,
    Document,
    Fields,
    FormField,
    Metadata,
    Paragraph,
    Section,
    Table,
    TextBox,
)
from dataset_project.documents.model.values import Value, plain
from dataset_project_tests.documents.formats.test_registry import assert_found, rich, value


def _written(*blocks: object, **zones: object):
    return pdf.write(Document((Section("", blocks),), **zones), "1")


def _pages(content: bytes) -> list[str]:
    return [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(content)]


def test_a_long_document_goes_over_pages_with_header_and_footer_on_each():
    blocks = [
        Paragraph((f"Paragraph {number} about ", value(f"Person {number}"), ", well." * 30)) for number in range(120)
    ]
    written = _written(*blocks, header=("Ward of ", value("Mercy")), footer=("Record ", value("MRN-1")))
    spans = assert_found("pdf", written)
    pages = _pages(written.content)
    assert len(pages) > 4
    for zone, text in (("header", "Mercy"), ("footer", "MRN-1")):
        assert [span.locator["page"] for span in spans if span.surface == zone] == list(range(len(pages)))
        assert all(text in page for page in pages)
    persons = [span for span in spans if span.surface == "body"]
    assert [span.value.text for span in persons] == [f"Person {number}" for number in range(120)]
    # Downwards on each page, and nothing in the margins.
    for before, after in itertools.pairwise(persons):
        assert before.locator["page"] < after.locator["page"] or before.locator["bbox"][1] > after.locator["bbox"][1]
    for span in spans:
        x0, y0, x1, y1 = span.locator["bbox"]
        assert 60 <= x0 < x1 <= 552.01 and 40 <= y0 < y1 <= 750


def test_a_line_of_the_text_is_a_line_of_the_page():
    runs = [item for number in range(80) for item in ("went with (", value(f"Mr Long Name {number}"), "), then ")]
    written = _written(Paragraph(tuple(runs)))
    (page,) = _pages(written.content)
    assert [" ".join(line.split()) for line in written.text.split("\n")] == [
        line.strip() for line in page.split("\r\n")
    ]
    assert_found("pdf", written)


def test_lines_break_at_blanks_and_never_within_a_value():
    name = value("Anna Maria Long-Name")
    runs = ("one two three (", name, "), four five ", name, " six")
    for room in (50.0, 90.0, 130.0, 200.0, 400.0):
        lines = broken(runs, BODY, room)
        assert " ".join(plain(line.runs) for line in lines) == plain(runs)
        assert sum(run is name for line in lines for run in line.runs) == 2
        assert all(line.width <= room + 1e-6 for line in lines)
        assert all(not plain(line.runs).startswith(" ") and not plain(line.runs).endswith(" ") for line in lines)
    # Too wide for the line, a value is condensed; plain text is cut.
    assert min(line.scale for line in broken(runs, BODY, 50.0)) < 0.6
    cut = broken(("_" * 100,), BODY, 100.0)
    assert "".join(plain(line.runs) for line in cut) == "_" * 100 and {line.scale for line in cut} == {1.0}


def test_a_value_wider_than_the_page_is_condensed_and_found():
    long = value("Long " * 40 + "end")
    written = _written(
        Paragraph(("before ", long, " after ", value("Short"))), Table(("A", "B"), (((long,), (value("x"),)),))
    )
    assert width(long.text, BODY) > 700
    assert assert_found("pdf", written)[0].value is long


def test_a_wide_table_becomes_smaller_and_keeps_its_values_whole():
    columns = ("Name", "MRN", "Born", "Phone", "Address", "Plan", "Physician")
    row = (
        "María Fernández-Oliveira",
        "00471100",
        "1950-01-01",
        "(555) 555-0100",
        "12 Long Street, Springfield",
        "H-77-1",
        "Dr Ann Lee",
    )
    rows = tuple(tuple((value(f"{cell} {number}"),) for cell in row) for number in range(70))
    written = _written(Table(columns, rows))
    spans = assert_found("pdf", written)
    assert len(spans) == 70 * 7
    heights = {round(span.locator["bbox"][3] - span.locator["bbox"][1], 1) for span in spans}
    assert max(heights) < CELL.size * 0.96
    # The header stands on each page, and is emitted there.
    pages = _pages(written.content)
    assert len(pages) > 1 and all(page.count("Physician") == 1 for page in pages)
    assert written.text.count("Physician") == len(pages)


def test_widths_of_columns():
    assert column_widths([100, 50], [40, 20], 300) == [175, 125]
    # Each its widest piece, the rest by what it would like more.
    assert column_widths([400, 50], [40, 50], 250) == [200, 50]
    assert column_widths([400, 400], [300, 100], 200) == [150, 50]


@pytest.mark.parametrize("style", ["body", "title", "small"])
def test_every_character_is_found_again_beside_glyphs_that_reach_over_their_width(style):
    characters = [chr(code) for code in range(33, 127)]
    characters += [each for code in range(0x80, 0x100) if (each := bytes([code]).decode("cp1252", "ignore"))]
    characters = [each for each in characters if each not in "\xa0\xad"]
    assert len(characters) == 94 + 27 + 94
    # Each as a value of its own and at either end of one, beside glyphs that reach over their width.
    lines = []
    for each, beside in itertools.product(characters, ("\\", "€", "(", None)):
        beside = beside or each
        texts = (each, f"{each}ab", f"ab{each}", f"a{each}b")
        runs = tuple(item for text in texts for item in (beside, value(text), beside, " "))
        lines.append(Paragraph(runs, style))
    spans = assert_found("pdf", _written(*lines))
    assert len(spans) == 16 * len(characters)


@pytest.mark.parametrize(
    ("text", "named"), [("Łukasz Wójcik", "'Ł' \\(U\\+0141\\)"), ("a\xa0b", "U\\+00A0"), ("李", "U\\+674E")]
)
def test_characters_that_the_font_lacks_are_named(text, named):
    for block in (
        Paragraph((value(text),)),
        FormField("n", "L", (value(text),)),
        TextBox((text,)),
        Fields(((text, ()),)),
    ):
        with pytest.raises(ValueError, match=named):
            _written(block)


def test_form_fields_are_fields_of_a_form():
    written = _written(
        FormField("a.b", "First", (value("Œuvre €5"),)), FormField("a.b", "Second", ()), FormField("", "", ("x",))
    )
    (span,) = assert_found("pdf", written)
    assert span.locator == {"kind": "pdf_field", "name": "a_b", "page": 0}
    document = pypdfium2.PdfDocument(written.content)
    document.init_forms()
    assert document.get_formtype() == pypdfium2.raw.FORMTYPE_ACRO_FORM
    drawn = document[0].render(scale=1, may_draw_forms=True).to_numpy()
    document = pypdfium2.PdfDocument(written.content)
    bare = document[0].render(scale=1, draw_annots=False).to_numpy()
    assert (drawn != bare).any(), "the value is drawn"


@pytest.mark.parametrize("doc_id", [f"{number:04}" for number in range(6)])
def test_hidden_text_is_in_the_page_and_not_seen(doc_id):
    hidden = tuple((f"hidden {number} ", value(f"999-11-{number:04}")) for number in range(40))
    seen = Document((Section("S", (Paragraph(("seen",)),)),))
    written = pdf.write(Document(seen.sections, hidden=hidden), doc_id)
    assert all(span.surface == "hidden" and not span.visible for span in assert_found("pdf", written))
    images = [
        pypdfium2.PdfDocument(content)[0].render().to_numpy()
        for content in (written.content, pdf.write(seen, "x").content)
    ]
    assert (images[0] == images[1]).all()


def test_both_ways_of_hiding_occur():
    from zlib import decompress

    document = Document((), hidden=((value("x"),),))
    found = set()
    for number in range(12):
        content = pdf.write(document, str(number)).content
        stream = content.split(b"stream\n")[1].split(b"endstream")[0]
        found |= {way for way in (b"3 Tr", b"1 g") if way in decompress(stream)}
    assert found == {b"3 Tr", b"1 g"}


def test_notes_have_authors_and_places():
    comments = tuple(Comment((value(f"Author {number}"),), ("see ", value(f"Łukasz {number}"))) for number in range(23))
    spans = assert_found("pdf", _written(Paragraph(("x",)), FormField("f", "l", ("y",)), comments=comments))
    assert [(span.locator["index"], span.locator["field"]) for span in spans[:3]] == [
        (0, "author"),
        (0, "text"),
        (1, "author"),
    ]


def test_the_file_tells_no_time_and_its_id_is_the_documents():
    contents = [pdf.write(rich("pdf"), doc_id).content for doc_id in ("a", "a", "b")]
    assert contents[0] == contents[1] != contents[2]
    assert b"Date" not in contents[0] and b"anonymous" not in contents[0]
    metadata = pypdfium2.PdfDocument(contents[0]).get_metadata_dict(skip_empty=True)
    assert metadata == {
        **{
            "Title": "Letter about Titus Tell",
            "Author": "Žofie Author",
            "Subject": "Sub Ject",
            "Keywords": "a, Key Word",
        },
        "Producer": "ReportLab PDF Library",
    }


@pytest.mark.parametrize("name", ["Title", "Producer", "", "a/b", "é"])
def test_custom_properties_have_names_of_their_own(name):
    with pytest.raises(ValueError, match="custom property"):
        _written(metadata=Metadata(custom=((name, ("x",)),)))
    with pytest.raises(ValueError, match="two properties"):
        _written(metadata=Metadata(custom=(("Case", ("x",)), ("Case", ("y",)))))


def test_what_must_stay_together_fits_onto_a_page():
    tall = tuple(("word " * 900).split(" ")), ()
    with pytest.raises(ValueError, match="higher than a page"):
        _written(Table(("A", "B"), (((" ".join(tall[0]) * 3,), ("x",)),)))
    with pytest.raises(ValueError, match="do not fit onto a page"):
        _written(TextBox(("word " * 2000,)))


def test_strings_of_a_page_do_not_tell_values_from_text():
    def structure(as_value: bool) -> bytes:
        def planted(text: str) -> str | Value:
            return value(text) if as_value else text

        blocks = (
            Paragraph(("Seen by ", planted("Ann Lee"), " (", planted("x"), ").")),
            Fields((("Name", (planted("Zoë Roe"),)),)),
            Table(("H",), (((planted("007"),),),)),
            FormField("f", "L", (planted("y"),)),
        )
        return _written(*blocks, header=(planted("h"),)).content

    assert structure(True) == structure(False)
