"""Training windows: index rows joined with their samples, one fixed-size list per channel, one file per split.

Fixed-size lists keep a window's samples side by side, so zstd removes the overlap of neighbouring windows; 72 wide
columns would be twenty times larger. The windows are gathered block by block and batch by batch: memory does not grow
with the number of blocks. Which windows exist is decided in ``windows``; how channels are normalised in
``normalisation``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataset_project.simulations.configuration import SAMPLE_MINUTES
from dataset_project.simulations.forecasting.normalisation import Normalisation, channel_matrices
from dataset_project.simulations.forecasting.series_arrays import SeriesArrays
from dataset_project.simulations.schemas import FORECAST_WINDOWS, HORIZONS_MINUTES, LABEL_COLUMNS, SPLITS

# 2.4 MB a batch of 2 h histories: it stays in cache, and the next batch reuses its pages.
BATCH_WINDOWS = 8_192
_ROW_GROUP_BATCHES = 8
CHANNELS = {
    "cgm": ("sensor glucose of the history, oldest first, the anchor last", "mg/dL"),
    "insulin": ("basal and bolus insulin delivered in the step that begins at the sample", "U"),
    "carbs": ("carbohydrate the patient announced in the step that begins at the sample", "g"),
}
TARGETS = tuple(f"{signal}_{horizon}_mgdl" for signal in ("cgm", "plasma") for horizon in HORIZONS_MINUTES)
_IDENTITY = ("window_id", "patient_id", "archetype_id", "anchor_minute", "split")


def training_schema(n_history: int) -> pa.Schema:
    """Columns of the materialised windows: identity, three ``float32[n_history]`` channels, targets, labels.

    ``n_history``: samples, 24, 72 or 288. Targets are never null here: only valid windows are materialised.
    """
    if n_history < 1:
        raise ValueError(f"n_history must be positive, got {n_history}")
    lists = pa.list_(pa.field("sample", pa.float32(), nullable=False), n_history)
    fields = [FORECAST_WINDOWS.field(name) for name in _IDENTITY]
    for name, (description, unit) in CHANNELS.items():
        fields.append(pa.field(name, lists, nullable=False, metadata={"description": description, "unit": unit}))
    fields += [FORECAST_WINDOWS.field(name).with_nullable(False) for name in (*TARGETS, *LABEL_COLUMNS)]
    return pa.schema(fields, metadata={"n_history": str(n_history)})


def gather_windows(series: pa.Table, windows: pa.Table, n_history: int) -> pa.Table:
    """All valid windows of ``n_history`` samples with their samples, in the order of ``windows``.

    ValueError when the series is irregular or a window leaves it. For bounded memory use ``gather_batches``.
    """
    schema = training_schema(n_history)
    return pa.Table.from_batches(list(gather_batches(series, windows, n_history)), schema=schema).combine_chunks()


def gather_batches(
    series: pa.Table, windows: pa.Table, n_history: int, batch_windows: int = BATCH_WINDOWS
) -> Iterator[pa.RecordBatch]:
    """``gather_windows`` in record batches of at most ``batch_windows`` rows."""
    schema = training_schema(n_history)
    block = SeriesArrays.of(series)
    index_columns = [name for name in schema.names if name not in CHANNELS]
    kept = _valid_windows(windows.select([*index_columns, "valid", "n_history"]), n_history)
    first = _first_samples(block, kept, n_history)
    index = {name: kept[name].chunk(0) for name in kept.column_names}
    channels = {name: _windows_of(matrix.reshape(-1), n_history) for name, matrix in channel_matrices(block).items()}
    for begin in range(0, kept.num_rows, batch_windows):
        starts = first[begin : begin + batch_windows]
        columns = {name: values.slice(begin, starts.size) for name, values in index.items()}
        for name, histories in channels.items():
            samples = pa.array(histories[starts].view(np.float32))
            columns[name] = pa.FixedSizeListArray.from_arrays(samples, type=schema.field(name).type)
        yield pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema)


def _windows_of(flat: np.ndarray, n_history: int) -> np.ndarray:
    """Every window of ``flat`` as one opaque item, overlapping its neighbours: (size - n_history + 1,).

    Indexing items copies a window at once; indexing the rows of a two-dimensional view takes twice as long.
    """
    item = np.dtype((np.void, n_history * flat.itemsize))
    return np.ndarray((flat.size - n_history + 1,), item, buffer=flat, strides=flat.strides)


def _valid_windows(windows: pa.Table, n_history: int) -> pa.Table:
    """The rows to gather, one chunk per column."""
    wanted = pc.and_(windows["valid"], pc.equal(windows["n_history"], pa.scalar(n_history, pa.int16())))
    wanted = wanted.combine_chunks()
    windows = windows.drop_columns(["valid", "n_history"]).unify_dictionaries().combine_chunks()
    if windows.num_rows == 0:
        return windows.schema.empty_table()
    # Column by column: Table.filter goes through row indices here and takes ten times as long.
    kept = [column.chunk(0).filter(wanted) for column in windows.columns]
    return pa.Table.from_arrays(kept, schema=windows.schema)


def _first_samples(block: SeriesArrays, windows: pa.Table, n_history: int) -> np.ndarray:
    """Position of each window's first sample in the flattened block."""
    if windows.num_rows == 0:
        return np.empty(0, dtype=np.int64)
    names = windows["patient_id"].chunk(0)
    row_of = {name: row for row, name in enumerate(block.patient_ids)}
    unknown = -(2**50)
    begins = [row_of[name] * block.n_samples if name in row_of else unknown for name in names.dictionary.to_pylist()]
    start = windows["anchor_minute"].to_numpy() // SAMPLE_MINUTES - (n_history - 1)
    first = np.array(begins, dtype=np.int64)[names.indices.to_numpy()]
    if first.min() < 0:
        raise ValueError("windows name a patient that the series does not hold")
    if start.min() < 0 or start.max() + n_history > block.n_samples:
        raise ValueError(f"a window of {n_history} samples leaves the series of {block.n_samples} samples")
    first += start
    return first


