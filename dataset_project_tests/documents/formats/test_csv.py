"""CSV: one table, comment lines above it, no formulas."""

from __future__ import annotations

import csv

import pytest

from dataset_project.documents.formats import csv as csv_format
from dataset_project.documents.model.blocks import Document, Fields, Paragraph, Section, Table
from dataset_project_tests.documents.formats.test_registry import value


def _table(*cells: str) -> Document:
    return Document((Section("", (Table(("H",), tuple(((value(cell),),) for cell in cells)),)),))


def test_a_table_under_its_comments():
    table = Table(("Name", "Note"), (((value("Lee, Ann"),), ('said "no"',)), (("# 1",), ()), ((), ())))
    blocks = (Paragraph(("About ", value("Zoë"))), table, Fields((("Ward", (value("B, 2"),)),)))
    written = csv_format.write(Document((Section("Export", blocks),), header=("Lab",), footer=("end",)), "1")
    text = written.content.decode()
    expected = ["# Lab", "# Export", "# About Zoë", "# Ward: B, 2", "# end", "Name,Note"]
    assert text == "\r\n".join([*expected, '"Lee, Ann","said ""no"""', '"# 1",', ",", ""])
    rows = list(csv.reader(line for line in text.splitlines() if not line.startswith("#")))
    assert rows == [["Name", "Note"], ["Lee, Ann", 'said "no"'], ["# 1", ""], ["", ""]]
    places = [(span.value.text, span.locator["line"], span.locator.get("column")) for span in written.spans]
    assert places == [("Zoë", 2, None), ("B, 2", 3, None), ("Lee, Ann", 6, 0)]


@pytest.mark.parametrize("cell", ["=1+1", "+1 (555) 555-0100", "-cmd|x", "@SUM(A1)", "-1-2", "+", "\tx"])
def test_a_formula_is_refused(cell):
    with pytest.raises(ValueError, match="formula"):
        csv_format.write(_table(cell), "1")


@pytest.mark.parametrize("cell", ["-12.50", "+15550100", "-1,200", "-5%", "-", "---", "1=1", "a@b", "3-4"])
def test_numbers_and_dashes_are_no_formulas(cell):
    assert cell in csv_format.write(_table(cell), "1").content.decode()


@pytest.mark.parametrize("tables", [0, 2])
def test_there_is_exactly_one_table(tables):
    table = Table(("H",), ())
    with pytest.raises(ValueError, match=f"exactly one table, the document has {tables}"):
        csv_format.write(Document((Section("", (table,) * tables),)), "1")
