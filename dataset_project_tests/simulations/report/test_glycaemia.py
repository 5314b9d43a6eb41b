import numpy as np
import pytest

from dataset_project.simulations.report.glycaemia import (
    histogram_percentiles,
    hourly_histogram,
    patient_glycaemia,
    summarise,
)
from dataset_project.simulations.schemas import GLUCOSE_RANGES
from dataset_project_tests.simulations.synthetic import make_patients, make_series, replace_column

CGM_EDGES = ((0, 53), (54, 69), (70, 180), (181, 250), (251, 600))


@pytest.fixture(scope="module")
def patients():
    return make_patients(6)


@pytest.fixture(scope="module")
def series(patients):
    return make_series(patients)


def test_shares_mean_and_cv_are_averages_over_patients(series, patients):
    overall = summarise([patient_glycaemia(series, patients)])[0]
    cgm = series["cgm_mgdl"].to_numpy().astype(float).reshape(6, -1)[:, 288:]
    assert (overall.cohort, overall.scenario, overall.patients) == ("all", "all", 6)
    assert overall.samples == np.isfinite(cgm).sum()
    assert overall.mean_mgdl == pytest.approx(np.nanmean(cgm, axis=1).mean())
    assert overall.cv == pytest.approx((np.nanstd(cgm, axis=1) / np.nanmean(cgm, axis=1)).mean())
    assert overall.gmi_percent == pytest.approx(3.31 + 0.02392 * overall.mean_mgdl)
    for name, (low, high) in zip(GLUCOSE_RANGES, CGM_EDGES, strict=True):
        share = [((row >= low) & (row <= high)).sum() / np.isfinite(row).sum() for row in cgm]
        assert overall.shares[name] == pytest.approx(np.mean(share))
    assert sum(overall.shares.values()) == pytest.approx(1)


def test_edges_of_plasma_ranges(patients):
    series = make_series(patients, gaps=False)
    plasma = np.resize(np.array([53.99, 54, 69.99, 70, 180, 180.01, 250, 250.01], np.float32), series.num_rows)
    row = patient_glycaemia(replace_column(series, "plasma_mgdl", plasma), patients, "plasma_mgdl").to_pylist()[0]
    eighth = row["samples"] // 8
    assert [row[name] / eighth for name in GLUCOSE_RANGES] == [1, 2, 2, 2, 1]


def test_blocks_merge_in_any_order_and_groups_are_reported(series, patients):
    blocks = [patient_glycaemia(series.slice(begin * 1152, 2 * 1152), patients) for begin in (0, 2, 4)]
    report = summarise(blocks)
    assert report == summarise(blocks[::-1]) == summarise([patient_glycaemia(series, patients)])
    names = [(row.cohort, row.scenario) for row in report]
    assert names[:4] == [("all", "all"), ("adolescent", "all"), ("adult", "all"), ("child", "all")]
    assert names[4:6] == [("all", "careful"), ("all", "typical")]
    assert len(names) == len(set(names)) and sum(row.patients for row in report[6:]) == 6


def test_targets_are_reported_when_missed(series, patients):
    high = replace_column(series, "cgm_mgdl", np.where(series["minute"].to_numpy() % 10 == 0, 260.0, 50.0))
    row = summarise([patient_glycaemia(high, patients)])[0]
    assert not any(row.targets_met()[name] for name in ("below_54", "70_180", "above_250", "cv"))
    assert row.targets_met()["54_69"] and row.targets_met()["181_250"]
    assert not row.within_real_cohorts()["cv"]


def test_the_warm_up_day_never_counts(series, patients):
    changed = np.where(series["minute"].to_numpy() < 1440, 600.0, series["cgm_mgdl"].to_numpy())
    other = replace_column(series, "cgm_mgdl", changed)
    assert patient_glycaemia(other, patients).equals(patient_glycaemia(series, patients))
    assert np.array_equal(hourly_histogram(other), hourly_histogram(series))


def test_patients_without_samples_are_left_out(series, patients):
    silent = replace_column(series, "cgm_mgdl", np.full(series.num_rows, np.nan))
    with pytest.raises(ValueError, match="no glucose samples"):
        summarise([patient_glycaemia(silent, patients)])


def test_hourly_percentiles(patients):
    series = make_series(patients, gaps=False)
    hour = series["minute"].to_numpy() % 1440 // 60
    counts = hourly_histogram(replace_column(series, "cgm_mgdl", (100 + hour).astype(np.float32)))
    assert counts.shape == (24, 601) and counts.sum() == 6 * 3 * 288
    assert np.array_equal(histogram_percentiles(counts), np.tile(np.arange(100, 124.0), (5, 1)))
    values = np.zeros((2, 601), np.int64)
    values[0, [10, 20, 30, 40]] = 1
    found = histogram_percentiles(values, (25, 50, 95))
    assert found[:, 0].tolist() == [10, 20, 40] and np.isnan(found[:, 1]).all()


def test_percentiles_of_blocks_add_up(series):
    parts = sum(hourly_histogram(series.slice(i * 1152, 1152)) for i in range(6))
    assert np.array_equal(parts, hourly_histogram(series))
