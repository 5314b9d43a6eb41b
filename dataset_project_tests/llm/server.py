"""A fault-injecting, OpenAI-compatible server on loopback, in its own process: what a test or a benchmark starts.

    with loopback_server(requests_per_minute=600, faults=[{"kind": "reset", "count": 2}]) as server:
        settings = LlmSettings(base_url=server.url, …)
        server.control(requests_per_minute=300)
        rows = server.journal()

Starting, steering and reading it belong here; what it does with requests is in ``server_*.py``. The process ends with
its parent, whatever becomes of that.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dataset_project_tests.llm.server_options import Options

_ROOT = Path(__file__).parents[2]


class LoopbackServer:
    """A running server. ``url`` is the ``base_url`` for a client."""

    def __init__(self, port: int, pid: int):
        self.port, self.pid = port, pid
        self.url = f"http://127.0.0.1:{port}/v1"

    def control(self, **changes: Any) -> None:
        """Change options while it runs. Faults given replace those that are left; quotas keep what was used."""
        self._ask("POST", "/admin/control", changes)

    def journal(self) -> list[dict[str, Any]]:
        """Every request so far, in order of arrival.

        ``at`` (seconds since the epoch), ``path``, ``status`` (None: no answer was sent), ``fault``, ``marker`` (what
        the option ``marker`` found in the body, else ""), ``body`` (hash), ``model``, ``tokens`` (input, output).
        """
        return self._ask("GET", "/admin/journal")

    def bodies(self) -> list[Any]:
        """The last 100 request bodies, decoded."""
        return self._ask("GET", "/admin/bodies")

    def reset(self) -> None:
        """Forget the journal, and go back to no faults, no quotas and no latency."""
        self._ask("POST", "/admin/reset", {})

    def cpu_s(self) -> float:
        """CPU seconds that the server has used."""
        return self._ask("GET", "/admin/cpu")

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise ValueError(content.decode())
        return json.loads(content)


@contextmanager
def loopback_server(**options: Any) -> Iterator[LoopbackServer]:
    """Start a server with `Options`, end it on leaving. Raises ValueError for an option there is none of."""
    given = Options(**options).as_json()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(_ROOT), os.environ.get("PYTHONPATH", "")])}
    process = subprocess.Popen(
        [sys.executable, "-m", "dataset_project_tests.llm.server_main", given],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
    )
    try:
        port = process.stdout.readline().strip()
        if not port:
            raise RuntimeError(f"the loopback server did not start (exit code {process.wait(10)})")
        yield LoopbackServer(int(port), process.pid)
    finally:
        process.stdin.close()  # end of input is its sign to end
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)
        process.stdout.close()


def admin(url: str) -> LoopbackServer:
    """The handle of a server that another process started, by its ``url``."""
    return LoopbackServer(urlsplit(url).port, 0)
