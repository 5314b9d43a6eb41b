"""The loopback server's models: chat completions and embeddings, under quotas and scripted faults, all journalled."""

from __future__ import annotations

import json
import random
import re
import time
from collections import Counter, deque
from hashlib import blake2b
from typing import Any

from dataset_project_tests.llm import server_errors as errors
from dataset_project_tests.llm.server_answers import encoded, from_schema, named_function, vector
from dataset_project_tests.llm.server_options import Fault, Options
from dataset_project_tests.llm.server_protocol import Answer, Request, response
from dataset_project_tests.llm.server_quota import Quotas

_CONNECTION = {"reset", "close", "hang"}
_BODY = {"reset_body": "reset", "truncated_body": "close", "slow_loris": "drip"}
_ERRORS = {
    *("status", "rate_limited", "insufficient_quota", "billing", "invalid_key", "key_echo", "unknown_model"),
    *("unknown_model_400", "context_length", "content_filter_400", "bad_request"),
}


class Models:
    """State of one server: options, quotas, faults left, journal."""

    def __init__(self, options: Options):
        self.journal: list[tuple] = []
        self.bodies: deque[bytes] = deque(maxlen=100)
        self._seen: Counter[str] = Counter()
        self.quotas = Quotas()
        self.configure(options)

    def configure(self, options: Options, new_faults: bool = True) -> None:
        self.options = options
        if new_faults:
            self.faults = options.scripted()
        self.quotas.configure(
            options.requests_per_minute,
            options.tokens_per_minute,
            options.window_s,
            options.refill == "window",
            time.monotonic(),
        )
        self._marker = re.compile(options.marker.encode())
        self._answers = named_function(options.answers)
        self._rng = random.Random(options.seed)
        self._created = int(time.time())

    def rows(self) -> list[dict[str, Any]]:
        names = ("at", "path", "status", "fault", "marker", "body", "model", "tokens")
        return [dict(zip(names, row, strict=True)) for row in self.journal]

    def handle(self, request: Request) -> Answer:
        """Answer a chat or embedding request."""
        at = time.time()
        raw, chat = request.body, request.path.endswith("/chat/completions")
        self.bodies.append(raw)
        digest = blake2b(raw, digest_size=8).hexdigest()
        found = self._marker.search(raw)
        marker = found.group().decode() if found else ""
        try:
            body = json.loads(raw)
        except ValueError:
            status, wire = errors.error(400, "We could not parse the JSON body of your request.")
            self.journal.append((at, request.path, status, "", marker, digest, "", (0, 0)))
            return Answer(wire)
        model = str(body.get("model", ""))
        cap = body.get("max_completion_tokens") or body.get("max_tokens") or 0
        fault = self._fault(raw, digest, cap)
        name = fault.kind if fault else ""
        status, wire, tokens, ending = self._answered(request, body, chat, model, cap, fault)
        self.journal.append((at, request.path, status, name, marker, digest, model, tokens))
        return Answer(wire, ending, self._latency() if status == 200 else 0.0, fault.seconds if fault else 0.0)

    def _fault(self, raw: bytes, digest: str, cap: int) -> Fault | None:
        if not self.faults:
            return None
        self._seen[digest] += 1
        return next((each for each in self.faults if each.takes(raw, digest, self._seen[digest], cap)), None)

    def _answered(
        self, request: Request, body: dict[str, Any], chat: bool, model: str, cap: int, fault: Fault | None
    ) -> tuple[int | None, bytes, tuple[int, int], str]:
        """Status (None: nothing is sent), wire text, tokens, ending."""
        kind = fault.kind if fault else ""
        if kind in _CONNECTION:
            return None, b"", (0, 0), kind
        authorization = request.header(b"authorization")
        if self.options.key and authorization != f"Bearer {self.options.key}":
            return (*errors.error(401, "Incorrect API key provided.", "invalid_api_key"), (0, 0), "keep")
        if kind in _ERRORS:
            return (*errors.of_fault(fault, model, authorization), (0, 0), "keep")
        rejected = self._rejected(body)
        if rejected:
            return (*errors.unsupported(rejected), (0, 0), "keep")
        now = time.monotonic()
        input_tokens = len(request.body) // 4
        reserved = input_tokens + (cap if self.options.charge == "reserved" else 0)
        wait = self.quotas.admit(reserved, now)
        limits = self.quotas.headers(now, self.options.announced_requests) if self.options.limit_headers else b""
        if wait > 0:
            return (*errors.rate_limited(wait, self.options.retry_after, limits), (0, 0), "keep")
        if kind in ("html", "empty", "no_choices", "error_in_200"):
            return 200, _broken(fault), (0, 0), "keep"
        if chat:
            content, tokens = self._completion(body, model, input_tokens, cap, fault)
        else:
            content, tokens = self._embeddings(body, model, fault)
        if self.options.charge == "used" and self.quotas.tokens:
            self.quotas.tokens.take(tokens[1])
        wire = response(200, content, limits)
        if kind in ("reset_body", "truncated_body"):
            wire = wire[: -len(content) // 2]
        return 200, wire, tokens, _BODY.get(kind, "keep")

    def _rejected(self, body: dict[str, Any]) -> str:
        for name in self.options.rejects:
            if name in body:
                return name
            if name == "json_schema" and (body.get("response_format") or {}).get("type") == "json_schema":
                return name
        return ""

    def _completion(
        self, body: dict[str, Any], model: str, input_tokens: int, cap: int, fault: Fault | None
    ) -> tuple[bytes, tuple[int, int]]:
        kind = fault.kind if fault else ""
        text = self._text(body)
        if kind == "malformed_json":
            text = text[:-1] + ","
        elif kind == "invalid_schema":
            value = json.loads(text)
            value.pop(next(iter(value)), None)
            text = json.dumps({**value, "unexpected": 1})
        elif kind == "fenced":
            text = f"```json\n{text}\n```"
        elif kind == "text":
            text = fault.text
        elif kind == "length":
            text = text[: len(text) // 2]
        finish = {"length": "length", "content_filter": "content_filter"}.get(kind, "stop")
        message = {"role": "assistant", "content": text, "refusal": None}
        if kind == "refusal":
            message |= {"content": None, "refusal": "I cannot help with that."}
        elif kind == "content_filter":
            message["content"] = None
        output_tokens = cap if kind == "length" and cap else len(text) // 4 + 1
        usage = {"prompt_tokens": input_tokens, "completion_tokens": output_tokens}
        usage |= {"total_tokens": input_tokens + output_tokens, "prompt_tokens_details": {"cached_tokens": 0}}
        completion = {
            "id": f"chatcmpl-{len(self.journal)}",
            "object": "chat.completion",
            "created": self._created,
            "model": self.options.model_name or model,
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish}],
            "usage": usage,
        }
        if kind == "no_usage":
            del completion["usage"]
        return json.dumps(completion).encode(), (input_tokens, output_tokens)

    def _text(self, body: dict[str, Any]) -> str:
        if self.options.answer:
            return self.options.answer
        if self._answers is not None:
            answer = self._answers(body)
            return answer if isinstance(answer, str) else json.dumps(answer)
        schema = (body.get("response_format") or {}).get("json_schema", {}).get("schema")
        if schema is None:
            return json.dumps({"text": "This model was asked for no schema."})
        return json.dumps(from_schema(schema, body.get("messages")))

    def _embeddings(self, body: dict[str, Any], model: str, fault: Fault | None) -> tuple[bytes, tuple[int, int]]:
        texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
        dimensions = body.get("dimensions") or self.options.dimensions
        encoding = body.get("encoding_format", "float")
        vectors = [vector(text, dimensions) for text in texts]
        kind = fault.kind if fault else ""
        if kind == "wrong_count":
            vectors.pop()
        elif kind == "wrong_dimension":
            vectors[-1] = vectors[-1][:-1]
        elif kind == "not_finite":
            vectors[0][0] = float("nan")
        data = [
            {"object": "embedding", "index": place, "embedding": encoded(values, encoding)}
            for place, values in enumerate(vectors)
        ]
        tokens = sum(len(text) // 4 + 1 for text in texts)
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        # Out of order, as the index allows.
        answer = {"object": "list", "data": data[::-1], "model": model, "usage": usage}
        return json.dumps(answer).encode(), (tokens, 0)

    def _latency(self) -> float:
        latency = self.options.latency_s
        if isinstance(latency, (int, float)):
            return latency
        kind, first, second = latency
        if kind == "uniform":
            return self._rng.uniform(first, second)
        return first * self._rng.lognormvariate(0.0, second)


def _broken(fault: Fault) -> bytes:
    if fault.kind == "html":
        return response(200, errors.HTML, content_type=b"text/html")
    if fault.kind == "empty":
        return response(200, b"")
    if fault.kind == "no_choices":
        return response(200, b'{"object": "chat.completion", "choices": []}')
    return response(200, json.dumps({"error": {"code": fault.status, "message": "Provider returned error"}}).encode())
