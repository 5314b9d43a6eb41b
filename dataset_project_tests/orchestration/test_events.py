"""Commit records as event metadata, and back: either can rebuild the other."""

from __future__ import annotations

import dagster as dg

from dataset_project.orchestration.events import metadata_record, record_metadata
from dataset_project.orchestration.recorded import latest_records


def test_an_event_holds_the_whole_record(tiny):
    tiny.trigger("reject", "numbers", "p3")
    tiny.build()
    with dg.DagsterInstance.get() as instance:
        for dataset in tiny.datasets():
            events = latest_records(instance, dataset)
            assert events == {key: tiny.store.committed(dataset.name, key) for key in dataset.keys}


def test_what_people_look_for_comes_first(tiny):
    tiny.build("numbers")
    record = tiny.store.committed("numbers", "p0")
    metadata = record_metadata(record, tiny.store, run_id=record.run_id)
    first = ["dagster/partition_row_count", "status", "rows", "bytes", "sha256", "reused", "path", "sum"]
    assert list(metadata)[: len(first)] == first
    assert metadata["sum"] == record.facts["sum"]


def test_an_event_of_something_else_is_no_record():
    assert metadata_record({"rows": dg.MetadataValue.int(3)}) is None
