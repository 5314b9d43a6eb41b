"""CGM error and signal loss, drawn per patient ahead of the simulation.

Noise after Breton and Kovatchev, JDST 2(5), 2008: a first-order chain every 15 min, Johnson-transformed, interpolated
cubically to 5 min. The reading itself (sum, rounding to whole mg/dL, clipping to 39-600) is made inside the kernel,
because patients act on it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dataset_project.simulations.configuration import SAMPLE_MINUTES
from dataset_project.storage.seeding import stream

CHAIN_MINUTES = 15
CHAIN_COEFFICIENT = 0.7
JOHNSON_XI, JOHNSON_LAMBDA, JOHNSON_GAMMA, JOHNSON_DELTA = -5.47, 15.9574, -0.5444, 1.6898

# Declared signal loss, about 4 % of samples: bursts of an hour on average, and 2 h without readings when the sensor is
# changed every tenth day.
BURSTS_PER_DAY = 0.7
BURST_MEAN_SAMPLES = 12.0
SENSOR_LIFE_DAYS = 10
SENSOR_CHANGE_SAMPLES = 24

_STEPS = CHAIN_MINUTES // SAMPLE_MINUTES
_SAMPLES_PER_DAY = 1440 // SAMPLE_MINUTES


def sinh(z: np.ndarray) -> np.ndarray:
    """Hyperbolic sine for |z| < 20 to about 1e-12, by arithmetic alone.

    numpy's own picks an implementation by processor; this one gives the same bits on every processor.
    """
    small = z / 64.0
    e = np.full_like(small, 1.0)
    for divisor in range(12, 0, -1):
        e = 1.0 + small * e / divisor
    for _ in range(6):
        e = e * e
    return 0.5 * (e - 1.0 / e)


def chain(innovations: np.ndarray) -> np.ndarray:
    """e_1 = v_1, e_n = 0.7 (e_{n-1} + v_n) along the last axis of ``innovations`` (patients, knots)."""
    e = np.empty_like(innovations)
    e[:, 0] = innovations[:, 0]
    for knot in range(1, innovations.shape[1]):
        e[:, knot] = CHAIN_COEFFICIENT * (e[:, knot - 1] + innovations[:, knot])
    return e


def johnson(e: np.ndarray) -> np.ndarray:
    """Johnson SU transform of the chain into sensor error, mg/dL."""
    return JOHNSON_XI + JOHNSON_LAMBDA * sinh((e - JOHNSON_GAMMA) / JOHNSON_DELTA)


def interpolate(knots: np.ndarray, n_samples: int) -> np.ndarray:
    """5-min samples (patients, n_samples) from 15-min knots (patients, k), the first of which lies 15 min earlier.

    Cubic through the four surrounding knots (Lagrange): local, so a sample does not depend on how long the series is.
    Needs k >= ceil(n_samples / 3) + 2.
    """
    intervals = -(-n_samples // _STEPS)
    before, left, right, after = (knots[:, shift : shift + intervals] for shift in range(4))
    samples = np.empty((knots.shape[0], intervals, _STEPS))
    for step in range(_STEPS):
        t = step / _STEPS
        samples[:, :, step] = (
            before * (-t * (t - 1) * (t - 2) / 6)
            + left * ((t + 1) * (t - 1) * (t - 2) / 2)
            + right * (-(t + 1) * t * (t - 2) / 2)
            + after * ((t + 1) * t * (t - 1) / 6)
        )
    return samples.reshape(knots.shape[0], -1)[:, :n_samples]


def signal_loss(rng: np.random.Generator, n_samples: int) -> np.ndarray:
    """Boolean (n_samples,): where the sensor gives nothing."""
    lost = np.zeros(n_samples, dtype=bool)
    days = n_samples / _SAMPLES_PER_DAY
    starts = rng.integers(0, n_samples, size=rng.poisson(BURSTS_PER_DAY * days))
    lengths = rng.geometric(1.0 / BURST_MEAN_SAMPLES, size=starts.size)
    change = int(rng.integers(0, SENSOR_LIFE_DAYS * _SAMPLES_PER_DAY))
    changes = range(change, n_samples, SENSOR_LIFE_DAYS * _SAMPLES_PER_DAY)
    for start, length in [*zip(starts, lengths, strict=True), *((at, SENSOR_CHANGE_SAMPLES) for at in changes)]:
        lost[start : start + length] = True
    return lost


def sensor_error(master_seed: int, patients: Sequence[int], n_samples: int, gaps: bool) -> np.ndarray:
    """What to add to interstitial glucose, mg/dL, float32 (patients, n_samples); NaN where the signal is lost."""
    knots = -(-n_samples // _STEPS) + 3
    innovations = np.empty((len(patients), knots))
    for row, number in enumerate(patients):
        innovations[row] = stream(master_seed, "simulations", "patient", number, "sensor").standard_normal(knots)
    error = interpolate(johnson(chain(innovations)), n_samples).astype(np.float32)
    if gaps:
        for row, number in enumerate(patients):
            rng = stream(master_seed, "simulations", "patient", number, "signal_loss")
            error[row, signal_loss(rng, n_samples)] = np.nan
    return error
