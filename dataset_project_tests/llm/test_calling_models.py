"""What models do not know, and the key that nobody may see, while a request is settled."""

from __future__ import annotations

import asyncio
import json
import logging
import traceback

import pytest

from dataset_project.llm.calling import settle_request
from dataset_project.llm.client import ModelClient
from dataset_project.llm.prices import Prices
from dataset_project.llm.requests import RunStopped
from dataset_project_tests.llm.server import loopback_server
from dataset_project_tests.llm.server_calls import GOOD, KEY, SCHEMA, OpenLimiter, request, settings, settle


@pytest.fixture(scope="module")
def shared():
    with loopback_server() as server:
        yield server


@pytest.fixture
def server(shared, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    shared.reset()
    return shared


@pytest.mark.parametrize(
    ("rejects", "left"),
    [
        (["max_tokens"], {"max_completion_tokens": 200}),
        (["temperature"], {"max_tokens": 200}),
        (["json_schema"], {"response_format": {"type": "json_object"}}),
        (["response_format", "temperature", "max_tokens"], {"max_completion_tokens": 200}),
    ],
    ids=str,
)
def test_what_a_model_does_not_know_is_left_out_and_remembered(server, rejects, left):
    server.control(rejects=rejects, answer=GOOD)
    asked = [request("NCT90000001", temperature=0.5), request("NCT90000002", temperature=0.5)]

    async def one_after_the_other(given):
        client, calls = ModelClient(given), []
        for each in asked:
            settled = await settle_request(each, client, OpenLimiter(), Prices(given), given, calls.append)
            assert settled.kind == "ok"
        await client.close()
        return [call.outcome for call in calls]

    outcomes = asyncio.run(one_after_the_other(settings(server.url)))
    learned = outcomes.count("unsupported")
    assert 1 <= learned <= len(rejects) + 1
    assert outcomes == ["unsupported"] * learned + ["ok", "ok"]
    body = server.bodies()[-1]
    assert left.items() <= body.items()
    assert not {name for name in rejects if name != "json_schema"} & set(body)
    if "json_schema" in rejects or "response_format" in rejects:
        assert json.dumps(SCHEMA, separators=(",", ":")) in body["messages"][0]["content"]


def test_many_requests_at_once_learn_together(server):
    server.control(rejects=["max_tokens"])
    settled = settle(settings(server.url), *(request(f"NCT9200{n:04}") for n in range(20)))
    assert {each.kind for each in settled.settlements} == {"ok"}
    assert settled.outcomes.count("ok") == 20 and settled.outcomes.count("unsupported") <= 20


def test_a_model_that_knows_no_cap_at_all_is_a_bad_request(server):
    server.control(rejects=["max_tokens", "max_completion_tokens"])
    settled = settle(settings(server.url))
    assert settled.kind == "bad_request" and settled.outcomes == ["unsupported", "bad_request"]


@pytest.mark.parametrize("fault", ["key_echo", "bad_request"])
def test_the_key_is_nowhere_even_when_the_server_repeats_it(server, fault, caplog):
    caplog.set_level(logging.DEBUG)
    server.control(faults=[{"kind": fault, "count": None}], key=KEY)
    calls, said = [], ""
    try:
        said = repr(settle(settings(server.url), calls=calls))
    except RunStopped as stopped:
        seen = stopped
        while seen is not None:
            said += repr(seen) + repr(vars(seen))
            seen = seen.__cause__ or seen.__context__
        said += "".join(traceback.format_exception(stopped))
    said += repr(calls) + caplog.text + "".join(repr(vars(record)) for record in caplog.records)
    assert "[key]" in said
    assert KEY not in said and KEY[:12] not in said
    assert all(len(call.error) <= 300 for call in calls)


def test_an_answer_that_repeats_the_key_is_kept_without_it(server):
    server.control(answer=GOOD.replace('"notes":""', f'"notes":"{KEY}"'), key=KEY)
    settled = settle(settings(server.url))
    assert settled.kind == "ok" and KEY not in repr(settled)


def test_the_key_that_is_set_is_the_key_that_is_sent(server):
    server.control(key=KEY)
    assert settle(settings(server.url)).kind == "ok"
