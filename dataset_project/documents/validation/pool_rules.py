"""What must hold for the identity pools: ids, references, numbers as declared, and nobody with another's number."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pyarrow as pa

from dataset_project.documents.identities.geography import consistent
from dataset_project.documents.identities.identifiers import holds, valid_licence
from dataset_project.documents.identities.pools import SCHEMAS
from dataset_project.documents.validation.problems import Problems
from dataset_project.documents.validation.published_rows import table_at
from dataset_project.storage.published import Files, open_tables, paths_of, schema_differences, validator
from dataset_project.storage.validation import Finding

CHECKED = 20_000
"""Rows of a table whose numbers are checked one by one, evenly spread; counting is done on all."""
MOST_SHARED = 0.005
"""Share of people who may have another's number of the kinds that have few digits or are made of a name."""

_IDS = {"patients": "P[0-9]{7,}", "providers": "D[0-9]{6,}", "facilities": "F[0-9]{4,}", "employees": "E[0-9]{6,}"}
_UNIQUE: Mapping[str, tuple[str, ...]] = {
    "patients": (
        *("ssn", "mbi", "account", "vin", "device_serial", "device_udi", "biometric", "photo", "trial_subject"),
        *("rx_number", "facility_id, mrn", "other_facility_id, other_mrn"),
    ),
    "providers": ("npi", "dea"),
    "facilities": ("npi", "name", "domain", "email", "url"),
    "employees": ("ssn", "employee_number", "bank_account"),
}
"""Numbers that nobody shares: alone, or together with who hands them out."""
_RARELY_SHARED: Mapping[str, tuple[str, ...]] = {
    "patients": ("plan, member_id", "state, driver_licence", "state, plate", "email", "username", "url"),
    "employees": ("email", "username"),
    "providers": ("email", "username", "licence_state, licence"),
}
_KINDS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "patients": {
        **{name: (name, "reserved") for name in ("ssn", "email", "url", "ip")},
        **{name: ("phone", "reserved") for name in ("home_phone", "mobile_phone", "fax", "relative_phone")},
        "relative_email": ("email", "reserved"),
        **{name: (name, "") for name in ("mbi", "vin", "device_udi")},
        **{name: (name, "realistic") for name in ("mrn", "member_id", "group_number", "account", "device_serial")},
        **{
            name: (name, "realistic")
            for name in ("biometric", "photo", "trial_subject", "rx_number", "username", "zip")
        },
        "other_mrn": ("mrn", "realistic"),
    },
    "providers": {
        **{name: (name, "") for name in ("npi", "dea")},
        **{name: ("phone", "reserved") for name in ("phone", "fax")},
        "email": ("email", "reserved"),
        "username": ("username", "realistic"),
    },
    "facilities": {
        "npi": ("npi", ""),
        **{name: ("phone", "reserved") for name in ("phone", "fax")},
        **{name: (name, "reserved") for name in ("email", "url")},
        "zip": ("zip", "realistic"),
    },
    "employees": {
        **{name: (name, "reserved") for name in ("ssn", "phone", "email")},
        **{name: (name, "realistic") for name in ("employee_number", "bank_account", "username", "zip")},
    },
}
"""Table → column → its check, and the validity of all its values; empty where a column beside it says so."""
_LICENCES = {
    "patients": (("driver_licence", "state", "driver"), ("plate", "state", "plate")),
    "providers": (("licence", "licence_state", "medical"),),
}


