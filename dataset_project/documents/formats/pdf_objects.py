"""Objects of a PDF beside its pages' text: fonts, form fields, notes, properties; on reportlab's canvas.

reportlab's own ones do not do: fonts without widths are drawn by viewers with theirs, fields take Latin-1 only, notes
have no authors. Source of the dictionaries: ISO 32000-1, sections 9.6, 9.8, 12.5.6, 12.7, 14.3.3.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

from dataset_project.documents.formats.pdf_text import FontName, encoded, literal, widths_of

# Bounding box and stem of each font (Adobe's metrics of the standard fonts); the other measures are the same.
_SHAPES: dict[FontName, tuple[str, int]] = {
    "Helvetica": ("[-166 -225 1000 931]", 88),
    "Helvetica-Bold": ("[-170 -228 1003 962]", 140),
}
_FIELD_SIZE = 9


def new_canvas(width: float, height: float, doc_id: str) -> Any:
    """A reportlab canvas of fixed dates whose file id is made of ``doc_id``. Sizes in points."""
    from reportlab import rl_config
    from reportlab.pdfgen.canvas import Canvas

    # Base 85 makes streams larger and slower, for channels that no longer exist.
    rl_config.useA85 = 0
    canvas = Canvas(None, pagesize=(width, height), invariant=1, pageCompression=1)
    identity = hashlib.sha256(doc_id.encode()).hexdigest()[:32].encode()
    canvas._doc._ID = b"\n[<%s><%s>]\n" % (identity, identity)
    return canvas


@cache
def _font_entries(font: FontName) -> tuple[str, str]:
    """Widths and descriptor of a font as PDF objects."""
    box, stem = _SHAPES[font]
    widths = " ".join(str(width) for width in widths_of(font)[32:])
    descriptor = (
        f"<< /Type /FontDescriptor /FontName /{font} /Flags 32 /FontBBox {box} /ItalicAngle 0 /Ascent 718"
        f" /Descent -207 /CapHeight 718 /StemV {stem} >>"
    )
    return f"[{widths}]", descriptor


def add_font(canvas: Any, font: FontName) -> str:
    """The resource name (``/F1``) of a standard font, with the widths that the layout goes by."""
    from reportlab.pdfbase.acroform import PDFFromString

    name = canvas._doc.getInternalFontName(font)
    entry = canvas._doc.idToObject[name[1:]]
    entry.FirstChar, entry.LastChar = 32, 255
    widths, descriptor = _font_entries(font)
    entry.Widths = widths
    entry.FontDescriptor = canvas._doc.Reference(PDFFromString(descriptor))
    return name


def _rectangle(box: tuple[float, float, float, float]) -> str:
    x, y, width, height = box
    return f"[{x:.2f} {y:.2f} {x + width:.2f} {y + height:.2f}]"


def add_text_field(canvas: Any, name: str, text: str, box: tuple[float, float, float, float]) -> Any:
    """A text field with ``text`` in it on the current page; returns the reference for `add_form`.

    ``box``: left, bottom, width and height in points. Raises ValueError for characters that the font lacks.
    """
    from reportlab.pdfbase.pdfdoc import PDFDictionary, PDFName, PDFStream, PDFString, PDFZCompress

    _, _, width, height = box
    font = add_font(canvas, "Helvetica")
    shown = (
        f"q 0.96 g 0.5 w 0.4 G 0.25 0.25 {width - 0.5:.2f} {height - 0.5:.2f} re B Q /Tx BMC q BT {font} {_FIELD_SIZE}"
        f" Tf 0 g 3 {(height - _FIELD_SIZE) / 2 + 1.5:.2f} Td {literal(encoded(text))} Tj ET Q EMC\n"
    )
    looks = PDFStream(
        PDFDictionary(
            {
                "Type": PDFName("XObject"),
                "Subtype": PDFName("Form"),
                "BBox": f"[0 0 {width:.2f} {height:.2f}]",
                "Resources": PDFDictionary({"Font": PDFDictionary({font[1:]: _font_reference(font)})}),
            }
        ),
        shown,
        [PDFZCompress],
    )
    field = PDFDictionary(
        {
            "Type": PDFName("Annot"),
            "Subtype": PDFName("Widget"),
            "FT": PDFName("Tx"),
            "T": PDFString(name),
            "V": PDFString(text),
            "DA": PDFString(f"/Helv {_FIELD_SIZE} Tf 0 g"),
            "Rect": _rectangle(box),
            # Printed.
            "F": 4,
            "MK": "<< /BG [0.96] /BC [0.4] >>",
            "AP": PDFDictionary({"N": canvas._doc.Reference(looks)}),
            "P": canvas._doc.thisPageRef(),
        }
    )
    canvas._addAnnotation(field)
    return canvas._doc.Reference(field)


def _font_reference(font: str) -> Any:
    from reportlab.pdfbase.pdfdoc import PDFObjectReference

    return PDFObjectReference(font[1:])


def add_form(canvas: Any, fields: list[Any]) -> None:
    """The form that the document's fields belong to."""
    from reportlab.pdfbase.pdfdoc import PDFArray, PDFDictionary, PDFString

    font = _font_reference(canvas._doc.getInternalFontName("Helvetica"))
    resources = PDFDictionary({"Font": PDFDictionary({"Helv": font})})
    form = {"Fields": PDFArray(fields), "DA": PDFString(f"/Helv {_FIELD_SIZE} Tf 0 g"), "DR": resources}
    canvas._doc.Catalog.AcroForm = PDFDictionary(form)


def add_note(canvas: Any, author: str, text: str, box: tuple[float, float, float, float]) -> None:
    """A note (text annotation) on the current page."""
    from reportlab.pdfbase.pdfdoc import PDFDictionary, PDFName, PDFString

    entries = {
        "Type": PDFName("Annot"),
        "Subtype": PDFName("Text"),
        "Rect": _rectangle(box),
        "Contents": PDFString(text),
        "T": PDFString(author),
        "Name": PDFName("Comment"),
        "C": "[1 0.9 0.4]",
        # Printed.
        "F": 4,
    }
    canvas._addAnnotation(PDFDictionary(entries))


def set_information(canvas: Any, entries: dict[str, str]) -> None:
    """Put a dictionary in place of reportlab's own, which has dates, placeholders and no custom entries."""
    from reportlab.pdfbase.pdfdoc import PDFDictionary, PDFString

    dictionary = PDFDictionary({name: PDFString(text) for name, text in sorted(entries.items())})
    # reportlab mixes the properties into the file's id, which is ours here.
    dictionary.digest = lambda signature: None
    canvas._doc.info = dictionary
