"""What must hold for documents without PHI, and beyond: nobody of the pools is in a file where no span says so.

Every file is read as a thorough extractor does (body, headers, comments, properties, hidden text, names of members) and
scanned for everyone of the pools (`identities.scanner`) and for shapes of identifiers (`identities.patterns`).
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from dataset_project.documents.identities.fine_types import TYPES
from dataset_project.documents.identities.patterns import identifiers_in
from dataset_project.documents.identities.pools import Pools
from dataset_project.documents.identities.scanner import Hit, Scanner
from dataset_project.documents.readers.registry import reader_for_file, reader_of
from dataset_project.documents.schemas import CLASSES
from dataset_project.documents.validation.problems import Problems
from dataset_project.documents.validation.published_rows import (
    Row,
    documents_of,
    files_inside,
    pools_of,
    schema_problem,
    spans_of,
)
from dataset_project.storage.published import Files, validator
from dataset_project.storage.validation import Finding

EVERYONE = ("patient", "relative", "provider", "employee", "facility")
# The id that a mail program gives a message: letters and digits of a hash, nobody's mailbox.
_MESSAGE_ID = re.compile(r"^(?:Message-ID|In-Reply-To|References): (?:<[0-9a-f]{24}@mail\.example\.org>\s?)+$", re.M)
_WORD = re.compile(r"\w+")
# Stand before a name and are not of it.
_TITLES = frozenset(("mr", "mrs", "ms", "miss", "dr"))
# A planted value within a labelled shape ("DOB: 3/4/1950", "98-year-old") explains it from this length on.
_TELLING = 2


class _Search:
    """Looks for whatever identifies, in one text after the other."""

    def __init__(self, pools: Pools) -> None:
        self._people = Scanner(pools, EVERYONE)
        # `Scanner` leaves the names of facilities to others. By their first word, of which a text has few.
        self._facilities: dict[str, list[str]] = {}
        for name in pools.facilities["name"].to_pylist():
            self._facilities.setdefault(_WORD.findall(name.casefold())[0], []).append(name)

    def finds(self, text: str) -> list[Hit]:
        """Values of the pools, then shapes of identifiers, without what mail programs write themselves."""
        text = _MESSAGE_ID.sub("", text)
        return [*self._people.scan(text), *self._named(text), *identifiers_in(text)]

    def _named(self, text: str) -> Iterator[Hit]:
        folded = text.casefold()
        for first in sorted(self._facilities.keys() & set(_WORD.findall(folded))):
            for name in self._facilities[first]:
                if (at := folded.find(name.casefold())) >= 0:
                    yield Hit("facility_name", name, at, at + len(name))


@functools.lru_cache(maxsize=1)
def _search(pools: Pools) -> _Search:
    """Made once for all batches of a run."""
    return _Search(pools)


@validator
def negatives_are_clean(files: Files, directory: Path) -> Finding:
    """Negatives, and negative parts of mixed containers, hold nobody of the pools and no shape of an identifier, and
    have no spans; PII-only documents have no value of a patient or relative; positives have some; and whatever is found
    in a document that may hold values is planted, known by a span.

    ``files``: documents, spans and the four tables of the identity pools.
    """
    if wrong := schema_problem(files):
        return Finding(False, wrong, {"problems": 1})
    search, problems = _search(pools_of(files)), Problems()
    rows, spans = documents_of(files), spans_of(files)
    parts: dict[str, list[Row]] = {}
    for row in rows:
        if row["parent_doc_id"] is not None:
            parts.setdefault(row["parent_doc_id"], []).append(row)
    scanned = dict.fromkeys(CLASSES, 0)
    for row in rows:
        if row["class"] not in CLASSES:
            problems.add("classes that are none", f"{row['doc_id']} {row['class']}")
            continue
        if row["parent_doc_id"] is not None:
            continue
        mine = spans.get(row["doc_id"], [])
        _check_class(problems, row, mine, parts.get(row["doc_id"], []))
        try:
            content = (directory / str(row["path"])).read_bytes()
            text = reader_of(row["format"])(content).everything()
        except Exception as error:
            problems.add("files that cannot be opened", f"{row['doc_id']} {type(error).__name__}: {error}")
            continue
        scanned[row["class"]] += 1
        if row["class"] == "negative":
            # The table publishes a text of its own, and a name.
            told = f"{row['path']}\n{text}\n{row['canonical_text']}"
            _check_clean(problems, "negatives", row["doc_id"], search.finds(told))
            continue
        _check_planted(problems, row, search.finds(text), mine)
        if row["class"] == "mixed":
            _check_negative_parts(problems, search, row, content, parts.get(row["doc_id"], []))
    good = f"nobody in {scanned['negative']:,} negatives, nobody unplanted in {sum(scanned.values()):,} documents"
    return problems.finding(good, {f"scanned_{name}": count for name, count in scanned.items()})


def _is_phi(span: Row) -> bool:
    return span["role"] in ("patient", "relative") and span["type"] in TYPES and TYPES[span["type"]].phi


def _check_class(problems: Problems, row: Row, spans: Sequence[Row], parts: Sequence[Row]) -> None:
    """What is planted makes the class."""
    doc_id, found = row["doc_id"], row["class"]
    theirs = [span for span in spans if span["role"] in ("patient", "relative")]
    if found == "negative" and (spans or any(part["spans"] for part in parts)):
        problems.add("negatives with spans", doc_id)
    if found == "pii_only" and theirs:
        problems.add("values of patients in PII-only documents", f"{doc_id} {theirs[0]['type']} {theirs[0]['text']!r}")
    if found == "pii_only" and not spans:
        problems.add("PII-only documents without a value", doc_id)
    if found in ("phi", "mixed") and not any(map(_is_phi, spans)):
        problems.add("positives without PHI", doc_id)
    of_parts = {part["class"] for part in parts}
    if found == "mixed" and not {"phi", "negative"} <= of_parts:
        problems.add("mixed containers whose parts are all of a kind", doc_id)
    if found != "mixed" and not of_parts <= {found}:
        problems.add("parts of another class than their container", doc_id)
    named = [name for name in ("patient_id", "provider_id", "facility_id") if row[name] is not None]
    if (found == "negative" and named) or (found == "pii_only" and "patient_id" in named):
        problems.add("people of a document that is not theirs", f"{doc_id} {named[0]}")


def _check_clean(problems: Problems, whose: str, name: str, finds: Sequence[Hit]) -> None:
    for hit in finds:
        if hit.subject_id or hit.kind in ("titled_name", "facility_name"):
            problems.add(f"identities in {whose}", f"{name} {hit.kind} {hit.text!r} {hit.subject_id}".strip())
        else:
            problems.add(f"shapes of identifiers in {whose}", f"{name} {hit.kind} {hit.text!r}")


def _check_negative_parts(problems: Problems, search: _Search, row: Row, content: bytes, parts: Sequence[Row]) -> None:
    """Each negative part, found by its hash, with its name in the container. Its own parts have rows of their own."""
    inside = {hashlib.sha256(data).hexdigest(): (name, data) for name, data in files_inside(str(row["path"]), content)}
    for part in parts:
        if part["class"] != "negative":
            continue
        if part["spans"]:
            problems.add("negatives with spans", part["doc_id"])
        if part["sha256"] not in inside:
            problems.add("negative parts that are not in their container", part["doc_id"])
            continue
        path, data = inside[part["sha256"]]
        name = path.rpartition("/")[2]
        text = f"{name}\n{reader_for_file(name, data).everything()}"
        _check_clean(problems, "negative parts", part["doc_id"], search.finds(text))


def _check_planted(problems: Problems, row: Row, finds: Sequence[Hit], spans: Sequence[Row]) -> None:
    """Every find is a planted value, or consists of the words of some: names next to each other."""
    if not finds:
        return
    planted = [span["text"].casefold() for span in spans]
    words = {word for text in planted for word in _WORD.findall(text)} | _TITLES
    told: set[tuple[str, str]] = set()
    for hit in finds:
        text = hit.text.casefold()
        if (hit.kind, text) in told or _is_planted(text, planted, words, labelled=not hit.subject_id):
            continue
        told.add((hit.kind, text))
        name = f"{row['doc_id']} {hit.kind} {hit.text!r} {hit.subject_id}".strip()
        problems.add(f"values that are not planted in {row['class']} documents", name)


def _is_planted(text: str, planted: Sequence[str], words: set[str], labelled: bool) -> bool:
    if any(text in each for each in planted):
        return True
    tokens = _WORD.findall(text)
    if labelled and any(f" {_spaced(each)} " in f" {' '.join(tokens)} " for each in planted if len(each) >= _TELLING):
        return True
    return all(word in words for word in tokens)


def _spaced(text: str) -> str:
    return " ".join(_WORD.findall(text))
