"""Checks of places and ZIP codes, and the ZIP3 rule of Safe Harbor."""

from __future__ import annotations

import functools
import re

from dataset_project.documents.identities import resources

RESTRICTED_ZIP3 = frozenset(
    (
        "036",
        "059",
        "063",
        "102",
        "203",
        "556",
        "692",
        "790",
        "821",
        "823",
        "830",
        "831",
        "878",
        "879",
        "884",
        "890",
        "893",
    )
)
"""Areas of 20,000 people or fewer by the 2000 census: HHS, "Guidance Regarding Methods for De-identification of
Protected Health Information", section 2.3. Their ZIP3 is itself an identifier and is written 000."""


def valid_zip(text: str) -> bool:
    """Five digits, or nine with a dash."""
    return bool(re.fullmatch(r"[0-9]{5}(?:-[0-9]{4})?", text))


def safe_harbor_zip3(zip_code: str) -> str:
    """The three digits that may be published of a ZIP code: its first three, or ``000`` for a restricted area.

    >>> safe_harbor_zip3("60612"), safe_harbor_zip3("82301")
    ('606', '000')
    """
    if not valid_zip(zip_code):
        raise ValueError(f"a ZIP code has five or nine digits; {zip_code!r} has not")
    return "000" if zip_code[:3] in RESTRICTED_ZIP3 else zip_code[:3]


def restricted_zip3(text: str) -> bool:
    """Whether three digits are a restricted area's."""
    return text in RESTRICTED_ZIP3


@functools.cache
def _triples() -> frozenset[tuple[str, str, str]]:
    return frozenset((place.city, place.state, place.zip_first[:3]) for place in resources.places())


def consistent(city: str, state: str, zip_code: str) -> bool:
    """Whether city, state and ZIP3 belong together, by the frozen list of places."""
    return valid_zip(zip_code) and (city, state, zip_code[:3]) in _triples()


@functools.cache
def area_codes() -> frozenset[str]:
    """Telephone area codes of all places."""
    return frozenset(place.area_code for place in resources.places())
