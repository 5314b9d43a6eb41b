"""The client: one call to an OpenAI-compatible endpoint, answered or failed for a named reason.

Never retries, waits or counts costs: `calling` does. The SDK is used for its connection alone (`post`, without its own
retries): its parsing costs four times as much and caps Retry-After at two minutes.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dataset_project.llm import faults, replies
from dataset_project.llm.bodies import Bodies, Dialect, Message, embedding, first_dialect
from dataset_project.llm.configuration import LlmSettings
from dataset_project.llm.faults import CallFailed
from dataset_project.llm.replies import EmbeddingReply, Reply
from dataset_project.llm.requests import ModelRequest, RunStopped
from dataset_project.llm.waits import announced_limits

if TYPE_CHECKING:
    import httpx2

__all__ = ["CallFailed", "EmbeddingReply", "ModelClient", "Reply"]

CONNECT_S = 15.0
"""A connection that takes longer counts as failed, though a call may take `timeout_s`."""
# Idle connections are kept longer than the SDK's 5 s: at 500 calls a minute every call would shake hands anew.
_KEEP_IDLE_S = 20.0


class ModelClient:
    """Calls of one process. Made anywhere, used in one event loop.

    Raises RunStopped("invalid_key") when no key is set and the server is not on this machine, or when what is set
    cannot be a key.
    """

    def __init__(self, settings: LlmSettings):
        key = settings.api_key
        if key is None and not settings.is_local:
            raise RunStopped("invalid_key", f"no key for {settings.base_url}: set {settings.api_key_variable}")
        if key is not None and not (key.isascii() and key.isprintable() and " " not in key):
            raise RunStopped("invalid_key", f"{settings.api_key_variable} holds no key: it has blanks or accents")
        self._settings = settings
        self._host = urlsplit(settings.base_url).hostname or ""
        self._scrub = faults.Scrubber(key)
        self._bodies = Bodies()
        self._dialects: dict[str, Dialect] = {}
        self._plain_vectors: set[str] = set()
        self._successes = 0
        self._connect(key or "none")

    def __repr__(self) -> str:
        return f"ModelClient({self._settings.base_url})"

    def _connect(self, key: str) -> None:
        import httpx2
        from openai import APIStatusError, AsyncOpenAI, DefaultAioHttpClient

        most = self._settings.max_in_flight
        transport = DefaultAioHttpClient(
            limits=httpx2.Limits(max_connections=most, max_keepalive_connections=most, keepalive_expiry=_KEEP_IDLE_S),
            # The deadline is that of the whole call, below: a read time-out would start anew with every byte.
            timeout=httpx2.Timeout(None, connect=min(CONNECT_S, self._settings.timeout_s)),
            # A redirect would take the key elsewhere, or turn POST into GET.
            follow_redirects=False,
            # A proxy from the environment does not know what runs on this machine.
            trust_env=not self._settings.is_local,
        )
        self._api = AsyncOpenAI(
            api_key=key,
            base_url=self._settings.base_url,
            max_retries=0,
            http_client=transport,
            timeout=transport.timeout,
        )
        self._response, self._status_error = httpx2.Response, APIStatusError
        self._options = {"headers": {"Content-Type": "application/json"}}

    async def complete(self, request: ModelRequest, messages: Sequence[Message], max_output_tokens: int) -> Reply:
        """One chat completion within the deadline. Raises CallFailed.

        A parameter that the model turns out not to know is left out from then on; this call fails as `unsupported`.
        """
        dialect = self._dialects.get(request.model) or first_dialect(self._host)
        body = self._bodies.chat(request, messages, max_output_tokens, dialect)
        try:
            answer, limits = await self._post("/chat/completions", body)
            reply = self._read(replies.completion, answer, limits)
        except CallFailed as failed:
            if failed.kind == "unsupported":
                self._learn(request.model, dialect, failed)
            raise
        self._successes += 1
        reply.text, reply.refusal, reply.model = map(self._scrub.without_key, (reply.text, reply.refusal, reply.model))
        return reply

    async def embed(self, model: str, texts: Sequence[str], dimensions: int | None) -> EmbeddingReply:
        """Vectors of ``texts``, (n, d) float32. Raises CallFailed: `garbled` for vectors that do not fit the texts."""
        if not texts:
            raise ValueError("no texts to embed")
        as_base64 = model not in self._plain_vectors
        try:
            answer, limits = await self._post("/embeddings", embedding(model, texts, dimensions, as_base64))
            reply = self._read(replies.embeddings, answer, limits, len(texts), dimensions)
        except CallFailed as failed:
            if failed.kind == "unsupported":
                if failed.parameter != "encoding_format" or not as_base64:
                    failed.kind = "bad_request"
                self._plain_vectors.add(model)
            raise
        self._successes += 1
        return reply

    async def close(self) -> None:
        """Close all connections."""
        await self._api.close()

    async def _post(self, path: str, body: bytes) -> tuple[Any, replies.Limits]:
        """The decoded answer and the limits it announces. Raises CallFailed."""
        failed: CallFailed | None = None
        response: httpx2.Response | None = None
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                response = await self._api.post(path, cast_to=self._response, content=body, options=self._options)
        except TimeoutError:
            failed = CallFailed("timeout", f"no answer within {self._settings.timeout_s:g} s", may_be_billed=True)
        except self._status_error as error:
            response = error.response
            failed = faults.of_status(response.status_code, response.headers, response.content, self._scrub)
        except Exception as error:
            failed = faults.of_exception(error, self._scrub)
            if failed is None:
                raise
        limits = (None, None) if response is None else announced_limits(response.headers, self._host)
        # Raised outside of the handlers: an exception's context would keep what the server said, the key included.
        if failed is not None:
            raise self._marked(failed, limits)
        try:
            answer = json.loads(response.content)
        except (ValueError, RecursionError):
            answer = None
        if answer is None:
            start = self._scrub.clean(response.text[:2000])[:100]
            failed = CallFailed("garbled", f"no JSON in an answer with status 200: {start}", may_be_billed=True)
            failed.http_status = response.status_code
            raise self._marked(failed, limits)
        status = faults.error_in(answer)
        if status is not None:
            raise self._marked(faults.of_status(status, response.headers, response.content, self._scrub), limits)
        return answer, limits

    def _read(self, reader: Any, answer: Any, limits: replies.Limits, *arguments: Any) -> Any:
        try:
            return reader(answer, *arguments, limits)
        except replies.NotAReply as error:
            message, usage = self._scrub.clean(str(error)), error.usage
        failed = CallFailed("garbled", message, http_status=200, usage=usage, may_be_billed=True)
        raise self._marked(failed, limits)

    def _marked(self, failed: CallFailed, limits: replies.Limits) -> CallFailed:
        failed.limits, failed.successes = limits, self._successes
        return failed

    def _learn(self, model: str, asked: Dialect, failed: CallFailed) -> None:
        """Put it differently next time; a fault of this request alone if that is not possible."""
        known = self._dialects.get(model) or first_dialect(self._host)
        if known != asked:
            return  # another call has learned it meanwhile
        better = asked.without(failed.parameter)
        if better is None:
            failed.kind = "bad_request"
        else:
            self._dialects[model] = better
