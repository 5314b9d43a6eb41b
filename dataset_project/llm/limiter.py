"""The rate limiter that processes share: a small file, a kernel lock on it, and waiting outside the lock.

All processes that name the same directory share one quota of requests and one of tokens per minute. The file holds one
checksummed record of 228 bytes, written by a single ``pwrite`` under ``flock``: the kernel frees the lock of a killed
process, a record is there whole or not at all, and a file that is damaged anyway starts anew from the configured rates.
The arithmetic is `limiter_state`; this module stores its state and sleeps. ``flock`` and one clock make it a limiter
for one machine.
"""

from __future__ import annotations

import asyncio
import fcntl
import math
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakKeyDictionary, finalize

from dataset_project.llm.limiter_state import SIZE, State, Ticket

FILE = "limiter.state"
# A sleeper looks this often whether it may go or must wait longer, however far off its time seemed.
_LOOK_EVERY_S = 0.25
# Nearer than this is now: timers are no finer.
_NOW_S = 0.0002


@dataclass(slots=True)
class Reservation:
    """A slot for one request. ``wait_s``: seconds to sleep before sending, as of ``reserved_at`` (the limiter's clock);
    `Limiter.acquire` has slept them already. ``tokens``: as estimated. ``sent_at``: when its turn came."""

    tokens: int
    wait_s: float
    reserved_at: float
    sent_at: float
    ticket: Ticket
    is_open: bool = True


@dataclass(frozen=True)
class LimiterState:
    """The limiter as a status display shows it. Rates are per minute; None: no limit of that kind.

    ``requests_per_minute``, ``tokens_per_minute``: in force now, after the safety share, 429s and the provider's word.
    ``provider_*``: what the provider's headers announce. ``cool_down_s``: until anything may be sent after a 429.
    ``queued_s``: seconds of quota already promised. ``reservations``: since the file was made. ``incidents``: 429s,
    those of one overload counted once.
    """

    requests_per_minute: float | None
    tokens_per_minute: float | None
    configured_requests_per_minute: float | None
    configured_tokens_per_minute: float | None
    provider_requests_per_minute: float | None
    provider_tokens_per_minute: float | None
    cool_down_s: float
    queued_s: float
    reservations: int
    incidents: int


