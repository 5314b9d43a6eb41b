"""Hard negatives: what looks like an identifier and is none. Plain strings with their kind, drawn by a generator.

They keep out of the ranges identities are drawn from (eight digits from 99 000 000, ten from 0, toll-free area
codes …), so none equals a value of any pool, however large; `collides` says so of any text. Templates put
them where a positive has a value of the same looks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataset_project.documents.identities.patterns import identifiers_in
from dataset_project.documents.identities.pools import Pools
from dataset_project.documents.identities.scanner import scanner_of
from dataset_project.documents.identities.surfaces import MONTHS, pick

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Lookalike:
    """``kind``: key of `KINDS`; ``resembles``: the fine type it may be mistaken for."""

    kind: str
    text: str
    resembles: str


EPONYMS = (
    *("Parkinson disease", "Foley catheter", "Crohn disease", "Hodgkin lymphoma", "Graves disease", "Addison disease"),
    *("Bell palsy", "Cushing syndrome", "Down syndrome", "Paget disease", "Wilson disease", "Barrett esophagus"),
    *("Whipple procedure", "Turner syndrome", "Huntington disease", "Babinski sign", "Romberg test", "Coombs test"),
    *("Murphy sign", "Homans sign", "Swan-Ganz catheter", "Apgar score", "Glasgow Coma Scale", "Braden scale"),
    *("Trousseau sign", "Raynaud phenomenon", "Sjogren syndrome", "Meniere disease", "Hashimoto thyroiditis"),
    *("Kawasaki disease", "Gilbert syndrome", "Horner syndrome", "Alzheimer disease", "Marfan syndrome"),
)
"""Conditions, signs and devices named after people; many of the names are in the pools as family names."""
_EPONYM_FRAMES = (
    "Screening for {} follows the current guideline.",
    "The differential includes {}.",
    "Education on {} is available on the unit.",
    "No history suggestive of {} is required for enrolment.",
    "Document the {} in the flowsheet every shift.",
    "{} is reviewed in module 4.",
)
_WORDS = (
    "Will the unit be ready in May?",
    "Mark the site before the incision.",
    "A grace period of ten days applies.",
    "Young adults are seen in the teen clinic.",
    "Hope is a theme of the spring newsletter.",
    "Bill the secondary payer only after the primary has paid.",
    "The head of the bed stays at 30 degrees.",
    "Case managers round at nine.",
    "Drew two tubes per protocol; label at the bedside.",
    "Art therapy meets in the long hall.",
    "Frank blood in the drain is reported at once.",
    "Rose Bengal is stored in the dark.",
    "Ward stock is counted on the first of the month.",
    "Sterling silver may trigger the detector.",
    "Christian and other chaplaincy services are on call.",
)
PLACEHOLDERS = (
    *("[PATIENT NAME]", "[LAST, FIRST]", "<<DOB>>", "{{mrn}}", "___-__-____", "(___) ___-____", "__/__/____"),
    *("XXX-XX-XXXX", "MM/DD/YYYY", "[MRN]", "<patient address>", "Last name, First name", "____________________"),
    *("[ADDRESSOGRAPH]", "@PATIENTNAME@", "@DOB@", "[INSERT MEMBER ID]", "________@________", "#########"),
)
"""Blanks of forms and order sets."""
AUTHORS = (
    "Records Desk",
    "Forms Committee",
    "Quality Office",
    "Compliance Office",
    "Education Team",
    "Reviewer 1",
    "Reviewer 2",
)
"""Who may write a comment or be a file's author without being anybody."""
_VENDORS = (
    "Halvorsen-Reedy Infusion Systems",
    "Ostrander Bedside Devices",
    "Quintel Monitoring",
    "Brightmoor Surgical",
)
_DOMAINS = ("halvorsen-reedy.example", "ostrander-devices.example", "quintel.example", "brightmoor-surgical.example")
_PARKS = ("Industrial Parkway", "Commerce Loop", "Technology Square", "Distribution Plaza")
_TOLL_FREE = ("800", "833", "844", "855", "866", "877", "888")


def _digits(draw: np.random.Generator, width: int) -> str:
    return f"{int(draw.random() * 10**width):0{width}}"


def _number(draw: np.random.Generator, low: int, high: int) -> int:
    return low + int(draw.random() * (high - low + 1))


def _icd(draw: np.random.Generator) -> str:
    letter = pick(draw, "ABCDEFGHIJKLMNRSTZ")
    code = f"{letter}{_digits(draw, 2)}"
    return code + pick(draw, ("", f".{_digits(draw, 1)}", f".{_digits(draw, 2)}", f".{_digits(draw, 3)}A"))


