"""The dataset card: what a stranger must know before using the documents, with this dataset's own figures."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from string import Template
from typing import Any

import pyarrow as pa

from dataset_project.documents.configuration import FORMATS, DocumentSettings
from dataset_project.documents.schemas import CLASSES, SPLITS

_LICENCE = (
    "Documents, identities and annotations: MIT, like the project. Nothing in them was taken from anybody's records."
)
_IDENTIFIERS = {
    "A": "names",
    "B": "geography below the state",
    "C": "dates but the year, ages over 89",
    "D": "telephone numbers",
    "E": "fax numbers",
    "F": "e-mail addresses",
    "G": "social security numbers",
    "H": "medical record numbers",
    "I": "health plan numbers",
    "J": "account numbers",
    "K": "certificate and licence numbers",
    "L": "vehicle identifiers",
    "M": "device identifiers",
    "N": "web addresses",
    "O": "IP addresses",
    "P": "biometric identifiers",
    "Q": "full-face photographs",
    "R": "other unique codes",
}
_VALIDITY = {
    "realistic": "well formed, in no reserved range, and with a valid check digit where there is one",
    "reserved": "in a range that is never given out: 555-01xx, `.example`, documentation addresses, unissued SSN areas",
    "invalid_checksum": "well formed, and the check digit is wrong on purpose",
    "not_applicable": "names, places in words, dates, ages",
}
SURFACES: Mapping[str, str] = {
    "body": "paragraphs and lines of the main text, cells of a sheet that are no table's",
    "table": "cells of tables",
    "header": "page header, also of a sheet or of notes",
    "footer": "page footer, likewise",
    "comment": "remarks in the margin, and their authors",
    "footnote": "footnotes",
    "text_box": "text in a frame or shape of its own",
    "form_field": "filled-in fields: content controls, AcroForm fields, inputs",
    "alt_text": "alternative texts of pictures",
    "hidden": "what is not shown: hidden paragraphs, rows, columns, sheets, slides, invisible text, comments of HTML",
    "notes": "speaker notes",
    "metadata": "title, author, subject, keywords and custom properties of the file",
    "file_name": "name of an attachment or member",
    "mail_header": "addresses and subject of a message",
    "html_only": "what only the HTML part of a message has: text boxes, alternative and hidden texts",
}
"""Surface → what it is."""
_PICTURES = {
    "documents_by_format": "documents by format and class",
    "values_by_type": "planted values by type and surface",
    "pages": "first pages of documents with PHI and of their negative twins",
    "extraction": "what a simple extractor gives, by format and surface",
    "recall_by_surface": "recall of Presidio by surface",
}


@dataclass(frozen=True)
class Results:
    """What the card tells: the report's tables by name, the pictures there are, and why there is no recall (or empty).

    ``batch``: key of a published batch, for the examples; ``sampled``: files that recall was measured on.
    """

    tables: Mapping[str, pa.Table]
    pictures: Sequence[str]
    batch: str
    sampled: int
    without_presidio: str = ""

    def rows(self, name: str) -> list[dict[str, Any]]:
        return self.tables[name].to_pylist()


def card(settings: DocumentSettings, results: Results) -> str:
    """The card as Markdown."""
    documents, spans, templates = (results.rows(name) for name in ("format_class", "span_counts", "template_counts"))
    values, day = _sum(spans), settings.reference_date
    splits = _by(templates, "split", "documents")
    by_class = _by(documents, "class", "documents")
    with_values = {row["surface"] for row in spans}
    figures = {
        "documents": f"{sum(by_class.values()):,}",
        "bytes": _bytes(_sum(documents, "bytes")),
        "formats": len({row["format"] for row in documents}),
        "classes": ", ".join(f"{by_class[name]:,} {name}" for name in CLASSES if by_class[name]),
        "format_list": _listed(_by(documents, "format", "documents"), FORMATS),
        "templates": f"{len({row['template_id'] for row in templates}):,} ({_names(templates)})",
        "values": f"{values:,}",
        "types": len({row["type"] for row in spans}),
        "codes": len({row["hipaa_code"] for row in spans}),
        "surfaces": len(with_values),
        "unseen": f"{_sum(row for row in spans if not row['visible']) / max(values, 1):.0%}",
        "splits": ", ".join(f"{splits[name]:,} {name}" for name in SPLITS if splits[name]),
        "reference_date": f"{day.day} {day:%B %Y}: ages and dates follow from it",
        "seed": settings.seed,
        "pictures": "\n\n".join(
            f"![{title}](pictures/{name}.png)" for name, title in _PICTURES.items() if name in results.pictures
        ),
        "class_table": _class_table(documents),
        "type_table": _type_table(spans),
        "validity_table": _validity_table(spans),
        "surface_table": "\n".join(f"| `{name}` | {told} |" for name, told in SURFACES.items()),
        "batch": results.batch,
        "extraction": _extraction(results),
        "presidio": _presidio(results),
        "prose": " and, in part, by a language model" if settings.llm_share else "",
        "licence": _LICENCE,
    }
    text = files("dataset_project.documents").joinpath("resources", "card.md").read_text(encoding="utf-8")
    # Parts that have nothing to say leave no hole.
    return re.sub(r"\n{3,}", "\n\n", Template(text).substitute(figures))


def _sum(rows: Iterable[Mapping[str, int]], name: str = "spans") -> int:
    return sum(row[name] for row in rows)


def _by(rows: Iterable[Mapping[str, Any]], name: str, count: str) -> Counter[str]:
    sums: Counter[str] = Counter()
    for row in rows:
        sums[row[name]] += row[count]
    return sums


def _listed(counts: Mapping[str, int], order: Sequence[str]) -> str:
    return ", ".join(f"{name} {counts[name]:,}" for name in order if name in counts)


def _names(templates: Iterable[Mapping[str, str]]) -> str:
    return ", ".join(sorted({row["template_id"].replace("_", " ") for row in templates}))


def _bytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size < 1e9 else f"{size / 1e9:,.1f} GB"


def _class_table(documents: Sequence[Mapping[str, Any]]) -> str:
    """Class × format."""
    counts = {(row["class"], row["format"]): row["documents"] for row in documents}
    formats = [name for name in FORMATS if any(form == name for _, form in counts)]
    head = [f"| class | {' | '.join(formats)} | all |", f"|---|{'---:|' * (len(formats) + 1)}"]
    lines = []
    for kind in CLASSES:
        mine = [counts.get((kind, form), 0) for form in formats]
        if any(mine):
            lines.append(f"| `{kind}` | {' | '.join(f'{count:,}' for count in mine)} | {sum(mine):,} |")
    return "\n".join([*head, *lines])


def _type_table(spans: Sequence[Mapping[str, Any]]) -> str:
    """Every Safe-Harbor identifier, those too that no value is of."""
    head = ["| 45 CFR 164.514(b)(2)(i) | values | types |", "|---|---:|---|"]
    lines = []
    for code, title in _IDENTIFIERS.items():
        types = _by((row for row in spans if row["hipaa_code"] == code), "type", "spans")
        told = ", ".join(
            f"`{name}` {count:,}" for name, count in sorted(types.items(), key=lambda one: (-one[1], one[0]))
        )
        lines.append(f"| {code} {title} | {sum(types.values()):,} | {told or 'none in this corpus'} |")
    return "\n".join([*head, *lines])


def _validity_table(spans: Sequence[Mapping[str, Any]]) -> str:
    counts = _by(spans, "validity", "spans")
    return "\n".join(f"| `{name}` | {counts[name]:,} | {told} |" for name, told in _VALIDITY.items())


def _extraction(results: Results) -> str:
    rows = results.rows("extraction")
    if not rows:
        return "No document here holds a value, so nothing is measured."
    counts, found = _by(rows, "surface", "spans"), _by(rows, "surface", "in_ordinary")
    shares = {name: found[name] / counts[name] for name in counts}
    always = sorted(name for name, share in shares.items() if share >= 0.995)
    never = sorted(name for name, share in shares.items() if share < 0.005)
    of_all = f"{sum(found.values()) / sum(counts.values()):.0%} of {sum(counts.values()):,}"
    told = [
        f"A detector sees what an extractor gives it. Of {results.sampled:,} files with values, the few lines that "
        "people write with the usual library of each format (body and tables, attachments opened, nothing one has to "
        f"ask for) give {of_all} values."
    ]
    if always:
        told.append(f"Always there: {_code(always)}.")
    if never:
        told.append(f"Never: {_code(never)}.")
    complete = _sum(rows, "in_everything") / _sum(rows)
    told.append(
        f"A thorough reader of all parts of the file gives {complete:.0%}. Table `extraction`, by format and surface."
    )
    return " ".join(told)


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _presidio(results: Results) -> str:
    rows = results.rows("presidio_recall")
    if not rows:
        return f"Recall of Presidio is not measured: {results.without_presidio}." if results.without_presidio else ""
    values = _sum(rows)
    ordinary, everything = (_sum(rows, f"found_in_{name}") / values for name in ("ordinary", "everything"))
    types = _by(rows, "type", "spans")
    found = _by(rows, "type", "found_in_everything")
    best = sorted(types, key=lambda name: (-found[name] / types[name], name))
    head = ["| type | values | found in all text |", "|---|---:|---:|"]
    lines = [f"| `{name}` | {types[name]:,} | {found[name] / types[name]:.0%} |" for name in best if found[name]]
    none = [name for name in sorted(types) if not found[name]]
    told = (
        "Presidio with its patterns alone (a blank spaCy model: no recognition of names) finds "
        f"{ordinary:.0%} of the values in the text of the simple extractor, and {everything:.0%} in all text, counting "
        "whatever covers half of a value under any name. It is a baseline, not a verdict: names need a model, and some "
        "of its rules refuse reserved values."
    )
    rest = [f"Not found at all: {_code(none)}."] if none else []
    return "\n\n".join([told, "\n".join([*head, *lines]), *rest])
