"""The rate limiter's arithmetic and the layout of its state: pure functions of (state, now), no files, no sleeping.

A generic cell rate algorithm (ITU-T I.371, the leaky bucket as a meter) kept in units of work instead of time. Each
quota has a clock that counts the units it has granted so far (requests, tokens) and a tail, the clock's reading at
which all that was reserved is paid for. A reservation is a reading: it may be sent once both clocks have reached
theirs. As the clocks run at the current rate and stand still while a 429 cools down, a changed rate or a cool-down
moves all who sleep, in order and spread out, though nobody keeps a list of them.

Reading and writing the state, and waiting, belong to `limiter`; a backend on a server can port this file as it is.
Rates inside are units per second; infinity: no limit of that kind.
"""

from __future__ import annotations

import math
import struct
import zlib
from dataclasses import dataclass
from operator import attrgetter

from dataset_project.llm.limiter_meter import BURST_S, HEARSAY_S, SHARE, Meter

LOOKAHEAD_S = 0.25
"""Who can wait reserves only so many seconds before its slot (beyond the burst). So what is reserved and not sent is
little, and a new rate (even of one quota alone), tokens given back and a killed process count for the rest at once."""
CUT = 0.75
"""What a 429 leaves of the rate."""
SAFE = 0.95
"""After an incident the rate returns this close to the one at which it happened."""
RETURN_S = 4.0
"""How long that takes, in seconds; and never more than 1/8 of the way per success."""
PER_RAISE = 25
"""Successes per raise of one request a minute."""
CUBIC_S = 15.0
"""Raises grow with the square of the time since the last incident over this many seconds, the rate with its cube: slow
where the last 429 was, fast where none has been for long (as in CUBIC, RFC 9438)."""
PAYOUT_S = 2.0
"""Tokens given back are paid out over about so many seconds: answers may come in bunches, requests must not."""
COOL_DOWN_S = 1.0
"""Cool-down after a 429 that names no wait, seconds."""
SAME_INCIDENT_S = 0.5
"""A 429 whose sending time is not known belongs to the last incident for so long after it."""
_LOWEST = 0.01  # of the base rate, and at least one request a minute
_UNLIMITED_STEP = 1 / 500

_MAGIC = b"GCRA0001"
_FIELDS = struct.Struct("<27d")
SIZE = len(_MAGIC) + 4 + _FIELDS.size


@dataclass(slots=True)
class Ticket:
    """A reservation's clock readings, and what undoing it needs. ``number``: its place in the order."""

    number: int
    era: float
    tokens: int
    due_requests: float
    due_tokens: float
    undo: tuple[float, float, float, float]


