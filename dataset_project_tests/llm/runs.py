"""What the tests of the runtime share: requests, settings without limits, processes, and looks at the server."""

from __future__ import annotations

import multiprocessing
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dataset_project.llm.configuration import LlmSettings
from dataset_project.llm.on_record import open_ledger
from dataset_project.llm.progress import Progress
from dataset_project.llm.requests import ModelRequest
from dataset_project.llm.runtime import open_runtime
from dataset_project_tests.llm.server import LoopbackServer
from dataset_project_tests.llm.server_calls import request, settings

GROUP = "run"
DEADLINE_S = 60


def asked(count: int, first: int = 1, **changes: Any) -> list[ModelRequest]:
    """Requests whose markers in the journal are their items."""
    return [request(f"NCT{90_000_000 + number}", **changes) for number in range(first, first + count)]


def unlimited(url: str, **changes: Any) -> LlmSettings:
    return settings(url, **{"requests_per_minute": None, "tokens_per_minute": None, **changes})


def until(condition: Callable[[], Any], what: str) -> None:
    """Wait for ``condition``, not for ever."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


def sent(server: LoopbackServer) -> Counter[str]:
    """How often each item's request came to the server."""
    return Counter(row["marker"] for row in server.journal())


def until_sent(server: LoopbackServer, count: int) -> None:
    until(lambda: len(server.journal()) >= count, f"{count} requests at the server")


def interrupting(server: LoopbackServer, count: int) -> Callable[[Progress], None]:
    """An ``on_progress`` that is Ctrl-C once ``count`` requests are at the server."""

    def interrupt(progress: Progress) -> None:
        until_sent(server, count)
        raise KeyboardInterrupt

    return interrupt


def outcomes(directory: Path) -> Counter[str]:
    """How the calls in the ledger ended."""
    with open_ledger(directory) as ledger:
        return Counter(ledger.calls_table()["outcome"].to_pylist())


def progress(directory: Path, group: str | None = GROUP) -> Progress:
    with open_ledger(directory) as ledger:
        return ledger.progress(group)


def _run(given: LlmSettings, directory: Path, requests: Sequence[ModelRequest]) -> None:
    try:
        with open_runtime(given, directory, GROUP) as runtime:
            runtime.run(requests)
    except KeyboardInterrupt:
        raise SystemExit(130) from None


@contextmanager
def process(given: LlmSettings, directory: Path, requests: Sequence[ModelRequest]) -> Iterator[multiprocessing.Process]:
    """A process that runs ``requests``; killed on leaving. Its exit code is 130 after Ctrl-C."""
    # Forked, since importing the client anew takes a second; no runtime is open here meanwhile.
    running = multiprocessing.get_context("fork").Process(target=_run, args=(given, directory, requests))
    running.start()
    try:
        yield running
    finally:
        running.kill()
        running.join()
