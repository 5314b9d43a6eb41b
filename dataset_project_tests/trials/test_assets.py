"""The family's datasets as the spine runs them, what makes them anew, and what a user is told of bad input."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner

from dataset_project.llm.configuration import LlmSettings
from dataset_project.orchestration.planning import Planner
from dataset_project.orchestration.shards import ShardRun, run_shard
from dataset_project.orchestration.work import published_files
from dataset_project.storage.store import DatasetStore
from dataset_project.trials import assets
from dataset_project.trials.assets import trial_datasets
from dataset_project.trials.configuration import TrialSettings
from dataset_project.trials.schemes.loading import InvalidScheme
from dataset_project.trials.trial import BUCKET_KEYS
from dataset_project_tests.end_to_end.trials_workplace import ANSWERS, made_up_trials, trials_workplace, write_trials
from dataset_project_tests.llm.server import loopback_server
from dataset_project_tests.support import ROOT

SCHEMES = ROOT / "dataset_project" / "trials" / "resources" / "schemes"
NAMES = ["trial_records", "categorized_trials", "categorization_report"]
LOCAL = LlmSettings(base_url="http://127.0.0.1:9/v1", requests_per_minute=None, tokens_per_minute=None)


def _datasets(directory: Path, llm: LlmSettings = LOCAL, **settings):
    return trial_datasets(TrialSettings(**settings), llm, directory / "llm", 7, processes=1)


def _build(directory: Path, llm: LlmSettings = LOCAL, **settings):
    """Store and records by dataset, made by the spine's own shards."""
    store = DatasetStore(directory)
    datasets = _datasets(directory, llm, **settings)
    run = ShardRun("run", "run", "0")
    return store, datasets, {each.name: run_shard(each, each.keys, store, run) for each in datasets}


def _findings(store, dataset, key: str = "all") -> dict[str, bool]:
    files = published_files(store, dataset, key, Path("unused"))
    return {each.name: each.judge(files).passed for each in dataset.validators}


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """Six trials, among them one twice and one without a usable id."""
    path = tmp_path_factory.mktemp("source") / "mine.csv"
    write_trials(path, made_up_trials(6))
    with open(path, "a", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["NCT91000001", "Another", "gout", ""], ["NCT1", "Nothing", "gout", ""]])
    return path


@pytest.fixture(scope="module")
def ruled(tmp_path_factory, source):
    return _build(tmp_path_factory.mktemp("ruled"), source=str(source))


def test_every_dataset_is_made_and_every_record_accounted_for(ruled):
    store, _, records = ruled
    (read,) = records["trial_records"]
    assert (read.status, read.items_planned, read.items_ok, read.items_rejected) == ("ok", 8, 6, 2)
    assert read.facts == {"rejected_conflicting_nct_id": 1, "rejected_malformed_nct_id": 1}
    assert {record.status for record in records["categorized_trials"]} == {"ok", "empty"}
    rows = store.read("categorized_trials")
    assert sorted(rows["nct_id"].to_pylist()) == [trial.nct_id for trial in made_up_trials(6)]
    (report,) = records["categorization_report"]
    assert report.status == "ok" and report.facts == {"trials": 6, "failed": 0}
    files = store.committed("categorization_report", "all").files
    assert {"README.md", "pictures/categories.png"} <= set(files) and "pictures/confusion.png" not in files
    assert report.cost_usd == 0 and not (store.local_path("llm")).exists(), "rules open no ledger"


def test_an_empty_bucket_is_published_whole_and_judged_like_any_other(ruled):
    store, (_, categorised, _), records = ruled
    empty = next(record for record in records["categorized_trials"] if record.status == "empty")
    table = store.read("categorized_trials", empty.partition)
    assert table.num_rows == 0 and table.schema.names[0] == "nct_id" and empty.items_planned == 0
    assert _findings(store, categorised, empty.partition) == {"one_row_per_trial": True, "categories_recomputed": True}


def test_a_published_file_that_is_tampered_with_is_found(ruled, tmp_path):
    import shutil

    import pyarrow.parquet as pq

    store, datasets, records = ruled
    shutil.copytree(store.local_path(""), tmp_path / "copy")
    other = DatasetStore(tmp_path / "copy")
    key = next(record.partition for record in records["categorized_trials"] if record.status == "ok")
    path = other.local_path(f"categorized_trials/partition={key}/data.parquet")
    table = pq.read_table(path)
    pq.write_table(table.slice(0, 0), path)
    assert _findings(other, datasets[1], key) == {"one_row_per_trial": False, "categories_recomputed": True}
    assert not _findings(other, datasets[2])["counts_recomputed"]
    assert all(_findings(store, datasets[2]).values())