def _vendor(draw: np.random.Generator) -> str:
    which = _number(draw, 0, len(_VENDORS) - 1)
    contact = pick(draw, (f"1-{pick(draw, _TOLL_FREE)}-555-01{_digits(draw, 2)}", f"support@{_DOMAINS[which]}"))
    return f"{_VENDORS[which]}, {_number(draw, 100, 9900)} {pick(draw, _PARKS)}, {contact}"


def _guideline(draw: np.random.Generator) -> str:
    month, year = pick(draw, MONTHS), _number(draw, 2012, 2023)
    day = _number(draw, 1, 28)
    return pick(
        draw,
        (
            f"Guideline revised {month} {year}",
            f"Policy effective {_number(draw, 1, 12):02}/{day:02}/{year}",
            f"Approved by the committee on {month} {day}, {year}",
            f"Form rev. {_number(draw, 1, 12):02}/{year % 100:02}",
        ),
    )


def _publication(draw: np.random.Generator) -> str:
    return pick(draw, (f"GSE{_digits(draw, 5)}", f"NCT99{_digits(draw, 6)}", f"PRJNA99{_digits(draw, 4)}"))


def _measure(draw: np.random.Generator) -> str:
    return pick(
        draw,
        (
            f"blood pressure target below {_number(draw, 12, 14)}0/{_number(draw, 7, 9)}0",
            f"infuse at {_number(draw, 10, 150)} mL/h over {_number(draw, 2, 12)} h",
            f"adults aged {_number(draw, 18, 40)}-{_number(draw, 45, 85)} years",
            f"n = {_number(draw, 100, 999)}, p = 0.{_digits(draw, 3)}",
        ),
    )


KINDS: Mapping[str, tuple[str, Callable[[np.random.Generator], str]]] = {
    "eponym": ("patient_name", lambda draw: pick(draw, _EPONYM_FRAMES).format(pick(draw, EPONYMS))),
    "name_word": ("patient_name", lambda draw: pick(draw, _WORDS)),
    "placeholder": ("patient_name", lambda draw: pick(draw, PLACEHOLDERS)),
    "icd_code": ("medical_licence", _icd),
    "test_code": ("rx_number", lambda draw: f"{_number(draw, 1000, 99999)}-{_digits(draw, 1)}"),
    "catalogue_number": (
        "mrn",
        lambda draw: f"{pick(draw, ('Catalogue', 'Form', 'Item', 'Asset'))} no. 99{_digits(draw, 6)}",
    ),
    "public_accession": ("accession", _publication),
    "lot_number": ("phone", lambda draw: f"Lot 0{_number(draw, 10, 99)}-{_number(draw, 100, 999)}-{_digits(draw, 4)}"),
    "part_number": ("ssn", lambda draw: f"P/N 99-{_digits(draw, 3)}-{_digits(draw, 3)}"),
    "guideline_date": ("visit_date", _guideline),
    "software_version": (
        "ip",
        lambda draw: (
            f"{pick(draw, ('version', 'firmware', 'build'))} {_number(draw, 1, 12)}.{_number(draw, 0, 9)}"
            f".{_number(draw, 0, 9)}.{_number(draw, 0, 99)}"
        ),
    ),
    "vendor_contact": ("address", _vendor),
    "toll_free": ("phone", lambda draw: f"1-{pick(draw, _TOLL_FREE)}-555-01{_digits(draw, 2)}"),
    "role_mailbox": (
        "email",
        lambda draw: f"{pick(draw, ('privacy', 'support', 'orders', 'training'))}@{pick(draw, _DOMAINS)}",
    ),
    "year": (
        "birth_date",
        lambda draw: f"{pick(draw, ('in', 'since', 'fiscal year', 'calendar year'))} {_number(draw, 1998, 2023)}",
    ),
    "zip3": ("zip", lambda draw: f"ZIP3 {pick(draw, ('606', '100', '331', '770', '900', '981', '000'))}"),
    "aggregate_age": (
        "age",
        lambda draw: pick(draw, ("aged 90 or older", "90+", f"aged {_number(draw, 1, 8)}0 to 89", "65 and over")),
    ),
    "measure": ("visit_date", _measure),
}
"""Kind → the fine type it may be mistaken for, and how it is drawn."""


def lookalike(draw: np.random.Generator, kind: str = "") -> Lookalike:
    """A hard negative of a kind, or of a drawn one. KeyError for no kind."""
    kind = kind or pick(draw, tuple(KINDS))
    if kind not in KINDS:
        raise KeyError(f"{kind!r} is no kind of look-alike; there are {', '.join(KINDS)}")
    resembles, make = KINDS[kind]
    return Lookalike(kind, make(draw), resembles)


def collides(text: str, pools: Pools) -> bool:
    """Whether a text has a value of anyone of the pools, or the shape of an identifier."""
    return bool(scanner_of(pools).scan(text) or identifiers_in(text))
