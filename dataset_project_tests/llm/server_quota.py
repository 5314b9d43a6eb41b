"""Quotas as providers keep them: continuous refill or fixed windows, requests and tokens at once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Quota:
    """One quota: ``per_minute`` with room for ``window_s`` seconds' worth. Times are monotonic seconds."""

    per_minute: float
    window_s: float
    fixed_window: bool
    left: float
    updated: float

    @classmethod
    def full(cls, per_minute: float, window_s: float, fixed_window: bool, now: float) -> Quota:
        quota = cls(per_minute, window_s, fixed_window, 0.0, now)
        quota.left = quota.capacity
        return quota

    @property
    def capacity(self) -> float:
        return max(1.0, self.per_minute * self.window_s / 60)

    def change(self, per_minute: float, now: float) -> None:
        """Another limit from now on: what is left shrinks or grows with it."""
        self._refill(now)
        share = self.left / self.capacity
        self.per_minute = per_minute
        self.left = share * self.capacity

    def wait_for(self, amount: float, now: float) -> float:
        """Seconds until ``amount`` is there; 0: now. An amount above the capacity waits for a full bucket."""
        self._refill(now)
        missing = min(amount, self.capacity) - self.left
        if missing <= 1e-9:
            return 0.0
        if self.fixed_window:
            return self.updated + self.window_s - now
        return missing * 60 / self.per_minute

    def take(self, amount: float) -> None:
        self.left -= amount

    def until_full(self, now: float) -> float:
        self._refill(now)
        if self.fixed_window:
            return self.updated + self.window_s - now
        return max(0.0, (self.capacity - self.left) * 60 / self.per_minute)

    def _refill(self, now: float) -> None:
        if self.fixed_window:
            windows = int((now - self.updated) / self.window_s)
            if windows:
                self.updated += windows * self.window_s
                self.left = self.capacity
            return
        self.left = min(self.capacity, self.left + (now - self.updated) * self.per_minute / 60)
        self.updated = now


class Quotas:
    """Requests and tokens per minute of one key."""

    def __init__(self) -> None:
        self.requests: Quota | None = None
        self.tokens: Quota | None = None

    def configure(
        self, requests: float | None, tokens: float | None, window_s: float, fixed_window: bool, now: float
    ) -> None:
        """Set limits. A quota that exists and keeps its kind is changed, keeping what was used of it."""
        self.requests = _configured(self.requests, requests, window_s, fixed_window, now)
        self.tokens = _configured(self.tokens, tokens, window_s, fixed_window, now)

    def admit(self, tokens: float, now: float) -> float:
        """Take one request and ``tokens``; 0.0, or the seconds to wait, with nothing taken."""
        wait = self.requests.wait_for(1, now) if self.requests else 0.0
        if self.tokens:
            wait = max(wait, self.tokens.wait_for(tokens, now))
        if wait > 0:
            return wait
        if self.requests:
            self.requests.take(1)
        if self.tokens:
            self.tokens.take(tokens)
        return 0.0

    def headers(self, now: float, announced_requests: float | None) -> bytes:
        """``x-ratelimit-*`` as OpenAI sends them."""
        lines = []
        for name, quota in ((b"requests", self.requests), (b"tokens", self.tokens)):
            if quota is None and not (name == b"requests" and announced_requests):
                continue
            limit = quota.per_minute if quota else announced_requests
            if name == b"requests" and announced_requests:
                limit = announced_requests
            left, full = (int(max(0, quota.left)), quota.until_full(now)) if quota else (int(limit), 0.0)
            lines.append(
                b"x-ratelimit-limit-%b: %d\r\nx-ratelimit-remaining-%b: %d\r\nx-ratelimit-reset-%b: %dms\r\n"
                % (name, int(limit), name, left, name, int(full * 1000))
            )
        return b"".join(lines)


def _configured(
    quota: Quota | None, per_minute: float | None, window_s: float, fixed_window: bool, now: float
) -> Quota | None:
    if per_minute is None:
        return None
    if quota is None or quota.window_s != window_s or quota.fixed_window != fixed_window:
        return Quota.full(per_minute, window_s, fixed_window, now)
    if quota.per_minute != per_minute:
        quota.change(per_minute, now)
    return quota
