"""Pictures of a dataset as PNG bytes: plain figures in, the same bytes out.

Only drawing belongs here; what is drawn is computed in ``glycaemia``, ``baselines`` and ``validation``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from dataset_project.drawing import BLUE, GREEN, INK, ORANGE, PURPLE, RED, SKY, new_figure, own_style, to_png
from dataset_project.simulations.forecasting.baselines import BaselineErrors
from dataset_project.simulations.report.glycaemia import OVERALL, Glycaemia
from dataset_project.simulations.schemas import GLUCOSE_RANGES, SPLITS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_RANGE_STYLE = {
    "below_54": (RED, "<54"),
    "54_69": (ORANGE, "54-69"),
    "70_180": (GREEN, "70-180"),
    "181_250": (SKY, "181-250"),
    "above_250": (BLUE, ">250 mg/dL"),
}
_SPLIT_COLOUR = {"train": BLUE, "val": ORANGE, "test": GREEN}


def _target_range(axis: Axes) -> None:
    axis.axhspan(70, 180, color=GREEN, alpha=0.08, linewidth=0)
    for value in (70, 180):
        axis.axhline(value, color=GREEN, linewidth=1.2, linestyle="--")


@own_style
def agp_png(percentiles: np.ndarray, title: str = "Glucose by hour of the day") -> bytes:
    """Ambulatory glucose profile: the 5/25/50/75/95 % bands by hour.

    ``percentiles``: (5, 24), mg/dL, from ``glycaemia.histogram_percentiles``. ValueError for another shape.
    """
    if percentiles.shape != (5, 24):
        raise ValueError(f"expected percentiles (5, 24), got {percentiles.shape}")
    figure, (axis,) = new_figure(5.5)
    # Each value stands for its whole hour; the first hour closes the day.
    hours = np.arange(-0.5, 25)
    p5, p25, p50, p75, p95 = np.hstack([percentiles[:, -1:], percentiles, percentiles[:, :1]])
    _target_range(axis)
    axis.fill_between(hours, p5, p95, color=SKY, alpha=0.35, linewidth=0, label="5-95 %")
    axis.fill_between(hours, p25, p75, color=BLUE, alpha=0.45, linewidth=0, label="25-75 %")
    axis.plot(hours, p50, color=INK, linewidth=2.2, label="median")
    axis.set(xlim=(0, 24), xticks=range(0, 25, 3), xlabel="hour of the day", ylabel="CGM glucose (mg/dL)", title=title)
    axis.set_xticklabels([f"{hour:02d}:00" for hour in range(0, 25, 3)])
    axis.set_ylim(0, max(300.0, float(np.nanmax(p95)) * 1.08) if np.isfinite(p95).any() else 300.0)
    axis.set_yticks(sorted({*axis.get_yticks(), 70, 180} - {50.0, 200.0}))
    axis.legend(loc="upper right", ncols=3, frameon=True, framealpha=0.9, edgecolor="none")
    return to_png(figure)


@own_style
def time_in_ranges_png(rows: Sequence[Glycaemia], title: str = "Time in glucose ranges") -> bytes:
    """Stacked bars, one per row of the report: overall first, then cohorts, scenarios and cohort × scenario.

    ValueError when there are no rows.
    """
    if not rows:
        raise ValueError("no rows to draw")
    figure, (axis,) = new_figure(1.8 + 0.42 * len(rows))
    position = np.arange(len(rows), dtype=float)
    left = np.zeros(len(rows))
    for name in GLUCOSE_RANGES:
        colour, label = _RANGE_STYLE[name]
        shares = np.array([row.shares[name] * 100 for row in rows])
        axis.barh(position, shares, left=left, height=0.74, color=colour, edgecolor="white", linewidth=0.8, label=label)
        for y, share, start in zip(position, shares, left, strict=True):
            if share >= 4:
                dark = name in ("70_180", "above_250", "below_54")
                axis.text(start + share / 2, y, f"{share:.0f}", ha="center", va="center", fontsize=9,
                          color="white" if dark else INK)  # fmt: skip
        left += shares
    axis.set_yticks(position, [_group_name(row) for row in rows])
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.grid(False, axis="y")
    axis.set(xlim=(0, 100), xlabel="share of CGM readings (%), mean over patients")
    axis.set_title(title, pad=34)
    axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(GLUCOSE_RANGES), frameon=False)
    return to_png(figure)


def _group_name(row: Glycaemia) -> str:
    parts = [part.replace("_", " ") for part in (row.cohort, row.scenario) if part != OVERALL]
    return f"{', '.join(parts) or 'all patients'} ({row.patients})"


@own_style
def day_png(day: pa.Table, title: str = "One day of one patient") -> bytes:
    """A day: CGM and plasma above, meals and insulin below.

    ``day``: rows of one patient in the GLUCOSE_TIMESERIES columns, sorted by minute. ValueError when it is empty.
    """
    if day.num_rows == 0:
        raise ValueError("no samples to draw")
    amounts = ("basal_u", "bolus_u", "carbs_announced_g", "carbs_eaten_g", "rescue_g")
    column = {n: day[n].to_numpy().astype(float) for n in ("minute", "plasma_mgdl", "cgm_mgdl", *amounts)}
    hours = (column["minute"] - column["minute"][0]) / 60
    figure, (glucose, meals, insulin) = new_figure(7.6, rows=3, height_ratios=(3.2, 1, 1))
    _target_range(glucose)
    glucose.plot(hours, column["plasma_mgdl"], color=INK, linewidth=1.8, label="plasma")
    glucose.plot(hours, column["cgm_mgdl"], color=ORANGE, marker="o", markersize=3.2, linewidth=0.8, label="CGM")
    top = np.nanmax([np.nanmax(column["plasma_mgdl"]), np.nanmax(np.nan_to_num(column["cgm_mgdl"])), 220])
    glucose.set(ylabel="glucose (mg/dL)", title=title, ylim=(0, top * 1.15))
    glucose.legend(loc="upper right", ncols=2, frameon=True, framealpha=0.9, edgecolor="none")
    for name, colour, label, offset in (
        ("carbs_eaten_g", GREEN, "eaten", 0.0),
        ("carbs_announced_g", SKY, "announced", 0.1),
        ("rescue_g", RED, "rescue", 0.2),
    ):
        _sticks(meals, hours + offset, column[name], colour, label)
    meals.set_ylabel("carbs (g)")
    _sticks(insulin, hours, column["bolus_u"], BLUE, "bolus (U)")
    rate = column["basal_u"] * 12
    insulin.plot(hours, rate, color=PURPLE, linewidth=1.6, drawstyle="steps-post", label="basal (U/h)")
    insulin.set(ylabel="insulin", xlabel="hour of the day", xlim=(0, 24), xticks=range(0, 25, 3))
    insulin.set_xticklabels([f"{hour:02d}:00" for hour in range(0, 25, 3)])
    for axis in (meals, insulin):
        axis.set_ylim(0, axis.get_ylim()[1] * 1.45)
        axis.legend(loc="upper right", ncols=3, frameon=True, framealpha=0.9, edgecolor="none", fontsize=9)
    figure.align_ylabels()
    return to_png(figure)


def _sticks(axis: Axes, hours: np.ndarray, amounts: np.ndarray, colour: str, label: str) -> None:
    """One bar per event: what consecutive steps deliver belongs to one meal or bolus and is drawn where it begins."""
    taken = amounts > 0
    begins = np.flatnonzero(taken & ~np.concatenate([[False], taken[:-1]]))
    sums = np.add.reduceat(amounts, begins) if begins.size else np.zeros(1)
    # Without events an invisible bar keeps the legend entry, in the right colour.
    axis.bar(hours[begins] if begins.size else hours[:1], sums, width=0.1, color=colour, label=label)


@own_style
def prevalence_png(
    prevalence: Mapping[str, Mapping[str, float]], title: str = "How often each label is true, valid windows"
) -> bytes:
    """Grouped bars of label prevalence by split.

    ``prevalence``: label → split → share (0-1); splits absent from a label are left out. Labels are drawn in the order
    given. ValueError when empty.
    """
    if not prevalence:
        raise ValueError("no labels to draw")
    labels = list(prevalence)
    figure, (axis,) = new_figure(2.2 + 0.5 * len(labels))
    highest = max((share for shares in prevalence.values() for share in shares.values()), default=0.0) * 100
    for i, split in enumerate(SPLITS):
        known = [(y, prevalence[label][split] * 100) for y, label in enumerate(labels) if split in prevalence[label]]
        rows = np.array([y for y, _ in known]) + (i - 1) * 0.27
        shares = [share for _, share in known]
        axis.barh(rows, shares, height=0.25, color=_SPLIT_COLOUR[split], label=split)
        for y, share in zip(rows, shares, strict=True):
            axis.text(share + highest * 0.006, y, f"{share:.1f}", va="center", fontsize=8, color=INK)
    axis.set_yticks(range(len(labels)), [label.replace("_", " ") for label in labels])
    axis.set_ylim(len(labels) - 0.5, -0.5)
    axis.grid(False, axis="y")
    axis.set(xlabel="share of windows (%)", xlim=(0, max(highest * 1.09, 1.0)))
    axis.set_title(title, pad=34)
    axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False)
    return to_png(figure)


@own_style
def rmse_png(errors: Sequence[BaselineErrors], title: str = "Forecast error on held-out archetypes") -> bytes:
    """RMSE by horizon, persistence against ridge, one pair of lines per split. ValueError when empty."""
    if not errors:
        raise ValueError("no errors to draw")
    figure, (axis,) = new_figure(5.5)
    for row, style in zip(errors, ("-", "--", ":"), strict=False):
        for name, values, colour, marker in (
            ("persistence", row.persistence, RED, "o"), ("ridge", row.ridge, BLUE, "s")
        ):  # fmt: skip
            horizons = sorted(values)
            heights = [values[h] for h in horizons]
            axis.plot(horizons, heights, style, color=colour, marker=marker, markersize=5, linewidth=2,
                      label=f"{name}, {row.split}")  # fmt: skip
    axis.set(xlabel="minutes ahead", ylabel="RMSE of CGM (mg/dL)", title=title, ylim=(0, None))
    axis.set_xticks(sorted(errors[0].ridge))
    axis.legend(loc="upper left", frameon=True, framealpha=0.9, edgecolor="none")
    return to_png(figure)
