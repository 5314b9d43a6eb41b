"""What every person has, as columns: a name, an address, a birth date, addresses on networks.

Tables are put together from these in `tables`; how a name or address is written in a document belongs to `surfaces`.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dataset_project.documents.identities import resources
from dataset_project.documents.identities.draws import Characters, Draws, Numbers, digits, joined, take, text

AMBIGUOUS_SHARE = 0.08
"""Share of people whose names are also words or eponyms (Will May, Grace Parkinson), which defeats simple lookups."""
EMAIL_DOMAINS = ("example.com", "example.net", "example.org", "mail.example", "post.example", "inbox.example.org")
STREET_TYPES = ("Street", "Avenue", "Road", "Lane", "Drive", "Court", "Boulevard", "Place", "Way", "Circle", "Terrace")
UNITS = ("Apt ", "Unit ", "#", "Suite ")
SUFFIXES = ("Jr.", "Jr.", "Sr.", "II", "III", "IV")
EPOCH = date(1970, 1, 1)

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Named:
    """Names of the rows, and what addresses are made of. ``initials``: of the family name, (rows, 1) ASCII capitals."""

    given: pa.StringArray
    family: pa.StringArray
    given_slug: pa.StringArray
    family_slug: pa.StringArray
    male: Mask
    ambiguous: Mask
    initials: Characters

    @property
    def sex(self) -> pa.StringArray:
        """F or M."""
        return take(("F", "M"), self.male.astype(np.int64))


@functools.cache
def _lists() -> tuple[pa.StringArray, pa.StringArray, pa.StringArray, pa.StringArray]:
    given = resources.given_names("F").all + resources.given_names("M").all
    family = resources.family_names().all
    slugs = [pa.array([resources.slug(name) for name in names], pa.string()) for names in (given, family)]
    return pa.array(given, pa.string()), slugs[0], pa.array(family, pa.string()), slugs[1]


def _from(draws: Draws, field: str, names: resources.Names, words: Mask) -> Numbers:
    plain = draws.below(field, len(names.plain))
    return np.where(words, len(names.plain) + draws.below(field, len(names.words)), plain)


def given_index(draws: Draws, field: str, male: Mask, words: Mask) -> Numbers:
    """Place in the list of all given names, women's first."""
    women, men = resources.given_names("F"), resources.given_names("M")
    return np.where(male, len(women.all) + _from(draws, field, men, words), _from(draws, field, women, words))


def given_of(index: Numbers) -> pa.StringArray:
    """Given names at these places of the list."""
    return take(_lists()[0], index)


def named(draws: Draws, ambiguous: float) -> Named:
    """Sex, given and family name; both names are words in the share ``ambiguous`` of the rows."""
    if not 0 <= ambiguous <= 1:
        raise ValueError(f"the share of ambiguous names lies between 0 and 1, not at {ambiguous}")
    male, words = draws.happens("sex", 0.5), draws.happens("ambiguous_name", ambiguous)
    given = given_index(draws, "given", male, words)
    family = _from(draws, "family", resources.family_names(), words)
    givens, given_slugs, families, family_slugs = _lists()
    first = np.array([ord(slug[0].upper()) for slug in family_slugs.to_pylist()], dtype=np.uint8)
    return Named(
        take(givens, given),
        take(families, family),
        take(given_slugs, given),
        take(family_slugs, family),
        male,
        words,
        first[family][:, None],
    )


def name_columns(draws: Draws, names: Named, middle_share: float = 0.6) -> dict[str, pa.Array]:
    """The columns every person's table begins with."""
    no_words = np.zeros(draws.count, dtype=np.bool_)
    middle = given_of(given_index(draws, "middle", names.male, no_words))
    has_middle = draws.happens("has_middle", middle_share)
    has_suffix = draws.happens("has_suffix", 0.05) & names.male
    return {
        "given": names.given,
        "middle": where(has_middle, middle),
        "family": names.family,
        "suffix": where(has_suffix, draws.choice("suffix", SUFFIXES)),
        "sex": names.sex,
        "ambiguous_name": pa.array(names.ambiguous),
    }


