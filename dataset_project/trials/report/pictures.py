"""Pictures of a categorisation, as PNG bytes: tables in, the same bytes out.

Only drawing belongs here; what is drawn is computed in ``agreement`` and ``usage``.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

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
    shortened,
    to_png,
)

_ROW_INCHES = 0.34
_LONGEST_TITLE = 36
_COLOURS = (BLUE, ORANGE, GREEN, RED, SKY)


@own_style
def distribution_png(categories: pa.Table, title: str) -> bytes:
    """Trials per category, with recall and its interval beside it where gold tells. ``categories``: CATEGORY_COUNTS."""
    rows = categories.to_pylist()
    measured = any(row["recall"] is not None for row in rows)
    figure, axes = new_figure(1.9 + _ROW_INCHES * len(rows), columns=2 if measured else 1, grid="x")
    places = np.arange(len(rows))
    counts = axes[0]
    counts.barh(places, [row["trials"] for row in rows], color=BLUE, height=0.68)
    for place, row in zip(places, rows, strict=True):
        counts.text(row["trials"], place, f" {row['trials']:,}", va="center", fontsize=8.5, color=INK)
    counts.set_yticks(places, [shortened(row["title"], _LONGEST_TITLE) for row in rows], fontsize=9)
    counts.invert_yaxis()
    counts.margins(x=0.12)
    counts.set_xlabel("trials")
    counts.set_title(title, loc="left", fontsize=12, color=INK)
    if measured:
        recall = axes[1]
        for place, row in zip(places, rows, strict=True):
            if row["recall"] is None:
                recall.text(0.02, place, "no gold of this category alone", va="center", fontsize=8, color=FAINT)
                continue
            recall.plot([row["recall_low"], row["recall_high"]], [place, place], color=SKY, linewidth=3)
            recall.plot(row["recall"], place, "o", color=BLUE, markersize=6)
            recall.text(1.03, place, f"{row['found']}/{row['alone']}", va="center", fontsize=8.5, color=INK)
        recall.set_xlim(0, 1.16)
        recall.set_xticks(np.linspace(0, 1, 6), [f"{share:.0%}" for share in np.linspace(0, 1, 6)])
        recall.set_xlabel("recall, with its Wilson 95 % interval")
        recall.set_title("Found of those gold puts there", loc="left", fontsize=12, color=INK)
    return to_png(figure)


@own_style
def confusion_png(confusion: pa.Table, titles: Mapping[str, str]) -> bytes:
    """Gold against found, shaded by the share of each gold category. ``titles``: category → title, in order."""
    names = list(titles)
    place = {name: number for number, name in enumerate(names)}
    counts = np.zeros((len(names), len(names)), dtype=int)
    for row in confusion.to_pylist():
        counts[place[row["gold"]], place[row["category"]]] = row["trials"]
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure, (axis,) = new_figure(min(9.5, 2.8 + 0.42 * len(names)))
    axis.grid(False)
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for row, column in zip(*np.nonzero(counts), strict=True):
        colour = "white" if shares[row, column] > 0.55 else INK
        weight = "bold" if row == column else "normal"
        axis.text(column, row, str(counts[row, column]), ha="center", va="center", fontsize=9, color=colour,
                  fontweight=weight)  # fmt: skip
    short = [shortened(titles[name], 32) for name in names]
    axis.set_yticks(range(len(names)), short, fontsize=9)
    axis.set_xticks(range(len(names)), short, fontsize=9, rotation=40, ha="right", rotation_mode="anchor")
    axis.set_xticks(np.arange(len(names) + 1) - 0.5, minor=True)
    axis.set_yticks(np.arange(len(names) + 1) - 0.5, minor=True)
    axis.grid(True, which="minor", color=GRID, linewidth=0.6)
    axis.tick_params(which="minor", length=0)
    axis.set_ylabel("gold")
    axis.set_xlabel("found")
    right = int(np.trace(counts))
    axis.set_title(
        f"Gold against found: {right:,} of {counts.sum():,} on the diagonal", loc="left", fontsize=12, color=INK
    )
    return to_png(figure)


@own_style
def reliability_png(calibration: pa.Table, agreement: Mapping[str, float]) -> bytes:
    """Agreement by confidence, and how many trials there are at each. ``calibration``: CALIBRATION; ``agreement``: a
    row of AGREEMENT."""
    rows = calibration.to_pylist()
    figure, (curve, counts) = new_figure(6.2, rows=2, height_ratios=(3.2, 1))
    curve.plot([0, 1], [0, 1], color=FAINT, linewidth=1, linestyle="--")
    curve.text(0.2, 0.14, "as right as it is sure", color=FAINT, fontsize=9)
    for row in rows:
        curve.plot([row["confidence"]] * 2, [row["agreement_low"], row["agreement_high"]], color=SKY, linewidth=3)
    curve.plot([row["confidence"] for row in rows], [row["agreement"] for row in rows], "o-", color=BLUE, markersize=6)
    curve.set_ylim(-0.02, 1.04)
    curve.set_ylabel("agreement with gold")
    figures = f"Brier score {agreement['brier']:.3f}, calibration error {agreement['calibration_error']:.3f}"
    curve.set_title(f"Confidence against agreement: {figures}", loc="left", fontsize=12, color=INK)
    counts.bar([(row["bin"] + 0.5) / 10 for row in rows], [row["trials"] for row in rows], width=0.085, color=BLUE)
    counts.set_xlim(0, 1.02)
    counts.set_ylabel("trials")
    counts.set_xlabel("confidence")
    return to_png(figure)


@own_style
def throughput_png(calls: pa.Table) -> bytes:
    """Calls per minute by outcome, and the cost so far, over the time since the first call. ``calls``: the ledger's,
    in order of time; not empty."""
    started = _seconds(calls["started_at"])
    minutes = (started - started[0]) / 60
    outcomes = np.array(calls["outcome"].to_pylist())
    kinds = sorted(set(outcomes.tolist()), key=lambda kind: (kind != "ok", kind))
    # A few dozen bars, of a whole number of seconds, whatever the run took.
    width = max(1, int(np.ceil((started[-1] - started[0] + 1) / 60))) / 60
    edges = np.arange(0, minutes[-1] + width * 1.001, width)
    figure, (rate, cost) = new_figure(6.4, rows=2, height_ratios=(1.6, 1))
    below = np.zeros(len(edges) - 1)
    for number, kind in enumerate(kinds):
        counts, _ = np.histogram(minutes[outcomes == kind], edges)
        rate.bar(edges[:-1], counts / width, width=width, bottom=below, align="edge", color=_COLOURS[number % 5])
        below += counts / width
    rate.set_ylabel("calls per minute")
    rate.legend(
        handles=patches((_COLOURS[number % 5], kind) for number, kind in enumerate(kinds)),
        fontsize=9, frameon=False, ncols=min(len(kinds), 5), loc="lower right", bbox_to_anchor=(1, 1),
    )  # fmt: skip
    total = np.cumsum(np.array(calls["cost_usd"].to_pylist()))
    rate.set_title(f"{calls.num_rows:,} calls, ${total[-1]:,.4f}", loc="left", fontsize=12, color=INK)
    cost.step(minutes, total, where="post", color=GREEN, linewidth=2)
    cost.set_ylim(bottom=0)
    cost.set_ylabel("cost so far, USD")
    cost.set_xlabel("minutes since the first call")
    return to_png(figure)


def _seconds(column: pa.ChunkedArray) -> np.ndarray:
    values = column.to_pylist()
    return np.array([value.timestamp() if hasattr(value, "timestamp") else float(value) for value in values])
