"""Histories: a state counts once it lasted for the window of the recorded figures, and a gap ends it."""

from __future__ import annotations

import math

import pytest

from labctl.lab.prometheus import Line
from labctl.workshop.exercise.settled import longest_run_s, settled, values_at


def line(values: list[float], start: float = 1_700_000_000.25, step_s: float = 1.0) -> list[Line]:
    """A history of one series."""
    return [Line({}, [start + step_s * number for number in range(len(values))], values)]


def is_one(value: float) -> bool:
    """The state of these tests."""
    return value == 1


def test_a_state_counts_from_the_end_of_the_window_on() -> None:
    history = line([1] * 10)
    assert settled(history, is_one, after_s=7) == history[0].times[7:]


def test_a_break_begins_the_window_anew() -> None:
    history = line([1, 1, 1, 0, 1, 1, 1, 1])
    assert settled(history, is_one, after_s=3) == history[0].times[7:]


def test_a_gap_may_hide_another_state_and_a_missed_scrape_does_not() -> None:
    times = [0.0, 1.0, 3.0, 4.0, 60.0, 61.0]
    gap = [Line({}, times, [1.0] * len(times))]
    assert settled(gap, is_one, after_s=3) == [3.0, 4.0]
    assert longest_run_s(gap, is_one) == 4


def test_no_series_is_no_moment() -> None:
    assert settled([], is_one) == []
    assert longest_run_s([], is_one) == 0
    assert values_at([], [1.0]) == []


def test_values_are_those_of_the_moments_and_no_nan() -> None:
    history = line([1, math.nan, 3, 4])
    assert values_at(history, history[0].times[1:3]) == [3]


@pytest.mark.parametrize(("values", "seconds"), [([0, 0, 0], 0), ([1], 0), ([1, 1, 0, 1, 1, 1], 2)])
def test_the_longest_run_is_that_of_one_stretch(values: list[float], seconds: float) -> None:
    assert longest_run_s(line(values), is_one) == seconds
