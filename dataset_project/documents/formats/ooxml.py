"""Packages of Office Open XML: a byte-stable ZIP of parts, relationships, content types, document properties; escaping.

Shared by the DOCX, PPTX and XLSX writers, as are cutting text into runs and refusing zones. What one of them puts into
a part does not belong here.

Sources: ECMA-376 part 2 (Open Packaging Conventions: content types, relationships, core properties), ECMA-376 part 1
sections 22.2 (extended) and 22.3 (custom properties), XML 1.0 section 2.2 (characters), APPNOTE.TXT of PKWARE (ZIP).
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from random import Random
from struct import Struct

from dataset_project.documents.model.blocks import Document, FormField, Metadata, Picture, Surface, TextBox
from dataset_project.documents.model.emitting import Emitter
from dataset_project.storage.seeding import seed_for

DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
RELATIONSHIPS = f"{OFFICE}/relationships"

CORE, APP, CUSTOM = "docProps/core.xml", "docProps/app.xml", "docProps/custom.xml"
CONTENT_TYPES = "[Content_Types].xml"
RESOURCES = Path(__file__).parent.parent / "resources" / "ooxml"

# Level 3 takes about half the time of 6 on such parts and costs about a tenth in size.
LEVEL = 3

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _checked(text: str) -> str:
    # Printable text, nearly all, needs no second look.
    if not text.isprintable() and (found := _FORBIDDEN.search(text)):
        raise ValueError(f"XML has no character U+{ord(found[0]):04X}: {text!r}")
    return text


def escape(text: str) -> str:
    """``text`` as the content of an element. Raises ValueError for a character that XML 1.0 forbids."""
    _checked(text)
    if "&" in text:
        text = text.replace("&", "&amp;")
    if "<" in text:
        text = text.replace("<", "&lt;")
    if ">" in text:
        text = text.replace(">", "&gt;")
    # A parser would make a line feed of it.
    return text.replace("\r", "&#13;") if "\r" in text else text


def escape_attribute(text: str) -> str:
    """``text`` as an attribute's value between double quotes, blanks kept. Raises ValueError as `escape` does."""
    text = escape(text)
    if '"' in text:
        text = text.replace('"', "&quot;")
    if "\t" in text or "\n" in text:
        text = text.replace("\t", "&#9;").replace("\n", "&#10;")
    return text


class Splitter:
    """Cuts text into runs as editing does: a share of the lines into pieces, the others left whole.

    Where it cuts depends on the document's id and the place of the line among the others, not on what is a value: cuts
    around values would tell where they are.
    """

    SHARE = 0.3
    SHORTEST, LONGEST = 2, 16

    def __init__(self, doc_id: str) -> None:
        self._random = Random(seed_for(0, doc_id, "split runs"))

    def pieces(self, text: str) -> list[str]:
        """``text`` in order, one piece or more, none empty. No cut beside a character that is not ASCII, which may be
        part of a cluster. Empty text has no pieces."""
        if not text:
            return []
        draw = self._random.random
        if draw() >= self.SHARE:
            return [text]
        pieces, start, at = [], 0, 0
        while (at := at + self.SHORTEST + int(draw() * (self.LONGEST - self.SHORTEST + 1))) < len(text):
            if text[at - 1 : at + 1].isascii():
                pieces.append(text[start:at])
                start = at
        # Never empty: a cut stands before the last character.
        return [*pieces, text[start:]]


def refuse_other_zones(document: Document, surfaces: frozenset[Surface], form: str) -> None:
    """Raise ValueError naming the first zone of ``document`` that the format ``form`` does not write.

    ``file_name`` is not looked at: it names the file when it becomes an attachment or a member, and is written there.
    """
    kinds = {type(block) for section in document.sections for block in section.blocks}
    zones: tuple[tuple[Surface, bool], ...] = (
        ("header", bool(document.header)),
        ("footer", bool(document.footer)),
        ("comment", bool(document.comments)),
        ("footnote", bool(document.footnotes)),
        ("hidden", bool(document.hidden)),
        ("notes", any(section.notes for section in document.sections)),
        ("text_box", TextBox in kinds),
        ("form_field", FormField in kinds),
        ("alt_text", Picture in kinds),
        ("mail_header", document.mail is not None),
    )
    for surface, there in zones:
        if there and surface not in surfaces:
            raise ValueError(f"{form} has no {surface} zone, but the document puts something there")
    if document.attachments:
        raise ValueError(f"{form} has no attachments, but the document has {len(document.attachments)}")


