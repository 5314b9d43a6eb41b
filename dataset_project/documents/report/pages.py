"""A sheet of first pages: a PDF with PHI beside its negative twin, every planted value marked where its locator says.

Twins are of one template and one layout. Rendering is PDFium's; what is marked comes from the spans alone, so that a
wrong box shows.
"""

from __future__ import annotations

import ctypes
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dataset_project.documents.exports.batches import Batches
from dataset_project.drawing import DPI, INK, ORANGE, RED, SKY, own_style, to_png
from dataset_project.storage.seeding import seed_for

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PAIRS = 4
_PAGE_WIDTH = 520
_GAP = 26
_HEAD, _CAPTION = 74, 40
_COLUMNS = ("doc_id", "path", "format", "class", "template_id", "layout_id", "reference_date")
# Locators of what is seen on the paper itself.
_ON_PAPER = ("pdf_text", "pdf_field")
# Share of the paper's own colour that shows through a mark.
_THROUGH = 0.45
_GREY = "#5c5c5c"
_LEGEND = (
    "First pages, each planted value on the paper marked where its span says it is: orange if seen, blue if hidden"
)


@dataclass(frozen=True)
class Page:
    """A first page: its document, what kind of paper it is, its pixels (height, width, 3) with the values marked."""

    doc_id: str
    kind: str
    pixels: NDArray[np.uint8]
    marked: int


@dataclass(frozen=True)
class _Found:
    key: str
    row: dict[str, Any]
    spans: tuple[dict[str, Any], ...]
    types: int


def twin_pages(batches: Batches, most: int = _PAIRS) -> list[tuple[Page, Page]]:
    """Up to ``most`` pairs (with PHI, negative), each of another template, those with most types on the page first."""
    pairs = sorted(
        _pairs(batches),
        key=lambda pair: (-min(pair[0].types, 8), seed_for(0, "documents_pages", pair[0].row["doc_id"])),
    )
    chosen: dict[str, tuple[_Found, _Found]] = {}
    for pair in pairs:
        chosen.setdefault(pair[0].row["template_id"], pair)
    return [(_page(batches, positive), _page(batches, twin)) for positive, twin in list(chosen.values())[:most]]


def _pairs(batches: Batches) -> list[tuple[_Found, _Found]]:
    """The first PDF with PHI and the first negative of each template and layout that has both."""
    found: dict[tuple[str, str], dict[str, _Found]] = {}
    for key in batches:
        spans = batches.spans(key, ("type", "visible", "locator"))
        for row in batches.documents(key, _COLUMNS):
            if row["format"] != "pdf" or row["class"] not in ("phi", "negative"):
                continue
            mine = tuple(
                {
                    "type": span["type"],
                    "visible": span["visible"],
                    "bbox": place.get("bbox"),
                    "field": place.get("name"),
                }
                for span in spans.get(row["doc_id"], ())
                if (place := json.loads(span["locator"]))["kind"] in _ON_PAPER and place["page"] == 0
            )
            look = found.setdefault((row["template_id"], row["layout_id"]), {})
            look.setdefault(row["class"], _Found(key, row, mine, len({span["type"] for span in mine})))
    return [(look["phi"], look["negative"]) for _, look in sorted(found.items()) if len(look) == 2]


def _page(batches: Batches, found: _Found) -> Page:
    import pypdfium2

    document = pypdfium2.PdfDocument(batches.file(found.key, found.row["path"]))
    # With form fields as a viewer shows them: before a page is opened.
    document.init_forms()
    page = document[0]
    width, height = page.get_size()
    scale = _PAGE_WIDTH / width
    pixels = np.array(page.render(scale=scale, may_draw_forms=True).to_numpy())[:, :_PAGE_WIDTH, :3][:, :, ::-1].copy()
    fields = _field_boxes(page)
    for span in found.spans:
        # A field's locator is its name: what is marked is the whole of it.
        x0, y0, x1, y1 = span["bbox"] or fields[span["field"]]
        rows = slice(max(0, int((height - y1) * scale) - 1), int((height - y0) * scale) + 1)
        columns = slice(max(0, int(x0 * scale) - 1), int(x1 * scale) + 2)
        box = pixels[rows, columns]
        colour = np.array([int((ORANGE if span["visible"] else SKY)[at : at + 2], 16) for at in (1, 3, 5)])
        # As a marker pen does: paper takes the colour, ink stays dark.
        pixels[rows, columns] = (box * (_THROUGH + (1 - _THROUGH) * colour / 255)).astype(np.uint8)
    return Page(found.row["doc_id"], found.row["template_id"].replace("_", " "), pixels, len(found.spans))


def _field_boxes(page: Any) -> dict[str, tuple[float, float, float, float]]:
    """Name of each form field → its box in points from the bottom left."""
    import pypdfium2.raw as raw

    found = {}
    for index in range(raw.FPDFPage_GetAnnotCount(page)):
        note = raw.FPDFPage_GetAnnot(page, index)
        box = raw.FS_RECTF()
        if raw.FPDFAnnot_GetSubtype(note) == raw.FPDF_ANNOT_WIDGET and raw.FPDFAnnot_GetRect(note, box):
            size = raw.FPDFAnnot_GetStringValue(note, b"T", None, 0)
            name = ctypes.create_string_buffer(size)
            raw.FPDFAnnot_GetStringValue(note, b"T", ctypes.cast(name, ctypes.POINTER(ctypes.c_ushort)), size)
            found[name.raw[:-2].decode("utf-16-le")] = (box.left, box.bottom, box.right, box.top)
        raw.FPDFPage_CloseAnnot(note)
    return found


@own_style
def pages_png(pairs: Sequence[tuple[Page, Page]]) -> bytes:
    """The sheet: two pairs a row. ``pairs``: of `twin_pages`, at least one."""
    from matplotlib.figure import Figure

    per_row = min(2, len(pairs))
    rows = [pairs[at : at + per_row] for at in range(0, len(pairs), per_row)]
    heights = [_CAPTION + max(page.pixels.shape[0] for pair in row for page in pair) + _GAP for row in rows]
    # Pages of a pair stand close, pairs apart.
    width = per_row * (2 * _PAGE_WIDTH + _GAP) + (per_row + 1) * 2 * _GAP
    total = _HEAD + sum(heights)
    figure = Figure(figsize=(width / DPI, total / DPI), dpi=DPI, facecolor="#ececec")

    def write(x: float, y: float, text: str, size: float, colour: str) -> None:
        figure.text(x / width, 1 - y / total, text, fontsize=size, color=colour, va="center", ha="left")

    write(2 * _GAP, 26, "With PHI, and the negative twin of the same layout", 15, INK)
    write(2 * _GAP, 54, _LEGEND, 11, _GREY)
    top = _HEAD
    for row, height in zip(rows, heights, strict=True):
        for number, pair in enumerate(row):
            for side, page in enumerate(pair):
                left = 2 * _GAP + number * (2 * _PAGE_WIDTH + 3 * _GAP) + side * (_PAGE_WIDTH + _GAP)
                told = f"{page.kind}, with PHI: {page.marked} values on it" if side == 0 else f"{page.kind}, negative"
                write(left, top + _CAPTION / 2, told, 11, RED if side == 0 else INK)
                figure.figimage(page.pixels, left, total - top - _CAPTION - page.pixels.shape[0], origin="upper")
        top += height
    return to_png(figure)
