"""Dates in a text: months, weekdays, years and calendar dates, moved so that what lies between them stays the same.

All months of a text move by one number of months, all weekdays by one of days, all years by one of years; days of a
month are drawn anew from 1 … 28, so that every date exists. Durations, clock times, ages and weights are no dates.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Literal, NamedTuple

from dataset_project.augmentation.methods.draws import Draws
from dataset_project.augmentation.text.edits import Edit
from dataset_project.augmentation.text.lexicons import resource
from dataset_project.augmentation.text.tokens import Passage, Token

Group = Literal["month", "weekday", "year", "day"]

_NUMERIC = re.compile(r"(\d{1,2})([./])(\d{1,2})\2(\d{4}|\d{2})")
_ORDINAL = re.compile(r"(\d{1,2})(st|nd|rd|th)", re.IGNORECASE)
_YEAR = re.compile(r"(?:19|20)\d\d")
_ISO = re.compile(r"(?<![\w-])((?:19|20)\d\d)-(\d\d)-(\d\d)(?![\w-])")
_RANGE = frozenset(("to", "through", "thru", "till", "til", "until", "-", "–"))
_LATEST_YEAR = 2025
_YEARS = (-4, -3, -2, -1, 1, 2)


class Date(NamedTuple):
    """A piece of a date at ``text[start:end]``; ``render`` gives its new form for a shift and a source of days."""

    group: Group
    start: int
    end: int
    render: Callable[[int, Callable[[], int]], str]


def dates(source: Passage) -> list[Date]:
    """Pieces of dates, from left to right."""
    found = [*_iso_dates(source.text)]
    taken = [(date.start, date.end) for date in found]
    lists = _lists()
    present = {token.lower.split("'")[0] for token in source.tokens}
    for place, token in enumerate(source.tokens):
        if any(start <= token.start < end for start, end in taken):
            continue
        date = None
        if token.kind == "word":
            date = _named(source, place, present)
        elif token.kind == "number":
            date = _numeric(token) or _year(source, place, present) or _day(source, place, present)
        if date:
            found.append(date)
    has_month_word = lists["fixes_month"] & present
    return [
        date
        for date in sorted(found, key=lambda date: date.start)
        if not (has_month_word and date.group in ("month", "day"))
    ]


def shifted(source: Passage, found: list[Date], groups: list[Group], draws: Draws) -> list[Edit]:
    """Edits that move the dates of ``groups``, each group by one drawn shift."""
    shifts: dict[Group, int] = {"month": 1 + draws.below(11), "weekday": 1 + draws.below(6), "year": 0, "day": 0}
    years = [int(source.text[date.start : date.end][:4]) for date in found if date.group == "year"]
    fitting = [shift for shift in _YEARS if max(years, default=0) + shift <= max(_LATEST_YEAR, max(years, default=0))]
    shifts["year"] = draws.choice(fitting)
    return [
        Edit(date.start, date.end, date.render(shifts[date.group], lambda: 1 + draws.below(28)))
        for date in found
        if date.group in groups
    ]


@lru_cache(maxsize=1)
def _lists() -> dict[str, tuple[str, ...] | frozenset[str]]:
    ordered = ("months", "short_months", "weekdays")
    return {name: tuple(each) if name in ordered else frozenset(each) for name, each in resource("dates.yaml").items()}


def _near(source: Passage, place: int) -> str:
    """The folded token at ``place``, or nothing."""
    return source.tokens[place].lower if 0 <= place < len(source.tokens) else ""


@lru_cache(maxsize=1)
def _names() -> dict[str, tuple[str, int, tuple[str, ...], Group]]:
    """A name as written, weekdays in the plural too → its form in the list, its length, the list, its group."""
    lists, found = _lists(), {}
    for name in lists["weekdays"]:
        found[name] = found[f"{name}s"] = (name, len(name), lists["weekdays"], "weekday")
    for names in (lists["short_months"], lists["months"]):
        found |= {name: (name, len(name), names, "month") for name in names}
    return found | {"sept": ("sep", 4, lists["short_months"], "month")}


def _named(source: Passage, place: int, present: set[str]) -> Date | None:
    """A month or weekday, without what is joined to it: "Fridays", "June's"."""
    lists, token = _lists(), source.tokens[place]
    bare, length, names, group = _names().get(token.lower.partition("'")[0], ("", 0, (), "day"))
    if not bare or (group == "month" and not _is_month(source, place, bare)):
        return None
    if group == "weekday" and (
        _near(source, place - 1) in lists["named_days"]
        or lists["fixes_weekday"] & present
        or _in_range(source, place, -1)
        or _in_range(source, place, 1)
    ):
        return None
    end = token.start + length
    return Date(group, token.start, end, _turning(names, bare, source.text[token.start : end]))


def _in_range(source: Passage, place: int, step: int) -> bool:
    """Whether another weekday stands two tokens on, with "to" between: the working week is no date."""
    other = _names().get(_near(source, place + 2 * step))
    return _near(source, place + step) in _RANGE and other is not None and other[3] == "weekday"


def _is_month(source: Passage, place: int, name: str) -> bool:
    lists, token = _lists(), source.tokens[place]
    before, after = _near(source, place - 1), _near(source, place + 1)
    dated = before[:1].isdigit() or after[:1].isdigit()
    if name in ("march", "may") and token.text[0].islower():
        return before in lists["before_small"]
    if name in lists["unsure"]:
        return dated if len(name) == 3 and name != "may" else dated or before in lists["before"]
    return True


def _turning(names: tuple[str, ...], name: str, written: str) -> Callable[[int, Callable[[], int]], str]:
    def render(shift: int, _: Callable[[], int]) -> str:
        new = names[(names.index(name) + shift) % len(names)]
        return new.upper() if written.isupper() else new.capitalize() if written[0].isupper() else new

    return render


def _is_beside_month(source: Passage, place: int) -> bool:
    """Whether a month stands directly before the number, or behind it, with "of" between or not."""
    for at in (place - 1, place + (2 if _near(source, place + 1) == "of" else 1)):
        name, _, _, group = _names().get(_near(source, at), ("", 0, (), "day"))
        if group == "month" and _is_month(source, at, name):
            return True
    return False


def _day(source: Passage, place: int, present: set[str]) -> Date | None:
    """A day beside its month, or an ordinal such as "on the 14th" that ends its phrase."""
    token = source.tokens[place]
    ordinal = _ORDINAL.fullmatch(token.text)
    number = (
        int(ordinal.group(1)) if ordinal else int(token.text) if token.text.isdigit() and len(token.text) < 3 else 0
    )
    if not 1 <= number <= 31:
        return None
    alone = (
        ordinal
        and _near(source, place - 1) == "the"
        and _near(source, place - 2) in ("on", "since", "until", "till", "by", "before", "after")
        and (place + 1 == len(source.tokens) or source.tokens[place + 1].kind in ("mark", "newline"))
    )
    if not (alone or _is_beside_month(source, place)):
        return None

    def render(_: int, draw: Callable[[], int]) -> str:
        day = draw()
        while day == number:
            day = draw()
        return f"{day}{_suffix(day)}" if ordinal else f"{day:0{len(token.text) if token.text[0] == '0' else 1}d}"

    return Date("day", token.start, token.end, render)


def _suffix(day: int) -> str:
    return "th" if 10 < day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")


def _year(source: Passage, place: int, present: set[str]) -> Date | None:
    lists, token = _lists(), source.tokens[place]
    if not _YEAR.fullmatch(token.text) or lists["fixes_year"] & present:
        return None
    before = _near(source, place - 1)
    month = before in lists["months"] or (before == "," and _near(source, place - 2)[:1].isdigit())
    if not (month or before in lists["year_before"]) or source.text[token.end : token.end + 1] in (
        "-",
        "–",
        "/",
        "'",
        "’",
    ):
        return None
    # "in 2000 steps" counts; a year ends its phrase or a clause follows.
    following = source.tokens[place + 1] if place + 1 < len(source.tokens) else None
    if following is not None and following.kind == "word" and source.tags[place + 1] in ("NNS", "NN"):
        return None
    return Date("year", token.start, token.end, lambda shift, _: str(int(token.text) + shift))


def _numeric(token: Token) -> Date | None:
    """12/3/2020 or 12.3.2020: which part is the day shows only when one is above 12; else both stay at 12 or less."""
    match = _NUMERIC.fullmatch(token.text)
    if not match or not (1 <= int(match.group(1)) <= 31 and 1 <= int(match.group(3)) <= 31):
        return None
    first, mark, second, year = match.groups()
    if int(first) > 12 and int(second) > 12:
        return None

    def part(old: str, draw: Callable[[], int]) -> str:
        new = 13 + draw() % 16 if int(old) > 12 else 1 + draw() % 12
        return f"{new:0{len(old) if old[0] == '0' else 1}d}"

    def render(shift: int, draw: Callable[[], int]) -> str:
        return f"{part(first, draw)}{mark}{part(second, draw)}{mark}{year}"

    return Date("day", token.start, token.end, render)


def _iso_dates(text: str) -> Iterator[Date]:
    for match in _ISO.finditer(text):
        year, month, day = match.groups()
        if 1 <= int(month) <= 12 and 1 <= int(day) <= 31:
            yield Date(
                "day",
                match.start(),
                match.end(),
                lambda _, draw, year=year: f"{year}-{1 + draw() % 12:02d}-{draw():02d}",
            )
