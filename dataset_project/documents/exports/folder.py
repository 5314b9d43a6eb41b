"""Exports into files: annotations in one file or one per document, and folders for products that want those.

Whole or not at all: written beside the target under another name, then renamed. A folder that holds something already
is never written into.
"""

from __future__ import annotations

import csv
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TextIO

from dataset_project.documents.exports.annotations import conll, i2b2_xml, json_line
from dataset_project.documents.exports.batches import Batches, Row
from dataset_project.documents.schemas import CLASSES, SPLITS
from dataset_project.storage.seeding import seed_for

FORMS: Mapping[str, tuple[str, Callable[[Row, Sequence[Row]], str]]] = {
    "jsonl": (".jsonl", lambda document, spans: json_line(document, spans) + "\n"),
    "conll": (".conll", conll),
    "i2b2": (".xml", i2b2_xml),
}
"""Form → (suffix, document and its spans → text)."""
# An XML file is one document.
_ONE_EACH = frozenset({"i2b2"})

POSITIVE, NEGATIVE, TRUTH = "positive", "negative", "truth.csv"
POSITIVE_CLASSES = ("phi", "mixed")
LEAST_RATIO, MOST_RATIO = 2.0, 3.0
_TRUTH_COLUMNS = (
    *("file", "class", "types", "counts", "hipaa_codes", "surfaces"),
    *("format", "template_id", "split", "doc_id", "sha256"),
)
_LISTED = ";"


@dataclass(frozen=True)
class Written:
    """What an export wrote: documents by class, and planted values in them."""

    documents: Mapping[str, int]
    spans: int


def write_annotations(
    target: Path,
    form: str,
    batches: Batches,
    *,
    splits: Sequence[str] = SPLITS,
    classes: Sequence[str] = CLASSES,
    each_apart: bool = False,
) -> Written:
    """Texts with their spans, of the documents of ``splits`` and ``classes``, in the order of their batches.

    ``each_apart``: a directory ``target/<split>/<class>/doc_<id>.<suffix>``, which ``i2b2`` always is; else one file,
    replaced if it is there. Raises ValueError for a form, split or class that there is not, for i2b2 in one file, and
    where nothing matches; FileExistsError for a directory that holds something, or a target of the other kind.
    """
    if form not in FORMS:
        raise ValueError(f"no form of annotations {form!r}: one of {', '.join(FORMS)}")
    _check("split", splits, SPLITS)
    _check("class", classes, CLASSES)
    if form in _ONE_EACH and not each_apart:
        raise ValueError(f"{form} is one file per document: ask for a directory")
    suffix, text_of = FORMS[form]
    chosen = _annotated(batches, splits, classes)
    if each_apart:
        with _new_directory(target) as directory:

            def put(row: Row, spans: Sequence[Row]) -> None:
                folder = directory / row["split"] / row["class"]
                folder.mkdir(parents=True, exist_ok=True)
                path = folder / f"doc_{row['doc_id']}{suffix}"
                path.write_text(text_of(row, spans), encoding="utf-8", newline="\n")

            return _some(_write(chosen, put), splits, classes)
    with _new_file(target) as file:
        return _some(_write(chosen, lambda row, spans: file.write(text_of(row, spans))), splits, classes)


def write_purview(
    target: Path,
    batches: Batches,
    *,
    ratio: float = LEAST_RATIO,
    splits: Sequence[str] = SPLITS,
    most: int | None = None,
) -> Written:
    """Plain folders ``positive/`` and ``negative/`` of the published files, and ``truth.csv`` beside them.

    ``ratio``: negatives to a positive, 2 to 3; as many as there are for that, those whose ids have the smallest hashes;
    ``most``: no more files than that. Positives are ``phi`` and ``mixed``; ``pii_only`` is in neither folder. Files
    keep their published names, which say nothing. ``truth.csv``: a row a file with its path, class, types of values
    and how many of each (lists joined by ``;``, in the same order). Raises ValueError for another ratio, for a split
    that there is not and for too few documents; FileExistsError for a target that holds something.
    """
    if not LEAST_RATIO <= ratio <= MOST_RATIO:
        raise ValueError(f"{ratio:g} negatives to a positive: a ratio from {LEAST_RATIO:g} to {MOST_RATIO:g} is meant")
    _check("split", splits, SPLITS)
    chosen = _balanced(batches, ratio, splits, most)
    documents: Counter[str] = Counter()
    values = 0
    with _new_directory(target) as directory:
        for folder in (POSITIVE, NEGATIVE):
            (directory / folder).mkdir()
        with (directory / TRUTH).open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, _TRUTH_COLUMNS, lineterminator="\n")
            table.writeheader()
            for key in batches:
                if key not in chosen:
                    continue
                spans = batches.spans(key, ("type", "hipaa_code", "surface"))
                for row in batches.documents(
                    key, ("doc_id", "path", "class", "format", "template_id", "split", "sha256")
                ):
                    folder = chosen[key].get(row["doc_id"])
                    if folder is None:
                        continue
                    name = f"{folder}/{PurePosixPath(row['path']).name}"
                    (directory / name).write_bytes(batches.file(key, row["path"]))
                    mine = spans.get(row["doc_id"], [])
                    table.writerow(_truth(name, row, mine))
                    documents[row["class"]] += 1
                    values += len(mine)
    return Written(dict(documents), values)


