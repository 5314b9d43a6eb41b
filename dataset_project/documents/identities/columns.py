"""Columns of national numbers with check digits and of numbers in reserved ranges, vectorised.

Each maker takes the people's draws and gives a column of canonical text, and one of validity labels where there is a
choice. Checks of the results are in `numbers`, written apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from dataset_project.documents.identities.draws import Characters, Draws, Numbers, digits, joined, signs, take, text
from dataset_project.documents.identities.numbers import MBI_LETTERS, VIN_VALUES, VIN_WEIGHTS

LABELS = ("realistic", "reserved", "invalid_checksum")
Labelled = tuple[pa.StringArray, pa.StringArray]
"""Canonical text, validity label."""


@dataclass(frozen=True)
class Shares:
    """How many of a kind of number are realistic, in a reserved range, or wrong in their check digit. Sum 1."""

    realistic: float = 1.0
    reserved: float = 0.0
    invalid_checksum: float = 0.0

    def __post_init__(self) -> None:
        if min(self.weights) < 0 or abs(sum(self.weights) - 1) > 1e-9:
            raise ValueError(f"shares of validity are at least 0 and sum to 1, not {self.weights}")

    @property
    def weights(self) -> tuple[float, float, float]:
        """In the order of LABELS."""
        return self.realistic, self.reserved, self.invalid_checksum


DEFAULT_SHARES: Mapping[str, Shares] = {
    "npi": Shares(0.60, 0.25, 0.15),
    "dea": Shares(0.85, 0.0, 0.15),
    "mbi": Shares(0.60, 0.25, 0.15),
    "vin": Shares(0.85, 0.0, 0.15),
    "device_udi": Shares(0.0, 0.85, 0.15),
}
"""Numbers whose validity is mixed. SSNs, telephone numbers, addresses on networks are always reserved."""
WITHOUT_RESERVED = ("dea", "vin")
WITHOUT_REALISTIC = ("device_udi",)


def checked(shares: Mapping[str, Shares] | None) -> Mapping[str, Shares]:
    """The shares of every kind. ValueError for an unknown kind, or a share of a range the kind does not have."""
    shares = {**DEFAULT_SHARES, **(shares or {})}
    if unknown := sorted(set(shares) - set(DEFAULT_SHARES)):
        raise ValueError(f"validity is mixed for {', '.join(DEFAULT_SHARES)}, not for {', '.join(unknown)}")
    for kind, each in shares.items():
        if kind in WITHOUT_RESERVED and each.reserved:
            raise ValueError(f"no range of {kind} is reserved")
        if kind in WITHOUT_REALISTIC and each.realistic:
            raise ValueError(f"{kind} is only drawn from a reserved range")
    return shares


def _validity(draws: Draws, field: str, shares: Shares) -> tuple[Numbers, pa.StringArray]:
    which = draws.weighted(f"{field}_validity", shares.weights)
    return which, take(LABELS, which)


def _spoilt(draws: Draws, field: str, check: Numbers, which: Numbers, base: int = 10) -> Numbers:
    """Check digits, each moved by 1 … base - 1 where the label says that it does not hold."""
    return (check + np.where(which == 2, 1 + draws.below(f"{field}_spoilt", base - 1), 0)) % base


def npi(draws: Draws, shares: Shares) -> Labelled:
    """Ten digits; realistic and spoilt ones begin with 1 or 2, reserved ones with 3 to 9."""
    which, labels = _validity(draws, "npi", shares)
    value = draws.distinct("npi", 10_000, 10_000)
    first = np.where(which == 1, 3 + draws.below("npi_first", 7), 1 + draws.below("npi_first", 2))
    body = digits(first * 10**8 + value, 9)
    number = body.astype(np.int64) - ord("0")
    doubled = 2 * number[:, ::2]
    # 24 is what the prefix 80840 adds.
    total = 24 + (doubled - 9 * (doubled > 9)).sum(axis=1) + number[:, 1::2].sum(axis=1)
    check = _spoilt(draws, "npi", -total % 10, which)
    return text(np.hstack([body, digits(check, 1)])), labels


def dea(draws: Draws, initials: Characters, shares: Shares) -> Labelled:
    """Registrant letter A, B, F or M, the first letter of the family name, six digits and the check digit."""
    which, labels = _validity(draws, "dea", shares)
    letter = signs(draws.below("dea_letter", 4), "ABFM", 1)
    body = digits(draws.distinct("dea", 1000, 1000), 6)
    number = body.astype(np.int64) - ord("0")
    check = _spoilt(draws, "dea", (number[:, ::2].sum(axis=1) + 2 * number[:, 1::2].sum(axis=1)) % 10, which)
    return text(np.hstack([letter, initials, body, digits(check, 1)])), labels


def mbi(draws: Draws, shares: Shares) -> Labelled:
    """Eleven positions; reserved ones have S in the second, spoilt ones a letter that CMS never uses in the fifth."""
    which, labels = _validity(draws, "mbi", shares)
    both = MBI_LETTERS + "0123456789"
    rest = draws.distinct("mbi", 2000, 2000)
    columns = [
        signs(draws.below("mbi_1", 9), "123456789", 1),
        signs(draws.below("mbi_2", 20), MBI_LETTERS, 1),
        signs(draws.below("mbi_3", 30), both, 1),
        signs(rest, "0123456789", 1),
        signs(draws.below("mbi_5", 20), MBI_LETTERS, 1),
        signs(draws.below("mbi_6", 30), both, 1),
        signs(rest // 10, "0123456789", 1),
        signs(rest // 100, MBI_LETTERS, 2),
        signs(rest // 40_000, "0123456789", 2),
    ]
    made = np.hstack(columns)
    made[:, 1] = np.where(which == 1, ord("S"), made[:, 1])
    wrong = signs(draws.below("mbi_spoilt", 5), "LOIBZ", 1)[:, 0]
    made[:, 4] = np.where(which == 2, wrong, made[:, 4])
    return text(made), labels


def ssn(draws: Draws) -> pa.StringArray:
    """Nine digits in areas 000, 666 and 900 to 999. Groups 01 to 49: higher ones of the 900s are taxpayer numbers."""
    value = draws.distinct("ssn", 102 * 49, 9999)
    area = value // 9999 // 49
    area = np.where(area == 100, 0, np.where(area == 101, 666, 900 + area))
    group = 1 + value // 9999 % 49
    return text(np.hstack([digits(area, 3), digits(group, 2), digits(1 + value % 9999, 4)]))


MAKERS = ("1FT", "1G1", "1HG", "1N4", "2HK", "2T1", "3FA", "3VW", "4T1", "5YJ", "JH4", "JM1", "KM8", "WBA", "YV1")
VIN_SIGNS = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"
MODEL_YEARS = "ABCDEFGHJKLMNPRSTVWXY123456789"


def vin(draws: Draws, shares: Shares) -> Labelled:
    """World manufacturer, five signs, check digit, model year, plant and six digits."""
    which, labels = _validity(draws, "vin", shares)
    makers = np.frombuffer("".join(MAKERS).encode(), dtype=np.uint8).reshape(-1, 3)
    body = np.hstack(
        [
            makers[draws.below("vin_maker", len(MAKERS))],
            signs(draws.below("vin_model", 33**5), VIN_SIGNS, 5),
            np.full((draws.count, 1), ord("0"), dtype=np.uint8),
            signs(draws.below("vin_year", 30), MODEL_YEARS, 1),
            signs(draws.below("vin_plant", 23), VIN_SIGNS, 1),
            digits(draws.distinct("vin", 1000, 1000), 6),
        ]
    )
    values = np.zeros(128, dtype=np.int64)
    for sign, value in VIN_VALUES.items():
        values[ord(sign)] = value
    check = (values[body] * np.array(VIN_WEIGHTS)).sum(axis=1) % 11
    body[:, 8] = signs(_spoilt(draws, "vin", check, which, 11), "0123456789X", 1)[:, 0]
    return text(body), labels


def device_udi(draws: Draws, shares: Shares) -> Labelled:
    """``(01)`` GTIN-14 of GS1's demonstration prefix ``(21)`` serial."""
    which, labels = _validity(draws, "device_udi", shares)
    body = digits(952 * 10**9 + draws.below("device_model", 10**9), 13)
    number = body.astype(np.int64) - ord("0")
    check = -(3 * number[:, ::2].sum(axis=1) + number[:, 1::2].sum(axis=1)) % 10
    gtin = text(np.hstack([body, digits(_spoilt(draws, "device_udi", check, which), 1)]))
    alphabet = MBI_LETTERS + "0123456789"
    lot = text(signs(draws.below("device_lot", 30**4), alphabet, 4))
    serial = text(signs(draws.distinct("device_udi", 27_000, 27_000), alphabet, 6))
    return joined("(01)", gtin, "(21)", lot, serial), labels


