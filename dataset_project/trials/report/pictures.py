"""Pictures of a categorisation, as PNG bytes: tables in, the same bytes out.

Only drawing belongs here; what is drawn is computed in ``agreement`` and ``usage``.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

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
    to_png,
)
from dataset_project.trials.schemes.scheme import Scheme

if TYPE_CHECKING:
    from matplotlib.ticker import Locator

_ROW_INCHES = 0.34
_LONGEST_LINE, _CODE = 32, 3
_PAUSE_S = 600
_UNITS = (("hours", 3600), ("minutes", 60), ("seconds", 1))
# A unit is used from three of it: 2.9 hours are told in minutes.
_LEAST_UNITS = 3
_OTHERS = "others"
# Calls that went well, then what went wrong, the most frequent first, the rest together.
_COLOURS = (BLUE, ORANGE, RED, PURPLE, SKY)


def drawn(scheme: Scheme, tables: Mapping[str, pa.Table], calls: pa.Table | None) -> Iterator[tuple[str, bytes]]:
    """(name, PNG) of every picture there is something to draw for. ``tables``: the report's, by name; ``calls``: the
    ledger's calls for this scheme, None where no model was asked."""
    yield "categories", distribution_png(tables["categories"], scheme.title)
    if tables["confusion"].num_rows:
        titles = {category.id: category.title for category in scheme.categories}
        yield "confusion", confusion_png(tables["confusion"], titles)
    if tables["calibration"].num_rows:
        yield "reliability", reliability_png(tables["calibration"], tables["agreement"].to_pylist()[0])
    if calls is not None and calls.num_rows:
        yield "cost_and_throughput", throughput_png(calls)


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
    counts.set_yticks(places, _labels({row["category"]: row["title"] for row in rows}), fontsize=9)
    counts.xaxis.set_major_locator(_whole_numbers())
    counts.xaxis.set_major_formatter("{x:,.0f}")
    counts.invert_yaxis()
    counts.set_xlim(0, 1.14 * max(1, *(row["trials"] for row in rows)))
    counts.set_xlabel("trials")
    counts.set_title(_wrapped(title, 40 if measured else 86), loc="left", fontsize=12, color=INK)
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
    labels = _labels(titles)
    axis.set_yticks(range(len(names)), labels, fontsize=9)
    axis.set_xticks(range(len(names)), labels, fontsize=9, rotation=40, ha="right", rotation_mode="anchor")
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
    counts.yaxis.set_major_locator(_whole_numbers())
    counts.set_ylabel("trials")
    counts.set_xlabel("confidence")
    return to_png(figure)


@own_style
def throughput_png(calls: pa.Table) -> bytes:
    """Calls by outcome and the cost so far, over the time since the first call, long pauses left out. ``calls``: the
    ledger's, in order of time; not empty."""
    elapsed, pauses = _without_pauses(np.array([at.timestamp() for at in calls["started_at"].to_pylist()]))
    unit, unit_s = next(each for each in _UNITS if elapsed[-1] >= each[1] * _LEAST_UNITS or each[1] == 1)
    outcomes = np.array(_named_outcomes(calls["outcome"].to_pylist()))
    kinds = sorted(set(outcomes.tolist()), key=lambda kind: (kind != "ok", kind == _OTHERS, kind))
    # A few dozen bars, of a whole number of seconds, whatever the run took.
    width = np.ceil((elapsed[-1] + 1) / 60)
    edges = np.arange(0, elapsed[-1] + width * 1.001, width)
    per, per_s = ("second", 1) if unit_s == 1 else ("minute", 60)
    figure, (rate, cost) = new_figure(6.4, rows=2, height_ratios=(1.6, 1))
    below = np.zeros(len(edges) - 1)
    for number, kind in enumerate(kinds):
        height = np.histogram(elapsed[outcomes == kind], edges)[0] * per_s / width
        colour = _COLOURS[number if kinds[0] == "ok" else number + 1]
        bars = rate.bar(edges[:-1] / unit_s, height, width=width / unit_s, bottom=below, align="edge", color=colour)
        bars.set_label(kind.replace("_", " "))
        below += height
    rate.set_ylabel(f"calls per {per}")
    rate.set_ylim(0, 1.08 * below.max())
    rate.legend(fontsize=9, frameon=False, ncols=len(_COLOURS), loc="lower right", bbox_to_anchor=(1, 1))
    total = np.cumsum(np.array(calls["cost_usd"].to_pylist()))
    calls_said = "1 call" if calls.num_rows == 1 else f"{calls.num_rows:,} calls"
    rate.set_title(f"{calls_said}, ${total[-1]:,.4f}", loc="left", fontsize=12, color=INK)
    steps = np.concatenate([[0.0], elapsed, edges[-1:]]) / unit_s
    cost.step(steps, np.concatenate([[0.0], total, total[-1:]]), where="post", color=GREEN, linewidth=2)
    for pause in pauses:
        for axis in (rate, cost):
            axis.axvline(pause / unit_s, color=FAINT, linewidth=1, linestyle="--")
    cost.set_xlim(0, edges[-1] / unit_s)
    # A server of one's own costs nothing.
    cost.set_ylim(0, total[-1] * 1.08 or 1)
    cost.ticklabel_format(axis="y", style="plain")
    cost.set_ylabel("cost so far, USD")
    what = "a pause" if len(pauses) == 1 else f"{len(pauses)} pauses"
    left_out = f" ({what} of over {_PAUSE_S // 60} minutes left out: dashed)" if len(pauses) else ""
    cost.set_xlabel(f"{unit} since the first call{left_out}")
    return to_png(figure)


def _named_outcomes(outcomes: list[str]) -> list[str]:
    """Outcomes, all but the commonest faults under one name: more colours than that nobody tells apart."""
    faults = sorted(Counter(each for each in outcomes if each != "ok").items(), key=lambda each: (-each[1], each[0]))
    if len(faults) < len(_COLOURS):
        return outcomes
    named = {"ok", *(kind for kind, _ in faults[: len(_COLOURS) - 2])}
    return [each if each in named else _OTHERS for each in outcomes]


def _without_pauses(started: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Seconds since the first call, as if pauses between builds had not been; and where those were."""
    gaps = np.diff(started, prepend=started[0])
    long = gaps > _PAUSE_S
    elapsed = np.cumsum(np.where(long, 0.0, gaps))
    return elapsed, elapsed[long]


def _labels(titles: Mapping[str, str]) -> list[str]:
    """Categories as they stand at an axis: title on up to two lines, with the id where that is a mere code."""
    return [
        _wrapped(title if len(name) > _CODE else f"{name}: {title}", _LONGEST_LINE) for name, title in titles.items()
    ]


def _whole_numbers() -> Locator:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(nbins="auto", steps=[1, 2, 5, 10], integer=True)


def _wrapped(text: str, longest: int) -> str:
    """``text`` on at most two lines."""
    return textwrap.fill(text, longest, max_lines=2, placeholder=" …", break_on_hyphens=False)
