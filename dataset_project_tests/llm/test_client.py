"""The client itself: keys, dialects, vectors, connections. What becomes of whole requests is tested with `calling`."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import sys

import numpy as np
import pytest

from dataset_project.llm.bodies import Dialect, first_dialect, with_schema
from dataset_project.llm.client import CallFailed, ModelClient
from dataset_project.llm.configuration import LlmSettings
from dataset_project.llm.replies import NotAReply, completion, embeddings, usage_of
from dataset_project.llm.requests import RunStopped, Usage
from dataset_project_tests.llm.server import loopback_server
from dataset_project_tests.llm.server_answers import vector
from dataset_project_tests.llm.server_calls import GOOD, KEY, request, settings


@pytest.fixture(scope="module")
def shared():
    with loopback_server() as server:
        yield server


@pytest.fixture
def server(shared, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    shared.reset()
    return shared


def with_client(given, use):
    async def run():
        client = ModelClient(given)
        try:
            return await use(client)
        finally:
            await client.close()

    return asyncio.run(run())


def embed(given, texts, dimensions=None):
    return with_client(given, lambda client: client.embed("small", texts, dimensions))


def test_without_a_key_only_a_server_on_this_machine_is_asked(monkeypatch, server):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(RunStopped, match="set OPENAI_API_KEY") as stopped:
        ModelClient(LlmSettings())
    assert stopped.value.kind == "invalid_key"
    reply = with_client(settings(server.url), lambda client: client.complete(request(), request().messages, 50))
    assert reply.finish == "stop" and reply.text


@pytest.mark.parametrize("key", ["zwei worte", "schlüssel", "a\nb"])
def test_what_cannot_be_a_key_is_told_before_anything_is_sent(monkeypatch, key):
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(RunStopped, match="OPENAI_API_KEY holds no key") as stopped:
        ModelClient(LlmSettings())
    assert key not in repr(stopped.value)


def test_the_client_shows_no_key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert repr(ModelClient(LlmSettings())) == "ModelClient(https://api.openai.com/v1)"


def test_vectors_come_in_the_order_of_the_texts(server):
    texts = [f"condition {n}" for n in range(5)]
    reply = embed(settings(server.url), texts, 16)
    assert reply.vectors.dtype == np.float32 and reply.vectors.shape == (5, 16)
    assert np.array_equal(reply.vectors, [vector(text, 16) for text in texts])
    assert reply.usage == Usage(server.journal()[0]["tokens"][0], 0) and reply.model == "small"
    assert server.bodies()[0] == {"model": "small", "input": texts, "encoding_format": "base64", "dimensions": 16}


def test_a_server_without_base64_is_asked_for_plain_numbers_from_then_on(server):
    server.control(rejects=["encoding_format"])

    async def twice(client):
        with pytest.raises(CallFailed) as failed:
            await client.embed("small", ["a"], None)
        assert failed.value.kind == "unsupported"
        return await client.embed("small", ["a"], None)

    reply = with_client(settings(server.url), twice)
    assert np.allclose(reply.vectors, [vector("a", 64)]) and reply.vectors.dtype == np.float32


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("wrong_count", "1 vectors for 2 texts"),
        ("wrong_dimension", "dimensions"),
        ("not_finite", "not finite"),
    ],
)
def test_vectors_that_do_not_fit_the_texts_are_refused(server, fault, told):
    server.control(faults=[{"kind": fault}])
    with pytest.raises(CallFailed, match=told) as failed:
        embed(settings(server.url), ["a", "b"])
    assert failed.value.kind == "garbled" and failed.value.usage.input_tokens == 2, "they are paid for"


def test_a_dimension_that_is_not_kept_is_refused(server):
    body = {"data": [{"index": 0, "embedding": [1.0, 0.0]}], "usage": {"prompt_tokens": 1}}
    with pytest.raises(NotAReply, match="3 wanted"):
        embeddings(body, 1, 3, (None, None))
    server.control(rejects=["dimensions"])
    with pytest.raises(CallFailed) as failed:
        embed(settings(server.url), ["a"], 3)
    assert failed.value.kind == "bad_request", "other vectors than those asked for would be worse than none"


@pytest.mark.parametrize(
    "data",
    [
        [{"index": 0, "embedding": [1.0]}, {"index": 0, "embedding": [1.0]}],
        [{"index": 0, "embedding": [1.0]}, {"index": 2, "embedding": [1.0]}],
        [{"embedding": [1.0]}, {"embedding": "no base64!"}],
        [{"embedding": [1.0]}, {"embedding": base64.b64encode(b"abc").decode()}],
        [{"embedding": []}, {"embedding": []}],
        [{"embedding": ["x"]}, {"embedding": [1.0]}],
        ["vector", "vector"],
        None,
    ],
    ids=str,
)
def test_embeddings_of_any_other_shape_are_no_reply(data):
    with pytest.raises(NotAReply):
        embeddings({"data": data}, 2, None, (None, None))


@pytest.mark.parametrize(
    ("message", "text", "refusal"),
    [
        ({"content": "a"}, "a", ""),
        ({"content": None, "refusal": "no"}, "", "no"),
        ({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}, {"type": "image"}]}, "ab", ""),
        ({}, "", ""),
    ],
)
def test_a_message_is_read_in_every_shape_servers_give_it(message, text, refusal):
    reply = completion({"choices": [{"message": message}]}, (None, None))
    assert (reply.text, reply.refusal, reply.finish, reply.usage, reply.model) == (text, refusal, "", None, "")


@pytest.mark.parametrize(
    "body", [None, [], "x", {}, {"choices": None}, {"choices": [None]}, {"choices": [{}]}], ids=str
)
def test_a_body_without_a_choice_is_no_reply(body):
    with pytest.raises(NotAReply):
        completion(body, (None, None))


@pytest.mark.parametrize(
    ("counted", "usage"),
    [
        ({"prompt_tokens": 10, "completion_tokens": 2}, Usage(10, 2)),
        ({"prompt_tokens": 10, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 8}}, Usage(10, 2, 8)),
        ({"prompt_tokens": 1, "completion_tokens": None, "prompt_tokens_details": None}, Usage(1, 0)),
        ({"prompt_tokens": 1, "prompt_tokens_details": {"cached_tokens": 50}}, Usage(1, 0, 1)),
        ({"prompt_tokens": -4, "completion_tokens": "2"}, None),
        # What no ledger could hold would stop the run with paid answers in hand.
        ({"prompt_tokens": float("inf"), "completion_tokens": float("nan")}, None),
        ({"prompt_tokens": 10**30, "completion_tokens": 2}, Usage(0, 2)),
        (None, None),
    ],
)
def test_usage_is_what_the_provider_counted_or_nothing(counted, usage):
    assert usage_of({"usage": counted}) == usage


def test_the_cap_has_the_name_the_host_is_likely_to_know():
    assert first_dialect("api.openai.com").cap == "max_completion_tokens"
    assert first_dialect("eu.api.openai.com").cap == "max_completion_tokens"
    assert first_dialect("generativelanguage.googleapis.com").cap == "max_tokens"


def test_a_dialect_gives_way_once_for_each_parameter():
    dialect = Dialect()
    swapped = dialect.without("max_tokens")
    assert swapped.cap == "max_completion_tokens" and swapped.without("max_completion_tokens") is None
    assert dialect.without("max_completion_tokens") is None, "it was not sent"
    assert dialect.without("temperature").without("temperature") is None
    assert dialect.without("reasoning_effort").without("reasoning_effort") is None
    plain = dialect.without("json_schema").without("response_format")
    assert plain.answer_format == "plain" and plain.without("response_format") is None
    assert dialect.without("top_k") is None


def test_the_schema_goes_into_the_system_message_there_is():
    assert [role for role, _ in with_schema((("user", "q"),), {})] == ["system", "user"]
    ((role, content), _) = with_schema((("system", "You judge."), ("user", "q")), {"type": "null"})
    assert role == "system" and content.startswith("You judge.\n\n") and content.endswith('{"type":"null"}')


def test_what_steers_the_answer_is_sent(server):
    server.control(answer=GOOD)
    asked = request(temperature=0.0, reasoning_effort="low")
    with_client(settings(server.url), lambda client: client.complete(asked, asked.messages, 50))
    (body,) = server.bodies()
    assert (body["temperature"], body["reasoning_effort"], body["max_tokens"]) == (0.0, "low", 50)


def test_as_many_calls_as_allowed_are_in_flight_at_once(server):
    server.control(latency_s=0.5, answer=GOOD)

    async def all_at_once(client):
        tasks = [client.complete(request(f"NCT9500{n:04}"), request().messages, 50) for n in range(200)]
        await asyncio.gather(*tasks)

    with_client(settings(server.url, max_in_flight=200), all_at_once)
    arrivals = [row["at"] for row in server.journal()]
    # Behind a pool of the SDK's default size the second half would come after the first was answered.
    assert len(arrivals) == 200 and max(arrivals) - min(arrivals) < 0.5


def test_failures_carry_what_the_limiter_needs(server):
    server.control(requests_per_minute=1, window_s=60, refill="window")

    async def two(client):
        await client.complete(request(), request().messages, 50)
        with pytest.raises(CallFailed) as failed:
            await client.complete(request(), request().messages, 50)
        return failed.value

    failed = with_client(settings(server.url), two)
    assert (failed.kind, failed.http_status, failed.limits, failed.successes) == ("rate_limited", 429, (1, None), 1)
    assert 50 < failed.retry_after_s <= 60
    assert failed.is_retryable and failed.was_sent and not failed.stops_run


def test_a_server_on_this_machine_is_not_asked_through_a_proxy(server, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    reply = with_client(settings(server.url), lambda client: client.complete(request(), request().messages, 50))
    assert reply.text


def test_importing_the_client_imports_no_sdk():
    code = "import sys, dataset_project.llm.client, dataset_project.llm.calling; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", f"import json; {code}"], capture_output=True, text=True, check=True)
    assert not {"openai", "aiohttp", "httpx2"} & set(json.loads(done.stdout))
