"""One quota of the rate limiter: its limits and its leaky bucket. What moves it belongs to `limiter_state`."""

from __future__ import annotations

import math
from dataclasses import dataclass

SHARE = 0.99
"""Used of a quota. Of a fixed window of 60 s that leaves 0.6 s for the burst and for jitter on the way."""
BURST_S = 0.4
"""Seconds of the rate that may be sent at once after idling. Providers enforce a minute's quota over as little as a
second (OpenAI, "Rate limits": 60,000 a minute as 1,000 a second), so this and the jitter must stay below one second."""
HEADROOM = 1.1
"""Most of the configured rate, and only where the provider's own header allows it."""
HEARSAY_S = 2.0
"""A higher limit is believed once no answer has named the lower one for so long: slow answers carry old headers."""


@dataclass(slots=True)
class Meter:
    """One quota. ``configured`` and ``announced`` (the provider's header) are per minute, ``rate`` per second."""

    configured: float = math.inf
    announced: float = math.inf
    announced_at: float = -math.inf
    rate: float = math.inf
    clock: float = 0.0
    tail: float = 0.0
    last_due: float = -math.inf

    @property
    def base(self) -> float:
        return min(self.configured, self.announced)

    @property
    def ceiling(self) -> float:
        """Highest rate per minute. Above the configured one only where a header says that the provider grants it."""
        if math.isinf(self.announced):
            return self.configured
        return min(self.configured * HEADROOM, self.announced)

    @property
    def burst(self) -> float:
        return self.rate * BURST_S

    def is_new_word(self, limit: float, now: float) -> bool:
        """Whether ``limit`` replaces what the provider announced: lower at once, higher when the lower has gone."""
        return limit < self.announced or (limit > self.announced and now - self.announced_at >= HEARSAY_S)

    def due(self, amount: float) -> float:
        """The clock's reading at which ``amount`` may be sent. A bucket holds the burst, or one larger request: that
        waits until nothing else is owed, however large it is, and what follows waits until it is paid for."""
        if math.isinf(self.rate):
            return self.clock
        return max(self.last_due, self.tail + amount - max(self.burst, amount))
