from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pytest

from dataset_project.trials.report import agreement, pictures
from dataset_project_tests.trials.report.made_up import (
    AREAS,
    SEED,
    TIERS,
    drawn_judged,
    made_up_calls,
    made_up_trials,
    results_of,
    ruled,
)

MANY = {"rate_limited": 0.06, "invalid": 0.05, "timeout": 0.04, "connection": 0.03, "refused": 0.03, "lost": 0.02}


def _counted(scheme, count: int, with_gold: bool = True) -> bytes:
    judged = drawn_judged(scheme, count)
    found = [each.category for each in judged]
    return pictures.distribution_png(agreement.category_table(scheme, found, judged if with_gold else []), scheme.title)


def _confused(scheme, count: int) -> bytes:
    titles = {category.id: category.title for category in scheme.categories}
    return pictures.confusion_png(agreement.confusion_table(scheme, drawn_judged(scheme, count)), titles)


def _reliability(scheme, count: int) -> bytes:
    judged = drawn_judged(scheme, count)
    row = agreement.agreement_row("gold", "all", judged, SEED)
    return pictures.reliability_png(agreement.calibration_table(judged), row)


DRAWN = {
    "16_categories": lambda: _counted(AREAS, 400),
    "16_categories_without_gold": lambda: _counted(AREAS, 400, with_gold=False),
    "5_categories": lambda: _counted(TIERS, 90),
    "one_trial": lambda: _counted(TIERS, 1),
    "confusion_of_16": lambda: _confused(AREAS, 400),
    "confusion_of_5": lambda: _confused(TIERS, 90),
    "confusion_of_one_trial": lambda: _confused(TIERS, 1),
    "reliability": lambda: _reliability(AREAS, 400),
    "reliability_of_one_trial": lambda: _reliability(AREAS, 1),
    "2000_calls_of_20_minutes": lambda: pictures.throughput_png(made_up_calls(2000, 20, {"rate_limited": 0.05})),
    "calls_of_many_outcomes": lambda: pictures.throughput_png(made_up_calls(400, 7, MANY)),
    "calls_of_ten_hours": lambda: pictures.throughput_png(made_up_calls(2000, 600)),
    "faults_only": lambda: pictures.throughput_png(made_up_calls(30, 0.5, {"refused": 1.0})),
    "one_call": lambda: pictures.throughput_png(made_up_calls(1, 1)),
}


def pixels(png: bytes) -> np.ndarray:
    from matplotlib.image import imread

    return imread(io.BytesIO(png), format="png")


@pytest.mark.parametrize("name", DRAWN)
def test_a_picture_is_whole_and_not_blank(name):
    image = pixels(DRAWN[name]())
    assert image.shape[1] == 1200 and 250 < image.shape[0] < 1400
    ink = (image[:, :, :3] < 0.95).any(axis=2)
    assert 0.01 < ink.mean() < 0.9
    # Nothing is cut off: text or lines that left the figure would touch its border.
    assert not (ink[0].any() or ink[-1].any() or ink[:, 0].any() or ink[:, -1].any())


@pytest.mark.parametrize("name", ["5_categories", "confusion_of_5", "reliability", "calls_of_many_outcomes"])
def test_the_same_figures_make_the_same_bytes_whatever_the_users_style(name):
    import matplotlib

    png = DRAWN[name]()
    with matplotlib.rc_context({"font.size": 23, "axes.facecolor": "black", "savefig.dpi": 50}):
        assert DRAWN[name]() == png
    assert b"Software" not in png and b"tIME" not in png and b"Creation" not in png


def test_what_is_drawn_follows_the_data():
    assert _counted(TIERS, 90) != _counted(TIERS, 91)
    assert _confused(TIERS, 90) != _confused(TIERS, 91)
    assert pictures.throughput_png(made_up_calls(50, 5)) != pictures.throughput_png(made_up_calls(50, 5, seed=6))


def test_no_two_texts_of_a_picture_lie_on_each_other(monkeypatch):
    """Titles of the two halves and labels of the axes: a long title of a scheme once ran into its neighbour."""
    seen = []
    monkeypatch.setattr(pictures, "to_png", lambda figure: seen.append(figure) or b"")
    _counted(TIERS, 90), _counted(AREAS, 90), _confused(TIERS, 90), _confused(AREAS, 90)
    for figure in seen:
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        renderer = FigureCanvasAgg(figure).get_renderer()
        figure.draw(renderer)
        for texts in ([axis.title if axis.get_title() else axis._left_title for axis in figure.axes],
                      figure.axes[0].get_yticklabels()):  # fmt: skip
            boxes = [each.get_window_extent(renderer) for each in texts if each.get_text()]
            assert boxes
            assert not [1 for at, box in enumerate(boxes) for other in boxes[at + 1 :] if box.overlaps(other)]


def test_every_outcome_is_told_apart_and_rare_ones_stand_together():
    calls = made_up_calls(400, 7, MANY)["outcome"].to_pylist()
    named = pictures._named_outcomes(calls)
    kinds = set(named)
    assert len(kinds) == len(pictures._COLOURS) and {"ok", "others"} <= kinds
    assert named.count("ok") == calls.count("ok") and len(named) == len(calls)
    rarest = min(MANY, key=calls.count)
    assert rarest not in kinds and max(MANY, key=calls.count) in kinds
    few = ["ok", "rate_limited", "lost"]
    assert pictures._named_outcomes(few) == few


def test_pauses_between_builds_are_left_out():
    started = np.array([0.0, 60, 120, 90_000, 90_060, 200_000])
    elapsed, pauses = pictures._without_pauses(started)
    assert elapsed.tolist() == [0, 60, 120, 120, 180, 180] and pauses.tolist() == [120, 180]


def test_pictures_are_drawn_for_what_there_is():
    trials = made_up_trials(16)
    rows = ruled(trials)

    def names(results, calls=None) -> list[str]:
        return [name for name, png in pictures.drawn(AREAS, results.tables, calls) if png.startswith(b"\x89PNG")]

    assert names(results_of(rows)) == ["categories"]
    gold = {trials[0].nct_id: ("respiratory",)}
    calls = made_up_calls(3, 1)
    assert names(results_of(rows, gold), calls) == ["categories", "confusion", "reliability", "cost_and_throughput"]
    assert names(results_of(rows), pa.Table.from_batches([], calls.schema)) == ["categories"]
