"""The identity tables: what a row may be, how rows relate, and that they depend on nothing but (seed, kind, number)."""

from __future__ import annotations

import hashlib
import json
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from dataset_project.documents.identities import columns, geography, identifiers, pools, resources, schemas
from dataset_project.documents.identities.columns import Shares
from dataset_project.documents.identities.dates import age_on
from dataset_project.documents.identities.draws import Draws
from dataset_project_tests.documents.identities.conftest import REFERENCE

LABELLED = {"npi", "dea", "mbi", "vin", "device_udi"}


def _digest(table: pa.Table) -> str:
    return hashlib.sha256(json.dumps(table.to_pydict(), default=str, sort_keys=True).encode()).hexdigest()[:16]


def test_a_larger_pool_begins_with_the_smaller_ones_people():
    small = pools.patients_table(50, 3, REFERENCE)
    assert pools.patients_table(500, 3, REFERENCE).slice(0, 50).equals(small)
    assert pools.providers_table(90, 3).slice(0, 20).equals(pools.providers_table(20, 3))
    assert pools.facilities_table(40, 3).slice(0, 5).equals(pools.facilities_table(5, 3))
    employees = pools.employees_table(60, 3, REFERENCE)
    assert employees.slice(0, 10).equals(pools.employees_table(10, 3, REFERENCE))


def test_seeds_differ_and_zero_is_one():
    tables = [pools.patients_table(30, seed, REFERENCE) for seed in (0, 1, 0)]
    assert tables[0].equals(tables[2])
    assert not tables[0]["ssn"].equals(tables[1]["ssn"])


def test_rows_are_pinned():
    # A change here changes every corpus: raise the family's version with it.
    assert _digest(pools.patients_table(40, 0, date(2024, 1, 1))) == "ecf0fad4b0bfc479"
    assert _digest(pools.providers_table(40, 0)) == "c4807c823c575289"
    assert _digest(pools.facilities_table(12, 0)) == "7255749851bb8653"
    assert _digest(pools.employees_table(40, 0, date(2024, 1, 1))) == "b6c6098a87f8f995"


def test_only_dates_follow_the_reference_date():
    early, late = (pools.patients_table(200, 0, day) for day in (date(2020, 1, 1), date(2021, 1, 1)))
    differing = [name for name in early.column_names if not early[name].equals(late[name])]
    assert differing == ["birth_date"]
    moved = np.array(late["birth_date"].to_pylist()) - np.array(early["birth_date"].to_pylist())
    assert {each.days for each in moved} == {366}


def test_schemas_describe_every_column():
    for table, schema in pools.SCHEMAS.items():
        for field in schema:
            assert len(field.metadata[b"description"]) >= 4, (table, field.name)


def test_no_null_where_none_is_allowed(people):
    for name, schema in pools.SCHEMAS.items():
        for field in schema:
            nulls = getattr(people, name)[field.name].null_count
            assert nulls == 0 if not field.nullable else nulls > 0, (name, field.name)


def test_every_number_is_what_its_label_says(people):
    for name in ("patients", "providers", "facilities"):
        table = getattr(people, name)
        for kind in LABELLED & set(table.column_names):
            labels = table[f"{kind}_validity"].to_pylist()
            for text, label in zip(table[kind].to_pylist(), labels, strict=True):
                assert text is None or identifiers.holds(kind, text, label), (kind, text, label)
            # Facilities are few.
            expected = (
                {"realistic", "reserved", "invalid_checksum"} & set(labels)
                if name == "facilities"
                else {
                    label
                    for label, weight in zip(columns.LABELS, columns.DEFAULT_SHARES[kind].weights, strict=True)
                    if weight
                }
            )
            assert set(labels) - {None} == expected


@pytest.mark.parametrize(
    ("table", "column", "kind", "validity"),
    [
        *[("patients", each, "phone", "reserved") for each in ("home_phone", "mobile_phone", "fax", "relative_phone")],
        *[("patients", each, each, "reserved") for each in ("email", "ssn", "url", "ip")],
        *[("patients", each, "mrn", "realistic") for each in ("mrn", "other_mrn")],
        *[("patients", each, each, "realistic") for each in ("member_id", "group_number", "account", "driver_licence")],
        *[("patients", each, each, "realistic") for each in ("plate", "device_serial", "biometric", "photo", "zip")],
        *[("patients", each, each, "realistic") for each in ("trial_subject", "rx_number", "username")],
        *[("providers", each, "phone", "reserved") for each in ("phone", "fax")],
        ("providers", "licence", "medical_licence", "realistic"),
        ("providers", "email", "email", "reserved"),
        *[("facilities", each, each, "reserved") for each in ("phone", "url", "email")],
        *[("employees", each, each, "reserved") for each in ("phone", "email", "ssn")],
        *[("employees", each, each, "realistic") for each in ("employee_number", "bank_account", "username")],
    ],
)
def test_every_cell_passes_the_independent_check(people, table, column, kind, validity):
    cells = getattr(people, table)[column].to_pylist()
    assert [cell for cell in cells if not identifiers.holds(kind, cell, validity)] == []


def test_numbers_are_nobody_elses(people):
    for column in ("id", "ssn", "mrn", "other_mrn", "account", "vin", "biometric", "photo", "rx_number", "device_udi"):
        assert pc.count_distinct(people.patients[column]).as_py() == people.patients.num_rows, column
    for column in ("npi", "dea"):
        assert pc.count_distinct(people.providers[column]).as_py() == people.providers.num_rows, column
    for column in ("name", "domain"):
        assert pc.count_distinct(people.facilities[column]).as_py() >= people.facilities.num_rows - 1, column


