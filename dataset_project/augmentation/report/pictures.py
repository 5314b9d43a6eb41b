"""Pictures of what the combinations came to, as PNG bytes: plain figures in, the same bytes out.

Only drawing belongs here; what is drawn is computed in ``outcomes`` and ``downstream``, and how it looks is decided in
``drawing``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from dataset_project.augmentation.report.drawing import FAMILY_COLOUR, readable
from dataset_project.augmentation.report.outcomes import ComboOutcome
from dataset_project.drawing import (
    BLUE,
    FAINT,
    GREEN,
    GRID,
    INK,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    new_figure,
    own_style,
    patches,
    shortened,
    to_png,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# What became of an attempt: label, colour, the reasons counted together. Ten reasons would be too many colours.
_FATES = (
    ("accepted", BLUE, ("accepted",)),
    ("too similar", SKY, ("rejected_above_band",)),
    ("too different", ORANGE, ("rejected_below_band", "rejected_length")),
    ("broke a guard", RED, ("rejected_negation", "rejected_symptom", "rejected_quantity", "rejected_fixed")),
    ("seen before", PURPLE, ("rejected_identical", "rejected_duplicate")),
    ("nothing to change", GRID, ("rejected_no_edit",)),
)
_ON_DARK = (BLUE, RED)
_ROW_INCHES = 0.27
MOST_COMBOS = 45
MOST_SIZES = 3


def _singletons(outcomes: Iterable[ComboOutcome]) -> dict[str, list[ComboOutcome]]:
    """Family → its methods' outcomes, both in the order given. ValueError when there is none."""
    families: dict[str, list[ComboOutcome]] = {}
    for outcome in outcomes:
        if len(outcome.methods) == 1:
            families.setdefault(outcome.families[0], []).append(outcome)
    if not families:
        raise ValueError("no combination of one method to draw")
    return families


def _rows_by_family(
    families: Mapping[str, Sequence[ComboOutcome]],
) -> tuple[Figure, Axes, list[tuple[ComboOutcome, float]]]:
    """An empty figure with one labelled row per method under its family's name, and each method's height in it."""
    slots = sum(len(members) for members in families.values()) + len(families)
    figure, (axis,) = new_figure(2.1 + _ROW_INCHES * slots, grid="x")
    rows, labels, ticks, height = [], [], [], 0.0
    for family, members in families.items():
        axis.text(-0.012, height + 0.1, family, transform=axis.get_yaxis_transform(), ha="right", va="center",
                  fontsize=9.5, fontweight="bold", color=FAMILY_COLOUR.get(family, INK))  # fmt: skip
        for member in members:
            height += 1
            rows.append((member, height))
            ticks.append(height)
            labels.append(readable(member.methods[0]))
        height += 1
    axis.set_yticks(ticks, labels, fontsize=9)
    axis.tick_params(axis="y", length=0)
    axis.set_ylim(height - 0.4, -0.6)
    return figure, axis, rows


@own_style
def yield_by_method_png(
    outcomes: Iterable[ComboOutcome], title: str = "What became of every attempt, by method"
) -> bytes:
    """Stacked bars, one per combination of one method: the share of attempts accepted, and why others were refused.

    At the right, how many of the variants asked for were found. A combination that did not run says why. ValueError
    when no combination has one method.
    """
    figure, axis, rows = _rows_by_family(_singletons(outcomes))
    for outcome, height in rows:
        attempts = outcome.count("candidates")
        if not attempts:
            said = f"{outcome.status}: {outcome.reason}" if outcome.reason else outcome.status
            axis.text(1, height, shortened(said, 92), va="center", fontsize=8, style="italic", color=FAINT)
            continue
        left = 0.0
        for _, colour, names in _FATES:
            share = 100 * sum(outcome.count(name) for name in names) / attempts
            axis.barh(height, share, left=left, height=0.76, color=colour, edgecolor="white", linewidth=0.6)
            if share >= 4:
                axis.text(left + share / 2, height, f"{share:.0f}", ha="center", va="center", fontsize=8,
                          color="white" if colour in _ON_DARK else INK)  # fmt: skip
            left += share
        axis.text(109, height, f"{outcome.count('accepted'):,}", ha="right", va="center", fontsize=8, color=INK)
        axis.text(117, height, f"{100 * (outcome.filled or 0):.0f} %", ha="right", va="center", fontsize=8, color=INK)
    axis.text(109, -0.05, "variants", ha="right", va="center", fontsize=8, color=FAINT)
    axis.text(117, -0.05, "filled", ha="right", va="center", fontsize=8, color=FAINT)
    axis.set(xlim=(0, 100), xlabel="share of attempts (%)")
    axis.set_title(title, pad=34)
    axis.legend(handles=patches((colour, label) for label, colour, _ in _FATES), loc="lower center",
                bbox_to_anchor=(0.5, 1.0), ncols=len(_FATES), frameon=False, fontsize=9,
                columnspacing=1.2, handlelength=1.2)  # fmt: skip
    return to_png(figure)


