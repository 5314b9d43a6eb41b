"""Where blocks stand on slides: how high they are at a guess, and what goes on to a continuation slide.

Without font metrics, so cautious. The XML of what is placed belongs to `pptx_slide`. Lengths are points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dataset_project.documents.formats.ooxml_tables import check_table, column_widths
from dataset_project.documents.model.blocks import Block, Fields, Paragraph, Picture, Table, TextBox
from dataset_project.documents.model.values import Runs, plain

LEFT, WIDTH = 48, 864
TOP, BOTTOM = 100, 494
"""The room for blocks on a slide of 960 x 540 points, below the title and above the footer."""

GAP = 12
LINE = 1.2
"""Height of a line in sizes of its type."""
EM = 0.54
"""Mean width of a character in sizes of its type: that of Calibri and Arial is less, that of DejaVu Sans more."""

SIZES = {"title": 28, "heading": 20, "body": 16, "list": 16, "small": 11}
SMALLEST = 7
CELL_SIZE, CELL_MARGIN = 12, 8
PICTURE = (216, 144)
"""Width and height, in the proportions of the one picture there is."""


@dataclass(frozen=True)
class Line:
    """A paragraph with the size of its type, in points."""

    block: Paragraph
    size: int


@dataclass(frozen=True)
class Text:
    """Consecutive paragraphs in one shape."""

    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Grid:
    """A piece of a table: rows of cells, under a header row or beside labels (``header`` says which); size of type."""

    rows: tuple[tuple[Runs, ...], ...]
    widths: tuple[int, ...]
    heights: tuple[int, ...]
    header: bool
    size: int


Item = Text | Grid | Picture | TextBox


@dataclass(frozen=True)
class Placed:
    """An item at its place: distance from the slide's top, and height."""

    item: Item
    top: float
    height: float


def lines_of(text: str, width: float, size: float) -> int:
    """How many lines ``text`` takes at a guess."""
    # A column takes one character at least, however narrow it is.
    return 1 + int(len(text) * size * EM / max(width, size * EM))


def _paragraph(block: Paragraph) -> tuple[Line, float]:
    """The paragraph and its height; a very long one gets smaller type until it fits on a slide."""
    text, size = plain(block.runs), SIZES[block.style]
    while (height := lines_of(text, WIDTH - 30, size) * size * LINE + 6) > BOTTOM - TOP - 8 and size > SMALLEST:
        size -= 1
    return Line(block, size), height


def box_height(block: TextBox) -> float:
    """Of a text box as wide as the room."""
    return lines_of(plain(block.runs), WIDTH - 20, 14) * 14 * LINE + 16


def _heights(texts: Sequence[Sequence[str]], widths: Sequence[int], size: int) -> list[int]:
    """Of the rows of a table."""
    line = int(size * LINE)
    return [
        line * max(lines_of(text, width - 15, size) for text, width in zip(row, widths, strict=True)) + CELL_MARGIN
        for row in texts
    ]


def _cells(block: Table | Fields) -> tuple[list[tuple[Runs, ...]], tuple[int, ...], list[int], int]:
    """Rows (of a table with the header as first row), widths of the columns, heights of the rows, size of the type.

    Type gets smaller until the highest row fits on a slide, below the header.
    """
    if isinstance(block, Table):
        rows: list[tuple[Runs, ...]] = [tuple((text,) for text in block.header), *block.rows]
    else:
        rows = [((label,), runs) for label, runs in block.pairs]
    texts = [tuple(map(plain, row)) for row in rows]
    if isinstance(block, Table):
        widths = tuple(column_widths(texts[:20], WIDTH))
    else:
        first = min(max(int(max(len(label) for label, _ in texts) * CELL_SIZE * 0.6) + 20, 130), WIDTH // 2)
        widths = (first, WIDTH - first)
    size = CELL_SIZE
    while True:
        heights = _heights(texts, widths, size)
        if heights[0] + max(heights) <= BOTTOM - TOP or size == SMALLEST:
            return rows, widths, heights, size
        size -= 1


class _Flow:
    """Puts items below each other, and on to a new slide when one is full."""

    def __init__(self) -> None:
        self.slides: list[list[Placed]] = [[]]
        self.top: float = TOP
        self.lines: list[Line] = []
        self.lines_height = 0.0

    def _new_slide(self) -> None:
        self.slides.append([])
        self.top = TOP

    def room(self, height: float) -> None:
        """Make sure of ``height`` points, on a new slide if need be; a fresh slide has to do."""
        if self.top + height > BOTTOM and self.slides[-1]:
            self._new_slide()

    def put(self, item: Item, height: float) -> None:
        self.slides[-1].append(Placed(item, self.top, height))
        self.top += height + GAP

    def line(self, line: Line, height: float) -> None:
        """Add a paragraph to the text that is gathered; a heading goes along to the new slide of what it heads."""
        if self.top + self.lines_height + height > BOTTOM and (self.lines or self.slides[-1]):
            carried = []
            while len(self.lines) + len(self.slides[-1]) > 1 and self.lines and self.lines[-1].block.style == "heading":
                carried.insert(0, self.lines.pop())
            self.end_text()
            self._new_slide()
            self.lines = carried
            self.lines_height = sum(_paragraph(each.block)[1] for each in carried)
        self.lines.append(line)
        self.lines_height += height

    def end_text(self) -> None:
        """Put the paragraphs gathered so far."""
        if self.lines:
            self.put(Text(tuple(self.lines)), self.lines_height + 6)
            self.lines, self.lines_height = [], 0.0

    def grid(self, block: Table | Fields) -> None:
        """On one slide if one can hold it, else in pieces; each piece of a table has the header."""
        rows, widths, heights, size = _cells(block)
        header = isinstance(block, Table)
        first, above = (1, heights[0]) if header else (0, 0)
        caption = None
        if isinstance(block, Table) and block.name != "Table":
            caption = _paragraph(Paragraph((block.name,), "heading"))
        caption_height = caption[1] + 6 + GAP if caption else 0.0
        whole = caption_height + sum(heights)
        self.room(whole if whole <= BOTTOM - TOP else caption_height + above + sum(heights[first : first + 2]))
        if caption:
            self.line(*caption)
            self.end_text()
        start = first
        while True:
            end, height = start, float(above)
            while end < len(rows) and (end == start or self.top + height + heights[end] <= BOTTOM):
                height += heights[end]
                end += 1
            piece, sizes = tuple(rows[start:end]), tuple(heights[start:end])
            if header:
                piece, sizes = (rows[0], *piece), (above, *sizes)
            self.put(Grid(piece, widths, sizes, header, size), height)
            start = end
            if start >= len(rows):
                return
            self._new_slide()


def slides(blocks: Sequence[Block]) -> list[list[Placed]]:
    """``blocks`` on one slide or more, in order. Raises ValueError for an uneven table."""
    flow = _Flow()
    for block in blocks:
        if isinstance(block, Paragraph):
            flow.line(*_paragraph(block))
            continue
        flow.end_text()
        if isinstance(block, Table):
            check_table(block)
            flow.grid(block)
        elif isinstance(block, Fields):
            if block.pairs:
                flow.grid(block)
        elif isinstance(block, Picture):
            caption = _paragraph(Paragraph(block.caption, "small")) if block.caption else None
            flow.room(PICTURE[1] + (caption[1] + GAP if caption else 0))
            flow.put(block, PICTURE[1])
            if caption:
                flow.line(*caption)
                flow.end_text()
        elif isinstance(block, TextBox):
            height = box_height(block)
            flow.room(height)
            flow.put(block, height)
    flow.end_text()
    return flow.slides
