"""Embedding texts through the real client, limiter and cache, against the loopback server."""

from __future__ import annotations

import asyncio
import gc
import json
import multiprocessing
import os
import signal
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from dataset_project.llm.cache import EmbeddingCache, EmbeddingSpace
from dataset_project.llm.calling import Patience
from dataset_project.llm.client import ModelClient
from dataset_project.llm.configuration import LlmSettings
from dataset_project.llm.embeddings import NORMALISER, TextsFailed, embed_texts, prepare_text, within_budget
from dataset_project.llm.limiter import Limiter
from dataset_project.llm.prices import Prices
from dataset_project.llm.requests import CallRecord, RunStopped
from dataset_project_tests.llm.server import LoopbackServer, admin, loopback_server
from dataset_project_tests.llm.server_answers import vector

MODEL = "text-embedding-3-small"
PATIENCE = Patience(first_s=0.02, most_s=0.2, throttled_s=0.5)


def _expected(texts: list[str], dimensions: int = 64) -> np.ndarray:
    return np.array([vector(prepare_text(text), dimensions) for text in texts], np.float32)


class Embedder:
    """Everything one process needs to embed against ``server``, with its calls on record."""

    def __init__(self, server: LoopbackServer, directory: Path, lease_s: float = 60.0, **changes):
        given = {"requests_per_minute": None, "tokens_per_minute": None, "input_usd_per_million": 1000.0}
        self.settings = LlmSettings(base_url=server.url, **{**given, **changes})
        self.directory, self.lease_s = directory, lease_s
        self.cache = EmbeddingCache(directory / "embeddings.sqlite", lease_s)
        self.calls: list[CallRecord] = []
        self.unseen: list[dict] = []

    def __call__(self, texts: list[str], **keywords) -> np.ndarray:
        async def embed() -> np.ndarray:
            asyncio.get_running_loop().set_exception_handler(lambda loop, context: self.unseen.append(context))
            return await self.embed(texts, **keywords)

        try:
            return asyncio.run(embed())
        finally:
            gc.collect()
            assert self.unseen == [], "an exception that nobody looked at"

    async def embed(self, texts: list[str], **keywords) -> np.ndarray:
        settings = self.settings
        client = ModelClient(settings)
        try:
            return await embed_texts(
                texts,
                MODEL,
                client=client,
                limiter=Limiter(self.directory / "limiter", settings.requests_per_minute, settings.tokens_per_minute),
                cache=self.cache,
                prices=Prices(settings),
                settings=settings,
                on_call=self.calls.append,
                patience=PATIENCE,
                **keywords,
            )
        finally:
            await client.close()

    @property
    def spent(self) -> float:
        return sum(call.cost_usd for call in self.calls)


def _asked(server: LoopbackServer) -> Counter[str]:
    """How often the server saw each text."""
    bodies = server.bodies()
    assert len(bodies) < 100, "the server remembers no more bodies"
    return Counter(text for body in bodies for text in body["input"])


@pytest.fixture(scope="module")
def shared_server():
    # Each run below ends with a look for exceptions that nobody saw: not among all that was ever imported.
    gc.collect()
    gc.freeze()
    with loopback_server() as server:
        yield server
    gc.unfreeze()


@pytest.fixture
def server(shared_server):
    shared_server.reset()
    return shared_server


def test_vectors_come_in_the_order_asked_with_repeats_and_a_second_run_asks_nothing(server, tmp_path):
    embed = Embedder(server, tmp_path)
    texts = [f"theme {n % 230}" for n in range(500)] + ["Cafe\u0301", "Café ", " Café\n"]
    vectors = embed(texts)
    assert vectors.dtype == np.float32 and vectors.shape == (503, 64)
    assert np.array_equal(vectors, _expected(texts))
    assert set(_asked(server).values()) == {1} and len(_asked(server)) == 231
    assert [call.outcome for call in embed.calls] == ["ok"] * 3

    again = Embedder(server, tmp_path)
    assert np.array_equal(again(list(reversed(texts))), vectors[::-1])
    more = again([*texts[:3], "a new one"])
    assert np.array_equal(more, _expected([*texts[:3], "a new one"]))
    assert [call.usage.input_tokens for call in again.calls] == [3]


