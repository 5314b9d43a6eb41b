"""What can go wrong with one call, by name: error statuses, bodies and broken connections, as providers word them.

Telling them apart belongs here; what is done about each is decided by whoever called (`calling`, `embedding_calls`).
Sources: OpenAI "Error codes" and "Rate limits", the Gemini API's error model (google.rpc.Status), vLLM and Ollama.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from dataset_project.llm.requests import StopKind, Usage
from dataset_project.llm.waits import retry_after_of

FaultKind = Literal[
    "dns",  # the server's name is unknown
    "connect",  # no connection: refused, unreachable, not within CONNECT_S
    "tls",  # no secure connection: certificate, protocol
    "reset",  # the connection ended before the answer did
    "timeout",  # no answer within the deadline of a call
    "garbled",  # a successful answer that is not the API's: a proxy's page, half a JSON text, vectors that do not fit
    "server_error",  # 5xx, 408, 409, 425
    "rate_limited",  # 429 and 529; 503 that says when to come again
    "unsupported",  # the model does not know a parameter; the next call does without
    "refused",  # the provider's content filter
    "too_long",  # more than the model's context, or than a whole minute's tokens
    "bad_request",  # the provider rejects the request itself
    "invalid_key",  # 401, 403
    "unknown_model",  # no such model, or no such address
    "quota_exhausted",  # nothing left to pay with
]
"""What one call came to instead of an answer."""

RETRYABLE = frozenset({"dns", "connect", "tls", "reset", "timeout", "garbled", "server_error", "rate_limited"})
STOPPING = frozenset(get_args(StopKind)) & frozenset(get_args(FaultKind))
LONGEST_MESSAGE = 300

_SPENT = {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "access_terminated"}
_FILTERED = {"content_filter", "content_policy_violation", "responsibleaipolicyviolation"}
_NO_MODEL = re.compile(
    r"\bmodels?\b.{0,120}\b(not found|does not exist|not exist)|\b(unknown|invalid) model\b|not a valid model", re.S
)
_TOO_LONG = re.compile(
    r"maximum context length|context[ _](length|window)|prompt is too long|input token count.{0,40}exceed"
    r"|too many (input )?tokens|request too large|input is too long",
    re.S,
)
_BAD_KEY = re.compile(r"api[ _-]?key (not valid|expired|is invalid)|api_key_invalid|invalid api[ _-]?key")
_NOT_KNOWN = re.compile(
    r"unsupported|not supported|does ?n[o']t support|unrecogni[sz]ed|unknown (parameter|name|field|argument)"
    r"|extra[ _](inputs|fields|forbidden)|not permitted|unexpected (keyword|field|parameter)|not available|not allowed"
)
ADAPTABLE = (
    *("max_completion_tokens", "max_tokens", "temperature", "reasoning_effort", "json_schema", "response_format"),
    "encoding_format",
)
"""Parameters that a request can do without or put differently."""


class CallFailed(Exception):
    """One call that brought no answer. The message is short and holds no secret.

    ``usage``: what the provider counted, where it said so. ``may_be_billed``: it was sent whole and its answer lost.
    ``parameter``: which one is `unsupported`. ``limits``: requests and tokens per minute, from the answer's headers.
    ``successes``: successful calls of the client so far.
    """

    def __init__(
        self,
        kind: FaultKind,
        message: str,
        *,
        http_status: int | None = None,
        retry_after_s: float | None = None,
        usage: Usage | None = None,
        may_be_billed: bool = False,
        parameter: str = "",
        limits: tuple[int | None, int | None] = (None, None),
        model: str = "",
    ):
        super().__init__(message)
        self.kind, self.message, self.http_status, self.retry_after_s = kind, message, http_status, retry_after_s
        self.usage, self.may_be_billed, self.parameter, self.limits = usage or Usage(), may_be_billed, parameter, limits
        self.model = model
        self.successes = 0

    @property
    def is_retryable(self) -> bool:
        """Whether the same request may succeed later."""
        return self.kind in RETRYABLE

    @property
    def stops_run(self) -> bool:
        """Whether no other request would succeed either: ``kind`` is then a StopKind."""
        return self.kind in STOPPING

    @property
    def was_sent(self) -> bool:
        """Whether the request may have reached the provider."""
        return self.kind not in ("dns", "connect", "tls")


class Scrubber:
    """Takes the key, and what looks like one, out of texts that leave the client. Holds the key, shows it to nobody."""

    def __init__(self, key: str | None):
        patterns = [r"\bsk-[A-Za-z0-9_*.\-]{6,}", r"(?i:\bbearer)\s+[^\s\"'\\,;]+"]
        if key:
            # Its beginning, too: a body may end, or an error text be cut, in the middle of it.
            patterns.insert(0, re.escape(key))
            if len(key) >= 16:
                patterns.insert(1, re.escape(key[:10]) + r"[^\s\"'\\,;]*")
        self._key = key
        self._pattern = re.compile("|".join(patterns))

    def __repr__(self) -> str:
        return "Scrubber()"

    def clean(self, text: str) -> str:
        """``text`` without secrets, on one line, at most LONGEST_MESSAGE characters."""
        text = " ".join(self._pattern.sub("[key]", text[:20_000]).split())
        return text if len(text) <= LONGEST_MESSAGE else text[: LONGEST_MESSAGE - 2] + " …"

    def without_key(self, text: str) -> str:
        """``text`` as it is but for the key itself."""
        return text if self._key is None else text.replace(self._key, "[key]")


@dataclass(frozen=True)
class _Error:
    """An error body, read. ``everything``: all of it in lower case, to look for words in."""

    message: str
    codes: frozenset[str]
    param: str
    everything: str
    body: Any


def of_status(status: int, headers: Mapping[str, str], body: bytes, scrub: Scrubber) -> CallFailed:
    """The fault of an answer with an error ``status``. ``headers`` with case-insensitive look-up."""
    error = _read(body)
    wait = retry_after_of(headers, error.body, error.message)
    kind, parameter = _kind_of(status, error, wait is not None)
    text = f"HTTP {status}: {error.message}" if error.message else f"HTTP {status}"
    return CallFailed(kind, scrub.clean(text), http_status=status, retry_after_s=wait, parameter=parameter)


def _kind_of(status: int, error: _Error, tells_when: bool) -> tuple[FaultKind, str]:
    codes, words = error.codes, error.everything
    if codes & _SPENT or status == 402 or (status == 429 and "perday" in words and "quotaid" in words):
        return "quota_exhausted", ""
    if status in (400, 403, 404, 422) and ("model_not_found" in codes or _NO_MODEL.search(error.message.lower())):
        return "unknown_model", ""
    if codes & _FILTERED and status in (400, 403, 422):
        return "refused", ""
    if status in (401, 403) or (status == 400 and _BAD_KEY.search(words)):
        return "invalid_key", ""
    # A request above the tokens of a whole minute is refused with 429, however long one waits.
    is_about_length = "context_length_exceeded" in codes or status == 413 or _TOO_LONG.search(error.message.lower())
    if is_about_length and (status in (400, 413, 422, 500) or (status == 429 and "request too large" in words)):
        return "too_long", ""
    if status in (404, 405) or 300 <= status < 400:
        return "unknown_model", ""
    if status in (429, 529) or (status == 503 and tells_when):
        return "rate_limited", ""
    if status >= 500 or status in (408, 409, 425):
        return "server_error", ""
    parameter = _unknown_parameter(error)
    return ("unsupported", parameter) if parameter else ("bad_request", "")


def _unknown_parameter(error: _Error) -> str:
    """The parameter that the model does not know; "" when the error is another."""
    if not (error.codes & {"unsupported_parameter", "unsupported_value"} or _NOT_KNOWN.search(error.everything)):
        return ""
    if error.param in ADAPTABLE:
        return error.param
    # The one named first: the other of the two caps is named as the remedy.
    found = [(error.everything.find(name), name) for name in ADAPTABLE if name in error.everything]
    return min(found)[1] if found else ""


def _read(body: bytes) -> _Error:
    """An error body of any provider: an object, a list of one (Gemini), ``detail`` (FastAPI), or a proxy's page."""
    text = body.decode("utf-8", "replace")
    try:
        whole = json.loads(text)
    except ValueError:
        page = re.sub(r"<(script|style)\b.*?</\1>|<[^>]*>", " ", text[:20_000], flags=re.S | re.I)
        return _Error(page.strip(), frozenset(), "", page.lower(), None)
    first = whole[0] if isinstance(whole, list) and whole else whole
    if not isinstance(first, dict):
        return _Error(text, frozenset(), "", text.lower(), whole)
    inner = first.get("error", first)
    if not isinstance(inner, dict):
        inner = {"message": inner}
    message = next((inner[name] for name in ("message", "detail", "msg", "error") if inner.get(name)), text)
    nested = inner.get("innererror")
    codes = [inner.get(name) for name in ("code", "type", "status")]
    codes.append(nested.get("code") if isinstance(nested, dict) else None)
    return _Error(
        message if isinstance(message, str) else json.dumps(message),
        frozenset(code.lower() for code in codes if isinstance(code, str)),
        str(inner.get("param") or ""),
        text.lower(),
        inner,
    )


