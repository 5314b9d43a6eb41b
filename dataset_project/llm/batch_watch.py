"""How patiently a batch at the provider is watched: when it is looked at next, and when that is given up."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from typing import Any

from dataset_project.llm.client import CallFailed
from dataset_project.llm.configuration import LlmSettings
from dataset_project.llm.requests import RunStopped

LONGEST_PAUSE_S = 600.0
"""Longest pause after failures."""
# Polls become rarer by this factor, to at most ten times the setting, while nothing changes.
_RARER, _MOST_RARE = 1.5, 10
# A finished batch may name its files a little later than its status.
_LATE_FILES = 5
_jitter = random.Random()  # seeded by the system; nothing it draws reaches a file


class Watch:
    """One batch's. ``next_at``: when it is looked at next (monotonic)."""

    def __init__(self, settings: LlmSettings):
        self._settings = settings
        self.next_at = 0.0
        self._pause_s = 0.0
        self._failures = self._incomplete = 0
        self._status = ""

    @property
    def is_new(self) -> bool:
        """Whether it was never looked at."""
        return self.next_at == 0.0

    def answered(self) -> None:
        """A call about it succeeded."""
        self._failures = 0

    def seen(self, status: str) -> None:
        """It is there, and not over."""
        base_s = self._settings.batch_poll_s
        self.answered()
        is_news, self._status = status != self._status, status
        self._later(base_s if is_news else min(self._pause_s * _RARER, base_s * _MOST_RARE))

    def failed(self, failed: CallFailed) -> None:
        """A call about it failed: come again later. Raises RunStopped when nobody answers for long."""
        self._failures += 1
        if self._failures >= self._settings.max_attempts:
            advice = f"see that {self._settings.base_url} is right and up, then run again; batches go on meanwhile"
            said = f"{self._failures} calls about a batch failed in a row, the last with {failed.kind}: {failed}"
            raise RunStopped("unreachable", f"{advice} ({said})")
        self._later(max(pause_s(self._settings, self._failures), failed.retry_after_s or 0.0))

    def is_whole(self, told: Mapping[str, Any]) -> bool:
        """Whether a completed batch names the files that its counts speak of; for a few polls they are waited for."""
        counts = told.get("request_counts") or {}
        files = (("completed", "output_file_id"), ("failed", "error_file_id"))
        is_lacking = told["status"] == "completed" and any(counts.get(n) and not told.get(file) for n, file in files)
        self._incomplete += is_lacking
        return not is_lacking or self._incomplete > _LATE_FILES

    def _later(self, pause: float) -> None:
        """Processes that look at batches of one account do not do so in step."""
        self._pause_s = pause
        self.next_at = time.monotonic() + pause * _jitter.uniform(0.8, 1.2)


def pause_s(settings: LlmSettings, failures: int) -> float:
    """Seconds to wait after so many failures in a row."""
    return min(settings.batch_poll_s * 2 ** min(failures - 1, 20), LONGEST_PAUSE_S)
