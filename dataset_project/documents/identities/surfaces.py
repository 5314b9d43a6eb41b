"""How a value is written: names, dates, numbers, addresses. Every surface of a value has its canonical form.

A style is chosen by name, or drawn from the usual ones by a generator that is passed in. Whose values there are to
write belongs to `case`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Protocol

from dataset_project.documents.identities import resources
from dataset_project.documents.identities.fine_types import DATE_TYPES, TYPES, value_of
from dataset_project.documents.model.values import Role, Runs, Value

if TYPE_CHECKING:
    import numpy as np

Write = Callable[[str], str]

MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September", "October"),
    *("November", "December"),
)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
STREET_SHORT = {
    **{"Street": "St", "Avenue": "Ave", "Road": "Rd", "Lane": "Ln", "Drive": "Dr", "Court": "Ct"},
    **{"Boulevard": "Blvd", "Place": "Pl", "Circle": "Cir", "Terrace": "Ter"},
}
TENS = ("ninety", "one hundred")
ONES = ("", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


class Named(Protocol):
    """Whoever has a name."""

    id: str
    given: str
    middle: str | None
    family: str
    suffix: str | None
    sex: str

    @property
    def full_name(self) -> str: ...


class Addressed(Protocol):
    """Whoever has an address."""

    id: str
    street: str
    unit: str | None
    city: str
    county: str
    state: str
    zip: str


def pick(draw: np.random.Generator, options: Sequence[str]) -> str:
    """One of the options; a tenth of what `Generator.choice` costs."""
    return options[int(draw.random() * len(options))]


def _on(style: Callable[[date], str]) -> Write:
    return lambda canonical: style(date.fromisoformat(canonical))


def _spelled(canonical: str) -> str:
    tens, one = divmod(int(canonical) - 90, 10)
    return TENS[tens] + (("-" if tens == 0 else " ") + ONES[one] if one else "")


def _prefixed(word: str) -> Write:
    return lambda canonical: f"{word}{'' if canonical.isalnum() else ' '}{canonical}"


DATES: Mapping[str, Write] = {
    "iso": str,
    "us": _on(lambda day: f"{day.month:02}/{day.day:02}/{day.year}"),
    "us_plain": _on(lambda day: f"{day.month}/{day.day}/{day.year}"),
    "us_short": _on(lambda day: f"{day.month}/{day.day}/{day.year % 100:02}"),
    "us_dashes": _on(lambda day: f"{day.month:02}-{day.day:02}-{day.year}"),
    "long": _on(lambda day: f"{MONTHS[day.month - 1]} {day.day}, {day.year}"),
    "medium": _on(lambda day: f"{MONTHS[day.month - 1][:3]} {day.day}, {day.year}"),
    "day_first": _on(lambda day: f"{day.day:02} {MONTHS[day.month - 1][:3]} {day.year}"),
    "military": _on(lambda day: f"{day.day:02}-{MONTHS[day.month - 1][:3].upper()}-{day.year}"),
    "weekday": _on(lambda day: f"{WEEKDAYS[day.weekday()]}, {MONTHS[day.month - 1]} {day.day}, {day.year}"),
    "compact": _on(lambda day: f"{day.year:04}{day.month:02}{day.day:02}"),
    "month_day": _on(lambda day: f"{MONTHS[day.month - 1]} {day.day}"),
    "month_day_numeric": _on(lambda day: f"{day.month:02}/{day.day:02}"),
    "month_year": _on(lambda day: f"{MONTHS[day.month - 1]} {day.year}"),
}
PHONES: Mapping[str, Write] = {
    "parentheses": lambda n: f"({n[:3]}) {n[3:6]}-{n[6:]}",
    "dashes": lambda n: f"{n[:3]}-{n[3:6]}-{n[6:]}",
    "dots": lambda n: f"{n[:3]}.{n[3:6]}.{n[6:]}",
    "spaces": lambda n: f"{n[:3]} {n[3:6]} {n[6:]}",
    "international": lambda n: f"+1 {n[:3]}-{n[3:6]}-{n[6:]}",
    "one": lambda n: f"1-{n[:3]}-{n[3:6]}-{n[6:]}",
    "plain": str,
}
NUMBERS: Mapping[str, Mapping[str, Write]] = {
    "ssn": {
        "dashes": lambda n: f"{n[:3]}-{n[3:5]}-{n[5:]}",
        "spaces": lambda n: f"{n[:3]} {n[3:5]} {n[5:]}",
        "plain": str,
        "last_four": lambda n: f"xxx-xx-{n[5:]}",
        "masked": lambda n: f"***-**-{n[5:]}",
    },
    "mrn": {"plain": str, "prefix": _prefixed("MRN"), "hash": lambda n: f"#{n}"},
    "mbi": {"plain": str, "dashes": lambda n: f"{n[:4]}-{n[4:7]}-{n[7:]}"},
    "account": {"plain": str, "dashes": lambda n: f"{n[:5]}-{n[5:]}", "last_four": lambda n: f"xxxxxx{n[-4:]}"},
    "bank_account": {
        "plain": str,
        "spaces": lambda n: f"{n[:4]} {n[4:8]} {n[8:]}",
        "last_four": lambda n: f"xxxxxxxx{n[-4:]}",
    },
    "device_udi": {"parentheses": str, "plain": lambda n: n.replace("(", "").replace(")", "")},
    "url": {"full": str, "bare": lambda n: n.removeprefix("https://")},
    "rx_number": {"plain": str, "prefix": lambda n: f"Rx{n}"},
    "trial_subject": {"plain": str, "spaces": lambda n: n.replace("-", " ")},
    "age_90_plus": {"number": str, "spelled": _spelled},
    "state": {"code": str, "name": lambda code: resources.state_of(code).name},
    "city": {"plain": str, "upper": str.upper},
    "county": {"county": lambda n: n if n.endswith(" City") else f"{n} County", "plain": str},
    "country": {"plain": str},
}
STYLES: Mapping[str, Mapping[str, Write]] = {
    name: DATES if name in DATE_TYPES else PHONES if name in ("phone", "fax") else NUMBERS.get(name, {"plain": str})
    for name in TYPES
}
"""Fine type → style → its text from the canonical form. Names and addresses, which have more to them, apart."""
ON_REQUEST = frozenset(("compact", "month_day", "month_day_numeric", "month_year", "last_four", "masked", "spelled"))
"""Styles that say less than the whole value or want a context of their own; drawn less often than the others."""
RARE = 0.1

PLAIN_NAMES: Mapping[str, Callable[[Named], str]] = {
    "given_family": lambda p: f"{p.given} {p.family}",
    "full": lambda p: p.full_name,
    "given_initial_family": lambda p: f"{p.given} {p.middle[0]}. {p.family}" if p.middle else f"{p.given} {p.family}",
    "family_given": lambda p: f"{p.family.upper()}, {p.given}" + (f" {p.middle[0]}." if p.middle else ""),
    "family_comma_given": lambda p: f"{p.family}, {p.given}",
    "upper": lambda p: f"{p.given} {p.family}".upper(),
    "title_family": lambda p: f"{'Mr.' if p.sex == 'M' else 'Ms.'} {p.family}",
    "title_full": lambda p: f"{'Mr.' if p.sex == 'M' else 'Mrs.'} {p.given} {p.family}",
    "initial_family": lambda p: f"{p.given[0]}. {p.family}",
    "initials": lambda p: "".join(f"{part[0]}." for part in (p.given, p.middle, p.family) if part),
    "given": lambda p: p.given,
    "family": lambda p: p.family,
}
PROVIDER_NAMES: Mapping[str, Callable[[Named], str]] = {
    **PLAIN_NAMES,
    "doctor_family": lambda p: f"Dr. {p.family}",
    "doctor_full": lambda p: f"Dr. {p.given} {p.family}",
    "credentials": lambda p: f"{p.given} {p.family}, {p.credentials}",
    "family_credentials": lambda p: f"{p.family}, {p.given}, {p.credentials}",
    "doctor_credentials": lambda p: f"Dr. {p.given} {p.family}, {p.credentials}",
}
USUAL_NAMES = ("given_family", "full", "given_initial_family", "family_given", "family_comma_given")
USUAL_PROVIDER_NAMES = ("credentials", "doctor_full", "doctor_credentials", "given_family")


def _style(name: str, known: Mapping[str, object], draw: np.random.Generator, style: str) -> str:
    if style:
        if style not in known:
            raise ValueError(f"a {name} is written as {', '.join(known)}; not as {style!r}")
        return style
    usual = [each for each in known if each not in ON_REQUEST]
    rare = [each for each in known if each in ON_REQUEST]
    return pick(draw, rare) if rare and draw.random() < RARE else pick(draw, usual)


def write(
    name: str,
    canonical: str,
    draw: np.random.Generator,
    *,
    role: Role,
    subject_id: str = "",
    validity: str | None = None,
    style: str = "",
) -> Value:
    """A value of any type but names and addresses, in a style or a drawn one.

    Raises KeyError for no type, ValueError for a style that the type has not.
    """
    known = STYLES[name]
    return value_of(name, known[_style(name, known, draw, style)](canonical), canonical, role, subject_id, validity)


def write_name(name: str, person: Named, draw: np.random.Generator, *, role: Role, style: str = "") -> Value:
    """The name of a person; the canonical form is the full name. Doctors' styles only for ``provider_name``."""
    doctor = name == "provider_name"
    known = PROVIDER_NAMES if doctor else PLAIN_NAMES
    style = style or pick(draw, USUAL_PROVIDER_NAMES if doctor else USUAL_NAMES)
    return value_of(name, known[_style(name, known, draw, style)](person), person.full_name, role, person.id)