class SplitWriter(Protocol):
    """Where the windows of one split go."""

    def write(self, table: pa.Table) -> None:
        """Append rows; each call is a row group."""


@dataclass(frozen=True)
class WrittenSplits:
    """What ``write_splits`` wrote: rows per split, and the normalisation fitted on train."""

    rows: dict[str, int]
    normalisation: Normalisation


def index_columns(n_history: int) -> list[str]:
    """Columns of ``forecast_windows`` that ``write_splits`` reads."""
    names = training_schema(n_history).names
    return [name for name in FORECAST_WINDOWS.names if name in names or name in ("n_history", "valid")]


def write_splits(
    blocks: Iterable[tuple[pa.Table, pa.Table]], writers: Mapping[str, SplitWriter], n_history: int
) -> WrittenSplits:
    """Write every valid window of ``n_history`` samples to the writer of its split.

    ``blocks``: (series, windows) of whole patients, in the order of the rows; one is in memory at a time. ValueError
    when no train sample exists.
    """
    schema = training_schema(n_history)
    rows, normalisation = dict.fromkeys(SPLITS, 0), Normalisation()
    for series, windows in blocks:
        windows = windows.filter(pc.equal(windows["n_history"], n_history))
        train = windows.filter(pc.equal(windows["split"], "train"))["patient_id"].unique().to_pylist()
        normalisation.add(series, train)
        for split in SPLITS:
            batches = gather_batches(series, windows.filter(pc.equal(windows["split"], split)), n_history)
            while group := list(islice(batches, _ROW_GROUP_BATCHES)):
                table = pa.Table.from_batches(group, schema=schema)
                writers[split].write(table)
                rows[split] += table.num_rows
    return WrittenSplits(rows, normalisation)
