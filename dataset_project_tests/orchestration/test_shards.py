"""A shard on its own: stores by URL, secrets, logs, tolerated failures, poisoned inputs."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from dataclasses import replace

import pytest

from dataset_project.orchestration.dataset import Outcome, Unavailable
from dataset_project.orchestration.logs import log_path, redact
from dataset_project.orchestration.shards import ShardRun, run_shard
from dataset_project.storage.store import DatasetStore
from dataset_project_tests.orchestration.tiny_family import tiny_datasets

RUN = ShardRun("run-1", "run-1", "0")


def test_the_same_files_on_a_directory_and_on_a_url(tiny):
    remote = DatasetStore(f"memory://{uuid.uuid4().hex}/data")
    hashes = []
    for store in (tiny.store, remote):
        numbers, squares, total = tiny_datasets()
        records = [
            *run_shard(numbers, numbers.keys, store, RUN),
            *run_shard(squares, squares.keys, store, RUN),
            *run_shard(total, total.keys, store, RUN),
        ]
        assert {record.status for record in records} == {"ok"}
        assert all(store.differences(record, rehash=True) == [] for record in records)
        hashes.append([record.sha256 for record in records])
    assert hashes[0] == hashes[1]
    assert remote.read("total").column("value").to_pylist() == tiny.store.read("total").column("value").to_pylist()


def test_inputs_that_are_not_there_are_named(tiny):
    numbers, squares, total = tiny_datasets()
    run_shard(numbers, ["p0"], tiny.store, RUN)
    records = run_shard(squares, ["p0", "p1"], tiny.store, RUN)
    assert [(record.status, record.reason) for record in records] == [
        ("ok", ""),
        ("failed", "needs numbers/p1, which is missing"),
    ]
    assert (
        run_shard(total, ["all"], tiny.store, RUN)[0].reason == "needs squares/p1 and 2 more, which is failed (needs "
        "numbers/p1, which is missing)"
    )


def test_items_are_accounted_for(tiny):
    def outcome(**counts):
        return replace(tiny_datasets()[0], compute=lambda work: Outcome(**counts))

    def status(dataset):
        record = run_shard(dataset, ["p0"], tiny.store, replace(RUN, force=True, run_id=uuid.uuid4().hex))[0]
        return record.status, record.reason

    strict = outcome(items_planned=10, items_ok=9, items_failed=1, reason="one broke")
    assert status(strict) == ("failed", "1 of 10 items failed: one broke")
    assert status(replace(strict, tolerated_failures=0.1, validators=())) == ("ok", "one broke")
    assert status(replace(outcome(items_planned=2, items_ok=0, items_empty=2), validators=()))[0] == "empty"
    lost = status(replace(outcome(items_planned=3, items_ok=2), validators=()))
    assert lost[0] == "failed" and "3 items were planned but 2 ended" in lost[1]


def test_secrets_reach_no_record_and_no_log(tiny, monkeypatch):
    secret = "sk-" + uuid.uuid4().hex
    monkeypatch.setenv("OPENAI_API_KEY", secret)

    def compute(work):
        work.log.info("calling with %s", secret)
        raise RuntimeError(f"401 for key {secret}")

    record = run_shard(replace(tiny_datasets()[0], compute=compute), ["p0"], tiny.store, RUN)[0]
    assert record.reason == "RuntimeError: 401 for key [redacted]"
    for path in tiny.directory.rglob("*"):
        if path.is_file():
            assert secret.encode() not in path.read_bytes(), path
    assert "[redacted]" in log_path(tiny.store, "run-1", "numbers", "0").read_text()
    assert redact("nothing to hide") == "nothing to hide"


def test_progress_hears_of_every_partition(tiny):
    heard = []
    numbers = tiny_datasets()[0]
    run_shard(
        numbers,
        numbers.keys,
        tiny.store,
        RUN,
        lambda done, total, record: heard.append((done, total, record.partition)),
    )
    assert heard == [(1, 4, "p0"), (2, 4, "p1"), (3, 4, "p2"), (4, 4, "p3")]


def test_work_may_not_leave_its_directory(tiny):
    def compute(work):
        work.path("../escaped.txt").write_text("!")

    record = run_shard(replace(tiny_datasets()[0], compute=compute), ["p0"], tiny.store, RUN)[0]
    assert "would leave the partition's directory" in record.reason
    assert not list(tiny.directory.rglob("escaped.txt"))


@pytest.mark.parametrize("error", [MemoryError("no room"), OSError(28, "No space left on device")])
def test_errors_of_the_machine_fail_the_partition_only(tiny, error):
    def compute(work):
        if work.key == "p1":
            raise error
        return Outcome(items_planned=1, items_ok=1)

    dataset = replace(tiny_datasets()[0], compute=compute, validators=())
    statuses = [record.status for record in run_shard(dataset, dataset.keys, tiny.store, RUN)]
    assert statuses == ["ok", "failed", "ok", "ok"]


def test_a_fact_that_json_cannot_hold_is_a_failure_with_a_reason(tiny):
    def compute(work):
        return Outcome(items_planned=1, items_ok=1, facts={"mean": float("nan")})

    dataset = replace(tiny_datasets()[0], compute=compute, validators=())
    record = run_shard(dataset, ["p0"], tiny.store, RUN)[0]
    assert record.status == "failed" and "facts" in record.reason
    assert tiny.store.committed("numbers", "p0") is None


def test_undeclared_inputs_cannot_be_read(tiny):
    numbers, squares, _ = tiny_datasets()
    run_shard(numbers, numbers.keys, tiny.store, RUN)
    record = run_shard(replace(squares, upstreams=()), ["p0"], tiny.store, RUN)[0]
    assert "squares does not declare numbers as upstream" in record.reason


def test_secrets_reach_no_accepted_record_either(tiny, monkeypatch):
    secret = "sk-" + uuid.uuid4().hex
    monkeypatch.setenv("SERVICE_TOKEN", secret)

    def compute(work):
        return Outcome(items_planned=2, items_ok=1, items_failed=1, reason=f"401 for {secret}", facts={"url": secret})

    dataset = replace(tiny_datasets()[0], compute=compute, validators=(), tolerated_failures=0.5)
    record = run_shard(dataset, ["p0"], tiny.store, RUN)[0]
    assert (record.status, record.reason, record.facts["url"]) == ("ok", "401 for [redacted]", "[redacted]")
    assert redact("postgresql://me:hunter2@host/db") == "postgresql://[redacted]@host/db"


def test_a_session_is_opened_once_for_what_is_to_do_and_closed_whatever_happens(tiny):
    numbers = tiny_datasets()[0]
    run_shard(numbers, ["p1"], tiny.store, RUN)
    seen: list[object] = []
    told: list[dict] = []

    @contextmanager
    def session(shard):
        seen.append([inputs.key for inputs in shard.partitions])
        try:
            yield shard
        finally:
            seen.append("closed")

    def compute(work):
        work.session.report({"requests": len(seen)})
        if work.key == "p2":
            raise RuntimeError("told to fail")
        return numbers.compute(work)

    dataset = replace(numbers, session=session, compute=compute)
    records = run_shard(dataset, dataset.keys, tiny.store, RUN, on_activity=lambda figures: told.append(dict(figures)))
    assert [record.status for record in records] == ["ok", "ok", "failed", "ok"]
    assert seen == [["p0", "p2", "p3"], "closed"] and told == [{"requests": 1}] * 3
    run_shard(dataset, ["p0", "p1"], tiny.store, RUN)
    assert len(seen) == 2, "nothing to do opens none"


@pytest.mark.parametrize(("error", "status"), [(Unavailable("no key"), "unavailable"), (ValueError("bad"), "failed")])
def test_a_session_that_cannot_be_opened_is_every_partitions_reason(tiny, error, status):
    opened: list[str] = []

    @contextmanager
    def session(shard):
        opened.append(shard.group)
        raise error
        yield

    dataset = replace(tiny_datasets()[0], session=session)
    records = run_shard(dataset, ["p0", "p1"], tiny.store, RUN)
    assert [record.status for record in records] == [status, status] and opened == ["run-1"]
    assert all(str(error) in record.reason for record in records)
