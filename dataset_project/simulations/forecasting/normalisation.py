"""Mean and standard deviation of each training channel, fitted on train samples only.

Sums are kept as integers at a declared resolution, so blocks may be added in any order, on any number of workers, and
give the same digits; floating-point sums would not. What a channel is, is decided in ``training``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from dataset_project.simulations.forecasting.series_arrays import WARM_UP_SAMPLES, SeriesArrays

# Steps per unit. CGM comes in whole mg/dL; 10 microunits of insulin and 1 mg of carbohydrate are below what is stored.
RESOLUTION = {"cgm": 1, "insulin": 100_000, "carbs": 1_000}
_LARGEST_STEPS = 2**23
_CHUNK = 2**16  # squares below 2^46, 2^16 of them stay below 2^63


def channel_matrices(block: SeriesArrays) -> dict[str, np.ndarray]:
    """The model's input channels as (patients, samples) float32: CGM in mg/dL (null is NaN), insulin in U per step
    (basal + bolus) and carbohydrate in g per step *as the patient announced it*, which is all a pump would know."""
    return {
        "cgm": block.matrix("cgm_mgdl"),
        "insulin": block.matrix("basal_u") + block.matrix("bolus_u"),
        "carbs": block.matrix("carbs_announced_g"),
    }


@dataclass
class Moments:
    """Count, sum and sum of squares in integer steps of ``1 / resolution``."""

    resolution: int
    count: int = 0
    total: int = 0
    squares: int = 0

    def add(self, values: np.ndarray) -> None:
        """Add finite values of any shape. ValueError when one is too large for exact sums."""
        steps = np.rint(values.reshape(-1).astype(np.float64) * self.resolution).astype(np.int64)
        if steps.size and np.abs(steps).max() > _LARGEST_STEPS:
            raise ValueError(f"a sample of {np.abs(values).max()} exceeds {_LARGEST_STEPS / self.resolution}")
        self.count += steps.size
        for begin in range(0, steps.size, _CHUNK):
            part = steps[begin : begin + _CHUNK]
            self.total += int(part.sum())
            self.squares += int((part * part).sum())

    def merge(self, other: Moments) -> None:
        if other.resolution != self.resolution:
            raise ValueError(f"resolutions differ: {self.resolution} and {other.resolution}")
        self.count += other.count
        self.total += other.total
        self.squares += other.squares

    @property
    def mean(self) -> float:
        """ValueError when nothing was added."""
        if self.count == 0:
            raise ValueError("no train samples: normalisation cannot be fitted")
        return self.total / self.count / self.resolution

    @property
    def std(self) -> float:
        """Population standard deviation; 1.0 for a constant channel, so that dividing by it is harmless."""
        if self.count == 0:
            raise ValueError("no train samples: normalisation cannot be fitted")
        spread = self.count * self.squares - self.total * self.total
        return math.sqrt(spread) / self.count / self.resolution if spread > 0 else 1.0


@dataclass
class Normalisation:
    """Moments of every channel. Serialises to JSON and back without loss."""

    channels: dict[str, Moments] = field(default_factory=lambda: {n: Moments(r) for n, r in RESOLUTION.items()})

    def add(self, series: pa.Table, train_patients: Collection[str]) -> None:
        """Add the samples of ``train_patients`` after the warm-up day; missing CGM is left out."""
        wanted = set(train_patients)
        block = SeriesArrays.of(series)
        rows = np.array([name in wanted for name in block.patient_ids], dtype=bool)
        if not rows.any():
            return
        for name, matrix in channel_matrices(block).items():
            values = matrix[rows, WARM_UP_SAMPLES:].reshape(-1)
            self.channels[name].add(values[~np.isnan(values)])

    def merge(self, other: Normalisation) -> None:
        for name, moments in self.channels.items():
            moments.merge(other.channels[name])

    def to_json(self) -> str:
        """Mean and standard deviation for users, the exact integer sums for merging and checking."""
        content = {
            name: {
                "mean": moments.mean,
                "std": moments.std,
                "count": moments.count,
                "total_steps": moments.total,
                "squares_steps": moments.squares,
                "steps_per_unit": moments.resolution,
            }
            for name, moments in self.channels.items()
        }
        return json.dumps({"fitted_on": "train", "channels": content}, indent=2, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Normalisation:
        content: Mapping[str, Mapping[str, int]] = json.loads(text)["channels"]
        return cls(
            {
                name: Moments(c["steps_per_unit"], c["count"], c["total_steps"], c["squares_steps"])
                for name, c in content.items()
            }
        )