def test_dimensions_and_task_types_are_spaces_of_their_own(server, tmp_path):
    embed = Embedder(server, tmp_path)
    assert embed(["a", "b"], dimensions=16).shape == (2, 16)
    assert embed(["a", "b"]).shape == (2, 64)
    embed(["a", "b"], task_type="query")
    assert len(embed.calls) == 3 and len(embed.cache) == 6
    assert embed([], dimensions=16).shape == (0, 16)


@pytest.mark.parametrize(
    ("texts", "named"),
    [
        (["good", " \n\t"], "text 1 is empty"),
        ([""], "text 0 is empty"),
        (["good", "good", 7], "text 2 is no text but int"),
        (["half \ud83e"], "text 0 is no Unicode text"),
        ("one text", "sequence of texts"),
    ],
)
def test_texts_that_have_no_vector_are_named_before_anything_is_sent(server, tmp_path, texts, named):
    embed = Embedder(server, tmp_path)
    with pytest.raises(ValueError, match=named):
        embed(texts)
    assert server.journal() == []


def test_a_model_without_a_price_is_refused_but_what_is_cached_is_served(tmp_path):
    settings = LlmSettings(base_url="https://models.example.org/v1")
    cache = EmbeddingCache(tmp_path / "embeddings.sqlite")
    space = EmbeddingSpace("models.example.org/v1", "house-model", None, "", NORMALISER)
    cache.put_many(space, {"known": vector("known", 64)})

    def ask(texts: list[str]) -> np.ndarray:
        # Neither client nor limiter: whatever touched them would fail.
        parts = {"client": None, "limiter": None, "cache": cache, "prices": Prices(settings), "settings": settings}
        return asyncio.run(embed_texts(texts, "house-model", **parts, on_call=lambda call: None))

    assert np.array_equal(ask(["known", "known"]), _expected(["known", "known"]))
    with pytest.raises(ValueError, match=r"house-model.*DATASET_LLM__INPUT_USD_PER_MILLION"):
        ask(["known", "new"])


def test_batches_keep_to_tokens_and_count(server, tmp_path):
    embed = Embedder(server, tmp_path)
    long = [f"{n}" + " word" * 6000 for n in range(7)]
    short = [f"short {n}" for n in range(150)]
    assert len(embed(long + short)) == 157
    sizes = [len(body["input"]) for body in server.bodies()]
    assert max(sizes) == 100
    # 6,001 tokens each: three fit into 20,000.
    assert sorted(sum(text in long for text in body["input"]) for body in server.bodies())[-2:] == [3, 3]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 503},
        {"kind": "reset"},
        {"kind": "truncated_body"},
        {"kind": "wrong_count"},
        {"kind": "not_finite"},
        {"kind": "html"},
        {"kind": "rate_limited", "retry_after": 0.05},
    ],
    ids=lambda fault: fault["kind"],
)
def test_what_passes_is_tried_again(server, tmp_path, fault):
    server.control(faults=[fault])
    embed = Embedder(server, tmp_path)
    texts = [f"text {n}" for n in range(30)]
    assert np.array_equal(embed(texts), _expected(texts))
    assert [call.outcome == "ok" for call in embed.calls] == [False, True]
    assert [call.attempt for call in embed.calls] == [1, 2]
    assert embed.calls[0].error and embed.calls[0].task_key == embed.calls[1].task_key
    # An answer that came and was of no use is billed, or may have been; an error status and a dead connection are not.
    is_billed = fault["kind"] in ("truncated_body", "wrong_count", "not_finite", "html")
    assert (embed.calls[0].cost_usd > 0) == is_billed


def test_429s_alone_exhaust_a_batch_only_after_a_while(server, tmp_path):
    server.control(faults=[{"kind": "rate_limited", "retry_after": 0.1, "count": 4}])
    embed = Embedder(server, tmp_path, max_attempts=2)
    assert len(embed(["a"])) == 1 and len(embed.calls) == 5
    server.control(faults=[{"kind": "rate_limited", "retry_after": 0.1, "count": None}])
    with pytest.raises(TextsFailed, match="rate_limited"):
        embed(["b", "c"])
    assert len(embed.calls) <= 5 + 10, "and it is not split: no part would fare better"


def test_no_call_before_retry_after(server, tmp_path):
    server.control(faults=[{"kind": "rate_limited", "retry_after": 1}])
    Embedder(server, tmp_path)(["a"])
    first, second = (row["at"] for row in server.journal())
    assert second - first >= 1


