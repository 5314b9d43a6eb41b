"""What Dagster loads: keys, groups, partitions, checks, metadata."""

from __future__ import annotations

import dagster as dg
import pytest

from dataset_project_tests.support import fresh_module

DEFINITIONS = "dataset_project.definitions"
BLOCKED = ("patients", "glucose_timeseries", "forecast_windows")
BY_COMBO = ("augmented_sentences", "downstream_scores")
RESOURCES = "augmentation_resources"
BUCKETED = ("categorized_trials",)
FAMILY_OF = {
    **dict.fromkeys((*BLOCKED, "training_splits", "simulation_report"), "simulations"),
    **dict.fromkeys(("source_sentences", RESOURCES, *BY_COMBO, "augmentation_report"), "augmentation"),
    **dict.fromkeys(("trial_records", *BUCKETED, "categorization_report"), "trials"),
}
UNPARTITIONED = {*FAMILY_OF} - {*BLOCKED, *BY_COMBO, *BUCKETED, RESOURCES} | {"dataset_manifest"}


@pytest.fixture
def graph(tmp_path, monkeypatch) -> dg.AssetGraph:
    monkeypatch.setenv("DATASET_DATA_DIR", str(tmp_path))
    return fresh_module(DEFINITIONS).defs.resolve_asset_graph()


def test_assets_groups_and_dependencies(graph):
    nodes = {node.key.to_user_string(): node for node in graph.asset_nodes}
    assert set(nodes) == {*FAMILY_OF, "dataset_manifest"}
    assert {name: nodes[name].group_name for name in FAMILY_OF} == FAMILY_OF

    def parents(name: str) -> set[str]:
        return {key.to_user_string() for key in nodes[name].parent_keys}

    assert parents("patients") == set()
    assert parents("glucose_timeseries") == {"patients"}
    assert parents("forecast_windows") == {"patients", "glucose_timeseries"}
    assert parents("training_splits") == {"glucose_timeseries", "forecast_windows"}
    assert parents("simulation_report") == set(BLOCKED)
    assert parents("source_sentences") == set()
    assert parents(RESOURCES) == {"source_sentences"}
    assert parents("augmented_sentences") == {"source_sentences", RESOURCES}
    assert parents("downstream_scores") == {"source_sentences", "augmented_sentences"}
    assert parents("augmentation_report") == {"source_sentences", *BY_COMBO}
    assert parents("trial_records") == set()
    assert parents("categorized_trials") == {"trial_records"}
    assert parents("categorization_report") == {"trial_records", "categorized_trials"}
    assert parents("dataset_manifest") == set(nodes) - {"dataset_manifest"}


def test_partitions_and_policies(graph):
    expected = [f"cohort_{number:04d}" for number in range(10)]
    for node in graph.asset_nodes:
        assert node.backfill_policy == dg.BackfillPolicy.single_run(), node.key
        assert node.code_version, node.key
        name = node.key.to_user_string()
        if name in UNPARTITIONED:
            assert node.partitions_def is None
            continue
        keys = list(node.partitions_def.get_partition_keys())
        if name in BLOCKED:
            assert keys == expected
        elif name in BY_COMBO:
            assert len(keys) >= 29 and {"combo_1_copy", "combo_1_wordnet_synonym"} < set(keys)
        elif name in BUCKETED:
            assert keys == [f"bucket_{number:02d}" for number in range(20)]
        else:
            assert name == RESOURCES and "wordnet_synonyms" in keys


def test_a_combination_needs_only_the_resources_it_reads(graph):
    mapping = graph.get(dg.AssetKey(["augmented_sentences"])).partition_mappings[dg.AssetKey([RESOURCES])]
    combos = graph.get(dg.AssetKey(["augmented_sentences"])).partitions_def
    resources = graph.get(dg.AssetKey([RESOURCES])).partitions_def
    for key, needed in (("combo_1_wordnet_synonym", {"wordnet_synonyms"}), ("combo_1_keyboard", set())):
        subset = combos.subset_with_partition_keys([key])
        found = mapping.get_upstream_mapped_partitions_result_for_partitions(subset, combos, resources)
        assert set(found.partitions_subset.get_partition_keys()) == needed


@pytest.mark.parametrize(("size", "combos"), [("demo", 7), ("full", 700)])
def test_a_larger_size_keeps_the_combinations_of_a_smaller_one(tmp_path, monkeypatch, size, combos):
    from dataset_project.augmentation.assets import augmentation_datasets
    from dataset_project.augmentation.configuration import AugmentationSettings

    standard = {each.name: each.keys for each in augmentation_datasets(AugmentationSettings(), "standard")}
    other = {each.name: each.keys for each in augmentation_datasets(AugmentationSettings(), size)}
    smaller, larger = sorted((standard["augmented_sentences"], other["augmented_sentences"]), key=len)
    assert set(smaller) < set(larger) and abs(len(other["augmented_sentences"]) - combos) < 60


@pytest.mark.parametrize(("size", "blocks"), [("demo", 2), ("standard", 10), ("full", 100)])
def test_a_size_is_a_number_of_partitions(tmp_path, monkeypatch, size, blocks):
    monkeypatch.setenv("DATASET_SIZE", size)
    monkeypatch.setenv("DATASET_DATA_DIR", str(tmp_path))
    graph = fresh_module(DEFINITIONS).defs.resolve_asset_graph()
    assert len(graph.get(dg.AssetKey(["patients"])).partitions_def.get_partition_keys()) == blocks


def test_every_dataset_has_checks_and_blocks_on_altered_files(graph):
    by_asset: dict[str, set[str]] = {}
    for key in graph.asset_check_keys:
        by_asset.setdefault(key.asset_key.to_user_string(), set()).add(key.name)
    assert set(by_asset) == set(FAMILY_OF)
    assert all("files_match_records" in names and len(names) > 1 for names in by_asset.values())
    assert {"labels_recomputed", "label_prevalence", "splits_do_not_leak"} <= by_asset["forecast_windows"]


def test_columns_have_descriptions_and_units(graph):
    for name in (*BLOCKED, *BY_COMBO, *BUCKETED, RESOURCES, "source_sentences"):
        schema = graph.get(dg.AssetKey([name])).metadata["dagster/column_schema"]
        assert all(column.description for column in schema.columns), name
    series = graph.get(dg.AssetKey(["glucose_timeseries"])).metadata["dagster/column_schema"]
    described = {column.name: column for column in series.columns}
    assert described["plasma_mgdl"].description.endswith("[mg/dL]")
    assert described["cgm_mgdl"].constraints.nullable and not described["plasma_mgdl"].constraints.nullable


@pytest.mark.parametrize(("categoriser", "pool"), [("rules", None), ("llm", "llm"), ("cascade", "llm")])
def test_asking_models_is_bounded_by_a_pool(tmp_path, monkeypatch, categoriser, pool):
    monkeypatch.setenv("DATASET_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DATASET_TRIALS__CATEGORISER", categoriser)
    job = fresh_module(DEFINITIONS).defs.resolve_implicit_global_asset_job_def()
    pools = {node.name: node.definition.pool for node in job.graph.node_dict["categorized_trials"].definition.nodes}
    assert pools["categorized_trials_shard"] == pool


def test_the_manifest_is_refreshed_after_success_failure_and_cancellation():
    repository = fresh_module(DEFINITIONS).defs.get_repository_def()
    sensors = {sensor.name: sensor for sensor in repository.sensor_defs}
    assert set(sensors) == {"manifest_after_success", "manifest_after_failure", "manifest_after_cancellation"}
    assert all(sensor.default_status == dg.DefaultSensorStatus.RUNNING for sensor in sensors.values())
