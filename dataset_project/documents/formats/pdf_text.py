"""Text of PDFs before it is placed: fonts and their widths, breaking runs into lines with values kept whole.

Where lines go belongs to `pdf_page`. Fonts are the standard Helvetica in WinAnsi encoding (ISO 32000-1, 9.6.2.2, annex
D), which every viewer has; what it lacks is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

from dataset_project.documents.model.values import Run, Runs, Value

FontName = Literal["Helvetica", "Helvetica-Bold"]


@dataclass(frozen=True)
class Face:
    """A font at a size in points; ``leading``: distance of lines."""

    font: FontName
    size: float
    leading: float


TITLE = Face("Helvetica-Bold", 17, 23)
SECTION = Face("Helvetica-Bold", 13.5, 19)
HEADING = Face("Helvetica-Bold", 11.5, 17)
BODY = Face("Helvetica", 10, 13.5)
LABEL = Face("Helvetica-Bold", 10, 13.5)
SMALL = Face("Helvetica", 8, 11)
CELL = Face("Helvetica", 9, 11.5)
HEAD = Face("Helvetica-Bold", 9, 11.5)
HIDDEN = Face("Helvetica", 6, 8)

# Characters without a shape, and those that extractors do not give back as they are: no-break space, soft hyphen.
_UNHELD = re.compile("[\x00-\x1f\x7f\xa0\xad]")
_SPECIAL = re.compile(rb"[()\\\x80-\xff]")


def encoded(text: str) -> bytes:
    """``text`` in WinAnsi. Raises ValueError naming the characters that the font lacks or extractors change."""
    try:
        content = text.encode("cp1252")
    except UnicodeEncodeError:
        missing = sorted({each for each in text if not _has(each)})
        named = ", ".join(f"{each!r} (U+{ord(each):04X})" for each in missing)
        raise ValueError(f"the PDF font has no {named}: {text!r}") from None
    if not text.isprintable() and (found := _UNHELD.search(text)):
        raise ValueError(f"a PDF cannot hold the character U+{ord(found[0]):04X} as text: {text!r}")
    return content


def _has(character: str) -> bool:
    try:
        character.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


def literal(content: bytes) -> str:
    """Encoded text as a string object of a content stream, in ASCII (ISO 32000-1, 7.3.4.2)."""
    if _SPECIAL.search(content):
        content = _SPECIAL.sub(lambda match: b"\\%03o" % match[0][0], content)
    return f"({content.decode('ascii')})"


@cache
def widths_of(font: FontName) -> tuple[int, ...]:
    """Widths of the 256 codes of WinAnsi in thousandths of the size."""
    from reportlab.pdfbase.pdfmetrics import getFont

    return tuple(getFont(font).widths)


# Words come again and again.
@lru_cache(maxsize=1 << 14)
def _thousandths(text: str, font: FontName) -> int:
    return sum(map(widths_of(font).__getitem__, encoded(text)))


def width(text: str, face: Face) -> float:
    """Width of ``text`` in points. Raises ValueError as `encoded` does."""
    return _thousandths(text, face.font) * face.size / 1000


@dataclass(frozen=True)
class Line:
    """A line as it will be written: its runs, their widths in points, and the horizontal scale they are drawn with."""

    runs: Runs
    widths: tuple[float, ...]
    scale: float = 1.0

    @property
    def width(self) -> float:
        return sum(self.widths)


_Piece = tuple[Run, float]
_WORDS = re.compile(r" +|[^ ]+")


def _text(run: Run) -> str:
    return run if isinstance(run, str) else run.text


@dataclass(slots=True)
class _Unit:
    """What stays whole when a line is broken, or the blanks between two of such; ``width`` in points."""

    pieces: list[_Piece]
    width: float
    blank: bool


def _units(runs: Runs, face: Face) -> list[_Unit]:
    """Runs cut where a line may break: at blanks outside values."""
    units: list[_Unit] = []
    font, scale = face.font, face.size / 1000
    last: _Unit | None = None
    for run in runs:
        for piece in (run,) if isinstance(run, Value) else _WORDS.findall(run):
            text = piece if isinstance(piece, str) else piece.text
            size = _thousandths(text, font) * scale
            blank = piece is text and text[0] == " "
            if blank or last is None or last.blank:
                last = _Unit([(piece, size)], size, blank)
                units.append(last)
            else:
                last.pieces.append((piece, size))
                last.width += size
    return units


def _cut(unit: _Unit, room: float, face: Face) -> list[_Unit]:
    """A unit wider than ``room`` in parts: plain text anywhere; around a value it stays whole and is condensed."""
    if any(isinstance(piece, Value) for piece, _ in unit.pieces):
        return [unit]
    parts: list[_Unit] = []
    text, start, so_far = "".join(_text(piece) for piece, _ in unit.pieces), 0, 0.0
    for at, character in enumerate(text):
        one = width(character, face)
        if at > start and so_far + one > room:
            parts.append(_Unit([(text[start:at], so_far)], so_far, False))
            start, so_far = at, 0.0
        so_far += one
    return [*parts, _Unit([(text[start:], so_far)], so_far, False)]


def _line(pieces: list[_Piece], room: float) -> Line:
    """A line of pieces, neighbouring plain ones joined."""
    runs: list[Run] = []
    widths: list[float] = []
    for piece, size in pieces:
        if runs and isinstance(piece, str) and isinstance(runs[-1], str):
            runs[-1] += piece
            widths[-1] += size
        else:
            runs.append(piece)
            widths.append(size)
    total = sum(widths)
    if total <= room + 1e-6:
        return Line(tuple(runs), tuple(widths))
    scale = room / total
    return Line(tuple(runs), tuple(size * scale for size in widths), scale)


def broken(runs: Runs, face: Face, room: float) -> list[Line]:
    """``runs`` as lines at most ``room`` points wide; no runs, no lines.

    Lines break at blanks outside values, which are dropped there. A value stays whole with what touches it; wider than
    ``room`` it is condensed. A plain word wider than ``room`` is cut. Raises ValueError as `encoded` does.
    """
    widths = tuple([width(_text(run), face) for run in runs])
    if sum(widths) <= room:
        return [Line(runs, widths)] if runs else []
    lines: list[Line] = []
    line: list[_Unit] = []
    used = 0.0
    for unit in _units(runs, face):
        if unit.blank:
            # A line that was broken does not start with blanks.
            if line or not lines:
                line.append(unit)
                used += unit.width
            continue
        for part in _cut(unit, room, face) if unit.width > room else (unit,):
            if used + part.width > room and line:
                _add_line(lines, line, room)
                line, used = [], 0.0
            line.append(part)
            used += part.width
    _add_line(lines, line, room)
    return lines


def _add_line(lines: list[Line], units: list[_Unit], room: float) -> None:
    """Add ``units`` as a line, without blanks at its end; nothing when nothing is left."""
    if units and units[-1].blank:
        units = units[:-1]
    if units:
        lines.append(_line([piece for unit in units for piece in unit.pieces], room))


def widest_unit(runs: Runs, face: Face) -> float:
    """Width in points of the widest piece of ``runs`` that stays whole; 0 for none."""
    return max((unit.width for unit in _units(runs, face)), default=0.0)