@dataclass(frozen=True)
class Deflated:
    """A part as it stands in the archive: its deflated bytes, CRC-32 and size before."""

    data: bytes
    crc: int
    size: int
    content_type: str = ""


def deflated(data: bytes, content_type: str = "", level: int = LEVEL) -> Deflated:
    """``data`` compressed once; `Package.add` takes it again and again."""
    packer = zlib.compressobj(level, zlib.DEFLATED, -15)
    return Deflated(packer.compress(data) + packer.flush(), zlib.crc32(data), len(data), content_type)


@cache
def static_part(resource: str, content_type: str = "") -> Deflated:
    """A file of ``resources/ooxml`` (path below it), read and compressed once per process."""
    return deflated((RESOURCES / resource).read_bytes(), content_type, level=9)


# Fixed: 1980-01-01 00:00:00, the first moment that DOS time knows; version 2.0; no flags, no extra fields, no comments.
_LOCAL = Struct("<4s5H3I2H")
_CENTRAL = Struct("<4s6H3I5H2I")
_END = Struct("<4s4H2IH")
_DATE, _TIME, _VERSION, _DEFLATE = 0x0021, 0, 20, 8


def _archive(members: list[tuple[str, Deflated]]) -> bytes:
    pieces, directory, offset = [], [], 0
    for text, part in members:
        name = text.encode("ascii")
        sizes = (part.crc, len(part.data), part.size, len(name))
        pieces += (_LOCAL.pack(b"PK\3\4", _VERSION, 0, _DEFLATE, _TIME, _DATE, *sizes, 0), name, part.data)
        directory += (
            _CENTRAL.pack(b"PK\1\2", _VERSION, _VERSION, 0, _DEFLATE, _TIME, _DATE, *sizes, 0, 0, 0, 0, 0, offset),
            name,
        )
        offset += 30 + len(name) + len(part.data)
    central = b"".join(directory)
    end = _END.pack(b"PK\5\6", 0, 0, len(members), len(members), len(central), offset, 0)
    return b"".join((*pieces, central, end))


def _relationships_of(source: str) -> str:
    folder, _, name = source.rpartition("/")
    return f"{folder}/_rels/{name}.rels".lstrip("/")


@dataclass
class Package:
    """A package under construction. The order of `add` does not reach the file, that of `relate` (the ids) does."""

    parts: dict[str, Deflated] = field(default_factory=dict)
    related: dict[str, list[str]] = field(default_factory=dict)

    def add(self, name: str, part: str | bytes | Deflated, content_type: str = "") -> None:
        """Put ``part`` under ``name`` (``word/document.xml``, ASCII). Text is stored as UTF-8.

        ``content_type``: needed unless the extension says it (rels, png) or ``part`` brings its own. Raises ValueError
        when the name is taken.
        """
        if name in self.parts:
            raise ValueError(f"two parts of one name: {name}")
        if not isinstance(part, Deflated):
            part = deflated(part.encode() if isinstance(part, str) else part, content_type)
        elif content_type:
            part = Deflated(part.data, part.crc, part.size, content_type)
        self.parts[name] = part

    def relate(self, source: str, kind: str, target: str) -> str:
        """Relate ``source`` (a part's name; empty for the package) to ``target``; returns the id (``rId1`` …).

        ``kind``: the relationship type, in full or as what follows `RELATIONSHIPS` and a slash. ``target``: as written
        in the relationship, relative to the source's folder.
        """
        lines = self.related.setdefault(source, [])
        number = f"rId{len(lines) + 1}"
        kind = kind if kind.startswith("http") else f"{RELATIONSHIPS}/{kind}"
        lines.append(f'<Relationship Id="{number}" Type="{kind}" Target="{escape_attribute(target)}"/>')
        return number

    def _content_types(self) -> str:
        overrides = (
            f'<Override PartName="/{name}" ContentType="{part.content_type}"/>'
            for name, part in sorted(self.parts.items())
            if part.content_type
        )
        return (
            f'{DECLARATION}<Types xmlns="{PACKAGE}/content-types"><Default Extension="png" ContentType="image/png"/>'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Default Extension="xml" ContentType="application/xml"/>{"".join(overrides)}</Types>'
        )

    def content(self) -> bytes:
        """The package's bytes: the content types first, then the parts by name."""
        for source, lines in self.related.items():
            xml = f'{DECLARATION}<Relationships xmlns="{PACKAGE}/relationships">{"".join(lines)}</Relationships>'
            self.parts[_relationships_of(source)] = _deflated_text(xml)
        first = (CONTENT_TYPES, _deflated_text(self._content_types()))
        return _archive([first, *sorted(self.parts.items())])


