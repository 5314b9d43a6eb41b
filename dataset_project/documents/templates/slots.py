"""Identity slots: what ``{patient.name}`` and its like stand for, and in which surfaces, easy to hard.

A slot is a function of a `Known` (the case and how adversarial surfaces are) and a generator. What stands there in a
document without the value belongs to `blanks`; values themselves to `identities.case`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from dataset_project.documents.model.values import Runs, Value
from dataset_project.documents.templates.clinical import CHILD
from dataset_project.documents.templates.encounters import choice

if TYPE_CHECKING:
    from dataset_project.documents.identities.case import Case

Styles = Mapping[str, tuple[str, ...]]
"""Difficulty → styles that are drawn from."""

NAME: Styles = {
    "easy": ("given_family", "full"),
    "medium": ("given_family", "full", "given_initial_family", "title_full"),
    "hard": ("given_family", "full", "given_initial_family", "title_full", "upper", "initial_family", "family"),
}
TITLED: Styles = {
    "easy": ("title_family",),
    "medium": ("title_family", "title_family", "title_full"),
    "hard": ("title_family", "title_full", "family", "initials"),
}
DOCTOR: Styles = {
    "easy": ("doctor_full", "credentials"),
    "medium": ("doctor_full", "credentials", "doctor_credentials", "doctor_family"),
    "hard": ("doctor_full", "credentials", "doctor_family", "doctor_family", "initial_family", "given_family"),
}
DATE: Styles = {
    "easy": ("us", "iso", "long"),
    "medium": ("us", "us_plain", "iso", "long", "medium", "day_first", "us_dashes", "military"),
    "hard": (
        "us_short",
        "us_plain",
        "long",
        "medium",
        "day_first",
        "military",
        "weekday",
        "month_day",
        "month_day_numeric",
        "compact",
    ),
}
BIRTH: Styles = {**DATE, "hard": ("us_short", "us_plain", "long", "day_first", "military", "compact", "us_dashes")}
PHONE: Styles = {
    "easy": ("parentheses", "dashes"),
    "medium": ("parentheses", "dashes", "dots", "one"),
    "hard": ("parentheses", "dots", "spaces", "plain", "one"),
}
STREET: Styles = {"easy": ("full",), "medium": ("full", "short"), "hard": ("full", "short", "upper")}
SSN: Styles = {"easy": ("dashes",), "medium": ("dashes", "plain"), "hard": ("spaces", "plain", "last_four", "dashes")}


class Known:
    """A case as the slots see it. ``setting``: ``inpatient`` when the visit is a stay, from its admission."""

    def __init__(self, case: Case, difficulty: str) -> None:
        self.case = case
        self.difficulty = difficulty
        self.setting = "clinic"

    def style(self, styles: Styles, rng: np.random.Generator) -> str:
        """One of the styles of this difficulty."""
        return choice(rng, styles[self.difficulty])

    def day(self, name: str, rng: np.random.Generator, of: str = "") -> Value:
        """A date of the encounter, or a birth or hire date."""
        styles = BIRTH if name in ("birth_date", "hire_date") else DATE
        return self.case.value(name, rng, of=of, style=self.style(styles, rng))

    def age(self, rng: np.random.Generator) -> Value:
        """The patient's age in years, as digits."""
        return self.case.person_age(rng, style="number" if self.case.age_of() >= 90 else "")

    def word(self, name: str) -> str:
        """What is known of people and identifies none of them: relation, plan, occupation, title …"""
        owner, _, what = name.partition(".")
        row = getattr(self.case, owner)
        return getattr(row, {"device_name": "device"}.get(what, what))


Slot = Callable[[Known, np.random.Generator], Runs]


def _name(kind: str, of: str, styles: Styles) -> Slot:
    return lambda k, rng: (k.case.value(kind, rng, of=of, style=k.style(styles, rng)),)


def _fixed(kind: str, of: str = "", style: str = "") -> Slot:
    return lambda k, rng: (k.case.value(kind, rng, of=of, style=style),)


def _styled(kind: str, of: str, styles: Styles) -> Slot:
    return lambda k, rng: (k.case.value(kind, rng, of=of, style=k.style(styles, rng)),)


def _titled(k: Known, rng: np.random.Generator) -> Runs:
    """Mr. or Ms., or the given name of a child."""
    style = "given" if k.case.age_of() < CHILD else k.style(TITLED, rng)
    return (k.case.value("patient_name", rng, style=style),)


def _patient_name(k: Known, rng: np.random.Generator) -> Runs:
    style = k.style(NAME, rng)
    if k.case.age_of() < CHILD and style.startswith("title"):
        style = "full"
    return (k.case.value("patient_name", rng, style=style),)


def _address(of: str) -> Slot:
    return lambda k, rng: k.case.address(rng, of=of, style=k.style(STREET, rng))


def _last_first(kind: str) -> Slot:
    return lambda k, rng: (k.case.value(kind, rng, style=choice(rng, ("family_comma_given", "family_given"))),)


def _day(inpatient: str, clinic: str = "") -> Slot:
    return lambda k, rng: (k.day(inpatient if k.setting == "inpatient" or not clinic else clinic, rng),)


def _of_day(kind: str, of: str) -> Slot:
    return lambda k, rng: (k.day(kind, rng, of),)