@own_style
def similarity_by_method_png(
    outcomes: Iterable[ComboOutcome], low: float, high: float, metric: str,
    title: str = "How similar accepted variants are to their sentence",
) -> bytes:  # fmt: skip
    """Quantiles of the quality metric, one row per combination of one method, with the band [low, high] behind them.

    A thin line reaches from the 5 % to the 95 % quantile, a thick one from 25 % to 75 %, the dot is the median.
    ValueError when no combination of one method has variants.
    """
    drawn = [one for one in outcomes if one.figure("similarity_q50") is not None]
    figure, axis, rows = _rows_by_family(_singletons(drawn))
    axis.axvspan(low, high, color=GREEN, alpha=0.08, linewidth=0)
    for edge in (low, high):
        axis.axvline(edge, color=GREEN, linewidth=1.2, linestyle="--")
    lowest = low
    for outcome, height in rows:
        colour = FAMILY_COLOUR.get(outcome.families[0], INK)
        q5, q25, q50, q75, q95 = (outcome.figure(f"similarity_q{q:02d}") or 0.0 for q in (5, 25, 50, 75, 95))
        axis.plot([q5, q95], [height, height], color=colour, linewidth=1.4, solid_capstyle="butt")
        axis.plot([q25, q75], [height, height], color=colour, linewidth=7, alpha=0.45, solid_capstyle="butt")
        axis.plot(q50, height, "o", color=colour, markersize=5, markeredgecolor="white", markeredgewidth=0.8)
        lowest = min(lowest, q5)
    axis.set(xlim=(max(0.0, lowest - 0.05), 1.015), xlabel=f"similarity to the sentence ({readable(metric)})")
    axis.set_title(title, pad=34)
    axis.legend(handles=_quantile_marks(low, high), loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4,
                frameon=False, fontsize=9)  # fmt: skip
    return to_png(figure)


def _quantile_marks(low: float, high: float) -> list:
    from matplotlib.lines import Line2D

    return [
        Line2D([], [], color=FAINT, linewidth=1.4, label="5-95 %"),
        Line2D([], [], color=FAINT, linewidth=7, alpha=0.5, label="25-75 %"),
        Line2D([], [], color=FAINT, marker="o", linewidth=0, markersize=5, label="median"),
        Line2D([], [], color=GREEN, linewidth=1.2, linestyle="--", label=f"band {low:g}-{high:g}"),
    ]


@own_style
def pair_yield_png(
    outcomes: Iterable[ComboOutcome], title: str = "Share of attempts accepted, pairs of methods"
) -> bytes:
    """A heat map of acceptance: the method applied first across, the one applied second down, single methods diagonal.

    Pairs that were not planned are left empty, ones without attempts crossed out. ValueError when there are no pairs.
    """
    known = [one for one in outcomes if len(one.methods) <= 2 and not one.is_control]
    if not any(len(one.methods) == 2 for one in known):
        raise ValueError("no combination of two methods to draw")
    names = list(
        dict.fromkeys(name for one in sorted(known, key=lambda each: len(each.methods)) for name in one.methods)
    )
    place = {name: at for at, name in enumerate(names)}
    shares = np.full((len(names), len(names)), np.nan)
    figure, (axis,) = new_figure(min(9.0, 2.8 + 0.45 * len(names)), grid="x")
    # Cells are squares: the space that leaves goes to both sides.
    figure.set_layout_engine("compressed", w_pad=0.12, h_pad=0.1)
    for one in known:
        across, down = place[one.methods[0]], place[one.methods[-1]]
        if one.acceptance_rate is None:
            axis.plot(across, down, "x", color=FAINT, markersize=4)
        else:
            shares[down, across] = 100 * one.acceptance_rate
    image = axis.imshow(shares, cmap="cividis", vmin=0, vmax=100, aspect="equal")
    size = min(9.0, 230 / len(names))
    for down, across in zip(*np.nonzero(np.isfinite(shares)), strict=True):
        share = shares[down, across]
        axis.text(across, down, f"{share:.0f}", ha="center", va="center", fontsize=size,
                  color="white" if share < 55 else INK)  # fmt: skip
    labels = [readable(name) for name in names]
    axis.set_xticks(range(len(names)), labels, rotation=90, fontsize=min(9.0, size + 2))
    axis.set_yticks(range(len(names)), labels, fontsize=min(9.0, size + 2))
    axis.tick_params(length=0, which="both")
    axis.grid(False)
    for direction in (axis.xaxis, axis.yaxis):
        direction.set_ticks(np.arange(len(names) - 1) + 0.5, minor=True)
    axis.grid(True, which="minor", color="white", linewidth=0.8)
    axis.set_axisbelow(False)
    axis.spines[:].set_visible(False)
    axis.set(xlabel="applied first", ylabel="applied second", title=title)
    bar = figure.colorbar(image, ax=axis, shrink=0.6, pad=0.02)
    bar.set_label("attempts accepted (%)")
    bar.outline.set_visible(False)
    return to_png(figure)