def error_in(body: Any) -> int | None:
    """The status that a body of status 200 admits to (some gateways answer so); None for a good one."""
    if not isinstance(body, dict) or not body.get("error"):
        return None
    error = body["error"]
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, int) and not isinstance(code, bool) and 400 <= code < 600 else 500


def of_exception(error: BaseException, scrub: Scrubber) -> CallFailed | None:
    """The fault of a call that ended in an exception of the SDK or its transport; None for one that is no fault."""
    import socket
    import ssl

    import aiohttp
    import httpx2
    import openai

    chain = list(_causes(error))
    # The innermost says what happened: wrappers call a reset a time-out.
    text = scrub.clean("; ".join(dict.fromkeys(str(each) or type(each).__name__ for each in reversed(chain))))

    def any_is(*kinds: type[BaseException]) -> bool:
        return any(isinstance(each, kinds) for each in chain)

    if any_is(ssl.SSLError, ssl.CertificateError, aiohttp.ClientSSLError):
        return CallFailed("tls", text)
    if any_is(socket.gaierror, aiohttp.ClientConnectorDNSError):
        return CallFailed("dns", text)
    if any_is(aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, ConnectionRefusedError):
        return CallFailed("connect", text)
    if any_is(aiohttp.ClientPayloadError):
        return CallFailed("reset", text, may_be_billed=True)
    if any_is(aiohttp.ClientResponseError, httpx2.DecodingError):
        return CallFailed("garbled", text, may_be_billed=True)
    if any_is(aiohttp.ServerTimeoutError, TimeoutError):
        return CallFailed("timeout", text, may_be_billed=True)
    if any_is(openai.APIConnectionError, aiohttp.ClientError, httpx2.TransportError, OSError):
        return CallFailed("reset", text)
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        inner = getattr(seen, "os_error", None)
        if isinstance(inner, BaseException):
            yield inner
        seen = seen.__cause__ or seen.__context__
