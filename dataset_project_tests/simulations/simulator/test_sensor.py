"""Sensor noise and signal loss against what is published and declared."""

from __future__ import annotations

import numpy as np
import pytest

from dataset_project.simulations.simulator import sensor
from dataset_project.simulations.simulator.diagnostics import (
    NOISE_COEFFICIENT_BAND,
    NOISE_MEAN_BAND_MGDL,
    NOISE_SD_BAND_MGDL,
    noise_figures,
)


def test_sinh_by_arithmetic_equals_the_library():
    z = np.linspace(-12, 12, 10_001)
    np.testing.assert_allclose(sensor.sinh(z), np.sinh(z), rtol=1e-11, atol=1e-13)


def test_the_chain_is_the_published_recursion():
    v = np.array([[0.3, -1.0, 2.0, 0.5]])
    second = 0.7 * (0.3 - 1.0)
    third = 0.7 * (second + 2.0)
    np.testing.assert_allclose(sensor.chain(v), [[0.3, second, third, 0.7 * (third + 0.5)]])


def test_noise_has_the_published_moments():
    found = noise_figures(7)
    assert NOISE_COEFFICIENT_BAND[0] < found["coefficient"] < NOISE_COEFFICIENT_BAND[1]
    assert NOISE_MEAN_BAND_MGDL[0] < found["mean_mgdl"] < NOISE_MEAN_BAND_MGDL[1]
    assert NOISE_SD_BAND_MGDL[0] < found["sd_mgdl"] < NOISE_SD_BAND_MGDL[1]


def test_interpolation_meets_the_knots_and_reproduces_a_cubic():
    at = np.arange(-1.0, 9.0)
    cubic = (2 - 3 * at + 0.5 * at**2 + 0.25 * at**3)[None, :]
    fine = np.arange(20) / 3
    samples = sensor.interpolate(cubic, 20)
    np.testing.assert_allclose(samples[0], 2 - 3 * fine + 0.5 * fine**2 + 0.25 * fine**3, atol=1e-12)
    np.testing.assert_allclose(samples[0, ::3], cubic[0, 1:8], atol=1e-13)


def test_error_of_a_patient_depends_on_nobody_else_and_not_on_length():
    block = sensor.sensor_error(5, range(30), 288 * 2, gaps=True)
    alone = sensor.sensor_error(5, [17], 288 * 2, gaps=True)
    assert block.dtype == np.float32 and block.shape == (30, 576)
    np.testing.assert_array_equal(block[17], alone[0])
    longer = sensor.sensor_error(5, [17], 288 * 4, gaps=False)
    whole = sensor.sensor_error(5, [17], 288 * 2, gaps=False)
    np.testing.assert_array_equal(longer[0, :576], whole[0])
    assert not np.isnan(whole).any() and len({row.tobytes() for row in block}) == 30


def test_signal_is_lost_for_a_few_percent_in_bursts():
    error = sensor.sensor_error(1, range(150), 288 * 14, gaps=True)
    lost = np.isnan(error)
    assert 0.03 < lost.mean() < 0.05
    bursts = (np.diff(lost.astype(int), axis=1) == 1).sum()
    assert 6 < lost.sum() / bursts < 24
    per_patient = lost.mean(axis=1)
    assert per_patient.max() < 0.15 and (per_patient > 0).mean() > 0.95


@pytest.mark.parametrize("n_samples", [288, 289, 290])
def test_any_length_is_served(n_samples):
    assert sensor.sensor_error(1, [0], n_samples, gaps=True).shape == (1, n_samples)
