"""The cohort: composition, bands, growth, rejections."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter

import numpy as np
import pytest

from dataset_project.simulations.configuration import SimulationSettings
from dataset_project.simulations.schemas import AGE_GROUPS as AGE_GROUP_NAMES
from dataset_project.simulations.schemas import PATIENTS, SPLITS
from dataset_project.simulations.simulator import cohort as module
from dataset_project.simulations.simulator.cohort import DESIGN, build_cohort, design_of, draw_archetype, patients_table
from dataset_project.simulations.simulator.parameters import AGE_GROUPS

SETTINGS = SimulationSettings()


@pytest.fixture(scope="module")
def table_and_facts():
    return patients_table(SETTINGS, 3, 100, 100, "hash")


def test_table_has_the_schema_and_one_row_per_patient(table_and_facts):
    table, _ = table_and_facts
    assert table.schema.equals(PATIENTS, check_metadata=True)
    table.validate(full=True)
    ids = table["patient_id"].to_pylist()
    assert ids == [f"patient_{n:07d}" for n in range(100, 200)]
    assert all(table[name].null_count == 0 for name in table.column_names)
    assert table["archetype_id"].to_pylist() == [f"archetype_{n // 5:07d}" for n in range(100, 200)]


def test_every_block_of_a_hundred_holds_every_age_group_in_every_split(table_and_facts):
    table, _ = table_and_facts
    found = Counter(zip(table["cohort"].to_pylist(), table["split"].to_pylist(), strict=True))
    assert found == Counter({pair: 5 * count for pair, count in Counter(DESIGN).items()})
    assert {group for group, _ in found} == set(AGE_GROUP_NAMES) and {split for _, split in found} == set(SPLITS)
    assert Counter(group for group, _ in DESIGN) == {"child": 6, "adolescent": 6, "adult": 8}


def test_the_design_is_shuffled_differently_in_each_group():
    orders = [tuple(design_of(3, 20 * group + at) for at in range(20)) for group in range(3)]
    assert len(set(orders)) == 3
    assert all(Counter(order) == Counter(DESIGN) for order in orders)


def test_split_and_physiology_depend_on_the_archetype_alone(table_and_facts):
    table, _ = table_and_facts
    rows = table.to_pylist()
    for name in ("split", "cohort", "body_weight_kg", "tdi_u_per_day", "basal_glucose_mgdl"):
        per_archetype = {}
        for row in rows:
            per_archetype.setdefault(row["archetype_id"], set()).add(row[name])
        assert all(len(values) == 1 for values in per_archetype.values()), name


def test_patients_do_not_change_as_the_dataset_grows(table_and_facts):
    table, _ = table_and_facts
    for first, n in ((100, 1), (137, 13), (90, 60)):
        other, _ = patients_table(SETTINGS, 3, first, n, "hash")
        start = max(first, 100)
        assert other.slice(start - first, first + n - start).equals(table.slice(start - 100, first + n - start))


def test_another_seed_gives_other_people(table_and_facts):
    table, _ = table_and_facts
    other, _ = patients_table(SETTINGS, 4, 100, 100, "hash")
    assert len(set(other["seed"].to_pylist()) & set(table["seed"].to_pylist())) == 0
    assert len(set(other["tdi_u_per_day"].to_pylist()) & set(table["tdi_u_per_day"].to_pylist())) <= 2


def test_ratios_follow_the_rules_and_people_lie_in_their_bands(table_and_facts):
    table, _ = table_and_facts
    for row in table.to_pylist():
        assert row["cr_g_per_u"] * row["tdi_u_per_day"] == pytest.approx(500, rel=1e-5)
        assert row["cf_mgdl_per_u"] * row["tdi_u_per_day"] == pytest.approx(1800, rel=1e-5)
        assert row["basal_u_per_h"] * 24 / row["tdi_u_per_day"] == pytest.approx(0.45, rel=1e-2)
        bands = AGE_GROUPS[row["cohort"]].bands
        for name in ("body_weight_kg", "tdi_u_per_day", "cr_g_per_u", "basal_glucose_mgdl"):
            assert bands[name][0] <= row[name] <= bands[name][1], (row["patient_id"], name)
        low, high = AGE_GROUPS[row["cohort"]].age_years
        assert low - 0.1 <= row["age_years"] <= high + 0.1


def test_doses_per_kg_are_those_of_real_age_groups():
    cohort = build_cohort(SETTINGS, 8, 0, 400)
    per_kg = cohort.column("tdi_u_per_day") / cohort.parameters["BW"]
    groups = np.array([archetype.group for archetype in cohort.of])
    assert 0.4 < per_kg[groups == "adult"].mean() < 0.9
    assert 0.6 < per_kg[groups == "child"].mean() < 1.1
    assert per_kg[groups == "adolescent"].mean() > per_kg[groups == "adult"].mean()


def test_facts_are_json_and_count_rejections(monkeypatch):
    narrow = dict(AGE_GROUPS)
    for name, group in AGE_GROUPS.items():
        bands = dict(group.bands) | {"basal_glucose_mgdl": (128.0, 136.0)}
        narrow[name] = dataclasses.replace(group, bands=bands)
    _, before = patients_table(SETTINGS, 3, 0, 100, "hash")
    monkeypatch.setattr(module, "AGE_GROUPS", narrow)
    table, facts = patients_table(SETTINGS, 3, 0, 100, "hash")
    assert json.loads(json.dumps(facts)) == facts
    assert facts["archetypes"] == 20 and facts["max_steady_state_residual"] < 1e-8
    assert facts["rejected_archetype_draws"] > before["rejected_archetype_draws"]
    assert facts["rejection_reasons"]["basal_glucose_mgdl"] > 10
    glucose = np.array(table["basal_glucose_mgdl"])
    assert glucose.min() >= 128 and glucose.max() <= 136


def test_bands_nobody_fits_are_an_error_that_names_the_band(monkeypatch):
    group = design_of(3, 0)[0]
    impossible = dataclasses.replace(AGE_GROUPS[group], bands={"kp1": (900.0, 901.0)})
    monkeypatch.setattr(module, "AGE_GROUPS", dict(AGE_GROUPS) | {group: impossible})
    monkeypatch.setattr(module, "MAX_ATTEMPTS", 5)
    with pytest.raises(RuntimeError, match="kp1"):
        draw_archetype(3, 0)


@pytest.mark.parametrize(("first", "n"), [(-1, 5), (0, 0)])
def test_an_impossible_block_is_refused(first, n):
    with pytest.raises(ValueError, match="patients"):
        build_cohort(SETTINGS, 3, first, n)
