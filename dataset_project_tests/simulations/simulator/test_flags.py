"""Excursions out of the physiological range are flagged wherever a reader sees them."""

from __future__ import annotations

import pytest

from dataset_project.simulations.configuration import SimulationSettings
from dataset_project.simulations.simulator.simulate import simulate_block


@pytest.mark.parametrize("master_seed", [3, 20_261_123])
def test_no_sample_outside_the_range_is_unflagged(master_seed):
    series = simulate_block(SimulationSettings(), master_seed, 0, 100, "x").series
    plasma, flagged = series["plasma_mgdl"].to_numpy(), series["flagged"].to_numpy(zero_copy_only=False)
    outside = (plasma < 20) | (plasma > 600)
    assert not (outside & ~flagged).any()
    assert 0 < flagged.sum() < 0.01 * len(flagged), "some patients leave the range, almost never"
