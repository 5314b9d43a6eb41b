"""Which check each fine type of identifier has, and whether a value holds what its validity label says.

What `validation` asks of every span: `holds`. The arithmetic is in `numbers`, `network` and `geography`; the styles of
facilities, plans and states are here, as they are one pattern each.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dataset_project.documents.identities import dates, geography, network, numbers, resources
from dataset_project.documents.model.values import Validity

Test = Callable[[str], bool]


def never(text: str) -> bool:
    """No range of this type is reserved."""
    return False


@dataclass(frozen=True)
class Check:
    """``formed``: looks like one at a glance; ``valid``: its check digit (if any) holds; ``reserved``: never issued."""

    formed: Test
    valid: Test
    reserved: Test = never


def of_pattern(pattern: str) -> re.Pattern[str]:
    """A style (``#`` a digit, ``a`` and ``p`` a letter, other signs themselves) as a regular expression.

    >>> bool(of_pattern("a##-#").fullmatch("K12-3"))
    True
    """
    return re.compile(
        "".join({"#": r"\d", "a": "[A-Z]", "p": "[A-Z]"}.get(sign, re.escape(sign)) for sign in pattern), re.ASCII
    )


@functools.cache
def _any_of(kind: str) -> re.Pattern[str]:
    if kind == "mrn":
        patterns = [style["pattern"] for style in resources.facility_words()["mrn_styles"]]
    elif kind in ("member", "group"):
        patterns = [plan[kind] for plan in resources.plans()]
    else:
        patterns = [getattr(state, kind) for state in resources.states()]
    return re.compile("|".join(f"(?:{of_pattern(pattern).pattern})" for pattern in patterns), re.ASCII)


def styled(kind: str) -> Test:
    """Whether a text has one of the styles of ``kind``: mrn, member, group, driver, medical or plate."""
    return lambda text: bool(_any_of(kind).fullmatch(text))


def valid_licence(text: str, state: str, kind: str = "driver") -> bool:
    """Whether a licence (``driver``, ``medical``) or ``plate`` has its state's style. KeyError for no state."""
    return bool(of_pattern(getattr(resources.state_of(state), kind)).fullmatch(text))


def shaped(pattern: str) -> Test:
    """Whether a text matches a regular expression as a whole."""
    compiled = re.compile(pattern, re.ASCII)
    return lambda text: bool(compiled.fullmatch(text))


SHAPES: Mapping[str, str] = {
    "account": r"[1-9]\d{9}",
    "bank_account": r"[1-9]\d{11}",
    "employee_number": r"[1-9]\d{6}",
    "device_serial": r"[A-Z]{3}\d{6}[A-Z]",
    "biometric": r"(?:FPT|IRT|VPT|FCT|PLM)-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}",
    "photo": r"(?:face|portrait|photo|IMG)_\d{8}\.(?:jpg|png)",
    "trial_subject": r"[A-Z]{3}\d{3}-\d{3}-\d{5}",
    "rx_number": r"[1-9]\d{6}-\d{2}",
    "accession": r"[A-Z]{2}-\d{2}-\d{7}",
    "claim": r"CLM\d{11}",
    "authorization": r"PA\d{9}",
    "order": r"ORD-\d{8}",
    "username": r"[a-z]{2,9}\d{2,4}",
}
"""Shapes of the numbers that facilities, plans and others in this corpus hand out; none has a check digit."""


def _plain(test: Test) -> Check:
    return Check(test, test)


CHECKS: Mapping[str, Check] = {
    "npi": Check(shaped(r"\d{10}"), numbers.valid_npi, numbers.reserved_npi),
    "dea": Check(shaped(r"[A-Z][A-Z9]\d{7}"), numbers.valid_dea),
    "mbi": Check(numbers.formed_mbi, numbers.valid_mbi, numbers.reserved_mbi),
    "ssn": Check(numbers.valid_ssn, numbers.valid_ssn, numbers.reserved_ssn),
    "vin": Check(shaped(r"[A-Z0-9]{17}"), numbers.valid_vin),
    "device_udi": Check(shaped(numbers.UDI.pattern), numbers.valid_udi, numbers.reserved_udi),
    "phone": Check(numbers.valid_phone, numbers.valid_phone, numbers.reserved_phone),
    "email": Check(network.valid_email, network.valid_email, network.reserved_email),
    "url": Check(network.valid_url, network.valid_url, network.reserved_url),
    "ip": Check(network.valid_ip, network.valid_ip, network.reserved_ip),
    "zip": _plain(geography.valid_zip),
    "zip3": _plain(geography.restricted_zip3),
    "date": _plain(dates.valid_date),
    "mrn": _plain(styled("mrn")),
    "member_id": _plain(styled("member")),
    "group_number": _plain(styled("group")),
    "driver_licence": _plain(styled("driver")),
    "medical_licence": _plain(styled("medical")),
    "plate": _plain(styled("plate")),
    **{name: _plain(shaped(pattern)) for name, pattern in SHAPES.items()},
}
"""Check of each kind of number, on its canonical form."""


def valid(kind: str, text: str) -> bool:
    """Whether ``text`` is a valid ``kind`` (a key of CHECKS); KeyError for a kind that has no check."""
    return CHECKS[kind].valid(text)


def holds(kind: str, canonical: str, validity: Validity) -> bool:
    """Whether a value is what its label says. KeyError for a kind that has no check.

    ``realistic``: valid, and in no reserved range. ``reserved``: in one. ``invalid_checksum``: well formed, but its
    check fails (for an MBI: a letter that CMS never uses). ``not_applicable`` is right for dates and ZIP3 only.
    """
    check = CHECKS[kind]
    if validity == "realistic":
        return check.valid(canonical) and not check.reserved(canonical)
    if validity == "reserved":
        return check.reserved(canonical)
    if validity == "invalid_checksum":
        return check.formed(canonical) and not check.valid(canonical) and not check.reserved(canonical)
    return kind in ("date", "zip3") and check.valid(canonical)
