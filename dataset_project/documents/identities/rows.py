"""One person or facility of the identity tables as a frozen row. Fields as in `schemas`, where each is described."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Person:
    """What patients, providers and employees all have."""

    id: str
    given: str
    middle: str | None
    family: str
    suffix: str | None
    sex: str
    ambiguous_name: bool

    @property
    def full_name(self) -> str:
        """The canonical name: given, middle, family, suffix, as far as there are any."""
        return " ".join(part for part in (self.given, self.middle, self.family, self.suffix) if part)


@dataclass(frozen=True, slots=True)
class Patient(Person):
    """A row of `schemas.PATIENTS`."""

    birth_date: date
    street: str
    unit: str | None
    city: str
    county: str
    state: str
    zip: str
    home_phone: str
    mobile_phone: str
    fax: str
    email: str
    ssn: str
    facility_id: str
    mrn: str
    other_facility_id: str
    other_mrn: str
    mbi: str | None
    mbi_validity: str | None
    plan: str
    member_id: str
    group_number: str
    account: str
    driver_licence: str
    vin: str
    vin_validity: str
    plate: str
    device: str
    device_serial: str
    device_udi: str
    device_udi_validity: str
    url: str
    ip: str
    username: str
    biometric: str
    photo: str
    trial_subject: str
    rx_number: str
    employer: str
    occupation: str
    relation: str
    relative_given: str
    relative_family: str
    relative_phone: str
    relative_email: str


@dataclass(frozen=True, slots=True)
class Relative:
    """The emergency contact of a patient. ``id``: the patient's id and ``-R``."""

    id: str
    given: str
    family: str
    relation: str
    phone: str
    email: str

    middle = None
    suffix = None

    @property
    def sex(self) -> str:
        """F or M, by the relation."""
        return "M" if self.relation in ("husband", "son", "brother", "father", "uncle") else "F"

    @property
    def full_name(self) -> str:
        """Given and family name."""
        return f"{self.given} {self.family}"


@dataclass(frozen=True, slots=True)
class Provider(Person):
    """A row of `schemas.PROVIDERS`."""

    credentials: str
    specialty: str
    npi: str
    npi_validity: str
    dea: str
    dea_validity: str
    licence: str
    licence_state: str
    phone: str
    fax: str
    email: str
    username: str
    facility_id: str


@dataclass(frozen=True, slots=True)
class Facility:
    """A row of `schemas.FACILITIES`."""

    id: str
    name: str
    kind: str
    street: str
    city: str
    county: str
    state: str
    zip: str
    phone: str
    fax: str
    domain: str
    url: str
    email: str
    npi: str
    npi_validity: str
    mrn_style: str
    mrn_prefix: str

    unit = None


@dataclass(frozen=True, slots=True)
class Employee(Person):
    """A row of `schemas.EMPLOYEES`."""

    birth_date: date
    street: str
    unit: str | None
    city: str
    county: str
    state: str
    zip: str
    phone: str
    email: str
    ssn: str
    employee_number: str
    bank_account: str
    username: str
    title: str
    department: str
    hire_date: date
    facility_id: str


Row = TypeVar("Row", Patient, Provider, Facility, Employee)


def relative_of(patient: Patient) -> Relative:
    """The emergency contact of a patient."""
    return Relative(
        f"{patient.id}-R",
        patient.relative_given,
        patient.relative_family,
        patient.relation,
        patient.relative_phone,
        patient.relative_email,
    )


def row_at(columns: list[pa.Array], number: int, kind: type[Row]) -> Row:
    """The row ``number`` of a table's columns, which are in the order of the fields of ``kind``."""
    cells: list[Any] = [column[number].as_py() for column in columns]
    return kind(*cells)
