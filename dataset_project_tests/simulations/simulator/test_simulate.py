"""Blocks: schema, growth, parts, plausibility, laziness of imports."""

from __future__ import annotations

import json

import numpy as np
import pyarrow.compute as pc
import pytest

from dataset_project.simulations.configuration import SimulationSettings
from dataset_project.simulations.schemas import GLUCOSE_TIMESERIES, PATIENTS
from dataset_project.simulations.simulator import simulate as module
from dataset_project.simulations.simulator.diagnostics import MARD_BAND_PERCENT, mard_percent
from dataset_project.simulations.simulator.simulate import iterate_block, simulate_block

SMALL = SimulationSettings(days=3, history_hours=(2,))


@pytest.fixture(scope="module")
def small():
    return simulate_block(SMALL, 5, 20, 30, "hash")


@pytest.fixture(scope="module")
def full():
    return [simulate_block(SimulationSettings(), seed, 0, 100, "hash") for seed in (1, 2, 3)]


def column(block, name, days=14):
    values = block.series[name].to_numpy(zero_copy_only=False).astype(np.float64)
    return values.reshape(block.patients.num_rows, -1)[:, -288 * (days - 1) :]


def test_tables_follow_their_schemas_sorted_and_complete(small):
    assert small.patients.schema.equals(PATIENTS, check_metadata=True)
    assert small.series.schema.equals(GLUCOSE_TIMESERIES, check_metadata=True)
    small.series.validate(full=True)
    assert small.series.num_rows == 30 * 3 * 288
    assert small.series["patient_id"].to_pylist()[:: 3 * 288] == small.patients["patient_id"].to_pylist()
    minutes = small.series["minute"].to_numpy().reshape(30, -1)
    assert (minutes == np.arange(0, 3 * 1440, 5)).all()
    assert [name for name in small.series.column_names if small.series[name].null_count] == ["cgm_mgdl"]


def test_values_have_their_stated_resolution_and_range(small):
    cgm = small.series["cgm_mgdl"].drop_null().to_numpy()
    assert (cgm == np.round(cgm)).all() and cgm.min() >= 39 and cgm.max() <= 600
    for name in ("plasma_mgdl", "interstitial_mgdl"):
        values = small.series[name].to_numpy().astype(np.float64)
        np.testing.assert_allclose(values * 100, np.round(values * 100), atol=0.01)
    for name in ("basal_u", "bolus_u", "carbs_announced_g", "carbs_eaten_g", "rescue_g"):
        assert pc.min(small.series[name]).as_py() >= 0
    bolus = small.series["bolus_u"].to_numpy().astype(np.float64)
    np.testing.assert_allclose(bolus * 20, np.round(bolus * 20), atol=1e-4)
    hourly = small.series["basal_u"].to_numpy().reshape(30, -1)[:, 0] * 12
    published = small.patients["basal_u_per_h"].to_numpy()
    assert (np.abs(hourly / published - 1) <= 0.2 + 1e-3).all()


@pytest.mark.parametrize(("first", "n"), [(20, 1), (33, 4), (15, 22), (49, 1)])
def test_a_patient_is_the_same_in_blocks_of_any_size(small, first, n):
    other = simulate_block(SMALL, 5, first, n, "hash")
    start, stop = max(first, 20), min(first + n, 50)
    mine = other.series.slice((start - first) * 864, (stop - start) * 864)
    theirs = small.series.slice((start - 20) * 864, (stop - start) * 864)
    for name in mine.column_names:
        assert mine[name].to_pylist() == theirs[name].to_pylist(), name
    assert other.patients.slice(start - first, stop - start).equals(small.patients.slice(start - 20, stop - start))


def test_a_block_in_parts_is_the_same_block(small, monkeypatch):
    monkeypatch.setattr(module, "ROWS_PER_PART", 864 * 17)
    parts = list(iterate_block(SMALL, 5, 20, 30, "hash"))
    assert [part.patients.num_rows for part in parts] == [16, 14]
    joined = simulate_block(SMALL, 5, 20, 30, "hash")
    assert joined.facts == small.facts
    assert joined.patients.equals(small.patients)
    for name in small.series.column_names:
        assert joined.series[name].to_pylist() == small.series[name].to_pylist(), name


