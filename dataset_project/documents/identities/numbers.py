"""Checks of national numbers: NPI, DEA, MBI, SSN, telephone, VIN, GTIN within a UDI. One text in, yes or no out.

Written apart from `columns`, which makes these numbers: a validator must not share the maker's arithmetic. ``valid_*``
says that a number is well formed and its check digit holds; ``reserved_*`` that its range is never issued.
Which fine type has which check belongs to `identifiers`.
"""

from __future__ import annotations

import re

NPI = re.compile(r"\d{10}", re.ASCII)
DEA = re.compile(r"[ABCDEFGHJKLMPRSTUX][A-Z9]\d{7}", re.ASCII)
SSN = re.compile(r"(\d{3})[- ]?(\d{2})[- ]?(\d{4})", re.ASCII)
PHONE = re.compile(r"(?:\+?1[-. ]?)?\(?([2-9]\d{2})\)?[-. ]{0,2}([2-9]\d{2})[-. ]?(\d{4})", re.ASCII)
VIN = re.compile(r"[A-HJ-NPR-Z0-9]{17}", re.ASCII)
UDI = re.compile(r"\(01\)(\d{14})\(21\)([A-Z0-9]{6,20})", re.ASCII)

MBI_LETTERS = "ACDEFGHJKMNPQRTUVWXY"
"""Letters of an MBI: all but S, L, O, I, B and Z (CMS, "Understanding the Medicare Beneficiary Identifier Format")."""
_L, _E = f"[{MBI_LETTERS}]", f"[{MBI_LETTERS}0-9]"
MBI = re.compile(rf"[1-9]{_L}{_E}\d{_L}{_E}\d{_L}{{2}}\d{{2}}", re.ASCII)
MBI_SYNTHETIC = re.compile(rf"[1-9]S{_E}\d{_L}{_E}\d{_L}{{2}}\d{{2}}", re.ASCII)

VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
VIN_VALUES = {
    **{str(digit): digit for digit in range(10)},
    **dict(zip("ABCDEFGH", range(1, 9), strict=True)),
    **dict(zip("JKLMN", range(1, 6), strict=True)),
    **{"P": 7, "R": 9},
    **dict(zip("STUVWXYZ", range(2, 10), strict=True)),
}
"""Transliteration and weights of 49 CFR 565.15(c), which fills in ISO 3779's check position."""


def luhn_holds(number: str) -> bool:
    """Whether a string of digits passes the Luhn check (ISO/IEC 7812-1 annex B)."""
    total = 0
    for place, sign in enumerate(reversed(number)):
        digit = int(sign) * (1 + place % 2)
        total += digit - 9 if digit > 9 else digit
    return total % 10 == 0


def valid_npi(text: str) -> bool:
    """Ten digits whose check digit holds with the prefix 80840 (45 CFR 162.406)."""
    return bool(NPI.fullmatch(text)) and luhn_holds("80840" + text)


def reserved_npi(text: str) -> bool:
    """A valid NPI that begins with neither 1 nor 2, as all issued ones do."""
    return valid_npi(text) and text[0] not in "12"


def valid_dea(text: str) -> bool:
    """Registrant letter, letter of the name (or 9), seven digits: (d1+d3+d5) + 2(d2+d4+d6) ends in d7."""
    if not DEA.fullmatch(text):
        return False
    number = [int(sign) for sign in text[2:]]
    return (sum(number[0:6:2]) + 2 * sum(number[1:6:2])) % 10 == number[6]


def valid_mbi(text: str) -> bool:
    """Eleven positions as CMS issues them, with or without dashes after the fourth and seventh."""
    return bool(MBI.fullmatch(_without_mbi_dashes(text)))


def reserved_mbi(text: str) -> bool:
    """The form of CMS's synthetic beneficiaries: S, which no issued MBI has, in the second position."""
    return bool(MBI_SYNTHETIC.fullmatch(_without_mbi_dashes(text)))


def formed_mbi(text: str) -> bool:
    """Eleven capitals and digits, dashes aside: what looks like an MBI at a glance."""
    return bool(re.fullmatch(r"[A-Z0-9]{11}", _without_mbi_dashes(text)))


def valid_ssn(text: str) -> bool:
    """Nine digits, dashed, spaced or plain, whose group is not 00 and whose serial is not 0000."""
    found = SSN.fullmatch(text)
    return bool(found) and found[2] != "00" and found[3] != "0000"


def reserved_ssn(text: str) -> bool:
    """A well-formed number in an area that is never issued: 000, 666, 900 to 999 (SSA, POMS RM 10201.035)."""
    return valid_ssn(text) and (text[:3] in ("000", "666") or text[0] == "9")


def valid_phone(text: str) -> bool:
    """Ten digits of the North American plan, with or without country code, in common notations."""
    return bool(PHONE.fullmatch(text))


def reserved_phone(text: str) -> bool:
    """A number 555-0100 to 555-0199, kept for fiction (ATIS-0300115)."""
    found = PHONE.fullmatch(text)
    return bool(found) and found[2] == "555" and found[3].startswith("01")


def valid_vin(text: str) -> bool:
    """Seventeen characters without I, O, Q; the ninth is the weighted sum of the others mod 11, X for ten."""
    if not VIN.fullmatch(text):
        return False
    rest = sum(VIN_VALUES[sign] * weight for sign, weight in zip(text, VIN_WEIGHTS, strict=True)) % 11
    return text[8] == ("X" if rest == 10 else str(rest))


def valid_udi(text: str) -> bool:
    """``(01)`` GTIN-14 ``(21)`` serial, GS1 element strings as people read them; the GTIN's check digit holds."""
    found = UDI.fullmatch(text)
    if not found:
        return False
    body = [int(sign) for sign in found[1]]
    return sum(digit * (3 if place % 2 == 0 else 1) for place, digit in enumerate(body)) % 10 == 0


def reserved_udi(text: str) -> bool:
    """A valid UDI under GS1 prefix 952, which GS1 keeps for demonstrations."""
    return valid_udi(text) and text[5:8] == "952"


def _without_mbi_dashes(text: str) -> str:
    return text.replace("-", "") if re.fullmatch(r".{4}-.{3}-.{4}", text) else text
