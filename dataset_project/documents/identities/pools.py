"""The pools of identities, drawn or read back, and their people by id.

Drawing the tables is done in `tables` and `staff`, whose makers are named here for whoever freezes them to files.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from dataset_project.documents.identities import people, schemas, tables
from dataset_project.documents.identities.columns import Shares
from dataset_project.documents.identities.rows import Employee, Facility, Patient, Provider, Row, row_at
from dataset_project.documents.identities.staff import employees_table, providers_table
from dataset_project.documents.identities.tables import facilities_table, patients_table

__all__ = ["Pools", "employees_table", "facilities_table", "generate", "patients_table", "providers_table"]

SCHEMAS: Mapping[str, pa.Schema] = {
    "patients": schemas.PATIENTS,
    "providers": schemas.PROVIDERS,
    "facilities": schemas.FACILITIES,
    "employees": schemas.EMPLOYEES,
}
"""Table name → its schema."""


@dataclass(frozen=True, eq=False)
class Pools:
    """Everyone whom documents may be about. Rows are made when asked for: the pools stay as small as their columns.

    Raises ValueError for a table that is empty or has other columns than its schema, and for a person at no facility.
    """

    patients: pa.Table
    providers: pa.Table
    facilities: pa.Table
    employees: pa.Table

    def __post_init__(self) -> None:
        for name, schema in SCHEMAS.items():
            table: pa.Table = getattr(self, name)
            if not table.schema.equals(schema):
                raise ValueError(f"the table of {name} differs from its schema in: {_differences(table, schema)}")
            if not table.num_rows:
                raise ValueError(f"the table of {name} is empty")
        known = self.facilities["id"].combine_chunks()
        for name, column in (
            *(("patients", "facility_id"), ("patients", "other_facility_id")),
            *(("providers", "facility_id"), ("employees", "facility_id")),
        ):
            if not pc.all(pc.is_in(getattr(self, name)[column], known)).as_py():
                raise ValueError(f"{name}: {column} names a facility that is not in the pool")

    def patient(self, patient_id: str) -> Patient:
        """The patient with an id (``P0000001`` …); KeyError for none."""
        return self._row("patients", patient_id, Patient)

    def provider(self, provider_id: str) -> Provider:
        """The provider with an id (``D000001`` …); KeyError for none."""
        return self._row("providers", provider_id, Provider)

    def facility(self, facility_id: str) -> Facility:
        """The facility with an id (``F0001`` …); KeyError for none."""
        return self._row("facilities", facility_id, Facility)

    def employee(self, employee_id: str) -> Employee:
        """The employee with an id (``E000001`` …); KeyError for none."""
        return self._row("employees", employee_id, Employee)

    def ids(self, name: str) -> list[str]:
        """Ids of a table, in its order."""
        return getattr(self, name)["id"].to_pylist()

    def providers_at(self, facility_id: str) -> tuple[str, ...]:
        """Ids of the providers of a facility, in order; of all providers when it has none."""
        return self._staff("providers").get(facility_id) or tuple(self._places("providers"))

    def employees_at(self, facility_id: str) -> tuple[str, ...]:
        """Like `providers_at`, of employees."""
        return self._staff("employees").get(facility_id) or tuple(self._places("employees"))

    @functools.cached_property
    def _known(self) -> dict[str, tuple[dict[str, int], list[pa.Array]]]:
        return {
            name: (
                {each: number for number, each in enumerate(self.ids(name))},
                [column.combine_chunks() for column in getattr(self, name).columns],
            )
            for name in SCHEMAS
        }

    @functools.cached_property
    def _at(self) -> dict[str, dict[str, tuple[str, ...]]]:
        found = {}
        for name in ("providers", "employees"):
            at: dict[str, list[str]] = {}
            for each, place in zip(self.ids(name), getattr(self, name)["facility_id"].to_pylist(), strict=True):
                at.setdefault(place, []).append(each)
            found[name] = {place: tuple(members) for place, members in at.items()}
        return found

    def _staff(self, name: str) -> dict[str, tuple[str, ...]]:
        return self._at[name]

    def _places(self, name: str) -> dict[str, int]:
        return self._known[name][0]

    def _row(self, name: str, each: str, kind: type[Row]) -> Row:
        places, columns = self._known[name]
        if each not in places:
            raise KeyError(f"{each!r} is none of the {len(places):,} {name} of the pool")
        return row_at(columns, places[each], kind)


def _differences(table: pa.Table, schema: pa.Schema) -> str:
    found, expected = ({field.name: field for field in each} for each in (table.schema, schema))
    odd = [name for name in {**expected, **found} if str(found.get(name)) != str(expected.get(name))]
    return ", ".join(odd) or "another order"


def generate(
    seed: int,
    reference_date: date,
    *,
    patients: int,
    providers: int,
    facilities: int = tables.FACILITIES,
    employees: int = 200,
    ambiguous: float = people.AMBIGUOUS_SHARE,
    shares: Mapping[str, Shares] | None = None,
) -> Pools:
    """All pools drawn from a seed, without files between."""
    return Pools(
        patients_table(patients, seed, reference_date, facilities=facilities, ambiguous=ambiguous, shares=shares),
        providers_table(providers, seed, facilities=facilities, ambiguous=ambiguous, shares=shares),
        facilities_table(facilities, seed, shares=shares),
        employees_table(employees, seed, reference_date, facilities=facilities, ambiguous=ambiguous),
    )
