import io

import numpy as np
import pytest

from dataset_project.simulations.forecasting.baselines import BaselineErrors
from dataset_project.simulations.report import pictures
from dataset_project.simulations.report.glycaemia import (
    histogram_percentiles,
    hourly_histogram,
    patient_glycaemia,
    summarise,
)
from dataset_project_tests.simulations.synthetic import make_patients, make_series

PATIENTS = make_patients(6)
SERIES = make_series(PATIENTS, days=3)
ERRORS = [
    BaselineErrors(split, 1000, {h: 0.6 * h + i for h in (15, 30, 45, 60)}, {h: 0.4 * h + i for h in (15, 30, 45, 60)})
    for i, split in enumerate(("val", "test"))
]
DRAWN = {
    "agp": lambda: pictures.agp_png(histogram_percentiles(hourly_histogram(SERIES))),
    "time_in_ranges": lambda: pictures.time_in_ranges_png(summarise([patient_glycaemia(SERIES, PATIENTS)])),
    "day": lambda: pictures.day_png(SERIES.slice(288, 288)),
    "prevalence": lambda: pictures.prevalence_png(
        {"hypo70_any_60": {"train": 0.05, "val": 0.04, "test": 0.06}, "hyper180_any_60": {"train": 0.4, "val": 0.35}}
    ),
    "rmse": lambda: pictures.rmse_png(ERRORS),
}


def pixels(png: bytes) -> np.ndarray:
    from matplotlib.image import imread

    return imread(io.BytesIO(png), format="png")


@pytest.mark.parametrize("name", DRAWN)
def test_a_picture_is_readable_wide_enough_and_not_blank(name):
    image = pixels(DRAWN[name]())
    assert image.shape[1] == 1200 and image.shape[0] > 250
    ink = (image[:, :, :3] < 0.95).any(axis=2)
    assert 0.02 < ink.mean() < 0.9
    # Nothing is cut off: text or lines that left the figure would touch its border.
    assert not (ink[0].any() or ink[-1].any() or ink[:, 0].any() or ink[:, -1].any())


@pytest.mark.parametrize("name", DRAWN)
def test_a_picture_has_the_same_bytes_every_time_whatever_the_users_style(name):
    import matplotlib

    first = DRAWN[name]()
    with matplotlib.rc_context({"font.size": 23, "axes.facecolor": "black", "savefig.dpi": 50}):
        assert DRAWN[name]() == first
    assert b"Software" not in first and b"tIME" not in first and b"Creation" not in first


def test_what_is_drawn_follows_the_data():
    day = pictures.day_png(SERIES.slice(288, 288))
    assert day != pictures.day_png(SERIES.slice(576, 288))


def test_nothing_to_draw_is_refused():
    for draw, nothing in (
        (pictures.agp_png, np.zeros((5, 12))),
        (pictures.time_in_ranges_png, []),
        (pictures.day_png, SERIES.slice(0, 0)),
        (pictures.prevalence_png, {}),
        (pictures.rmse_png, []),
    ):
        with pytest.raises(ValueError):
            draw(nothing)