@dataclass(slots=True)
class State:
    """Everything processes share. Times are the clock's seconds, as seen by whoever wrote last.

    ``era`` tells a state from the one before a reset. ``factor``: what 429s and successes make of the base rates.
    ``pot``: tokens given back and not paid out, leaving at ``payout`` per second. Operations take ``now`` and bring
    the state up to it first.
    """

    requests: Meter
    tokens: Meter
    era: float
    updated: float
    number: int = 0
    factor: float = 1.0
    return_from: float = 1.0
    return_to: float = 1.0
    raised_at: float = -math.inf
    successes: int = 0
    cool_until: float = -math.inf
    reduced_at: float = -math.inf
    incidents: int = 0
    pot: float = 0.0
    payout: float = 0.0

    @classmethod
    def new(cls, now: float, requests_per_minute: float, tokens_per_minute: float, era: float) -> State:
        """Nothing reserved, full buckets, rates as configured (per minute; infinity: none)."""
        state = cls(Meter(requests_per_minute), Meter(tokens_per_minute), era, now, raised_at=now)
        state._set_rates()
        return state

    def advance(self, now: float) -> None:
        """Run the clocks up to ``now``. A clock set back counts as no time: absolute times move back with it."""
        if now < self.updated:
            self._shift(now - self.updated)
            return
        ran = now - max(self.updated, min(self.cool_until, now))
        self.updated = now
        if self.requests.rate < math.inf:
            self.requests.clock += self.requests.rate * ran
        if self.tokens.rate < math.inf:
            self.tokens.clock += self._tokens_granted(ran)
            self.pot = max(0.0, self.pot - self.payout * ran)

    def configure(self, requests_per_minute: float, tokens_per_minute: float) -> bool:
        """Take over configured rates; whether they were other ones. What 429s and headers taught is then forgotten."""
        if (requests_per_minute, tokens_per_minute) == (self.requests.configured, self.tokens.configured):
            return False
        for meter, configured in ((self.requests, requests_per_minute), (self.tokens, tokens_per_minute)):
            meter.configured, meter.announced = configured, math.inf
        self._forget_incidents()
        return True

    def reserve(self, now: float, tokens: int) -> Ticket:
        """Take the next slot: the later of both quotas', never before a slot given out earlier."""
        self.advance(now)
        requests, of_tokens = self.requests, self.tokens
        undo = (requests.tail, of_tokens.tail, requests.last_due, of_tokens.last_due)
        due_requests = requests.due(1)
        due_tokens = of_tokens.due(tokens)
        ran = self._run_until(due_requests, due_tokens)
        # A quota that does not bind fills until the slot, but to the brim and no further: else those who follow a long
        # wait for tokens would all be sent at once.
        if requests.rate < math.inf:
            requests.tail = max(requests.tail, requests.clock + requests.rate * ran) + 1
        if of_tokens.rate < math.inf:
            of_tokens.tail = max(of_tokens.tail, of_tokens.clock + self._tokens_granted(ran)) + tokens
        requests.last_due, of_tokens.last_due = due_requests, due_tokens
        self.number += 1
        return Ticket(self.number, self.era, tokens, due_requests, due_tokens, undo)

    def wait_s(self, ticket: Ticket) -> float:
        """Seconds from ``updated`` until the ticket may be sent: its cool-down and its slot. 0: now."""
        return max(0.0, self.cool_until - self.updated) + self._run_until(ticket.due_requests, ticket.due_tokens)

    @property
    def early_s(self) -> float:
        """Seconds by which a reservation would be too early for one who can wait; 0: take it."""
        return max(0.0, self.debt_s - BURST_S - LOOKAHEAD_S)

    @property
    def debt_s(self) -> float:
        """Seconds the clocks must run until all that was reserved is paid for."""
        return self._run_until(self.requests.tail, self.tokens.tail)

    def is_last(self, ticket: Ticket) -> bool:
        return ticket.number == self.number and ticket.era == self.era

    def take_back(self, ticket: Ticket) -> None:
        """Undo the last reservation as if it had never been."""
        self.requests.tail, self.tokens.tail, self.requests.last_due, self.tokens.last_due = ticket.undo
        self.number -= 1

    def reconcile(self, now: float, ticket: Ticket, used: int) -> None:
        """Correct an estimate. What was too much lets everybody who waits go earlier; what was too little is owed by
        the next reservation (owed by those who wait, it would slow requests which tokens do not limit)."""
        self.advance(now)
        if math.isinf(self.tokens.rate) or ticket.era != self.era:
            return
        if used > ticket.tokens:
            self.tokens.tail = max(self.tokens.tail, self.tokens.clock) + used - ticket.tokens
        elif self.tokens.tail > self.tokens.clock:  # else the bucket is full
            self.pot += ticket.tokens - used
            self.payout = self.pot / PAYOUT_S

    @property
    def may_rise(self) -> bool:
        return self.factor < self._top()

    def succeed(self, now: float) -> None:
        """A request was answered: back towards the safe rate after an incident, then in small steps to the ceiling."""
        self.advance(now)
        top = self._top()
        if self.factor >= top:
            return
        since, target = max(0.0, now - self.raised_at), min(self.return_to, top)
        if self.factor < target:
            if since == 0:  # an answer from before the cool-down
                return
            way = self.return_to - self.return_from
            self.factor = min(target, self.factor + way * min(since / RETURN_S, 1 / 8))
            self.raised_at, self.successes = now, 0
        else:
            self.successes += 1
            if self.successes < PER_RAISE:
                return
            self.successes = 0
            step = 1 / self.requests.base if self.requests.base < math.inf else _UNLIMITED_STEP
            self.factor = min(top, self.factor + step * max(1.0, (since / CUBIC_S) ** 2))
        self._set_rates()

    def throttle(self, now: float, retry_after_s: float | None, sent_at: float | None) -> None:
        """A 429: everybody cools down; the first of an incident also cuts the rate and empties the buckets.

        ``sent_at``: when the refused request was sent; one sent before the last cut is part of that incident.
        """
        self.advance(now)
        is_told = retry_after_s is not None and 0 <= retry_after_s < math.inf
        since = now - SAME_INCIDENT_S if sent_at is None else sent_at
        is_new = since > self.reduced_at and (sent_at is not None or now >= self.cool_until)
        self.cool_until = max(self.cool_until, now + (retry_after_s if is_told else COOL_DOWN_S))
        if not is_new:
            return
        at = min(self.factor, self._top())
        lowest = min(at, max(_LOWEST, 1 / self.requests.base))
        self.factor = self.return_from = max(lowest, at * CUT)
        self.return_to = max(lowest, at * SAFE)
        self.reduced_at, self.raised_at, self.successes = now, self.cool_until, 0
        self.incidents += 1
        self._set_rates()
        self.pot = 0.0
        for meter in (self.requests, self.tokens):
            if meter.rate < math.inf:
                meter.tail = max(meter.tail, meter.clock + meter.burst)

    def is_news(self, now: float, requests_limit: float | None, tokens_limit: float | None) -> bool:
        """Whether `observe` would change anything worth writing."""
        return any(
            limit is not None and limit > 0 and (meter.announced != limit or now - meter.announced_at > HEARSAY_S / 4)
            for meter, limit in ((self.requests, requests_limit), (self.tokens, tokens_limit))
        )

    def observe(self, now: float, requests_limit: float | None, tokens_limit: float | None) -> None:
        """Take the provider's word for its limits (per minute). None, 0 and less say nothing."""
        self.advance(now)
        was = (self.requests.base, self.tokens.base)
        for meter, limit in ((self.requests, requests_limit), (self.tokens, tokens_limit)):
            if limit is None or not limit > 0:
                continue
            if meter.is_new_word(limit, now):
                meter.announced = float(limit)
            if meter.announced == limit:
                meter.announced_at = now
        if (self.requests.base, self.tokens.base) != was:
            # That explains the 429s of what was sent before: one quota halved is not to be cut as well.
            self._forget_incidents()
            self.reduced_at = now
        else:
            self._set_rates()

    def pack(self) -> bytes:
        """The state as `SIZE` bytes with a checksum."""
        body = _FIELDS.pack(*_METER(self.requests), *_METER(self.tokens), *_REST(self))
        return _MAGIC + zlib.crc32(body).to_bytes(4, "little") + body

    @classmethod
    def unpack(cls, data: bytes) -> State | None:
        """The state; None when the bytes are none."""
        body = data[12:]
        if len(data) != SIZE or data[:8] != _MAGIC or zlib.crc32(body) != int.from_bytes(data[8:12], "little"):
            return None
        values = _FIELDS.unpack(body)
        state = cls(Meter(*values[:7]), Meter(*values[7:14]), *values[14:])
        state.number, state.successes, state.incidents = int(values[16]), int(values[21]), int(values[24])
        return state

    def _tokens_granted(self, ran: float) -> float:
        return self.tokens.rate * ran + min(self.pot, self.payout * ran)

    def _run_until(self, due_requests: float, due_tokens: float) -> float:
        """Seconds the clocks must run to reach both readings."""
        requests, tokens = self.requests, self.tokens
        ran = 0.0
        if due_requests > requests.clock and requests.rate < math.inf:
            ran = (due_requests - requests.clock) / requests.rate
        if due_tokens > tokens.clock and tokens.rate < math.inf:
            missing = due_tokens - tokens.clock
            of_tokens = (missing - self.pot) / tokens.rate
            if self.pot > 0 and of_tokens * self.payout < self.pot:
                of_tokens = missing / (tokens.rate + self.payout)
            ran = max(ran, of_tokens)
        return ran

    def _top(self) -> float:
        tops = [meter.ceiling / meter.base for meter in (self.requests, self.tokens) if meter.base < math.inf]
        return max(tops, default=1.0)

    def _set_rates(self) -> None:
        for meter in (self.requests, self.tokens):
            meter.rate = min(self.factor * meter.base, meter.ceiling) * SHARE / 60

    def _forget_incidents(self) -> None:
        self.factor = self.return_from = self.return_to = 1.0
        self.successes, self.raised_at = 0, self.updated
        self._set_rates()

    def _shift(self, by: float) -> None:
        self.updated += by
        self.cool_until += by
        self.reduced_at += by
        self.raised_at += by
        self.requests.announced_at += by
        self.tokens.announced_at += by


_METER = attrgetter(*Meter.__slots__)
_REST = attrgetter(*State.__slots__[2:])