@pytest.mark.parametrize("scheme", ["therapeutic_area", "kras_g12d_crc", str(SCHEMES / "kras_g12d_crc.yaml")])
@pytest.mark.parametrize("categoriser", ["rules", "llm", "cascade"])
def test_datasets_are_declared_for_every_categoriser_and_scheme(tmp_path, categoriser, scheme):
    records, categorised, report = _datasets(tmp_path, categoriser=categoriser, scheme=scheme)
    assert [each.name for each in (records, categorised, report)] == NAMES
    assert categorised.keys == BUCKET_KEYS and records.keys == report.keys == ("all",)
    asks = categoriser != "rules"
    assert all((value is not None) == asks for value in (categorised.session, categorised.pool, categorised.estimate))
    assert (categorised.tolerated_failures > 0) == asks, "rules cannot fail: a failure would be a fault of the software"
    checks = {each.name: each.blocking for each in report.validators}
    assert checks == {"counts_recomputed": True, "agreement_floor": False} | (
        {"cost_recomputed": False} if asks else {}
    )
    assert list(tmp_path.iterdir()) == [], "declaring writes nothing"


OWN_SCHEME = """
id: aim
version: "1"
title: Aim
question: What is it for?
instructions: Read it.
facts:
  - {name: aim, kind: enum, description: Its aim., values: {cure: To cure., other: Else.}, merge: first}
categories:
  - {id: cure, title: Cure, description: Cures.}
  - {id: other, title: Other, description: Else.}
rules:
  - {category_from: aim, reason: "{aim}"}
"""


def test_a_scheme_of_ones_own_needs_a_model(tmp_path):
    path = tmp_path / "aim.yaml"
    path.write_text(OWN_SCHEME)
    for categoriser in ("rules", "cascade"):
        with pytest.raises(ValueError, match="scheme aim has no offline rules; set DATASET_TRIALS__CATEGORISER=llm"):
            _datasets(tmp_path, scheme=str(path), categoriser=categoriser)
    _, categorised, report = _datasets(tmp_path, scheme=str(path), categoriser="llm")
    assert categorised.description.startswith("Aim: ") and "rules" not in report.resources
    with pytest.raises(InvalidScheme, match="cannot be read: No such file"):
        _datasets(tmp_path, scheme=str(tmp_path / "gone.yaml"))


def _fingerprints(directory: Path, llm: LlmSettings = LOCAL, **settings) -> dict[str, str]:
    planner = Planner(DatasetStore(directory))
    return {each.name: planner.fingerprint(each, each.keys[0]) for each in _datasets(directory, llm, **settings)}


def _anew(tmp_path, before: dict, after: dict, llm: LlmSettings = LOCAL) -> set[str]:
    """Datasets that settings ``after`` make anew where ``before`` was built."""
    one, other = _fingerprints(tmp_path, **before), _fingerprints(tmp_path, llm, **after)
    return {name for name in NAMES if one[name] != other[name]}


ALL, DECIDED, REPORT, NOTHING = set(NAMES), set(NAMES[1:]), {NAMES[2]}, set()
ASKING = {"categoriser": "llm"}
CASCADE = {"categoriser": "cascade"}


@pytest.mark.parametrize(
    ("settings", "change", "anew"),
    [
        ({}, {"scheme": "kras_g12d_crc"}, DECIDED),
        ({}, {"categoriser": "llm"}, DECIDED),
        ({}, {"columns": {"conditions": "disease"}}, ALL),
        ({}, {"agreement_floor": 0.5}, REPORT),
        ({}, {"gold": "gone.csv"}, REPORT),
        ({}, {"model": "other", "votes": 3, "max_output_tokens": 500}, NOTHING),
        ({}, {"page_size": 10, "api_url": "https://mirror.example/api/v2"}, NOTHING),
        (ASKING, {"model": "other"}, DECIDED),
        (ASKING, {"reasoning_effort": None}, DECIDED),
        (ASKING, {"max_criteria_tokens": 600}, DECIDED),
        (ASKING, {"max_output_tokens": 600}, DECIDED),
        (ASKING, {"strong_model": "other", "votes": 3, "confident": 0.5}, NOTHING),
        (ASKING, {"tolerated_failures": 0.5}, NOTHING),
        (CASCADE, {"strong_model": "other"}, DECIDED),
        (CASCADE, {"votes": 3}, DECIDED),
        (CASCADE, {"confident": 0.5}, DECIDED),
    ],
)
def test_what_reaches_a_row_makes_it_anew_and_nothing_else(tmp_path, source, settings, change, anew):
    own = {"source": str(source)} | settings
    assert _anew(tmp_path, own, own | change) == anew


