"""The report's figures: documents by format and class, values by type and surface, what extractors and a detector see.

Made from the report's tables alone. Pictures of documents themselves belong to `pages`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, get_args

import numpy as np
import pyarrow as pa

from dataset_project.documents.configuration import FORMATS
from dataset_project.documents.model.blocks import Surface
from dataset_project.drawing import (
    BLUE,
    FAINT,
    GREEN,
    GRID,
    INK,
    ORANGE,
    RED,
    SKY,
    new_figure,
    own_style,
    patches,
    to_png,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

CLASS_COLOURS: Mapping[str, str] = {"phi": RED, "mixed": ORANGE, "pii_only": SKY, "negative": GREEN}
CLASS_TITLES: Mapping[str, str] = {"phi": "PHI", "mixed": "mixed", "pii_only": "PII only", "negative": "negative"}
_SURFACES: tuple[str, ...] = get_args(Surface)
# Shade beyond which figures in a cell are white.
_DARK = 0.55
_FEW = 20
# Ticks of sizes, in kB.
_SIZES = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)


def drawn(tables: Mapping[str, pa.Table]) -> Iterator[tuple[str, bytes]]:
    """(name, PNG) of every figure there is something to draw for. ``tables``: the report's, by name."""
    yield "documents_by_format", formats_png(tables["format_class"])
    if tables["span_counts"].num_rows:
        yield "values_by_type", types_png(tables["span_counts"])
    if tables["extraction"].num_rows:
        yield "extraction", extraction_png(tables["extraction"])
    if tables["presidio_recall"].num_rows:
        yield "recall_by_surface", recall_png(tables["presidio_recall"])


@own_style
def formats_png(counts: pa.Table) -> bytes:
    """Documents by format, stacked by class, and the size of a file of each. ``counts``: FORMAT_CLASS."""
    rows = counts.to_pylist()
    documents = {(row["format"], row["class"]): row["documents"] for row in rows}
    formats = [name for name in FORMATS if any(form == name for form, _ in documents)]
    classes = [name for name in CLASS_COLOURS if any(kind == name for _, kind in documents)]
    figure, (axis, sizes) = new_figure(1.7 + 0.36 * max(len(formats), 2), columns=2, grid="x")
    places = np.arange(len(formats))
    below = np.zeros(len(formats))
    most = max((sum(documents.get((name, kind), 0) for kind in classes) for name in formats), default=1)
    for kind in classes:
        width = np.array([documents.get((name, kind), 0) for name in formats])
        axis.barh(places, width, left=below, color=CLASS_COLOURS[kind], height=0.7)
        for place, left, count in zip(places, below, width, strict=True):
            # A number that is wider than its bar says nothing.
            if count >= most * 0.022 * len(f"{count:,}"):
                axis.text(left + count / 2, place, f"{count:,}", ha="center", va="center", fontsize=8, color="white")
        below += width
    axis.set_yticks(places, [name.replace("_", " ") for name in formats], fontsize=9)
    axis.invert_yaxis()
    axis.set_xlabel("documents")
    axis.xaxis.set_major_formatter("{x:,.0f}")
    axis.set_title(f"{int(below.sum()):,} documents", loc="left", fontsize=12, color=INK)
    _legend_below(figure, [(CLASS_COLOURS[kind], CLASS_TITLES[kind]) for kind in classes])
    _draw_sizes(sizes, rows, formats, classes)
    return to_png(figure)


def _draw_sizes(axis: Axes, rows: Sequence[Mapping[str, int]], formats: Sequence[str], classes: Sequence[str]) -> None:
    """Mean size of a file of each format and class: those of one format lie close together, or size tells the class."""
    for place, form in enumerate(formats):
        means = {row["class"]: row["bytes"] / row["documents"] / 1000 for row in rows if row["format"] == form}
        axis.plot([min(means.values()), max(means.values())], [place, place], color=GRID, linewidth=2, zorder=1)
        for kind in classes:
            if kind in means:
                axis.plot(means[kind], place, "o", color=CLASS_COLOURS[kind], markersize=6, alpha=0.9)
    axis.set_xscale("log")
    low, high = axis.get_xlim()
    axis.set_xticks([tick for tick in _SIZES if low <= tick <= high])
    axis.minorticks_off()
    axis.xaxis.set_major_formatter("{x:g}")
    axis.tick_params(axis="y", length=0)
    axis.set_xlabel("mean size of a file, kB (logarithmic)")
    axis.set_title("Size by format and class", loc="left", fontsize=12, color=INK)


@own_style
def types_png(counts: pa.Table) -> bytes:
    """Values by fine type and surface, types in the order of their Safe-Harbor code. ``counts``: SPAN_COUNTS."""
    cells: Counter[tuple[tuple[str, str], str]] = Counter()
    for row in counts.to_pylist():
        cells[(row["hipaa_code"], row["type"]), row["surface"]] += row["spans"]
    totals: Counter[tuple[str, str]] = Counter()
    for (kind, _), count in cells.items():
        totals[kind] += count
    kinds = sorted(totals, key=lambda kind: (kind[0], -totals[kind], kind[1]))
    surfaces = [name for name in _SURFACES if any(surface == name for _, surface in cells)]
    numbers = np.array([[cells[kind, surface] for surface in surfaces] for kind in kinds])
    figure, (axis,) = new_figure(1.7 + 0.235 * len(kinds))
    shade = np.log1p(numbers) / np.log1p(numbers.max())
    _heat(axis, shade, [[f"{count:,}" if count else "" for count in row] for row in numbers], size=7.5)
    labels = [f"{kind.replace('_', ' ')}   {code}" for code, kind in kinds]
    axis.set_yticks(range(len(kinds)), labels, fontsize=8.5)
    _top_labels(axis, surfaces)
    for place, (above, below) in enumerate(pairwise(kinds)):
        if above[0] != below[0]:
            axis.axhline(place + 0.5, color=FAINT, linewidth=0.7)
    axis.set_title(
        f"{numbers.sum():,} planted values, by type (with its Safe-Harbor code) and by where they sit",
        loc="left", fontsize=12, color=INK, pad=12,
    )  # fmt: skip
    return to_png(figure)


