"""How every picture of this family looks and is written: palette, figure, PNG bytes.

Matplotlib is imported inside, its object interface used (no pyplot, no global state), text in the font it ships, and no
date or version is written into the file: the same figures make the same bytes.
"""

from __future__ import annotations

import functools
import io
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

DPI = 120
WIDTH_INCHES = 10.0
INK, GRID, FAINT = "#222222", "#d9d9d9", "#8a8a8a"
# Okabe & Ito's palette: told apart by people with any common colour blindness.
BLUE, SKY, ORANGE, RED, GREEN, PURPLE = "#0072B2", "#56B4E9", "#E69F00", "#D55E00", "#009E73", "#CC79A7"
FAMILY_COLOUR = {
    "entity": GREEN,
    "lexical": BLUE,
    "style": PURPLE,
    "word": ORANGE,
    "character": RED,
    "control": INK,
}


def own_style(draw: Callable[..., bytes]) -> Callable[..., bytes]:
    """Draw under Matplotlib's defaults: a user's matplotlibrc must not change published bytes."""

    @functools.wraps(draw)
    def drawn(*args: object, **keywords: object) -> bytes:
        import matplotlib

        defaults = {k: v for k, v in matplotlib.rcParamsDefault.items() if k != "backend"}
        with matplotlib.rc_context({**defaults, "font.family": "DejaVu Sans"}):
            return draw(*args, **keywords)

    return drawn


def new_figure(height: float, columns: int = 1) -> tuple[Figure, list[Axes]]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH_INCHES, height), dpi=DPI, layout="constrained", facecolor="white")
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.1)
    axes = figure.subplots(1, columns, sharey=True, squeeze=False)[0]
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(True, axis="x", color=GRID, linewidth=0.6)
        axis.set_axisbelow(True)
    return figure, list(axes)


def to_png(figure: Figure) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def readable(method: str) -> str:
    """A method's id, or several joined by +, as people write it."""
    words = method.replace("_", " ")
    for plain, written in (
        ("wordnet", "WordNet"),
        ("tfidf", "TF-IDF"),
        ("ocr", "OCR"),
        ("aeda", "AEDA"),
        ("minilm", "MiniLM"),
    ):
        words = re.sub(rf"\b{plain}\b", written, words)
    return words


def shortened(text: str, longest: int) -> str:
    """``text`` on one line of at most ``longest`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def patches(entries: Iterable[tuple[str, str]]) -> list[Patch]:
    """Legend entries of (colour, label)."""
    from matplotlib.patches import Patch

    return [Patch(color=colour, label=label) for colour, label in entries]
