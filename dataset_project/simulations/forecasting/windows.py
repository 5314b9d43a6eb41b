"""Forecast windows: which (anchor, history) pairs of a block exist, and the index row of each.

A window is an index row with outcomes; its samples stay in the series until ``training`` gathers them. What an
outcome is belongs to ``labels``.

Geometry, all an independent reader needs:

- samples are 5 min apart; a window of n samples has ``start = anchor - (n - 1) * 5`` and ends *at* its anchor;
- ``start >= 1440``: the warm-up day is never seen; ``anchor + 60 <= last minute``: every horizon is complete;
- anchors lie on ``anchor % stride == 0`` with the stride of the patient's split, so the anchors of a longer history
  are a subset of those of a shorter one and results can be compared window by window;
- ``window_id = patient number * 10**10 + anchor * 10**3 + n``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from dataset_project.simulations.configuration import SAMPLE_MINUTES, SimulationSettings
from dataset_project.simulations.forecasting import bitmaps
from dataset_project.simulations.forecasting.labels import HORIZON_SAMPLES, ahead, extremes_ahead, sample_labels
from dataset_project.simulations.forecasting.series_arrays import (
    WARM_UP_SAMPLES,
    SeriesArrays,
    attributes,
    patient_number,
)
from dataset_project.simulations.schemas import FORECAST_WINDOWS, HORIZONS_MINUTES, SPLITS

PATIENT_FACTOR = 10**10
ANCHOR_FACTOR = 10**3
SAMPLES_PER_HOUR = 60 // SAMPLE_MINUTES


def stride_of(split: str, settings: SimulationSettings) -> int:
    """Anchor stride of a split, minutes: training windows are dense, evaluation windows nearly independent."""
    if split not in SPLITS:
        raise ValueError(f"unknown split {split!r}: one of {', '.join(SPLITS)}")
    return settings.training_stride_minutes if split == "train" else settings.evaluation_stride_minutes


def history_samples(settings: SimulationSettings) -> tuple[int, ...]:
    """Samples of each history, ascending: 24, 72, 288 for 2, 6 and 24 h."""
    return tuple(hours * SAMPLES_PER_HOUR for hours in settings.history_hours)


def forecast_windows(series: pa.Table, patients: pa.Table, settings: SimulationSettings) -> pa.Table:
    """Index rows of a block in schema ``FORECAST_WINDOWS``, ordered by patient (series order), n_history, anchor.

    ``series`` is a GLUCOSE_TIMESERIES table sorted by patient, then minute; ``patients`` may hold more patients than
    the series. ValueError when the series is irregular or one of its patients is unknown.
    """
    block = SeriesArrays.of(series)
    splits = attributes(patients, block.patient_ids, "split")
    archetypes = attributes(patients, block.patient_ids, "archetype_id")
    segments = _segments(block, splits, settings)
    columns = _index_columns(block, segments, archetypes, splits)
    for name, bits_or_values in _outcome_columns(block, segments, history_samples(settings)).items():
        columns[name] = bits_or_values
    return pa.Table.from_arrays([columns[name] for name in FORECAST_WINDOWS.names], schema=FORECAST_WINDOWS)


def window_labels(series: pa.Table, patients: pa.Table, settings: SimulationSettings) -> dict[str, pa.BooleanArray]:
    """The 24 label columns of ``forecast_windows`` alone, same rows and order (what a benchmark of labelling times)."""
    block = SeriesArrays.of(series)
    segments = _segments(block, attributes(patients, block.patient_ids, "split"), settings)
    return _label_columns(block.matrix("plasma_mgdl"), _Gather(segments, block.shape))


@dataclass(frozen=True)
class _Segments:
    """Runs of windows in output order. One run: one patient, one history, equally spaced anchors."""

    patient: np.ndarray  # row of the block
    n_history: np.ndarray
    step: np.ndarray  # samples between anchors
    first: np.ndarray  # sample of the first anchor
    length: np.ndarray

    @property
    def rows(self) -> int:
        return int(self.length.sum())

    def spans(self) -> list[slice]:
        """Rows of each run."""
        ends = np.cumsum(self.length).tolist()
        return [slice(end - length, end) for end, length in zip(ends, self.length.tolist(), strict=True)]


def _segments(block: SeriesArrays, splits: Sequence[str], settings: SimulationSettings) -> _Segments:
    histories = np.array(history_samples(settings), dtype=np.int64)
    steps = np.array([stride_of(split, settings) // SAMPLE_MINUTES for split in splits], dtype=np.int64)
    patient = np.repeat(np.arange(len(splits)), len(histories))
    n_history = np.tile(histories, len(splits))
    step = steps[patient]
    earliest = WARM_UP_SAMPLES + n_history - 1
    latest = block.n_samples - 1 - HORIZON_SAMPLES
    first = -(-earliest // step) * step
    length = np.maximum((latest - first) // step + 1, 0)
    return _Segments(patient, n_history, step, first, length)


def _index_columns(
    block: SeriesArrays, segments: _Segments, archetypes: list[str], splits: list[str]
) -> dict[str, pa.Array]:
    numbers = [patient_number(name) for name in block.patient_ids]
    minutes = np.arange(block.n_samples, dtype=np.int32) * SAMPLE_MINUTES
    shifted = minutes.astype(np.int64) * ANCHOR_FACTOR
    kinds = {"window_id": np.int64, "start_minute": np.int32, "anchor_minute": np.int32, "n_history": np.int16}
    out = {name: _pooled(segments.rows, kind) for name, kind in kinds.items()}
    for span, patient, n, step, first in zip(
        segments.spans(),
        segments.patient.tolist(),
        segments.n_history.tolist(),
        segments.step.tolist(),
        segments.first.tolist(),
        strict=True,
    ):
        anchors = slice(first, first + (span.stop - span.start) * step, step)
        out["anchor_minute"][span] = minutes[anchors]
        np.subtract(out["anchor_minute"][span], (n - 1) * SAMPLE_MINUTES, out=out["start_minute"][span])
        np.add(shifted[anchors], numbers[patient] * PATIENT_FACTOR + n, out=out["window_id"][span])
        out["n_history"][span] = n
    return {name: pa.array(values) for name, values in out.items()} | {
        "patient_id": _named(list(block.patient_ids), list(range(len(numbers))), segments),
        "archetype_id": _coded(archetypes, segments),
        "split": _coded(splits, segments),
    }


def _coded(values: list[str], segments: _Segments) -> pa.DictionaryArray:
    names = sorted(set(values))
    code = {name: position for position, name in enumerate(names)}
    return _named(names, [code[value] for value in values], segments)


def _named(names: list[str], code_of_patient: list[int], segments: _Segments) -> pa.DictionaryArray:
    indices = _pooled(segments.rows, np.int32)
    for span, patient in zip(segments.spans(), segments.patient.tolist(), strict=True):
        indices[span] = code_of_patient[patient]
    return pa.DictionaryArray.from_arrays(pa.array(indices), pa.array(names, pa.string()), safe=False)


def _pooled(count: int, kind: type) -> np.ndarray:
    """Uninitialised array in Arrow's memory pool, which keeps pages: fresh ones cost five times the work itself."""
    return np.frombuffer(pa.allocate_buffer(count * np.dtype(kind).itemsize), dtype=kind)


