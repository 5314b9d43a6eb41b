"""Blocks of a document's body in WordprocessingML: paragraphs, tables, content controls, pictures, text boxes.

Zones around the body belong to `docx_zones`. Element order is the schema's (ECMA-376 part 1, sections 17 and 20.4).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from dataset_project.documents.formats.docx_story import DRAWING, Story, paragraph_head
from dataset_project.documents.formats.ooxml import escape_attribute
from dataset_project.documents.formats.ooxml_tables import check_table, column_widths
from dataset_project.documents.model.blocks import Block, Fields, FormField, Paragraph, Picture, Table, TextBox
from dataset_project.documents.model.values import Runs, plain

TEXT_WIDTH = 9360
"""Between the margins of a US Letter page, in twentieths of a point."""
EMU_PER_TWIP = 635

SECTION_TITLE = paragraph_head("Heading1")
_STYLES = {
    "title": paragraph_head("Title"),
    "heading": paragraph_head("Heading2"),
    "body": paragraph_head("BodyText"),
    "list": paragraph_head("ListBullet"),
    "small": paragraph_head("SmallPrint"),
}
_CAPTION = paragraph_head("Caption", "<w:keepNext/>")
_UNDER_PICTURE = paragraph_head("Caption")
_PICTURE = paragraph_head("Picture")
_FIELD = paragraph_head("FormLine")
_BOX_TEXT = paragraph_head("BoxText")
_CELL, _HEAD_CELL, _LABEL_CELL = (paragraph_head(style) for style in ("TableText", "TableHeading", "FieldLabel"))
# Word joins tables that touch each other.
GAP = f"{paragraph_head('Gap')}</w:p>"
_HIDDEN = paragraph_head("BodyText", "<w:rPr><w:vanish/></w:rPr>")

_PICTURE_SIZE = (2286000, 1524000)
"""EMU: 2.5 inches wide, in the proportions of the one picture there is."""


def _cell(width: int) -> str:
    return f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/></w:tcPr>'


def _table_head(style: str, widths: Sequence[int], look: str) -> str:
    grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    return (
        f'<w:tbl><w:tblPr><w:tblStyle w:val="{style}"/><w:tblW w:w="{sum(widths)}" w:type="dxa"/>'
        f'<w:tblLayout w:type="fixed"/>{look}</w:tblPr><w:tblGrid>{grid}</w:tblGrid>'
    )


_LOOK_HEADER = '<w:tblLook w:val="0620" w:firstRow="1" w:firstColumn="0" w:noHBand="1" w:noVBand="1"/>'
_LOOK_LABELS = '<w:tblLook w:val="0680" w:firstRow="0" w:firstColumn="1" w:noHBand="1" w:noVBand="1"/>'


@dataclass
class Body:
    """Writes blocks into the main story.

    ``picture``: relationship id of the picture. ``anchors``: pairs of XML around the runs of a paragraph, those of
    comments and footnotes: a running-text paragraph takes the next one, `rest` the ones that found no place.
    """

    story: Story
    picture: str
    anchors: Iterator[tuple[str, str]]
    drawings: int = 0
    controls: int = 0
    write: dict[type, Callable] = field(init=False)

    def __post_init__(self) -> None:
        self.write = {
            Paragraph: self.paragraph,
            Fields: self.fields,
            Table: self.table,
            FormField: self.form_field,
            Picture: self.a_picture,
            TextBox: self.text_box,
        }

    def block(self, block: Block) -> None:
        """Write one block, whatever it is."""
        self.write[type(block)](block)

    def paragraph(self, block: Paragraph) -> None:
        before, after = next(self.anchors, ("", "")) if block.style in ("body", "list") else ("", "")
        self.story.paragraph(_STYLES[block.style], block.runs, "body", before=before, after=after)

    def rest(self) -> None:
        """References that found no paragraph, in one of their own."""
        pairs = list(self.anchors)
        if pairs:
            references = "".join(before + after for before, after in pairs)
            self.story.bare(f"{_STYLES['body']}{references}</w:p>")

    def hidden(self, runs: Runs) -> None:
        """A paragraph of hidden text."""
        self.story.paragraph(_HIDDEN, runs, "hidden", properties="<w:vanish/>", visible=False)

    def fields(self, block: Fields) -> None:
        if not block.pairs:
            return
        story, xml = self.story, self.story.xml
        longest = max(len(label) for label, _ in block.pairs)
        first = min(max(longest * 115 + 300, 1700), TEXT_WIDTH // 2)
        widths = (first, TEXT_WIDTH - first)
        label_cell, value_cell = map(_cell, widths)
        xml.append(_table_head("FieldTable", widths, _LOOK_LABELS))
        for label, runs in block.pairs:
            xml.append(f"<w:tr><w:trPr><w:cantSplit/></w:trPr>{label_cell}")
            story.paragraph(_LABEL_CELL, (label,), "table")
            xml.append(f"</w:tc>{value_cell}")
            story.paragraph(_CELL, runs, "table")
            xml.append("</w:tc></w:tr>")
        xml.append("</w:tbl>")
        story.bare(GAP)

    def table(self, block: Table) -> None:
        story, xml = self.story, self.story.xml
        check_table(block)
        if block.name != "Table":
            story.paragraph(_CAPTION, (block.name,), "body")
        widths = column_widths([block.header, *(tuple(map(plain, row)) for row in block.rows[:20])], TEXT_WIDTH)
        cells = list(map(_cell, widths))
        xml.append(_table_head("RecordTable", widths, _LOOK_HEADER))
        xml.append("<w:tr><w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>")
        for cell, text in zip(cells, block.header, strict=True):
            xml.append(cell)
            story.paragraph(_HEAD_CELL, (text,), "table")
            xml.append("</w:tc>")
        xml.append("</w:tr>")
        for row in block.rows:
            xml.append("<w:tr><w:trPr><w:cantSplit/></w:trPr>")
            for cell, runs in zip(cells, row, strict=True):
                xml.append(cell)
                story.paragraph(_CELL, runs, "table")
                xml.append("</w:tc>")
            xml.append("</w:tr>")
        xml.append("</w:tbl>")
        story.bare(GAP)

    def form_field(self, block: FormField) -> None:
        """``Label: `` and a plain-text content control, in one paragraph."""
        story = self.story
        self.controls += 1
        label = f"{block.label}: "
        text = story.emitter.emit((label, *block.runs), "form_field", story.locator())
        filled = story.runs(text[len(label) :]) or "<w:r><w:t/></w:r>"
        story.bare(
            f'{_FIELD}{story.runs(label, "<w:b/>")}<w:sdt><w:sdtPr><w:alias w:val="{escape_attribute(block.label)}"/>'
            f'<w:tag w:val="{escape_attribute(block.name)}"/><w:id w:val="{self.controls}"/><w:text/></w:sdtPr>'
            f"<w:sdtContent>{filled}</w:sdtContent></w:sdt></w:p>"
        )

    def _inline(self, kind: str, size: tuple[int, int], description: str, graphic: str) -> str:
        self.drawings += 1
        return (
            f'<w:drawing><wp:inline distT="0" distB="0" distL="0" distR="0"><wp:extent cx="{size[0]}" cy="{size[1]}"/>'
            f'<wp:docPr id="{self.drawings}" name="{kind} {self.drawings}"{description}/>'
            f"<wp:cNvGraphicFramePr/><a:graphic>{graphic}</a:graphic></wp:inline></w:drawing>"
        )

    def a_picture(self, block: Picture) -> None:
        story = self.story
        where = {**story.locator(), "attribute": "descr"}
        alt = escape_attribute(story.emitter.emit(block.alt, "alt_text", where, visible=False))
        width, height = _PICTURE_SIZE
        graphic = (
            f'<a:graphicData uri="{DRAWING}/picture"><pic:pic><pic:nvPicPr><pic:cNvPr id="0" name="picture.png"/>'
            f'<pic:cNvPicPr/></pic:nvPicPr><pic:blipFill><a:blip r:embed="{self.picture}"/><a:stretch><a:fillRect/>'
            f'</a:stretch></pic:blipFill><pic:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="{width}" cy="{height}"/>'
            '</a:xfrm><a:prstGeom prst="rect"><a:avLst/></a:prstGeom></pic:spPr></pic:pic></a:graphicData>'
        )
        drawing = self._inline("Picture", _PICTURE_SIZE, f' descr="{alt}"', graphic)
        story.bare(f"{_PICTURE}<w:r>{drawing}</w:r></w:p>")
        if block.caption:
            story.paragraph(_UNDER_PICTURE, block.caption, "body")

    def text_box(self, block: TextBox) -> None:
        """A shape with text of its own, in line with the text around it.

        Word 2010 and later and LibreOffice read it. No fallback for Word 2007: it would hold every value a second time.
        """
        story = self.story
        width = TEXT_WIDTH * EMU_PER_TWIP
        lines = 1 + len(plain(block.runs)) // 76
        height = 180000 + 190000 * lines
        # The paragraph that holds the shape comes first in document order.
        story.paragraphs += 1
        at = len(story.xml)
        story.paragraph(_BOX_TEXT, block.runs, "text_box")
        text = "".join(story.xml[at:])
        del story.xml[at:]
        graphic = (
            '<a:graphicData uri="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"><wps:wsp>'
            f'<wps:cNvSpPr txBox="1"/><wps:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="{width}" cy="{height}"/>'
            '</a:xfrm><a:prstGeom prst="rect"><a:avLst/></a:prstGeom>'
            '<a:solidFill><a:srgbClr val="F3F5F8"/></a:solidFill>'
            '<a:ln w="9525"><a:solidFill><a:srgbClr val="7F8FA6"/></a:solidFill></a:ln></wps:spPr>'
            f"<wps:txbx><w:txbxContent>{text}</w:txbxContent></wps:txbx>"
            '<wps:bodyPr rot="0" vert="horz" wrap="square" lIns="91440" tIns="64008" rIns="91440" bIns="64008"'
            ' anchor="ctr"><a:spAutoFit/></wps:bodyPr></wps:wsp></a:graphicData>'
        )
        drawing = self._inline("Text Box", (width, height), "", graphic)
        story.xml.append(
            f'{_PICTURE}<w:r><mc:AlternateContent><mc:Choice Requires="wps">{drawing}</mc:Choice>'
            "</mc:AlternateContent></w:r></w:p>"
        )