@own_style
def downstream_png(
    comparison: pa.Table,
    baselines: Mapping[int, float],
    title: str = "Training with variants against training with copies",
) -> bytes:
    """Gain in macro F1 over plain copies with its 95 % interval, best first, one panel per training size.

    ``comparison``: DOWNSTREAM_COMPARISON. ``baselines``: size → macro F1 without variants (`downstream.baselines`).
    The copy control is the zero line and not a row. Of more than MOST_SIZES sizes the first, middle and last are drawn,
    of more than MOST_COMBOS combinations the best and the worst. ValueError when nothing but the control was compared.
    """
    from dataset_project.augmentation.report.downstream import CONTROL

    rows = [row for row in comparison.to_pylist() if row["combo_id"] != CONTROL]
    if not rows:
        raise ValueError("no combination but the copy control to draw")
    sizes = sorted({row["train_size"] for row in rows})
    sizes = sizes if len(sizes) <= MOST_SIZES else [sizes[0], sizes[len(sizes) // 2], sizes[-1]]
    ranked = sorted(
        (row for row in rows if row["train_size"] == sizes[-1]),
        key=lambda row: (-row["gain_macro_f1"], row["combo_id"]),
    )
    order = [row["combo_id"] for row in ranked]
    best, worst = len(order), 0
    if len(order) > MOST_COMBOS:
        best, worst = MOST_COMBOS * 2 // 3, MOST_COMBOS // 3
    shown = [*order[:best], *order[len(order) - worst :]]
    # One row between the best and the worst says how many are left out.
    place = {combo_id: at + (at >= best) for at, combo_id in enumerate(shown)}
    figure, axes = new_figure(2.5 + _ROW_INCHES * (len(shown) + bool(worst)), columns=len(sizes), grid="x")
    for axis, size in zip(axes, sizes, strict=True):
        mine = [row for row in rows if row["train_size"] == size and row["combo_id"] in place]
        for row in mine:
            colour, at = _verdict(row), place[row["combo_id"]]
            axis.plot([100 * row["gain_low"], 100 * row["gain_high"]], [at, at], color=colour, linewidth=1.8)
            axis.plot(100 * row["gain_macro_f1"], at, "o", color=colour, markersize=5)
        copies = 100 * mine[0]["copy_macro_f1"]
        axis.axvline(0, color=INK, linewidth=1.2)
        axis.axvline(100 * baselines[size] - copies, color=ORANGE, linewidth=1.6, linestyle="--")
        axis.set_title(f"{size:,} training sentences\nmacro F1 with copies {copies:.1f}", fontsize=9.5)
        axis.tick_params(axis="y", length=0)
    ticks, labels = list(place.values()), [_short_name(combo_id) for combo_id in place]
    if worst:
        ticks.append(best)
        labels.append(f"… {len(order) - len(shown):,} more …")
    axes[0].set_yticks(ticks, labels, fontsize=9)
    axes[0].set_ylim(max(ticks) + 0.6, -0.6)
    figure.supxlabel(f"gain in macro F1 (points) and its 95 % interval, {rows[0]['repeats']} paired draws", fontsize=10)
    figure.legend(handles=_verdict_marks(), title=title, title_fontsize=12, loc="outside upper center", ncols=5,
                  frameon=False, fontsize=9, columnspacing=1.2)  # fmt: skip
    return to_png(figure)


def _short_name(combo_id: str) -> str:
    return shortened(readable(combo_id.split("_", 2)[2]).replace("+", " + "), 44)


def _verdict(row: Mapping[str, float]) -> str:
    if row["gain_low"] > 0:
        return BLUE
    return RED if row["gain_high"] < 0 else FAINT


def _verdict_marks() -> list:
    from matplotlib.lines import Line2D

    intervals = ((BLUE, "better than copies"), (FAINT, "not told apart"), (RED, "worse than copies"))
    return [
        *(
            Line2D([], [], color=colour, marker="o", markersize=5, linewidth=1.8, label=said)
            for colour, said in intervals
        ),
        Line2D([], [], color=INK, linewidth=1.2, label="copies"),
        Line2D([], [], color=ORANGE, linewidth=1.6, linestyle="--", label="no augmentation"),
    ]
