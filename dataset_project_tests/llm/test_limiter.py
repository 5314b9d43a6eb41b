"""The limiter that processes share: its file, its lock, its waiting; real processes, killed ones among them."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from itertools import pairwise

import pytest

from dataset_project.llm.limiter import FILE, Limiter
from dataset_project.llm.limiter_meter import BURST_S, SHARE
from dataset_project.llm.limiter_state import LOOKAHEAD_S, SIZE, State

FORK = multiprocessing.get_context("fork")


class Clock:
    def __init__(self, now: float = 1000.0):
        self.now = now

    def __call__(self) -> float:
        return self.now


def run_python(code: str, *arguments: str) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True)


def test_several_processes_share_exactly_one_quota(tmp_path):
    code = """
import sys
from pathlib import Path
from dataset_project.llm.limiter import Limiter
limiter = Limiter(Path(sys.argv[1]), 6000, 600_000, clock=lambda: 1000.0)
for _ in range(500):
    print(repr(limiter.reserve(100).wait_s))
"""
    running = [run_python(code, str(tmp_path)) for _ in range(4)]
    outputs = [process.communicate(timeout=60)[0].split() for process in running]
    assert all(process.returncode == 0 for process in running)
    each = [[float(wait) for wait in output] for output in outputs]
    assert all(waits == sorted(waits) for waits in each)
    waits = sorted(wait for waits in each for wait in waits)
    burst = int(6000 / 60 * SHARE * BURST_S)
    assert sum(wait == 0 for wait in waits) in (burst, burst + 1)
    spaced = waits[burst + 1 :]
    gaps = [later - earlier for earlier, later in pairwise(spaced)]
    assert len(spaced) == 2000 - burst - 1
    assert gaps == pytest.approx([60 / 6000 / SHARE] * len(gaps), rel=1e-3), "a slot was given out twice, or none"


def test_a_process_killed_while_it_holds_the_lock_holds_up_nobody(tmp_path):
    def hold(limiter, holds):
        with limiter._locked() as state:
            state.reserve(1000.0, 5)
            holds.set()
            time.sleep(60)

    limiter, holds = Limiter(tmp_path, 600, None, Clock()), FORK.Event()
    limiter.reserve(1)
    holder = FORK.Process(target=hold, args=(limiter, holds))
    holder.start()
    assert holds.wait(20)
    waiter = threading.Thread(target=limiter.reserve, args=(1,))
    waiter.start()
    waiter.join(0.2)
    assert waiter.is_alive(), "the lock is held"
    os.kill(holder.pid, signal.SIGKILL)
    waiter.join(20)
    assert not waiter.is_alive()
    holder.join()
    assert limiter.state().reservations == 2, "what the killed one had not written is not reserved"


def test_the_file_is_valid_whenever_its_writers_are_killed(tmp_path):
    def reserve_for_ever(directory):
        limiter = Limiter(directory, 600, 60_000)
        while True:
            limiter.reconcile(limiter.reserve(100), 50)

    limiter, before = Limiter(tmp_path, 600, 60_000), 0
    for _ in range(12):
        writers = [FORK.Process(target=reserve_for_ever, args=(tmp_path,)) for _ in range(2)]
        for writer in writers:
            writer.start()
        deadline = time.monotonic() + 20
        while limiter.state().reservations <= before and time.monotonic() < deadline:
            time.sleep(0.001)
        for writer in writers:
            os.kill(writer.pid, signal.SIGKILL)
            writer.join()
        data = (tmp_path / FILE).read_bytes()
        assert State.unpack(data) is not None
        assert limiter.state().reservations > before, "the file began anew"
        before = limiter.state().reservations


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[: SIZE // 2],
        lambda data: b"\x00" * SIZE,
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda data: b"another program's file " * 200,
    ],
    ids=["empty", "truncated", "zeros", "one bit", "foreign"],
)
def test_a_damaged_file_starts_anew_from_the_settings(tmp_path, damage):
    limiter = Limiter(tmp_path, 600, None, Clock())
    for _ in range(100):
        limiter.reserve(1)
    limiter.throttled(50.0)
    (tmp_path / FILE).write_bytes(damage((tmp_path / FILE).read_bytes()))
    state = limiter.state()
    assert (state.reservations, state.cool_down_s) == (0, 0)
    assert state.requests_per_minute == pytest.approx(600 * SHARE)
    assert limiter.reserve(1).wait_s == 0
    assert Limiter(tmp_path, 600, None, Clock()).state().reservations == 1


def test_state_outlives_its_processes(tmp_path):
    clock = Clock()
    limiter = Limiter(tmp_path, 60, None, clock)
    limiter.reserve(1)
    limiter.throttled(30.0)
    clock.now += 10
    assert Limiter(tmp_path, 60, None, clock).reserve(1).wait_s >= 20.0


def test_a_state_from_the_future_stalls_nobody(tmp_path):
    Limiter(tmp_path, 60, None, Clock(1e9)).reserve(1)
    assert Limiter(tmp_path, 60, None, Clock(1000.0)).reserve(1).wait_s <= 60 / 60 / SHARE + 1e-6


def test_of_different_settings_the_newest_to_reserve_decides_and_a_display_decides_nothing(tmp_path):
    clock = Clock()
    first = Limiter(tmp_path, 600, None, clock)
    first.reserve(1)
    shown = Limiter(tmp_path, 60, 100, clock).state()
    assert (shown.configured_requests_per_minute, shown.configured_tokens_per_minute) == (600, None)
    Limiter(tmp_path, 300, 9000, clock).reserve(1)
    first.reserve(1)
    state = first.state()
    assert (state.configured_requests_per_minute, state.configured_tokens_per_minute) == (300, 9000)
    assert state.requests_per_minute == pytest.approx(300 * SHARE)


def test_the_state_for_a_display(tmp_path):
    clock = Clock()
    limiter = Limiter(tmp_path, 600, None, clock)
    limiter.observed(500, None)
    clock.now += 2
    for _ in range(10):
        limiter.reserve(1)
    limiter.throttled(12.0)
    state = limiter.state()
    assert state.requests_per_minute == pytest.approx(500 * SHARE * 0.75)
    assert (state.tokens_per_minute, state.provider_requests_per_minute) == (None, 500)
    assert (state.reservations, state.incidents, state.cool_down_s) == (10, 1, 12.0)
    assert state.queued_s > 1.0


def test_reconcile_and_cancel_count_once(tmp_path):
    limiter = Limiter(tmp_path, None, 6000, Clock())
    first, second = limiter.reserve(3000), limiter.reserve(3000)
    limiter.cancel(second)
    limiter.cancel(second)
    limiter.reconcile(second, 0)
    assert limiter.state().reservations == 1
    third = limiter.reserve(3000)
    assert third.wait_s == second.wait_s, "the slot of the cancelled one is free again"
    limiter.reconcile(first, 1000)
    queued = limiter.state().queued_s
    limiter.reconcile(first, 1000)
    limiter.cancel(first)
    assert limiter.state().queued_s == queued


def test_cancelling_one_that_others_stand_behind_moves_nobody(tmp_path):
    limiter = Limiter(tmp_path, 60, None, Clock())
    first, second = limiter.reserve(1), limiter.reserve(1)
    limiter.cancel(first)
    assert limiter.reserve(1).wait_s == pytest.approx(second.wait_s + 1 / SHARE)


@pytest.mark.parametrize(
    ("requests", "tokens", "name"), [(0, None, "requests"), (10, -5, "tokens"), (float("nan"), None, "requests")]
)
def test_impossible_rates_are_named(tmp_path, requests, tokens, name):
    with pytest.raises(ValueError, match=f"{name}_per_minute must be at least 1"):
        Limiter(tmp_path, requests, tokens)


def test_negative_tokens_are_refused(tmp_path):
    limiter = Limiter(tmp_path, 60, 600)
    with pytest.raises(ValueError, match="tokens must be 0 or more"):
        limiter.reserve(-1)
    with pytest.raises(ValueError, match="tokens must be 0 or more"):
        asyncio.run(limiter.acquire(-1))


def test_threads_do_not_get_one_slot_twice(tmp_path):
    limiter = Limiter(tmp_path, 6000, None, Clock())
    numbers: list[int] = []

    def reserve():
        numbers.extend(limiter.reserve(1).ticket.number for _ in range(300))

    threads = [threading.Thread(target=reserve) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(numbers) == list(range(1, 1201))


def test_acquire_keeps_the_order_and_the_rate(tmp_path):
    limiter = Limiter(tmp_path, 12_000, None)
    order: list[tuple[int, float]] = []

    async def one(index):
        await limiter.acquire(10)
        order.append((index, time.monotonic()))

    async def main():
        await asyncio.gather(*(one(index) for index in range(200)))

    asyncio.run(main())
    assert [index for index, _ in order] == list(range(200))
    # Late is possible on a busy machine, early is not: 200 take 1 s less the burst.
    assert order[-1][1] - order[0][1] >= 200 / (12_000 * SHARE / 60) - BURST_S - 0.05


def test_a_cool_down_that_begins_meanwhile_holds_up_sleepers_of_every_process(tmp_path):
    limiter, other = Limiter(tmp_path, 1200, None), Limiter(tmp_path, 1200, None)

    async def main():
        tasks = [asyncio.create_task(limiter.acquire(1)) for _ in range(30)]
        done, waiting = await asyncio.wait(tasks, timeout=0.1)
        assert done and waiting
        other.throttled(0.8)
        told = time.time()
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in (*done, *waiting):
            task.cancel()
        return min(task.result().sent_at for task in done) - told

    assert asyncio.run(main()) >= 0.79


def test_a_cancelled_waiter_leaves_its_slot_to_the_next(tmp_path):
    limiter = Limiter(tmp_path, 60, None)

    async def main():
        await limiter.acquire(1)
        waiters = [asyncio.create_task(limiter.acquire(1)) for _ in range(20)]
        await asyncio.sleep(0.6)  # by now the first of them has reserved, and sleeps
        for waiter in waiters:
            waiter.cancel()
        ended = await asyncio.gather(*waiters, return_exceptions=True)
        assert all(isinstance(each, asyncio.CancelledError) for each in ended)

    asyncio.run(main())
    assert limiter.state().reservations == 1
    assert limiter.state().queued_s <= 1 / SHARE


def test_waiters_reserve_only_shortly_before_their_slots(tmp_path):
    limiter = Limiter(tmp_path, 600, None)

    async def main():
        waiters = [asyncio.create_task(limiter.acquire(1)) for _ in range(100)]
        await asyncio.sleep(0.1)
        queued = limiter.state().queued_s
        for waiter in waiters:
            waiter.cancel()
        await asyncio.gather(*waiters, return_exceptions=True)
        return queued

    assert asyncio.run(main()) <= BURST_S + LOOKAHEAD_S + 0.2


def test_a_clock_set_back_while_they_wait_holds_up_nobody(tmp_path):
    shift = 0.0
    limiter = Limiter(tmp_path, 60, None, lambda: time.time() - shift)

    async def main():
        nonlocal shift
        await limiter.acquire(1)
        waiter = asyncio.create_task(limiter.acquire(1))
        await asyncio.sleep(0.1)
        shift = 3600.0  # it waits for its turn to reserve
        while limiter.state().reservations < 2:
            await asyncio.sleep(0.02)
        shift = 7200.0  # it sleeps
        await waiter

    asyncio.run(asyncio.wait_for(main(), 20))


def test_one_limiter_serves_several_event_loops(tmp_path):
    limiter = Limiter(tmp_path, None, None)
    for _ in range(2):
        asyncio.run(limiter.acquire(5))
    assert limiter.state().reservations == 2


def test_a_forked_child_locks_for_itself(tmp_path):
    limiter = Limiter(tmp_path, 6000, None, Clock())

    def reserve():
        for _ in range(300):
            limiter.reserve(1)

    children = [FORK.Process(target=reserve) for _ in range(3)]
    for child in children:
        child.start()
    reserve()
    for child in children:
        child.join(60)
        assert child.exitcode == 0
    assert limiter.state().reservations == 1200
