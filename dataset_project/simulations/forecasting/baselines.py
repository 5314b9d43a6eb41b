"""Two baselines that tell whether the windows can be learned from: persistence and ridge regression.

Both predict CGM from the last two hours. Persistence repeats the last reading; ridge is linear in 24 readings and the
half-hourly sums of insulin and announced carbohydrate, standardised on train. Neither is a model to use.

Everything needed, the fit and the errors on every split, follows from the Gram matrix of [features, targets, 1], so one
pass over the blocks is enough. Features are scaled to whole numbers, hence the sums are exact and blocks may come in
any order or be merged; the solution is the same to the last digit.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataset_project.simulations.configuration import SAMPLE_MINUTES
from dataset_project.simulations.forecasting.normalisation import channel_matrices
from dataset_project.simulations.forecasting.series_arrays import SeriesArrays
from dataset_project.simulations.schemas import SPLITS

HISTORY = 24
BASELINE_HORIZONS_MINUTES = (15, 20, 25, 30, 35, 40, 45, 50, 55, 60)
RIDGE_PENALTY = 1.0  # in standardised units, against a Gram matrix of n: a guard against collinearity, no more
HELD_OUT = ("val", "test")
_SUM_SAMPLES = 6
_CENTRE_MGDL = 150
_STEPS = {"insulin": 100, "carbs": 10}  # 0.01 U and 0.1 g: below what a half-hourly sum can tell
FEATURES = HISTORY + 2 * (HISTORY // _SUM_SAMPLES)
WIDTH = FEATURES + len(BASELINE_HORIZONS_MINUTES) + 1
_BATCH = 16_384


@dataclass(frozen=True)
class BaselineErrors:
    """RMSE by horizon on one split, mg/dL. ``windows``: how many were scored."""

    split: str
    windows: int
    persistence: dict[int, float]
    ridge: dict[int, float]


@dataclass
class BaselineSums:
    """Gram matrices per split, exact integers (int64), and the number of windows behind each."""

    grams: dict[str, np.ndarray] = field(
        default_factory=lambda: {split: np.zeros((WIDTH, WIDTH), dtype=np.int64) for split in SPLITS}
    )

    def add(self, series: pa.Table, windows: pa.Table) -> None:
        """Add a block: the valid windows of its shortest history whose CGM is there at every horizon."""
        block = SeriesArrays.of(series)
        channels = channel_matrices(block)
        shortest = pc.min(windows["n_history"])
        if not shortest.is_valid:
            return
        keep = pc.and_(windows["valid"], pc.equal(windows["n_history"], shortest))
        kept = windows.select(["patient_id", "anchor_minute", "split"]).filter(keep)
        row_of = {name: row for row, name in enumerate(block.patient_ids)}
        codes = kept["patient_id"].unify_dictionaries().combine_chunks()
        rows = np.array([row_of.get(n, -1) for n in codes.dictionary.to_pylist()], dtype=np.int64)
        patient = rows[codes.indices.to_numpy()]
        if (patient < 0).any():
            raise ValueError("windows name a patient that the series does not hold")
        anchors = patient * block.n_samples + kept["anchor_minute"].to_numpy() // SAMPLE_MINUTES
        split = np.asarray(kept["split"].cast(pa.string()))
        for name in SPLITS:
            mine = anchors[split == name]
            for begin in range(0, mine.size, _BATCH):
                design = _design(channels, mine[begin : begin + _BATCH])
                # Whole numbers below 2^53 throughout: the float64 product is exact whatever the BLAS does.
                self.grams[name] += (design.T @ design).astype(np.int64)

    def merge(self, other: BaselineSums) -> None:
        for split, gram in other.grams.items():
            self.grams[split] += gram

    def windows(self, split: str) -> int:
        return int(self.grams[split][-1, -1])

    def errors(self) -> list[BaselineErrors]:
        """Errors on val and test of a ridge fitted on train. A split without windows is left out.

        ValueError when train has fewer windows than there are coefficients.
        """
        if self.windows("train") <= WIDTH:
            raise ValueError(f"{self.windows('train')} train windows cannot determine {FEATURES + 1} coefficients")
        weights = _ridge(self.grams["train"])
        repeat = np.zeros_like(weights)
        repeat[HISTORY - 1] = 1.0  # centred alike, so the last reading needs no intercept
        return [
            BaselineErrors(
                split,
                self.windows(split),
                _by_horizon(_rmse(self.grams[split], repeat)),
                _by_horizon(_rmse(self.grams[split], weights)),
            )
            for split in HELD_OUT
            if self.windows(split)
        ]


def _design(channels: dict[str, np.ndarray], anchors: np.ndarray) -> np.ndarray:
    """(windows, WIDTH) float64 of whole numbers: features, targets, 1; rows with a missing target are dropped."""
    view = np.lib.stride_tricks.sliding_window_view
    start = anchors - (HISTORY - 1)
    flat = channels["cgm"].reshape(-1)
    cgm = np.rint(view(flat, HISTORY)[start]).astype(np.float64) - _CENTRE_MGDL
    ahead = np.array([h // SAMPLE_MINUTES for h in BASELINE_HORIZONS_MINUTES])
    targets = np.rint(flat[anchors[:, None] + ahead]).astype(np.float64) - _CENTRE_MGDL
    parts = [cgm]
    for name, steps in _STEPS.items():
        history = view(channels[name].reshape(-1), HISTORY)[start].astype(np.float64)
        sums = history.reshape(len(start), -1, _SUM_SAMPLES).sum(axis=2)
        parts.append(np.rint(sums * steps))
    design = np.hstack([*parts, targets, np.ones((len(start), 1))])
    return design[~np.isnan(design).any(axis=1)]


def _ridge(gram: np.ndarray) -> np.ndarray:
    """Coefficients (FEATURES + 1, horizons), the intercept last, of ridge on standardised features."""
    n = float(gram[-1, -1])
    sums = gram[-1].astype(np.float64)
    centred = gram.astype(np.float64) - np.outer(sums, sums) / n
    x, y = slice(0, FEATURES), slice(FEATURES, WIDTH - 1)
    scale = np.sqrt(np.diag(centred)[x] / n)
    scale[scale == 0] = 1.0  # a constant feature gets weight zero
    normal = centred[x, x] / np.outer(scale, scale) + RIDGE_PENALTY * np.eye(FEATURES)
    slopes = np.linalg.solve(normal, centred[x, y] / scale[:, None]) / scale[:, None]
    intercept = (sums[y] - sums[x] @ slopes) / n
    return np.vstack([slopes, intercept])


def _rmse(gram: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Root mean square of target - features @ weights, from the Gram matrix alone."""
    g = gram.astype(np.float64)
    x = [*range(FEATURES), WIDTH - 1]
    y = list(range(FEATURES, WIDTH - 1))
    squared = (
        np.diag(g[np.ix_(y, y)])
        - 2 * (weights * g[np.ix_(x, y)]).sum(axis=0)
        + np.einsum("ih,ij,jh->h", weights, g[np.ix_(x, x)], weights)
    )
    return np.sqrt(np.maximum(squared, 0) / g[-1, -1])


def _by_horizon(values: np.ndarray) -> dict[int, float]:
    return {horizon: float(value) for horizon, value in zip(BASELINE_HORIZONS_MINUTES, values, strict=True)}
