"""Shapes of identifiers in a text, whoever's they are: the second proof, beside `scanner`, that a document has no PHI.

The shapes are those of the ranges this corpus draws from (reserved telephone numbers with an area code of `places`, RFC
2606 mailboxes that are not an organisation's, valid check digits …) and labelled numbers. `lookalikes` keeps out of
them, and so must a negative: toll-free numbers, role mailboxes, versions with four parts, ICD codes are no identifiers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from dataset_project.documents.identities import geography, identifiers, network, numbers, resources, surfaces
from dataset_project.documents.identities.scanner import Hit

ROLE_MAILBOXES = frozenset(
    (
        *("info", "records", "support", "orders", "privacy", "billing", "help", "helpdesk", "newsletter", "events"),
        *("hr", "contact", "sales", "service", "compliance", "noreply", "no-reply", "press", "feedback", "library"),
        *("training", "postmaster"),
    )
)
"""Local parts of an organisation's addresses, which name no person."""

_MONTH = "|".join(f"{month}|{month[:3]}" for month in surfaces.MONTHS)
_DATE = (
    r"(?:\d{1,2}[/-]\d{1,2}[/-]\d{2,4}|\d{4}-\d\d-\d\d"
    rf"|(?:{_MONTH})\.? \d{{1,2}},? \d{{4}}|\d{{1,2}}[ -](?:{_MONTH})[ -]\d{{4}})"
)

Test = Callable[[re.Match[str]], bool]


def _always(found: re.Match[str]) -> bool:
    return True


def _checked(kind: str) -> Test:
    check = identifiers.CHECKS[kind]
    return lambda found: check.valid(found[0]) or check.reserved(found[0])


def _phone(found: re.Match[str]) -> bool:
    return found[1] in geography.area_codes()


def _mailbox(found: re.Match[str]) -> bool:
    local, _, domain = found[0].partition("@")
    return network.reserved_domain(domain) and local.lower() not in ROLE_MAILBOXES


def _street() -> str:
    kinds = [*surfaces.STREET_SHORT, "Way", *surfaces.STREET_SHORT.values()]
    return rf"(?i:\b\d{{1,5}} (?:{'|'.join(resources.lines('places_streets'))}) (?:{'|'.join(kinds)})\b)"


_MRN = r"(?i:\bMRN|medical record (?:number|no\.?))[:# -]{0,3}(?:[A-Z]{0,3}\d{8,10}|\d\d-\d{3}-\d{3})\b"
PATTERNS: tuple[tuple[str, str, re.Pattern[str], Test], ...] = tuple(
    (kind, needs, re.compile(pattern), test)
    for kind, needs, pattern, test in (
        ("ssn", "", r"(?<![\w-])\d{3}[- ]\d{2}[- ]\d{4}(?![\w-])", lambda found: numbers.valid_ssn(found[0])),
        ("ssn", "-", r"(?<!\w)(?:xxx|XXX|\*{3})-(?:xx|XX|\*{2})-\d{4}(?!\w)", _always),
        ("ssn", "", r"(?i:SSN|social security (?:number|no\.?))[:# ]{1,3}\d{9}\b", _always),
        ("phone", "555", r"(?<!\w)(?:\+?1[- .]?)?\(?([2-9]\d\d)\)?[- .]{0,2}555[- .]?01\d\d(?!\d)", _phone),
        ("email", "@", r"[\w.%+-]+@[\w.-]+\w", _mailbox),
        ("url", "/~", r"(?:[\w-]+\.)+(?:example|org|com|net)/~\w+", _always),
        ("url", ".pages.example", r"\b\w+\.pages\.example\b", _always),
        ("ip", ".", r"(?<![\d.])(?:192\.0\.2|198\.51\.100|203\.0\.113)\.\d{1,3}(?![\d.])", _checked("ip")),
        ("ip", ":", r"(?i:\b2001:db8:[0-9a-f:]*[0-9a-f])", _checked("ip")),
        ("mbi", "", r"\b[1-9][A-Z][A-Z0-9]\d-?[A-Z][A-Z0-9]\d-?[A-Z]{2}\d\d\b", _always),
        ("dea", "", r"\b[A-Z][A-Z9]\d{7}\b", _checked("dea")),
        ("vin", "", r"\b[A-HJ-NPR-Z0-9]{17}\b", _checked("vin")),
        ("device_udi", "(01)", r"\(01\)\d{14}\(21\)[A-Z0-9]{6,20}", _always),
        ("device_udi", "010952", r"\b010952\d{10}21[A-Z0-9]{6,20}\b", _always),
        ("mrn", "", _MRN, _always),
        ("npi", "", r"(?i:\bNPI)[:# ]{1,3}\d{10}\b", _always),
        ("biometric", "-", rf"\b{identifiers.SHAPES['biometric']}\b", _always),
        ("photo", "_", r"(?<![A-Za-z])(?:face|portrait|photo|IMG)_\d{8}\.(?:jpg|png)", _always),
        ("trial_subject", "", r"\b[A-Z]{3}\d{3}[- ]\d{3}[- ]\d{5}\b", _always),
        ("rx_number", "", r"\bR[xX] ?#? ?\d{7}(?:-\d\d)?\b", _always),
        ("accession", "-", r"\b(?:CT|MR|XR|US|LB|SP)-\d{2}-\d{7}\b", _always),
        ("claim", "CLM", r"\bCLM\d{11}\b", _always),
        ("authorization", "PA", r"\bPA\d{9}\b", _always),
        ("order", "ORD-", r"\bORD-\d{8}\b", _always),
        ("birth_date", "", rf"(?i:\b(?:DOB|date of birth|birth ?date|born(?: on)?))[: ]{{1,3}}{_DATE}", _always),
        ("age_90_plus", "", r"\b(?:9\d|10\d)[- ]?(?:year[- ]old|y/?o\b|years? of age|years old)", _always),
        ("street", "", _street(), _always),
    )
)
"""Kind, what every text with one contains (a quick look first), what it looks like, what must hold besides."""


def identifiers_in(text: str) -> list[Hit]:
    """Every shape of an identifier, in order of the text. Empty for a text without any."""
    return sorted(_found(text), key=lambda hit: (hit.start, hit.end, hit.kind))


def _found(text: str) -> Iterator[Hit]:
    for kind, needs, pattern, test in PATTERNS:
        if needs not in text:
            continue
        for found in pattern.finditer(text):
            if test(found):
                yield Hit(kind, found[0], found.start(), found.end())
