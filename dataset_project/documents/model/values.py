"""A planted value: what it is, whose it is, and how it is written here.

Where it stands is not known yet: that is decided by the block it is put into and by the format.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

HipaaCode = Literal[
    "A",  # names
    "B",  # geography below state
    "C",  # dates except year, ages 90+
    "D",  # telephone
    "E",  # fax
    "F",  # e-mail
    "G",  # SSN
    "H",  # medical record number
    "I",  # health plan beneficiary number
    "J",  # account number
    "K",  # certificate or licence number
    "L",  # vehicle identifier
    "M",  # device identifier
    "N",  # URL
    "O",  # IP address
    "P",  # biometric identifier
    "Q",  # full-face photograph
    "R",  # any other unique code
]
"""The Safe-Harbor identifiers, 45 CFR 164.514(b)(2)(i), paragraphs (A) to (R)."""

Role = Literal["patient", "relative", "provider", "facility", "employee", "other"]
Validity = Literal["realistic", "reserved", "invalid_checksum", "not_applicable"]


@dataclass(frozen=True)
class Value:
    """An identifier as it is written at one place.

    ``text``: the surface, at least one character, no line break. ``canonical``: the same value in one standard form
    (ISO date, digits only …), equal for all its surfaces. ``type``: fine type such as ``patient_name`` or ``mrn``;
    ``i2b2``: the type of the i2b2 2014 de-identification track. ``subject_id``: id in the identity pool, or empty.
    """

    text: str
    code: HipaaCode
    type: str
    i2b2: str
    role: Role
    canonical: str
    validity: Validity = "not_applicable"
    subject_id: str = ""


Run = str | Value
"""A piece of a line: plain text, or a planted value."""
Runs = tuple[Run, ...]


def plain(runs: Runs) -> str:
    """The text of the runs, values in place."""
    return "".join(run if isinstance(run, str) else run.text for run in runs)
