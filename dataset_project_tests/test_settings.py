"""Settings: where they come from, and that nonsense is one clear line that names the variable."""

from __future__ import annotations

import pytest

from dataset_project.families import declared_datasets
from dataset_project.settings import InvalidSettings, load_settings


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("DATASET_SIMULATIONS__PATIENTS", "0", "greater than or equal to 1 (given: '0')"),
        ("DATASET_SIMULATIONS__DAYS", "-3", "greater than or equal to 2 (given: '-3')"),
        ("DATASET_SIMULATIONS__SUBSTEPS", "3", "1, 2 or 4"),
        ("DATASET_SIMULATIONS__SCENARIO", "nonsense", "mixed"),
        ("DATASET_SIMULATIONS__DAYS", "two", "valid integer"),
        ("DATASET_SIMULATIONS__DAYS", "2", "leave no room for a 24 h history"),
        ("DATASET_SIMULATIONS__DAY", "3", "not permitted"),
        ("DATASET_SIMULATION__DAYS", "3", "did you mean DATASET_SIMULATIONS"),
        ("DATASET_SIMULATIONS__HISTORY_HOURS", "[3]", "2, 6 or 24"),
        ("DATASET_TRIALS__CATEGORISER", "magic", "'rules', 'llm' or 'cascade'"),
        ("DATASET_TRIALS__QUERY", "asthma", "a query needs source=clinicaltrials.gov"),
        ("DATASET_TRIALS__SOURCE", "clinicaltrials.gov", "needs a query"),
        ("DATASET_LLM__BASE_URL", "localhost:8000", "must be an http or https URL"),
        ("DATASET_LLM__BASE_URL", "https://user:word@host/v1", "must hold no credentials"),
        ("DATASET_LLM__API_KEY_VARIABLE", "sk-abcdef", "must be the name of an environment variable, not a key"),
        ("DATASET_LLM__BUDGET_USD", "-1", "greater than or equal to 0"),
        ("DATASET_SIZE", "huge", "'demo', 'standard' or 'full' (given: 'huge')"),
        ("DATASET_WORKERS", "0", "greater than or equal to 1"),
        ("DATASET_SHARDS", "-1", "greater than or equal to 1"),
        ("DATASET_EXECUTOR", "magic", "'multiprocess' or 'in_process'"),
        ("DATASET_SEED", "-1", "greater than or equal to 0"),
        ("DATASET_DATA_DIR", "", "at least 1 character"),
    ],
)
def test_nonsense_is_one_line_that_names_the_variable(monkeypatch, variable, value, says):
    monkeypatch.setenv(variable, value)
    with pytest.raises(InvalidSettings) as raised:
        load_settings()
    message = str(raised.value)
    assert says in message
    assert "\n" not in message
    assert message.startswith(variable.rsplit("__", 1)[0])


@pytest.mark.parametrize(
    ("variable", "value"),
    [("API_KEY_VARIABLE", "sk-0123456789abcdef"), ("BASE_URL", "https://user:hunter2hunter2@host/v1")],
)
def test_a_secret_in_the_wrong_place_is_not_repeated(monkeypatch, variable, value):
    monkeypatch.setenv(f"DATASET_LLM__{variable}", value)
    with pytest.raises(InvalidSettings) as raised:
        load_settings()
    said = str(raised.value)
    assert variable in said and "0123456789" not in said and "hunter2" not in said


def test_none_is_written_null(monkeypatch):
    monkeypatch.setenv("DATASET_LLM__REQUESTS_PER_MINUTE", "null")
    assert load_settings().llm.requests_per_minute is None


def test_a_list_that_is_no_json_says_how_to_write_it(monkeypatch):
    monkeypatch.setenv("DATASET_SIMULATIONS__HISTORY_HOURS", "2,6")
    with pytest.raises(InvalidSettings, match=r"for example \[2,6\]"):
        load_settings()


def test_an_unknown_scenario_is_named_with_its_variable(monkeypatch):
    monkeypatch.setenv("DATASET_SIMULATIONS__SCENARIO", "nonsense")
    with pytest.raises(InvalidSettings, match=r"^DATASET_SIMULATIONS__SCENARIO: .*careful"):
        load_settings()


def test_the_environment_wins_over_the_file(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text("DATASET_SIZE=demo\nDATASET_WORKERS=3\nDATASET_SIMULATIONS__DAYS=5\n")
    monkeypatch.setenv("DATASET_WORKERS", "4")
    settings = load_settings()
    assert (settings.size, settings.worker_count, settings.shard_count, settings.simulations.days) == ("demo", 4, 4, 5)
    assert settings.data_dir == str(tmp_path / "data")


def test_a_url_stays_a_url(monkeypatch):
    monkeypatch.setenv("DATASET_DATA_DIR", "s3://bucket/prefix")
    assert load_settings().data_dir == "s3://bucket/prefix"


def test_growing_a_cohort_changes_no_fingerprint_of_old_blocks(tmp_path, monkeypatch):
    from dataset_project.orchestration.planning import Planner
    from dataset_project.storage.store import DatasetStore

    planner = Planner(DatasetStore(tmp_path))
    monkeypatch.setenv("DATASET_FAMILIES", '["simulations"]')

    def fingerprints(patients: int) -> dict[tuple[str, str], str]:
        monkeypatch.setenv("DATASET_SIMULATIONS__PATIENTS", str(patients))
        datasets = [each for each in declared_datasets(load_settings()) if each.partition_keys]
        return {(each.name, key): planner.fingerprint(each, key) for each in datasets for key in each.keys}

    small, partial, large = fingerprints(1000), fingerprints(1050), fingerprints(2000)
    assert small.items() <= large.items() and small.items() <= partial.items()
    assert len(large) == 2 * len(small)
    assert partial["patients", "cohort_0010"] != large["patients", "cohort_0010"], "a partial block is another block"


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("MIN_SIMILARITY", "0.97", "the quality band is empty: min_similarity 0.97 must be below max_similarity 0.95"),
        ("MODE", "all", "mode `all` takes every combination of any number of methods: set confirm_all=true as well"),
        (
            "QUALITY_METRIC",
            "bleu",
            "DATASET_AUGMENTATION__QUALITY_METRIC: input should be 'char', 'tfidf', 'embedding'",
        ),
        (
            "VARIANTS_PER_SAMPLE",
            "0",
            "DATASET_AUGMENTATION__VARIANTS_PER_SAMPLE: input should be greater than or equal",
        ),
    ],
)
def test_augmentation_settings_that_make_no_sense(monkeypatch, variable, value, said):
    monkeypatch.setenv(f"DATASET_AUGMENTATION__{variable}", value)
    with pytest.raises(InvalidSettings) as error:
        load_settings()
    assert said in str(error.value)


def test_only_the_chosen_families_are_planned(monkeypatch):
    monkeypatch.setenv("DATASET_FAMILIES", '["augmentation"]')
    assert {each.family for each in declared_datasets(load_settings())} == {"augmentation"}
    monkeypatch.setenv("DATASET_FAMILIES", '["augmentations"]')
    with pytest.raises(InvalidSettings, match="DATASET_FAMILIES"):
        load_settings()


def test_the_embedding_score_has_a_band_of_its_own(monkeypatch):
    assert load_settings().augmentation.band == (0.55, 0.95)
    monkeypatch.setenv("DATASET_AUGMENTATION__QUALITY_METRIC", "embedding")
    assert load_settings().augmentation.band == (0.85, 0.999)
