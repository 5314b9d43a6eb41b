"""The tables of people who work at facilities: providers, who treat patients, and employees, who do not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import pyarrow as pa

from dataset_project.documents.identities import columns, people, resources, schemas, tables
from dataset_project.documents.identities.columns import Shares
from dataset_project.documents.identities.draws import Draws, digits, joined, put_back, take, text


def providers_table(
    count: int,
    seed: int,
    *,
    facilities: int = tables.FACILITIES,
    ambiguous: float = people.AMBIGUOUS_SHARE,
    shares: Mapping[str, Shares] | None = None,
) -> pa.Table:
    """``count`` providers, schema `schemas.PROVIDERS`, dealt to the facilities in turn so that none is without."""
    shares = columns.checked(shares)
    known = tables.facilities_known(seed, facilities)
    draws = Draws(seed, "providers", count)
    at = draws.numbers % facilities
    names, cells = people.named(draws, ambiguous), people.place_columns()
    areas, states = take(cells.area_code, known.places[at]), cells.state_number[known.places[at]]
    special = draws.below("specialty", len(resources.specialties()))
    groups = [np.flatnonzero(special == number) for number in range(len(resources.specialties()))]
    credentials = [
        take(titles, draws.below("credentials", len(titles))[rows])
        for (_, titles), rows in zip(resources.specialties(), groups, strict=True)
    ]
    npi, npi_validity = columns.npi(draws, shares["npi"])
    dea, dea_validity = columns.dea(draws, names.initials, shares["dea"])
    made = {
        "id": joined("D", text(digits(draws.numbers + 1, 6))),
        **people.name_columns(draws, names),
        "credentials": put_back(credentials, groups),
        "specialty": take([name for name, _ in resources.specialties()], special),
        "npi": npi,
        "npi_validity": npi_validity,
        "dea": dea,
        "dea_validity": dea_validity,
        "licence": draws.pattern_of("licence", [state.medical for state in resources.states()], states),
        "licence_state": take(cells.state, known.places[at]),
        "phone": columns.phone(draws, 0, areas),
        "fax": columns.phone(draws, 1, areas),
        "email": joined(names.given_slug, ".", names.family_slug, "@", take(known.domains, at)),
        "username": people.username(draws, names),
        "facility_id": take(known.ids, at),
    }
    return tables.in_schema(made, schemas.PROVIDERS)


def employees_table(
    count: int,
    seed: int,
    reference_date: date,
    *,
    facilities: int = tables.FACILITIES,
    ambiguous: float = people.AMBIGUOUS_SHARE,
) -> pa.Table:
    """``count`` employees, schema `schemas.EMPLOYEES`, dealt to the facilities in turn."""
    known = tables.facilities_known(seed, facilities)
    draws, words = Draws(seed, "employees", count), resources.facility_words()
    at = draws.numbers % facilities
    names = people.named(draws, ambiguous)
    places = people.near(draws, known.places[at])
    areas = take(people.place_columns().area_code, places)
    years = 19 + 51 * draws.uniform("age")
    served = draws.uniform("served") * np.minimum(years - 18, 30)
    made = {
        "id": joined("E", text(digits(draws.numbers + 1, 6))),
        **people.name_columns(draws, names),
        "birth_date": people.days_before(reference_date, people.in_days(years)),
        **people.address_columns(draws, places),
        "phone": columns.phone(draws, 0, areas),
        "email": people.email(draws, "email", names.given_slug, names.family_slug),
        "ssn": columns.ssn(draws),
        "employee_number": text(digits(10**6 + draws.distinct("employee_number", 3000, 3000), 7)),
        "bank_account": text(digits(10**11 + draws.distinct("bank_account", 900_000, 10**6), 12)),
        "username": people.username(draws, names),
        "title": draws.choice("title", words["titles"]),
        "department": draws.choice("department", words["departments"]),
        "hire_date": people.days_before(reference_date, 1 + people.in_days(served)),
        "facility_id": take(known.ids, at),
    }
    return tables.in_schema(made, schemas.EMPLOYEES)
