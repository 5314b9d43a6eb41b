"""Workbooks: names of sheets, cells and their kinds, what is hidden, comments, page headers; as openpyxl reads them."""

from __future__ import annotations

import re
import shutil
import subprocess
from io import BytesIO
from zipfile import ZipFile

import openpyxl
import pytest
from lxml import etree

from dataset_project.documents.formats import xlsx
from dataset_project.documents.formats.xlsx_sheet import column_letters
from dataset_project.documents.model.blocks import Comment, Document, Fields, Paragraph, Section, Table
from dataset_project_tests.documents.formats.test_registry import assert_found, rich, value


def _book(*sections: Section, doc_id: str = "1", **zones: object):
    written = xlsx.write(Document(sections, **zones), doc_id)
    return written, openpyxl.load_workbook(BytesIO(written.content))


def test_blocks_lie_below_each_other():
    table = Table(("Date", "Amount"), (((value("2024-01-01"),), ("12.50",)),))
    blocks = (Paragraph(("Report",)), Fields((("MRN", (value("0047"),)),)), table, Paragraph(("end",)))
    written, book = _book(Section("Part", blocks))
    (sheet,) = book.worksheets
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    blank = [None, None]
    assert rows == [
        *(["Part", None], ["Report", None], blank, ["MRN", "0047"], blank, blank),
        *(["Date", "Amount"], ["2024-01-01", 12.5], blank, ["end", None]),
    ]
    assert [span.locator["cell"] for span in written.spans] == ["B4", "A8"]
    assert sheet["A7"].font.b and not sheet["A8"].font.b and sheet["B8"].number_format == "0.00"


@pytest.mark.parametrize(
    ("text", "stored"),
    [("7", 7), ("-12", -12), ("12.50", 12.5), ("0", 0), ("0.00", 0.0), ("123456789", 123456789)]
    + [(text, text) for text in ("007", "1234567890", "1.5", "-0", "1e3", "12.505", "+1", "4/5", "=A1", " 7", "TRUE")],
)
def test_a_number_is_one_only_if_it_is_shown_as_it_was_written(text, stored):
    for cell in (text, value(text)):
        _, book = _book(Section("", (Table(("H",), (((cell,),),)),)))
        (found,) = (
            cell for row in book.worksheets[0].iter_rows() for cell in row if cell.row > 1 and cell.value != "H"
        )
        assert found.value == stored and type(found.value) is type(stored)
        assert found.data_type == ("s" if isinstance(stored, str) else "n")


def test_names_of_sheets():
    titles = ["Ward [A]: 1/2", "ward  a   1 2", "x" * 40, "x" * 40, "", "'quoted'", "History", "Ward  A   1 2"]
    _, book = _book(*(Section(title, ()) for title in titles))
    names = book.sheetnames
    assert names[:6] == ["Ward  A   1 2", "ward  a   1 2 2", "x" * 31, "x" * 29 + " 2", "Sheet", "quoted"]
    assert names[6:] == ["History 2", "Ward  A   1 2 3"]
    assert _book()[1].sheetnames == ["Sheet"]


def test_hidden_lines_are_in_a_hidden_sheet_row_or_column():
    ways = set()
    for number in range(12):
        hidden = (("secret ", value("999-11-2222")), (value("two"),))
        document = rich("xlsx", hidden=hidden)
        written = xlsx.write(document, f"{number:04}")
        book = openpyxl.load_workbook(BytesIO(written.content))
        spans = [span for span in assert_found("xlsx", written) if span.surface == "hidden"]
        assert [span.value.text for span in spans] == ["999-11-2222", "two"]
        for span in spans:
            sheet = book[span.locator["sheet"]]
            letters, row = re.fullmatch(r"([A-Z]+)(\d+)", span.locator["cell"]).groups()
            way = (
                sheet.sheet_state == "hidden",
                sheet.row_dimensions[int(row)].hidden,
                sheet.column_dimensions[letters].hidden,
            )
            assert sum(way) == 1, "hidden in exactly one way"
            ways.add(way.index(True))
        # What is to be seen is not in what is hidden.
        for span in written.spans:
            if span.locator["kind"] == "cell" and span.visible:
                sheet = book[span.locator["sheet"]]
                letters, row = re.fullmatch(r"([A-Z]+)(\d+)", span.locator["cell"]).groups()
                assert sheet.sheet_state == "visible"
                assert not sheet.row_dimensions[int(row)].hidden and not sheet.column_dimensions[letters].hidden
    assert ways == {0, 1, 2}


