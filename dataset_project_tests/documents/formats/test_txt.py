"""Plain text: what the lines look like."""

from __future__ import annotations

from dataset_project.documents.formats import txt
from dataset_project.documents.model.blocks import Document, Fields, Paragraph, Section, Table
from dataset_project_tests.documents.formats.test_registry import value


def test_the_lines_of_a_document():
    table = Table(("Name", "Age"), (((value("Zoë"),), ("7",)), (("A",), (value("90"), " or more"))))
    blocks = (
        Paragraph(("Report",), "title"),
        Fields((("MRN", (value("0047"),)), ("Deceased?", ("no",)), ("", ("bare",)))),
        table,
        Paragraph(("item",), "list"),
    )
    document = Document((Section("Part", blocks),), header=("Top",), footer=("End",), footnotes=(("note",),))
    written = txt.write(document, "1")
    lines = ["Top", "", "Part", "----", "Report", "======", "", "MRN: 0047", "Deceased? no", "bare", ""]
    lines += [
        "Name  Age",
        "----  ----------",
        "Zoë   7",
        "A     90 or more",
        "",
        "- item",
        "",
        "[1] note",
        "",
        "End",
        "",
    ]
    assert written.content.decode() == "\n".join(lines)
    # Rules and blank lines are layout, not text.
    assert written.text.split("\n") == [line for line in lines if line and set(line) - set("-= ")]
    assert [span.locator["line"] for span in written.spans] == [7, 13, 14]


def test_an_empty_document_is_an_empty_file():
    written = txt.write(Document(()), "1")
    assert (written.content, written.text, written.spans) == (b"", "", ())
