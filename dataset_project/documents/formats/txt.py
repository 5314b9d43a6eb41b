"""Plain text: UTF-8, line feeds, no marks. `layout_text` has the lines; a locator is a line's number in the file."""

from __future__ import annotations

from dataset_project.documents.formats.layout_text import refuse_controls, refuse_zones, text_lines
from dataset_project.documents.model.blocks import Document, Surface
from dataset_project.documents.model.emitting import Emitter, Written
from dataset_project.documents.model.values import plain

SURFACES: frozenset[Surface] = frozenset({"body", "table", "header", "footer", "footnote"})
SUFFIX = "txt"
MEDIA_TYPE = "text/plain"


def write(document: Document, doc_id: str) -> Written:
    """``document`` as plain text. Raises ValueError for a zone beyond `SURFACES` and for control characters."""
    refuse_zones(document, SURFACES, "txt")
    emitter = Emitter()
    lines = []
    for runs, surface in text_lines(document):
        if surface is None:
            lines.append(plain(runs))
        else:
            lines.append(emitter.emit(runs, surface, {"kind": "line", "line": len(lines)}))
    refuse_controls(emitter, "txt")
    lines.append("")
    return Written("\n".join(lines).encode(), emitter.text, tuple(emitter.spans))
