"""The watch for leaks: a slope that is sure and large is one; noise, a restart and a first growth are none."""

from __future__ import annotations

import random

import pytest

from labctl.faults.soak.leaks import LIMITS, MIB, Inventory, Sample, findings, slopes, trend

MINUTES = 30
TIMES = [60.0 * minute for minute in range(MINUTES)]


def _memory(per_minute: float, noise: float = 0.2, seed: int = 1) -> list[Sample]:
    dice = random.Random(seed)
    return [Sample(t, MIB * (20 + per_minute * t / 60 + dice.uniform(-noise, noise))) for t in TIMES]


def test_the_slope_of_a_straight_line() -> None:
    seen = trend([Sample(t, 3 + 2 * t / 60) for t in TIMES])
    assert seen.slope_per_minute == pytest.approx(2)
    assert seen.growth == pytest.approx(2 * (MINUTES - 1))
    assert seen.z > 5


def test_a_constant_series_has_no_trend() -> None:
    assert trend([Sample(t, 7.0) for t in TIMES]).z == 0


def test_memory_that_grows_is_named_with_its_slope() -> None:
    found = slopes({("memory", "fifo-consumer"): _memory(0.3)})
    (line,) = findings(found)
    assert "fifo-consumer grows: 8." in line
    assert "0.3 MiB of memory a minute" in line


@pytest.mark.parametrize("seed", range(20))
def test_noise_and_a_slope_below_the_limit_are_no_leak(seed: int) -> None:
    assert findings(slopes({("memory", "x"): _memory(0, noise=5, seed=seed)})) == []
    assert findings(slopes({("memory", "x"): _memory(0.05, seed=seed)})) == []


def test_a_restarted_process_that_warms_up_each_time_is_no_leak() -> None:
    series = [Sample(t, MIB * (15 + min(5.0, (minute % 7) * 1.0)), minute // 7) for minute, t in enumerate(TIMES)]
    assert findings(slopes({("memory", "x"): series})) == []


def test_a_descriptor_a_minute_is_a_leak_and_one_more_is_none() -> None:
    assert findings(slopes({("descriptors", "x"): [Sample(t, 9 + t / 60) for t in TIMES]}))
    assert not findings(slopes({("descriptors", "x"): [Sample(t, 9.0 + (t > 600)) for t in TIMES]}))


def test_a_restarted_process_that_has_more_from_its_beginning_is_no_leak() -> None:
    """As of a consumer with 13 descriptors, and with 17 after a kill in the middle of a soak."""
    series = [Sample(t, 13.0 + 4 * (t > TIMES[14]), float(t > TIMES[14])) for t in TIMES]
    assert trend(series).growth > LIMITS["descriptors"].growth
    assert not findings(slopes({("descriptors", "x"): series}))
    assert findings(slopes({("descriptors", "x"): [Sample(s.at_s, s.value) for s in series]}))


def test_a_leak_of_a_process_that_was_restarted_once_is_found() -> None:
    series = [Sample(t, 13.0 + t / 60, float(t > 600)) for t in TIMES]
    assert findings(slopes({("descriptors", "x"): series}))


def test_too_few_samples_are_not_judged() -> None:
    assert slopes({("memory", "x"): _memory(9)[:7]}) == []
    assert set(LIMITS) == {"memory", "descriptors", "kernel_objects"}


BEFORE = Inventory({"fifo-consumer": "running"}, frozenset({"a"}), frozenset({"n"}), {"segments": 3})


def test_an_inventory_that_is_the_same_has_no_differences() -> None:
    assert BEFORE.differences(BEFORE) == []


def test_what_is_left_over_or_gone_or_in_another_state_is_named() -> None:
    after = Inventory(
        {"fifo-consumer": "paused", "fault": "running"}, frozenset({"b"}), frozenset({"n"}), {"segments": 4}
    )
    assert BEFORE.differences(after) == [
        "container fault is left over",
        "volume b is left over",
        "volume a is gone",
        "container fifo-consumer was running and is paused",
        "segments: 3 before and 4 after",
    ]