@own_style
def extraction_png(extraction: pa.Table) -> bytes:
    """Share of values that a simple script takes out, by format and surface. ``extraction``: EXTRACTION."""
    rows = {(row["format"], row["surface"]): row for row in extraction.to_pylist()}
    formats = [name for name in FORMATS if any(form == name for form, _ in rows)]
    surfaces = [name for name in _SURFACES if any(surface == name for _, surface in rows)]
    shares = np.full((len(formats), len(surfaces)), np.nan)
    texts = [["" for _ in surfaces] for _ in formats]
    for (form, surface), row in rows.items():
        place = formats.index(form), surfaces.index(surface)
        shares[place] = row["in_ordinary"] / row["spans"]
        texts[place[0]][place[1]] = f"{shares[place]:.0%}"
    figure, (axis,) = new_figure(2.1 + 0.36 * len(formats))
    _heat(axis, shares, texts, size=8.5)
    axis.set_yticks(range(len(formats)), [name.replace("_", " ") for name in formats], fontsize=9)
    _top_labels(axis, surfaces)
    found, of_all = (sum(row[name] for row in rows.values()) for name in ("in_ordinary", "spans"))
    axis.set_title(
        f"What a simple extractor gives: {found / of_all:.0%} of {of_all:,} values of a sample (empty: none there)",
        loc="left", fontsize=12, color=INK, pad=12,
    )  # fmt: skip
    return to_png(figure)


@own_style
def recall_png(recall: pa.Table) -> bytes:
    """Share of values found by surface: of the text that a simple script gives, and of all text. ``recall``:
    PRESIDIO_RECALL."""
    sums: dict[str, Counter[str]] = {}
    for row in recall.to_pylist():
        sums.setdefault(row["surface"], Counter()).update({name: row[name] for name in recall.schema.names[2:]})
    surfaces = [name for name in _SURFACES if name in sums]
    figure, (axis,) = new_figure(2.0 + 0.42 * len(surfaces), grid="x")
    for place, surface in enumerate(surfaces):
        counts = sums[surface]
        shares = {name: counts[name] / counts["spans"] for name in counts}
        axis.barh(place, shares["in_ordinary"], color=GRID, height=0.74)
        axis.barh(place - 0.17, shares["found_in_ordinary"], color=BLUE, height=0.3)
        axis.barh(place + 0.17, shares["found_in_everything"], color=ORANGE, height=0.3)
        few = " (few)" if counts["spans"] < _FEW else ""
        axis.text(1.015, place, f"{counts['spans']:,}{few}", va="center", fontsize=8.5, color=INK)
    axis.text(1.015, -0.85, "values", va="center", fontsize=8.5, color=FAINT)
    axis.set_yticks(range(len(surfaces)), [name.replace("_", " ") for name in surfaces], fontsize=9)
    axis.set_ylim(len(surfaces) - 0.45, -1.2)
    axis.set_xlim(0, 1.1)
    axis.set_xticks(np.linspace(0, 1, 6), [f"{share:.0%}" for share in np.linspace(0, 1, 6)])
    axis.set_xlabel("share of planted values")
    entries = (
        (GRID, "in the text of a simple extractor"),
        (BLUE, "found there by Presidio's patterns"),
        (ORANGE, "found by them in all text of the file"),
    )
    _legend_below(figure, entries)
    axis.set_title("Recall of Presidio with patterns only, by surface", loc="left", fontsize=12, color=INK, pad=10)
    return to_png(figure)


def _legend_below(figure: Figure, entries: Sequence[tuple[str, str]]) -> None:
    """One line under the axes, for which the layout makes room whatever their height."""
    figure.legend(
        handles=patches(entries), loc="outside lower left", ncols=max(len(entries), 1), fontsize=8.5, frameon=False,
        columnspacing=1.4, handlelength=1.4,
    )  # fmt: skip


def _heat(axis: Axes, shade: NDArray[np.float64], texts: Sequence[Sequence[str]], size: float) -> None:
    """Cells shaded from 0 to 1, nan blank, each with its text."""
    axis.grid(False)
    axis.imshow(shade, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for row, line in enumerate(texts):
        for column, text in enumerate(line):
            if text:
                colour = "white" if shade[row, column] > _DARK else INK
                axis.text(column, row, text, ha="center", va="center", fontsize=size, color=colour)
    axis.set_xticks(np.arange(shade.shape[1] + 1) - 0.5, minor=True)
    axis.set_yticks(np.arange(shade.shape[0] + 1) - 0.5, minor=True)
    axis.grid(True, which="minor", color=GRID, linewidth=0.5)
    axis.tick_params(which="both", length=0)


def _top_labels(axis: Axes, names: Iterable[str]) -> None:
    names = list(names)
    axis.xaxis.tick_top()
    axis.set_xticks(
        range(len(names)), [name.replace("_", " ") for name in names], fontsize=9, rotation=35, ha="left",
        rotation_mode="anchor",
    )  # fmt: skip
    axis.tick_params(which="both", length=0)