def test_repeating_gives_the_same_and_another_seed_does_not(small):
    assert simulate_block(SMALL, 5, 20, 30, "hash").series.equals(small.series)
    other = simulate_block(SMALL, 6, 20, 30, "hash")
    assert not other.series["plasma_mgdl"].equals(small.series["plasma_mgdl"])


def test_facts_are_json_and_agree_with_the_tables(small):
    facts = json.loads(json.dumps(small.facts))
    assert facts == small.facts
    assert facts["patients"] == 30 and facts["archetypes"] == 6 and facts["series_rows"] == 30 * 864
    assert facts["flagged_samples"] == pc.sum(small.series["flagged"]).as_py()
    assert facts["cgm_missing"] == small.series["cgm_mgdl"].null_count > 0
    at_limit = pc.sum(pc.equal(small.series["cgm_mgdl"], 39.0)).as_py()
    assert 0 < facts["cgm_clipped_low"] <= at_limit
    assert facts["max_steady_state_residual"] < 1e-8
    assert facts["rescues"] * 15 >= pc.sum(small.series["rescue_g"]).as_py() > 0


def test_settings_reach_the_data(small):
    without = simulate_block(SMALL.model_copy(update={"sensor_gaps": False}), 5, 20, 30, "hash")
    assert without.series["cgm_mgdl"].null_count == 0
    careful = simulate_block(SMALL.model_copy(update={"scenario": "careful"}), 5, 20, 5, "hash")
    assert set(careful.patients["scenario"].to_pylist()) == {"careful"}
    assert len(set(small.patients["scenario"].to_pylist())) > 1
    fine = simulate_block(SMALL.model_copy(update={"substeps": 4}), 5, 20, 2, "hash")
    difference = fine.series["plasma_mgdl"].to_numpy()[:288] - small.series["plasma_mgdl"].to_numpy()[:288]
    assert 0 <= np.abs(difference).max() < 1.0
    with pytest.raises(ValueError, match="unknown scenario"):
        simulate_block(SMALL.model_copy(update={"scenario": "heroic"}), 5, 0, 1, "hash")
    with pytest.raises(ValueError, match="at least one patient"):
        simulate_block(SMALL, 5, 0, 0, "hash")


def test_default_scenario_lands_in_the_bands_of_real_cohorts(full):
    rows = []
    for block in full:
        plasma = column(block, "plasma_mgdl")
        within = np.mean(plasma.std(axis=1) / plasma.mean(axis=1))
        rows.append((plasma.mean(), np.mean((plasma >= 70) & (plasma <= 180)), within, np.mean(plasma < 70),
                     np.mean(plasma < 54)))  # fmt: skip
        assert 155 <= plasma.mean() <= 172
        assert block.facts["flagged_samples"] < 0.002 * block.series.num_rows
    mean, in_range, cv, low, very_low = np.mean(rows, axis=0)
    assert 160 <= mean <= 168
    assert 0.60 <= in_range <= 0.67
    assert 0.32 <= cv <= 0.38
    assert 0.02 <= low <= 0.04
    assert very_low < 0.01


def test_persistence_is_as_hard_to_beat_as_in_real_cohorts(full):
    errors = {6: [], 12: []}
    for block in full:
        seen = column(block, "cgm_mgdl")
        for ahead, found in errors.items():
            found.append(np.sqrt(np.nanmean((seen[:, ahead:] - seen[:, :-ahead]) ** 2)))
    assert 17 <= np.mean(errors[6]) <= 21
    assert 26 <= np.mean(errors[12]) <= 35


def test_sensor_error_relative_to_plasma_is_that_of_the_published_noise(full):
    for block in full:
        assert MARD_BAND_PERCENT[0] < mard_percent(block.series) < MARD_BAND_PERCENT[1]


def test_careless_patients_run_higher_than_careful_ones(full):
    plasma, names = zip(*((column(block, "plasma_mgdl"), block.patients["scenario"].to_pylist()) for block in full),
                        strict=True)  # fmt: skip
    means, names = np.concatenate(plasma).mean(axis=1), np.concatenate(names)
    assert means[names == "missed_boluses"].mean() > means[names == "careful"].mean() + 10
