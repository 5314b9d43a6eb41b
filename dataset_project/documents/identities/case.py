"""Who and what one document is about, and the values it may be given.

A case is built from rows of the pools, so a patient is the same in all documents; only days and numbers of the
encounter are the document's own. Which surface a value takes is drawn from the generator that a template
passes in, which is keyed by (seed, document, field).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from dataset_project.documents.identities import resources, surfaces
from dataset_project.documents.identities.dates import Encounter, age_on, encounter
from dataset_project.documents.identities.fine_types import TYPES
from dataset_project.documents.identities.geography import restricted_zip3
from dataset_project.documents.identities.pools import Pools
from dataset_project.documents.identities.rows import Employee, Facility, Patient, Provider, Relative, relative_of
from dataset_project.documents.model.values import Role, Runs, Value
from dataset_project.storage.seeding import stream

if TYPE_CHECKING:
    import numpy as np

OF: Mapping[str, Role] = {
    "patient": "patient",
    "relative": "relative",
    "provider": "provider",
    "second_provider": "provider",
    "facility": "facility",
    "employee": "employee",
}
"""Whose value is asked for → the role it has."""

_ADDRESS = ("patient", "facility", "employee")
_PROVIDERS = ("provider", "second_provider")
OWNERS: Mapping[str, tuple[str, ...]] = {
    **{f"{each}_name": (each,) for each in ("patient", "relative", "employee", "facility")},
    "provider_name": _PROVIDERS,
    **{name: _ADDRESS for name in ("address", "street", "city", "county", "zip", "state", "country", "zip3")},
    "ward": ("facility",),
    "birth_date": ("patient", "employee"),
    "hire_date": ("employee",),
    **{name: ("patient", "employee") for name in ("age", "age_90_plus", "ssn")},
    "phone": ("patient", "relative", *_PROVIDERS, "facility", "employee"),
    "fax": ("patient", *_PROVIDERS, "facility"),
    "email": ("patient", "relative", *_PROVIDERS, "facility", "employee"),
    "url": ("patient", "facility"),
    "npi": (*_PROVIDERS, "facility"),
    **{name: _PROVIDERS for name in ("dea", "medical_licence")},
    **{name: ("employee",) for name in ("bank_account", "employee_number")},
    "username": ("patient", *_PROVIDERS, "employee"),
    "occupation": ("patient", "employee"),
}
"""Fine type → who may have one, the usual one first; types not named here are the patient's."""
FIELDS = {"medical_licence": "licence", "facility_name": "name"}
"""Fine type → column, where the names differ."""


@dataclass(frozen=True)
class Codes:
    """Numbers of the encounter; each document has its own."""

    accession: str
    claim: str
    authorization: str
    order: str


