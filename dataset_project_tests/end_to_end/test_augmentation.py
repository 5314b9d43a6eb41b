"""The augmentation family as people use it: real commands, a small table of their own, real processes."""

from __future__ import annotations

import json

import duckdb
import pandas as pd
import pyarrow.parquet as pq
import pytest

from dataset_project_tests.end_to_end.sentences_workplace import KEYS, METHODS, sentences_workplace, write_source
from dataset_project_tests.end_to_end.workplace import Workplace

PAIRS = ("combo_2_aeda+word_delete", "combo_2_aeda+keyboard", "combo_2_word_delete+keyboard")


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Workplace:
    """One build of the singletons, in one process; without the lexical resources, which these methods do not read."""
    directory = tmp_path_factory.mktemp("augmentation")
    write_source(directory / "mine.csv")
    workplace = sentences_workplace(directory)
    workplace.build("--partitions", "combo_1_aeda...combo_1_copy")
    return workplace


def test_every_combination_has_a_dataset_a_record_and_a_row(built):
    rows = built.manifest()
    assert {key for dataset, key in rows if dataset == "augmented_sentences"} == set(KEYS)
    for key in KEYS:
        row, record = rows["augmented_sentences", key], built.store.committed("augmented_sentences", key)
        assert (row["status"], row["disagreement"], row["rows"]) == ("ok", "", record.rows)
        planned = row["items_ok"] + row["items_empty"] + row["items_rejected"]
        assert row["items_planned"] == planned == 2 * 407 and row["items_ok"] == row["rows"] > 700
        meta = json.loads((built.data / row["path"] / "meta.json").read_text())
        assert meta["combo_id"] == key and meta["figures"]["accepted"] == row["rows"]
        assert {"seconds", "run_id", "started_at"} & set(meta) == set(), "only facts that any run gives"
    assert built.events_per_partition("augmented_sentences") == dict.fromkeys(KEYS, 1)
    with duckdb.connect(str(built.data / "catalog.duckdb"), read_only=True) as connection:
        told = connection.sql("SELECT combo_id, status, accepted FROM augmentation_report_combo_statistics").fetchall()
        merged = connection.sql("SELECT combos, combos_ok, rows FROM augmentation_report_merge_statistics").fetchall()
        gains = connection.sql("SELECT DISTINCT combo_id FROM augmentation_report_downstream_comparison").fetchall()
    assert {key: (status, rows["augmented_sentences", key]["rows"]) for key, status, _ in told} == {
        key: ("ok", count) for key, _, count in told
    }
    assert merged == [(4, 4, sum(count for *_, count in told))]
    assert {key for (key,) in gains} == set(KEYS)


def test_checks_pass_and_the_report_has_its_pictures_and_card(built):
    with built.instance() as instance:
        evaluations = [
            record.event.asset_check_evaluation
            for key in _check_keys()
            for record in instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
        ]
    checks = {(each.asset_key.to_user_string(), each.check_name): each.passed for each in evaluations}
    assert len(checks) > 12
    # Every other fifth of the sample: a floor is the shipped sample's, so that check alone may warn.
    assert {name for name, passed in checks.items() if not passed} <= {("augmented_sentences", "acceptance_floor")}
    report = built.data / "augmentation_report" / "partition=all"
    assert {path.name for path in (report / "pictures").iterdir()} >= {
        "yield_by_method.png",
        "similarity_by_method.png",
    }
    assert "combo_1_copy" not in (report / "README.md").read_text().split("---")[0]


def _check_keys():
    from dataset_project_tests.support import fresh_module

    return fresh_module("dataset_project.definitions").defs.resolve_asset_graph().asset_check_keys