def test_a_hung_request_is_cancelled_at_its_deadline_and_tried_again(server, tmp_path):
    server.control(faults=[{"kind": "hang"}])
    embed = Embedder(server, tmp_path, timeout_s=0.4)
    texts = ["a", "b", "c"]
    assert np.array_equal(embed(texts), _expected(texts))
    lost, answered = embed.calls
    assert (lost.outcome, answered.outcome) == ("timeout", "ok")
    assert lost.cost_usd >= answered.cost_usd > 0, "it may have been billed"


def test_one_bad_text_does_not_fail_the_others(server, tmp_path):
    server.control(faults=[{"kind": "bad_request", "match": "poison", "count": None}])
    embed = Embedder(server, tmp_path)
    texts = [f"text {n}" for n in range(90)]
    texts[17] = texts[64] = "poison one"
    texts[80] = "poison two"
    with pytest.raises(TextsFailed) as raised:
        embed(texts)
    assert set(raised.value.failures) == {17, 64, 80}
    assert all("bad_request" in reason for reason in raised.value.failures.values())
    assert "3 texts" in str(raised.value) and "text 17" in str(raised.value)
    good = [text for text in texts if "poison" not in text]
    calls = len(embed.calls)
    assert np.array_equal(embed(good), _expected(good)) and len(embed.calls) == calls

    server.control(faults=[])
    assert np.array_equal(embed(texts), _expected(texts)), "what failed is asked again"
    assert len(embed.calls) == calls + 1


def test_a_text_that_breaks_the_server_is_found_too(server, tmp_path):
    server.control(faults=[{"kind": "reset", "match": "crash", "count": None}])
    embed = Embedder(server, tmp_path, max_attempts=2)
    with pytest.raises(TextsFailed) as raised:
        embed([*[f"text {n}" for n in range(20)], "crash"])
    assert set(raised.value.failures) == {20} and len(embed.cache) == 20


@pytest.mark.parametrize(("fault", "most"), [("bad_request", 31), ("status", 14)])
def test_a_server_that_refuses_everything_is_not_asked_text_by_text(server, tmp_path, fault, most):
    server.control(faults=[{"kind": fault, "count": None}])
    embed = Embedder(server, tmp_path, max_attempts=2)
    with pytest.raises(TextsFailed) as raised:
        embed([f"text {n}" for n in range(100)])
    assert len(raised.value.failures) == 100
    assert len(embed.calls) <= most
    assert embed.cache.look(_space(embed), ["text 0"]).free == ["text 0"], "claims are given back"


def _space(embed: Embedder) -> EmbeddingSpace:
    return EmbeddingSpace(embed.settings.base_url.removeprefix("http://"), MODEL, None, "", NORMALISER)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("invalid_key", "invalid_key"),
        ("unknown_model", "unknown_model"),
        ("insufficient_quota", "quota_exhausted"),
    ],
)
def test_what_no_call_can_survive_stops_the_run(server, tmp_path, fault, kind):
    embed = Embedder(server, tmp_path)
    embed(["known"])
    server.control(faults=[{"kind": fault, "count": None}])
    with pytest.raises(RunStopped) as raised:
        embed(["known", *[f"text {n}" for n in range(250)]])
    assert raised.value.kind == kind
    assert embed.cache.look(_space(embed), ["text 0", "text 249"]).held == []
    server.control(faults=[])
    assert len(embed(["known", "text 0"])) == 2


def test_a_run_that_stops_keeps_what_is_on_the_wire(server, tmp_path):
    server.control(latency_s=0.6, faults=[{"kind": "invalid_key", "match": "text 250", "count": 1}])
    embed = Embedder(server, tmp_path)
    with pytest.raises(RunStopped):
        embed([f"text {n}" for n in range(300)])
    assert len(embed.cache) == 200
    assert sorted(call.outcome for call in embed.calls) == ["invalid_key", "ok", "ok"]


