"""HTML: escaping, ids on all lines, comments."""

from __future__ import annotations

from lxml import etree
from lxml.html import document_fromstring

from dataset_project.documents.formats import html
from dataset_project.documents.model.blocks import Document, FormField, Metadata, Paragraph, Picture, Section
from dataset_project.documents.model.values import plain
from dataset_project_tests.documents.formats.test_registry import rich, value

_NASTY = "<script>alert(\"1\")</script> & 'x' -->"


def test_markup_in_text_stays_text():
    runs = ("a ", value(_NASTY))
    blocks = (Paragraph(runs), FormField(_NASTY, _NASTY, runs), Picture(runs, runs))
    document = Document(
        (Section(_NASTY, blocks),), hidden=(runs,), metadata=Metadata(title=runs, custom=((_NASTY, runs),))
    )
    written = html.write(document, "1")
    root = document_fromstring(written.content)
    assert not root.findall(".//script")
    assert root.findtext(".//title") == plain(runs)
    (entry,) = root.findall(".//input")
    assert entry.get("value") == plain(runs) and entry.get("name") == _NASTY
    assert [element.get("alt") for element in root.iter("img")] == [plain(runs)]


def test_lines_have_ids_whether_or_not_they_hold_values():
    root = document_fromstring(html.write(rich("html"), "1").content)
    texts = [
        each for each in root.find("body").iter("p", "td", "th", "li", "h1", "h2", "h3", "small", "aside", "label")
    ]
    ids = [element.get("id") for element in texts if element.text or element.get("id")]
    assert len(ids) > 25 and None not in ids and len(set(ids)) == len(ids)


def test_hidden_text_is_a_comment_unless_html_forbids_it():
    document = Document((), hidden=(("kept ", value("K1")), (value("a--b"),), (value(">x"),), ("ends-",)))
    written = html.write(document, "1")
    root = document_fromstring(written.content)
    assert [node.text for node in root.iter(etree.Comment)] == ["kept K1"]
    assert [node.text for node in root.iter("div")] == ["a--b", ">x", "ends-"]
    assert all("display:none" in node.get("style") for node in root.iter("div"))
    assert [span.locator.get("comment") for span in written.spans] == [0, None, None]