def test_row_order_workers_and_hash_seed_change_no_byte(built, tmp_path):
    """The predecessor's output hung on each of them."""
    write_source(tmp_path / "mine.csv", shuffled=True)
    other = sentences_workplace(tmp_path, PYTHONHASHSEED="7")
    arguments = (
        "--partitions",
        "combo_1_aeda...combo_1_copy",
        "--executor",
        "multiprocess",
        "--workers",
        "2",
        "--shards",
        "3",
    )
    other.build(*arguments, PYTHONHASHSEED="7")
    theirs, mine = (
        other.hashes("augmented_sentences", "downstream_scores"),
        built.hashes("augmented_sentences", "downstream_scores"),
    )
    data = {name for name in mine if name.endswith(".parquet")}
    assert {name: theirs[name] for name in data} != {}, "something was compared"
    # The fingerprint in each file's metadata names the source file, whose bytes differ: the tables are compared.
    for name in data:
        assert pq.read_table(other.data / name).equals(pq.read_table(built.data / name)), name


def test_a_second_run_of_the_same_source_gives_the_same_bytes(built, tmp_path):
    (tmp_path / "mine.csv").write_bytes((built.directory / "mine.csv").read_bytes())
    other = sentences_workplace(tmp_path)
    other.build("--partitions", "combo_1_aeda...combo_1_copy", PYTHONHASHSEED="99")
    assert other.hashes() == built.hashes()


def test_a_failing_combination_is_named_the_others_are_published_and_only_it_runs_again(tmp_path):
    write_source(tmp_path / "mine.csv")
    registry = tmp_path / "registry.yaml"
    entries = [
        {"id": "aeda", "family": "style", "description": "marks"},
        {
            "id": "keyboard",
            "family": "character",
            "description": "typos",
            "parameters": {"min_chars": "four", "share": 0.1},
        },
        {
            "id": "magic",
            "implementation": "aeda",
            "family": "style",
            "description": "none",
            "library": "no-such-library",
        },
        {"id": "copy", "family": "control", "description": "copies", "banded": False},
    ]
    registry.write_text(json.dumps({"methods": entries}))
    workplace = sentences_workplace(
        tmp_path, DATASET_AUGMENTATION__REGISTRY=str(registry), DATASET_AUGMENTATION__METHODS="[]"
    )
    named = ("--partitions", "combo_1_aeda...combo_1_copy")
    done = workplace.run("dataset-project", "build", *named)
    assert done.returncode == 1
    assert "method keyboard on sentence s_001_1: TypeError" in done.stdout
    rows = {key: row for (dataset, key), row in workplace.manifest().items() if dataset == "augmented_sentences"}
    assert {key: row["status"] for key, row in rows.items()} == {
        "combo_1_aeda": "ok", "combo_1_keyboard": "failed", "combo_1_magic": "unavailable", "combo_1_copy": "ok"
    }  # fmt: skip
    assert rows["combo_1_magic"]["reason"].startswith("method magic needs the library no-such-library: pip install")
    with duckdb.connect(str(workplace.data / "catalog.duckdb"), read_only=True) as connection:
        told = connection.sql("SELECT combo_id, status, accepted FROM augmentation_report_combo_statistics").fetchall()
    assert {key: status for key, status, _ in told} == {key: row["status"] for key, row in rows.items()}

    before = {key: workplace.store.committed("augmented_sentences", key) for key in ("combo_1_aeda", "combo_1_copy")}
    entries[1]["parameters"]["min_chars"] = 4
    registry.write_text(json.dumps({"methods": entries}))
    healed = workplace.run("dataset-project", "build", *named)
    assert healed.returncode == 0, healed.stdout
    for key, record in before.items():
        assert workplace.store.committed("augmented_sentences", key) == record, f"{key} was made again"
    assert workplace.store.committed("augmented_sentences", "combo_1_keyboard").status == "ok"


