"""The commands as people type them: real processes, a real instance, real files of a small size."""

from __future__ import annotations

import os
import shutil
import signal

import dagster as dg
import pytest
from filelock import FileLock

from dataset_project_tests.end_to_end.workplace import (
    BLOCKED,
    COHORTS,
    WHOLE,
    Workplace,
    files_with_times,
    session_members,
    wait_for,
)

PLANNED = {(dataset, key) for dataset in BLOCKED for key in COHORTS} | {(dataset, "all") for dataset in WHOLE}


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Workplace:
    """An undisturbed build: one worker, one process. Tests read it, and copy it before they change anything."""
    workplace = Workplace(tmp_path_factory.mktemp("built"))
    workplace.build("--executor", "in_process")
    return workplace


@pytest.fixture(scope="module")
def reference(built) -> dict[str, str]:
    """SHA-256 of every file of the undisturbed build."""
    hashes = built.hashes()
    assert {tuple(name.split("/")[:2]) for name in hashes} == {(name, f"partition={key}") for name, key in PLANNED}
    return hashes


@pytest.fixture
def copied(built, tmp_path) -> Workplace:
    """The undisturbed build's files and instance, to change."""
    workplace = Workplace(tmp_path / "copy")
    shutil.copytree(built.data, workplace.data)
    shutil.copytree(built.home, workplace.home)
    return workplace


def test_manifest_accounts_for_every_planned_partition(built):
    rows = built.manifest()
    assert set(rows) == PLANNED
    for (dataset, key), row in rows.items():
        record = built.store.committed(dataset, key)
        assert (row["status"], row["reason"], row["disagreement"]) == ("ok", "", "")
        assert (row["sha256"], row["rows"], row["run_id"]) == (record.sha256, record.rows, record.run_id)
        assert row["items_planned"] == row["items_ok"] > 0
        assert (built.data / row["path"] / "_commit.json").exists()
    for dataset in BLOCKED:
        assert built.events_per_partition(dataset) == dict.fromkeys(COHORTS, 1)
    for dataset in WHOLE:
        assert built.events_per_partition(dataset) == {None: 1}


def test_second_build_has_nothing_to_do(built):
    before, runs = files_with_times(built.data), built.run_count()
    assert "nothing to do" in built.build()
    assert built.run_count() == runs
    assert files_with_times(built.data) == before


def test_verify_finds_one_flipped_bit_and_build_repairs_only_that(copied, reference):
    clean = copied.run("dataset-project", "verify")
    assert clean.returncode == 0, clean.stdout + clean.stderr
    assert "14 of 14 planned partitions are published" in clean.stdout

    path = copied.data / "glucose_timeseries" / "partition=cohort_0002" / "data.parquet"
    times = path.stat()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    # The same size and time: only a hash can tell.
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    altered = copied.run("dataset-project", "verify")
    assert altered.returncode == 1
    named = [line for line in altered.stdout.splitlines() if line.startswith("altered")]
    assert len(named) == 1
    assert "glucose_timeseries/cohort_0002" in named[0]
    assert "data.parquet" in named[0]

    before = files_with_times(copied.data)
    copied.build()
    after = files_with_times(copied.data)
    rewritten = {name.rsplit("/", 1)[0] for name in reference if after[name] != before[name]}
    assert rewritten == {"glucose_timeseries/partition=cohort_0002"}
    assert copied.hashes() == reference
    repaired = copied.run("dataset-project", "verify")
    assert repaired.returncode == 0, repaired.stdout


def test_deleted_and_foreign_files_are_found(copied):
    (copied.data / "patients" / "partition=cohort_0001" / "data.parquet").unlink()
    (copied.data / "forecast_windows" / "partition=cohort_0003" / "stray.txt").write_text("not ours")
    done = copied.run("dataset-project", "verify")
    assert done.returncode == 1
    found = {tuple(line.split()[:2]) for line in done.stdout.splitlines()}
    assert ("missing", "patients/cohort_0001:") in found
    assert ("foreign", "forecast_windows/cohort_0003:") in found
    assert "2 problems" in done.stdout


@pytest.mark.slow
def test_two_workers_give_the_same_bytes(tmp_path, reference):
    workplace = Workplace(tmp_path)
    workplace.build("--executor", "multiprocess", "--workers", "2", "--shards", "2", PYTHONHASHSEED="2")
    assert workplace.hashes() == reference
    shards = {workplace.store.committed("patients", key).shard for key in COHORTS}
    assert shards == {"0", "1"}, "the work was not dealt into the shards that were asked for"


