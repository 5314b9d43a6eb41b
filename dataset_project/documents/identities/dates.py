"""Dates of an encounter and ages, counted from the reference date of the corpus, never from today.

Age groups follow Safe Harbor: an age of 90 or more identifies (45 CFR 164.514(b)(2)(i)(C)), a smaller one does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

OLDEST = 104
"""Years. Ages are drawn up to here."""


@dataclass(frozen=True)
class Encounter:
    """Days on which things happened to a patient: none before birth, none but the follow-up after the reference."""

    admission: date
    procedure: date
    specimen: date
    result: date
    discharge: date
    visit: date
    prescription: date
    immunization: date
    follow_up: date

    def in_order(self) -> bool:
        """Whether the days can be true of one stay."""
        stay = self.admission <= self.procedure <= self.discharge and self.admission <= self.specimen <= self.result
        return stay and self.result <= self.discharge <= self.visit <= self.prescription < self.follow_up


def age_on(birth: date, day: date) -> int:
    """Completed years. Raises ValueError for a day before birth.

    >>> age_on(date(2000, 2, 29), date(2023, 2, 28))
    22
    """
    if day < birth:
        raise ValueError(f"{day} is before the birth on {birth}")
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def age_identifies(age: int) -> bool:
    """Whether an age is an identifier by itself: 90 or more."""
    return age >= 90


def valid_date(text: str) -> bool:
    """An ISO date, ``YYYY-MM-DD``."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def encounter(birth: date, reference: date, draw: np.random.Generator) -> Encounter:
    """The days of one stay and the visit after it, in the year before ``reference`` (or since birth, if later).

    Raises ValueError when the birth is not before the reference date.
    """
    lived = (reference - birth).days
    if lived < 1:
        raise ValueError(f"the patient's birth, {birth}, is not before the reference date {reference}")
    part = draw.random(8)
    # The stay begins so many days ago; everything else is a share of the days that are left.
    back = min(lived, 14 + int(part[0] * 352))
    admission = reference - timedelta(days=back)
    stay = min(1 + int(part[1] ** 2 * 13), back)
    procedure = admission + timedelta(days=int(part[2] * (stay + 1)))
    specimen = admission + timedelta(days=int(part[3] * (stay + 1)))
    result = specimen + timedelta(days=min(int(part[4] * 3), (admission + timedelta(days=stay) - specimen).days))
    discharge = admission + timedelta(days=stay)
    visit = discharge + timedelta(days=int(part[5] * (min(back - stay, 45) + 1)))
    immunization = birth + timedelta(days=int(part[6] * (lived + 1)))
    follow_up = visit + timedelta(days=7 + int(part[7] * 84))
    return Encounter(admission, procedure, specimen, result, discharge, visit, visit, immunization, follow_up)