@dataclass(frozen=True)
class Case:
    """Patient, the people around them, and the encounter that a document tells of."""

    doc_id: str
    patient: Patient
    provider: Provider
    second_provider: Provider
    facility: Facility
    relative: Relative
    employee: Employee
    reference_date: date
    encounter: Encounter
    codes: Codes

    def value(self, name: str, draw: np.random.Generator, *, of: str = "", style: str = "") -> Value:
        """A value of the fine type ``name``, of whom it usually is or of one in `OF`, in a style or a drawn one.

        Raises KeyError for no type, ValueError for someone who has no such value (`can`) or a style the type has not.
        """
        owner = self._owner(name, of)
        row, role = getattr(self, owner), OF[owner]
        if not self.can(name, of=owner):
            raise ValueError(f"{owner} {row.id} has no {name}; ask `can` first")
        if name.endswith("_name") and name != "facility_name":
            return surfaces.write_name(name, row, draw, role=role, style=style)
        if name == "address":
            return surfaces.write_whole_address(row, draw, role=role, style=style)
        if name == "street":
            return surfaces.write_street(row, draw, role=role, style=style)
        canonical = self._canonical(name, row, draw)
        validity = None if TYPES[name].validity else getattr(row, f"{name}_validity")
        return surfaces.write(name, canonical, draw, role=role, subject_id=row.id, validity=validity, style=style)

    def can(self, name: str, *, of: str = "") -> bool:
        """Whether there is such a value: not everyone has an MBI, an age of 90 or more, or a restricted ZIP3."""
        owner = self._owner(name, of)
        row = getattr(self, owner)
        if name == "mbi":
            return row.mbi is not None
        if name == "zip3":
            return restricted_zip3(row.zip[:3])
        if name in ("age", "age_90_plus"):
            return (self.age_of(owner) >= 90) == (name == "age_90_plus")
        return True

    def address(self, draw: np.random.Generator, *, of: str = "patient", style: str = "") -> Runs:
        """An address on one line, whose parts are values of their own."""
        owner = self._owner("address", of)
        return surfaces.write_address(getattr(self, owner), draw, role=OF[owner], style=style)

    def person_age(self, draw: np.random.Generator, *, of: str = "patient", style: str = "") -> Value:
        """The age at the encounter: ``age``, or ``age_90_plus``, which identifies."""
        name = "age_90_plus" if self.age_of(of) >= 90 else "age"
        return self.value(name, draw, of=of, style=style if name == "age_90_plus" or style != "spelled" else "")

    def plan_id(self, draw: np.random.Generator, *, style: str = "") -> Value:
        """The MBI of a beneficiary of Medicare, else the member id at the plan."""
        return self.value("mbi" if self.patient.mbi else "member_id", draw, style=style)

    def patient_name(self, draw: np.random.Generator, style: str = "") -> Value:
        """The patient's name."""
        return self.value("patient_name", draw, style=style)

    def relative_name(self, draw: np.random.Generator, style: str = "") -> Value:
        """The emergency contact's name; `relative.relation` says what they are to the patient."""
        return self.value("relative_name", draw, style=style)

    def provider_name(self, draw: np.random.Generator, style: str = "", *, second: bool = False) -> Value:
        """The name of the provider, or of the second one."""
        return self.value("provider_name", draw, of="second_provider" if second else "provider", style=style)

    def employee_name(self, draw: np.random.Generator, style: str = "") -> Value:
        """The employee's name."""
        return self.value("employee_name", draw, style=style)

    def age_of(self, owner: str = "patient") -> int:
        """Completed years at admission (patient) or at the reference date (employee)."""
        row = getattr(self, owner)
        return age_on(row.birth_date, self.encounter.admission if owner == "patient" else self.reference_date)

    def _owner(self, name: str, of: str) -> str:
        if name not in TYPES:
            raise KeyError(f"{name!r} is no fine type; there are {', '.join(TYPES)}")
        owners = OWNERS.get(name, ("patient",))
        if of and of not in owners:
            raise ValueError(f"a {name} is that of {' or '.join(owners)}, not of {of!r}")
        return of or owners[0]

    def _canonical(self, name: str, row: Any, draw: np.random.Generator) -> str:
        if name in surfaces.DATE_TYPES and name not in ("birth_date", "hire_date"):
            return getattr(self.encounter, name.removesuffix("_date")).isoformat()
        if name in ("accession", "claim", "authorization", "order"):
            return getattr(self.codes, name)
        if name in ("age", "age_90_plus"):
            return str(self.age_of("patient" if row is self.patient else "employee"))
        if name == "phone" and row is self.patient:
            return surfaces.pick(draw, (row.home_phone, row.mobile_phone))
        if name == "mrn" and self.facility.id != row.facility_id:
            return row.other_mrn
        if name == "zip3":
            return row.zip[:3]
        if name == "country":
            return "United States"
        if name == "ward":
            return surfaces.pick(draw, resources.facility_words()["units"])
        if name == "occupation" and row is self.employee:
            return row.title
        cell = getattr(row, FIELDS.get(name, name))
        return cell.isoformat() if isinstance(cell, date) else cell


def case_for(
    pools: Pools,
    seed: int,
    doc_id: str,
    patient_id: str,
    reference_date: date,
    *,
    facility_id: str = "",
    provider_id: str = "",
    second_provider_id: str = "",
    employee_id: str = "",
) -> Case:
    """The case of a document, by ids; who is not named is drawn by (seed, document) from those at the facility.

    ``facility_id``: one of the two at which the patient has a record, the usual one when empty. Raises KeyError for an
    id that is not in the pools, ValueError for a facility that has no record of the patient.
    """
    patient = pools.patient(patient_id)
    facility_id = facility_id or patient.facility_id
    if facility_id not in (patient.facility_id, patient.other_facility_id):
        raise ValueError(f"{facility_id} has no record of {patient_id}")
    draw = stream(seed, "documents", doc_id, "case")
    part = draw.random(3)
    staff = pools.providers_at(facility_id)
    first = provider_id or staff[int(part[0] * len(staff))]
    others = [each for each in staff if each != first] or [first]
    second = second_provider_id or others[int(part[1] * len(others))]
    workers = pools.employees_at(facility_id)
    return Case(
        doc_id,
        patient,
        pools.provider(first),
        pools.provider(second),
        pools.facility(facility_id),
        relative_of(patient),
        pools.employee(employee_id or workers[int(part[2] * len(workers))]),
        reference_date,
        days := encounter(patient.birth_date, reference_date, draw),
        _codes(draw, days.admission.year),
    )


def _codes(draw: np.random.Generator, year: int) -> Codes:
    number = [int(each * 10**8) for each in draw.random(4)]
    kind = ("CT", "MR", "XR", "US", "LB", "SP")[int(draw.random() * 6)]
    return Codes(
        f"{kind}-{year % 100:02}-{number[0] % 10**7:07}",
        f"CLM{year % 1000:03}{number[1]:08}",
        f"PA{year % 10}{number[2]:08}",
        f"ORD-{number[3]:08}",
    )
