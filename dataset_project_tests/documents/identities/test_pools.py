"""Pools: rows by id, what is refused, and the way through files."""

from __future__ import annotations

import dataclasses

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataset_project.documents.identities import pools, rows


@pytest.mark.parametrize(
    ("kind", "schema"),
    [
        (rows.Patient, pools.SCHEMAS["patients"]),
        (rows.Provider, pools.SCHEMAS["providers"]),
        (rows.Facility, pools.SCHEMAS["facilities"]),
        (rows.Employee, pools.SCHEMAS["employees"]),
    ],
)
def test_rows_have_the_columns_of_their_table_in_order(kind, schema):
    assert [field.name for field in dataclasses.fields(kind)] == schema.names


def test_rows_are_found_by_id(people):
    patient = people.patient("P0000042")
    row = people.patients.slice(41, 1).to_pylist()[0]
    assert dataclasses.asdict(patient) == row
    assert people.provider("D000007").npi == people.providers["npi"][6].as_py()
    assert people.facility("F0003").unit is None
    assert people.employee("E000150").id == "E000150"
    with pytest.raises(dataclasses.FrozenInstanceError):
        patient.ssn = "000000000"


@pytest.mark.parametrize("ask", ["patient", "provider", "facility", "employee"])
def test_an_unknown_id_is_named(people, ask):
    with pytest.raises(KeyError, match="X9"):
        getattr(people, ask)("X9")


def test_staff_of_a_facility(people):
    for each in people.ids("facilities"):
        staff = people.providers_at(each)
        assert staff and all(people.provider(one).facility_id == each for one in staff)
        assert all(people.employee(one).facility_id == each for one in people.employees_at(each))


def test_a_facility_without_staff_borrows(people):
    few = pools.Pools(people.patients, people.providers.slice(0, 2), people.facilities, people.employees)
    assert few.providers_at("F0001") == ("D000001",)
    assert few.providers_at("F0009") == ("D000001", "D000002")


def test_pools_survive_parquet(people, tmp_path):
    read = {}
    for name in pools.SCHEMAS:
        pq.write_table(getattr(people, name), tmp_path / f"{name}.parquet", row_group_size=1000)
        read[name] = pq.read_table(tmp_path / f"{name}.parquet")
        assert read[name].schema.field(0).metadata[b"description"]
    again = pools.Pools(**read)
    assert again.patient("P0002900") == people.patient("P0002900")


def test_wrong_tables_are_refused(people):
    tables = {name: getattr(people, name) for name in pools.SCHEMAS}
    with pytest.raises(ValueError, match=r"patients differs.*ssn"):
        pools.Pools(**{**tables, "patients": people.patients.drop_columns(["ssn"])})
    with pytest.raises(ValueError, match=r"providers.*empty"):
        pools.Pools(**{**tables, "providers": people.providers.slice(0, 0)})
    with pytest.raises(ValueError, match="facility that is not in the pool"):
        pools.Pools(**{**tables, "facilities": people.facilities.slice(0, 3)})
    with pytest.raises(ValueError, match="another order"):
        names = list(reversed(people.employees.column_names))
        pools.Pools(**{**tables, "employees": people.employees.select(names)})
    assert isinstance(people.patients, pa.Table)
