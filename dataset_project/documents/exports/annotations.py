"""Texts with their spans in the usual forms: JSON lines, CoNLL, i2b2 XML. One document at a time, texts only.

Rows are those of DOCUMENTS and SPANS; offsets are code points of the canonical text in every form.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any
from xml.sax.saxutils import quoteattr

Row = Mapping[str, Any]

_TOKEN = re.compile(r"\w+|[^\w\s]")
_OUTSIDE = "O"
_TOLD = (
    *("start", "end", "text", "type", "hipaa_code", "i2b2_type"),
    *("role", "surface", "validity", "visible", "canonical"),
)
# Element of the 2014 i2b2/UTHealth de-identification track for each of its types (Stubbs & Uzuner 2015).
I2B2_ELEMENTS = {
    **dict.fromkeys(("PATIENT", "DOCTOR", "USERNAME"), "NAME"),
    "PROFESSION": "PROFESSION",
    **dict.fromkeys(
        (
            "HOSPITAL",
            "ORGANIZATION",
            "STREET",
            "CITY",
            "STATE",
            "COUNTRY",
            "ZIP",
            "LOCATION-OTHER",
            "ROOM",
            "DEPARTMENT",
        ),
        "LOCATION",
    ),
    # The track has no counties: they are written as other locations.
    "COUNTY": "LOCATION",
    "AGE": "AGE",
    "DATE": "DATE",
    **dict.fromkeys(("PHONE", "FAX", "EMAIL", "URL", "IPADDR"), "CONTACT"),
    **dict.fromkeys(
        ("SSN", "MEDICALRECORD", "HEALTHPLAN", "ACCOUNT", "LICENSE", "VEHICLE", "DEVICE", "BIOID", "IDNUM"), "ID"
    ),
}

_AS_ANOTHER = {"COUNTY": "LOCATION-OTHER"}


def json_line(document: Row, spans: Sequence[Row]) -> str:
    """One JSON object: id, text, class, split, and spans with offsets, types, surface and validity."""
    told = {
        "id": document["doc_id"],
        "text": document["canonical_text"],
        "class": document["class"],
        "format": document["format"],
        "split": document["split"],
        "spans": [{name: span[name] for name in _TOLD} for span in spans],
    }
    return json.dumps(told, ensure_ascii=False, sort_keys=True)


def conll(document: Row, spans: Sequence[Row], label: str = "type") -> str:
    """Token and BIO tag by line, an empty line after each line of the text; the document's id as a comment first.

    Tokens are runs of word characters, and single other signs; a value that begins or ends inside of one cuts it there.
    """
    text: str = document["canonical_text"]
    edges = sorted({edge for span in spans for edge in (span["start"], span["end"])})
    tags = {}
    for span in spans:
        tags.update({place: span for place in range(span["start"], span["end"])})
    lines = [f"# id = {document['doc_id']}"]
    start = 0
    for line in text.split("\n"):
        for begin, end in _tokens(line, start, edges):
            span = tags.get(begin)
            tag = _OUTSIDE if span is None else f"{'B' if begin == span['start'] else 'I'}-{span[label]}"
            lines.append(f"{text[begin:end]}\t{tag}")
        lines.append("")
        start += len(line) + 1
    return "\n".join(lines) + "\n"


def _tokens(line: str, offset: int, edges: Sequence[int]) -> Iterable[tuple[int, int]]:
    for found in _TOKEN.finditer(line):
        begin, end = found.start() + offset, found.end() + offset
        cuts = [begin, *(edge for edge in edges if begin < edge < end), end]
        yield from pairwise(cuts)


def i2b2_xml(document: Row, spans: Sequence[Row]) -> str:
    """A document of the 2014 i2b2/UTHealth track. Raises ValueError for text that CDATA cannot hold."""
    text: str = document["canonical_text"]
    if "]]>" in text:
        raise ValueError(f"{document['doc_id']}: its text holds ]]>, which no CDATA section can")
    tags = []
    for number, span in enumerate(spans):
        element = I2B2_ELEMENTS[span["i2b2_type"]]
        attributes = {
            "id": f"P{number}",
            "start": span["start"],
            "end": span["end"],
            "text": span["text"],
            "TYPE": _AS_ANOTHER.get(span["i2b2_type"], span["i2b2_type"]),
            "comment": "",
        }
        written = " ".join(f"{name}={quoteattr(str(value))}" for name, value in attributes.items())
        tags.append(f"<{element} {written} />")
    head = '<?xml version="1.0" encoding="UTF-8" ?>\n<deIdi2b2>\n'
    return f"{head}<TEXT><![CDATA[{text}]]></TEXT>\n<TAGS>\n" + "\n".join(tags) + "\n</TAGS>\n</deIdi2b2>\n"
