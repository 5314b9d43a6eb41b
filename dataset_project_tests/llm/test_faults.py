"""Errors as providers word them, each under its name; and the waits they ask for."""

from __future__ import annotations

import json
import socket
import ssl
from typing import Any

import aiohttp
import httpx2
import openai
import pytest
import yarl
from multidict import CIMultiDict, CIMultiDictProxy

from dataset_project.llm.faults import LONGEST_MESSAGE, Scrubber, error_in, of_exception, of_status
from dataset_project.llm.waits import announced_limits, duration_s, retry_after_of

KEY = "AIzaSyABCDEFGHIJKLMNOPQRSTUVWXYZ01234567"


def _error(message: str, code: str | None = None, kind: str | None = None, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "code": code, **more}}


def _gemini(code: int, status: str, message: str, *details: Any) -> list[Any]:
    return [{"error": {"code": code, "message": message, "status": status, "details": list(details)}}]


_PER_DAY = {"violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]}
_PER_MINUTE = {"violations": [{"quotaId": "GenerateRequestsPerMinutePerProjectPerModel"}]}
CASES = [
    # OpenAI
    (429, _error("You exceeded your current quota.", "insufficient_quota", "insufficient_quota"), "quota_exhausted"),
    (429, _error("You exceeded your current quota.", None, "insufficient_quota"), "quota_exhausted"),
    (429, _error("Rate limit reached … on tokens per min (TPM).", "rate_limit_exceeded", "tokens"), "rate_limited"),
    (429, _error("Request too large for gpt-4o on TPM: Limit 30000, Requested 41000.", None, "tokens"), "too_long"),
    (403, _error("Project x does not have access to model gpt-9", "model_not_found"), "unknown_model"),
    (403, _error("Country, region, or territory not supported"), "invalid_key"),
    (400, _error("This model's maximum context length is 128000 tokens."), "too_long"),
    (400, _error("Invalid schema for response_format 'facts': …", None, None, param="response_format"), "bad_request"),
    (400, _error("max_tokens is too large: 40000. This model supports at most 16384"), "bad_request"),
    (400, _error("Unsupported parameter: 'top_k'", "unsupported_parameter", param="top_k"), "bad_request"),
    (503, _error("The engine is currently overloaded"), "server_error"),
    # Azure
    (400, _error("filtered", "content_filter", innererror={"code": "ResponsibleAIPolicyViolation"}), "refused"),
    (400, _error("x", None, innererror={"code": "ResponsibleAIPolicyViolation"}), "refused"),
    # Gemini's compatible endpoint: its words for a minute's limit are those of OpenAI for an empty account.
    (429, _gemini(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota", _PER_MINUTE), "rate_limited"),
    (429, _gemini(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota", _PER_DAY), "quota_exhausted"),
    (400, _gemini(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."), "invalid_key"),
    (400, _gemini(400, "INVALID_ARGUMENT", "The input token count (9) exceeds the maximum number (8)"), "too_long"),
    (404, _gemini(404, "NOT_FOUND", "models/gemini-9 is not found for API version v1main"), "unknown_model"),
    # vLLM, Ollama, gateways
    (404, {"object": "error", "message": "The model `x` does not exist.", "code": 404}, "unknown_model"),
    (404, _error('model "x" not found, try pulling it first', None, "api_error"), "unknown_model"),
    (400, _error("x is not a valid model ID", None), "unknown_model"),
    (400, {"object": "error", "message": "maximum context length is 4096 tokens"}, "too_long"),
    (402, _error("Insufficient Balance"), "quota_exhausted"),
    (422, {"detail": [{"type": "missing", "loc": ["body", "messages"], "msg": "Field required"}]}, "bad_request"),
    (405, "<html>Method Not Allowed</html>", "unknown_model"),
    (301, "", "unknown_model"),
    (524, "<html><style>x{}</style>a timeout occurred</html>", "server_error"),
    (418, "teapot", "bad_request"),
    (400, [], "bad_request"),
    (400, {"error": "no"}, "bad_request"),
]


@pytest.mark.parametrize(("status", "body", "kind"), CASES, ids=str)
def test_an_error_status_is_named_by_what_it_means(status, body, kind):
    raw = body if isinstance(body, str) else json.dumps(body)
    failed = of_status(status, {}, raw.encode(), Scrubber(None))
    assert failed.kind == kind
    assert failed.http_status == status and str(failed).startswith(f"HTTP {status}")
    assert "<" not in str(failed) and "x{}" not in str(failed)


@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        (
            _error("Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead."),
            "max_tokens",
        ),
        (_error("Unsupported value: 'temperature'", "unsupported_value", param="temperature"), "temperature"),
        ({"detail": [{"type": "extra_forbidden", "loc": ["body", "max_completion_tokens"]}]}, "max_completion_tokens"),
        (_gemini(400, "INVALID_ARGUMENT", 'Unknown name "reasoning_effort": Cannot find field.'), "reasoning_effort"),
        (
            _error("'response_format' of type 'json_schema' is not supported", param="response_format"),
            "response_format",
        ),
        (_error("json_schema is not supported by this model"), "json_schema"),
    ],
    ids=str,
)
def test_a_parameter_that_is_not_known_is_told(body, parameter):
    failed = of_status(400, {}, json.dumps(body).encode(), Scrubber(None))
    assert (failed.kind, failed.parameter) == ("unsupported", parameter)


def _broken(inner: BaseException) -> BaseException:
    """As the SDK and its transport wrap it."""
    request = httpx2.Request("POST", "http://localhost")
    try:
        try:
            raise httpx2.ConnectTimeout("") from inner
        except httpx2.ConnectTimeout as outer:
            raise openai.APITimeoutError(request=request) from outer
    except openai.APITimeoutError as error:
        return error


def _connection_key() -> Any:
    return aiohttp.client_reqrep.ConnectionKey("h", 443, True, None, None, None, None)


def _request_info() -> Any:
    url = yarl.URL("http://localhost/v1")
    return aiohttp.RequestInfo(url, "POST", CIMultiDictProxy(CIMultiDict()), url)


EXCEPTIONS = [
    (lambda: _broken(aiohttp.ServerDisconnectedError()), "reset", False),
    (lambda: _broken(ConnectionResetError(104, "Connection reset by peer")), "reset", False),
    (lambda: _broken(aiohttp.ClientOSError(32, "Broken pipe")), "reset", False),
    (lambda: _broken(aiohttp.ClientPayloadError("not completed")), "reset", True),
    (lambda: _broken(aiohttp.ConnectionTimeoutError("timeout")), "connect", False),
    (lambda: _broken(aiohttp.ClientConnectorError(_connection_key(), OSError(113, "No route"))), "connect", False),
    (lambda: _broken(aiohttp.ClientConnectorError(_connection_key(), socket.gaierror(-2, "unknown"))), "dns", False),
    (lambda: _broken(aiohttp.ClientConnectorCertificateError(_connection_key(), ssl.CertificateError())), "tls", False),
    (lambda: _broken(ssl.SSLError(1, "WRONG_VERSION_NUMBER")), "tls", False),
    (lambda: _broken(aiohttp.SocketTimeoutError()), "timeout", True),
    (lambda: aiohttp.ClientResponseError(_request_info(), (), message="Bad status line"), "garbled", True),
    (lambda: openai.APIConnectionError(request=httpx2.Request("POST", "http://localhost")), "reset", False),
]


@pytest.mark.parametrize(("make", "kind", "billed"), EXCEPTIONS, ids=[f"{n}" for n in range(len(EXCEPTIONS))])
def test_a_broken_connection_is_named_by_its_inmost_cause(make, kind, billed):
    failed = of_exception(make(), Scrubber(None))
    assert (failed.kind, failed.may_be_billed) == (kind, billed)
    assert failed.is_retryable and not failed.stops_run and str(failed)
    assert failed.was_sent is (kind not in ("connect", "dns", "tls"))


def test_a_mistake_of_ours_is_no_fault():
    assert of_exception(KeyError("x"), Scrubber(None)) is None


def test_secrets_go_before_a_message_is_cut():
    for text in (
        f"{'x ' * 140}{KEY}",
        f"wrong key {KEY[:20]}",
        f"Bearer {KEY}",
        f"key={KEY}&b",
        "Incorrect API key provided: sk-proj-abc***wxyz",
        f"{{'Authorization': 'Bearer {KEY}'}}",
    ):
        cleaned = Scrubber(KEY).clean(text)
        assert "[key" in cleaned or cleaned.endswith("…"), text
        assert KEY[:10] not in cleaned and "wxyz" not in cleaned, text
        assert len(cleaned) <= LONGEST_MESSAGE
    assert Scrubber(KEY).clean("risk-adjusted task-force\nof  5") == "risk-adjusted task-force of 5"
    assert KEY not in repr(Scrubber(KEY))


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"error": {"code": 429}}, 429),
        ({"error": "overloaded"}, 500),
        ({"error": {"code": "x"}}, 500),
        ({"error": None, "choices": []}, None),
        ([], None),
    ],
)
def test_a_success_that_is_an_error_is_found_out(body, status):
    assert error_in(body) == status


@pytest.mark.parametrize(
    ("headers", "error", "message", "seconds"),
    [
        ({"retry-after": "20"}, None, "", 20),
        ({"retry-after": "0"}, None, "", 0),
        ({"retry-after": "86400"}, None, "", 86400),
        ({"retry-after": "20", "retry-after-ms": "1500"}, None, "", 1.5),
        (
            {"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"},
            None,
            "",
            30,
        ),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, None, "", 0),
        ({"retry-after": "soon"}, None, "", None),
        ({"retry-after": "-5"}, None, "", None),
        ({"retry-after": "inf"}, None, "", None),
        ({"retry-after": "nan"}, None, "try again in 3s", None),
        ({}, {"details": [{"@type": "x.RetryInfo", "retryDelay": "34.5s"}]}, "", 34.5),
        ({}, {"details": "none"}, "", None),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6m0s"}, None, "", 360),
        ({"x-ratelimit-remaining-tokens": "9", "x-ratelimit-reset-tokens": "6m0s"}, None, "", None),
        ({}, None, "Limit 3, Used 3. Please try again in 7m12.5s. Contact us", 432.5),
        ({}, None, "Please try again in 20ms.", 0.02),
        ({}, None, "Please retry after 26 seconds.", 26),
        ({}, None, "Slow down.", None),
    ],
)
def test_the_wait_is_read_wherever_it_is_told(headers, error, message, seconds):
    assert retry_after_of(headers, error, message) == (None if seconds is None else pytest.approx(seconds))


def test_durations_and_limits():
    assert duration_s("1d2h") == 93600 and duration_s("5 parsecs") is None and duration_s("") is None
    per_minute = {"x-ratelimit-limit-requests": "500", "x-ratelimit-limit-tokens": "200000"}
    assert announced_limits(per_minute, "api.openai.com") == (500, 200000)
    assert announced_limits({}, "api.openai.com") == (None, None)
    # Requests per day under the same name.
    assert announced_limits(per_minute, "api.groq.com") == (None, 200000)
    daily = {"x-ratelimit-limit-requests": "10000", "x-ratelimit-remaining-requests": "9998"}
    assert announced_limits({**daily, "x-ratelimit-reset-requests": "17.28s"}, "api.openai.com") == (None, None)
    assert announced_limits({**daily, "x-ratelimit-reset-requests": "12ms"}, "api.openai.com") == (10_000, None)
    slow = {**per_minute, "x-ratelimit-reset-requests": "2m59.56s"}
    assert announced_limits(slow, "models.example.org") == (None, 200000)
