"""Every fine type of value, with its Safe-Harbor paragraph, i2b2 type, and whether it identifies by itself.

The i2b2 names are those of the 2014 de-identification track (Stubbs and Uzuner 2015, "Annotating longitudinal clinical
narratives for de-identification"). How a value is written belongs to `surfaces`, whose it is to `case`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dataset_project.documents.identities import identifiers
from dataset_project.documents.model.values import HipaaCode, Validity, Value


@dataclass(frozen=True)
class FineType:
    """``phi``: identifies by itself when a patient's or a relative's; otherwise the type is personal data at most.

    ``check``: key of `identifiers.CHECKS` for its canonical form; empty for names, places in words and ages.
    ``validity``: the label of values of which there is but one; empty where each value has its own.
    """

    name: str
    code: HipaaCode
    i2b2: str
    phi: bool
    check: str = ""
    validity: Validity | str = "not_applicable"


_ALL = (
    FineType("patient_name", "A", "PATIENT", True),
    # i2b2 has one type for patients and their families, and one for everybody who works in health care.
    FineType("relative_name", "A", "PATIENT", True),
    FineType("provider_name", "A", "DOCTOR", False),
    FineType("employee_name", "A", "DOCTOR", False),
    FineType("employer", "A", "ORGANIZATION", True),
    FineType("facility_name", "B", "HOSPITAL", False),
    FineType("ward", "B", "LOCATION-OTHER", False),
    FineType("address", "B", "STREET", True),
    FineType("street", "B", "STREET", True),
    FineType("city", "B", "CITY", True),
    FineType("county", "B", "COUNTY", True),
    FineType("zip", "B", "ZIP", True, "zip", "realistic"),
    # Only of areas of 20,000 people or fewer; another ZIP3 may be published and is no value.
    FineType("zip3", "B", "ZIP", True, "zip3"),
    FineType("state", "B", "STATE", False),
    FineType("country", "B", "COUNTRY", False),
    FineType("birth_date", "C", "DATE", True, "date"),
    FineType("admission_date", "C", "DATE", True, "date"),
    FineType("procedure_date", "C", "DATE", True, "date"),
    FineType("specimen_date", "C", "DATE", True, "date"),
    FineType("result_date", "C", "DATE", True, "date"),
    FineType("discharge_date", "C", "DATE", True, "date"),
    FineType("visit_date", "C", "DATE", True, "date"),
    FineType("prescription_date", "C", "DATE", True, "date"),
    FineType("immunization_date", "C", "DATE", True, "date"),
    FineType("follow_up_date", "C", "DATE", True, "date"),
    FineType("hire_date", "C", "DATE", False, "date"),
    FineType("age", "C", "AGE", False),
    FineType("age_90_plus", "C", "AGE", True),
    FineType("phone", "D", "PHONE", True, "phone", "reserved"),
    FineType("fax", "E", "FAX", True, "phone", "reserved"),
    FineType("email", "F", "EMAIL", True, "email", "reserved"),
    FineType("ssn", "G", "SSN", True, "ssn", "reserved"),
    FineType("mrn", "H", "MEDICALRECORD", True, "mrn", "realistic"),
    FineType("mbi", "I", "HEALTHPLAN", True, "mbi", ""),
    FineType("member_id", "I", "HEALTHPLAN", True, "member_id", "realistic"),
    FineType("group_number", "I", "HEALTHPLAN", False, "group_number", "realistic"),
    FineType("account", "J", "ACCOUNT", True, "account", "realistic"),
    FineType("bank_account", "J", "ACCOUNT", True, "bank_account", "realistic"),
    FineType("driver_licence", "K", "LICENSE", True, "driver_licence", "realistic"),
    FineType("medical_licence", "K", "LICENSE", False, "medical_licence", "realistic"),
    FineType("dea", "K", "LICENSE", False, "dea", ""),
    FineType("vin", "L", "VEHICLE", True, "vin", ""),
    FineType("plate", "L", "VEHICLE", True, "plate", "realistic"),
    FineType("device_serial", "M", "DEVICE", True, "device_serial", "realistic"),
    FineType("device_udi", "M", "DEVICE", True, "device_udi", ""),
    FineType("url", "N", "URL", True, "url", "reserved"),
    FineType("ip", "O", "IPADDR", True, "ip", "reserved"),
    FineType("biometric", "P", "BIOID", True, "biometric", "realistic"),
    # i2b2 has no type for photographs; BIOID comes nearest.
    FineType("photo", "Q", "BIOID", True, "photo", "realistic"),
    FineType("npi", "R", "IDNUM", False, "npi", ""),
    FineType("trial_subject", "R", "IDNUM", True, "trial_subject", "realistic"),
    FineType("rx_number", "R", "IDNUM", True, "rx_number", "realistic"),
    FineType("accession", "R", "IDNUM", True, "accession", "realistic"),
    FineType("claim", "R", "IDNUM", True, "claim", "realistic"),
    FineType("authorization", "R", "IDNUM", True, "authorization", "realistic"),
    FineType("order", "R", "IDNUM", True, "order", "realistic"),
    FineType("employee_number", "R", "IDNUM", False, "employee_number", "realistic"),
    FineType("username", "R", "USERNAME", True, "username", "realistic"),
    # In a patient's record an occupation is "any other characteristic" at most.
    FineType("occupation", "R", "PROFESSION", False),
)
TYPES: Mapping[str, FineType] = {each.name: each for each in _ALL}
"""Fine type → what is known of it."""

DATE_TYPES = tuple(each.name for each in _ALL if each.check == "date")
"""Fine types whose canonical form is an ISO date."""


def value_of(name: str, text: str, canonical: str, role: str, subject_id: str, validity: str | None = None) -> Value:
    """A value of a fine type. ``validity`` only where each value of the type has its own.

    Raises KeyError for no type, ValueError for an empty text, a line break, or a missing or superfluous label.
    """
    kind = TYPES[name]
    if not text or "\n" in text or "\r" in text:
        raise ValueError(f"a {name} is written on one line with at least one character, not as {text!r}")
    if bool(kind.validity) == (validity is not None):
        raise ValueError(
            f"{name}: the validity of each value must be given"
            if validity is None
            else f"{name} is always {kind.validity}"
        )
    return Value(text, kind.code, name, kind.i2b2, role, canonical, validity or kind.validity, subject_id)


def is_phi(value: Value) -> bool:
    """Whether a value identifies a patient by itself: its type does, and it is a patient's or a relative's."""
    return TYPES[value.type].phi and value.role in ("patient", "relative")


def problem(value: Value) -> str | None:
    """What is wrong with a value's labels, or None: code, i2b2 type, validity of its canonical form."""
    kind = TYPES.get(value.type)
    if kind is None:
        return f"{value.type!r} is no fine type"
    if (value.code, value.i2b2) != (kind.code, kind.i2b2):
        return f"{value.type} is {kind.code}, {kind.i2b2}; not {value.code}, {value.i2b2}"
    if kind.validity and value.validity != kind.validity:
        return f"{value.type} is {kind.validity}, not {value.validity}"
    if kind.name in ("age", "age_90_plus"):
        right = value.canonical.isdigit() and (int(value.canonical) >= 90) == (kind.name == "age_90_plus")
        return None if right else f"an age of {value.canonical} is no {kind.name}"
    if kind.check and not identifiers.holds(kind.check, value.canonical, value.validity):
        return f"{value.type} {value.canonical!r} is not {value.validity}"
    return None