@pytest.mark.slow
def test_one_partition_at_a_time_gives_the_same_bytes(tmp_path, reference):
    workplace = Workplace(tmp_path)
    for chosen in ("cohort_0003", "cohort_0001...cohort_0002"):
        output = workplace.build("--partitions", chosen, PYTHONHASHSEED="3")
        assert "waiting training_splits" in output, "the rest cannot be built yet, and that is said"
    assert workplace.store.committed_keys("forecast_windows") == list(COHORTS[1:])
    assert {name: workplace.hashes()[name] for name in workplace.hashes()}.items() <= reference.items()
    workplace.build()
    assert workplace.hashes() == reference
    for dataset in BLOCKED:
        assert all(count >= 1 for count in workplace.events_per_partition(dataset).values())


@pytest.mark.slow
def test_force_computes_again_exactly_what_was_named(copied, reference):
    before = {key: copied.store.committed("patients", key).run_id for key in COHORTS}
    copied.build("--force", "--partitions", "cohort_0002")
    after = {key: copied.store.committed("patients", key).run_id for key in COHORTS}
    assert {key for key in COHORTS if after[key] != before[key]} == {"cohort_0002"}
    assert copied.hashes() == reference


@pytest.mark.slow
@pytest.mark.parametrize("executor", ["in_process", "multiprocess"])
def test_killed_build_goes_on_where_it_was(tmp_path, reference, executor):
    workplace = Workplace(tmp_path)
    command = ("dataset-project", "build", "--executor", executor, "--workers", "2")
    with _held_back(workplace, "glucose_timeseries", COHORTS[-1]), workplace.started(*command) as build:
        wait_for("a block of series", lambda: workplace.store.committed_keys("glucose_timeseries"), 180)
        assert build.poll() is None
        os.killpg(build.pid, signal.SIGKILL)
        assert build.wait(30) == -signal.SIGKILL
        wait_for("the end of its processes", lambda: not session_members(build.pid))
    survived = {dataset: set(workplace.store.committed_keys(dataset)) for dataset in BLOCKED}
    assert survived["patients"] == set(COHORTS)
    assert COHORTS[-1] not in survived["glucose_timeseries"]
    assert workplace.hashes().items() <= reference.items(), "what a killed build leaves under a name is whole"
    before = files_with_times(workplace.data)
    workplace.build()
    after = files_with_times(workplace.data)
    kept = {f"{dataset}/partition={key}/data.parquet" for dataset in survived for key in survived[dataset]}
    assert {name for name in kept if after[name] != before[name]} == set(), "finished partitions are not computed again"
    assert workplace.hashes() == reference
    assert set(workplace.manifest()) == PLANNED
    assert {row["disagreement"] for row in workplace.manifest().values()} == {""}, "what it published is recorded now"
    assert workplace.run("dataset-project", "verify").returncode == 0
    with workplace.instance() as instance:
        ended = {run.status for run in instance.get_runs()}
    assert ended == {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE}, "a dead build's run is not running"


@pytest.mark.parametrize(
    ("executor", "to_group"),
    [("multiprocess", True), pytest.param("in_process", False, marks=pytest.mark.slow)],
    ids=["ctrl-c", "kill -INT"],
)
def test_interrupted_build_stops_its_workers_and_keeps_what_is_done(tmp_path, reference, executor, to_group):
    workplace = Workplace(tmp_path)
    command = ("dataset-project", "build", "--executor", executor, "--workers", "2")
    with _held_back(workplace, "glucose_timeseries", "cohort_0001"), workplace.started(*command) as build:
        wait_for("a block of series", lambda: workplace.store.committed_keys("glucose_timeseries"), 180)
        # A terminal sends Ctrl-C to every process of the group, `kill -INT` to one.
        (os.killpg if to_group else os.kill)(build.pid, signal.SIGINT)
        wait_for("the end of the build", lambda: build.poll() is not None, 60)
        wait_for("the end of its workers", lambda: not session_members(build.pid), 30)
    output = (workplace.directory / "command.log").read_text()
    assert build.returncode == 130, output
    assert "interrupted" in output
    assert "Traceback" not in output
    kept = workplace.store.committed_keys("patients")
    assert kept == list(COHORTS)
    before = files_with_times(workplace.data)
    workplace.build()
    after = files_with_times(workplace.data)
    assert all(after[name] == before[name] for key in kept for name in [f"patients/partition={key}/data.parquet"])
    assert workplace.hashes() == reference


