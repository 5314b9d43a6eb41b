"""The categories as one table for use elsewhere, and the calls behind them.

A row is a trial with what people look for first: id, title, conditions, category, reason, facts one by one. A partial
export takes what is published, and of other buckets the trials whose answers are in the ledger already.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from dataset_project.llm.on_record import answers_on_record, calls_on_record
from dataset_project.trials.categorisers.driver import finished
from dataset_project.trials.categorisers.ready import ready_categoriser
from dataset_project.trials.categorisers.table import categorised_table
from dataset_project.trials.configuration import TrialSettings
from dataset_project.trials.schemes.loading import load_scheme
from dataset_project.trials.trial import trials_from_rows

FORMATS = (".parquet", ".csv")
_FROM_RECORDS = ("brief_title", "overall_status", "phases", "conditions", "interventions")
_DELIMITER = " | "
_SCHEME = ("scheme", "scheme_version")
_BUILD = "run `dataset-project build trials` first"


def finished_rows(settings: TrialSettings, directory: Path, records: pa.Table) -> pa.Table:
    """CATEGORIZED_TRIALS of those of ``records`` (TRIAL_RECORDS) that can be categorised without asking anything
    further: by rules, or from answers in the ledger of ``directory``."""
    scheme = load_scheme(settings.scheme)
    categoriser = ready_categoriser(scheme, settings)
    trials = trials_from_rows(records.to_pylist())
    return categorised_table(finished(categoriser, trials, lambda keys: answers_on_record(directory, keys)), scheme)


def export_table(records: pa.Table, categorised: Iterable[pa.Table]) -> pa.Table:
    """Trials with their categories, by id; lists joined by `` | ``, facts as columns ``fact_<name>``.

    Raises ValueError for categories that do not belong together (of several schemes, of records read since): what is
    published is then out of date in part.
    """
    tables = list(categorised)
    used = {pair for table in tables for pair in zip(*(table[name].to_pylist() for name in _SCHEME), strict=True)}
    if len(used) > 1 or any(not table.schema.equals(tables[0].schema) for table in tables):
        raise ValueError(f"the published buckets are of several category schemes; {_BUILD}")
    rows = pa.concat_tables(tables).sort_by([("nct_id", "ascending")])
    wanted = records.select(["nct_id", *_FROM_RECORDS])
    by_id = {row["nct_id"]: row for row in wanted.to_pylist()}
    ids = rows["nct_id"].to_pylist()
    if unknown := [nct_id for nct_id in ids if nct_id not in by_id]:
        raise ValueError(f"{unknown[0]} is categorised but no longer among the records; {_BUILD}")
    of_rows = [by_id[nct_id] for nct_id in ids]
    columns: dict[str, pa.Array | pa.ChunkedArray | list] = {"nct_id": rows["nct_id"]}
    for name in _FROM_RECORDS:
        columns[name] = pa.array([_joined(row[name]) for row in of_rows], pa.string())
    for name in ("scheme", "category", "category_reason", "confidence", "categoriser", "model", "status", "error"):
        columns[name] = rows[name]
    facts = rows["facts"].combine_chunks()
    for field, values in zip(facts.type, facts.flatten(), strict=True):
        columns[f"fact_{field.name}"] = (
            pa.array([_joined(value) for value in values.to_pylist()], pa.string())
            if pa.types.is_list(field.type)
            else values
        )
    return pa.table(columns)


def _joined(value: str | Sequence[str | Mapping[str, str]] | None) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return _DELIMITER.join(each if isinstance(each, str) else f"{each['type']}: {each['name']}" for each in value)


def calls_table(directory: Path) -> pa.Table:
    """The table trial_calls: one row per call to a model. Raises FileNotFoundError where none was ever made."""
    calls = calls_on_record(directory)
    if calls is None:
        raise FileNotFoundError(f"no model was asked yet: there is no ledger in {directory}")
    return calls


def write_table(path: Path, table: pa.Table) -> None:
    """Write ``table`` to ``path`` (.parquet or .csv), whole or not at all. Raises ValueError for another suffix."""
    import pyarrow.csv as pc
    import pyarrow.parquet as pq

    if path.suffix not in FORMATS:
        raise ValueError(f"{path.name}: an export is one of {', '.join(FORMATS)}")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        if path.suffix == ".parquet":
            pq.write_table(table, temporary, compression="zstd")
        else:
            pc.write_csv(table, temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
