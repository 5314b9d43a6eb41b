"""What happens after each sample: the 24 labels and the extremes of plasma glucose in the hour ahead.

An outcome depends on the anchor sample alone, not on how much history a window has, so it is computed once per
sample and every window of that anchor takes it. The window's own samples never count: the horizon h of an anchor at
minute m is (m, m + h], that is samples m + 5 ... m + h. Which anchors become windows is decided in ``windows``.

Rules (settled in the family's specification):

- ``any``: at least one sample of the horizon is below (hypo) or above (hyper) the threshold, strictly;
- ``event``: at least three consecutive samples, 15 min, all inside the horizon (Battelino et al. 2019: an event lasts
  at least 15 min);
- ``incident``: ``any`` while plasma at the anchor is within 70-180 mg/dL, both included.
"""

from __future__ import annotations

import numpy as np

from dataset_project.simulations.configuration import SAMPLE_MINUTES
from dataset_project.simulations.forecasting import bitmaps
from dataset_project.simulations.schemas import (
    HORIZONS_MINUTES,
    HYPER_THRESHOLDS_MGDL,
    HYPO_THRESHOLDS_MGDL,
    LABEL_COLUMNS,
    label_column,
)

EVENT_SAMPLES = 3
TARGET_RANGE_MGDL = (70, 180)
HORIZON_SAMPLES = max(HORIZONS_MINUTES) // SAMPLE_MINUTES


def sample_labels(plasma: np.ndarray) -> dict[str, np.ndarray]:
    """Bitmaps (see ``bitmaps``) of the 24 labels of every sample, keyed and ordered by ``LABEL_COLUMNS``.

    ``plasma``: (patients, samples) float32, mg/dL, 5 min apart. Bit ``p * samples + t`` is the label of patient p
    with the anchor at sample t. The last 12 samples of a patient have no full horizon: their bits mean nothing.
    """
    _require_matrix(plasma)
    low, high = TARGET_RANGE_MGDL
    in_range = bitmaps.pack((plasma >= low) & (plasma <= high))
    found: dict[str, np.ndarray] = {}
    for threshold in (*HYPO_THRESHOLDS_MGDL, *HYPER_THRESHOLDS_MGDL):
        beyond = bitmaps.pack(plasma < threshold if threshold in HYPO_THRESHOLDS_MGDL else plasma > threshold)
        next_beyond = bitmaps.later(beyond, 1)
        event_starts = next_beyond
        for step in range(1, EVENT_SAMPLES):
            event_starts = event_starts & bitmaps.later(next_beyond, step)
        for horizon in HORIZONS_MINUTES:
            samples = horizon // SAMPLE_MINUTES
            happens = bitmaps.any_of(next_beyond, samples)
            found[label_column(threshold, horizon, "any")] = happens
            # An event that starts later than this would end after the horizon.
            found[label_column(threshold, horizon, "event")] = bitmaps.any_of(event_starts, samples - EVENT_SAMPLES + 1)
            found[label_column(threshold, horizon, "incident")] = happens & in_range
    return {name: found[name] for name in LABEL_COLUMNS}


def extremes_ahead(plasma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest plasma glucose of samples t + 1 ... t + 12 for every sample t.

    ``plasma``: (patients, samples) float32, mg/dL. Both results are flat float32 arrays of ``plasma.size``; the values
    at the last 12 samples of a patient mean nothing.
    """
    _require_matrix(plasma)
    flat = plasma.reshape(-1)
    return _extreme_ahead(np.minimum, flat), _extreme_ahead(np.maximum, flat)


def ahead(values: np.ndarray, minutes: int) -> np.ndarray:
    """Flat array whose element t is ``values`` (any shape, C order) ``minutes`` after sample t; the end wraps round."""
    return np.roll(values.reshape(-1), -(minutes // SAMPLE_MINUTES))


def _extreme_ahead(pick: np.ufunc, flat: np.ndarray) -> np.ndarray:
    result = np.roll(flat, -1)
    covered = 1
    while covered < HORIZON_SAMPLES:
        # min and max are idempotent, so windows may overlap; twelve samples take four passes.
        step = min(covered, HORIZON_SAMPLES - covered)
        pick(result[:-step], result[step:], out=result[:-step])
        covered += step
    return result


def _require_matrix(plasma: np.ndarray) -> None:
    if plasma.ndim != 2 or plasma.dtype != np.float32 or not plasma.flags.c_contiguous:
        raise ValueError(
            f"plasma must be a C-contiguous float32 matrix (patients, samples), got {plasma.dtype} {plasma.shape}"
        )
