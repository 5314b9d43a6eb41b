"""A real but tiny family for the spine's tests: numbers [p0…] → squares [p0…] → total [unpartitioned].

Its compute functions do what files in the trigger directory (``TINY_TRIGGERS``) tell them: ``fail-<dataset>-<key>``
raises, ``hold-…`` waits until it is gone, ``reject-…`` and ``unavailable-…`` say so, ``invalid-…`` writes what a
validator refuses, ``kill-…`` holds how many more times the process kills itself in the middle of writing.
"""

from __future__ import annotations

import os
import signal
import time
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dataset_project.orchestration.dataset import (
    Outcome,
    PartitionedDataset,
    Rejected,
    Unavailable,
    Upstream,
    Validator,
)
from dataset_project.storage.seeding import stream
from dataset_project.storage.store import DatasetStore
from dataset_project.storage.validation import Finding

SCHEMA = pa.schema([pa.field("item", pa.string(), nullable=False), pa.field("value", pa.int64(), nullable=False)])
ROWS = 50


def _trigger(work, word: str) -> Path | None:
    path = Path(os.environ["TINY_TRIGGERS"], f"{word}-{work.dataset.name}-{work.key}")
    return path if path.exists() else None


def _obey(work) -> None:
    with Path(os.environ["TINY_TRIGGERS"], "computed.log").open("a") as log:
        log.write(f"{work.dataset.name}/{work.key}\n")
    if _trigger(work, "reject"):
        raise Rejected("the input is nonsense")
    if _trigger(work, "unavailable"):
        raise Unavailable("the library is not installed")
    if _trigger(work, "fail"):
        raise RuntimeError("told to fail")
    while _trigger(work, "hold"):
        time.sleep(0.02)
    kill = _trigger(work, "kill")
    if kill and int(kill.read_text()) > 0:
        kill.write_text(str(int(kill.read_text()) - 1))
        (work.directory / "data.parquet").write_bytes(b"half a file")
        os.kill(os.getpid(), signal.SIGKILL)


def _numbers(work) -> Outcome:
    _obey(work)
    values = stream(work.master_seed, "tiny", work.key).integers(0, 1_000, ROWS)
    if _trigger(work, "invalid"):
        values = -values - 1
    _write(work, values)
    return Outcome(items_planned=ROWS, items_ok=ROWS, facts={"sum": int(values.sum())})


def _squares(work) -> Outcome:
    _obey(work)
    values = work.read("numbers").column("value").to_numpy() ** 2
    _write(work, values)
    (work.path("notes/origin.txt")).write_text(f"{work.key}\n")
    return Outcome(items_planned=ROWS, items_ok=ROWS)


def _total(work) -> Outcome:
    _obey(work)
    totals = [
        int(table.column("value").to_numpy().sum())
        for table in map(partial(work.read, "squares"), work.keys("squares"))
    ]
    _write(work, np.array(totals))
    return Outcome(items_planned=len(totals), items_ok=len(totals))


def _write(work, values: np.ndarray) -> None:
    items = [f"{work.key}-{number}" for number in range(len(values))]
    work.write(pa.table({"item": items, "value": values.astype(np.int64)}, SCHEMA))


def _not_negative(files) -> Finding:
    lowest = min(pq.read_table(files.data).column("value").to_pylist())
    return Finding(lowest >= 0, f"lowest value {lowest}", {"lowest": lowest})


def _obedient(partitions) -> Finding:
    """A dataset-wide rule that fails or crashes when it is told to."""
    triggers = Path(os.environ["TINY_TRIGGERS"])
    if (triggers / "check-raises-numbers-all").exists():
        raise RuntimeError("told to crash")
    fails = (triggers / "check-fails-numbers-all").exists()
    return Finding(not fails, "told to fail" if fails else f"{len(partitions)} partitions")


def tiny_datasets(partitions: int = 4, code_version: str = "1") -> list[PartitionedDataset]:
    """The three datasets."""
    common = {"family": "tiny", "master_seed": 7, "schemas": {"data": SCHEMA}, "description": "tiny"}
    keys = tuple(f"p{number}" for number in range(partitions))
    rule = Validator(name="not_negative", description="no negative value", judge=_not_negative)
    obedient = Validator(name="obedient", description="does as it is told", judge=_obedient, scope="dataset")
    numbers = PartitionedDataset(
        name="numbers",
        compute=_numbers,
        partition_keys=keys,
        validators=(rule, obedient),
        code_version=code_version,
        **common,
    )
    squares = PartitionedDataset(
        name="squares",
        compute=_squares,
        partition_keys=keys,
        upstreams=(Upstream(numbers),),
        validators=(rule,),
        code_version="1",
        **common,
    )
    total = PartitionedDataset(
        name="total", compute=_total, upstreams=(Upstream(squares, "all"),), code_version="1", **common
    )
    return [numbers, squares, total]


def tiny_store() -> DatasetStore:
    return DatasetStore(os.environ["DATASET_DATA_DIR"])
