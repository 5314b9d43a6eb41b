"""What stands in the place of a value where there is none: blanks, placeholders, masks, or wording without identifiers.

Negatives are written with these. A hard positive has a few of them too, as records that were redacted in part do, so a
placeholder does not tell the class. Which slots exist as values belongs to `slots`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np

from dataset_project.documents.identities.lookalikes import lookalike
from dataset_project.documents.templates.encounters import choice

Manner = Literal["blank", "bracket", "markup", "masked", "safe"]
PROSE: tuple[Manner, ...] = ("bracket", "markup", "masked", "safe", "safe")
FORM: tuple[Manner, ...] = ("blank", "bracket", "markup", "blank")

# Slot: (label of a placeholder, wording in a sentence without identifiers, usual length of a value).
_SLOTS: Mapping[str, tuple[str, str, int]] = {
    "patient.name": ("PATIENT NAME", "the patient", 16),
    "patient.full": ("FULL LEGAL NAME", "the patient", 18),
    "patient.last_first": ("LAST, FIRST", "the patient", 16),
    "patient.titled": ("PATIENT", "the patient", 11),
    "patient.given": ("FIRST NAME", "the patient", 6),
    "patient.family": ("LAST NAME", "the patient", 7),
    "patient.initials": ("INITIALS", "the patient", 5),
    "patient.dob": ("DATE OF BIRTH", "{birth_year}", 11),
    "patient.mrn": ("MRN", "not shown", 10),
    "patient.ssn": ("SSN", "not shown", 11),
    "patient.phone": ("PHONE NUMBER", "a number on file", 13),
    "patient.fax": ("FAX NUMBER", "a number on file", 13),
    "patient.email": ("E-MAIL ADDRESS", "an address on file", 29),
    "patient.address": ("STREET, CITY, STATE, ZIP", "an address on file in the state", 41),
    "patient.street": ("STREET ADDRESS", "a side street", 20),
    "patient.city": ("CITY", "a nearby town", 9),
    "patient.county": ("COUNTY", "a neighboring county", 15),
    "patient.zip": ("ZIP", "000", 5),
    "patient.member_id": ("MEMBER ID", "not shown", 11),
    "patient.group": ("GROUP NO", "not shown", 7),
    "patient.mbi": ("MEDICARE NO", "not shown", 11),
    "patient.account": ("ACCOUNT NO", "not shown", 10),
    "patient.licence": ("LICENSE NO", "not shown", 9),
    "patient.plate": ("PLATE", "not shown", 7),
    "patient.vin": ("VEHICLE ID", "not shown", 17),
    "patient.device": ("DEVICE SERIAL", "not shown", 10),
    "patient.udi": ("UNIQUE DEVICE ID", "not shown", 30),
    "patient.url": ("PERSONAL WEB ADDRESS", "a page on the internet", 30),
    "patient.ip": ("IP ADDRESS", "not shown", 14),
    "patient.user": ("USER NAME", "not shown", 10),
    "patient.biometric": ("BIOMETRIC ID", "not shown", 18),
    "patient.photo": ("PHOTO FILE", "file removed", 18),
    "patient.code": ("SUBJECT CODE", "not shown", 16),
    "patient.rx": ("RX NUMBER", "not shown", 10),
    "patient.accession": ("ACCESSION NO", "not shown", 13),
    "patient.claim": ("CLAIM NO", "not shown", 14),
    "patient.authorization": ("AUTHORIZATION NO", "not shown", 11),
    "patient.order": ("ORDER NO", "not shown", 12),
    "patient.employer": ("EMPLOYER", "a local firm", 20),
    "relative.name": ("RELATIVE NAME", "a family member", 13),
    "relative.phone": ("RELATIVE PHONE", "a number on file", 13),
    "relative.email": ("RELATIVE E-MAIL", "an address on file", 29),
    "provider.name": ("CLINICIAN NAME", "the clinician", 17),
    "provider.npi": ("NPI", "not shown", 10),
    "provider.dea": ("DEA NO", "not shown", 9),
    "provider.licence": ("LICENSE", "not shown", 9),
    "provider.phone": ("OFFICE PHONE", "the office", 13),
    "provider.fax": ("OFFICE FAX", "the office number", 13),
    "provider.email": ("OFFICE E-MAIL ADDRESS", "the mailbox of the office", 40),
    "facility.name": ("NAME OF THE FACILITY", "the treating facility", 32),
    "facility.ward": ("UNIT", "the ward", 12),
    "facility.npi": ("NPI", "not shown", 10),
    "facility.address": ("FACILITY STREET, CITY, STATE, ZIP", "the address of the facility", 39),
    "facility.phone": ("MAIN NUMBER", "the main number", 13),
    "facility.fax": ("MAIN FAX", "the main fax", 14),
    "facility.url": ("FACILITY WEB ADDRESS", "the public web site", 32),
    "facility.email": ("FACILITY E-MAIL ADDRESS", "the public mailbox", 32),
    "employee.name": ("EMPLOYEE NAME", "a member of staff", 15),
    "employee.titled": ("EMPLOYEE", "the colleague", 11),
    "employee.given": ("FIRST NAME", "the employee", 7),
    "employee.family": ("LAST NAME", "one of us", 8),
    "employee.last_first": ("LAST, FIRST", "the employee", 15),
    "employee.id": ("EMPLOYEE NO", "not shown", 7),
    "employee.ssn": ("SSN", "not shown", 11),
    "employee.dob": ("DATE OF BIRTH", "{year}", 10),
    "employee.hired": ("HIRE DATE", "{year}", 11),
    "employee.phone": ("PHONE NUMBER", "a number on file", 13),
    "employee.email": ("E-MAIL ADDRESS", "the team mailbox", 29),
    "employee.address": ("STREET, CITY, STATE, ZIP", "an address on file", 40),
    "employee.account": ("BANK ACCOUNT", "not shown", 12),
    "employee.user": ("USER NAME", "not shown", 10),
    "date": ("DATE", "{year}", 11),
}

_MASKS: Mapping[str, str] = {
    "patient.ssn": "XXX-XX-XXXX",
    "employee.ssn": "XXX-XX-XXXX",
    "patient.zip": "XXXXX",
    "date": "XX/XX/XXXX",
    "patient.dob": "XX/XX/XXXX",
    "employee.dob": "XX/XX/XXXX",
    "employee.hired": "XX/XX/XXXX",
}
_PHONES = ("phone", "fax")


OFFICES = (
    *("Records Desk", "Forms, Committee", "Quality Office", "EDUCATION, Team", "Document Control", "Coder 7, CCS"),
    *("Desk, Records", "Auditor 3, RHIA", "Compliance Office", "CHARTS, Desk B.", "Forms, North", "Analyst 2, MPH"),
)
"""Who may be a file's author, or be named in its properties, without being anybody."""
_NAMES = ("name", "full", "last_first", "titled", "given", "family", "initials", "ward")


