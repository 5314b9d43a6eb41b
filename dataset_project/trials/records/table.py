"""What was read → Arrow tables."""

from __future__ import annotations

import pyarrow as pa

from dataset_project.trials.records.intake import RecordsRead
from dataset_project.trials.records.schemas import TRIAL_RECORDS, TRIAL_REJECTS

# An Arrow string column holds 2 GB at most, so a big table is made of several batches.
_BATCH = 10_000


def records_table(read: RecordsRead) -> pa.Table:
    """The trials as TRIAL_RECORDS, by id."""
    batches = []
    for start in range(0, len(read.trials), _BATCH):
        part = read.trials[start : start + _BATCH]
        columns = [pa.array([getattr(trial, each.name) for trial in part], each.type) for each in TRIAL_RECORDS]
        batches.append(pa.record_batch(columns, schema=TRIAL_RECORDS))
    return pa.Table.from_batches(batches, TRIAL_RECORDS)


def rejects_table(read: RecordsRead) -> pa.Table:
    """The rejects as TRIAL_REJECTS, by position."""
    return pa.Table.from_pylist([vars(each) for each in read.rejects], TRIAL_REJECTS)
