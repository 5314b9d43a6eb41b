"""What the tests of batches share: settings, a model that says what it was asked about, what the server was sent."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping
from typing import Any

from dataset_project.llm.configuration import LlmSettings
from dataset_project.llm.requests import ModelRequest
from dataset_project_tests.llm import server_calls
from dataset_project_tests.llm.server import LoopbackServer

ECHO = "dataset_project_tests.llm.batch_answers:echo"


def asked(count: int, **changes: Any) -> list[ModelRequest]:
    return [server_calls.request(f"NCT9{n:07}", **changes) for n in range(count)]


def settings(url: str, **changes: Any) -> LlmSettings:
    return server_calls.settings(url, **{"mode": "batch", "batch_poll_s": 0.05, "budget_usd": 100, **changes})


def batches(server: LoopbackServer) -> list[dict[str, Any]]:
    """The server's batches."""
    return json.loads(_get(f"{server.url}/batches"))["data"]


def lines(server: LoopbackServer, batch: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Lines of a batch's input file."""
    content = _get(f"{server.url}/files/{batch['input_file_id']}/content")
    return [json.loads(line) for line in content.splitlines()]


def _get(url: str) -> bytes:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=20) as response:
        return response.read()
