"""What the usual libraries do with the same documents: their text and tables, without spans, zones or fixed bytes.

Each peer writes a document as its tutorial would: python-docx, reportlab's platypus, XlsxWriter, python-pptx, the
standard library's e-mail package. Comments, headers, hidden text, form fields and properties are left out, which is
in the peers' favour. Attachments are written by the peer of their format, as plain text where there is none.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from html import escape

from dataset_project.documents.model.blocks import Document, Fields, FormField, Picture, Section, Table
from dataset_project.documents.model.values import plain

Row = tuple[str, ...]
Item = str | list[Row]
"""A paragraph, or a table's rows."""


def items(section: Section) -> Iterator[Item]:
    """What a section says: lines of text, and tables with their header."""
    for block in section.blocks:
        if isinstance(block, Table):
            yield [block.header, *(tuple(plain(cell) for cell in row) for row in block.rows)]
        elif isinstance(block, Fields):
            yield [(label, plain(runs)) for label, runs in block.pairs]
        elif isinstance(block, FormField):
            yield f"{block.label}: {plain(block.runs)}"
        elif isinstance(block, Picture):
            yield plain(block.caption) or plain(block.alt)
        else:
            yield plain(block.runs)


def as_docx(document: Document) -> bytes:
    """python-docx."""
    import docx

    made = docx.Document()
    for section in document.sections:
        made.add_heading(section.title, 1)
        for item in items(section):
            if isinstance(item, str):
                made.add_paragraph(item)
                continue
            table = made.add_table(len(item), len(item[0]))
            for row, texts in zip(table.rows, item, strict=True):
                for cell, text in zip(row.cells, texts, strict=True):
                    cell.text = text
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def as_pdf(document: Document) -> bytes:
    """reportlab with platypus."""
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import Paragraph as Flowing
    from reportlab.platypus import SimpleDocTemplate
    from reportlab.platypus import Table as Grid

    styles = getSampleStyleSheet()
    story = []
    for section in document.sections:
        story.append(Flowing(escape(section.title), styles["Heading1"]))
        for item in items(section):
            if isinstance(item, str):
                story.append(Flowing(escape(item), styles["BodyText"]))
            else:
                story.append(Grid([[Flowing(escape(text), styles["BodyText"]) for text in row] for row in item]))
    out = io.BytesIO()
    SimpleDocTemplate(out).build(story)
    return out.getvalue()


def as_xlsx(document: Document) -> bytes:
    """XlsxWriter, a sheet per section."""
    import xlsxwriter

    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        for section in document.sections:
            sheet = book.add_worksheet()
            at = 0
            for item in [section.title, *items(section)]:
                for row in [(item,)] if isinstance(item, str) else item:
                    for column, text in enumerate(row):
                        sheet.write_string(at, column, text)
                    at += 1
    return out.getvalue()


def as_pptx(document: Document) -> bytes:
    """python-pptx, a slide per section."""
    import pptx
    from pptx.util import Inches

    deck = pptx.Presentation()
    for section in document.sections:
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text = section.title
        body = slide.placeholders[1].text_frame
        for item in items(section):
            if isinstance(item, str):
                body.add_paragraph().text = item
                continue
            frame = slide.shapes.add_table(len(item), len(item[0]), Inches(1), Inches(4), Inches(8), Inches(1))
            for row, texts in zip(frame.table.rows, item, strict=True):
                for cell, text in zip(row.cells, texts, strict=True):
                    cell.text = text
    out = io.BytesIO()
    deck.save(out)
    return out.getvalue()


def as_eml(document: Document) -> bytes:
    """The standard library: text, HTML and attachments."""
    from email.message import EmailMessage

    message = EmailMessage()
    mail = document.mail
    if mail is not None:
        # Any header of the message may hold more than one address; as text, it is one.
        message["From"], message["To"] = plain(mail.sender), ", ".join(map(plain, mail.to))
        message["Subject"] = plain(mail.subject)
    message.set_content(_text(document))
    message.add_alternative(_html(document), subtype="html")
    for number, (form, part) in enumerate(document.attachments, 1):
        content = WRITERS[form](part) if form in WRITERS else _text(part).encode()
        message.add_attachment(content, maintype="application", subtype="octet-stream", filename=f"{number}.{form}")
    return message.as_bytes()


def _text(document: Document) -> str:
    lines = []
    for section in document.sections:
        lines.append(section.title)
        for item in items(section):
            lines += [item] if isinstance(item, str) else ["\t".join(row) for row in item]
    return "\n".join(lines)


def _html(document: Document) -> str:
    parts = []
    for section in document.sections:
        parts.append(f"<h1>{escape(section.title)}</h1>")
        for item in items(section):
            if isinstance(item, str):
                parts.append(f"<p>{escape(item)}</p>")
            else:
                rows = ("".join(f"<td>{escape(text)}</td>" for text in row) for row in item)
                parts.append("<table>" + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>")
    return "<html><body>" + "".join(parts) + "</body></html>"


WRITERS: Mapping[str, Callable[[Document], bytes]] = {
    "docx": as_docx,
    "pdf": as_pdf,
    "xlsx": as_xlsx,
    "pptx": as_pptx,
    "eml": as_eml,
}
NAMES = {
    "docx": "python-docx",
    "pdf": "reportlab platypus",
    "xlsx": "XlsxWriter",
    "pptx": "python-pptx",
    "eml": "stdlib email",
}
"""Format → the peer that writes it, and its name."""
