"""Real negatives are clean; a value of the pools in any zone of any format is found and named."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections import Counter

import pytest

from dataset_project.documents.validation.clean_rules import negatives_are_clean
from dataset_project.documents.validation.published_rows import files_inside, pools_of


def judged(corpus):
    return negatives_are_clean(corpus.files(), corpus.batches[0])


def somebody(corpus):
    people = pools_of(corpus.files())
    return people.patient(people.ids("patients")[7])


def changed_part(content: bytes, part: str, change) -> bytes:
    """A package with the bytes of one part changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            data = old.read(info)
            new.writestr(info, change(data) if info.filename == part else data)
    return out.getvalue()


def test_real_corpora_pass(corpus, containers):
    for each in (corpus, containers):
        finding = judged(each)
        assert finding.passed, finding.summary
        rows = [row for row in each.rows("documents") if row["path"]]
        for name in ("negative", "phi", "pii_only", "mixed"):
            assert finding.figures[f"scanned_{name}"] == sum(row["class"] == name for row in rows)
    assert any(row["class"] == "mixed" for row in containers.rows("documents"))
    assert {"phi", "negative"} <= {row["class"] for row in corpus.rows("documents")}


def _in_a_comment(name: str):
    """Per format: how somebody's name gets into a zone that people forget."""
    text = name.encode()
    return {
        "docx": lambda content: changed_part(
            content,
            "word/document.xml",
            lambda xml: xml.replace(
                b"<w:body>", b"<w:body><w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>%s</w:t></w:r></w:p>" % text
            ),
        ),
        "pptx": lambda content: changed_part(
            content, "docProps/core.xml", lambda xml: re.sub(rb"(<dc:title[^>]*>)", rb"\1%s " % text, xml, count=1)
        ),
        "xlsx": lambda content: changed_part(
            content, "docProps/core.xml", lambda xml: re.sub(rb"(<dc:creator[^>]*>)", rb"\1%s " % text, xml, count=1)
        ),
        "html": lambda content: content.replace(b"</body>", b"<!-- ask %s --></body>" % text),
        "txt": lambda content: content + text,
        "csv": lambda content: b"# checked by %s\r\n" % text + content,
        "rtf": lambda content: content[: content.rindex(b"}")] + rb"{\header " + text + rb"\par}}",
        "eml": lambda content: content.replace(
            b"MIME-Version", b"X-Original-To: %s <nobody@example.org>\r\nMIME-Version" % text, 1
        ),
    }


@pytest.mark.parametrize("form", ["docx", "pptx", "xlsx", "html", "txt", "csv", "rtf", "eml"])
def test_a_patients_name_in_a_negative_is_named(spoilt, form):
    person = somebody(spoilt)
    name = f"{person.given} {person.family}"
    spoilt, row = spoilt.file(form, "negative")
    before = spoilt.path(row).read_bytes()
    after = _in_a_comment(name)[form](before)
    assert after != before
    spoilt.path(row).write_bytes(after)
    finding = judged(spoilt)
    assert not finding.passed and "identities in negatives" in finding.summary
    assert f"{row['doc_id']} patient_name {name!r} {person.id}" in finding.summary


def test_a_comment_in_a_word_file_is_read(spoilt):
    person = somebody(spoilt)
    spoilt, row = spoilt.where(
        "documents",
        lambda row: (
            row["path"]
            and (row["format"], row["class"]) == ("docx", "negative")
            and b"<w:t" in _part(next(spoilt.root.glob(f"*/{row['path']}")), "word/comments.xml")
        ),
    )
    content = spoilt.path(row).read_bytes()
    name = f"{person.family}, {person.given}"
    put = re.compile(rb"(<w:t[^>]*>)[^<]*")
    after = changed_part(content, "word/comments.xml", lambda xml: put.sub(rb"\1 see %s" % name.encode(), xml, count=1))
    spoilt.path(row).write_bytes(after)
    finding = judged(spoilt)
    assert not finding.passed and f"{row['doc_id']} patient_name {name!r} {person.id}" in finding.summary


def _part(path, name):
    with zipfile.ZipFile(path) as archive:
        return archive.read(name) if name in archive.namelist() else b""


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("SSN 900-12-3456", "shapes of identifiers in negatives"),
        ("write to jane.roe@example.org", "shapes of identifiers in negatives"),
        ("a 93-year-old woman", "shapes of identifiers in negatives"),
        ("Message-ID: <anna.lopez@mail.example.org>", "shapes of identifiers in negatives"),
    ],
)
def test_shapes_count_whoever_they_are_of(spoilt, line, said):
    spoilt, row = spoilt.file("txt", "negative")
    spoilt.path(row).write_bytes(spoilt.path(row).read_bytes() + line.encode())
    finding = judged(spoilt)
    assert not finding.passed and said in finding.summary and row["doc_id"] in finding.summary


@pytest.mark.parametrize(
    "line",
    [
        "Message-ID: <0123456789abcdef01234567@mail.example.org>",
        "call 1-800-555-0123",
        "orders@example.org",
        "v 3.1.4.2",
    ],
)
def test_lookalikes_are_no_identifiers(spoilt, line):
    spoilt, row = spoilt.file("txt", "negative")
    spoilt.path(row).write_bytes(spoilt.path(row).read_bytes() + b"\n" + line.encode())
    assert judged(spoilt).passed


def test_a_facility_of_the_pools_is_somebody_too(spoilt):
    spoilt, row = spoilt.file("txt", "negative")
    name = pools_of(spoilt.files()).facilities["name"][2].as_py()
    spoilt.path(row).write_bytes(spoilt.path(row).read_bytes() + f"\nat {name.upper()} only".encode())
    finding = judged(spoilt)
    assert f"{row['doc_id']} facility_name {name!r}" in finding.summary and not finding.passed


