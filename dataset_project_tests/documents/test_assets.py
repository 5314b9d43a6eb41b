"""The datasets through the spine's shards: published, validated, the same for any order and number of shards."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest

from dataset_project.documents.assets import document_datasets
from dataset_project.documents.configuration import DocumentSettings
from dataset_project.orchestration.shards import ShardRun, run_shard
from dataset_project.storage.store import DatasetStore
from dataset_project_tests.support import file_hashes

SMALL = DocumentSettings(documents=60, documents_per_batch=30, patients=300, providers=40, facilities=6)


def _published(directory, shards) -> DatasetStore:
    store = DatasetStore(directory)
    pools, plan, documents = document_datasets(SMALL, "demo")
    for dataset, dealt in ((pools, [pools.keys]), (plan, shards), (documents, shards)):
        for number, keys in enumerate(dealt):
            records = run_shard(dataset, keys, store, ShardRun("run", "run", str(number)))
            assert {record.status for record in records} == {"ok"}, [record.reason for record in records]
    return store


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> DatasetStore:
    return _published(tmp_path_factory.mktemp("documents"), [("batch_0000", "batch_0001")])


def test_every_planned_document_is_a_file_with_a_neutral_name(store):
    for key in ("batch_0000", "batch_0001"):
        record = store.committed("phi_documents", key)
        assert (record.items_planned, record.items_ok, record.items_failed) == (30, 30, 0)
        files = sorted(name for name in record.files if name.startswith("files/"))
        plan = store.read("document_plan", key).to_pylist()
        assert [name.split(".")[0] for name in files] == [f"files/doc_{row['doc_id']}" for row in plan]
        documents = store.read("phi_documents", key, table="documents").to_pylist()
        assert sorted(row["path"] for row in documents if row["path"]) == files
        assert record.facts["spans"] == store.read("phi_documents", key, table="spans").num_rows > 100


def test_order_and_shards_change_no_byte(store, tmp_path):
    other = _published(tmp_path, [("batch_0001",), ("batch_0000",)])
    assert file_hashes(other.local_path()) == file_hashes(store.local_path()) != {}


def test_more_documents_change_no_earlier_batch(store, tmp_path):
    larger = SMALL.model_copy(update={"documents": 90})
    pools, plan, documents = document_datasets(larger, "demo")
    other = DatasetStore(tmp_path)
    for dataset in (pools, plan, documents):
        run_shard(
            dataset, [key for key in dataset.keys if key in ("all", "batch_0001")], other, ShardRun("r", "r", "0")
        )
    mine, theirs = (each.committed("phi_documents", "batch_0001") for each in (store, other))
    assert mine.sha256 == theirs.sha256 and mine.fingerprint == theirs.fingerprint
    assert len(documents.keys) == 3


def test_the_dataset_wide_checks_hold(store):
    from dataset_project.orchestration.work import published_files

    documents = document_datasets(SMALL, "demo")[2]
    files = [published_files(store, documents, key, store.local_path()) for key in documents.keys]
    findings = {each.name: each.judge(files) for each in documents.validators if each.scope == "dataset"}
    assert {name: finding.summary for name, finding in findings.items() if not finding.passed} == {}
    assert set(findings) == {"splits_kept", "class_not_predictable", "coverage"}


def test_a_format_that_has_no_place_is_refused():
    with pytest.raises(ValueError, match="no format docs"):
        DocumentSettings(formats={"docs": 1})
    with pytest.raises(ValueError, match="leave room for negatives"):
        DocumentSettings(positives=0.9, pii_only=0.2)


def test_a_document_that_cannot_be_made_fails_its_batch_and_leaves_nothing(store, tmp_path, monkeypatch):
    from dataset_project.documents import generation

    whole = generation.make

    def broken(planned, *arguments):
        if planned.number == 7:
            raise ValueError("no such layout")
        return whole(planned, *arguments)

    monkeypatch.setattr(generation, "make", broken)
    pools, plan, documents = document_datasets(SMALL, "demo")
    other = DatasetStore(tmp_path)
    for dataset in (pools, plan):
        run_shard(dataset, dataset.keys, other, ShardRun("r", "r", "0"))
    records = run_shard(documents, documents.keys, other, ShardRun("r", "r", "0"))
    assert [record.status for record in records] == ["failed", "ok"]
    assert "d0000007" in records[0].reason and "no such layout" in records[0].reason
    assert other.committed("phi_documents", "batch_0000") is None
    assert pq.read_table(other.local_path("phi_documents/partition=batch_0001/spans.parquet")).num_rows > 0
