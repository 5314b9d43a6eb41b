"""The glucose series of a block as matrices, (patients, samples).

Belongs here: the step from the long Arrow table to numpy, with a check that the table is what the schema promises
(every patient the same minutes 0, 5, 10, ..., patients not interleaved). What is computed from the matrices does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataset_project.simulations.configuration import SAMPLE_MINUTES, WARM_UP_DAYS

SAMPLES_PER_DAY = 1440 // SAMPLE_MINUTES
WARM_UP_SAMPLES = WARM_UP_DAYS * SAMPLES_PER_DAY


def patient_number(patient_id: str) -> int:
    """The number in ``patient_<number>``. ValueError for any other form."""
    prefix, _, digits = patient_id.partition("_")
    if prefix != "patient" or not digits.isdecimal():
        raise ValueError(f"a patient id is patient_<number>, not {patient_id!r}")
    return int(digits)


@dataclass(frozen=True)
class SeriesArrays:
    """A regular block of the series: ``patient_ids`` in table order and ``n_samples`` rows for each of them."""

    table: pa.Table
    patient_ids: tuple[str, ...]
    n_samples: int

    @classmethod
    def of(cls, series: pa.Table) -> SeriesArrays:
        """ValueError when the table is empty, ragged, interleaved, or its minutes are not 0, 5, 10, ..."""
        if series.num_rows == 0:
            raise ValueError("the glucose series is empty")
        minutes = _one_array(series, "minute").to_numpy()
        n_patients = int(np.count_nonzero(minutes == 0))
        n_samples = series.num_rows // n_patients if n_patients else 0
        if n_patients == 0 or n_patients * n_samples != series.num_rows:
            raise ValueError(f"{series.num_rows} series rows do not divide into {n_patients} patients that start at 0")
        grid = np.arange(n_samples, dtype=np.int32) * SAMPLE_MINUTES
        if not np.array_equal(minutes.reshape(n_patients, n_samples), np.broadcast_to(grid, (n_patients, n_samples))):
            raise ValueError("series rows must be sorted by patient, then minute, on the grid 0, 5, 10, ...")
        names = _encoded(series, "patient_id")
        codes = names.indices.to_numpy().reshape(n_patients, n_samples)
        first = codes[:, 0]
        if not (codes == first[:, None]).all() or np.unique(first).size != n_patients:
            raise ValueError("the rows of one patient must follow each other, and each patient must occur once")
        ids = names.dictionary.take(pa.array(first)).to_pylist()
        return cls(series, tuple(ids), n_samples)

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.patient_ids), self.n_samples

    def matrix(self, column: str) -> np.ndarray:
        """The column as (patients, samples), float32; a null is NaN. No copy where Arrow allows it."""
        values = _one_array(self.table, column).to_numpy(zero_copy_only=False)
        return np.ascontiguousarray(values.reshape(self.shape), dtype=np.float32)

    def truth(self, column: str) -> np.ndarray:
        """The boolean column as (patients, samples)."""
        return _one_array(self.table, column).to_numpy(zero_copy_only=False).reshape(self.shape)


def attributes(patients: pa.Table, patient_ids: tuple[str, ...], column: str) -> list[str]:
    """``column`` of the patients table for each of ``patient_ids``, in that order. ValueError if one is absent."""
    known = dict(zip(patients["patient_id"].to_pylist(), patients[column].to_pylist(), strict=True))
    absent = [name for name in patient_ids if name not in known]
    if absent:
        raise ValueError(f"{len(absent)} patients of the series are not in the patients table, first {absent[0]!r}")
    return [known[name] for name in patient_ids]


def _one_array(table: pa.Table, column: str) -> pa.Array:
    chunks = table[column]
    return chunks.chunk(0) if chunks.num_chunks == 1 else chunks.combine_chunks()


def _encoded(table: pa.Table, column: str) -> pa.DictionaryArray:
    values = table[column]
    if not pa.types.is_dictionary(values.type):
        values = pc.dictionary_encode(values)
    values = values.unify_dictionaries().combine_chunks()
    return values.chunk(0) if isinstance(values, pa.ChunkedArray) else values