def test_the_published_text_of_a_negative_is_scanned_too(spoilt):
    spoilt, row = spoilt.file("txt", "negative")
    person = somebody(spoilt)

    def spoil(rows):
        next(each for each in rows if each["doc_id"] == row["doc_id"])["canonical_text"] += f"\n{person.mrn}"

    spoilt.change("documents", spoil)
    finding = judged(spoilt)
    assert not finding.passed and f"{row['doc_id']} mrn" in finding.summary and person.id in finding.summary


def test_what_a_positive_holds_must_be_planted(spoilt):
    """Another patient's number, of which no span knows."""
    person = somebody(spoilt)
    spoilt, row = spoilt.where(
        "documents",
        lambda row: (
            row["format"] == "txt"
            and row["path"]
            and row["class"] in ("phi", "pii_only")
            and row["patient_id"] != person.id
        ),
    )
    spoilt.path(row).write_bytes(spoilt.path(row).read_bytes() + f"\nalso {person.account}".encode())
    finding = judged(spoilt)
    assert not finding.passed and f"values that are not planted in {row['class']} documents: 1" in finding.summary
    assert person.account in finding.summary and row["doc_id"] in finding.summary


def test_a_span_that_was_dropped_is_missed(spoilt):
    texts = Counter(span["text"] for batch in range(8) for span in spoilt.rows("spans", batch))
    spoilt, target = spoilt.where(
        "spans",
        lambda span: span["type"] == "ssn" and span["text"][0].isdigit() and texts[span["text"]] == 1,
    )

    def drop(rows):
        rows.remove(next(each for each in rows if each["span_id"] == target["span_id"]))

    spoilt.change("spans", drop)
    finding = judged(spoilt)
    assert not finding.passed and "not planted" in finding.summary and target["text"] in finding.summary


def _relabelled(corpus, doc_id, name):
    def change(rows):
        next(each for each in rows if each["doc_id"] == doc_id)["class"] = name

    corpus.change("documents", change)


@pytest.mark.parametrize(
    ("was", "told_as", "said"),
    [
        ("phi", "negative", "negatives with spans"),
        ("phi", "pii_only", "values of patients in PII-only documents"),
        ("negative", "pii_only", "PII-only documents without a value"),
        ("negative", "phi", "positives without PHI"),
        ("phi", "maybe", "classes that are none"),
        ("phi", "mixed", "mixed containers whose parts are all of a kind"),
    ],
)
def test_a_wrong_class_is_named(spoilt, was, told_as, said):
    spoilt, row = spoilt.file("docx", was)
    _relabelled(spoilt, row["doc_id"], told_as)
    finding = judged(spoilt)
    assert not finding.passed and said in finding.summary and row["doc_id"] in finding.summary


def test_parts_of_mixed_containers_are_judged_apart(spoilt_containers):
    rows = spoilt_containers.rows("documents")
    mixed = {row["doc_id"]: row for row in rows if row["class"] == "mixed"}
    part = next(row for row in rows if row["parent_doc_id"] in mixed and row["class"] == "phi" and row["spans"] > 5)
    _relabelled(spoilt_containers, part["doc_id"], "negative")
    finding = judged(spoilt_containers)
    assert not finding.passed and "identities in negative parts" in finding.summary
    assert f"negatives with spans: 1 ({part['doc_id']})" in finding.summary


def test_parts_of_one_class_have_that_class(spoilt_containers):
    rows = spoilt_containers.rows("documents")
    plain = {row["doc_id"] for row in rows if row["class"] == "negative" and row["path"]}
    part = next(row for row in rows if row["parent_doc_id"] in plain)
    _relabelled(spoilt_containers, part["doc_id"], "phi")
    assert (
        f"parts of another class than their container: 1 ({part['parent_doc_id']})" in judged(spoilt_containers).summary
    )


def test_names_of_members_are_read(spoilt_containers):
    person = somebody(spoilt_containers)
    row = next(
        row
        for row in spoilt_containers.rows("documents")
        if (row["format"], row["class"]) == ("zip", "negative") and row["path"]
    )
    path, out = spoilt_containers.path(row), io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w") as new:
        for number, name in enumerate(old.namelist()):
            told = f"{person.given} {person.family}.{name.rpartition('.')[2]}" if number == 0 else name
            new.writestr(told, old.read(name))
    path.write_bytes(out.getvalue())
    finding = judged(spoilt_containers)
    assert not finding.passed and f"patient_name '{person.given} {person.family}' {person.id}" in finding.summary


def test_a_file_that_cannot_be_read_is_told(spoilt):
    spoilt, row = spoilt.file("docx", "negative")
    spoilt.path(row).write_bytes(b"no package")
    finding = judged(spoilt)
    assert finding.summary.startswith(f"files that cannot be opened: 1 ({row['doc_id']} BadZipFile")


def test_files_inside_files_are_all_found(containers):
    """Hashes of parts as their writers made them, at every depth."""
    rows = containers.rows("documents")
    deepest = max((row for row in rows if row["part_path"]), key=lambda row: row["part_path"].count("/"))
    assert "/" in deepest["part_path"]
    whole = next(row for row in rows if row["doc_id"] == deepest["parent_doc_id"])
    inside = dict(files_inside(whole["path"], containers.path(whole).read_bytes()))
    assert deepest["sha256"] in {hashlib.sha256(data).hexdigest() for data in inside.values()}
    assert len(inside) == sum(row["parent_doc_id"] == whole["doc_id"] for row in rows)
