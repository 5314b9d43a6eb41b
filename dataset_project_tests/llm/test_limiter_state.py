"""The limiter's arithmetic: what holds whatever happens, in a time that tests set."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_project.llm.limiter_meter import BURST_S, SHARE
from dataset_project.llm.limiter_state import CUT, LOOKAHEAD_S, PER_RAISE, SAFE, SIZE, State

NOW = 1000.0


def state_of(requests: float = 600, tokens: float = math.inf) -> State:
    return State.new(NOW, requests, tokens, era=1.0)


def assert_never_above(rate: float, capacity: float, sent: list[tuple[float, float]]) -> None:
    """Between any two sendings no more than the rate allows and a full bucket, with the first in it."""
    # For t_i <= t_j: sum(i..j) <= rate (t_j - t_i) + capacity, checked in one pass with the least of the left sides.
    total, lowest = 0.0, math.inf
    for at, amount in sent:
        lowest = min(lowest, total - rate * at)
        total += amount
        assert total - rate * at - lowest <= capacity + 1e-6 * max(1.0, total)


class Sender:
    """Reserves, and sends at the slots, while the rest changes: departures happen between events, in real time."""

    def __init__(self, state: State):
        self.state, self.clock, self.real = state, NOW, 0.0
        self.waiting: list = []
        self.sent: list[tuple[float, int, int]] = []

    def pass_time(self, seconds: float) -> None:
        end = self.clock + seconds
        while self.waiting:
            self.state.advance(self.clock)
            due = self.state.updated + min(self.state.wait_s(each) for each in self.waiting)
            if due > end:
                break
            ticket = min(self.waiting, key=self.state.wait_s)
            self.waiting.remove(ticket)
            self.real += due - self.clock
            self.clock = due
            self.sent.append((self.real, ticket.number, ticket.tokens))
        self.real += end - self.clock
        self.clock = end
        self.state.advance(self.clock)


EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("reserve"), st.integers(0, 9000)),
        st.tuples(st.just("reserve"), st.integers(0, 300)),
        st.tuples(st.just("wait"), st.floats(0, 20)),
        st.tuples(st.just("throttle"), st.none() | st.floats(0, 30)),
        st.tuples(st.just("succeed"), st.just(0)),
        st.tuples(st.just("observe"), st.integers(1, 600)),
        st.tuples(st.just("cancel"), st.just(0)),
        st.tuples(st.just("set back"), st.floats(0, 1e5)),
    ),
    max_size=60,
)


@given(EVENTS)
@settings(max_examples=200, deadline=None)
def test_whatever_happens_no_window_exceeds_the_quota_and_the_order_is_kept(events):
    sender = Sender(state_of(600, 60_000))
    state = sender.state
    rates, capacity = (state.requests.rate, state.tokens.rate), (state.requests.burst, state.tokens.burst)
    for kind, value in events:
        if kind == "reserve":
            sender.waiting.append(state.reserve(sender.clock, value))
        elif kind == "wait":
            sender.pass_time(value)
        elif kind == "throttle":
            state.throttle(sender.clock, value, sender.clock)
            before, left = len(sender.sent), state.cool_until - sender.clock
            if left > 1e-3:
                sender.pass_time(left - 1e-6)
                assert len(sender.sent) == before, "sent during a cool-down"
        elif kind == "succeed":
            state.succeed(sender.clock)
        elif kind == "observe":
            # Of one quota alone a change may let bunch what is reserved: little, where `early_s` is asked before.
            state.observe(sender.clock, value, value * 100)
        elif kind == "cancel" and sender.waiting and state.is_last(sender.waiting[-1]):
            state.take_back(sender.waiting.pop())
        elif kind == "set back":
            sender.clock -= value
            state.advance(sender.clock)
        assert state.requests.rate <= rates[0] + 1e-9
    sender.pass_time(1e7)  # lowest rate, longest queue: everybody gets through
    assert sender.waiting == []
    numbers = [number for _, number, _ in sender.sent]
    assert numbers == sorted(numbers)
    assert_never_above(rates[0], max(capacity[0], 1), [(at, 1) for at, _, _ in sender.sent])
    largest = max((tokens for _, _, tokens in sender.sent), default=0)
    assert_never_above(rates[1], max(capacity[1], largest), [(at, tokens) for at, _, tokens in sender.sent])


def test_small_requests_behind_a_large_one_do_not_burst_when_its_tokens_are_paid():
    state = state_of(600, 6000)
    state.reserve(NOW, 6000)
    slots = [state.wait_s(state.reserve(NOW, 1)) for _ in range(50)]
    assert slots[0] == pytest.approx(60 / SHARE - BURST_S, rel=0.01)
    assert_never_above(state.requests.rate, state.requests.burst, [(slot, 1) for slot in slots])


def test_large_requests_behind_many_small_ones_do_not_burst_when_their_turn_comes():
    state = state_of(600, 6000)
    for _ in range(100):
        state.reserve(NOW, 0)
    slots = [state.wait_s(state.reserve(NOW, 100)) for _ in range(20)]
    assert slots[0] == pytest.approx(100 * 60 / 600 / SHARE - BURST_S, abs=0.2)
    assert_never_above(state.tokens.rate, 100, [(slot, 100) for slot in slots])


def test_a_rate_that_rises_lets_nobody_overtake():
    state = state_of(600)
    state.observe(NOW, 60, None)
    waiting = [state.reserve(NOW, 1) for _ in range(10)]
    state.observe(NOW + 3, 600, None)
    waits = [state.wait_s(ticket) for ticket in [*waiting, *(state.reserve(NOW + 3, 1) for _ in range(10))]]
    assert state.requests.announced == 600
    assert waits == sorted(waits)


def test_a_request_above_a_minutes_tokens_goes_when_nothing_is_owed_and_is_paid_for_by_waiting():
    state = state_of(600, 6000)
    assert state.wait_s(state.reserve(NOW, 60_000)) == 0
    assert state.wait_s(state.reserve(NOW, 60_000)) == pytest.approx(600 / SHARE)
    assert state.wait_s(state.reserve(NOW, 10)) == pytest.approx(1200 / SHARE, rel=0.01)


def test_without_limits_nobody_waits_but_for_a_cool_down():
    state = state_of(math.inf)
    assert all(state.wait_s(state.reserve(NOW, 10**9)) == 0 for _ in range(1000))
    assert state.early_s == 0
    state.throttle(NOW, 7.0, NOW)
    assert state.wait_s(state.reserve(NOW + 1, 5)) == 6.0


def test_tokens_given_back_let_those_who_wait_go_earlier_but_not_at_once():
    state = state_of(math.inf, 6000)
    first = state.reserve(NOW, 3000)
    second = state.reserve(NOW, 3000)
    assert state.wait_s(second) == pytest.approx(30 / SHARE)
    state.reconcile(NOW, first, 1000)
    assert state.wait_s(second) == pytest.approx(10 / SHARE, abs=0.5)
    state.reconcile(NOW, first, 0)
    assert state.wait_s(second) >= 1.0, "an answer that took nothing lets all of it out at once"


def test_tokens_given_back_into_a_full_bucket_are_no_credit():
    state = state_of(math.inf, 6000)
    ticket = state.reserve(NOW, 3000)
    state.reconcile(NOW + 600, ticket, 0)
    state.reserve(NOW + 600, 3000)
    assert state.wait_s(state.reserve(NOW + 600, 3000)) == pytest.approx(30 / SHARE)


def test_a_429_ends_the_payout_of_tokens_given_back():
    state = state_of(math.inf, 6000)
    first = state.reserve(NOW, 3000)
    state.reconcile(NOW, first, 0)
    state.throttle(NOW, 1.0, NOW)
    assert state.wait_s(state.reserve(NOW, 100)) >= 3000 / (6000 * SHARE * CUT / 60)


def test_tokens_above_the_estimate_are_owed_by_the_next_reservation():
    state = state_of(math.inf, 6000)
    first = state.reserve(NOW, 100)
    waiting = state.reserve(NOW, 1000)
    before = state.wait_s(waiting)
    state.reconcile(NOW, first, 3100)
    assert state.wait_s(waiting) == before
    assert state.wait_s(state.reserve(NOW, 1000)) == pytest.approx((1100 + 3000) * 60 / 6000 / SHARE, rel=0.01)


def test_the_last_reservation_taken_back_never_was():
    state = state_of(600, 6000)
    for _ in range(20):
        state.reserve(NOW, 50)
    before = state.pack()
    ticket = state.reserve(NOW, 700)
    assert state.is_last(ticket)
    state.take_back(ticket)
    # Cells' tails may have been brought up to their clocks, which says the same.
    again = State.unpack(before)
    assert state.wait_s(state.reserve(NOW, 50)) == again.wait_s(again.reserve(NOW, 50))
    assert not again.is_last(ticket) or ticket.number == again.number


def test_429s_of_what_was_sent_before_the_cut_are_one_incident():
    state = state_of()
    for sent_at in (NOW - 3, NOW - 2, NOW - 1):
        state.throttle(NOW, 1.0, sent_at)
    assert (state.factor, state.incidents) == (CUT, 1)
    state.throttle(NOW + 5, 1.0, NOW - 0.5)
    assert state.factor == CUT
    assert state.cool_until == NOW + 6, "they cool down all the same"
    state.throttle(NOW + 6, 1.0, NOW + 5.5)
    assert state.factor == CUT**2


def test_429s_of_unknown_sending_are_one_incident_during_its_cool_down_and_shortly_after_the_cut():
    state = state_of()
    state.throttle(NOW, 0.1, None)
    state.throttle(NOW + 0.3, 2.0, None)
    state.throttle(NOW + 2.2, None, None)
    assert state.incidents == 1
    state.throttle(NOW + 4, None, None)
    assert state.incidents == 2


@pytest.mark.parametrize("told", [None, math.nan, math.inf, -1.0])
def test_a_429_without_a_sensible_wait_cools_down_for_a_second(told):
    state = state_of()
    state.throttle(NOW, told, NOW)
    assert state.cool_until == NOW + 1.0


def test_a_long_wait_is_obeyed_and_a_shorter_one_after_it_does_not_end_it():
    state = state_of()
    state.throttle(NOW, 7200.0, NOW)
    state.throttle(NOW + 1, 1.0, NOW)
    assert state.wait_s(state.reserve(NOW + 2, 1)) >= 7198.0


def test_sleepers_are_spread_in_order_after_a_cool_down_that_began_meanwhile():
    state = state_of(600)
    sleepers = [state.reserve(NOW, 1) for _ in range(40)]
    state.throttle(NOW + 1, 30.0, NOW + 0.9)
    left = [ticket for ticket in sleepers if state.wait_s(ticket) > 30.0]
    slots = [state.wait_s(ticket) - 30.0 for ticket in left]
    assert len(left) > 20
    spacing = 60 / (600 * SHARE * CUT)
    gaps = [later - earlier for earlier, later in pairwise(slots)]
    assert gaps == pytest.approx([spacing] * len(gaps))
    newcomer = state.wait_s(state.reserve(NOW + 1, 1))
    assert newcomer > slots[-1] + 30.0


def test_after_an_incident_nothing_may_burst():
    state = state_of(600)
    state.throttle(NOW, 2.0, NOW)
    waits = [state.wait_s(state.reserve(NOW, 1)) for _ in range(10)]
    assert_never_above(state.requests.rate, 1.0, [(wait, 1) for wait in waits])


def succeed_for(state: State, now: float, seconds: float) -> float:
    """Success after success at the current rate; the time afterwards."""
    end = now + seconds
    while now < end:
        now += 1 / state.requests.rate
        state.succeed(now)
    return now


@pytest.mark.parametrize("per_minute", [60, 500, 3000, 60_000])
def test_after_one_unlucky_429_the_rate_is_nearly_back_within_ten_seconds(per_minute):
    state = state_of(per_minute)
    state.throttle(NOW, 0.5, NOW - 0.01)
    succeed_for(state, NOW + 0.5, 10)
    assert state.factor >= 0.92


@pytest.mark.parametrize("per_minute", [60, 500, 3000, 60_000])
def test_far_below_the_last_429_the_rate_finds_its_way_back_within_minutes(per_minute):
    state, now = state_of(per_minute), NOW
    for _ in range(3):
        state.throttle(now, 0.1, now)
        now += 0.1
    assert state.factor == pytest.approx(CUT**3)
    succeed_for(state, now, 400)
    assert state.factor == 1.0


def test_near_the_last_429_the_rate_rises_by_one_a_minute_per_25_successes():
    state = state_of(500)
    state.throttle(NOW, 0.0, NOW - 1)
    now = succeed_for(state, NOW, 8)
    assert state.factor == pytest.approx(SAFE, abs=0.01)
    state.raised_at, state.successes, before = now, 0, state.factor
    for _ in range(PER_RAISE):
        state.succeed(now + 1)
    assert (state.factor - before) * 500 == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("announced", "highest"), [(None, 500.0), (500, 500.0), (520, 520.0), (10_000, 550.0), (200, 200.0)]
)
def test_the_ceiling_is_ten_per_cent_above_the_setting_where_the_provider_grants_it(announced, highest):
    state = state_of(500)
    state.observe(NOW, announced, None)
    succeed_for(state, NOW, 900)
    assert state.requests.rate * 60 == pytest.approx(highest * SHARE)
    assert state.may_rise is False


def test_a_lower_limit_holds_at_once_and_the_higher_when_nobody_names_the_lower_any_more():
    state = state_of(600)
    state.observe(NOW, 300, None)
    assert state.requests.rate * 60 == pytest.approx(300 * SHARE)
    for second in range(1, 5):  # slow answers to requests from before
        state.observe(NOW + second, 600, None)
        state.observe(NOW + second, 300, None)
    assert state.requests.announced == 300
    state.observe(NOW + 5, 600, None)
    assert state.requests.announced == 300
    state.observe(NOW + 6.5, 600, None)
    assert state.requests.rate * 60 == pytest.approx(600 * SHARE)


def test_429s_explained_by_a_lowered_limit_do_not_cut_the_rate_as_well():
    state = state_of(600)
    state.observe(NOW, 300, None)
    state.throttle(NOW + 0.1, 0.5, NOW - 0.1)
    assert state.factor == 1.0
    state = state_of(600)
    state.throttle(NOW, 0.5, NOW - 0.1)
    state.observe(NOW, 300, None)
    assert state.requests.rate * 60 == pytest.approx(300 * SHARE)


def test_headers_that_say_nothing_change_nothing():
    state = state_of(600, 6000)
    before = state.pack()
    for limit in (None, 0, -1):
        assert state.is_news(NOW, limit, limit) is False
        state.observe(NOW, limit, limit)
    assert state.pack() == before


def test_a_limit_that_only_the_provider_names_is_kept_to():
    state = state_of(math.inf)
    state.observe(NOW, 60, None)
    waits = [state.wait_s(state.reserve(NOW, 1)) for _ in range(3)]
    assert waits == pytest.approx([0, 1 / SHARE, 2 / SHARE])


def test_a_clock_set_back_stalls_nobody():
    state = state_of(600)
    tickets = [state.reserve(NOW, 1) for _ in range(20)]
    state.throttle(NOW, 3.0, NOW)
    before = state.wait_s(tickets[-1])
    state.advance(NOW - 1e6)
    assert state.wait_s(tickets[-1]) == pytest.approx(before)
    state.advance(NOW - 1e6 + 3.5)
    assert state.wait_s(tickets[-1]) == pytest.approx(before - 3.5)


def test_a_clock_set_forward_lets_out_no_more_than_is_reserved_ahead_and_the_burst():
    state = state_of(600)
    waiting, now = [], NOW
    while state.early_s == 0:
        waiting.append(state.reserve(now, 1))
    waiting = [ticket for ticket in waiting if state.wait_s(ticket) > 0]
    now += 86_400
    state.advance(now)
    at_once = len(waiting)
    while state.wait_s(state.reserve(now, 1)) == 0:
        at_once += 1
    assert at_once <= state.requests.rate * (LOOKAHEAD_S + BURST_S) + 2


def test_other_settings_take_over_and_the_same_keep_what_was_learnt():
    state = state_of(600)
    state.observe(NOW, 500, None)
    state.throttle(NOW + 1, 1.0, NOW + 1)
    assert state.configure(600, math.inf) is False
    assert (state.factor, state.requests.announced) == (CUT, 500)
    assert state.configure(300, 9000) is True
    assert state.requests.rate * 60 == pytest.approx(300 * SHARE)
    assert state.tokens.rate * 60 == pytest.approx(9000 * SHARE)
    assert state.cool_until == NOW + 2, "the provider still wants that pause"


@given(EVENTS)
@settings(max_examples=50, deadline=None)
def test_packing_keeps_everything(events):
    state, now = state_of(600, 60_000), NOW
    for kind, value in events:
        if kind == "reserve":
            state.reserve(now, value)
        elif kind == "wait":
            now += value
        elif kind == "throttle":
            state.throttle(now, value, None)
        elif kind == "observe":
            state.observe(now, value, value * 100)
    packed = state.pack()
    assert len(packed) == SIZE <= 512
    assert State.unpack(packed) == state


@given(st.integers(0, SIZE * 8 - 1))
def test_a_single_wrong_bit_is_noticed(bit):
    packed = bytearray(state_of(600, 6000).pack())
    packed[bit // 8] ^= 1 << bit % 8
    assert State.unpack(bytes(packed)) is None
