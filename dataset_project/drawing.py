"""How every picture of every family looks and is written: palette, figure, PNG bytes.

Matplotlib is imported inside, its object interface used (no pyplot, no global state), text in the font it ships, and no
date or version is written into the file: the same figures make the same bytes. What is drawn belongs to the families.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

DPI = 120
WIDTH_INCHES = 10.0
INK, GRID, FAINT = "#222222", "#d9d9d9", "#8a8a8a"
# Okabe & Ito's palette: told apart by people with any common colour blindness.
BLUE, SKY, ORANGE, RED, GREEN, PURPLE = "#0072B2", "#56B4E9", "#E69F00", "#D55E00", "#009E73", "#CC79A7"


def own_style(draw: Callable[..., bytes]) -> Callable[..., bytes]:
    """Draw under Matplotlib's defaults: a user's matplotlibrc must not change published bytes."""

    @functools.wraps(draw)
    def drawn(*args: object, **keywords: object) -> bytes:
        import matplotlib

        defaults = {k: v for k, v in matplotlib.rcParamsDefault.items() if k != "backend"}
        with matplotlib.rc_context({**defaults, "font.family": "DejaVu Sans"}):
            return draw(*args, **keywords)

    return drawn


def new_figure(
    height: float,
    rows: int = 1,
    columns: int = 1,
    *,
    height_ratios: Sequence[float] | None = None,
    grid: Literal["x", "y", "both"] = "both",
) -> tuple[Figure, list[Axes]]:
    """A figure ``height`` inches high and its axes, rows above each other sharing x, columns side by side sharing y."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH_INCHES, height), dpi=DPI, layout="constrained", facecolor="white")
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.1)
    found = figure.subplots(
        rows, columns, sharex=rows > 1, sharey=columns > 1, squeeze=False, height_ratios=height_ratios
    )
    axes = [axis for row in found for axis in row]
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(True, axis=grid, color=GRID, linewidth=0.6)
        axis.set_axisbelow(True)
    return figure, axes


def to_png(figure: Figure) -> bytes:
    """The figure as PNG, without a date or a version in it."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def shortened(text: str, longest: int) -> str:
    """``text`` on one line of at most ``longest`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def patches(entries: Iterable[tuple[str, str]]) -> list[Patch]:
    """Legend entries of (colour, label)."""
    from matplotlib.patches import Patch

    return [Patch(color=colour, label=label) for colour, label in entries]
