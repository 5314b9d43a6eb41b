"""The PPTX reader on files that our writer did not make, and on places where nothing is."""

from __future__ import annotations

import io
import zipfile

import pptx as python_pptx
import pytest
from pptx.util import Inches

from dataset_project.documents.formats import pptx
from dataset_project.documents.readers.pptx import Reader
from dataset_project_tests.documents.formats.test_ooxml import rich_document

SLIDE = "ppt/slides/slide1.xml"


def written():
    return pptx.write(rich_document(notes=True, form_fields=False, footnotes=False), "d1")


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(written().content)


def made_by_python_pptx() -> tuple[bytes, dict[str, int]]:
    presentation = python_pptx.Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[5])
    slide.shapes.title.text = "A title"
    box = slide.shapes.add_textbox(Inches(1), Inches(2), Inches(3), Inches(1))
    box.text_frame.text = "one"
    box.text_frame.add_paragraph().text = "two"
    table = slide.shapes.add_table(1, 2, Inches(1), Inches(4), Inches(4), Inches(1))
    table.table.cell(0, 1).text = "in a cell"
    slide.notes_slide.notes_text_frame.text = "spoken"
    presentation.core_properties.keywords = "some, words"
    target = io.BytesIO()
    presentation.save(target)
    return target.getvalue(), {"title": slide.shapes.title.shape_id, "box": box.shape_id, "table": table.shape_id}


def at(shape: int, paragraph: int, part: str = SLIDE, slide: int = 0) -> dict:
    return {"kind": "xml", "part": part, "slide": slide, "shape": shape, "paragraph": paragraph}


def test_paragraphs_are_found_by_slide_shape_and_number():
    content, shapes = made_by_python_pptx()
    reader = Reader(content)
    assert reader.text_at(at(shapes["title"], 0)) == "A title"
    assert reader.text_at(at(shapes["box"], 2)) == "two"
    assert reader.text_at(at(shapes["table"], 4)) == "in a cell"
    assert reader.text_at({"kind": "property", "part": "docProps/core.xml", "name": "keywords"}) == "some, words"
    with pytest.raises(KeyError, match="not in shape"):
        reader.text_at(at(shapes["box"], 0))
    with pytest.raises(KeyError, match="no text"):
        reader.text_at(at(shapes["table"], 3))
    lines = reader.everything().split("\n")
    for each in ("A title", "one", "two", "in a cell", "spoken", "some, words", "ppt/notesSlides/notesSlide1.xml"):
        assert each in lines


def test_everything_includes_comments_authors_alternative_text_and_hidden_slides(reader):
    lines = reader.everything().split("\n")
    for each in (
        "Check 00123456",
        "Fiona Quill",
        "Photograph of M. O'Neil",
        "internal id ZX-99-1",
        "Say hello to Maria",
        "Mercy General, O'Neil M, page",
        "R-5 & 6",
    ):
        assert each in lines


@pytest.mark.parametrize(
    "locator",
    [
        at(2, 0, "ppt/slides/slide99.xml"),
        at(2, 0, slide=1),
        at(99, 0),
        at(2, 999),
        at(2, -1),
        at(2, 0, "ppt/theme/theme1.xml"),
        {"kind": "xml", "part": SLIDE, "slide": 0, "shape": 2, "attribute": "descr"},
        {"kind": "xml", "part": "ppt/commentAuthors.xml", "author": 9},
        {"kind": "xml", "part": "ppt/comments/comment1.xml", "slide": 0, "comment": 9},
        {"kind": "xml", "part": "ppt/comments/comment1.xml", "slide": 1, "comment": 0},
        {"kind": "xml", "part": "ppt/comments/comment1.xml", "slide": 99, "comment": 0},
        {"kind": "cell", "sheet": "A", "cell": "B7"},
        {"kind": "property", "part": "docProps/core.xml", "name": "unheard_of"},
    ],
)
def test_a_place_where_nothing_is_is_a_key_error(reader, locator):
    with pytest.raises(KeyError):
        reader.text_at(locator)


def test_a_value_is_not_found_at_the_place_of_another(reader):
    spans = [span for span in written().spans if span.surface == "table"]
    assert spans[1].value.text not in reader.text_at(spans[0].locator)


def test_what_is_no_package_is_refused():
    with pytest.raises(zipfile.BadZipFile):
        Reader(b"plain text")
