"""Request bodies, and how they are put to a model: endpoints and models differ in what they know.

What is learned about a model from its refusals is kept per model by the client; sending belongs there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dataset_project.llm.requests import ModelRequest

Message = tuple[str, str]

_SCHEMA_PROMPT = "Answer with one JSON object that satisfies this JSON schema, and with nothing else:\n"
# OpenAI's own hosts know the newer name of the cap alone for some models, and it for all; others often only the older.
_NEWER_CAP_HOSTS = ("api.openai.com", ".openai.azure.com", ".api.openai.com")


@dataclass(frozen=True)
class Dialect:
    """How a model is asked. ``answer_format``: json_schema, else json_object with the schema in the prompt, else
    plain, likewise."""

    cap: str = "max_tokens"
    cap_is_settled: bool = False
    has_temperature: bool = True
    has_reasoning_effort: bool = True
    answer_format: str = "json_schema"

    def without(self, parameter: str) -> Dialect | None:
        """What to try instead when ``parameter`` is refused; None when there is nothing left."""
        if parameter in ("max_tokens", "max_completion_tokens"):
            if self.cap_is_settled or parameter != self.cap:
                return None
            other = "max_tokens" if self.cap == "max_completion_tokens" else "max_completion_tokens"
            return replace(self, cap=other, cap_is_settled=True)
        if parameter == "temperature" and self.has_temperature:
            return replace(self, has_temperature=False)
        if parameter == "reasoning_effort" and self.has_reasoning_effort:
            return replace(self, has_reasoning_effort=False)
        if parameter in ("json_schema", "response_format"):
            fallback = {"json_schema": "json_object", "json_object": "plain"}.get(self.answer_format)
            return None if fallback is None else replace(self, answer_format=fallback)
        return None


def first_dialect(host: str) -> Dialect:
    """What to try first at ``host``."""
    return Dialect(cap="max_completion_tokens" if host.endswith(_NEWER_CAP_HOSTS) else "max_tokens")


class Bodies:
    """Bodies of chat requests as JSON. Schemas are encoded once."""

    def __init__(self) -> None:
        self._formats: dict[str, bytes] = {}

    def chat(self, request: ModelRequest, messages: Sequence[Message], cap: int, dialect: Dialect) -> bytes:
        """``messages`` may go beyond the request's own: a repair adds to them."""
        fields: dict[str, Any] = {"model": request.model, dialect.cap: cap}
        if request.temperature is not None and dialect.has_temperature:
            fields["temperature"] = request.temperature
        if request.reasoning_effort is not None and dialect.has_reasoning_effort:
            fields["reasoning_effort"] = request.reasoning_effort
        if dialect.answer_format != "json_schema":
            messages = with_schema(messages, request.schema)
            if dialect.answer_format == "json_object":
                fields["response_format"] = {"type": "json_object"}
        fields["messages"] = [{"role": role, "content": content} for role, content in messages]
        body = json.dumps(fields, separators=(",", ":")).encode()
        if dialect.answer_format == "json_schema":
            return b"".join((body[:-1], b',"response_format":', self._format(request), b"}"))
        return body

    def _format(self, request: ModelRequest) -> bytes:
        found = self._formats.get(request.schema_hash)
        if found is None:
            if len(self._formats) >= 256:
                self._formats.clear()
            schema = {"name": request.schema_name, "strict": True, "schema": request.schema}
            found = json.dumps({"type": "json_schema", "json_schema": schema}, separators=(",", ":")).encode()
            self._formats[request.schema_hash] = found
        return found


def with_schema(messages: Sequence[Message], schema: Mapping[str, Any]) -> tuple[Message, ...]:
    """The messages with the schema in the system message, the one place that every chat template knows."""
    text = _SCHEMA_PROMPT + json.dumps(schema, separators=(",", ":"), ensure_ascii=False)
    if messages and messages[0][0] == "system":
        return (("system", f"{messages[0][1]}\n\n{text}"), *messages[1:])
    return (("system", text), *messages)


def embedding(model: str, texts: Sequence[str], dimensions: int | None, as_base64: bool) -> bytes:
    """The body of an embedding request. Base64 is a quarter of the bytes, and exact."""
    fields: dict[str, Any] = {"model": model, "input": list(texts)}
    if as_base64:
        fields["encoding_format"] = "base64"
    if dimensions is not None:
        fields["dimensions"] = dimensions
    return json.dumps(fields, separators=(",", ":")).encode()
