"""Pools as they are drawn are sound; each person spoilt is named."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataset_project.documents.identities import pools
from dataset_project.documents.validation.pool_rules import pools_are_sound
from dataset_project_tests.documents.validation.conftest import POOLS, REFERENCE, change_rows


@pytest.fixture
def tables(tmp_path):
    people = pools.generate(3, REFERENCE, patients=300, providers=40, facilities=6, employees=40)
    for name in POOLS:
        pq.write_table(getattr(people, name), tmp_path / f"{name}.parquet")
    return {name: tmp_path / f"{name}.parquet" for name in POOLS}


def test_drawn_pools_pass(tables):
    finding = pools_are_sound(tables, REFERENCE)
    assert finding.passed, finding.summary
    assert (finding.figures["patients"], finding.figures["facilities"]) == (300, 6)
    assert finding.figures["values_checked"] > 300 * 20


@pytest.mark.parametrize(
    ("table", "change", "said"),
    [
        ("patients", lambda rows: rows[5].update(id=rows[9]["id"]), "ids that occur twice: 1 (patients id P0000010"),
        ("patients", lambda rows: rows[5].update(id="X1"), "malformed ids: 1 (patients X1)"),
        ("patients", lambda rows: rows[5].update(ssn=rows[9]["ssn"]), "numbers that several have: 1 (patients ssn"),
        (
            "patients",
            lambda rows: rows[5].update(facility_id=rows[9]["facility_id"], mrn=rows[9]["mrn"]),
            "P0000006, P0000010",
        ),
        (
            "patients",
            lambda rows: [
                row.update(other_facility_id=other["facility_id"], other_mrn=other["mrn"])
                for row, other in zip(rows[:9], rows[20:29], strict=True)
            ],
            "too many share: 9 (patients mrn",
        ),
        (
            "patients",
            lambda rows: rows[5].update(facility_id="F0099"),
            "facilities that do not exist: 1 (patients P0000006",
        ),
        (
            "patients",
            lambda rows: rows[5].update(ssn="123456789"),
            "what they claim: 1 (patients P0000006 ssn '123456789'",
        ),
        ("patients", lambda rows: rows[5].update(mobile_phone="2125551234"), "P0000006 mobile_phone"),
        ("patients", lambda rows: rows[5].update(email="a@hospital.org"), "P0000006 email"),
        ("patients", lambda rows: rows[5].update(driver_licence="?"), "P0000006 driver_licence"),
        (
            "patients",
            lambda rows: rows[5].update(city="Nowhere"),
            "places that do not belong together: 1 (patients P0000006",
        ),
        ("patients", lambda rows: rows[5].update(birth_date=date(2030, 1, 1)), "P0000006 birth_date 2030-01-01"),
        ("patients", lambda rows: [row.update(username="same12") for row in rows], "too many share"),
        (
            "providers",
            lambda rows: rows[2].update(npi="1234567890", npi_validity="realistic"),
            "D000003 npi '1234567890'",
        ),
        ("providers", lambda rows: rows[2].update(dea_validity="reserved"), "D000003 dea"),
        ("providers", lambda rows: rows[2].update(facility_id="F0099"), "providers D000003"),
        ("facilities", lambda rows: rows[2].update(name=rows[1]["name"]), "facilities name"),
        ("employees", lambda rows: rows[2].update(hire_date=date(2030, 1, 1)), "E000003 hire_date"),
    ],
)
def test_each_spoilt_row_is_named(tables, table, change, said):
    change_rows(tables[table], change)
    finding = pools_are_sound(tables, REFERENCE)
    assert not finding.passed and said in finding.summary


def test_schemas_and_empty_tables(tables):
    whole = pq.read_table(tables["employees"])
    pq.write_table(whole.slice(0, 0), tables["employees"])
    assert "empty tables: 1 (employees)" in pools_are_sound(tables, REFERENCE).summary
    pq.write_table(pa.table({"id": ["E000001"]}), tables["employees"])
    finding = pools_are_sound(tables, REFERENCE)
    assert not finding.passed and finding.summary.startswith("schema of employees")
