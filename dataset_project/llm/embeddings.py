"""Vectors of texts from a model: each distinct text asked and paid once, by whichever process comes to it first.

Texts are prepared by `prepare_text`, looked up in the cache, and the rest claimed, batched and sent under the shared
limits. One batch's fate (retries, deadline, splitting) is here too; storing and claiming are in `cache`.
"""

from __future__ import annotations

import asyncio
import os
import unicodedata
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import numpy as np

from dataset_project.llm.cache import EmbeddingCache, EmbeddingSpace
from dataset_project.llm.calling import Patience
from dataset_project.llm.configuration import LlmSettings
from dataset_project.llm.embedding_calls import Batch, EmbeddingCalls
from dataset_project.llm.requests import CallRecord, RunStopped
from dataset_project.llm.tokens import count_tokens

if TYPE_CHECKING:
    from dataset_project.llm.client import ModelClient
    from dataset_project.llm.limiter import Limiter
    from dataset_project.llm.prices import Prices

NORMALISER = "nfc-strip-1"
"""Version of `prepare_text`, part of every key: changed when the rule changes, so that no vector is taken for that of
another text."""

# Gemini's endpoint takes 100 texts a request, OpenAI's 2,048 with 300,000 tokens together.
_BATCH_TEXTS = 100
_BATCH_TOKENS = 20_000
# Requests are large and answers larger: this many at once load any limit, and a killed process leaves few texts behind.
_IN_FLIGHT = 16
# How long the texts of other processes are left alone between two looks, seconds: first and at most.
_LOOK_FIRST_S, _LOOK_MOST_S = 0.02, 0.5
_READ_AT_ONCE = 2000
_MOST_NAMED = 3
_PATIENCE = Patience()


class TextsFailed(Exception):
    """Some texts have no vector; the others are in the cache. ``failures``: position in the given texts → reason."""

    def __init__(self, failures: dict[int, str]):
        named = "; ".join(f"text {position}: {failures[position]}" for position in sorted(failures)[:_MOST_NAMED])
        more = f"; and {len(failures) - _MOST_NAMED} more" if len(failures) > _MOST_NAMED else ""
        super().__init__(f"{len(failures)} texts could not be embedded: {named}{more}")
        self.failures = failures


class _Spent(Protocol):
    spent_usd: float
    reserved_usd: float


def prepare_text(text: str) -> str:
    """The text as it is embedded: Unicode NFC, without white space at its ends."""
    return unicodedata.normalize("NFC", text).strip()


def within_budget(spending: Callable[[], _Spent], budget_usd: float) -> Callable[[float], None]:
    """A check for `embed_texts` against one account, such as ``ledger.spending``: raises RunStopped (``budget``) when
    a call's cost does not fit. Calls in flight elsewhere count from their end, so at most those overshoot."""

    def may_spend(cost_usd: float) -> None:
        account = spending()
        committed = account.spent_usd + account.reserved_usd
        if cost_usd > 0 and committed + cost_usd > budget_usd:
            raise RunStopped(
                "budget",
                f"the budget of ${budget_usd:,.2f} is spent (${committed:,.4f} spent or reserved, the next call up to "
                f"${cost_usd:,.6f}): raise DATASET_LLM__BUDGET_USD to go on",
            )

    return may_spend


async def embed_texts(
    texts: Sequence[str],
    model: str,
    *,
    client: ModelClient,
    limiter: Limiter,
    cache: EmbeddingCache,
    prices: Prices,
    settings: LlmSettings,
    on_call: Callable[[CallRecord], None],
    may_spend: Callable[[float], None] = lambda cost_usd: None,
    dimensions: int | None = None,
    task_type: str = "",
    patience: Patience = _PATIENCE,
) -> np.ndarray:
    """Vectors of ``texts`` in their order, shape (len(texts), d), float32. Repeated texts are fine.

    ``may_spend`` is asked before each call with its cost, and raises RunStopped when that is too much; ``on_call``
    hears of each call, failed ones too. ``task_type`` tells vectors for different purposes apart in the cache.
    Raises ValueError for a text that is empty or no Unicode text (naming its position), for a model without a price
    and for unusable files; TextsFailed when texts were refused or retries used up; RunStopped. Whatever it raises,
    vectors that came are in the cache.
    """
    prepared = _prepared(texts)
    if not prepared:
        return np.empty((0, dimensions or 0), np.float32)
    space = EmbeddingSpace(_endpoint(settings), model, dimensions, task_type, NORMALISER)
    calls = EmbeddingCalls(client, limiter, prices, settings, on_call, may_spend, model, dimensions, patience)
    distinct = list(dict.fromkeys(prepared))
    sharing = _Sharing(calls, cache, space, settings)
    try:
        await sharing.embed(distinct)
        if sharing.failures:
            failed = {n: sharing.failures[text] for n, text in enumerate(prepared) if text in sharing.failures}
            raise TextsFailed(failed)
        return await sharing.in_cache(_matrix, cache, space, prepared, distinct)
    finally:
        sharing.close()


