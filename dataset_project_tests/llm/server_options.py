"""What the loopback server can be told: its options and its scripted faults."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from hashlib import blake2b
from typing import Any

FAULTS = {
    # The connection.
    "reset": "reset before any answer",
    "close": "closed before any answer",
    "reset_body": "reset in the middle of the body",
    "truncated_body": "closed in the middle of the body",
    "hang": "accepted and never answered",
    "slow_loris": "one byte of the answer per `seconds`",
    # The body.
    "html": "status 200 with a proxy's HTML",
    "empty": "status 200 with an empty body",
    "no_choices": "status 200 with an answer that has no choices",
    "error_in_200": "status 200 with an error object (`status`)",
    # The answer.
    "malformed_json": "an answer that is not JSON",
    "invalid_schema": "an answer against its schema",
    "fenced": "a valid answer in a Markdown fence",
    "text": "an answer with the text `text`",
    "refusal": "a refusal",
    "content_filter": "finish_reason content_filter",
    "length": "an answer cut off; with `below_cap`: only where the cap is below it",
    "no_usage": "a valid answer without usage",
    # Statuses.
    "status": "`status` with HTML, or with the JSON `body`; `retry_after` seconds if given",
    "rate_limited": "429; `retry_after` seconds, `style`: seconds, ms, date, gemini, message, reset",
    "insufficient_quota": "429 that no waiting helps",
    "billing": "400 billing_hard_limit_reached",
    "invalid_key": "401",
    "key_echo": "401 that repeats the key",
    "unknown_model": "404 model_not_found",
    "unknown_model_400": "400 model_not_found",
    "context_length": "400 context_length_exceeded",
    "content_filter_400": "400 content_filter",
    "bad_request": "400 that repeats the key",
    # Embeddings.
    "wrong_count": "one vector too few",
    "wrong_dimension": "a vector too short",
    "not_finite": "a vector with NaN",
}


@dataclass
class Fault:
    """One scripted fault, for chat and embedding requests that match.

    ``count``: so many requests, after ``skip`` others (None: all). ``share``: of the requests, drawn by their body and
    by how often it came before, so the same ones in any order of arrival. ``match``: text in the body.
    """

    kind: str
    count: int | None = 1
    skip: int = 0
    share: float | None = None
    match: str = ""
    seed: int = 0
    status: int = 500
    retry_after: float | None = None
    style: str = "seconds"
    seconds: float = 0.05
    below_cap: int | None = None
    text: str = ""
    body: str = ""

    def __post_init__(self) -> None:
        if self.kind not in FAULTS:
            raise ValueError(f"no fault {self.kind!r}; there are {sorted(FAULTS)}")
        if self.share is not None and self.count == 1:
            self.count = None

    def takes(self, body: bytes, body_hash: str, occurrence: int, cap: int) -> bool:
        """Whether this request gets it; counts it if so."""
        if self.count == 0 or (self.match and self.match.encode() not in body):
            return False
        if self.below_cap is not None and cap >= self.below_cap:
            return False
        if self.share is not None:
            drawn = blake2b(f"{self.seed}/{self.kind}/{body_hash}/{occurrence}".encode(), digest_size=4).digest()
            if int.from_bytes(drawn, "big") >= self.share * 2**32:
                return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.count is not None:
            self.count -= 1
        return True


@dataclass(frozen=True)
class Options:
    """All of them may be changed while the server runs (`LoopbackServer.control`).

    ``answers``: ``module:function``; called with the decoded body, it returns a JSON value or a text. ``answer``: the
    same text for everybody. Neither: values from the JSON schema, drawn by the hash of the messages.
    ``latency_s``: seconds, or ``["uniform", low, high]``, or ``["lognormal", median, sigma]``, drawn with ``seed``.
    ``requests_per_minute``, ``tokens_per_minute``: quotas, refilled continuously into a bucket of ``window_s``
    seconds' worth, or all at once every ``window_s`` (``refill="window"``). ``charge``: tokens taken are those
    ``used``, or input and cap ``reserved``. ``announced_requests``: what the header says instead of the quota.
    ``retry_after``: how a 429 tells the wait: seconds, ms, date, none. ``rejects``: parameters answered with 400
    unsupported_parameter: max_tokens, max_completion_tokens, temperature, response_format, json_schema,
    encoding_format, dimensions. ``marker``: regular expression looked for in the body, for the journal.
    ``batch_s``: how long a batch takes; ``batch_error_share``: lines that fail; ``batch_outcome``: completed, expired
    (half of the lines done), failed; ``batch_missing``: lines in neither file.
    """

    answers: str = ""
    answer: str = ""
    latency_s: float | Sequence[Any] = 0.0
    seed: int = 0
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    refill: str = "continuous"
    window_s: float = 60.0
    charge: str = "used"
    limit_headers: bool = True
    announced_requests: float | None = None
    retry_after: str = "seconds"
    faults: Sequence[Any] = ()
    rejects: Sequence[str] = ()
    key: str = ""
    marker: str = r"NCT\d{8}"
    model_name: str = ""
    dimensions: int = 64
    batch_s: float = 0.2
    batch_error_share: float = 0.0
    batch_missing: int = 0
    batch_outcome: str = "completed"

    def __post_init__(self) -> None:
        re.compile(self.marker)
        self.scripted()
        if self.refill not in ("continuous", "window") or self.charge not in ("used", "reserved"):
            raise ValueError("refill is continuous or window, charge is used or reserved")

    def scripted(self) -> list[Fault]:
        """The faults, with their counts as at the beginning."""
        return [Fault(**fault) if isinstance(fault, dict) else replace(fault) for fault in self.faults]

    def changed(self, changes: dict[str, Any]) -> Options:
        """These options with some of them replaced. Raises ValueError for an unknown name."""
        unknown = set(changes) - {field.name for field in fields(self)}
        if unknown:
            raise ValueError(f"no option {sorted(unknown)}")
        return replace(self, **changes)

    def as_json(self) -> str:
        return json.dumps(asdict(self))
