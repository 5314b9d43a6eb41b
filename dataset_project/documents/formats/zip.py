"""ZIP archives: the attachments of a document as members, by name, with fixed dates. An archive has no text of its own.

What stands in a member is its format's; the archive adds the names, which may hold values.
"""

from __future__ import annotations

from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from dataset_project.documents.formats.registry import file_name, format_named, write_inside
from dataset_project.documents.model.blocks import Document, Surface
from dataset_project.documents.model.emitting import Emitter, Locator, Written
from dataset_project.documents.model.values import plain

SURFACES: frozenset[Surface] = frozenset({"file_name"})
SUFFIX = "zip"
MEDIA_TYPE = "application/zip"

# The first moment that a ZIP knows, and a regular file that its owner may write.
_DATE = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644 << 16


def _refuse_text(document: Document) -> None:
    bare = Document(sections=(), file_name=document.file_name, attachments=document.attachments)
    if document != bare:
        raise ValueError("a zip has no text, header, comment, metadata or mail zone: only attachments and their names")
    if not document.attachments:
        raise ValueError("a zip needs at least one attachment")


def write(document: Document, doc_id: str) -> Written:
    """The attachments of ``document`` as an archive. Locators: ``member`` name around the member's own ``inner``.

    Raises ValueError for anything but attachments, for none, for two members of one name (any case) and for names that
    cannot be one.
    """
    _refuse_text(document)
    members = []
    for number, (name, part) in enumerate(document.attachments, 1):
        form = format_named(name)
        runs = file_name(part, form, number)
        members.append((plain(runs), runs, form, part, f"{doc_id}.{number}"))
    members.sort(key=lambda member: member[0])
    if len({member[0].casefold() for member in members}) < len(members):
        raise ValueError(f"two members of one name: {', '.join(member[0] for member in members)}")
    emitter = Emitter()
    buffer = BytesIO()
    with ZipFile(buffer, "w", ZIP_DEFLATED) as archive:
        for name, runs, form, part, part_id in members:

            def around(inner: Locator, name: str = name) -> Locator:
                return {"kind": "member", "name": name, "inner": inner}

            emitter.emit(runs, "file_name", around({"kind": "file_name"}))
            info = ZipInfo(name, _DATE)
            info.compress_type = ZIP_DEFLATED
            # Else it would be that of the machine.
            info.create_system = 3
            info.external_attr = _MODE
            archive.writestr(info, write_inside(emitter, form, part, part_id, around))
    return Written(buffer.getvalue(), emitter.text, tuple(emitter.spans))