@dataclass
class _Sharing:
    """One call's share of the work: which texts are ours, which are others', which are done."""

    calls: EmbeddingCalls
    cache: EmbeddingCache
    space: EmbeddingSpace
    settings: LlmSettings
    failures: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._owner = f"{os.getpid()}/{uuid.uuid4().hex}"
        # One thread: waiting for another process's transaction must not hold up the answers on the wire, and what is
        # asked last (giving claims back) comes after every claim.
        self._books = ThreadPoolExecutor(1, "llm-cache")
        self._open: deque[str] = deque()
        self._held: list[str] = []
        self._running: set[asyncio.Task] = set()
        self._claims = False

    async def in_cache(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._books, function, *arguments)

    def close(self) -> None:
        """Give back what is still claimed. Also right after a cancellation."""
        if self._claims:
            with suppress(ValueError):  # an unusable file was reported already, and leases run out by themselves
                self._books.submit(self.cache.release_all, self._owner).result()
        self._books.shutdown()

    async def embed(self, distinct: Sequence[str]) -> None:
        """Return when each of ``distinct`` is in the cache or in `failures`."""
        for some in _slices(distinct, _READ_AT_ONCE):
            there = await self.in_cache(self.cache.get_many, self.space, some)
            self._open.extend(text for text in some if text not in there)
        if not self._open:
            return
        self.calls.check_price()
        keeper = asyncio.create_task(self._keep_claims())
        try:
            look_s = _LOOK_FIRST_S
            while self._open or self._held or self._running:
                batch = await self._next_batch() if len(self._running) < self._most_running else None
                if batch is not None:
                    self._running.add(asyncio.create_task(self._settle(batch)))
                    look_s = _LOOK_FIRST_S
                elif self._running or self._held:
                    waits = self._held and len(self._running) < self._most_running
                    await self._wait(keeper, look_s if waits else None)
                    look_s = min(_LOOK_MOST_S, look_s * 2)
        except Exception:
            await self._end_calls()
            raise
        finally:
            await self._cancel_calls()
            keeper.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(keeper, return_exceptions=True)

    @property
    def _most_running(self) -> int:
        return min(_IN_FLIGHT, self.settings.max_in_flight)

    async def _next_batch(self) -> Batch | None:
        """Texts that are ours now, as many as one request takes; None when others hold what is left."""
        if not self._open and self._held:
            standing = await self.in_cache(self.cache.look, self.space, self._held)
            self._held = standing.held
            self._open.extend(standing.free)  # their holder died, or could not embed them
        batch = Batch()
        while self._open and len(batch) < _BATCH_TEXTS:
            some = self._fitting(batch)
            if not some:
                break
            self._claims = True
            standing = await self.in_cache(self.cache.claim, self.space, list(some), self._owner)
            self._held += standing.held
            for text in standing.free:
                batch.add(text, some[text])
        return batch if len(batch) else None

    def _fitting(self, batch: Batch) -> dict[str, int]:
        """The next open texts that fit into ``batch``, with their tokens; a text that fits into none is one alone."""
        some: dict[str, int] = {}
        room = _BATCH_TEXTS - len(batch)
        tokens_left = min(_BATCH_TOKENS, self.settings.tokens_per_minute or _BATCH_TOKENS) - batch.tokens
        while self._open and len(some) < room:
            tokens = count_tokens(self.space.model, self._open[0])
            tokens_left -= tokens
            if tokens_left < 0 and (some or len(batch)):
                break
            some[self._open.popleft()] = tokens
        return some

    async def _settle(self, batch: Batch) -> None:
        """See the batch through: vectors into the cache, failed texts into `failures`, claims given back."""
        async for texts, vectors, reason in self.calls.outcomes(batch):
            if vectors is not None:
                await self.in_cache(self.cache.put_many, self.space, dict(zip(texts, vectors, strict=True)))
            else:
                self.failures.update(dict.fromkeys(texts, reason))
                await self.in_cache(self.cache.release, self.space, texts, self._owner)

    async def _wait(self, keeper: asyncio.Task, timeout: float | None) -> None:
        """Until a batch ends or ``timeout``. Raises what a batch or the keeper of the claims raised."""
        done, _ = await asyncio.wait({*self._running, keeper}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        self._running -= done
        faults = [task.exception() for task in done if not task.cancelled()]
        for fault in faults:
            if fault is not None:
                raise fault

    async def _keep_claims(self) -> None:
        """Renew our claims while we live: waiting for the limiter or a slow answer may take longer than a lease."""
        while True:
            await asyncio.sleep(self.cache.lease_s / 4)
            if self._claims:
                await self.in_cache(self.cache.extend, self._owner)

    async def _end_calls(self) -> None:
        """A run that stops sends nothing further, but keeps what is on the wire: it is paid for."""
        self.calls.stop()
        if self._running:
            await asyncio.wait(self._running)

    async def _cancel_calls(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)


def _prepared(texts: Sequence[str]) -> list[str]:
    if isinstance(texts, str):
        raise ValueError("texts must be a sequence of texts, not one text")
    prepared = []
    for position, text in enumerate(texts):
        if not isinstance(text, str):
            raise ValueError(f"text {position} is no text but {type(text).__name__}")
        text = prepare_text(text)
        if not text:
            raise ValueError(f"text {position} is empty: an empty text has no vector")
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise ValueError(f"text {position} is no Unicode text: it holds half of a surrogate pair") from None
        prepared.append(text)
    return prepared


def _endpoint(settings: LlmSettings) -> str:
    parts = urlsplit(settings.base_url)
    return f"{parts.netloc.lower()}{parts.path}"


def _matrix(
    cache: EmbeddingCache, space: EmbeddingSpace, prepared: Sequence[str], distinct: Sequence[str]
) -> np.ndarray:
    rows = {text: n for n, text in enumerate(distinct)}
    matrix = None
    for some in _slices(distinct, _READ_AT_ONCE):
        there = cache.get_many(space, some)
        for text in some:
            vector = there[text]
            if matrix is None:
                matrix = np.empty((len(distinct), len(vector)), np.float32)
            matrix[rows[text]] = vector
    return matrix if len(prepared) == len(distinct) else matrix[[rows[text] for text in prepared]]


def _slices(values: Sequence[str], size: int) -> Iterable[Sequence[str]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]
