"""CSV and Parquet files of trials, read a part at a time. Which column is what is decided in `columns`."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from dataset_project.trials.records.columns import find_columns, intervention_type, trial_of_row
from dataset_project.trials.records.errors import InvalidSource
from dataset_project.trials.records.intake import Intake

_DELIMITERS = (",", "\t", ";")
_BATCH = 1_000
# The csv module's own limit is 131,072 characters. A cell beyond this one is an unclosed quote that swallows the file.
_MOST_CELL = 64_000_000


def read_csv(open_stream: Callable[[], BinaryIO], where: str, columns: Mapping[str, str], intake: Intake) -> None:
    """Every row of a CSV (separated by commas, tabs or semicolons) into ``intake``; a row with another number of cells
    than the header becomes a reject, blank lines do not count. ``open_stream`` may be called several times.

    Raises InvalidSource for a header that `find_columns` refuses, quotes that do not match, and what is not UTF-8.
    """
    delimiter = _delimiter(open_stream, where, columns)
    csv.field_size_limit(max(csv.field_size_limit(), _MOST_CELL))
    line = 1
    with open_stream() as stream, io.TextIOWrapper(stream, "utf-8-sig", newline="") as text:
        rows = csv.reader(text, delimiter=delimiter, strict=True)
        try:
            header = next((row for row in rows if row), [])
            found = find_columns(header, columns, where)
            kind = intervention_type(header[found["interventions"]]) if "interventions" in found else ""
            for row in rows:
                line = rows.line_num
                if len(row) == len(header):
                    intake.take(trial_of_row({field: row[place] for field, place in found.items()}, kind))
                elif row:
                    place = found["nct_id"]
                    detail = f"{len(row)} cells where the header has {len(header)}, line {line}"
                    intake.refuse("not_a_study", detail, row[place].strip().upper() if place < len(row) else None)
        except csv.Error as error:
            raise InvalidSource(
                f"{where} is not a readable table: {error}, in the row after line {line}; "
                "check that quotes are closed and doubled inside a cell"
            ) from None
        except UnicodeDecodeError:
            raise InvalidSource(
                f"{where} is not UTF-8, somewhere after line {line}; convert it, for example with iconv"
            ) from None


def _delimiter(open_stream: Callable[[], BinaryIO], where: str, columns: Mapping[str, str]) -> str:
    """The first delimiter under which the header makes sense; the comma, whose error will be told, if none does."""
    with open_stream() as stream:
        first = next((line for line in stream if line.strip()), b"").decode("utf-8-sig", "replace")
    for delimiter in _DELIMITERS:
        try:
            find_columns(next(csv.reader([first], delimiter=delimiter)), columns, where)
        except (InvalidSource, csv.Error):
            continue
        return delimiter
    return ","


def read_parquet(path: Path, where: str, columns: Mapping[str, str], intake: Intake) -> None:
    """Every row of a Parquet file into ``intake``. Text, lists of text, and for interventions lists of structs with
    ``type`` and ``name`` are read. Raises InvalidSource for a header that `find_columns` refuses, a damaged file and
    columns of another type.
    """
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            found = find_columns(schema.names, columns, where)
            for field, place in found.items():
                _require_type(schema.field(place), field, where)
            kind = intervention_type(schema.names[found["interventions"]]) if "interventions" in found else ""
            names = [schema.names[place] for place in found.values()]
            batches = file.iter_batches(_BATCH, columns=sorted(set(names)))
            for values in chain.from_iterable(_rows(batch, names) for batch in batches):
                intake.take(trial_of_row(dict(zip(found, values, strict=True)), kind))
    except (pa.ArrowException, OSError) as error:
        raise InvalidSource(f"{where} is not a readable Parquet file: {str(error).splitlines()[0][:200]}") from None


def _rows(batch: pa.RecordBatch, names: list[str]) -> Iterator[tuple]:
    return zip(*(batch.column(name).to_pylist() for name in names), strict=True)


def _require_type(column: pa.Field, field: str, where: str) -> None:
    kind = column.type
    needs = "text or a list of text"
    if field == "interventions":
        needs += " or of structs with type and name"
        element = kind.value_type if _is_list(kind) else None
        if element is not None and pa.types.is_struct(element) and {"type", "name"} <= {each.name for each in element}:
            return
    if _is_list(kind):
        kind = kind.value_type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if not (_is_text(kind) or pa.types.is_null(kind)):
        raise InvalidSource(f"{where}: column {column.name} ({field}) is {column.type}; {needs} is needed")


def _is_list(kind: pa.DataType) -> bool:
    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
