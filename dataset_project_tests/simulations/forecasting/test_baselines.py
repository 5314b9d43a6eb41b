import numpy as np
import pytest

from dataset_project.simulations.configuration import SimulationSettings
from dataset_project.simulations.forecasting.baselines import BASELINE_HORIZONS_MINUTES, FEATURES, BaselineSums
from dataset_project.simulations.forecasting.windows import forecast_windows
from dataset_project_tests.simulations.synthetic import make_patients, make_series

SETTINGS = SimulationSettings(days=4)


def block_of(first):
    patients = make_patients(6, first)
    series = make_series(patients, seed=first + 1)
    return series, forecast_windows(series, patients, SETTINGS)


@pytest.fixture(scope="module")
def blocks():
    return [block_of(first) for first in (0, 6, 12)]


@pytest.fixture(scope="module")
def sums(blocks):
    total = BaselineSums()
    for block in blocks:
        total.add(*block)
    return total


def naive(blocks):
    """Features, targets and splits with loops over windows; nothing streamed, nothing quantised."""
    rows = []
    for series, windows in blocks:
        first = {name: i * 1152 for i, name in enumerate(dict.fromkeys(series["patient_id"].to_pylist()))}
        cgm = series["cgm_mgdl"].to_numpy().astype(float)
        insulin = series["basal_u"].to_numpy().astype(float) + series["bolus_u"].to_numpy()
        carbs = series["carbs_announced_g"].to_numpy().astype(float)
        columns = [windows[n].to_pylist() for n in ("patient_id", "anchor_minute", "split", "n_history", "valid")]
        for name, anchor, split, n, valid in zip(*columns, strict=True):
            at = first[name] + anchor // 5
            targets = cgm[[at + h // 5 for h in BASELINE_HORIZONS_MINUTES]]
            if n == 24 and valid and not np.isnan(targets).any():
                own = slice(at - 23, at + 1)
                halves = [x[own].reshape(4, 6).sum(axis=1) for x in (insulin, carbs)]
                rows.append((split, np.concatenate([cgm[own], *halves]), targets))
    return rows


def test_figures_equal_a_direct_fit(blocks, sums):
    rows = naive(blocks)
    part = {s: [(x, y) for split, x, y in rows if split == s] for s in ("train", "val", "test")}
    x, y = (np.array([row[i] for row in part["train"]]) for i in (0, 1))
    assert x.shape == (sums.windows("train"), FEATURES)
    mean, scale = x.mean(axis=0), x.std(axis=0)
    scale[scale == 0] = 1
    z = (x - mean) / scale
    slopes = np.linalg.solve(z.T @ z + np.eye(FEATURES), z.T @ (y - y.mean(axis=0)))
    for row in sums.errors():
        x, t = (np.array([r[i] for r in part[row.split]]) for i in (0, 1))
        assert row.windows == len(x)
        ridge = np.sqrt((((x - mean) / scale @ slopes + y.mean(axis=0) - t) ** 2).mean(axis=0))
        persistence = np.sqrt(((x[:, 23:24] - t) ** 2).mean(axis=0))
        assert list(row.ridge.values()) == pytest.approx(ridge, rel=1e-3)
        assert list(row.persistence.values()) == pytest.approx(persistence, rel=1e-9)


def test_ridge_beats_persistence_on_predictable_glucose(sums):
    assert [row.split for row in sums.errors()] == ["val", "test"]
    for row in sums.errors():
        assert list(row.ridge) == list(BASELINE_HORIZONS_MINUTES)
        assert row.ridge[30] < row.persistence[30] and row.ridge[60] < row.persistence[60]
        assert row.persistence[15] < row.persistence[30] < row.persistence[60]


def test_order_and_merging_do_not_change_a_digit(blocks, sums):
    other = BaselineSums()
    for i in (2, 0, 1):
        part = BaselineSums()
        part.add(*blocks[i])
        other.merge(part)
    assert other.errors() == sums.errors()
    assert all(np.array_equal(other.grams[s], sums.grams[s]) for s in other.grams)


def test_held_out_windows_do_not_reach_the_fit(blocks, sums):
    changed = BaselineSums()
    changed.merge(sums)
    changed.grams["test"] = changed.grams["test"] * 4
    assert changed.errors()[0] == sums.errors()[0]


def test_too_little_training_is_refused(blocks):
    with pytest.raises(ValueError, match="cannot determine"):
        BaselineSums().errors()
    empty = BaselineSums()
    empty.add(blocks[0][0], blocks[0][1].slice(0, 0))
    assert empty.windows("train") == 0