def test_a_patients_telephones_differ(people):
    rows = zip(
        *(people.patients[each].to_pylist() for each in ("home_phone", "mobile_phone", "fax", "relative_phone")),
        strict=True,
    )
    assert all(len(set(row)) == 4 for row in rows)


def test_people_live_where_their_numbers_say(people):
    known = {place.city + place.state: place for place in resources.places()}
    facility = {row["id"]: row for row in people.facilities.to_pylist()}
    for row in people.patients.to_pylist():
        assert geography.consistent(row["city"], row["state"], row["zip"])
        assert row["home_phone"][:3] == known[row["city"] + row["state"]].area_code
        assert identifiers.valid_licence(row["driver_licence"], row["state"])
        assert identifiers.valid_licence(row["plate"], row["state"], "plate")
        assert row["state"] == facility[row["facility_id"]]["state"]
        assert row["facility_id"] != row["other_facility_id"]
    for row in people.providers.to_pylist():
        assert identifiers.valid_licence(row["licence"], row["licence_state"], "medical")
        assert row["dea"][1] == resources.slug(row["family"])[0].upper()
        assert row["email"].endswith("@" + facility[row["facility_id"]]["domain"])
        assert row["credentials"] in dict(resources.specialties())[row["specialty"]]


def test_record_numbers_have_their_facilitys_style(people):
    facility = {row["id"]: row for row in people.facilities.to_pylist()}
    pattern = {style["style"]: style["pattern"] for style in resources.facility_words()["mrn_styles"]}
    seen = set()
    for row in people.patients.to_pylist():
        for at, mrn in ((row["facility_id"], row["mrn"]), (row["other_facility_id"], row["other_mrn"])):
            style = facility[at]["mrn_style"]
            seen.add(style)
            assert identifiers.of_pattern(pattern[style]).fullmatch(mrn)
            assert style != "prefixed" or mrn.startswith(facility[at]["mrn_prefix"])
    assert len(seen) >= 4


def test_ages_and_beneficiaries(people):
    ages = []
    for row in people.patients.to_pylist():
        age = age_on(row["birth_date"], REFERENCE)
        ages.append(age)
        assert row["mbi"] is None or age >= 65
        assert (row["mbi"] is None) == (row["mbi_validity"] is None)
        assert (age < 18) <= (row["relation"] in ("mother", "father", "aunt", "uncle")) or age == 18
    ages = np.array(ages)
    assert 0.02 < (ages >= 90).mean() < 0.06 and ages.max() <= 104
    assert 0.08 < (ages < 18).mean() < 0.16
    for row in people.employees.to_pylist():
        assert age_on(row["birth_date"], REFERENCE) >= 18 and row["birth_date"] < row["hire_date"] < REFERENCE


def test_ambiguous_names_are_labelled():
    words = set(resources.family_names().words)
    for share in (0.0, 0.3, 1.0):
        rows = pools.patients_table(800, 5, REFERENCE, ambiguous=share).to_pylist()
        assert all((row["family"] in words) == row["ambiguous_name"] for row in rows)
        assert abs(sum(row["ambiguous_name"] for row in rows) / 800 - share) < 0.06
    with pytest.raises(ValueError, match="ambiguous"):
        pools.patients_table(5, 0, REFERENCE, ambiguous=1.5)


def test_shares_of_validity_are_kept():
    table = pools.providers_table(3000, 1, shares={"npi": Shares(0.2, 0.5, 0.3)})
    labels = table["npi_validity"].to_pylist()
    assert abs(labels.count("reserved") / 3000 - 0.5) < 0.04
    assert abs(labels.count("invalid_checksum") / 3000 - 0.3) < 0.04


@pytest.mark.parametrize(
    ("shares", "words"),
    [
        ({"ssn": Shares()}, "not for ssn"),
        ({"dea": Shares(0.5, 0.5, 0.0)}, "no range of dea"),
        ({"device_udi": Shares()}, "reserved range"),
    ],
)
def test_impossible_shares_are_refused(shares, words):
    with pytest.raises(ValueError, match=words):
        pools.patients_table(5, 0, REFERENCE, shares=shares)


def test_shares_sum_to_one():
    with pytest.raises(ValueError, match="sum to 1"):
        Shares(0.5, 0.1, 0.1)


def test_bad_sizes_are_refused():
    with pytest.raises(ValueError, match="at least 0 patients"):
        pools.patients_table(-1, 0, REFERENCE)
    with pytest.raises(ValueError, match="at least one facility"):
        pools.providers_table(5, 0, facilities=0)
    with pytest.raises(ValueError, match="not enough"):
        pools.facilities_table(100_000, 0)


def test_an_empty_table_has_its_schema():
    assert pools.patients_table(0, 0, REFERENCE).schema.equals(schemas.PATIENTS)
    assert pools.providers_table(0, 0).schema.equals(schemas.PROVIDERS)


def test_distinct_is_a_permutation_and_a_slice_agrees():
    draws = Draws(7, "things", 35 * 40)
    values = draws.distinct("number", 35, 40)
    assert sorted(values) == list(range(1400)) and list(values) != list(range(1400))
    part = Draws(7, "things", 100, first=300)
    assert (part.distinct("number", 35, 40) == values[300:400]).all()
    assert (part.words("other") == draws.words("other")[300:400]).all()


def test_draws_are_uniform_enough():
    draws = Draws(1, "things", 20_000)
    counts = np.bincount(draws.below("die", 6), minlength=6)
    assert counts.min() > 3100 and counts.max() < 3600
    assert abs(np.corrcoef(draws.uniform("a"), draws.uniform("b"))[0, 1]) < 0.03
    assert abs(np.corrcoef(draws.uniform("a")[1:], draws.uniform("a")[:-1])[0, 1]) < 0.03