def _outcome_columns(block: SeriesArrays, segments: _Segments, histories: tuple[int, ...]) -> dict[str, pa.Array]:
    plasma, cgm = block.matrix("plasma_mgdl"), block.matrix("cgm_mgdl")
    count = plasma.size
    missing = bitmaps.pack(np.isnan(cgm))
    gather = _Gather(segments, block.shape)
    columns: dict[str, pa.Array] = {}
    for horizon in HORIZONS_MINUTES:
        present = bitmaps.later(~missing, horizon // SAMPLE_MINUTES)
        values = pa.py_buffer(ahead(cgm, horizon))
        readings = pa.Array.from_buffers(pa.float32(), count, [pa.py_buffer(present), values])
        columns[f"cgm_{horizon}_mgdl"] = gather(readings)
        columns[f"plasma_{horizon}_mgdl"] = gather(pa.array(ahead(plasma, horizon)))
    lowest, highest = extremes_ahead(plasma)
    columns["plasma_min_60_mgdl"] = gather(pa.array(lowest))
    columns["plasma_max_60_mgdl"] = gather(pa.array(highest))
    columns |= _label_columns(plasma, gather)
    flagged = bitmaps.pack(block.truth("flagged"))
    valid = {n: bitmaps.to_arrow(_valid(missing, flagged, n), count) for n in histories}
    columns["valid"] = gather.by_history(valid)
    return columns


def _label_columns(plasma: np.ndarray, gather: _Gather) -> dict[str, pa.BooleanArray]:
    return {name: gather(bitmaps.to_arrow(bits, plasma.size)) for name, bits in sample_labels(plasma).items()}


def _valid(missing: np.ndarray, flagged: np.ndarray, n_history: int) -> np.ndarray:
    """Bit of the anchor: CGM is there in the whole history and at +30/+60, and nothing is flagged up to +60."""
    bad_from_start = bitmaps.any_of(missing, n_history) | bitmaps.any_of(flagged, n_history + HORIZON_SAMPLES)
    bad = bitmaps.earlier(bad_from_start, n_history - 1)
    for horizon in HORIZONS_MINUTES:
        bad = bad | bitmaps.later(missing, horizon // SAMPLE_MINUTES)
    return ~bad


class _Gather:
    """Per-sample Arrow arrays → per-window arrays: each run of windows is one slice, joined by one copy in C++."""

    def __init__(self, segments: _Segments, shape: tuple[int, int]) -> None:
        self._shape = shape
        self._steps = tuple(sorted(set(segments.step.tolist())))
        per_patient = {step: -(-shape[1] // step) for step in self._steps}
        self._slices = [
            (step, patient * per_patient[step] + first // step, length, n_history)
            for patient, n_history, step, first, length in zip(
                segments.patient.tolist(),
                segments.n_history.tolist(),
                segments.step.tolist(),
                segments.first.tolist(),
                segments.length.tolist(),
                strict=True,
            )
        ]

    def __call__(self, samples: pa.Array) -> pa.Array:
        thinned = {step: self._thin(samples, step) for step in self._steps}
        return pa.concat_arrays([thinned[step].slice(at, length) for step, at, length, _ in self._slices])

    def by_history(self, samples: dict[int, pa.Array]) -> pa.Array:
        thinned = {(step, n): self._thin(values, step) for step in self._steps for n, values in samples.items()}
        return pa.concat_arrays([thinned[step, n].slice(at, length) for step, at, length, n in self._slices])

    def _thin(self, samples: pa.Array, step: int) -> pa.Array:
        """Every ``step``-th sample of each patient, so that a run of windows is contiguous."""
        if step == 1:
            return samples
        if pa.types.is_boolean(samples.type):
            matrix = bitmaps.unpack(np.frombuffer(samples.buffers()[1], "<u8"), len(samples)).reshape(self._shape)
            kept = matrix[:, ::step]
            return bitmaps.to_arrow(bitmaps.pack(np.ascontiguousarray(kept)), kept.size)
        matrix = np.frombuffer(samples.buffers()[1], np.float32).reshape(self._shape)
        kept = np.ascontiguousarray(matrix[:, ::step])
        if samples.buffers()[0] is None:
            return pa.array(kept.reshape(-1))
        present = bitmaps.unpack(np.frombuffer(samples.buffers()[0], "<u8"), len(samples)).reshape(self._shape)
        validity = pa.py_buffer(bitmaps.pack(np.ascontiguousarray(present[:, ::step])))
        return pa.Array.from_buffers(pa.float32(), kept.size, [validity, pa.py_buffer(kept)])
