"""Errors as providers word them: the wire text of each scripted fault that is a status, and of a spent quota."""

from __future__ import annotations

import json
from email.utils import formatdate
from time import time
from typing import Any

from dataset_project_tests.llm.server_options import Fault
from dataset_project_tests.llm.server_protocol import response

HTML = b"<html><head><title>Bad gateway</title></head><body><h1>nginx</h1></body></html>"


def error(
    status: int, message: str, code: str | None = None, kind: str = "invalid_request_error", **more: Any
) -> tuple[int, bytes]:
    body = {"error": {"message": message, "type": kind, "param": more.get("param"), "code": code}}
    return status, response(status, json.dumps(body).encode(), more.get("headers", b""))


def rate_limited(wait_s: float, style: str, headers: bytes = b"") -> tuple[int, bytes]:
    """429 that tells ``wait_s`` in one of the ways providers do."""
    message = "Rate limit reached for requests per min (RPM)."
    if style == "seconds":
        headers += b"Retry-After: %b\r\n" % f"{wait_s:.3f}".rstrip("0").rstrip(".").encode()
    elif style == "ms":
        headers += b"retry-after-ms: %d\r\n" % max(1, round(wait_s * 1000))
    elif style == "date":
        now = time()
        # Whole seconds: rounded up, or a client that obeys would come too early.
        until = formatdate(int(now + wait_s) + 1, usegmt=True).encode()
        headers += b"Date: %b\r\nRetry-After: %b\r\n" % (formatdate(int(now), usegmt=True).encode(), until)
    elif style == "message":
        message += f" Please try again in {wait_s:.3f}s."
    elif style == "reset":
        headers += b"x-ratelimit-remaining-requests: 0\r\nx-ratelimit-reset-requests: %dms\r\n" % round(wait_s * 1000)
    elif style == "gemini":
        info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{wait_s:.3f}s"}
        body = [{"error": {"code": 429, "message": message, "status": "RESOURCE_EXHAUSTED", "details": [info]}}]
        return 429, response(429, json.dumps(body).encode(), headers)
    return error(429, message, "rate_limit_exceeded", "requests", headers=headers)


def unsupported(parameter: str) -> tuple[int, bytes]:
    """400 for a parameter that a model does not know, in OpenAI's words."""
    hints = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
    if parameter == "json_schema":
        text = "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model."
        return error(400, text, param="response_format")
    if parameter == "temperature":
        text = "Unsupported value: 'temperature' does not support 0.5 with this model."
        return error(400, text, "unsupported_value", param=parameter)
    hint = f" Use '{hints[parameter]}' instead." if parameter in hints else ""
    return error(
        400,
        f"Unsupported parameter: '{parameter}' is not supported with this model.{hint}",
        "unsupported_parameter",
        param=parameter,
    )


def of_fault(fault: Fault, model: str, authorization: str) -> tuple[int, bytes]:
    """Status and wire text of a fault that is answered with an error status."""
    if fault.kind == "status":
        if fault.body:
            body, kind = fault.body.encode(), b"application/json"
        else:
            body, kind = HTML, b"text/html"
        headers = b"" if fault.retry_after is None else b"Retry-After: %b\r\n" % f"{fault.retry_after:g}".encode()
        return fault.status, response(fault.status, body, headers, kind)
    if fault.kind == "rate_limited":
        style = "none" if fault.retry_after is None else fault.style
        return rate_limited(fault.retry_after or 0.0, style)
    if fault.kind == "insufficient_quota":
        text = "You exceeded your current quota, please check your plan and billing details."
        return error(429, text, "insufficient_quota", "insufficient_quota")
    if fault.kind == "billing":
        return error(400, "Billing hard limit has been reached", "billing_hard_limit_reached")
    if fault.kind == "invalid_key":
        return error(401, "Incorrect API key provided: sk-pr*****wxyz.", "invalid_api_key")
    if fault.kind == "key_echo":
        text = f"Authorization {authorization!r} refused. {'The credentials are wrong. ' * 12} {authorization[7:]}"
        return error(401, text, "invalid_api_key")
    if fault.kind == "unknown_model":
        return error(404, f"The model `{model}` does not exist or you do not have access to it.", "model_not_found")
    if fault.kind == "unknown_model_400":
        return error(400, f"model {model} not found", "model_not_found")
    if fault.kind == "context_length":
        text = "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens."
        return error(400, text, "context_length_exceeded", param="messages")
    if fault.kind == "content_filter_400":
        text = "The response was filtered due to the prompt triggering the content management policy."
        return error(400, text, "content_filter")
    return error(400, f"Invalid value in the request of {authorization}", "invalid_value")