def _without_extras(kind: str, styles: tuple[str, ...]) -> Slot:
    return lambda k, rng: (k.case.value(kind, rng, style=choice(rng, styles)),)


def _mbi(k: Known, rng: np.random.Generator) -> Runs:
    return (k.case.plan_id(rng),)


def _of_staff(owner: str, prefix: str) -> dict[str, Slot]:
    return {
        f"{prefix}.name": _name("provider_name", owner, DOCTOR),
        f"{prefix}.npi": _fixed("npi", owner),
        f"{prefix}.dea": _fixed("dea", owner),
        f"{prefix}.licence": _fixed("medical_licence", owner),
        f"{prefix}.phone": _styled("phone", owner, PHONE),
        f"{prefix}.fax": _styled("fax", owner, PHONE),
        f"{prefix}.email": _fixed("email", owner),
    }


SLOTS: Mapping[str, Slot] = {
    "patient.name": _patient_name,
    "patient.full": _fixed("patient_name", style="full"),
    "patient.last_first": _last_first("patient_name"),
    "patient.titled": _titled,
    "patient.given": _fixed("patient_name", style="given"),
    "patient.family": _fixed("patient_name", style="family"),
    "patient.initials": _fixed("patient_name", style="initials"),
    "patient.dob": _of_day("birth_date", "patient"),
    "patient.mrn": _without_extras("mrn", ("plain", "plain", "plain", "hash")),
    "patient.ssn": _styled("ssn", "patient", SSN),
    "patient.phone": _styled("phone", "patient", PHONE),
    "patient.fax": _styled("fax", "patient", PHONE),
    "patient.email": _fixed("email"),
    "patient.address": _address("patient"),
    "patient.street": _styled("street", "patient", STREET),
    "patient.city": _fixed("city", style="plain"),
    "patient.county": _fixed("county", style="county"),
    "patient.zip": _fixed("zip"),
    "patient.member_id": _fixed("member_id"),
    "patient.group": _fixed("group_number"),
    "patient.mbi": _mbi,
    "patient.account": _without_extras("account", ("plain", "plain", "dashes")),
    "patient.licence": _fixed("driver_licence"),
    "patient.plate": _fixed("plate"),
    "patient.vin": _fixed("vin"),
    "patient.device": _fixed("device_serial"),
    "patient.udi": _fixed("device_udi"),
    "patient.url": _fixed("url"),
    "patient.ip": _fixed("ip"),
    "patient.user": _fixed("username"),
    "patient.biometric": _fixed("biometric"),
    "patient.photo": _fixed("photo"),
    "patient.code": _fixed("trial_subject"),
    "patient.rx": _fixed("rx_number"),
    "patient.accession": _fixed("accession"),
    "patient.claim": _fixed("claim"),
    "patient.authorization": _fixed("authorization"),
    "patient.order": _fixed("order"),
    "patient.employer": _fixed("employer"),
    "relative.name": _name("relative_name", "relative", {**NAME, "hard": ("given_family", "initial_family", "given")}),
    "relative.phone": _styled("phone", "relative", PHONE),
    "relative.email": _fixed("email", "relative"),
    **_of_staff("provider", "provider"),
    **_of_staff("second_provider", "provider2"),
    "facility.name": _fixed("facility_name", "facility"),
    "facility.ward": _fixed("ward", "facility"),
    "facility.address": _address("facility"),
    "facility.phone": _styled("phone", "facility", PHONE),
    "facility.fax": _styled("fax", "facility", PHONE),
    "facility.url": _fixed("url", "facility"),
    "facility.email": _fixed("email", "facility"),
    "facility.npi": _fixed("npi", "facility"),
    "employee.name": _name("employee_name", "employee", NAME),
    "employee.titled": _name("employee_name", "employee", TITLED),
    "employee.given": _fixed("employee_name", style="given"),
    "employee.family": _fixed("employee_name", style="family"),
    "employee.last_first": _last_first("employee_name"),
    "employee.id": _fixed("employee_number"),
    "employee.ssn": _styled("ssn", "employee", SSN),
    "employee.dob": _of_day("birth_date", "employee"),
    "employee.hired": _of_day("hire_date", "employee"),
    "employee.phone": _styled("phone", "employee", PHONE),
    "employee.email": _fixed("email", "employee"),
    "employee.address": _address("employee"),
    "employee.account": _without_extras("bank_account", ("plain", "spaces", "last_four")),
    "employee.user": _fixed("username", "employee"),
    "date.admission": _day("admission_date"),
    "date.discharge": _day("discharge_date"),
    "date.procedure": _day("procedure_date"),
    "date.collected": _day("specimen_date"),
    "date.prior": _day("specimen_date"),
    "date.reported": _day("result_date", "visit_date"),
    "date.visit": _day("admission_date", "visit_date"),
    "date.prescribed": _day("prescription_date"),
    "date.immunized": _day("immunization_date"),
    "date.next": _day("follow_up_date"),
}
"""Slot name → how it is filled. Dates depend on the setting: a visit is the admission of a stay."""


def safe_in_names(runs: Runs) -> bool:
    """Whether runs can stand in a file name of any system."""
    return not any(sign in '\\/:*?"<>|#' for run in runs for sign in (run.text if isinstance(run, Value) else run))
