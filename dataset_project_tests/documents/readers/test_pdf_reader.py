"""The reader of PDFs on files that the project's writer did not make."""

from __future__ import annotations

from io import BytesIO

import pytest
from reportlab.pdfgen.canvas import Canvas

from dataset_project.documents.readers.pdf import Reader


@pytest.fixture(scope="module")
def reader() -> Reader:
    buffer = BytesIO()
    canvas = Canvas(buffer, pagesize=(300, 200), invariant=1)
    canvas.setTitle("A title")
    canvas.setAuthor("Žofie")
    canvas.setFont("Times-Roman", 12)
    canvas.drawString(20, 150, "left middle right")
    canvas.drawString(20, 130, "below")
    canvas.acroForm.textfield(value="field's", name="one", x=20, y=20, width=100, height=20)
    canvas.textAnnotation("a remark", [200, 150, 220, 170])
    canvas.showPage()
    canvas.setFont("Helvetica", 12)
    canvas.drawString(20, 150, "second page")
    canvas.save()
    return Reader(buffer.getvalue())


def test_text_within_a_box(reader):
    place = {"kind": "pdf_text", "page": 0, "bbox": [38, 147, 74, 160]}
    assert reader.text_at(place) == "middle"
    assert reader.text_at({**place, "bbox": [20, 127, 60, 140]}) == "below"
    assert reader.text_at({**place, "page": 1, "bbox": [0, 0, 300, 200]}) == "second page"


def test_fields_notes_and_properties(reader):
    assert reader.text_at({"kind": "pdf_field", "name": "one"}) == "field's"
    assert reader.text_at({"kind": "pdf_annotation", "page": 0, "index": 1}) == "a remark"
    assert reader.text_at({"kind": "property", "part": "info", "name": "title"}) == "A title"
    assert reader.text_at({"kind": "property", "part": "info", "name": "author"}) == "Žofie"


def test_everything_is_everything(reader):
    everything = reader.everything()
    for text in ("left middle right", "second page", "field's", "a remark", "A title", "Žofie", "Producer"):
        assert text in everything


@pytest.mark.parametrize(
    "locator",
    [
        {"kind": "pdf_text", "page": 0, "bbox": [200, 20, 280, 60]},
        {"kind": "pdf_text", "page": 2, "bbox": [0, 0, 300, 200]},
        {"kind": "pdf_field", "name": "two"},
        {"kind": "pdf_annotation", "page": 0, "index": 2},
        {"kind": "pdf_alt", "page": 0, "index": 0},
        {"kind": "property", "part": "info", "name": "Case"},
        {"kind": "cell", "sheet": "A", "cell": "A1"},
    ],
)
def test_nothing_there_is_an_error(reader, locator):
    with pytest.raises(KeyError):
        reader.text_at(locator)
