"""The frozen lists identities are drawn from: names, places, licences by state, facilities, specialties, plans.

Reading them, once per process, belongs here; drawing does not. Names are public-domain general knowledge; cities,
counties, ZIP codes and area codes are real and consistent; facilities, plans and employers are fictional.
"""

from __future__ import annotations

import csv
import functools
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any


@dataclass(frozen=True)
class Names:
    """Given names of one sex, or family names: ``plain`` ones, and ``words``, which are also something else."""

    plain: tuple[str, ...]
    words: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """Plain ones first, then words."""
        return self.plain + self.words


@dataclass(frozen=True)
class Place:
    """A city with its county, state, first and last ZIP code of one ZIP3, and telephone area code."""

    city: str
    county: str
    state: str
    zip_first: str
    zip_last: str
    area_code: str


@dataclass(frozen=True)
class State:
    """A state's name and its styles of driver licence, medical licence and plate: ``#`` a digit, ``a`` a letter.

    Numbers of eight digits alone begin neither with 19 or 20 (they are no dates) nor with 99, ones of ten not with 0:
    those are left to `lookalikes`.
    """

    code: str
    name: str
    driver: str
    medical: str
    plate: str


def _open(name: str) -> str:
    return files("dataset_project.documents").joinpath("resources", name).read_text(encoding="utf-8")


def _rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(_open(name).splitlines()))


def _yaml(name: str) -> Mapping[str, Any]:
    import yaml

    return yaml.load(_open(name), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


@functools.cache
def given_names(sex: str) -> Names:
    """Given names of ``F`` or ``M``."""
    rows = [row for row in _rows("names_given.csv") if row["sex"] == sex]
    if not rows:
        raise ValueError(f"there are given names of F and M, not of {sex!r}")
    return Names(*(tuple(row["name"] for row in rows if row["word"] == word) for word in "01"))


@functools.cache
def family_names() -> Names:
    """Family names."""
    rows = _rows("names_family.csv")
    return Names(*(tuple(row["name"] for row in rows if row["word"] == word) for word in "01"))


@functools.cache
def lines(name: str) -> tuple[str, ...]:
    """A list with one column: ``names_employers``, ``names_occupations`` or ``places_streets``."""
    return tuple(row["name"] for row in _rows(f"{name}.csv"))


@functools.cache
def places() -> tuple[Place, ...]:
    """All cities, those of a state together."""
    return tuple(Place(**row) for row in _rows("places.csv"))


@functools.cache
def states() -> tuple[State, ...]:
    """The 50 states and the District of Columbia."""
    return tuple(
        State(row["state"], row["name"], row["driver"], row["medical"], row["plate"])
        for row in _rows("places_licences.csv")
    )


@functools.cache
def state_of(code: str) -> State:
    """The state with a two-letter code; KeyError for none."""
    return {state.code: state for state in states()}[code]


@functools.cache
def facility_words() -> Mapping[str, Any]:
    """``facilities.yaml``: words of names, kinds, styles of record numbers, units, departments, titles."""
    return _yaml("facilities.yaml")


@functools.cache
def specialties() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """(specialty, credentials found in it)."""
    return tuple((each["name"], tuple(each["credentials"])) for each in _yaml("specialties.yaml")["specialties"])


@functools.cache
def plans() -> tuple[Mapping[str, str], ...]:
    """Health plans: name, pattern of member ids, pattern of group numbers."""
    return tuple(_yaml("plans.yaml")["plans"])


def slug(name: str) -> str:
    """A name as it stands in an address: lower-case ASCII letters and digits.

    >>> slug("O'Brien"), slug("Doña Ana")
    ('obrien', 'donaana')
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return "".join(sign for sign in plain.lower() if sign.isalnum())