@pytest.mark.parametrize(
    "change",
    [
        {"base_url": "https://other.example/v1"},
        {"requests_per_minute": 1, "tokens_per_minute": 1_000},
        {"budget_usd": 1.0},
        {"max_in_flight": 1, "timeout_s": 5, "max_attempts": 1, "lease_s": 1},
        {"api_key_variable": "OTHER_KEY"},
        {"input_usd_per_million": 1, "output_usd_per_million": 1},
    ],
    ids=lambda change: next(iter(change)),
)
def test_how_models_are_reached_makes_nothing_anew(tmp_path, source, change):
    own = {"source": str(source)} | CASCADE
    assert _anew(tmp_path, own, own, LOCAL.model_copy(update=change)) == NOTHING


def test_contents_count_and_names_do_not(tmp_path, source, monkeypatch):
    copy = tmp_path / "copy.csv"
    copy.write_bytes(source.read_bytes())
    assert _anew(tmp_path, {"source": str(source)}, {"source": str(copy)}) == NOTHING
    copy.write_bytes(source.read_bytes() + b"NCT91000099,One more,gout,\n")
    assert _anew(tmp_path, {"source": str(source)}, {"source": str(copy)}) == ALL
    scheme = tmp_path / "mine.yaml"
    text = (SCHEMES / "kras_g12d_crc.yaml").read_text()
    scheme.write_text(f"# a comment\n{text}")
    own = {"source": str(source), "scheme": "kras_g12d_crc"}
    assert _anew(tmp_path, own, own | {"scheme": str(scheme)}) == NOTHING
    scheme.write_text(text.replace("Cannot enrol", "May not enrol"))
    assert _anew(tmp_path, own, own | {"scheme": str(scheme)}) == DECIDED
    before = {kind: _fingerprints(tmp_path, **own, categoriser=kind) for kind in ("rules", "llm")}
    monkeypatch.setattr(assets, "rules_hash", lambda: "other rules")
    after = {kind: _fingerprints(tmp_path, **own, categoriser=kind) for kind in ("rules", "llm")}
    changed = {kind: {name for name in NAMES if before[kind][name] != after[kind][name]} for kind in before}
    # The report of a model compares it with the rules.
    assert changed == {"rules": DECIDED, "llm": REPORT}


def test_the_registry_is_not_read_again_unless_the_question_changes(tmp_path):
    own = {"source": "clinicaltrials.gov", "query": "asthma"}
    assert _anew(tmp_path, own, own | {"page_size": 10}) == NOTHING
    assert _anew(tmp_path, own, own | {"query": "COPD"}) == ALL
    assert _anew(tmp_path, own, own | {"max_trials": 10}) == ALL


def test_a_models_report_tells_usage_by_the_model_asked_for_at_a_cost_that_is_checked(tmp_path, source):
    prices = {"input_usd_per_million": 1.0, "output_usd_per_million": 10.0}
    asking = {"source": str(source), "categoriser": "llm", "model": "house", "reasoning_effort": None}
    faults = [{"kind": "invalid_schema", "count": 2}]
    with loopback_server(answers=ANSWERS, model_name="house-2026-01-01", faults=faults) as server:
        llm = LOCAL.model_copy(update={"base_url": server.url, **prices})
        store, datasets, records = _build(tmp_path, llm, **asking)
    assert {record.status for each in records.values() for record in each} <= {"ok", "empty"}, records
    (usage,) = store.read("categorization_report", table="usage").to_pylist()
    assert (usage["model"], usage["calls"], usage["failed_calls"]) == ("house", 8, 2)
    assert set(store.read("categorized_trials")["model"].to_pylist()) == {"house"}
    spent = sum(record.cost_usd for record in records["categorized_trials"])
    assert usage["cost_usd"] == pytest.approx(spent) and spent > 0
    (agreement,) = store.read("categorization_report", table="agreement").to_pylist()
    assert (agreement["scope"], agreement["trials"], agreement["brier"]) == ("rules", 6, None)
    assert "pictures/cost_and_throughput.png" in store.committed("categorization_report", "all").files
    assert all(_findings(store, datasets[2]).values())
    dearer = _datasets(tmp_path, llm.model_copy(update={"output_usd_per_million": 20.0}), **asking)[2]
    assert _findings(store, dearer) == {"counts_recomputed": True, "agreement_floor": True, "cost_recomputed": False}


