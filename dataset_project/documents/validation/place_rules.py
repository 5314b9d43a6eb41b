"""What must hold for files and spans: every file is the one in the table, every value stands where its span says.

Each file is opened by the reader of its format, a library that had no part in writing it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dataset_project.documents.formats.registry import CONTAINERS, format_named
from dataset_project.documents.readers.registry import reader_of
from dataset_project.documents.validation.problems import Problems
from dataset_project.documents.validation.published_rows import (
    Row,
    documents_of,
    files_inside,
    schema_problem,
    spans_of,
)
from dataset_project.storage.published import Files, validator
from dataset_project.storage.validation import Finding

FILES = "files"


@validator
def spans_are_found(files: Files, directory: Path) -> Finding:
    """Schemas; one file a row and one row a file, bytes and hash as stored, parts as they stand in their containers;
    canonical text and its hash; every span within its text, and its text found at its locator by the format's reader.

    ``directory``: the partition's, with its ``files``.
    """
    if wrong := schema_problem(files):
        return Finding(False, wrong, {"problems": 1})
    problems = Problems()
    rows, spans = documents_of(files), spans_of(files)
    of_files = {row["doc_id"]: row for row in rows if row["parent_doc_id"] is None}
    parts: dict[str, list[Row]] = {}
    for row in rows:
        if row["parent_doc_id"] is not None:
            parts.setdefault(row["parent_doc_id"], []).append(row)
    _check_rows(problems, rows, of_files, parts, spans)
    _check_directory(problems, of_files, directory)
    for doc_id, row in of_files.items():
        _check_text(problems, row)
        content = _content(problems, row, directory)
        if content is None:
            continue
        _check_parts(problems, row, content, parts.get(doc_id, ()))
        _check_spans(problems, row, content, spans.get(doc_id, ()))
    count = sum(len(each) for each in spans.values())
    figures = {"documents": len(of_files), "parts": len(rows) - len(of_files), "spans": count}
    good = f"{len(of_files):,} files as stored, {count:,} values found at their places"
    return problems.finding(good, figures)


def _check_rows(
    problems: Problems,
    rows: Sequence[Row],
    of_files: dict[str, Row],
    parts: dict[str, list[Row]],
    spans: dict[str, list[Row]],
) -> None:
    seen: set[str] = set()
    for row in rows:
        if row["doc_id"] in seen:
            problems.add("documents with several rows", row["doc_id"])
        seen.add(row["doc_id"])
    for parent in sorted(set(parts) - set(of_files)):
        problems.add("parts of no document", parts[parent][0]["doc_id"], len(parts[parent]))
    for doc_id in sorted(set(spans) - set(of_files)):
        problems.add("spans of no document", doc_id, len(spans[doc_id]))
    for doc_id, row in of_files.items():
        mine = spans.get(doc_id, [])
        if row["spans"] != len(mine):
            problems.add(
                "documents with more or fewer spans than counted", f"{doc_id} {row['spans']}, {len(mine)} rows"
            )
        if [span["span_id"] for span in mine] != [f"{doc_id}:{number}" for number in range(len(mine))]:
            problems.add("documents whose spans are not numbered", doc_id)


def _check_directory(problems: Problems, of_files: dict[str, Row], directory: Path) -> None:
    """A file for every row, a row for every file."""
    expected = set()
    for doc_id, row in of_files.items():
        path = f"{FILES}/doc_{doc_id}.{format_named(row['format']).suffix}"
        expected.add(path)
        if row["path"] != path:
            problems.add("paths that are not named by the document alone", f"{doc_id} {row['path']}")
    # Links too: what is published consists of files.
    found = {
        each.relative_to(directory).as_posix()
        for each in sorted((directory / FILES).rglob("*"))
        if not each.is_dir() or each.is_symlink()
    }
    for path in sorted(found - expected):
        problems.add("files without a row", path)
    for path in sorted(expected - found):
        problems.add("rows without a file", path)


def _content(problems: Problems, row: Row, directory: Path) -> bytes | None:
    """The bytes of a file, or None where there is none or it is another."""
    try:
        content = (directory / str(row["path"])).read_bytes()
    except OSError:
        # Told already: a row without a file.
        return None
    if len(content) != row["bytes"]:
        problems.add("files of another size", f"{row['doc_id']} has {len(content):,} bytes, not {row['bytes']:,}")
        return None
    if hashlib.sha256(content).hexdigest() != row["sha256"]:
        problems.add("files with other bytes", row["doc_id"])
        return None
    return content


def _check_text(problems: Problems, row: Row) -> None:
    if hashlib.sha256(row["canonical_text"].encode()).hexdigest() != row["canonical_text_sha256"]:
        problems.add("canonical texts with another hash", row["doc_id"])


def _check_parts(problems: Problems, row: Row, content: bytes, parts: Sequence[Row]) -> None:
    """Each part's bytes are in the container, each file of the container is a part, its text within the whole's."""
    if row["format"] not in CONTAINERS:
        if parts:
            problems.add("parts of a file that is no container", parts[0]["doc_id"], len(parts))
        return
    try:
        inside = [data for _, data in files_inside(str(row["path"]), content)]
    except Exception as error:
        problems.add("files that cannot be opened", f"{row['doc_id']} {type(error).__name__}: {error}")
        return
    hashes = sorted(hashlib.sha256(data).hexdigest() for data in inside)
    if hashes != sorted(part["sha256"] for part in parts):
        problems.add("containers whose parts are not those of the table", f"{row['doc_id']} holds {len(hashes)} files")
    sizes = {hashlib.sha256(data).hexdigest(): len(data) for data in inside}
    for part in parts:
        _check_text(problems, part)
        if part["path"] is not None or part["bytes"] != sizes.get(part["sha256"], part["bytes"]):
            problems.add("parts of another size, or with a path", part["doc_id"])
        if part["canonical_text"] not in row["canonical_text"]:
            problems.add("parts whose text is not in their container's", part["doc_id"])


def _check_spans(problems: Problems, row: Row, content: bytes, spans: Sequence[Row]) -> None:
    if not spans:
        return
    try:
        reader = reader_of(row["format"])(content)
    except Exception as error:
        problems.add("files that cannot be opened", f"{row['doc_id']} {type(error).__name__}: {error}")
        return
    text, last = row["canonical_text"], 0
    for span in spans:
        name = f"{span['span_id']} {span['type']} {span['text']!r}"
        if not last <= span["start"] < span["end"] <= len(text):
            problems.add("spans outside the text, out of order or overlapping", name)
            continue
        last = span["end"]
        if text[span["start"] : last] != span["text"]:
            problems.add("spans whose offsets hold another text", name)
            continue
        try:
            locator = json.loads(span["locator"])
            _check_zone(problems, row["format"], span, locator, name)
            found = reader.text_at(locator)
        except Exception as error:
            # A reader may stumble over anything in a file that was tampered with.
            problems.add("values that are not at their locator", f"{name} ({type(error).__name__}: {error})")
            continue
        if not _is_there(found, span, text, locator):
            problems.add("values that are not at their locator", f"{name} in {row['format']}: {found!r} there")


def _is_there(found: str, span: Row, text: str, locator: dict[str, Any]) -> bool:
    """Whether a reader found the value: a box holds it alone; other places its whole line, a value among its words."""
    if _innermost(locator)["kind"] == "pdf_text":
        return found == span["text"]
    start = text.rfind("\n", 0, span["start"]) + 1
    end = text.find("\n", span["end"])
    return text[start : end if end >= 0 else len(text)] in found


def _innermost(locator: dict[str, Any]) -> dict[str, Any]:
    while "inner" in locator:
        locator = locator["inner"]
    return locator


def _check_zone(problems: Problems, form: str, span: Row, locator: dict[str, Any], name: str) -> None:
    """The path of containers as the locator has it; a surface that the file's format, or a part's, has."""
    path = []
    while "inner" in locator:
        path.append(str(locator.get("path") or locator.get("name")))
        locator = locator["inner"]
    if "/".join(path) != span["nested_in"]:
        problems.add("spans nested elsewhere than their locator says", f"{name} in {span['nested_in']!r}")
    own = format_named(form).surfaces
    if form not in CONTAINERS and span["surface"] not in own:
        problems.add("surfaces that the format does not have", f"{name} in {span['surface']} of {form}")
