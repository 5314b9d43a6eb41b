"""Runs in many processes: killed shards, poisonous partitions, two builds at once, the same bytes for any of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import dagster as dg
import pytest

from dataset_project_tests.support import TinyProject, file_hashes, last_json


def _build(tiny, *arguments, **environment) -> dict:
    done = tiny.build_in_processes(*arguments, **environment)
    assert done.returncode == 0, done.stderr[-2000:]
    return last_json(done.stdout)


def _reference(tmp_path_factory) -> dict[str, str]:
    """Bytes of an undisturbed build in this process."""
    project = TinyProject(tmp_path_factory.mktemp("reference"))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in project.environment.items():
            patch.setenv(name, value)
        assert project.build().succeeded
    return file_hashes(project.directory / "data")


@pytest.fixture(scope="module")
def reference(tmp_path_factory) -> dict[str, str]:
    return _reference(tmp_path_factory)


def test_two_workers_and_many_shards_give_the_same_bytes(tiny, reference):
    assert _build(tiny, TINY_SHARDS="3")["failed"] == {}
    assert file_hashes(tiny.directory / "data") == reference
    assert len(reference) == 4 + 4 * 2 + 1


def test_one_partition_at_a_time_gives_the_same_bytes(tiny, reference):
    for key in ("p3", "p0", "p2", "p1"):
        assert tiny.build("numbers", "squares", keys={key}).succeeded
    assert tiny.build().succeeded
    assert file_hashes(tiny.directory / "data") == reference


def test_killed_shard_is_retried_within_the_run(tiny, reference):
    kill = tiny.trigger("kill", "numbers", "p2", "1")
    result = _build(tiny)
    assert kill.read_text() == "0"
    assert result["failed"] == {}
    assert all(succeeded for _, succeeded in result["runs"])
    assert file_hashes(tiny.directory / "data") == reference
    counts = tiny.computed()
    assert counts.pop("numbers/p2") == 2
    assert set(counts.values()) == {1}, "what was published before the kill is not computed again"


def test_partition_that_keeps_killing_its_process_is_recorded_and_the_others_go_on(tiny):
    tiny.trigger("kill", "numbers", "p0", "99")
    result = _build(tiny, TINY_SHARDS="1")
    assert list(result["failed"]) == ["numbers"]
    assert "2 processes died" in result["failed"]["numbers"]["p0"]
    assert tiny.store.committed_keys("squares") == ["p1", "p2", "p3"]
    assert result["waiting"] == {"squares": ["p0"], "total": ["all"]}


def test_many_poisonous_partitions_in_one_shard_are_all_recorded(tiny):
    for key in ("p0", "p1", "p2"):
        tiny.trigger("kill", "numbers", key, "99")
    result = _build(tiny, TINY_SHARDS="1")
    assert sorted(result["failed"]["numbers"]) == ["p0", "p1", "p2"]
    assert all("died while computing it" in reason for reason in result["failed"]["numbers"].values())
    assert tiny.store.committed_keys("squares") == ["p3"]


def _start(tiny) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "dataset_project_tests.orchestration.tiny_build"],
        env={**os.environ, **tiny.environment, "TINY_EXECUTOR": "multiprocess"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )


def _wait_for(condition, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "what was waited for did not happen"
        time.sleep(0.02)


def test_killed_run_is_resumed_and_computes_only_what_is_missing(tiny, reference):
    hold = tiny.trigger("hold", "numbers", "p3")
    run = _start(tiny)
    try:
        _wait_for(lambda: len(tiny.store.committed_keys("numbers")) >= 2 and tiny.computed()["numbers/p3"])
    finally:
        os.killpg(run.pid, signal.SIGKILL)
        run.communicate()
    published = set(tiny.store.committed_keys("numbers"))
    assert "p3" not in published
    assert not tiny.store.local_path("numbers", "partition=p3", "data.parquet").exists()
    hold.unlink()
    before = tiny.computed()
    assert tiny.build().succeeded
    assert file_hashes(tiny.directory / "data") == reference
    assert {key for key in published if tiny.computed()[f"numbers/{key}"] != before[f"numbers/{key}"]} == set()


def test_two_builds_at_once_compute_nothing_twice(tiny, reference):
    with dg.DagsterInstance.get() as instance:
        instance.get_runs_count()  # two processes that create one SQLite database at once may wait for each other
    hold = tiny.trigger("hold", "numbers", "p0")
    first, second = _start(tiny), _start(tiny)
    try:
        _wait_for(lambda: tiny.computed()["numbers/p0"])
        hold.unlink()
        outputs = [each.communicate(timeout=200)[0] for each in (first, second)]
    finally:
        for each in (first, second):
            if each.poll() is None:
                os.killpg(each.pid, signal.SIGKILL)
                each.communicate()
    assert [last_json(output)["failed"] for output in outputs] == [{}, {}]
    assert file_hashes(tiny.directory / "data") == reference
    assert set(tiny.computed().values()) == {1}