def test_the_budget_holds(server, tmp_path):
    embed = Embedder(server, tmp_path, max_in_flight=1)
    account = SimpleNamespace(reserved_usd=0.0)
    budget = 0.55  # USD at 0.001 a token: "text 123" has 3 tokens, a batch of 100 costs about 0.3

    def spending():
        account.spent_usd = embed.spent
        return account

    with pytest.raises(RunStopped, match="DATASET_LLM__BUDGET_USD") as raised:
        embed([f"text {n}" for n in range(100, 600)], may_spend=within_budget(spending, budget))
    assert raised.value.kind == "budget"
    # What the provider counts may differ from our estimate, by less than a call.
    assert 0 < embed.spent < budget + 0.3
    assert len(embed.cache) == 100 * len(embed.calls)
    assert len(server.journal()) == len(embed.calls), "the refused call was not sent"
    account.reserved_usd = 5.0
    with pytest.raises(RunStopped):
        embed(["one more"], may_spend=within_budget(spending, budget))


def test_a_cancelled_run_books_what_it_sent_and_gives_its_claims_back(server, tmp_path):
    server.control(latency_s=30)
    embed = Embedder(server, tmp_path)

    async def cancelled() -> None:
        task = asyncio.create_task(embed.embed([f"text {n}" for n in range(120)]))
        while len(server.journal()) < 2:
            await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert [call.outcome for call in embed.calls] == ["interrupted"] * 2
    assert all(call.cost_usd > 0 for call in embed.calls)
    assert embed.cache.look(_space(embed), ["text 0", "text 119"]).held == []


def test_two_runs_in_one_process_share_the_work(server, tmp_path):
    server.control(latency_s=0.3)
    embed = Embedder(server, tmp_path)
    texts = [f"text {n}" for n in range(400)]

    async def both() -> list[np.ndarray]:
        return await asyncio.gather(embed.embed(texts), embed.embed(texts[::-1]))

    one, other = asyncio.run(both())
    assert np.array_equal(one, _expected(texts)) and np.array_equal(other, one[::-1])
    assert set(_asked(server).values()) == {1}


def test_claims_are_renewed_while_answers_are_slow(server, tmp_path):
    server.control(latency_s=1.6)
    slow, impatient = (Embedder(server, tmp_path, lease_s=0.6) for _ in range(2))

    async def both() -> None:
        first = asyncio.create_task(slow.embed(["a", "b"]))
        while not server.journal():
            await asyncio.sleep(0.02)
        await asyncio.gather(first, impatient.embed(["b", "a"]))

    asyncio.run(both())
    assert len(slow.calls) == 1 and impatient.calls == []


def _embed_all(url: str, directory: Path, count: int, lease_s: float) -> None:
    texts = [f"text {n}" for n in range(count)]
    embed = Embedder(admin(url), directory, lease_s=lease_s)
    assert np.array_equal(embed(texts), _expected(texts))
    (directory / f"{os.getpid()}.json").write_text(json.dumps([call.outcome for call in embed.calls]))


def _start(server: LoopbackServer, directory: Path, count: int, lease_s: float = 60) -> multiprocessing.Process:
    # Forked: to import the client anew takes a second.
    context = multiprocessing.get_context("fork")
    process = context.Process(target=_embed_all, args=(server.url, directory, count, lease_s))
    process.start()
    return process


def test_processes_pay_for_each_text_once(server, tmp_path):
    server.control(latency_s=0.2)
    processes = [_start(server, tmp_path, 500) for _ in range(4)]
    outcomes = []
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
        outcomes += json.loads((tmp_path / f"{process.pid}.json").read_text())
    asked = _asked(server)
    assert set(asked.values()) == {1} and len(asked) == 500
    assert set(outcomes) == {"ok"} and len(outcomes) == len(server.journal())

    later = Embedder(server, tmp_path)
    assert len(later([f"text {n}" for n in range(500)])) == 500 and later.calls == [], "a warm cache asks nothing"


def test_what_a_killed_process_had_claimed_is_taken_over(server, tmp_path):
    server.control(faults=[{"kind": "hang", "count": 3}])
    killed = _start(server, tmp_path, 300, lease_s=2)
    deadline = time.monotonic() + 30
    while len(server.journal()) < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(killed.pid, signal.SIGKILL)
    killed.join(10)
    assert len(server.journal()) == 3, "it had all its texts on the wire"
    other = _start(server, tmp_path, 500, lease_s=2)
    texts = [f"text {n}" for n in range(500)]
    assert np.array_equal(Embedder(server, tmp_path, lease_s=2)(texts), _expected(texts))
    other.join(60)
    assert other.exitcode == 0
    asked = _asked(server)
    assert asked == {f"text {n}": 2 if n < 300 else 1 for n in range(500)}