def stand_in(slot: str, rng: np.random.Generator) -> str:
    """A look-alike that stands in a file's name or properties for a value: an office for a name, a catalogue number for
    a number, a revision for a date, a version for an address. Placeholders there would tell the class at once."""
    what = slot.rpartition(".")[2]
    if what in _NAMES:
        office = choice(rng, OFFICES)
        return office.split()[0].strip(",") if what in ("given", "family", "initials") else office
    if slot.startswith("date.") or what in ("dob", "hired"):
        return f"rev. {1 + int(rng.random() * 12):02}/{2012 + int(rng.random() * 12)}"
    if what == "ip":
        return lookalike(rng, "software_version").text
    if what in ("url", "email"):
        return lookalike(rng, "role_mailbox").text
    return lookalike(rng, choice(rng, ("catalogue_number", "part_number"))).text.rpartition(" ")[2]


def entry(slot: str) -> tuple[str, str, int]:
    """Label, wording and usual length of a slot. KeyError for a slot that there is not."""
    if slot.startswith("date."):
        return _SLOTS["date"]
    return _SLOTS[slot.replace("provider2.", "provider.").replace("facility2.", "facility.")]


def blank(slot: str, manner: Manner, year: int, birth_year: int, in_field: bool = False) -> str:
    """What is written for ``slot`` in a ``manner``. ``year``, ``birth_year``: the years that Safe Harbor lets stand.

    ``in_field``: as the content of a labelled field or cell, where wording meant for sentences reads oddly.
    """
    label, wording, length = entry(slot)
    if manner == "blank":
        return "_" * length
    if manner == "bracket":
        return f"[{label}]"
    if manner == "markup":
        return "<<" + label.replace(", ", "_").replace(" ", "_").replace("-", "").lower() + ">>"
    if manner == "masked":
        key = "date" if slot.startswith("date.") else slot
        mask = "(XXX) XXX-XXXX" if slot.rpartition(".")[2] in _PHONES else "X" * length
        return _MASKS.get(key, mask)
    text = wording.format(year=year, birth_year=birth_year)
    if not in_field:
        return text
    return f"{text} (year only)" if slot.startswith("date.") or "year" in wording else "removed for release"
