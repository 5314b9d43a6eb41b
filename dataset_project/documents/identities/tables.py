"""The four identity tables: patients, providers, facilities, employees, drawn by (seed, kind, number).

A larger table begins with the rows of a smaller one, as long as seed, reference date and the number of facilities stay:
people are spread over the facilities there are. Looking people up belongs to `pools`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataset_project.documents.identities import columns, people, resources, schemas
from dataset_project.documents.identities.columns import Shares
from dataset_project.documents.identities.dates import OLDEST
from dataset_project.documents.identities.draws import (
    Characters,
    Draws,
    Numbers,
    digits,
    joined,
    put_back,
    signs,
    take,
    text,
)

FACILITIES = 24
"""Default number of facilities."""
DEVICES = (
    *("pacemaker", "implantable defibrillator", "insulin pump", "continuous glucose monitor", "cochlear implant"),
    *("spinal cord stimulator", "knee prosthesis", "hip prosthesis", "infusion pump", "CPAP machine", "loop recorder"),
)
DOMAIN_WORDS = {
    "hospital": "health",
    "clinic": "clinic",
    "laboratory": "labs",
    "imaging": "imaging",
    "rehabilitation": "rehab",
}
RELATIONS = ("wife", "husband", "daughter", "son", "sister", "brother", "mother", "father", "aunt", "uncle")
_MALE_RELATION = np.array([False, True] * 5)


@dataclass(frozen=True)
class Facilities:
    """What people need to know of the facilities they are spread over."""

    ids: pa.StringArray
    places: Numbers
    styles: Numbers
    prefixes: Characters
    domains: pa.StringArray


def _ids(letter: str, width: int, draws: Draws) -> pa.StringArray:
    return joined(letter, text(digits(draws.numbers + 1, width)))


def _facilities(seed: int, count: int) -> tuple[Draws, Facilities, dict[str, pa.Array]]:
    if count < 1:
        raise ValueError(f"people need at least one facility, not {count}")
    draws, words = Draws(seed, "facilities", count), resources.facility_words()
    first, second, kinds, styles = (words[each] for each in ("first", "second", "kinds", "mrn_styles"))
    # The permutation keeps names distinct; it ends the pool at some 2,000 facilities.
    pair = draws.distinct("name", len(first), len(second))
    stems = [f"{a}{b}" for a in first for b in second]
    stem = take(stems, pair)
    kind = draws.weighted("kind", [each["share"] for each in kinds])
    kind[:1] = 0
    groups = [np.flatnonzero(kind == number) for number in range(len(kinds))]
    called = [
        take(each["names"], draws.below("called", len(each["names"]))[rows])
        for each, rows in zip(kinds, groups, strict=True)
    ]
    domain_words = [DOMAIN_WORDS[each["kind"]] for each in kinds]
    domains = joined(pc.utf8_lower(stem), "-", take(domain_words, kind), ".example")
    capitals = np.array([[ord(sign) for sign in each[:3].upper()] for each in stems], dtype=np.uint8)
    places = draws.below("place", len(resources.places()))
    style = draws.below("mrn_style", len(styles))
    known = Facilities(_ids("F", 4, draws), places, style, capitals[pair], domains)
    made = {
        "id": known.ids,
        "name": joined(stem, " ", put_back(called, groups)),
        "kind": take([each["kind"] for each in kinds], kind),
        "domain": domains,
        "mrn_style": take([each["style"] for each in styles], style),
        "mrn_prefix": text(known.prefixes),
    }
    return draws, known, made


def facilities_known(seed: int, count: int) -> Facilities:
    """The facilities of a pool as far as people depend on them. ValueError for none."""
    return _facilities(seed, count)[1]


def facilities_table(count: int, seed: int, *, shares: Mapping[str, Shares] | None = None) -> pa.Table:
    """``count`` facilities (at least 1), schema `schemas.FACILITIES`; the first is a hospital."""
    draws, known, made = _facilities(seed, count)
    areas = take(people.place_columns().area_code, known.places)
    made |= people.address_columns(draws, known.places, unit=False)
    made["phone"], made["fax"] = columns.phone(draws, 0, areas), columns.phone(draws, 1, areas)
    made["url"] = joined("https://www.", known.domains)
    made["email"] = joined("records@", known.domains)
    made["npi"], made["npi_validity"] = columns.npi(draws, columns.checked(shares)["npi"])
    return in_schema(made, schemas.FACILITIES)


def _mrn(draws: Draws, field: str, at: Numbers, known: Facilities) -> pa.StringArray:
    """Eight digits that differ between patients, in the style of each one's facility.

    From 21 000 000 to 98 999 999: they are no compact dates, and those from 99 on are left to `lookalikes`.
    """
    number = digits(21_000_000 + draws.distinct(field, 7_800, 10_000), 8)
    pieces, order = [], []
    for style, each in enumerate(resources.facility_words()["mrn_styles"]):
        rows = np.flatnonzero(known.styles[at] == style)
        own, prefix = number[rows], known.prefixes[at[rows]]
        made = np.empty((len(rows), len(each["pattern"])), dtype=np.uint8)
        taken = {"#": 0, "p": 0}
        for place, sign in enumerate(each["pattern"]):
            source = {"#": own, "p": prefix}.get(sign)
            made[:, place] = ord(sign) if source is None else source[:, taken[sign]]
            if source is not None:
                taken[sign] += 1
        pieces.append(text(made))
        order.append(rows)
    return put_back(pieces, order)


def patients_table(
    count: int,
    seed: int,
    reference_date: date,
    *,
    facilities: int = FACILITIES,
    ambiguous: float = people.AMBIGUOUS_SHARE,
    shares: Mapping[str, Shares] | None = None,
) -> pa.Table:
    """``count`` patients, schema `schemas.PATIENTS`. Ages 0 to 104, some 4 % of 90 or more."""
    shares = columns.checked(shares)
    known = facilities_known(seed, facilities)
    draws = Draws(seed, "patients", count)
    at = draws.below("facility", facilities)
    other = (at + 1 + draws.below("other_facility", max(facilities - 1, 1))) % facilities
    places = people.near(draws, known.places[at])
    names, cells = people.named(draws, ambiguous), people.place_columns()
    areas, states = take(cells.area_code, places), cells.state_number[places]
    years = np.interp(draws.uniform("age"), [0, 0.12, 0.35, 0.75, 0.96, 1], [0.1, 18, 45, 70, 90.01, OLDEST])
    # A hundredth of a year more: days are rounded.
    minor, old = years < 18, years >= 65.01
    mbi, mbi_validity = columns.mbi(draws, shares["mbi"])
    beneficiary = old & draws.happens("medicare", 0.85)
    styles, plan = resources.states(), draws.below("plan", len(resources.plans()))
    vin, vin_validity = columns.vin(draws, shares["vin"])
    udi, udi_validity = columns.device_udi(draws, shares["device_udi"])
    user = people.username(draws, names)
    pages = pa.concat_arrays([joined("https://www.example.org/~", user), joined("https://", user, ".pages.example/")])
    photos = text(digits(draws.distinct("photo", 10_000, 10_000), 8))
    occupation = draws.choice("occupation", resources.lines("names_occupations"))
    made = {
        "id": _ids("P", 7, draws),
        **people.name_columns(draws, names),
        "birth_date": people.days_before(reference_date, people.in_days(years)),
        **people.address_columns(draws, places),
        "home_phone": columns.phone(draws, 0, areas),
        "mobile_phone": columns.phone(draws, 1, areas),
        "fax": columns.phone(draws, 2, areas),
        "email": people.email(draws, "email", names.given_slug, names.family_slug),
        "ssn": columns.ssn(draws),
        "facility_id": take(known.ids, at),
        "mrn": _mrn(draws, "mrn", at, known),
        "other_facility_id": take(known.ids, other),
        "other_mrn": _mrn(draws, "mrn" if facilities == 1 else "other_mrn", other, known),
        "mbi": people.where(beneficiary, mbi),
        "mbi_validity": people.where(beneficiary, mbi_validity),
        "plan": take([each["name"] for each in resources.plans()], plan),
        "member_id": draws.pattern_of("member_id", [each["member"] for each in resources.plans()], plan),
        "group_number": draws.pattern_of("group_number", [each["group"] for each in resources.plans()], plan),
        "account": text(digits(10**9 + draws.distinct("account", 90_000, 100_000), 10)),
        "driver_licence": draws.pattern_of("driver_licence", [style.driver for style in styles], states),
        "vin": vin,
        "vin_validity": vin_validity,
        "plate": draws.pattern_of("plate", [style.plate for style in styles], states),
        "device": draws.choice("device", DEVICES),
        "device_serial": text(draws.pattern("device_serial", "aaa######a")),
        "device_udi": udi,
        "device_udi_validity": udi_validity,
        "url": take(pages, draws.numbers + draws.count * draws.below("url", 2)),
        "ip": columns.ip(draws),
        "username": user,
        "biometric": _biometric(draws),
        "photo": joined(
            draws.choice("photo_word", ("face", "portrait", "photo", "IMG")),
            "_",
            photos,
            draws.choice("photo_end", (".jpg", ".png")),
        ),
        "trial_subject": text(draws.pattern("trial_subject", "aaa###-###-#####")),
        "rx_number": joined(
            text(digits(10**6 + draws.distinct("rx", 3000, 3000), 7)), "-0", text(digits(draws.below("refill", 10), 1))
        ),
        "employer": draws.choice("employer", resources.lines("names_employers")),
        "occupation": pc.if_else(pa.array(minor), pa.scalar("student"), occupation),
        **_relative(draws, names, minor, ambiguous, areas),
    }
    return in_schema(made, schemas.PATIENTS)


def _biometric(draws: Draws) -> pa.StringArray:
    marks = signs(draws.distinct("biometric", 2**24, 2**24), "0123456789ABCDEF", 12)
    groups = [text(marks[:, start : start + 4]) for start in (0, 4, 8)]
    return joined(
        draws.choice("biometric_kind", ("FPT", "IRT", "VPT", "FCT", "PLM")),
        "-",
        groups[0],
        "-",
        groups[1],
        "-",
        groups[2],
    )


def _relative(
    draws: Draws, names: people.Named, minor: people.Mask, ambiguous: float, areas: pa.StringArray
) -> dict[str, pa.Array]:
    """The emergency contact: a parent, aunt or uncle of a minor, anyone but those of an adult."""
    which = np.where(minor, 6 + draws.below("relation", 4), draws.below("relation", 8))
    # Most spouses are of the other sex; the rest keep what was drawn.
    spouse = (which < 2) & draws.happens("spouse", 0.9)
    which = np.where(spouse, np.where(names.male, 0, 1), which)
    words = draws.happens("relative_ambiguous", ambiguous)
    index = people.given_index(draws, "relative_given", _MALE_RELATION[which], words)
    others = draws.choice("relative_family", resources.family_names().plain)
    same = draws.happens("same_family", 0.75)
    given, family = people.given_of(index), pc.if_else(pa.array(same), names.family, others)
    slugs = [people.slugs(each) for each in (given, family)]
    return {
        "relation": take(RELATIONS, which),
        "relative_given": given,
        "relative_family": family,
        "relative_phone": columns.phone(draws, 3, areas),
        "relative_email": people.email(draws, "relative_email", *slugs),
    }


def in_schema(made: dict[str, pa.Array], schema: pa.Schema) -> pa.Table:
    """The columns as a table, in the order and types of the schema."""
    return pa.Table.from_arrays([made[name] for name in schema.names], schema=schema)