class Limiter:
    """Requests and tokens per minute, both reserved at once; one object per process, safe to share by threads.

    Rates are the provider's limits, None where there is none (then only the cool-down after a 429 holds). Of processes
    configured differently the one that began last decides, from its first reservation on; a Limiter that reserves
    nothing (a status display) changes nothing. A request of more tokens than a minute's quota is let through when
    nothing else is owed, and what follows waits until it is paid for: whether it is too large, the provider must say.

    Set back, the clock counts as standing still; set forward, it fills the burst and no more. Raises ValueError for a
    rate below 1, OSError when the directory cannot be used.
    """

    def __init__(
        self,
        directory: Path,
        requests_per_minute: int | None,
        tokens_per_minute: int | None,
        clock: Callable[[], float] = time.time,
    ):
        self._rates = (_rate("requests", requests_per_minute), _rate("tokens", tokens_per_minute))
        directory.mkdir(parents=True, exist_ok=True)
        self._path = directory / FILE
        self._clock = clock
        self._is_configured = False
        self._turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()
        self._open()

    def reserve(self, tokens: int) -> Reservation:
        """Take the next slot, however far off: sleep its ``wait_s``, then send. Raises ValueError for tokens below 0.

        Who sleeps like that does not notice a cool-down that begins meanwhile; `acquire` does.
        """
        _check(tokens)
        with self._locked() as state:
            self._configure(state)
            reservation = self._reserved(state, tokens)
            self._write(state)
        return reservation

    async def acquire(self, tokens: int) -> Reservation:
        """Wait for a slot: when this returns, send at once. In the order of calls within a process; between processes,
        whose heads race, in that of reservations. Cancelled, it leaves its slot. Raises ValueError for tokens below 0.
        """
        _check(tokens)
        async with self._turn():
            while True:
                reservation, early_s = self._reserve_unless_early(tokens)
                if reservation is not None:
                    break
                await asyncio.sleep(min(early_s, _LOOK_EVERY_S))
        try:
            while (wait := self._wait_s(reservation)) > _NOW_S:
                await asyncio.sleep(min(wait, 4 * _LOOK_EVERY_S))
        except asyncio.CancelledError:
            self.cancel(reservation)
            raise
        reservation.sent_at = self._clock()
        return reservation

    def reconcile(self, reservation: Reservation, used_tokens: int) -> None:
        """The request took ``used_tokens`` instead of its estimate: what was too much goes to those who wait, what was
        too little is owed. Counts once per reservation. Raises ValueError for tokens below 0."""
        _check(used_tokens)
        if not reservation.is_open:
            return
        reservation.is_open = False
        if used_tokens == reservation.tokens or math.isinf(self._look().tokens.rate):
            return
        with self._locked() as state:
            state.reconcile(self._clock(), reservation.ticket, used_tokens)
            self._write(state)

    def cancel(self, reservation: Reservation) -> None:
        """Nothing was sent. The last slot given out is given back whole; an earlier one is lost, since those behind it
        have theirs: of `acquire` that is never more than the fraction of a second it reserves ahead."""
        if not reservation.is_open:
            return
        reservation.is_open = False
        with self._locked() as state:
            if state.is_last(reservation.ticket):
                state.take_back(reservation.ticket)
                self._write(state)

    def succeeded(self) -> None:
        """A request was answered: a rate that a 429 cut recovers with such answers."""
        if not self._look().may_rise:
            return
        with self._locked() as state:
            state.succeed(self._clock())
            self._write(state)

    def throttled(self, retry_after_s: float | None, reservation: Reservation | None = None) -> None:
        """A 429: nobody sends for ``retry_after_s`` seconds, obeyed whatever its length (None: 1 s).

        ``reservation``: the refused request's. It tells whether that was sent before the last cut and so belongs to an
        incident that has been answered already; without it, a 429 within half a second of a cut does.
        """
        with self._locked() as state:
            state.throttle(self._clock(), retry_after_s, None if reservation is None else reservation.sent_at)
            self._write(state)

    def observed(self, requests_limit: int | None, tokens_limit: int | None) -> None:
        """The limits per minute that an answer's headers name (``x-ratelimit-limit-*``); None: it named none.

        A lower one holds at once. A higher one once the lower has not been named for two seconds, since answers that
        took long name what held when they were asked for.
        """
        if not self._look().is_news(self._clock(), requests_limit, tokens_limit):
            return
        with self._locked() as state:
            self._configure(state)
            state.observe(self._clock(), requests_limit, tokens_limit)
            self._write(state)

    def state(self) -> LimiterState:
        """How things stand now."""
        state = self._look()
        state.advance(self._clock())
        requests, tokens = state.requests, state.tokens
        return LimiterState(
            requests_per_minute=_finite(requests.rate * 60),
            tokens_per_minute=_finite(tokens.rate * 60),
            configured_requests_per_minute=_finite(requests.configured),
            configured_tokens_per_minute=_finite(tokens.configured),
            provider_requests_per_minute=_finite(requests.announced),
            provider_tokens_per_minute=_finite(tokens.announced),
            cool_down_s=max(0.0, state.cool_until - state.updated),
            queued_s=state.debt_s,
            reservations=state.number,
            incidents=state.incidents,
        )

    def _reserve_unless_early(self, tokens: int) -> tuple[Reservation | None, float]:
        """A reservation, or how long to wait before asking again."""
        with self._locked() as state:
            is_changed = self._configure(state)
            before = state.updated
            state.advance(self._clock())
            early_s = state.early_s
            if early_s > _NOW_S:
                if is_changed or state.updated < before:
                    self._write(state)
                return None, early_s
            reservation = self._reserved(state, tokens)
            self._write(state)
        return reservation, 0.0

    def _reserved(self, state: State, tokens: int) -> Reservation:
        ticket = state.reserve(self._clock(), tokens)
        now, wait_s = state.updated, state.wait_s(ticket)
        return Reservation(tokens, wait_s, now, now + wait_s, ticket)

    def _wait_s(self, reservation: Reservation) -> float:
        state = self._look()
        if state.era != reservation.ticket.era:  # the file was reset: its readings mean nothing now
            return 0.0
        now = self._clock()
        if now < state.updated:
            # Unless someone writes that the clock was set back, it would stand still until it has caught up.
            with self._locked() as state:
                state.advance(now)
                self._write(state)
        state.advance(now)
        return state.wait_s(reservation.ticket)

    def _configure(self, state: State) -> bool:
        if self._is_configured:
            return False
        self._is_configured = True
        return state.configure(*self._rates)

    def _turn(self) -> asyncio.Lock:
        """The queue of this process's waiters on the running loop: only its head looks for a slot."""
        loop = asyncio.get_running_loop()
        turn = self._turns.get(loop)
        if turn is None:
            turn = self._turns[loop] = asyncio.Lock()
        return turn

    def _open(self) -> None:
        self._pid = os.getpid()
        self._thread_lock = threading.Lock()
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._closer = finalize(self, os.close, self._descriptor)

    @contextmanager
    def _locked(self) -> Iterator[State]:
        """The current state, alone with it. Threads exclude each other by their own lock: ``flock`` belongs to the open
        file, so it does not tell threads apart, nor a forked child, which opens its own."""
        if self._pid != os.getpid():
            self._closer()
            self._open()
        with self._thread_lock:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            try:
                yield self._read() or self._fresh()
            finally:
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def _look(self) -> State:
        """The current state, without the lock: the checksum tells whether a writer was caught in the act."""
        state = self._read()
        if state is None:
            with self._locked() as state:
                pass
        return state

    def _read(self) -> State | None:
        return State.unpack(os.pread(self._descriptor, SIZE, 0))

    def _write(self, state: State) -> None:
        os.pwrite(self._descriptor, state.pack(), 0)

    def _fresh(self) -> State:
        era = int.from_bytes(os.urandom(6), "big")
        return State.new(self._clock(), *self._rates, era=float(era))


def _rate(kind: str, per_minute: float | None) -> float:
    if per_minute is None:
        return math.inf
    if not 1 <= per_minute < math.inf:
        raise ValueError(f"{kind}_per_minute must be at least 1, or None for no limit; it is {per_minute!r}")
    return float(per_minute)


def _check(tokens: int) -> None:
    if not 0 <= tokens < math.inf:
        raise ValueError(f"tokens must be 0 or more, not {tokens!r}")


def _finite(value: float) -> float | None:
    return value if value < math.inf else None