@validator
def pools_are_sound(files: Files, reference_date: date) -> Finding:
    """Schemas; ids unique and of their form; facilities exist; identifiers as their validity says; births before the
    reference date; no number of one that is another's. ``files``: patients, providers, facilities, employees."""
    for table, schema in SCHEMAS.items():
        if wrong := schema_differences(files, table, schema):
            return Finding(False, f"schema of {table}: {wrong[0]}", {"problems": 1})
    problems = Problems()
    figures: dict[str, Any] = {}
    with open_tables(files, *SCHEMAS) as connection:
        for table in SCHEMAS:
            figures[table] = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            if not figures[table]:
                problems.add("empty tables", table)
            _check_ids(problems, connection, table)
            for columns in _UNIQUE[table]:
                for told, _ in _shared(connection, table, columns):
                    problems.add("numbers that several have", told)
            for columns in _RARELY_SHARED.get(table, ()):
                shared = _shared(connection, table, columns)
                people = sum(count - 1 for _, count in shared)
                if people > 1 + MOST_SHARED * figures[table]:
                    problems.add("addresses and numbers that too many share", shared[0][0], people)
        # Usual and other record numbers are drawn apart, so that in large pools two may be the same at a facility.
        twice = connection.execute("""
            SELECT a.id, b.id, a.mrn FROM patients AS a JOIN patients AS b
            ON a.facility_id = b.other_facility_id AND a.mrn = b.other_mrn AND a.id <> b.id ORDER BY 1, 2
        """).fetchall()
        if len(twice) > 1 + MOST_SHARED * figures["patients"]:
            told = f"patients mrn {twice[0][2]}: {twice[0][0]}, {twice[0][1]}"
            problems.add("addresses and numbers that too many share", told, len(twice))
    checked = sum(_check_rows(problems, files, table, reference_date) for table in SCHEMAS)
    figures["values_checked"] = checked
    everyone = figures["patients"] + figures["providers"] + figures["employees"]
    return problems.finding(
        f"{everyone:,} people, {figures['facilities']:,} facilities: {checked:,} values hold", figures
    )


def _check_ids(problems: Problems, connection: Any, table: str) -> None:
    for told, _ in _shared(connection, table, "id"):
        problems.add("ids that occur twice", told)
    for (name,) in connection.execute(
        f"SELECT id FROM {table} WHERE NOT regexp_full_match(id, '{_IDS[table]}') ORDER BY id"
    ).fetchall():
        problems.add("malformed ids", f"{table} {name}")
    columns = [name for name in SCHEMAS[table].names if name.endswith("facility_id")]
    for column in columns:
        for name, facility in connection.execute(
            f"SELECT id, {column} FROM {table} WHERE {column} NOT IN (SELECT id FROM facilities) ORDER BY id"
        ).fetchall():
            problems.add("people at facilities that do not exist", f"{table} {name} {column} {facility}")


def _shared(connection: Any, table: str, columns: str) -> list[tuple[str, int]]:
    """(what several rows have the same, with the first and last id; how many have it) for each such value.

    ``columns``: the last one is the value.
    """
    value = columns.rpartition(", ")[2]
    rows = connection.execute(
        f"SELECT {value}, min(id), max(id), count(*) FROM {table} WHERE {value} IS NOT NULL GROUP BY {columns} "
        f"HAVING count(*) > 1 ORDER BY 2"
    ).fetchall()
    return [(f"{table} {value} {number}: {first}, {last}", count) for number, first, last, count in rows]


def _check_rows(problems: Problems, files: Files, table: str, reference_date: date) -> int:
    """Numbers of a table one by one; returns how many."""
    (path,) = paths_of(files, table)
    rows = table_at(path)
    if rows.num_rows > CHECKED:
        rows = rows.take(pa.array(range(0, rows.num_rows, -(-rows.num_rows // CHECKED))))
    ids, checked = rows["id"].to_pylist(), 0
    for column, (kind, label) in _KINDS[table].items():
        labels = [label] * len(ids) if label else rows[f"{column}_validity"].to_pylist()
        for name, text, validity in zip(ids, rows[column].to_pylist(), labels, strict=True):
            if text is None and validity is None:
                continue
            checked += 1
            if text is None or validity is None or not holds(kind, text, validity):
                problems.add("numbers that are not what they claim", f"{table} {name} {column} {text!r}, {validity}")
    for column, state, kind in _LICENCES.get(table, ()):
        for name, text, code in zip(*(rows[each].to_pylist() for each in ("id", column, state)), strict=True):
            checked += 1
            if not valid_licence(text, code, kind):
                problems.add("numbers that are not what they claim", f"{table} {name} {column} {text!r} of {code}")
    if "city" in rows.column_names:
        for name, *place in zip(*(rows[each].to_pylist() for each in ("id", "city", "state", "zip")), strict=True):
            if not consistent(*place):
                problems.add("places that do not belong together", f"{table} {name} {', '.join(place)}")
    for column in ("birth_date", "hire_date"):
        if column in rows.column_names:
            for name, day in zip(ids, rows[column].to_pylist(), strict=True):
                if day >= reference_date:
                    problems.add("dates not before the reference date", f"{table} {name} {column} {day}")
    return checked
