import numpy as np
import pyarrow as pa
import pytest

from dataset_project.simulations.configuration import SimulationSettings
from dataset_project.simulations.forecasting.series_arrays import SeriesArrays, patient_number
from dataset_project.simulations.forecasting.windows import forecast_windows, stride_of, window_labels
from dataset_project.simulations.schemas import FORECAST_WINDOWS, LABEL_COLUMNS
from dataset_project_tests.simulations.forecasting.labelling_oracle import labels_at
from dataset_project_tests.simulations.synthetic import make_patients, make_series, replace_column

SETTINGS = SimulationSettings(days=4)


@pytest.fixture(scope="module")
def patients():
    return make_patients(6, first=12)


@pytest.fixture(scope="module")
def series(patients):
    flagged = np.zeros(6 * 4 * 288, bool)
    flagged[[500, 2 * 1152 + 800, 5 * 1152 + 1100]] = True
    return replace_column(make_series(patients), "flagged", flagged)


@pytest.fixture(scope="module")
def windows(series, patients):
    return forecast_windows(series, patients, SETTINGS)


def by_the_book(series, patients, settings):
    """Every column of every window with Python loops."""
    rows = []
    attributes = {row["patient_id"]: row for row in patients.to_pylist()}
    count = settings.days * 288
    columns = {n: series[n].to_pylist() for n in ("patient_id", "plasma_mgdl", "cgm_mgdl", "flagged")}
    for begin in range(0, series.num_rows, count):
        name = columns["patient_id"][begin]
        plasma, cgm, flagged = (columns[n][begin : begin + count] for n in ("plasma_mgdl", "cgm_mgdl", "flagged"))
        split = attributes[name]["split"]
        stride = settings.training_stride_minutes if split == "train" else settings.evaluation_stride_minutes
        for n in (hours * 12 for hours in settings.history_hours):
            for t in range(288 + n - 1, count - 12):
                if t * 5 % stride:
                    continue
                start = t - n + 1
                valid = None not in (*cgm[start : t + 1], cgm[t + 6], cgm[t + 12]) and not any(flagged[start : t + 13])
                rows.append(
                    {
                        "window_id": int(name.split("_")[1]) * 10**10 + t * 5 * 1000 + n,
                        "patient_id": name,
                        "archetype_id": attributes[name]["archetype_id"],
                        "start_minute": start * 5,
                        "anchor_minute": t * 5,
                        "n_history": n,
                        "split": split,
                        "cgm_30_mgdl": cgm[t + 6],
                        "cgm_60_mgdl": cgm[t + 12],
                        "plasma_30_mgdl": plasma[t + 6],
                        "plasma_60_mgdl": plasma[t + 12],
                        "plasma_min_60_mgdl": min(plasma[t + 1 : t + 13]),
                        "plasma_max_60_mgdl": max(plasma[t + 1 : t + 13]),
                        **labels_at(plasma, t),
                        "valid": valid,
                    }
                )
    return rows


@pytest.mark.parametrize(
    "chosen",
    [
        {"history_hours": (2, 24), "training_stride_minutes": 15},
        {"history_hours": (6,), "materialised_history_hours": 6, "evaluation_stride_minutes": 55,
         "training_stride_minutes": 240},
    ],
)  # fmt: skip
def test_every_value_is_what_the_book_says(series, patients, chosen):
    settings = SimulationSettings(days=4, **chosen)
    found = forecast_windows(series, patients, settings)
    assert found.schema.equals(FORECAST_WINDOWS, check_metadata=True)
    found.validate(full=True)
    assert found.to_pylist() == by_the_book(series, patients, settings)


def test_dense_training_windows_are_what_the_book_says(patients):
    some = make_patients(2, first=12)
    series = make_series(some, seed=9)
    settings = SimulationSettings(days=4, history_hours=(2, 6, 24))
    assert forecast_windows(series, some, settings).to_pylist() == by_the_book(series, some, settings)


def test_order_ids_and_geometry(windows):
    ids = windows["window_id"].to_numpy()
    assert np.unique(ids).size == ids.size
    number = np.array([patient_number(name) for name in windows["patient_id"].to_pylist()])
    n, anchor = windows["n_history"].to_numpy().astype(int), windows["anchor_minute"].to_numpy().astype(int)
    assert np.array_equal(ids, number * 10**10 + anchor * 1000 + n)
    assert np.array_equal(np.lexsort((anchor, n, number)), np.arange(ids.size))
    assert windows["start_minute"].to_numpy().min() == 1440
    assert anchor.max() == 4 * 1440 - 5 - 60
    splits = np.array(windows["split"].to_pylist())
    assert (anchor[splits != "train"] % 30 == 0).all() and set(splits) == {"train", "val", "test"}


def test_longer_histories_keep_the_anchors_of_shorter_ones(windows):
    columns = (windows[name].to_pylist() for name in ("patient_id", "anchor_minute", "n_history"))
    anchors = {24: set(), 72: set(), 288: set()}
    for patient, anchor, n in zip(*columns, strict=True):
        anchors[n].add((patient, anchor))
    assert anchors[288] < anchors[72] < anchors[24]


def test_window_labels_are_the_label_columns(series, patients, windows):
    labels = window_labels(series, patients, SETTINGS)
    assert tuple(labels) == LABEL_COLUMNS
    assert all(labels[name].equals(windows[name].combine_chunks()) for name in LABEL_COLUMNS)


def test_a_patient_computed_alone_gets_the_same_windows(series, patients, windows):
    alone = forecast_windows(series.slice(2 * 1152, 1152), patients, SETTINGS)
    name = patients["patient_id"][2].as_py()
    assert alone.to_pylist() == [row for row in windows.to_pylist() if row["patient_id"] == name]


def test_plain_strings_and_chunks_make_no_difference(series, patients, windows):
    plain = series.set_column(0, "patient_id", series["patient_id"].cast("string"))
    chunked = pa.concat_tables([plain.slice(0, 700), plain.slice(700)])
    assert forecast_windows(chunked, patients, SETTINGS).equals(windows)


def test_irregular_series_are_refused(series, patients):
    with pytest.raises(ValueError, match="empty"):
        forecast_windows(series.slice(0, 0), patients, SETTINGS)
    with pytest.raises(ValueError, match="do not divide"):
        forecast_windows(series.slice(0, series.num_rows - 1), patients, SETTINGS)
    shuffled = series.take(np.random.default_rng(0).permutation(series.num_rows))
    with pytest.raises(ValueError, match="sorted by patient"):
        forecast_windows(shuffled, patients, SETTINGS)
    with pytest.raises(ValueError, match="each patient must occur once"):
        forecast_windows(pa.concat_tables([series, series]), patients, SETTINGS)
    with pytest.raises(ValueError, match="not in the patients table"):
        forecast_windows(series, patients.slice(1), SETTINGS)
    with pytest.raises(ValueError, match="unknown split"):
        stride_of("holdout", SETTINGS)
    with pytest.raises(ValueError, match="patient_<number>"):
        patient_number("p7")


def test_series_arrays_give_matrices_with_nan_for_null(series):
    block = SeriesArrays.of(series)
    assert block.shape == (6, 1152)
    assert int(np.isnan(block.matrix("cgm_mgdl")).sum()) == series["cgm_mgdl"].null_count > 0
