"""Slides and their shapes in PresentationML: title, text, tables, pictures, text boxes, footer; notes pages too.

Where they stand belongs to `pptx_layout`. Element order is the schema's (ECMA-376 part 1, sections 19.3 and 21.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from dataset_project.documents.formats.ooxml import DECLARATION, RELATIONSHIPS, Splitter, escape, escape_attribute
from dataset_project.documents.formats.pptx_layout import (
    LEFT,
    PICTURE,
    WIDTH,
    Grid,
    Line,
    Placed,
    Text,
)
from dataset_project.documents.model.blocks import Picture, Surface, TextBox
from dataset_project.documents.model.emitting import Emitter
from dataset_project.documents.model.values import Runs

NAMESPACES = (
    ' xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    f' xmlns:r="{RELATIONSHIPS}" xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
)
EMU = 12700
"""English metric units to the point."""

_TREE = (
    '<p:cSld><p:spTree><p:nvGrpSpPr><p:cNvPr id="1" name=""/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr><p:grpSpPr><a:xfrm>'
    '<a:off x="0" y="0"/><a:ext cx="0" cy="0"/><a:chOff x="0" y="0"/><a:chExt cx="0" cy="0"/></a:xfrm></p:grpSpPr>'
)
_END = "</p:spTree></p:cSld><p:clrMapOvr><a:masterClrMapping/></p:clrMapOvr>"
_RECTANGLE = '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom>'
_BULLET = '<a:pPr marL="228600" indent="-228600"><a:spcBef><a:spcPts val="300"/></a:spcBef><a:buChar char="•"/></a:pPr>'
_PLAIN = '<a:pPr marL="0" indent="0"><a:spcBef><a:spcPts val="300"/></a:spcBef><a:buNone/></a:pPr>'
_LOOKS = {
    "title": (_PLAIN, 'b="1"', "tx2"),
    "heading": (_PLAIN, 'b="1"', "accent1"),
    "body": (_PLAIN, "", ""),
    "list": (_BULLET, "", ""),
    "small": (_PLAIN, "", ""),
}


def _edge(side: str, colour: str, width: int) -> str:
    return f'<a:ln{side} w="{width}"><a:solidFill>{colour}</a:solidFill></a:ln{side}>'


_GREY = '<a:srgbClr val="BFBFBF"/>'
_EDGES = "".join(_edge(side, _GREY, 6350) for side in ("L", "R", "T", "B"))
_CELL_MARGINS = 'marL="72000" marR="72000" marT="36000" marB="36000" anchor="ctr"'
_HEAD_CELL = f'<a:tcPr {_CELL_MARGINS}>{_EDGES}<a:solidFill><a:schemeClr val="accent1"/></a:solidFill></a:tcPr>'
_LABEL_CELL = f'<a:tcPr {_CELL_MARGINS}>{_EDGES}<a:solidFill><a:srgbClr val="F2F2F2"/></a:solidFill></a:tcPr>'
_CELL = f"<a:tcPr {_CELL_MARGINS}>{_EDGES}<a:noFill/></a:tcPr>"


def run_properties(size: int, extra: str = "", colour: str = "") -> str:
    """``a:rPr``: ``size`` in points, further attributes, a colour of the theme."""
    start = f'<a:rPr lang="en-US" sz="{size * 100}"{" " + extra if extra else ""}'
    return f'{start}><a:solidFill><a:schemeClr val="{colour}"/></a:solidFill></a:rPr>' if colour else f"{start}/>"


def box(top: float, height: float, left: float = LEFT, width: float = WIDTH, tag: str = "a") -> str:
    """``xfrm`` of a rectangle given in points."""
    numbers = [int(each * EMU) for each in (left, top, width, height)]
    return '<{t}:xfrm><a:off x="{}" y="{}"/><a:ext cx="{}" cy="{}"/></{t}:xfrm>'.format(*numbers, t=tag)


_INSETS = 'wrap="square" lIns="0" tIns="0" rIns="0" bIns="0"'
_BODY = f"<a:bodyPr {_INSETS}><a:normAutofit/></a:bodyPr>"
_FRAME = f'<a:bodyPr {_INSETS} rtlCol="0"><a:spAutoFit/></a:bodyPr>'
_CALL_OUT = '<a:bodyPr wrap="square" rtlCol="0" anchor="ctr"><a:spAutoFit/></a:bodyPr>'
_SLIDE_NUMBER = (
    '<a:p><a:fld id="{B6F15528-21DE-4FAA-801E-634DDDAF4B2B}" type="slidenum"><a:rPr lang="en-US"/></a:fld></a:p>'
)


@dataclass
class Page:
    """A part with shapes: a slide or a notes page. Counts its paragraphs (``a:p``) and shapes (ids from 2).

    ``number``: of the slide it is or belongs to, from 0. ``visible``: whether its slide is shown.
    """

    part: str
    number: int
    emitter: Emitter
    splitter: Splitter
    visible: bool = True
    xml: list[str] = field(default_factory=lambda: [_TREE])
    paragraphs: int = 0
    shape: int = 1

    def _locator(self) -> dict[str, Any]:
        return {"kind": "xml", "part": self.part, "slide": self.number, "shape": self.shape}

    def paragraph(self, runs: Runs, surface: Surface, properties: str, run: str) -> str:
        """``a:p`` of the runs, emitted. ``properties``: its ``a:pPr``. ``run``: ``a:rPr`` of each ``a:r``."""
        where = self._locator()
        where["paragraph"] = self.paragraphs
        text = self.emitter.emit(runs, surface, where, visible=self.visible)
        self.paragraphs += 1
        if not text:
            # Without it an empty cell is as high as a line of 18 points.
            return f"<a:p>{properties}{run.replace('a:rPr', 'a:endParaRPr')}</a:p>"
        pieces = self.splitter.pieces(text)
        if len(pieces) == 1:
            return f"<a:p>{properties}<a:r>{run}<a:t>{escape(text)}</a:t></a:r></a:p>"
        cut = "".join([f"<a:r>{run}<a:t>{escape(piece)}</a:t></a:r>" for piece in pieces])
        return f"<a:p>{properties}{cut}</a:p>"

    def text_shape(
        self, kind: str, placeholder: str, place: str, paragraphs: Sequence[str], body: str = "<a:bodyPr/>"
    ) -> None:
        """A shape with text. ``placeholder``: of its ``p:ph``; none for a text box. ``place``: of its ``p:spPr``."""
        if placeholder:
            what = f'<p:cNvSpPr><a:spLocks noGrp="1"/></p:cNvSpPr><p:nvPr><p:ph {placeholder}/></p:nvPr>'
        else:
            what = '<p:cNvSpPr txBox="1"/><p:nvPr/>'
        self.xml.append(
            f'<p:sp><p:nvSpPr><p:cNvPr id="{self.shape}" name="{kind} {self.shape - 1}"/>{what}</p:nvSpPr>'
            f"<p:spPr>{place}</p:spPr><p:txBody>{body}<a:lstStyle/>{''.join(paragraphs)}</p:txBody></p:sp>"
        )

    def placeholder(self, kind: str, attributes: str, runs: Runs, surface: Surface) -> None:
        """A placeholder that stands where the layout says, with one paragraph of the layout's type."""
        self.shape += 1
        self.text_shape(kind, attributes, "", [self.paragraph(runs, surface, "", '<a:rPr lang="en-US"/>')])

    def title(self, text: str) -> None:
        """The slide's title."""
        self.placeholder("Title", 'type="title"', (text,), "body")

    def slide_number(self) -> None:
        """Computed by whoever shows the slide: no text of the document."""
        self.shape += 1
        self.paragraphs += 1
        self.text_shape("Slide Number", 'type="sldNum" sz="quarter" idx="12"', "", [_SLIDE_NUMBER])

    def text(self, lines: Sequence[Line], top: float, height: float, first: bool, surface: Surface) -> None:
        """Paragraphs in the content placeholder (``first``) or in a text frame of their own."""
        self.shape += 1
        xml = []
        for line in lines:
            properties, extra, colour = _LOOKS[line.block.style]
            xml.append(self.paragraph(line.block.runs, surface, properties, run_properties(line.size, extra, colour)))
        if first:
            self.text_shape("Content Placeholder", 'idx="1"', box(top, height), xml, _BODY)
        else:
            self.text_shape("TextBox", "", f"{box(top, height)}{_RECTANGLE}<a:noFill/>", xml, _FRAME)

    def text_box(self, block: TextBox, top: float, height: float) -> None:
        """A frame that stands out, as a call-out does."""
        self.shape += 1
        xml = self.paragraph(block.runs, "text_box", "", run_properties(14))
        place = (
            f'{box(top, height)}{_RECTANGLE}<a:solidFill><a:srgbClr val="FFF8E5"/></a:solidFill>'
            '<a:ln w="12700"><a:solidFill><a:srgbClr val="C9A227"/></a:solidFill></a:ln>'
        )
        self.text_shape("Text Box", "", place, [xml], _CALL_OUT)

    def picture(self, block: Picture, top: float, relationship: str) -> None:
        """The picture, with its alternative text."""
        self.shape += 1
        where = {**self._locator(), "attribute": "descr"}
        alt = escape_attribute(self.emitter.emit(block.alt, "alt_text", where, visible=False))
        self.xml.append(
            f'<p:pic><p:nvPicPr><p:cNvPr id="{self.shape}" name="Picture {self.shape - 1}" descr="{alt}"/>'
            '<p:cNvPicPr><a:picLocks noChangeAspect="1"/></p:cNvPicPr><p:nvPr/></p:nvPicPr><p:blipFill>'
            f'<a:blip r:embed="{relationship}"/><a:stretch><a:fillRect/></a:stretch></p:blipFill>'
            f"<p:spPr>{box(top, PICTURE[1], width=PICTURE[0])}{_RECTANGLE}</p:spPr></p:pic>"
        )

    def grid(self, grid: Grid, top: float, height: float) -> None:
        """A native table."""
        self.shape += 1
        flags = ' firstRow="1"' if grid.header else ' firstCol="1"'
        columns = "".join(f'<a:gridCol w="{width * EMU}"/>' for width in grid.widths)
        plain, label = run_properties(grid.size), run_properties(grid.size, 'b="1"')
        head = run_properties(grid.size, 'b="1"', "bg1")
        xml = self.xml
        xml.append(
            f'<p:graphicFrame><p:nvGraphicFramePr><p:cNvPr id="{self.shape}" name="Table {self.shape - 1}"/>'
            '<p:cNvGraphicFramePr><a:graphicFrameLocks noGrp="1"/></p:cNvGraphicFramePr><p:nvPr/></p:nvGraphicFramePr>'
            f"{box(top, height, tag='p')}<a:graphic>"
            '<a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/table">'
            f"<a:tbl><a:tblPr{flags}/><a:tblGrid>{columns}</a:tblGrid>"
        )
        for number, (row, size) in enumerate(zip(grid.rows, grid.heights, strict=True)):
            xml.append(f'<a:tr h="{size * EMU}">')
            for column, runs in enumerate(row):
                run, cell = plain, _CELL
                if grid.header and number == 0:
                    run, cell = head, _HEAD_CELL
                elif not grid.header and column == 0:
                    run, cell = label, _LABEL_CELL
                text = self.paragraph(runs, "table", "", run)
                xml.append(f"<a:tc><a:txBody><a:bodyPr/><a:lstStyle/>{text}</a:txBody>{cell}</a:tc>")
            xml.append("</a:tr>")
        xml.append("</a:tbl></a:graphicData></a:graphic></p:graphicFrame>")

    def items(self, placed: Sequence[Placed], picture: str, surface: Surface) -> None:
        """Everything between title and footer. ``picture``: relationship id of the picture. ``surface``: of running
        text, ``body`` or ``hidden``."""
        first = True
        for each in placed:
            item = each.item
            if isinstance(item, Text):
                self.text(item.lines, each.top, each.height, first, surface)
                first = False
            elif isinstance(item, Grid):
                self.grid(item, each.top, each.height)
            elif isinstance(item, Picture):
                self.picture(item, each.top, picture)
            else:
                self.text_box(item, each.top, each.height)

    def document(self, root: str) -> str:
        """The part."""
        show = "" if self.visible or root != "sld" else ' show="0"'
        return f"{DECLARATION}<p:{root}{NAMESPACES}{show}>{''.join(self.xml)}{_END}</p:{root}>"