@pytest.fixture
def at_home(tmp_path, monkeypatch):
    """A working directory with nothing in it, and the environment of a new user who only wants trials."""
    monkeypatch.chdir(tmp_path)
    for name in ("DAGSTER_HOME", "DATASET_DATA_DIR", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATASET_FAMILIES", '["trials"]')
    monkeypatch.setenv("COLUMNS", "200")
    return monkeypatch


def _told(monkeypatch, *arguments: str, **settings: str) -> tuple[int, str]:
    from dataset_project.cli.main import main

    for name, value in settings.items():
        monkeypatch.setenv(f"DATASET_TRIALS__{name.upper()}", value)
    result = CliRunner().invoke(main, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return result.exit_code, result.output


@pytest.mark.parametrize("command", ["plan", "build", "status"])
@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"scheme": "gone.yaml"}, "Error: gone.yaml: cannot be read: No such file or directory; give the path of "),
        (
            {"scheme": "therapeutic-area"},
            "Error: therapeutic-area: no scheme of this name is shipped; use kras_g12d_crc",
        ),
        ({"scheme": "bad.yaml"}, "Error: bad.yaml: version: is missing (and 6 more); add it"),
        (
            {"max_trials": "5"},
            "Error: DATASET_TRIALS: max_trials needs source=clinicaltrials.gov: a file is taken whole",
        ),
    ],
)
def test_what_can_be_told_before_anything_is_done_is_told_by_every_command(at_home, tmp_path, command, settings, said):
    (tmp_path / "bad.yaml").write_text("id: aim\n")
    code, output = _told(at_home, command, "trials", **settings)
    assert code == 1 and output.startswith(said) and output.count("\n") == 1, output
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"source": "gone.csv"}, "gone.csv does not exist; check the path"),
        ({"columns": '{"nct_id":"studdy"}'}, "mine.csv has no column studdy (nct_id); it has nct_id, brief_title, "),
        ({"columns": '{"nctid":"nct_id"}'}, "columns: nctid is no field of a trial; the fields are nct_id, "),
        (
            {"model": "unheard-of"},
            "no list price is known for the model unheard-of at api.openai.com: set DATASET_LLM__",
        ),
    ],
)
def test_a_dry_run_tells_of_a_bad_source_or_model_and_sends_nothing(at_home, tmp_path, settings, said):
    write_trials(tmp_path / "mine.csv", made_up_trials(3))
    code, output = _told(at_home, "plan", "trials", **({"source": "mine.csv", "categoriser": "llm"} | settings))
    assert code == 1 and f"Error: categorized_trials: {said}" in output and "Traceback" not in output
    assert not (tmp_path / "data" / "llm").exists()


def test_a_dry_run_before_the_first_build_says_what_it_would_take(at_home, tmp_path):
    write_trials(tmp_path / "mine.csv", made_up_trials(30))
    code, output = _told(at_home, "plan", "trials", source="mine.csv", categoriser="cascade", votes="3")
    assert code == 0 and "20 not built yet" in output
    for line in ("trials           ", "of which 0 need a model", "nothing to send"):
        assert line in output, output
    code, output = _told(at_home, "plan", "trials", categoriser="llm")
    assert "30, of which 30 need a model" in output and "$10.00 left: enough" in output and "set by " in output


def test_exports_say_what_to_do_when_there_is_nothing_to_export(at_home):
    assert _told(at_home, "export", "trials", "x.csv") == (
        1, "Error: nothing to export: build it first with `dataset-project build trials`\n",
    )  # fmt: skip
    code, output = _told(at_home, "export", "trial-calls", "x.csv")
    assert code == 1 and output.startswith("Error: no model was asked yet: there is no ledger in ")


@pytest.mark.parametrize(("command", "words"), [
    ("plan", ("Computes nothing, sends nothing to a model", "Without FAMILY: all of them")),
    ("status", ("may be asked while a build runs", "--follow")),
    ("export trials", ("PATH ends in .parquet or .csv", "fact_<name>", "--partial")),
    ("export trial-calls", ("failed ones too", "PATH ends in .parquet or .csv")),
])  # fmt: skip
def test_help_says_what_a_command_does(at_home, command, words):
    code, output = _told(at_home, *command.split(), "--help")
    flat = " ".join(output.split())
    assert code == 0 and all(each in flat for each in words), output
    assert all("..." not in line for line in _told(at_home, "export", "--help")[1].split("Commands:")[1:])


def test_a_build_tells_of_a_bad_source_and_of_bad_gold_and_keeps_what_is_good(tmp_path):
    (tmp_path / "gold.csv").write_text("nct_id,scheme,categories\nNCT91000001,therapeutic_area,lungs\n")
    workplace = trials_workplace(tmp_path, DATASET_TRIALS__SOURCE="mine.csv", DATASET_TRIALS__GOLD="gold.csv")
    done = workplace.run("dataset-project", "build", "trials")
    assert done.returncode == 1 and "InvalidSource: mine.csv does not exist; check the path" in done.stdout
    write_trials(tmp_path / "mine.csv", made_up_trials(3))
    done = workplace.run("dataset-project", "build", "trials")
    said = "InvalidGold: gold.csv, line 2: 'lungs' is no category of therapeutic_area; it has blood_immune, "
    assert done.returncode == 1 and said in " ".join(done.stdout.split()), done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert len(workplace.store.read("categorized_trials")) == 3, "categories are kept, whatever the gold"
    exported = workplace.run("dataset-project", "export", "trials", "out.csv")
    assert exported.returncode == 0 and "out.csv: 3 of 3 trials" in exported.stdout