def phone(draws: Draws, turn: int, area_codes: pa.StringArray) -> pa.StringArray:
    """Ten digits: the row's area code, 555, 01 and two digits. The four turns, 0 to 3, of a row differ."""
    last = draws.below("phone", 100) + 25 * turn + draws.below(f"phone_{turn}", 25)
    return joined(area_codes, "55501", text(digits(last % 100, 2)))


def ip(draws: Draws) -> pa.StringArray:
    """IPv4 documentation addresses for three of four rows, IPv6 ones, in canonical text, for the others."""
    networks = ("192.0.2.", "198.51.100.", "203.0.113.")
    fourth = take([str(number) for number in range(256)], 1 + draws.below("ipv4", 254))
    four = joined(take(networks, draws.below("ipv4_network", 3)), fourth)
    hexadecimal = "0123456789abcdef"
    # No group begins with 0, so that the text is the shortest one there is.
    groups = [
        joined(text(signs(1 + draws.below(f"ipv6_{place}", 15), hexadecimal, 1)), text(signs(low, hexadecimal, 3)))
        for place, low in ((each, draws.below(f"ipv6_low_{each}", 16**3)) for each in "abc")
    ]
    six = joined("2001:db8:", groups[0], ":", groups[1], "::", groups[2])
    newer = draws.happens("ip_version", 0.25)
    return pa.concat_arrays([four, six]).take(pa.array(np.arange(draws.count) + np.where(newer, draws.count, 0)))
