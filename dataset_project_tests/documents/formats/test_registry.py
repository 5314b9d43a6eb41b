"""The formats as a whole: zones are written and found again, or refused; bytes depend on nothing but the document.

`value`, `rich` and `assert_found` are used by the tests of the single formats and readers.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataset_project.documents.formats.registry import CONTAINERS, Format, file_name, format_named
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
from dataset_project.documents.model.emitting import Span, Written
from dataset_project.documents.model.values import Value, plain
from dataset_project.documents.readers.registry import reader_of

MINE = ("pdf", "xlsx", "eml", "nested_eml", "txt", "html", "csv", "rtf", "zip")


def value(text: str, kind: str = "patient_name") -> Value:
    return Value(text, "A", kind, "PATIENT", "patient", text)


MAIL = MailHeaders(
    sender=(value("Søren Ødegård, MD"), " <", value("soren@example.org"), ">"),
    to=((value("Ann Lee"), " <", value("ann@example.com"), ">"), (value("bare@example.net"),)),
    cc=((value("Żaneta Łukasiewicz-Wiśniewska of the Cardiology Outpatient Clinic"), " <z@example.org>"),),
    reply_to=(value("desk@example.org"),),
    subject=(
        "Re: ",
        value("Zoë Müller"),
        ", a subject so long that it has to be folded over two lines, ",
        value("77-1"),
    ),
    date="2024-03-05T10:11:12",
)
TABLE = Table(
    ("Date", "Test", "Amount"),
    (
        ((value("2024-01-01"),), ("Glucose, fasting",), ("12.50",)),
        (("on ", value("02/03/24"), " <late>"), (), (value("00417"),)),
        ((value('Anna "Annie" O\'Neil; & Co'),), ("7",), ("0.00",)),
    ),
)
_BODY = (
    Paragraph(("Discharge summary",), "title"),
    Paragraph(("Course",), "heading"),
    Fields((("Name", (value("María José Hernández"),)), ("Seen by?", ("Dr ", value("Lee"), ", MD")), ("Blank", ()))),
    Paragraph(("Seen on ", value("4 March 2024"), ", {braces} \\ back & <b>, by (", value("Ann Lee"), ").")),
    Paragraph(("Call ", value("(555) 555-0100")), "list"),
    Paragraph(("Printed ", value("05-Mar-2024")), "small"),
)


def rich(name: str, **changed: object) -> Document:
    """A document with a value in every zone that the format ``name`` has."""
    surfaces = format_named(name).surfaces
    if name == "zip":
        inner = rich("txt", file_name=("of ", value("Zoë Müller")))
        return Document(**{"sections": (), "attachments": (("txt", inner), ("csv", rich("csv"))), **changed})
    blocks = [*_BODY, TABLE] if "body" in surfaces else [TABLE]
    if "form_field" in surfaces:
        blocks += [
            FormField("ssn", "Number:", (value("000-12-3456"),)),
            FormField("ssn", "Again", (value("Özil (née)"),)),
        ]
    html_only = "html_only" in surfaces
    if "alt_text" in surfaces or html_only:
        blocks.append(Picture(("Portrait of ", value("Zoë Müller"), ' "smiling"'), ("Figure 1: ", value("Zoë"))))
    if "text_box" in surfaces or html_only:
        blocks.append(TextBox(("Urgent: call ", value("Max Roe"), ".")))
    zones: dict[str, object] = {
        "header": ("Ward of ", value("General & Sons Hospital")),
        "footer": ("Record ", value("MRN-004711"), ", page"),
        "comments": (Comment((value("Dr Who"),), ("ask ", value("Ms Roe"))), Comment(("Editor",), ("no value",))),
        "footnotes": (("see ", value("Note Keeper")), ("plain",)),
        "hidden": (("secret ", value("999-11-2222")), (value("K. Hidden"), "--")),
        "metadata": Metadata(
            title=("Letter about ", value("Titus Tell")),
            author=(value("Žofie Author"),),
            subject=(value("Sub Ject"),),
            keywords=("a, ", value("Key Word")),
            custom=(("Case No", (value("C-77 (b)"),)),),
        ),
    }
    zone_of = {"comments": "comment", "footnotes": "footnote"}
    kept = {key: zone for key, zone in zones.items() if zone_of.get(key, key) in surfaces}
    if html_only:
        kept["hidden"] = zones["hidden"]
        kept["mail"] = MAIL
        kept["attachments"] = (("txt", rich("txt", file_name=("lab of ", value("Łukasz")))), ("pdf", rich("pdf")))
    if name == "nested_eml":
        inner = rich("eml", file_name=("Fwd ", value("Jane Roe")))
        kept["attachments"] = (("eml", inner), ("zip", rich("zip")), ("xlsx", rich("xlsx")))
    second = Section("Second", (Paragraph(("End of ", value("Ann Lee"), "'s stay.")),))
    sections = (Section("First", tuple(blocks)), *((second,) if "body" in surfaces else ()))
    return Document(**{"sections": sections, **kept, **changed})


def assert_found(name: str, written: Written) -> tuple[Span, ...]:
    """Every span is where it says, in the text and, for an independent reader, in the file. Returns the spans."""
    reader = reader_of(name)(written.content)
    everything = " ".join(reader.everything().split())
    for span in written.spans:
        text = span.value.text
        assert written.text[span.start : span.end] == text
        found = reader.text_at(span.locator)
        inner = span.locator
        while "inner" in inner:
            inner = inner["inner"]
        if inner["kind"] == "pdf_text":
            assert found == text, f"the box of {text!r} holds {found!r}"
        else:
            assert text in found, f"{text!r} is not in {found!r} at {dict(span.locator)}"
        assert text in everything
    return written.spans


@pytest.mark.parametrize("name", MINE)
def test_every_zone_is_written_and_found_again(name):
    form = format_named(name)
    written = form.write(rich(name), "0001")
    spans = assert_found(name, written)
    surfaces = {span.surface for span in spans}
    # Those of the attachments come on top.
    assert form.surfaces <= surfaces if name in CONTAINERS else form.surfaces == surfaces
    starts = [span.start for span in spans]
    assert starts == sorted(starts), "spans come in the order of the text"


@pytest.mark.parametrize("name", MINE)
def test_what_is_not_seen_is_marked(name):
    unseen = {"hidden", "metadata", "alt_text"}
    for span in format_named(name).write(rich(name), "0001").spans:
        assert not (span.visible and span.surface in unseen), span
        assert span.visible or span.surface in unseen | {"comment", "html_only"}, span


_ZONES = {
    "header": {"header": ("x",)},
    "footer": {"footer": ("x",)},
    "comment": {"comments": (Comment(("A",), ("x",)),)},
    "footnote": {"footnotes": (("x",),)},
    "hidden": {"hidden": (("x",),)},
    "metadata": {"metadata": Metadata(custom=(("Case", ("x",)),))},
    "mail_header": {"mail": MAIL},
    "text_box": {"sections": (Section("S", (TABLE, TextBox(("x",)))),)},
    "form_field": {"sections": (Section("S", (TABLE, FormField("n", "L", ("x",)))),)},
    "alt_text": {"sections": (Section("S", (TABLE, Picture(("x",)))),)},
    "notes": {"sections": (Section("S", (TABLE,), notes=("x",)),)},
}


# Messages write these zones into their HTML part.
_HTML_ONLY = frozenset({"text_box", "alt_text", "hidden"})
_LACKING = [
    (name, zone)
    for name in MINE
    for zone in _ZONES
    if zone not in (has := format_named(name).surfaces) and not ("html_only" in has and zone in _HTML_ONLY)
]


@pytest.mark.parametrize(("name", "zone"), _LACKING)
def test_a_zone_that_a_format_lacks_is_refused(name, zone):
    with pytest.raises(ValueError, match="attachments" if name == "zip" else zone):
        format_named(name).write(rich(name, **_ZONES[zone]), "0001")


@pytest.mark.parametrize("name", sorted(set(MINE) - CONTAINERS))
def test_a_plain_file_has_no_attachments(name):
    with pytest.raises(ValueError, match="attachments"):
        format_named(name).write(rich(name, attachments=(("txt", rich("txt")),)), "0001")


@pytest.mark.parametrize("name", ("txt", "html", "csv", "rtf", "pdf", "xlsx"))
@pytest.mark.parametrize("character", ["\x0b", "\x85", "\ud800", "\u2028"])
def test_control_characters_are_refused(name, character):
    with pytest.raises(ValueError):
        format_named(name).write(Document((Section("S", (Table(("H",), (((value(f"a{character}b"),),),)),)),)), "1")


@pytest.mark.parametrize("name", ("xlsx", "rtf", "pdf", "csv"))
def test_ragged_tables_are_refused(name):
    ragged = Table(("A", "B"), ((("only one",),),))
    with pytest.raises(ValueError, match="1 cells under a header of 2"):
        format_named(name).write(Document((Section("S", (ragged,)),)), "1")


def digests() -> dict[str, str]:
    """Of the bytes, text and spans of a rich document in each format."""
    found = {}
    for name in MINE:
        written = format_named(name).write(rich(name), "0042")
        whole = repr((written.content, written.text, written.spans)).encode()
        found[name] = hashlib.sha256(whole).hexdigest()
    return found


def test_bytes_are_the_same_in_every_process_and_order():
    code = (
        "from dataset_project_tests.documents.formats.test_registry import digests\n"
        "digests(); print(sorted(digests().items()))"
    )
    for seed in ("0", "4711"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": "Pacific/Auckland" if seed == "0" else "UTC"}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
        assert done.stdout.strip() == str(sorted(digests().items()))


def test_formats_are_known_by_name():
    for name in MINE:
        form = format_named(name)
        assert isinstance(form, Format) and form.name == name
        assert form.suffix and "." not in form.suffix and "/" in form.media_type
    with pytest.raises(ValueError, match="no document format 'doc': one of docx, pdf"):
        format_named("doc")
    with pytest.raises(ValueError, match="no document format 'doc'"):
        reader_of("doc")


def test_names_of_files():
    form = format_named("txt")
    assert plain(file_name(Document((), file_name=("of ", value("Zoë"))), form, 1)) == "of Zoë.txt"
    assert plain(file_name(Document(()), form, 3)) == "attachment_3.txt"
    for name in ("a/b", "a\\b", ".hidden", " blank", "x:y", "new\nline", "a?"):
        with pytest.raises(ValueError, match="name of a file"):
            file_name(Document((), file_name=(value(name),)), form, 1)


# Letters, marks, digits, signs and emoji of all planes; no blanks beside the plain one, no control characters.
_ANY = st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp", "Cn", "Co", "Zs"))
_WIN_ANSI = st.sampled_from([chr(code) for code in range(33, 127)] + list("€Šš…“”–—•ŽžŸœÀÉÎÕÜßàéîõüÿ¿¡«»°½"))


def _texts(characters: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(st.text(characters, min_size=1, max_size=12), min_size=1, max_size=4).map(" ".join)


def _documents(name: str) -> st.SearchStrategy[Document]:
    texts = _texts(_WIN_ANSI if name == "pdf" else _ANY)
    runs = st.lists(st.one_of(texts, texts.map(value)), min_size=1, max_size=5).map(tuple)
    rows = st.lists(st.tuples(runs, runs), max_size=4).map(tuple)
    tables = rows.map(lambda found: Table(("Left", "Right"), found))
    if name == "csv":
        return tables.map(lambda table: Document((Section("S", (table,)),)))
    styles = st.sampled_from(["title", "heading", "body", "list", "small"])
    fields = st.lists(st.tuples(texts, runs), max_size=3).map(lambda pairs: Fields(tuple(pairs)))
    blocks = st.lists(st.one_of(st.builds(Paragraph, runs, styles), fields, tables), max_size=6).map(tuple)
    sections = st.lists(st.builds(Section, texts, blocks), max_size=3).map(tuple)
    if name == "eml":
        names = texts.filter(lambda text: not set(text) & set('<>@"'))
        addresses = names.map(lambda text: (value(text), " <someone@example.org>"))
        mails = st.builds(
            MailHeaders,
            sender=addresses,
            to=st.lists(addresses, max_size=3).map(tuple),
            subject=runs,
            date=st.just("2024-01-02"),
        )
        return st.builds(Document, sections, mail=mails, hidden=st.lists(runs, max_size=2).map(tuple))
    return st.builds(Document, sections)


@pytest.mark.parametrize("name", ("txt", "html", "csv", "rtf", "eml", "xlsx", "pdf"))
def test_odd_text_is_found_again(name):
    form = format_named(name)

    @settings(max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(_documents(name))
    def check(document: Document) -> None:
        try:
            written = form.write(document, "0001")
        except ValueError as problem:
            assert "take this cell for a formula" in str(problem)
            return
        reader = reader_of(name)(written.content)
        for span in written.spans:
            assert written.text[span.start : span.end] == span.value.text
            assert span.value.text in reader.text_at(span.locator)

    check()
