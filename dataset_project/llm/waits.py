"""How long a provider asks to wait, and which limits it announces: headers and error bodies.

Sources: RFC 9110 §10.2.3 (Retry-After), OpenAI "Rate limits in headers", google.rpc.RetryInfo.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|d|h|m|s)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_UNIT = r"(?:ms|d|h|m|s(?:ec(?:onds?)?)?)"
_IN_MESSAGE = re.compile(rf"(?:try|retry)(?: again)? (?:in|after) ((?:\d+(?:\.\d+)?\s?{_UNIT}\s?)+)", re.I)


def retry_after_of(headers: Mapping[str, str], error: Any, message: str) -> float | None:
    """Seconds to wait before coming again; None where nothing says so. Never capped: it is the provider's word.

    In this order: ``retry-after-ms``, ``Retry-After`` (seconds or a date, counted from the answer's own ``Date`` so
    that clocks need not agree), a RetryInfo in ``error``, the reset of a limit with nothing remaining, the ``message``.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    given = headers.get("retry-after")
    if given:
        seconds = _number(given)
        return seconds if seconds is not None else _until(given, headers.get("date"))
    details = error.get("details") if isinstance(error, dict) else None
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict) and isinstance(detail.get("retryDelay"), str):
            return duration_s(detail["retryDelay"])
    resets = [
        duration_s(headers.get(f"x-ratelimit-reset-{what}") or "")
        for what in ("requests", "tokens")
        if _number(headers.get(f"x-ratelimit-remaining-{what}")) == 0
    ]
    known = [reset for reset in resets if reset is not None]
    if known:
        return max(known)
    found = _IN_MESSAGE.search(message)
    return duration_s(re.sub(r"sec\w*", "s", found[1].lower())) if found else None


def duration_s(text: str) -> float | None:
    """Seconds of ``6m0s``, ``34.5s``, ``120ms`` …, or of a bare number; None for anything else.

    >>> duration_s("1h2m3.5s")
    3723.5
    """
    text = text.strip().replace(" ", "")
    parts = _PART.findall(text)
    if parts and "".join(number + unit for number, unit in parts) == text:
        return sum(float(number) * _SECONDS[unit] for number, unit in parts)
    return _number(text)


def announced_limits(headers: Mapping[str, str], host: str) -> tuple[int | None, int | None]:
    """Requests and tokens per minute that an answer's headers announce; None where they do not.

    Some count requests per day under the same name: Groq always, OpenAI for small accounts. The time until a limit is
    whole again shows it: longer than a minute, or what one request takes of a day. Those are no limits per minute.
    """
    requests, tokens = _limit(headers, "requests"), _limit(headers, "tokens")
    return (None if host.endswith("groq.com") else requests), tokens


def _limit(headers: Mapping[str, str], what: str) -> int | None:
    limit = _number(headers.get(f"x-ratelimit-limit-{what}"))
    if not limit:
        return None
    reset = duration_s(headers.get(f"x-ratelimit-reset-{what}") or "") or 0.0
    used = limit - (_number(headers.get(f"x-ratelimit-remaining-{what}")) or 0.0)
    is_per_day = used > 0 and 0.8 < reset * limit / used / 86_400 < 1.25
    return None if reset > 61 or is_per_day else int(limit)


def _until(date: str, now: str | None) -> float | None:
    try:
        until = parsedate_to_datetime(date)
        since = parsedate_to_datetime(now) if now else datetime.now(UTC)
    except (TypeError, ValueError):
        return None
    if until.tzinfo is None or since.tzinfo is None:
        until, since = until.replace(tzinfo=UTC), since.replace(tzinfo=UTC)
    return max(0.0, (until - since).total_seconds())


def _number(text: str | None) -> float | None:
    """A finite number, not negative."""
    try:
        number = float(text) if text else None
    except ValueError:
        return None
    return number if number is not None and math.isfinite(number) and number >= 0 else None
