"""Checks of what identifies people on networks: e-mail addresses, URLs, IP addresses.

All that the project plants lies in ranges kept for documentation: RFC 2606 domains, RFC 5737 and RFC 3849 addresses.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

EMAIL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._%+-]{0,62}[A-Za-z0-9])?@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")
DOMAINS = ("example.com", "example.net", "example.org")
"""Second-level domains of RFC 2606 section 3; the top-level domain ``.example`` (section 2) is reserved as a whole."""
NETWORKS = tuple(
    ipaddress.ip_network(each) for each in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
)


def reserved_domain(domain: str) -> bool:
    """Whether a host name lies in a domain of RFC 2606."""
    domain = domain.lower()
    return domain.endswith(".example") or any(domain == each or domain.endswith("." + each) for each in DOMAINS)


def valid_email(text: str) -> bool:
    """A plain address ``local@domain``."""
    return bool(EMAIL.fullmatch(text))


def reserved_email(text: str) -> bool:
    """A valid address in a reserved domain."""
    return valid_email(text) and reserved_domain(text.rpartition("@")[2])


def valid_url(text: str) -> bool:
    """An http or https URL with a host; the scheme may be left out, as people do."""
    if re.search(r"\s", text):
        return False
    try:
        parts = urlsplit(text if "//" in text else f"https://{text}")
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and "." in (parts.hostname or "")


def reserved_url(text: str) -> bool:
    """A valid URL whose host lies in a reserved domain."""
    return valid_url(text) and reserved_domain(urlsplit(text if "//" in text else f"https://{text}").hostname or "")


def valid_ip(text: str) -> bool:
    """An IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def reserved_ip(text: str) -> bool:
    """An address in a network kept for documentation."""
    return valid_ip(text) and any(ipaddress.ip_address(text) in network for network in NETWORKS)
