"""The DOCX reader on files that our writer did not make, and on places where nothing is."""

from __future__ import annotations

import io
import zipfile

import docx as python_docx
import pytest

from dataset_project.documents.formats import docx
from dataset_project.documents.readers.docx import Reader
from dataset_project_tests.documents.formats.test_ooxml import rich_document

BODY, COMMENTS = "word/document.xml", "word/comments.xml"


def at(paragraph: int, part: str = BODY, **more) -> dict:
    return {"kind": "xml", "part": part, "paragraph": paragraph, **more}


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(docx.write(rich_document(), "d1").content)


@pytest.fixture(scope="module")
def others() -> Reader:
    """Of a file that python-docx made."""
    document = python_docx.Document()
    paragraph = document.add_paragraph("one")
    paragraph.add_run(" two").add_tab()
    paragraph.add_run("three").add_break()
    document.add_table(1, 2).cell(0, 1).text = "in a cell"
    document.sections[0].header.paragraphs[0].text = "above"
    document.add_comment(paragraph.runs[0], text="a remark", author="Somebody", initials="SB")
    document.core_properties.title = "A title"
    document.core_properties.author = "An author"
    target = io.BytesIO()
    document.save(target)
    return Reader(target.getvalue())


def test_paragraphs_are_joined_and_counted_in_document_order(others):
    assert others.text_at(at(0)) == "one two\tthree\n"
    assert others.text_at(at(2)) == "in a cell"
    assert others.text_at(at(0, "word/header1.xml")) == "above"
    assert others.text_at(at(0, COMMENTS)) == "a remark"
    assert others.text_at(at(0, COMMENTS, attribute="author")) == "Somebody"
    assert others.text_at({"kind": "property", "part": "docProps/core.xml", "name": "author"}) == "An author"


def test_everything_includes_what_is_not_in_the_body(others, reader):
    text = others.everything()
    for each in ("one two\tthree", "in a cell", "above", "a remark", "Somebody", "SB", "A title", COMMENTS):
        assert each in text
    lines = reader.everything().split("\n")
    for each in (
        "Photograph of M. O'Neil",
        "Record number",
        "R-5 & 6",
        "internal id ZX-99-1",
        "Alert: call Anna O'Neil.",
    ):
        assert each in lines


def test_everything_includes_names_comments_and_other_text_of_the_archive():
    source = zipfile.ZipFile(io.BytesIO(docx.write(rich_document(), "d1").content))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in source.namelist():
            archive.writestr(name, source.read(name))
        archive.writestr("customXml/jane_roe.xml", "<a>Jane<!-- born 1957 --><b>Roe</b>tail</a>")
        archive.comment = b"packed by Joe"
    lines = Reader(target.getvalue()).everything().split("\n")
    for each in ("customXml/jane_roe.xml", "Jane", "born 1957", "Roe", "tail", "packed by Joe"):
        assert each in lines


def test_text_of_a_nested_paragraph_is_not_that_of_the_one_around_it(reader):
    texts = [text for _, text in reader._archive.paragraphs(BODY)]
    inner = texts.index("Alert: call Anna O'Neil.")
    with pytest.raises(KeyError, match="no text"):
        reader.text_at(at(inner - 1))
    assert reader.text_at(at(inner)) == "Alert: call Anna O'Neil."


@pytest.mark.parametrize(
    "locator",
    [
        at(10_000),
        at(-1),
        at(0, "word/nothing.xml"),
        at(0, "word/media/picture.png", attribute="descr") | {"paragraph": 0, "part": "word/media/none.png"},
        at(0, attribute="descr"),
        at(0, attribute="colour"),
        {"kind": "cell", "sheet": "A", "cell": "B7"},
        {"kind": "property", "part": "docProps/custom.xml", "name": "unheard of"},
        {"kind": "property", "part": "docProps/core.xml", "name": "unheard_of"},
    ],
)
def test_a_place_where_nothing_is_is_a_key_error(reader, locator):
    with pytest.raises(KeyError):
        reader.text_at(locator)


def test_a_part_that_nothing_relates_to_is_not_found():
    source = zipfile.ZipFile(io.BytesIO(docx.write(rich_document(), "d1").content))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in source.namelist():
            data = source.read(name)
            if name == "word/_rels/document.xml.rels":
                data = data.replace(b"relationships/footnotes", b"relationships/unknown").replace(
                    b'Target="footnotes.xml"', b'Target="styles.xml"'
                )
            archive.writestr(name, data)
    with pytest.raises(KeyError, match="no such place"):
        Reader(target.getvalue()).text_at(at(2, "word/footnotes.xml"))


def test_what_is_no_package_is_refused():
    with pytest.raises(zipfile.BadZipFile):
        Reader(b"plain text")