def _check(what: str, given: Sequence[str], known: Sequence[str]) -> None:
    unknown = [each for each in given if each not in known]
    if unknown or not given:
        raise ValueError(f"no {what} {', '.join(map(repr, unknown)) or 'at all'}: of {', '.join(known)}")


def _annotated(batches: Batches, splits: Sequence[str], classes: Sequence[str]) -> Iterator[tuple[Row, Sequence[Row]]]:
    for key in batches:
        spans = batches.spans(key)
        for row in batches.documents(key, ("doc_id", "canonical_text", "class", "format", "split")):
            if row["split"] in splits and row["class"] in classes:
                yield row, spans.get(row["doc_id"], [])


def _write(chosen: Iterator[tuple[Row, Sequence[Row]]], put: Callable[[Row, Sequence[Row]], object]) -> Written:
    documents: Counter[str] = Counter()
    values = 0
    for row, spans in chosen:
        put(row, spans)
        documents[row["class"]] += 1
        values += len(spans)
    return Written(dict(documents), values)


def _some(written: Written, splits: Sequence[str], classes: Sequence[str]) -> Written:
    """Raises ValueError when nothing was written: within the export, so that nothing is left of it."""
    if not written.documents:
        raise ValueError(f"no published document is of {', '.join(splits)} and {', '.join(classes)}")
    return written


def _balanced(batches: Batches, ratio: float, splits: Sequence[str], most: int | None) -> dict[str, dict[str, str]]:
    """Batch → document → folder."""
    ranked: dict[str, list[tuple[int, str, str]]] = {POSITIVE: [], NEGATIVE: []}
    for key in batches:
        for row in batches.documents(key, ("doc_id", "class", "split")):
            folder = POSITIVE if row["class"] in POSITIVE_CLASSES else NEGATIVE
            if row["split"] in splits and row["class"] != "pii_only":
                ranked[folder].append((seed_for(0, "documents_purview", row["doc_id"]), key, row["doc_id"]))
    positives = min(len(ranked[POSITIVE]), int(len(ranked[NEGATIVE]) / ratio))
    if most is not None:
        positives = min(positives, int(most / (1 + ratio)))
    if positives < 1:
        there = f"{len(ranked[POSITIVE]):,} positives and {len(ranked[NEGATIVE]):,} negatives"
        limit = "" if most is None else f", at most {most:,} files"
        raise ValueError(
            f"too few documents for {ratio:g} negatives to a positive: {there} of {', '.join(splits)}{limit}"
        )
    chosen: dict[str, dict[str, str]] = {}
    for folder, count in ((POSITIVE, positives), (NEGATIVE, int(positives * ratio))):
        for _, key, doc_id in sorted(ranked[folder])[:count]:
            chosen.setdefault(key, {})[doc_id] = folder
    return chosen


def _truth(name: str, row: Row, spans: Sequence[Row]) -> dict[str, str]:
    counts = Counter(span["type"] for span in spans)
    return {
        **{column: row[column] for column in ("class", "format", "template_id", "split", "doc_id", "sha256")},
        "file": name,
        "types": _LISTED.join(sorted(counts)),
        "counts": _LISTED.join(str(counts[each]) for each in sorted(counts)),
        "hipaa_codes": _LISTED.join(sorted({span["hipaa_code"] for span in spans})),
        "surfaces": _LISTED.join(sorted({span["surface"] for span in spans})),
    }


@contextmanager
def _new_directory(target: Path) -> Iterator[Path]:
    """A directory beside ``target`` that becomes it when all went well. FileExistsError when that holds something."""
    target = target.absolute()
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise FileExistsError(f"{target} is there and no directory: name another")
    if target.is_dir() and any(target.iterdir()):
        raise FileExistsError(f"{target} holds files already: name a directory that does not exist or is empty")
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    temporary.mkdir()
    try:
        yield temporary
        # Onto an empty directory, or none: anything else fails.
        os.rename(temporary, target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def _new_file(target: Path) -> Iterator[TextIO]:
    if target.is_dir():
        raise FileExistsError(f"{target} is a directory: name a file")
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            yield file
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
