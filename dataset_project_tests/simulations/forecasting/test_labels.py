import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dataset_project.simulations.forecasting import bitmaps
from dataset_project.simulations.forecasting.labels import ahead, extremes_ahead, sample_labels
from dataset_project.simulations.schemas import LABEL_COLUMNS
from dataset_project_tests.simulations.forecasting.labelling_oracle import labels_at

# Values at, just below and just above every threshold make each comparison matter.
AROUND_THRESHOLDS = st.sampled_from(
    [np.float32(x) for x in (30.0, 53.99, 54.0, 69.99, 70.0, 120.0, 180.0, 180.01, 250.0, 250.01, 400.0)]
)
BLOCKS = st.tuples(st.integers(1, 3), st.integers(13, 90))


def unpacked(plasma: np.ndarray) -> dict[str, np.ndarray]:
    return {n: bitmaps.unpack(b, plasma.size).reshape(plasma.shape) for n, b in sample_labels(plasma).items()}


@settings(max_examples=60, deadline=None)
@given(arrays(np.float32, BLOCKS, elements=AROUND_THRESHOLDS))
def test_every_label_of_every_anchor_is_what_the_book_says(plasma):
    found = unpacked(plasma)
    assert tuple(found) == LABEL_COLUMNS
    for p in range(plasma.shape[0]):
        row = plasma[p].tolist()
        for t in range(plasma.shape[1] - 12):
            assert {name: bool(found[name][p, t]) for name in LABEL_COLUMNS} == labels_at(row, t)


@settings(max_examples=30, deadline=None)
@given(arrays(np.float32, BLOCKS, elements=st.floats(20, 600, width=32)))
def test_extremes_are_those_of_the_next_twelve_samples(plasma):
    low, high = (x.reshape(plasma.shape) for x in extremes_ahead(plasma))
    for p in range(plasma.shape[0]):
        for t in range(plasma.shape[1] - 12):
            assert low[p, t] == plasma[p, t + 1 : t + 13].min()
            assert high[p, t] == plasma[p, t + 1 : t + 13].max()


def test_the_windows_own_samples_never_count():
    plasma = np.full((1, 60), 120, np.float32)
    plasma[0, :31] = 40  # history and anchor in deep hypoglycaemia, nothing after
    assert not any(values[0, 30] for values in unpacked(plasma).values())


def test_changing_history_changes_no_label_and_the_future_beyond_the_horizon_neither():
    rng = np.random.default_rng(5)
    plasma = rng.uniform(40, 300, (2, 120)).astype(np.float32)
    changed = plasma.copy()
    changed[:, :50] = 33  # anchors from 50 on
    changed[:, 75:] = 399  # horizons up to 74, so anchors up to 62
    before, after = unpacked(plasma), unpacked(changed)
    for name in LABEL_COLUMNS:
        assert np.array_equal(before[name][:, 50:63], after[name][:, 50:63]), name


def test_an_event_must_lie_wholly_within_the_horizon():
    plasma = np.full((1, 40), 120, np.float32)
    plasma[0, 15:18] = 60
    event = unpacked(plasma)["hypo70_event_30"][0]
    # Samples 15-17 are all within (t, t + 6] for anchors 11 ... 14 only.
    assert np.flatnonzero(event[:28]).tolist() == [11, 12, 13, 14]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=300), st.integers(0, 200))
def test_shifts_of_bitmaps_are_shifts_of_lists(truth, samples):
    bits = bitmaps.pack(np.array(truth))
    count = len(truth)
    later = bitmaps.unpack(bitmaps.later(bits, samples), count).tolist()
    assert later == (truth[samples:] + [False] * count)[:count]
    earlier = bitmaps.unpack(bitmaps.earlier(bits, samples), count).tolist()
    assert earlier == ([False] * samples + truth)[:count]
    window = samples + 1
    assert bitmaps.unpack(bitmaps.any_of(bits, window), count).tolist() == [
        any(truth[t : t + window]) for t in range(count)
    ]


def test_values_ahead_and_refused_input():
    assert ahead(np.arange(8, dtype=np.float32).reshape(2, 4), 10)[:6].tolist() == [2, 3, 4, 5, 6, 7]
    for wrong in (np.zeros(5, np.float32), np.zeros((2, 5)), np.zeros((5, 2), np.float32).T):
        with pytest.raises(ValueError, match="C-contiguous float32"):
            sample_labels(wrong)
