"""The client: one call to an OpenAI-compatible endpoint, answered or failed for a named reason. Calls about files and
batches, and the lines of their files, are among them.

Never retries, waits or counts costs: `calling` does. The SDK is used for its connection alone (`post`, without its own
retries): its parsing costs four times as much and caps Retry-After at two minutes.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote, urlsplit

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

CHAT_IN_BATCHES = "/v1/chat/completions"
"""What a batch's lines ask for, by the name that the Batch API has for it."""
CONNECT_S = 15.0
"""A connection that takes longer counts as failed, though a call may take `timeout_s`."""
# Idle connections are kept longer than the SDK's 5 s: at 500 calls a minute every call would shake hands anew.
_KEEP_IDLE_S = 20.0
# The slowest line that a file may come or go over: bytes per second on top of a call's deadline.
_SLOWEST_LINE = 100_000
_JSON = {"headers": {"Content-Type": "application/json"}}


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

    async def complete(self, request: ModelRequest, messages: Sequence[Message], max_output_tokens: int) -> Reply:
        """One chat completion within the deadline. Raises CallFailed.

        A parameter that the model turns out not to know is left out from then on; this call fails as `unsupported`.
        """
        dialect = self.dialect(request.model)
        body = self._bodies.chat(request, messages, max_output_tokens, dialect)
        try:
            answer, limits = await self._post("/chat/completions", body)
            reply = self._completed(answer, limits)
        except CallFailed as failed:
            if failed.kind == "unsupported":
                self.learn(request.model, dialect, failed)
            raise
        self._successes += 1
        return reply

    def dialect(self, model: str) -> Dialect:
        """How ``model`` is asked, as far as is known."""
        return self._dialects.get(model) or first_dialect(self._host)

    def assume(self, model: str, dialect: Dialect) -> None:
        """Ask ``model`` as another process has learned to, unless this one knows better."""
        self._dialects.setdefault(model, dialect)

    def line(self, request: ModelRequest, messages: Sequence[Message], cap: int, dialect: Dialect) -> bytes:
        """The request's line of a batch's input file, known by its key."""
        body = self._bodies.chat(request, messages, cap, dialect)
        head = f'{{"custom_id":"{request.key}","method":"POST","url":"{CHAT_IN_BATCHES}","body":'
        return b"".join((head.encode(), body, b"}\n"))

    def answer_of_line(self, line: Mapping[str, Any]) -> Reply:
        """What a line of a batch's output or error file says. Raises CallFailed, as if it had been a call."""
        told = line.get("response")
        status = told.get("status_code") if isinstance(told, dict) else None
        body = told.get("body") if isinstance(told, dict) else None
        if status != 200:
            # Some lines failed without a status, or with status 0: not the request's fault, as far as anybody knows.
            status = status if isinstance(status, int) and status >= 300 else 500
            raise self.fault_of(status, body if body else {"error": line.get("error") or {}})
        return self._completed(body, (None, None))

    def fault_of(self, status: int, body: Any) -> CallFailed:
        """The fault that an error body of a batch, or of one of its lines, stands for."""
        return faults.of_status(status, {}, json.dumps(body).encode(), self._scrub)

    async def upload(self, name: str, content: BinaryIO, size: int) -> str:
        """Store a batch's input file, read from its beginning, of ``size`` bytes. Its id. Raises CallFailed."""
        content.seek(0)
        form = {"body": {"purpose": "batch"}, "files": {"file": (f"{name}.jsonl", content, "application/jsonl")}}
        form["options"] = {"headers": {"Content-Type": "multipart/form-data"}}
        deadline_s = self._settings.timeout_s + size / _SLOWEST_LINE
        return str(self._has(await self._told("post", "/files", deadline_s, **form), "id")["id"])

    async def create_batch(self, file_id: str, name: str) -> dict[str, Any]:
        """Start a batch on a stored file; ``name`` is kept with it. Raises CallFailed."""
        fields = {"input_file_id": file_id, "endpoint": CHAT_IN_BATCHES, "completion_window": "24h"}
        body = json.dumps({**fields, "metadata": {"name": name}}).encode()
        return self._has(await self._told("post", "/batches", content=body, options=_JSON), "id")

    async def batch(self, batch_id: str) -> dict[str, Any]:
        """A batch as it stands. Raises CallFailed."""
        return self._has(await self._told("get", f"/batches/{quote(batch_id, safe='/')}"), "status")

    async def batches(self, after: str | None = None) -> tuple[list[dict[str, Any]], bool]:
        """A page of the account's batches, the newest first, and whether there are more. Raises CallFailed."""
        query = "?limit=100" + (f"&after={quote(after)}" if after else "")
        told = self._has(await self._told("get", f"/batches{query}"), "data")
        return [each for each in told["data"] if isinstance(each, dict)], bool(told.get("has_more"))

    async def cancel_batch(self, batch_id: str) -> None:
        """Have a batch ended; what it has done by then is billed. Raises CallFailed."""
        await self._told("post", f"/batches/{quote(batch_id, safe='/')}/cancel", content=b"{}", options=_JSON)

    async def content(self, file_id: str, size: int) -> bytes:
        """A stored file of about ``size`` bytes. Raises CallFailed."""
        deadline_s = self._settings.timeout_s + size / _SLOWEST_LINE
        response = await self._send("get", f"/files/{quote(file_id, safe='/')}/content", deadline_s)
        return response.content

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
        response = await self._send("post", path, content=body, options=_JSON)
        return self._decoded(response), announced_limits(response.headers, self._host)

    async def _told(self, method: str, path: str, deadline_s: float | None = None, **given: Any) -> Any:
        return self._decoded(await self._send(method, path, deadline_s, **given))

    async def _send(self, method: str, path: str, deadline_s: float | None = None, **given: Any) -> httpx2.Response:
        """A successful response, within ``timeout_s`` or the deadline given. Raises CallFailed."""
        failed: CallFailed | None = None
        response: httpx2.Response | None = None
        deadline_s = deadline_s or self._settings.timeout_s
        try:
            async with asyncio.timeout(deadline_s):
                response = await getattr(self._api, method)(path, cast_to=self._response, **given)
        except TimeoutError:
            failed = CallFailed("timeout", f"no answer within {deadline_s:g} s", may_be_billed=True)
        except self._status_error as error:
            response = error.response
            failed = faults.of_status(response.status_code, response.headers, response.content, self._scrub)
        except Exception as error:
            failed = faults.of_exception(error, self._scrub)
            if failed is None:
                raise
        # Raised outside of the handlers: an exception's context would keep what the server said, the key included.
        if failed is not None:
            raise self._marked(failed, response)
        return response

    def _decoded(self, response: httpx2.Response) -> Any:
        try:
            answer = json.loads(response.content)
        except (ValueError, RecursionError):
            answer = None
        if answer is None:
            start = self._scrub.clean(response.text[:2000])[:100]
            failed = CallFailed("garbled", f"no JSON in an answer with status 200: {start}", may_be_billed=True)
            failed.http_status = response.status_code
            raise self._marked(failed, response)
        status = faults.error_in(answer)
        if status is not None:
            failed = faults.of_status(status, response.headers, response.content, self._scrub)
            raise self._marked(failed, response)
        return answer

    def _has(self, answer: Any, name: str) -> dict[str, Any]:
        if isinstance(answer, dict) and isinstance(answer.get(name), list if name == "data" else str):
            return answer
        raise CallFailed("garbled", f"no {name} in an answer about files or batches", http_status=200)

    def _completed(self, answer: Any, limits: replies.Limits) -> Reply:
        reply = self._read(replies.completion, answer, limits)
        reply.text, reply.refusal, reply.model = map(self._scrub.without_key, (reply.text, reply.refusal, reply.model))
        return reply

    def _read(self, reader: Any, answer: Any, limits: replies.Limits, *arguments: Any) -> Any:
        try:
            return reader(answer, *arguments, limits)
        except replies.NotAReply as error:
            message, usage = self._scrub.clean(str(error)), error.usage
        failed = CallFailed("garbled", message, http_status=200, usage=usage, may_be_billed=True)
        failed.limits, failed.successes = limits, self._successes
        raise failed

    def _marked(self, failed: CallFailed, response: httpx2.Response | None) -> CallFailed:
        failed.limits = (None, None) if response is None else announced_limits(response.headers, self._host)
        failed.successes = self._successes
        return failed

    def learn(self, model: str, asked: Dialect, failed: CallFailed) -> None:
        """Put it differently next time; a fault of this request alone if that is not possible."""
        if self.dialect(model) != asked:
            return  # another call has learned it meanwhile
        better = asked.without(failed.parameter)
        if better is None:
            failed.kind = "bad_request"
        else:
            self._dialects[model] = better
