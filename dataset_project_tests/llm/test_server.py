"""The loopback server keeps its word: what tests and benchmarks conclude rests on it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest

from dataset_project_tests.llm.server import admin, loopback_server
from dataset_project_tests.llm.server_answers import from_schema
from dataset_project_tests.llm.server_calls import GOOD, KEY, SCHEMA
from dataset_project_tests.llm.server_options import FAULTS, Fault, Options
from dataset_project_tests.llm.server_quota import Quotas


@pytest.fixture(scope="module")
def shared():
    with loopback_server() as server:
        yield server


@pytest.fixture
def server(shared):
    shared.reset()
    return shared


def chat(server, item="NCT90000001", model="m", **more):
    body = {"model": model, "messages": [{"role": "user", "content": item}], **more}
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        connection.request("POST", "/v1/chat/completions", json.dumps(body), {"Authorization": f"Bearer {KEY}"})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def text_of(content):
    return json.loads(content)["choices"][0]["message"]["content"]


def answer_of_test(body):
    """Named in a test below."""
    return {"asked": body["messages"][-1]["content"]}


def test_answers_satisfy_the_schema_and_depend_on_the_prompt_alone(server):
    how = {"response_format": {"type": "json_schema", "json_schema": {"name": "f", "schema": SCHEMA}}}
    answers = [text_of(chat(server, f"NCT9000000{n % 3}", **how)[2]) for n in range(6)]
    assert answers[:3] == answers[3:] and len(set(answers)) == 3
    for answer in answers:
        jsonschema.validate(json.loads(answer), SCHEMA)


def test_recursive_and_nested_schemas_are_answered():
    node = {"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#/$defs/n"}, {"type": "null"}]}}}
    listed = {"type": "array", "items": {"enum": [1, 2, 3]}, "minItems": 2, "maxItems": 3, "uniqueItems": True}
    schema = {"type": "object", "properties": {"n": {"$ref": "#/$defs/n"}, "l": listed}, "$defs": {"n": node}}
    for seed in range(20):
        value = from_schema(schema, [seed])
        assert set(value) == {"n", "l"} and len(set(value["l"])) == len(value["l"])


def test_answers_come_from_a_named_function_or_a_text(server):
    server.control(answers="dataset_project_tests.llm.test_server:answer_of_test")
    assert json.loads(text_of(chat(server, "NCT90000007")[2])) == {"asked": "NCT90000007"}
    server.control(answers="", answer=GOOD)
    assert text_of(chat(server)[2]) == GOOD


def test_the_journal_tells_what_was_asked_and_answered(server):
    server.control(faults=[{"kind": "status", "status": 503, "skip": 1}], marker=r"NCT\d{8}")
    before = time.time()
    chat(server, "about NCT90000001"), chat(server, "about NCT90000002"), chat(server, "about nothing")
    rows = server.journal()
    assert [(row["marker"], row["status"], row["fault"]) for row in rows] == [
        ("NCT90000001", 200, ""),
        ("NCT90000002", 503, "status"),
        ("", 200, ""),
    ]
    assert before - 0.1 <= rows[0]["at"] <= rows[1]["at"] <= rows[2]["at"] <= time.time() + 0.1
    assert len({row["body"] for row in rows}) == 3 and rows[0]["tokens"][0] > 0
    assert admin(server.url).journal() == rows


def test_a_continuous_quota_refills_with_time():
    quotas = Quotas()
    quotas.configure(60, 600, 60, False, now=0.0)
    assert [quotas.admit(1, 0.0) for _ in range(60)] == [0.0] * 60
    assert quotas.admit(1, 0.0) == pytest.approx(1.0)
    assert quotas.admit(1, 0.4) == pytest.approx(0.6)
    assert quotas.admit(1, 1.0) == 0.0 and quotas.admit(1, 1.0) > 0
    # Tokens bind where requests do not, and a refused request takes nothing.
    assert quotas.admit(590, 30.0) == 0.0
    assert quotas.admit(20, 30.0) == pytest.approx(1.0) and quotas.admit(1, 30.0) == 0.0


def test_a_fixed_window_refills_all_at_once():
    quotas = Quotas()
    quotas.configure(60, None, 10, True, now=0.0)
    assert [quotas.admit(1, 5.0) for _ in range(10)] == [0.0] * 10
    assert quotas.admit(1, 5.0) == pytest.approx(5.0)
    assert [quotas.admit(1, 10.0) for _ in range(10)] == [0.0] * 10 and quotas.admit(1, 10.1) > 9


def test_a_quota_halved_mid_run_holds_at_once_and_keeps_what_was_used():
    quotas = Quotas()
    quotas.configure(120, None, 60, False, now=0.0)
    for _ in range(60):
        quotas.admit(1, 0.0)
    quotas.configure(60, None, 60, False, now=0.0)
    assert [quotas.admit(1, 0.0) == 0.0 for _ in range(31)] == [True] * 30 + [False]
    assert quotas.admit(1, 0.0) == pytest.approx(1.0)


def test_a_spent_quota_answers_429_with_the_true_wait_and_the_limits(server):
    server.control(requests_per_minute=120, window_s=0.5)
    (status, headers, _), (refused, told, body) = chat(server), chat(server)
    assert (status, headers["x-ratelimit-limit-requests"]) == (200, "120")
    assert refused == 429 and json.loads(body)["error"]["code"] == "rate_limit_exceeded"
    wait = float(told["Retry-After"])
    assert 0 < wait <= 0.5 and told["x-ratelimit-remaining-requests"] == "0"
    time.sleep(wait + 0.01)
    assert chat(server)[0] == 200
    server.control(requests_per_minute=None, limit_headers=False)
    assert not [name for name in chat(server)[1] if name.startswith("x-ratelimit")]


def test_tokens_are_charged_as_used_or_as_reserved(server):
    server.control(tokens_per_minute=1000, charge="reserved", window_s=60)
    assert [chat(server, max_tokens=400)[0] for _ in range(3)] == [200, 200, 429]
    server.control(tokens_per_minute=None)
    server.control(tokens_per_minute=1000, charge="used")
    assert [chat(server, max_tokens=400)[0] for _ in range(4)] == [200] * 4


def test_a_share_of_faults_hits_the_same_requests_in_any_order():
    def hit(order):
        fault = Fault("reset", share=0.2, seed=3)
        return {n for n in order if fault.takes(b"", f"{n:016x}", 1, 0)}

    assert hit(range(1000)) == hit(reversed(range(1000))) and 150 < len(hit(range(1000))) < 250


def test_faults_match_texts_counts_and_caps():
    fault = Fault("reset", match="NCT1", count=2, skip=1, below_cap=500)
    bodies = [(b"NCT2", 0), (b"NCT1", 900), (b"NCT1", 0), (b"NCT1", 0), (b"NCT1", 0), (b"NCT1", 0)]
    assert [fault.takes(body, "", 1, cap) for body, cap in bodies] == [False, False, False, True, True, False]


def test_mistakes_are_told(server):
    with pytest.raises(ValueError, match="no fault 'reste'"):
        Fault("reste")
    with pytest.raises(ValueError, match="no option"):
        server.control(requests_per_hour=1)
    with pytest.raises(ValueError, match="no fault"):
        server.control(faults=[{"kind": "x"}])
    with pytest.raises(TypeError), loopback_server(latency=1):
        pass


def test_every_fault_is_answered_somehow(server):
    for kind in sorted(FAULTS):
        if kind in ("hang", "slow_loris", "wrong_count", "wrong_dimension", "not_finite"):
            continue
        server.control(faults=[{"kind": kind, "text": "x", "retry_after": 1}])
        try:
            chat(server, response_format={"json_schema": {"schema": SCHEMA}})
        except (http.client.HTTPException, OSError):
            assert kind in ("reset", "close", "reset_body", "truncated_body")
        assert server.journal()[-1]["fault"] == kind
        assert chat(server)[0] == 200


def test_latency_is_drawn_from_a_seed():
    drawn = []
    for _ in range(2):
        with loopback_server(latency_s=["lognormal", 0.02, 0.5], seed=5) as server:
            begun = time.monotonic()
            for _ in range(5):
                chat(server)
            drawn.append(time.monotonic() - begun)
    assert min(drawn) > 0.05, "five requests of about 20 ms, one after the other"
    assert Options(latency_s=["uniform", 0, 1]).latency_s[0] == "uniform"


def test_the_server_ends_with_its_parent():
    code = (
        "import os, sys; from dataset_project_tests.llm.server import loopback_server\n"
        "with loopback_server() as server: print(server.pid, flush=True); sys.stdin.read()"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    parent = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    )
    pid = int(parent.stdout.readline())
    os.kill(pid, 0)
    parent.send_signal(signal.SIGKILL)
    parent.wait(10)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and _state(pid) != "Z" and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not Path(f"/proc/{pid}").exists() or _state(pid) == "Z"
    parent.stdin.close(), parent.stdout.close()


def _state(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return "Z"
