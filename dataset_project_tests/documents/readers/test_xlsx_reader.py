"""The reader of workbooks on files that XlsxWriter and openpyxl made."""

from __future__ import annotations

from io import BytesIO

import pytest
import xlsxwriter

from dataset_project.documents.readers.xlsx import Reader


@pytest.fixture(scope="module")
def reader() -> Reader:
    buffer = BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        book.set_properties({"title": "A title", "author": "Žofie"})
        book.set_custom_property("Case", "77")
        book.define_name("Patient", "=Ward!$A$1")
        sheet = book.add_worksheet("Ward")
        sheet.write("A1", "text é")
        sheet.write("A2", 12.5, book.add_format({"num_format": "0.00"}))
        sheet.write("A3", 42)
        sheet.write_comment("B2", "a remark", {"author": "Ann"})
        sheet.set_header("&LR&&D&CMercy")
        sheet.set_column("D:D", None, None, {"hidden": True})
        sheet.write("D9", "in a hidden column")
        hidden = book.add_worksheet("Lists")
        hidden.hide()
        hidden.write("A1", "in a hidden sheet")
    return Reader(buffer.getvalue())


def test_cells_are_read_as_they_are_shown(reader):
    shown = [reader.text_at({"kind": "cell", "sheet": "Ward", "cell": cell}) for cell in ("A1", "A2", "A3", "D9")]
    assert shown == ["text é", "12.50", "42", "in a hidden column"]


def test_comments_headers_and_properties(reader):
    comment = {"kind": "sheet_comment", "sheet": "Ward", "cell": "B2"}
    assert reader.text_at({**comment, "field": "text"}) == "a remark"
    assert reader.text_at({**comment, "field": "author"}) == "Ann"
    page = {"kind": "property", "part": "xl/worksheets/sheet1.xml", "name": "oddHeader"}
    assert reader.text_at(page) == "R&DMercy"
    assert reader.text_at({"kind": "property", "part": "docProps/core.xml", "name": "author"}) == "Žofie"
    assert reader.text_at({"kind": "property", "part": "docProps/custom.xml", "name": "Case"}) == "77"


def test_everything_is_everything(reader):
    found = reader.everything().split("\n")
    texts = ["text é", "12.50", "42", "in a hidden column", "in a hidden sheet", "Lists", "a remark", "Ann", "R&DMercy"]
    assert set(found) >= {*texts, "A title", "Žofie", "Case", "77", "Patient", "Microsoft Excel"}


@pytest.mark.parametrize(
    "locator",
    [
        {"kind": "cell", "sheet": "Ward", "cell": "Z99"},
        {"kind": "cell", "sheet": "None", "cell": "A1"},
        {"kind": "sheet_comment", "sheet": "Ward", "cell": "A1", "field": "text"},
        {"kind": "property", "part": "docProps/custom.xml", "name": "Other"},
        {"kind": "property", "part": "docProps/core.xml", "name": "subject"},
        {"kind": "line", "line": 0},
    ],
)
def test_nothing_there_is_an_error(reader, locator):
    with pytest.raises(KeyError):
        reader.text_at(locator)
