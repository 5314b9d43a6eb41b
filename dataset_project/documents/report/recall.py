"""What of the planted values a simple extractor gives, and a detector finds, by where they sit: over a sample.

The same files whatever the order of batches: those whose ids have the smallest hashes. Finding anything that covers
half of a value counts, under whatever name: this is about what is seen at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from dataset_project.documents.exports.batches import Batches
from dataset_project.documents.readers.registry import reader_of
from dataset_project.documents.report.extraction import ordinary_text
from dataset_project.documents.report.matching import places, tidy
from dataset_project.documents.report.presidio import Analyze
from dataset_project.documents.report.schemas import EXTRACTION, PRESIDIO_RECALL
from dataset_project.storage.seeding import seed_for

SAMPLE = 300
"""Files looked at: with a detector of 25 ms a text that is 15 s."""
# Of a value's characters, how many have to be covered.
_COVERED = 0.5
_SPAN_COLUMNS = ("start", "end", "surface", "type")


@dataclass(frozen=True)
class Recall:
    """EXTRACTION; PRESIDIO_RECALL, without rows where no detector was asked; and how many files were looked at."""

    extraction: pa.Table
    presidio: pa.Table
    documents: int


def measure(batches: Batches, analyze: Analyze | None, most: int = SAMPLE) -> Recall:
    """Look at up to ``most`` files with planted values. ``analyze``: the detector, or None."""
    chosen = _chosen(batches, most)
    extraction: dict[tuple[str, str], Counter[str]] = {}
    found: dict[tuple[str, str], Counter[str]] = {}
    for key in batches:
        wanted = chosen.get(key)
        if not wanted:
            continue
        spans = batches.spans(key, _SPAN_COLUMNS)
        for row in batches.documents(key, ("doc_id", "path", "format", "canonical_text")):
            if row["doc_id"] in wanted:
                mine = spans[row["doc_id"]]
                told = _look(row, mine, batches.file(key, row["path"]), analyze)
                for span, signs in zip(mine, told, strict=True):
                    extraction.setdefault((row["format"], span["surface"]), Counter()).update(signs)
                    found.setdefault((span["surface"], span["type"]), Counter()).update(signs)
    of_detector = found if analyze is not None else {}
    documents = sum(len(ids) for ids in chosen.values())
    return Recall(_table(extraction, EXTRACTION), _table(of_detector, PRESIDIO_RECALL), documents)


def _chosen(batches: Batches, most: int) -> dict[str, set[str]]:
    """Batch → ids of its files that are looked at."""
    ranked = sorted(
        (seed_for(0, "documents_recall", row["doc_id"]), key, row["doc_id"])
        for key in batches
        for row in batches.documents(key, ("doc_id", "spans"))
        if row["spans"]
    )
    chosen: dict[str, set[str]] = {}
    for _, key, doc_id in ranked[:most]:
        chosen.setdefault(key, set()).add(doc_id)
    return chosen


def _look(
    row: dict[str, Any], spans: Sequence[dict[str, Any]], content: bytes, analyze: Analyze | None
) -> list[list[str]]:
    """For each span the columns that it counts in."""
    signs = [["spans"] for _ in spans]
    texts = {
        "ordinary": lambda: ordinary_text(row["format"], content),
        "everything": lambda: reader_of(row["format"])(content).everything(),
    }
    for name, read in texts.items():
        text = tidy(read())
        detected = sorted(analyze(text)) if analyze is not None else []
        for mine, place in zip(signs, places(text, row["canonical_text"], spans), strict=True):
            if place is not None:
                mine.append(f"in_{name}")
                if _is_covered(place, detected):
                    mine.append(f"found_in_{name}")
    return signs


def _is_covered(place: tuple[int, int], detected: Sequence[tuple[int, int]]) -> bool:
    covered = {at for start, end in detected for at in range(max(start, place[0]), min(end, place[1]))}
    return len(covered) >= _COVERED * (place[1] - place[0])


def _table(counts: dict[tuple[str, str], Counter[str]], schema: pa.Schema) -> pa.Table:
    names, numbers = schema.names[:2], schema.names[2:]
    rows = [
        dict(zip(names, key, strict=True)) | {name: counts[key][name] for name in numbers} for key in sorted(counts)
    ]
    return pa.Table.from_pylist(rows, schema=schema)