@pytest.mark.parametrize(
    ("arguments", "environment", "named"),
    [
        ((), {"DATASET_SIMULATIONS__PATIENTS": "0"}, "DATASET_SIMULATIONS__PATIENTS"),
        ((), {"DATASET_SIMULATIONS__DAYS": "-1"}, "DATASET_SIMULATIONS__DAYS"),
        ((), {"DATASET_SIMULATIONS__SCENARIO": "nonsense"}, "'nonsense'"),
        ((), {"DATASET_SIMULATIONS__SUBSTEPS": "3"}, "DATASET_SIMULATIONS__SUBSTEPS"),
        ((), {"DATASET_SIZE": "huge"}, "DATASET_SIZE"),
        (("--partitions", "cohort_9999"), {}, "'cohort_9999'"),
        (("--partitions", "cohort_0001...cohort_0000"), {}, "backwards"),
        (("nonsense",), {}, "'nonsense'"),
        ((), {"DATASET_DATA_DIR": "a_file/data"}, "a_file/data cannot be written"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_bad_input_is_one_line_before_any_work(tmp_path, arguments, environment, named):
    workplace = Workplace(tmp_path)
    (tmp_path / "a_file").write_text("in the way")
    done = workplace.run("dataset-project", "build", *arguments, **environment)
    assert done.returncode not in (0, -signal.SIGKILL)
    assert done.stdout == ""
    complaints = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert len(complaints) == 1, done.stderr
    assert named in complaints[0]
    assert done.stderr.splitlines()[-1] == complaints[0], "nothing follows the complaint"
    assert [path.name for path in tmp_path.iterdir()] == ["a_file"], "nothing may be left behind"


def test_verify_without_data_says_so(tmp_path):
    workplace = Workplace(tmp_path)
    done = workplace.run("dataset-project", "verify")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [f"Error: {workplace.data} has no manifest: nothing was built there yet"]
    assert list(tmp_path.iterdir()) == []


def test_dagster_and_dg_do_the_same_work(tmp_path, reference):
    workplace = Workplace(tmp_path, checkout=True)
    # `init` makes the Dagster home; the commands find the code location in the project's own files.
    assert workplace.run("dataset-project", "init").stdout == f"DAGSTER_HOME={workplace.home}\n"
    both = ("--select", "patients,glucose_timeseries", "--partition-range", "cohort_0000...cohort_0002")
    one = ("--assets", "patients", "--partition-range", "cohort_0002...cohort_0003")
    for command in (
        ("dagster", "asset", "materialize", "-m", "dataset_project.definitions", *both),
        ("dg", "launch", *one),
    ):
        done = workplace.run(*command)
        assert done.returncode == 0, done.stdout + done.stderr
    assert workplace.events_per_partition("patients") == {
        "cohort_0000": 1,
        "cohort_0001": 1,
        "cohort_0002": 2,
        "cohort_0003": 1,
    }
    assert workplace.events_per_partition("glucose_timeseries") == dict.fromkeys(COHORTS[:3], 1)
    again = [event for event in workplace.events("patients") if event.partition == "cohort_0002"]
    assert [event.metadata["reused"].value for event in again] == [False, True]
    expected = {name: value for name, value in reference.items() if name.split("/")[0] == "patients"} | {
        name: value
        for name, value in reference.items()
        if name.split("/")[0] == "glucose_timeseries" and "cohort_0003" not in name
    }
    assert workplace.hashes() == expected


@pytest.mark.parametrize(
    ("command", "verdict"),
    [
        (("dagster", "definitions", "validate"), "Validation successful for code location dataset_project"),
        (("dg", "check", "defs"), "All definitions loaded successfully"),
    ],
    ids=["dagster", "dg"],
)
def test_definitions_are_valid_from_the_root_of_the_repository(tmp_path, command, verdict):
    workplace = Workplace(tmp_path, checkout=True)
    workplace.home.mkdir()
    done = workplace.run(*command)
    assert done.returncode == 0, done.stdout + done.stderr
    assert verdict in done.stdout + done.stderr
    assert not workplace.data.exists(), "loading the definitions writes nothing"


@pytest.mark.slow
@pytest.mark.parametrize("command", [("dagster", "definitions", "validate"), ("dg", "check", "defs")], ids=" ".join)
def test_settings_that_make_no_sense_fail_the_definitions_in_their_own_words(tmp_path, command):
    workplace = Workplace(tmp_path, checkout=True)
    workplace.home.mkdir()
    done = workplace.run(*command, DATASET_SIMULATIONS__PATIENTS="0")
    assert done.returncode != 0
    assert "DATASET_SIMULATIONS__PATIENTS: input should be greater than or equal to 1" in done.stdout + done.stderr


def _held_back(workplace: Workplace, dataset: str, key: str) -> FileLock:
    """The lock of one partition: while it is held, a build cannot get past that one, whatever the machine's speed."""
    directory = workplace.data / ".work" / dataset
    directory.mkdir(parents=True)
    return FileLock(directory / f"{key}.lock")
