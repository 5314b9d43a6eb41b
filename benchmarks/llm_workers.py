"""Processes that share a runtime's work, as shards do: started together, killed at random, interrupted."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dataset_project.llm.configuration import LlmSettings
from dataset_project.llm.requests import ModelRequest, RunStopped

SCHEMA = {
    "type": "object",
    "properties": {
        "notes": {"type": "string", "maxLength": 120},
        "is_neoplasm": {"type": "boolean"},
        "area": {"type": "string", "enum": ["circulatory", "nervous", "skin", "other"]},
        "confidence": {"type": "integer", "minimum": 0, "maximum": 100},
    },
    "required": ["notes", "is_neoplasm", "area", "confidence"],
    "additionalProperties": False,
}
_PREFIX = "You read clinical trials and say what they are about. " * 12
_TRIAL = (
    "Inclusion criteria: adults with a confirmed diagnosis who can give consent. Exclusion criteria: pregnancy. " * 8
)


def make_requests(count: int, name: str) -> list[ModelRequest]:
    """Requests of about 500 tokens, all different."""
    return [
        ModelRequest(
            item=f"{name}/{number}",
            model="m",
            messages=(("system", _PREFIX), ("user", f"NCT{90_000_000 + number} {name}\n{_TRIAL}")),
            schema_name="facts",
            schema=SCHEMA,
            max_output_tokens=200,
        )
        for number in range(count)
    ]


def runtime_settings(url: str, **changes: Any) -> LlmSettings:
    """Settings for a loopback server: no limits but those in ``changes``."""
    defaults = {"base_url": url, "requests_per_minute": None, "tokens_per_minute": None, "budget_usd": 1e6}
    return LlmSettings(**(defaults | changes))


def group_of(directory: Path) -> str:
    """Processes in one directory work together."""
    return directory.name


# Files, not events of `multiprocessing`: a process killed in the middle of one would hold its lock for ever.
_GO, _BEGUN, _READY, _DONE = "go", "begun", "ready-", "done-"


def _work(settings: LlmSettings, directory: Path, requests: Sequence[ModelRequest]) -> None:
    from dataset_project.llm.runtime import open_runtime
    from dataset_project.llm.tokens import estimate_tokens

    with open_runtime(settings, directory, group_of(directory)) as runtime:
        estimate_tokens(requests[0])  # loads the tokenizer
        (directory / f"{_READY}{os.getpid()}").touch()
        while not (directory / _GO).exists():
            time.sleep(0.02)
        runtime.submit(requests)
        (directory / _BEGUN).touch()
        try:
            runtime.wait(requests)
        except (KeyboardInterrupt, RunStopped):
            return
        (directory / f"{_DONE}{os.getpid()}").touch()


class Workers:
    """Running processes; a killed one is replaced."""

    def __init__(self, settings: LlmSettings, directory: Path, count: int, requests: Sequence[ModelRequest]):
        self._context = multiprocessing.get_context("spawn")
        self._directory = directory
        self._arguments = (settings, directory, requests)
        self._running = [self._started() for _ in range(count)]

    def _started(self) -> multiprocessing.Process:
        process = self._context.Process(target=_work, args=self._arguments)
        process.start()
        return process

    def begin(self) -> None:
        """Let them ask."""
        (self._directory / _GO).touch()

    def wait_until_ready(self, timeout: float = 60) -> None:
        """Until all have imported what they need and opened the runtime."""
        deadline = time.monotonic() + timeout
        while len(list(self._directory.glob(f"{_READY}*"))) < len(self._running):
            if time.monotonic() > deadline:
                raise TimeoutError("the workers are not ready")
            time.sleep(0.02)

    def wait_until_begun(self, timeout: float = 60) -> None:
        """Until one of them has asked everything."""
        deadline = time.monotonic() + timeout
        while not (self._directory / _BEGUN).exists():
            if time.monotonic() > deadline:
                raise TimeoutError("no worker began")
            time.sleep(0.02)

    def kill_at_random(self, kills: int, seed: int) -> None:
        """Kill one of them, ``kills`` times, and start another in its place."""
        draw = random.Random(seed)
        self.wait_until_begun()
        for _ in range(kills):
            time.sleep(draw.uniform(0.2, 0.9))
            place = draw.randrange(len(self._running))
            victim = self._running[place]
            if victim.is_alive():
                os.kill(victim.pid, signal.SIGKILL)
            victim.join()
            self._running[place] = self._started()

    def interrupt(self) -> None:
        """Ctrl-C, and wait for their end."""
        for process in self._running:
            if process.is_alive():
                os.kill(process.pid, signal.SIGINT)
        self.wait()

    def wait(self, timeout: float = 240) -> None:
        """Until all have ended."""
        deadline = time.monotonic() + timeout
        for process in self._running:
            process.join(max(0.1, deadline - time.monotonic()))

    def done_at(self) -> float:
        """When the last of them had all answers, seconds since the epoch; the end of a process comes later."""
        return max(path.stat().st_mtime for path in self._directory.glob(f"{_DONE}*"))

    def end(self) -> None:
        """Whatever still runs is killed."""
        for process in self._running:
            if process.is_alive():
                process.kill()
            process.join()


@contextmanager
def workers(
    settings: LlmSettings, directory: Path, count: int, requests: Sequence[ModelRequest], hold: bool = False
) -> Iterator[Workers]:
    """``count`` processes that work off ``requests`` together. ``hold``: they wait for `Workers.begin`."""
    running = Workers(settings, directory, count, requests)
    try:
        if not hold:
            running.begin()
        yield running
    finally:
        running.end()
