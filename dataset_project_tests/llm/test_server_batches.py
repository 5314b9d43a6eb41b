"""Files and batches of the loopback server, as the SDK sees them."""

from __future__ import annotations

import json
import time

import pytest

from dataset_project_tests.llm.server import loopback_server
from dataset_project_tests.llm.server_calls import GOOD, KEY


@pytest.fixture(scope="module")
def shared():
    with loopback_server() as server:
        yield server


@pytest.fixture
def server(shared):
    shared.reset()
    return shared


def _sdk(server):
    from openai import OpenAI

    return OpenAI(api_key=KEY, base_url=server.url, max_retries=0)


def _lines(count, **changes):
    lines = []
    for n in range(count):
        body = {"model": "m", "messages": [{"role": "user", "content": f"NCT9{n:07}"}]}
        line = {"custom_id": f"t{n}", "method": "POST", "url": "/v1/chat/completions", "body": body}
        lines.append(json.dumps({**line, **changes}).encode())
    return b"\n".join(lines) + b"\n"


def _run_batch(server, content):
    sdk = _sdk(server)
    given = sdk.files.create(file=("in.jsonl", content), purpose="batch")
    batch = sdk.batches.create(input_file_id=given.id, endpoint="/v1/chat/completions", completion_window="24h")
    assert batch.status == "validating"
    seen = [batch.status]
    deadline = time.monotonic() + 20
    while batch.status not in ("completed", "failed", "expired") and time.monotonic() < deadline:
        time.sleep(0.01)
        batch = sdk.batches.retrieve(batch.id)
        seen.append(batch.status)
    files = {}
    for name in ("output_file_id", "error_file_id"):
        file_id = getattr(batch, name)
        files[name] = [json.loads(line) for line in sdk.files.content(file_id).content.splitlines()] if file_id else []
    return batch, seen, files["output_file_id"], files["error_file_id"]


def test_a_batch_answers_lines_in_another_order_and_errors_in_another_file(server):
    server.control(answer=GOOD, batch_s=0.2, batch_error_share=0.2, seed=1)
    batch, seen, done, failed = _run_batch(server, _lines(50))
    assert batch.status == "completed" and "in_progress" in seen
    assert (batch.request_counts.total, batch.request_counts.completed) == (50, len(done))
    assert {line["custom_id"] for line in done + failed} == {f"t{n}" for n in range(50)} and failed
    order = [int(line["custom_id"][1:]) for line in done]
    assert order != sorted(order)
    assert {line["response"]["status_code"] for line in done} == {200}
    assert {line["response"]["status_code"] for line in failed} == {500}
    assert json.loads(done[0]["response"]["body"]["choices"][0]["message"]["content"]) == json.loads(GOOD)


def test_scripted_faults_hold_for_the_lines_of_a_batch(server):
    server.control(faults=[{"kind": "context_length", "match": "NCT90000003"}], batch_s=0)
    _, _, done, failed = _run_batch(server, _lines(5))
    assert [line["custom_id"] for line in failed] == ["t3"] and len(done) == 4
    assert failed[0]["response"]["body"]["error"]["code"] == "context_length_exceeded"


def test_a_batch_that_expires_has_half_of_its_lines(server):
    server.control(batch_outcome="expired", batch_s=0, batch_missing=1)
    batch, _, done, failed = _run_batch(server, _lines(10))
    assert batch.status == "expired" and len(done) == 4 and len(failed) == 5
    assert {line["error"]["code"] for line in failed} == {"batch_expired"}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (_lines(2, custom_id="same"), "used before"),
        (_lines(1, url="/v1/embeddings"), "endpoint"),
        (b"not json\n", "parseable"),
        (_lines(1) + _lines(1, custom_id="b", body={"model": "other", "messages": []}), "same model"),
        (b"", "empty"),
    ],
)
def test_a_batch_with_a_bad_line_fails_as_a_whole(server, content, told):
    server.control(batch_s=0)
    batch, _, done, failed = _run_batch(server, content)
    assert batch.status == "failed" and not done and not failed
    assert told in batch.errors.data[0].message


def test_files_are_kept_until_they_are_deleted(server):
    sdk = _sdk(server)
    content = b"a\r\n--b\n" * 1000
    name = sdk.files.create(file=("x.jsonl", content), purpose="batch").id
    assert sdk.files.content(name).content == content and sdk.files.retrieve(name).bytes == len(content)
    assert sdk.files.delete(name).deleted
    import openai

    with pytest.raises(openai.NotFoundError):
        sdk.files.content(name)