@lru_cache(maxsize=512)  # relationships and content types are alike from one document to the next
def _deflated_text(xml: str) -> Deflated:
    return deflated(xml.encode())


def core_properties(metadata: Metadata, emitter: Emitter, part: str = CORE) -> str:
    """``docProps/core.xml``: title, subject, author (``dc:creator``) and keywords, those there are.

    Each is emitted as ``metadata``, not visible, at ``{"kind": "property", "part": part, "name": …}``; the name is the
    model's: ``title``, ``subject``, ``author``, ``keywords``. No dates: a document has no clock.
    """
    pieces = []
    for name, tag, runs in (
        ("title", "dc:title", metadata.title),
        ("subject", "dc:subject", metadata.subject),
        ("author", "dc:creator", metadata.author),
        ("keywords", "cp:keywords", metadata.keywords),
    ):
        if runs:
            text = emitter.emit(runs, "metadata", {"kind": "property", "part": part, "name": name}, visible=False)
            pieces.append(f"<{tag}>{escape(text)}</{tag}>")
    return (
        f'{DECLARATION}<cp:coreProperties xmlns:cp="{PACKAGE}/metadata/core-properties"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/"'
        f' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{"".join(pieces)}</cp:coreProperties>'
    )


def app_properties(application: str) -> str:
    """``docProps/app.xml``: the application that such a file commonly comes from; nothing of the document."""
    return (
        f'{DECLARATION}<Properties xmlns="{OFFICE}/extended-properties">'
        f"<Application>{escape(application)}</Application><AppVersion>16.0000</AppVersion></Properties>"
    )


def custom_properties(metadata: Metadata, emitter: Emitter, part: str = CUSTOM) -> str:
    """``docProps/custom.xml``: the custom properties, in order, as strings. Empty when there are none: no part then.

    Emitted like those of `core_properties`; the locator's name is the property's. Raises ValueError for an empty name
    and for two names that differ by case at most, which Office refuses.
    """
    if not metadata.custom:
        return ""
    pieces: list[str] = []
    seen: set[str] = set()
    # Numbers 0 and 1 are reserved; the format id is the one of all user-defined properties.
    for number, (name, runs) in enumerate(metadata.custom, 2):
        if not name or name.casefold() in seen:
            raise ValueError(f"custom properties need names of their own, any case: {name!r}")
        seen.add(name.casefold())
        text = emitter.emit(runs, "metadata", {"kind": "property", "part": part, "name": name}, visible=False)
        pieces.append(
            f'<property fmtid="{{D5CDD505-2E9C-101B-9397-08002B2CF9AE}}" pid="{number}"'
            f' name="{escape_attribute(name)}"><vt:lpwstr>{escape(text)}</vt:lpwstr></property>'
        )
    return (
        f'{DECLARATION}<Properties xmlns="{OFFICE}/custom-properties" xmlns:vt="{OFFICE}/docPropsVTypes">'
        f"{''.join(pieces)}</Properties>"
    )


def add_properties(package: Package, metadata: Metadata, emitter: Emitter, application: str) -> None:
    """Add the parts of `core_properties`, `app_properties` and `custom_properties`, related to the package."""
    package.add(CORE, core_properties(metadata, emitter), "application/vnd.openxmlformats-package.core-properties+xml")
    package.relate("", f"{PACKAGE}/relationships/metadata/core-properties", CORE)
    application_part = _deflated_text(app_properties(application))
    package.add(APP, application_part, "application/vnd.openxmlformats-officedocument.extended-properties+xml")
    package.relate("", "extended-properties", APP)
    if custom := custom_properties(metadata, emitter):
        package.add(CUSTOM, custom, "application/vnd.openxmlformats-officedocument.custom-properties+xml")
        package.relate("", "custom-properties", CUSTOM)
