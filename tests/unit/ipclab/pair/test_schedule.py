from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipclab.pair.producer import Schedule

S = 1_000_000_000
rates = st.one_of(st.sampled_from([1, 3, 7, 200, 999_983, 1_000_000]), st.integers(1, 1_000_000))
starts = st.integers(0, 2**62)
bursts = st.integers(1, 1000)


@pytest.mark.parametrize("rate", [3, 7, 333_333, 999_983, 1_000_000])
def test_a_million_messages_later_the_schedule_is_still_exact(rate: int) -> None:
    schedule = Schedule(rate, 5)
    for _ in range(1_000_000):
        schedule.advance()
    exact = 5 + Fraction(1_000_000 * S, rate)
    assert exact - 1 < schedule.due_ns <= exact


@given(rate=rates, start=starts)
def test_the_first_is_due_at_once_and_the_second_one_period_later(rate: int, start: int) -> None:
    schedule = Schedule(rate, start)
    assert schedule.due_ns == start
    schedule.advance()
    assert schedule.due_ns == start + S // rate


@given(rate=rates, start=starts, burst=bursts, count=st.integers(1, 300))
def test_due_times_are_those_of_the_rate_and_never_late_by_a_nanosecond(
    rate: int, start: int, burst: int, count: int
) -> None:
    schedule = Schedule(rate, start, burst)
    for n in range(count):
        exact = start + Fraction((n - n % burst) * S, rate)
        assert exact - 1 < schedule.due_ns <= exact
        schedule.advance()


def test_the_messages_of_a_burst_are_due_together_and_the_next_burst_at_the_time_of_its_first() -> None:
    schedule, due = Schedule(2000, 7, 50), []
    for _ in range(150):
        due.append(schedule.due_ns - 7)
        last = not schedule.next_is_due_too
        schedule.advance()
        assert last == (schedule.due_ns - 7 > due[-1])
    assert due == [0] * 50 + [S // 40] * 50 + [2 * S // 40] * 50


def due_time(rate: int, start: int, burst: int, n: int) -> int:
    """The documented due time of message n."""
    return start + (n - n % burst) * S // rate


def due_until(rate: int, start: int, burst: int, moment: int) -> int:
    """How many messages are due before `moment`, by their documented due times: whole bursts."""
    if moment <= start:
        return 0
    n = (moment - start) * rate // S // burst * burst  # near the answer; then exactly
    while due_time(rate, start, burst, n) < moment:
        n += burst
    while n and due_time(rate, start, burst, n - burst) >= moment:
        n -= burst
    return n


@given(
    rate=rates,
    start=starts,
    burst=bursts,
    lag=st.integers(0, 3 * S),
    steps=st.lists(st.tuples(st.integers(0, 20), st.integers(-S, 10 * S)), min_size=1, max_size=20),
)
def test_every_due_message_is_sent_or_skipped_and_none_is_both(
    rate: int, start: int, burst: int, lag: int, steps: list[tuple[int, int]]
) -> None:
    schedule, sent, skipped, now = Schedule(rate, start, burst), 0, 0, start
    for messages, passed in steps:
        for _ in range(messages):
            schedule.advance()
            sent += 1
        now += passed
        overdue = max(0, due_until(rate, start, burst, now - lag) - sent - skipped)
        assert schedule.skip(now, lag) == overdue
        skipped += overdue
        assert schedule.due_ns == due_time(rate, start, burst, sent + skipped)
        assert schedule.skip(now, lag) == 0
        assert overdue == 0 or schedule.due_ns >= now - lag


def test_what_is_exactly_as_late_as_allowed_is_kept() -> None:
    schedule = Schedule(10, 0)
    assert schedule.skip(S, S) == 0
    assert schedule.skip(S + 1, S) == 1
    assert schedule.due_ns == S // 10


def test_a_long_pause_costs_no_time() -> None:
    """A suspended laptop: the count is computed, not walked."""
    schedule = Schedule(1_000_000, 0)
    assert schedule.skip(10**9 * S, S) == (10**9 - 1) * 1_000_000
