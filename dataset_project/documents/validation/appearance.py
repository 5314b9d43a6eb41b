"""What can be seen of a published document without reading it: name, size, format, template, make-up of the file.

Taken with the standard library and without the spans: it is what a model could go by that never looks at a text.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping

from dataset_project.documents.validation.published_rows import Row

CATEGORIES = ("format", "template_id", "layout", "difficulty", "split")
NUMBERS = (
    *("number", "number_parity", "name_length", "bytes", "parts", "members", "unpacked_bytes", "elements"),
    *("properties", "property_bytes", "header_bytes", "pictures"),
)
"""Counts and bytes; ``elements``: members, PDF objects, tags, control words, MIME parts or lines, as the format has
them."""

# An element of each format that is no archive.
_ELEMENTS: Mapping[str, bytes] = {
    "pdf": rb"\bobj\b",
    "html": rb"<[a-z]",
    "rtf": rb"\\[a-z]+",
    "eml": rb"(?mi)^content-type:",
    "nested_eml": rb"(?mi)^content-type:",
    "txt": rb"\n",
    "csv": rb"\n",
}
_INFO = re.compile(rb"/(?:Title|Author|Subject|Keywords)\s*(\([^)]*\)|<[^>]*>)")
_META = re.compile(rb"<title[^>]*>([^<]*)|<meta ([^>]*)>")
_RTF_INFO = re.compile(rb"\{\\(?:title|author|subject|keywords|staticval)\b([^}]*)\}")
_PROPERTIES: Mapping[str, re.Pattern[bytes]] = {"pdf": _INFO, "html": _META, "rtf": _RTF_INFO}
_PROPERTY_PARTS = ("docProps/core.xml", "docProps/custom.xml", "docProps/app.xml")


def appearance(row: Row, content: bytes, parts: int) -> dict[str, str | float]:
    """Every one of CATEGORIES and NUMBERS of a file. ``parts``: how many files the table says are in it.

    Raises zipfile.BadZipFile for what should be an archive and is none.
    """
    name = str(row["path"]).rpartition("/")[2]
    number = int("".join(re.findall(r"\d", name.partition(".")[0])) or "0")
    found: dict[str, str | float] = {name: str(row[name]) for name in CATEGORIES if name != "layout"}
    found["layout"] = f"{row['template_id']} {row['layout_id']}"
    found |= dict.fromkeys(NUMBERS, 0.0)
    found |= {
        "number": float(number),
        "number_parity": float(number % 2),
        "name_length": float(len(name)),
        "bytes": float(len(content)),
        "parts": float(parts),
    }
    if row["format"] in _ELEMENTS:
        found["elements"] = float(len(re.findall(_ELEMENTS[row["format"]], content)))
        found["pictures"] = float(content.count(b"/Image") + content.count(b"<img"))
        found["unpacked_bytes"] = float(len(content))
        if row["format"] in _PROPERTIES:
            texts = [each.group(0) for each in _PROPERTIES[row["format"]].finditer(content)]
            found |= {"properties": float(len(texts)), "property_bytes": float(sum(map(len, texts)))}
        if row["format"] in ("eml", "nested_eml"):
            found["header_bytes"] = float(content.find(b"\r\n\r\n"))
        return found
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
        properties = [archive.read(each) for each in members if each.filename in _PROPERTY_PARTS]
    found |= {
        "members": float(len(members)),
        "elements": float(len(members)),
        "unpacked_bytes": float(sum(each.file_size for each in members)),
        "properties": float(sum(text.count(b"</") for text in properties)),
        "property_bytes": float(sum(map(len, properties))),
        "pictures": float(sum(each.filename.endswith((".png", ".jpg", ".jpeg")) for each in members)),
    }
    return found