@pytest.mark.parametrize("count", [1, 3, 12])
def test_comments_are_on_cells_of_their_own(count):
    comments = tuple(Comment((value(f"Dr {number % 2}"),), ("see ", value(f"Roe {number}"))) for number in range(count))
    written, book = _book(Section("S", (Paragraph(("a",)), Paragraph(("b",)), Table(("H",), ()))), comments=comments)
    assert_found("xlsx", written)
    found = {cell.coordinate: cell.comment for row in book.worksheets[0].iter_rows() for cell in row if cell.comment}
    assert len(found) == count
    assert sorted(comment.text for comment in found.values()) == sorted(f"see Roe {number}" for number in range(count))
    with ZipFile(BytesIO(written.content)) as archive:
        drawing = etree.fromstring(archive.read("xl/drawings/vmlDrawing1.vml"))
    client = "{urn:schemas-microsoft-com:office:excel}"
    boxes = {
        f"{column_letters(int(data.findtext(client + 'Column')))}{int(data.findtext(client + 'Row')) + 1}"
        for data in drawing.iter(client + "ClientData")
    }
    assert boxes == set(found), "each comment has its box, without which Excel shows none"


def test_page_headers_are_on_every_visible_sheet():
    written, book = _book(Section("A", ()), Section("B", ()), header=("R&D of ", value("1&C Co")), footer=("f",))
    assert_found("xlsx", written)
    assert [span.locator["part"] for span in written.spans] == ["xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml"]
    assert [sheet.oddFooter.center.text for sheet in book.worksheets] == ["f", "f"]
    with pytest.raises(ValueError, match="255 characters"):
        _book(Section("A", ()), header=("x" * 254,))


@pytest.mark.parametrize(("text", "named"), [("_x0041_", "character code"), ("x" * 32768, "32767 characters")])
def test_text_that_excel_would_change_is_refused(text, named):
    with pytest.raises(ValueError, match=named):
        _book(Section("A", (Paragraph((text,)),)))


def test_letters_of_columns():
    assert [column_letters(column) for column in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]


def test_the_parts_fit_together():
    written = xlsx.write(rich("xlsx"), "0001")
    with ZipFile(BytesIO(written.content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    roots = {name: etree.fromstring(content) for name, content in parts.items()}
    named = {root.get("PartName") for root in roots["[Content_Types].xml"] if root.get("PartName")}
    assert all(part.lstrip("/") in parts for part in named)
    for name, root in roots.items():
        if not name.endswith(".rels"):
            continue
        folder = name.rpartition("_rels/")[0]
        for relation in root:
            path = folder + relation.get("Target")
            while ".." in path:
                path = re.sub(r"[^/]+/\.\./", "", path, count=1)
            assert path in parts, f"{name} points at {path}"
    # The order that the schema wants of a sheet's children.
    order = ["cols", "sheetData", "pageMargins", "headerFooter", "legacyDrawing"]
    children = [etree.QName(child).localname for child in roots["xl/worksheets/sheet1.xml"]]
    assert children == order


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("soffice") is None, reason="needs LibreOffice")
def test_an_office_program_reads_it(tmp_path):
    def converted(name: str) -> str | None:
        profile = f"-env:UserInstallation=file://{tmp_path}/profile"
        command = ["soffice", "--headless", profile, "--convert-to", "csv", "--outdir", str(tmp_path)]
        subprocess.run([*command, str(tmp_path / f"{name}.xlsx")], check=True, timeout=180, capture_output=True)
        result = tmp_path / f"{name}.csv"
        return result.read_text(encoding="utf-8", errors="replace") if result.exists() else None

    control = openpyxl.Workbook()
    control.active["A1"] = "control"
    control.save(tmp_path / "control.xlsx")
    if converted("control") is None:
        pytest.skip("this LibreOffice has no spreadsheets")
    (tmp_path / "rich.xlsx").write_bytes(xlsx.write(rich("xlsx"), "0001").content)
    text = converted("rich")
    assert text is not None and "004" in text and "12.50" in text and "O'Neil; & Co" in text