def street_of(place: Addressed) -> str:
    """The canonical street: house number, street, and unit if there is one."""
    return f"{place.street}, {place.unit}" if place.unit else place.street


def write_street(place: Addressed, draw: np.random.Generator, *, role: Role, style: str = "") -> Value:
    """House number and street with the unit: ``full``, ``short`` (Blvd, Ave) or ``upper``."""
    style = _style("street", dict.fromkeys(("full", "short", "upper")), draw, style)
    return value_of("street", _street(place, style), street_of(place), role, place.id)


def _street(place: Addressed, style: str) -> str:
    text = street_of(place)
    if style == "full":
        return text
    road, kind = place.street.rsplit(" ", 1)
    short = f"{road} {STREET_SHORT.get(kind, kind)}" + (f" {place.unit}" if place.unit else "")
    return short.upper() if style == "upper" else short


def write_address(place: Addressed, draw: np.random.Generator, *, role: Role, style: str = "") -> Runs:
    """An address on one line, as parts: street, city, state and ZIP code are values of their own."""
    common = {"role": role, "subject_id": place.id}
    return (
        write_street(place, draw, role=role, style=style),
        ", ",
        write("city", place.city, draw, style="upper" if style == "upper" else "plain", **common),
        ", ",
        write("state", place.state, draw, style="code", **common),
        " ",
        write("zip", place.zip, draw, **common),
    )


def write_whole_address(place: Addressed, draw: np.random.Generator, *, role: Role, style: str = "") -> Value:
    """An address on one line as one value of type ``address``."""
    style = _style("address", dict.fromkeys(("full", "short", "upper")), draw, style)
    rest = f"{place.city}, {place.state} {place.zip}"
    text = f"{_street(place, style)}, {rest.upper() if style == 'upper' else rest}"
    return value_of("address", text, f"{street_of(place)}, {rest}", role, place.id)