def where(mask: Mask, values: pa.Array) -> pa.Array:
    """The values, null where the mask is false."""
    return pc.if_else(pa.array(mask), values, pa.scalar(None, values.type))


@dataclass(frozen=True)
class PlaceColumns:
    """The frozen list of places, as columns. ``first``/``size``: where a place's state begins and its number."""

    city: pa.StringArray
    county: pa.StringArray
    state: pa.StringArray
    area_code: pa.StringArray
    zip_first: Numbers
    zip_count: Numbers
    state_number: Numbers
    first: Numbers
    size: Numbers


@functools.cache
def place_columns() -> PlaceColumns:
    """Places as columns, read once."""
    places = resources.places()
    codes = [place.state for place in places]
    order = [state.code for state in resources.states()]
    texts = [pa.array([getattr(place, name) for place in places]) for name in ("city", "county", "state", "area_code")]
    zip_first = np.array([int(place.zip_first) for place in places])
    zip_last = np.array([int(place.zip_last) for place in places])
    return PlaceColumns(
        *texts,
        zip_first,
        zip_last - zip_first + 1,
        np.array([order.index(code) for code in codes]),
        np.array([codes.index(code) for code in codes]),
        np.array([codes.count(code) for code in codes]),
    )


def near(draws: Draws, places: Numbers, share_same: float = 0.7) -> Numbers:
    """Where people live who are treated at ``places``: there, or anywhere in the same state."""
    known = place_columns()
    elsewhere = known.first[places] + draws.below("place", known.size[places])
    return np.where(draws.happens("same_place", share_same), places, elsewhere)


def address_columns(draws: Draws, places: Numbers, unit: bool = True) -> dict[str, pa.Array]:
    """Street, unit (in a quarter of the rows; left out on request), city, county, state, zip."""
    known = place_columns()
    house = pc.cast(pa.array(1 + draws.below("house", 9899)), pa.string())
    street = joined(
        house, " ", draws.choice("street", resources.lines("places_streets")), " ", draws.choice("way", STREET_TYPES)
    )
    columns = {"street": street}
    if unit:
        flat = joined(
            draws.choice("unit_word", UNITS[:3]), pc.cast(pa.array(1 + draws.below("unit", 499)), pa.string())
        )
        columns["unit"] = where(draws.happens("has_unit", 0.25), flat)
    zips = known.zip_first[places] + draws.below("zip", known.zip_count[places])
    return {
        **columns,
        "city": take(known.city, places),
        "county": take(known.county, places),
        "state": take(known.state, places),
        "zip": text(digits(zips, 5)),
    }


def days_before(reference: date, days: Numbers) -> pa.Array:
    """Dates so many days before the reference date."""
    return pa.array(((reference - EPOCH).days - days).astype("datetime64[D]"))


def in_days(years: npt.NDArray[np.float64]) -> Numbers:
    """Years as days."""
    return np.rint(years * 365.2425).astype(np.int64)


def email(draws: Draws, field: str, given: pa.Array, family: pa.Array) -> pa.StringArray:
    """A personal address: both names, two digits, a reserved domain."""
    number = text(digits(draws.below(f"{field}_number", 100), 2))
    return joined(
        given, draws.choice(f"{field}_sign", (".", "_", "")), family, number, "@", draws.choice(field, EMAIL_DOMAINS)
    )


def username(draws: Draws, names: Named) -> pa.StringArray:
    """Initial, up to eight letters of the family name, three digits."""
    initial, family = pc.utf8_slice_codeunits(names.given_slug, 0, 1), pc.utf8_slice_codeunits(names.family_slug, 0, 8)
    return joined(initial, family, text(digits(draws.below("username", 1000), 3)))


def slugs(names: pa.StringArray) -> pa.StringArray:
    """Names of the frozen lists as they stand in addresses."""
    given, given_slugs, family, family_slugs = _lists()
    known = pa.concat_arrays([given, family])
    return pa.concat_arrays([given_slugs, family_slugs]).take(pc.index_in(names, known))