def test_changed_parameters_make_only_their_combinations_stale(built, tmp_path):
    from dataset_project.augmentation.assets import augmentation_datasets
    from dataset_project.augmentation.configuration import AugmentationSettings
    from dataset_project.augmentation.methods.registry import load_registry
    from dataset_project.orchestration.planning import Planner

    fields = {name.removeprefix("DATASET_AUGMENTATION__").lower(): value for name, value in built.environment.items()
              if name.startswith("DATASET_AUGMENTATION__")}  # fmt: skip
    fields |= {"methods": METHODS, "downstream_sizes": (60,), "mode": "pairs"}
    methods = [spec.model_dump(mode="json") for spec in load_registry().methods.values()]
    next(each for each in methods if each["id"] == "keyboard")["parameters"]["share"] = 0.3
    changed = tmp_path / "registry.yaml"
    changed.write_text(json.dumps({"methods": methods}))

    def states(**more) -> dict[str, str]:
        datasets = {
            each.name: each for each in augmentation_datasets(AugmentationSettings(**fields, **more), "standard")
        }
        return {state.key: state.status for state in Planner(built.store).plan(datasets["augmented_sentences"])}

    assert states() == {**dict.fromkeys(KEYS, "ok"), **dict.fromkeys(PAIRS, "missing")}
    stale = {**dict.fromkeys(KEYS, "ok"), "combo_1_keyboard": "stale", **dict.fromkeys(PAIRS, "missing")}
    assert states(registry=str(changed)) == stale


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"REGISTRY": "nowhere.yaml"}, "registry nowhere.yaml cannot be read"),
        ({"METHODS": '["keybord"]'}, "no method 'keybord'; there are: name_swap"),
        ({"METHODS": "[]", "MODE": "bounded_k", "MAX_COMBOS": "100"}, "the cap is 100: choose fewer methods"),
    ],
)
def test_what_cannot_be_planned_is_one_line_before_any_work(built, environment, said):
    runs = built.run_count()
    named = {f"DATASET_AUGMENTATION__{name}": value for name, value in environment.items()}
    done = built.run("dataset-project", "build", **named)
    assert done.returncode == 1 and said in done.stderr and len(done.stderr.strip().splitlines()) == 1
    assert built.run_count() == runs


def test_a_bad_table_is_one_error_and_no_combination_starts(tmp_path):
    (tmp_path / "mine.csv").write_text("sid,body,symptom,present,author\na,one,A,1,g\na,two,A,1,g\n")
    workplace = sentences_workplace(tmp_path)
    done = workplace.run("dataset-project", "build", "--partitions", "combo_1_aeda...combo_1_copy")
    assert done.returncode == 1
    assert "column sid is a duplicate id in row 2 ('a')" in done.stdout
    assert not (workplace.data / "augmented_sentences").exists()
    assert {row["status"] for (name, _), row in workplace.manifest().items() if name == "augmented_sentences"} == {
        "missing"
    }


def test_export_for_training(built, tmp_path):
    path = tmp_path / "train.parquet"
    done = built.run("dataset-project", "export", "augmentation", str(path))
    assert done.returncode == 0, done.stderr
    table = pd.read_parquet(path)
    originals = table[table["is_original"]]
    assert len(originals) == 407 and set(originals["split"]) == {"train", "val", "test"}
    variants = table[~table["is_original"]]
    assert set(variants["split"]) == {"train"} and set(variants["combo_id"]) == set(KEYS) - {"combo_1_copy"}
    assert table["id"].is_unique and f"{len(variants):,} variants of 3 combinations" in done.stdout
    # No sentence of val or test has a variant among what is trained on.
    held_out = set(originals.loc[originals["split"] != "train", "post_id"])
    assert not held_out & set(variants["post_id"])

    csv_path = tmp_path / "one.csv"
    command = ("dataset-project", "export", "augmentation", str(csv_path), "--combo", "combo_1_copy", "--no-originals")
    done = built.run(*command, "--split", "train", "--split", "test")
    assert done.returncode == 0, done.stderr
    one = pd.read_csv(csv_path, dtype=str)
    assert set(one["combo_id"]) == {"combo_1_copy"} and set(one["split"]) == {"train", "test"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("out.txt",), "an export is one of .parquet, .csv"),
        (("out.csv", "--combo", "combo_1_nobody"), "no combination 'combo_1_nobody'; there are 4"),
    ],
)
def test_exports_that_cannot_be(built, arguments, said):
    done = built.run("dataset-project", "export", "augmentation", *arguments)
    assert done.returncode != 0 and said in done.stderr
    assert not (built.directory / arguments[0]).exists()
