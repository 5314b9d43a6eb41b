"""The registry's client against a real server on loopback that pages, throttles, fails and lies."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from dataset_project.trials.records.errors import InvalidSource, RegistryFailed
from dataset_project.trials.records.registry import Patience, read_registry
from dataset_project.trials.records.source import read_source
from dataset_project_tests.trials.records.studies import ids, nct, reasons, study

QUICK = Patience(retries=3, backoff_s=0.01, connect_s=5, read_s=5)
Answer = tuple[int, dict[str, str], bytes]


class Registry:
    """Requests seen, and the answers: `answer(number of the request from 0, its parameters)`."""

    def __init__(self, answer: Callable[[int, dict[str, str]], Answer]) -> None:
        self.answer = answer
        self.requests: list[dict[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.times: list[float] = []
        self.url = ""


@contextmanager
def serving(answer: Callable[[int, dict[str, str]], Answer]) -> Iterator[Registry]:
    registry = Registry(answer)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            parts = urlsplit(self.path)
            parameters = {name: values[0] for name, values in parse_qs(parts.query).items()}
            number = len(registry.requests)
            registry.requests.append({"path": parts.path, **parameters})
            registry.headers.append(dict(self.headers))
            registry.times.append(time.monotonic())
            status, headers, body = registry.answer(number, parameters)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = "Content-Length" in headers

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    registry.url = f"http://127.0.0.1:{server.server_port}/api/v2"
    try:
        yield registry
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def ok(body: Any) -> Answer:
    return 200, {"Content-Type": "application/json"}, json.dumps(body).encode()


def pages(studies: list[Any], total: int | None = None) -> Callable[[int, dict[str, str]], Answer]:
    """The registry as it is: a total with the first page only, tokens that say where to go on."""

    def answer(_: int, parameters: dict[str, str]) -> Answer:
        start = int(parameters.get("pageToken", "t0")[1:])
        end = start + int(parameters["pageSize"])
        page: dict[str, Any] = {"studies": studies[start:end]}
        if end < len(studies):
            page["nextPageToken"] = f"t{end}"
        if "pageToken" not in parameters and parameters.get("countTotal") == "true":
            page["totalCount"] = len(studies) if total is None else total
        return ok(page)

    return answer


def failing(first: dict[int, Answer], then: Callable[[int, dict[str, str]], Answer]):
    """``first``: request number → answer instead of the real one."""
    return lambda number, parameters: first.get(number) or then(number, parameters)


FIVE = [study(number) for number in (4, 2, 5, 1, 3)]


def test_all_pages_are_followed_to_the_end():
    told = []
    with serving(pages([*FIVE, study(2), {"protocolSection": {}}])) as registry:
        found = read_registry(
            registry.url + "/",
            "asthma AND AREA[Phase]PHASE2",
            page_size=2,
            on_progress=lambda done, total: told.append((done, total)),
            patience=QUICK,
        )
    assert ids(found) == [nct(number) for number in (1, 2, 3, 4, 5)]
    assert reasons(found) == [(6, "duplicate_nct_id"), (7, "no_nct_id")]
    assert told == [(2, 7), (4, 7), (6, 7), (7, 7)]
    first, second = registry.requests[:2]
    assert first.pop("fields").split(",")[0] == "NCTId"
    assert first == {
        "path": "/api/v2/studies",
        "format": "json",
        "query.term": "asthma AND AREA[Phase]PHASE2",
        "pageSize": "2",
        "countTotal": "true",
    }
    assert (second["pageToken"], second["query.term"], "countTotal" in second) == ("t2", first["query.term"], False)
    assert registry.headers[0]["User-Agent"].startswith("dataset-project/")


def test_the_door_reaches_the_registry():
    with serving(pages(FIVE)) as registry:
        found = read_source("clinicaltrials.gov", columns={}, api_url=registry.url, query="asthma", page_size=3)
    assert len(found.trials) == 5 and len(registry.requests) == 2


@pytest.mark.parametrize(("most", "sizes"), [(3, ["2", "1"]), (4, ["2", "2"]), (1, ["1"]), (99, ["2", "2", "2"])])
def test_no_more_than_the_cap_is_taken_or_asked_for(most, sizes):
    told = []
    with serving(pages(FIVE)) as registry:
        found = read_registry(
            registry.url,
            None,
            page_size=2,
            max_trials=most,
            on_progress=lambda *figures: told.append(figures),
            patience=QUICK,
        )
    assert len(found.trials) == min(most, 5)
    assert [each["pageSize"] for each in registry.requests] == sizes
    assert told[-1] == (min(most, 5), min(most, 5))
    assert all("query.term" not in each for each in registry.requests)


def test_a_server_that_gives_more_than_asked_for_does_not_exceed_the_cap():
    with serving(lambda *_: ok({"studies": FIVE})) as registry:
        found = read_registry(registry.url, "x", page_size=2, max_trials=2, patience=QUICK)
    assert ids(found) == [nct(2), nct(4)]


def test_retry_after_is_obeyed():
    throttled = (429, {"Retry-After": "1"}, b"slow down")
    with serving(failing({1: throttled}, pages(FIVE))) as registry:
        found = read_registry(registry.url, "x", page_size=3, patience=QUICK)
    assert len(found.trials) == 5
    assert [each.get("pageToken") for each in registry.requests] == [None, "t3", "t3"]
    # The promise is not to come back earlier; how much later is nobody's business.
    assert registry.times[2] - registry.times[1] >= 1.0


@pytest.mark.parametrize(
    "fault",
    [
        (500, {}, b"oops"),
        (503, {}, b""),
        (200, {}, b'{"studies": [{"protoc'),
        (200, {}, b"<html>maintenance</html>"),
        (200, {}, b"[]"),
        (200, {}, b'{"studies": [], "nextPageToken": 7}'),
        (200, {"Content-Length": "5000"}, b'{"studies": []}'),
    ],
)
def test_a_page_that_fails_twice_and_then_comes_is_read_once(fault):
    with serving(failing({1: fault, 2: fault}, pages(FIVE))) as registry:
        found = read_registry(registry.url, "x", page_size=3, patience=QUICK)
    assert len(found.trials) == 5 and found.rejects == ()
    assert len(registry.requests) == 4


@pytest.mark.parametrize(
    ("fault", "message", "requests"),
    [
        ((500, {}, b"oops"), "HTTP 500: oops", 5),
        ((429, {}, b""), "HTTP 429", 5),
        ((400, {}, b"Query error:\n unbalanced"), "HTTP 400: Query error: unbalanced", 2),
        ((200, {}, b"no json"), "the answer is not JSON .*, 4 times", 5),
        ((200, {}, b'{"message": "x"}'), "the answer is no page of studies, 4 times", 5),
        ((200, {"Content-Length": "5000"}, b"{"), "the answer breaks off, 4 times", 5),
    ],
)
def test_a_page_that_cannot_be_had_is_one_error_and_nothing_is_kept(fault, message, requests):
    with serving(lambda number, parameters: pages(FIVE)(0, parameters) if number == 0 else fault) as registry:
        with pytest.raises(RegistryFailed, match=message) as raised:
            read_registry(registry.url, "x", page_size=3, patience=QUICK)
        assert len(registry.requests) == requests
    assert "3 studies had been read, none is kept" in str(raised.value)
    assert raised.value.__suppress_context__, "a traceback would show the transport's own errors"


def test_no_server_and_no_secret_in_the_message(caplog):
    with serving(pages(FIVE)) as registry:
        port = urlsplit(registry.url).port
    with pytest.raises(RegistryFailed, match=rf"http://127.0.0.1:{port}/api/v2/studies: no answer \(\w+\)") as raised:
        read_registry(f"http://user:hunter2@127.0.0.1:{port}/api/v2", "x", patience=QUICK)
    assert "hunter2" not in str(raised.value) + caplog.text
    assert "connection broken" in caplog.text


@pytest.mark.parametrize(
    "address", ["127.0.0.1/api", "ftp://127.0.0.1", "http://", "http://u:hunter2@x/api?key=hunter2"]
)
def test_an_address_that_is_none_is_refused_before_anything_is_sent(address):
    with pytest.raises(InvalidSource, match="api_url must be an http or https address without") as raised:
        read_registry(address, "x", patience=QUICK)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    "token",
    [lambda number: "same", lambda number: f"t{number % 2}", lambda number: f"fresh{number}"],
    ids=["same", "circle", "always a new one"],
)
def test_pages_without_end_are_stopped(token):
    def answer(number: int, _: dict[str, str]) -> Answer:
        return ok({"studies": FIVE[:2], "nextPageToken": token(number)})

    with serving(answer) as registry:
        with pytest.raises(RegistryFailed, match="repeat themselves without end"):
            read_registry(registry.url, "x", page_size=2, patience=QUICK)
        assert len(registry.requests) <= 4


def test_empty_pages_on_the_way_are_no_end():
    script = [{"studies": FIVE[:1], "nextPageToken": "a"}, {"studies": [], "nextPageToken": "b"}, {"studies": FIVE[1:]}]
    with serving(lambda number, _: ok(script[number])) as registry:
        assert len(read_registry(registry.url, "x", patience=QUICK).trials) == 5


@pytest.mark.parametrize("totals", [[5, 7, 6], [7, 7, 5], [5, None, None], [None, None, 5], ["5", True, -1]])
def test_a_total_that_changes_is_reported_and_does_no_harm(totals):
    told = []

    def answer(number: int, parameters: dict[str, str]) -> Answer:
        page = pages(FIVE)(0, parameters)[2]
        return ok(json.loads(page) | {"totalCount": totals[number]})

    with serving(answer) as registry:
        found = read_registry(
            registry.url, "x", page_size=2, on_progress=lambda _, total: told.append(total), patience=QUICK
        )
    assert len(found.trials) == 5
    stated = [total if type(total) is int and total > 0 else None for total in totals]
    assert told == [next((each for each in reversed(stated[: n + 1]) if each), None) for n in range(3)]


def test_pages_that_end_before_the_announced_total_are_an_error():
    message = r"ended early, 6 studies had been announced\. 5 studies had been read"
    with serving(pages(FIVE, total=6)) as registry, pytest.raises(RegistryFailed, match=message):
        read_registry(registry.url, "x", page_size=2, patience=QUICK)


def test_a_query_that_finds_nothing():
    message = "the query 'nonesuch' finds no study"
    with serving(pages([])) as registry, pytest.raises(InvalidSource, match=message):
        read_registry(registry.url, "nonesuch", patience=QUICK)
