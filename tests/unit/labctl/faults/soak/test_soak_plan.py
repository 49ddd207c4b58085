"""The plan of a soak: one seed is one plan, two faults at a time at most, and none that excludes the other."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import pytest

from labctl.faults.soak.plan import AT_ONCE, Choice, Pause, Start, Step, Stop, plan

PAIRS = ("fifo", "tcp", "sysv_shm")


def _choice(fault: str, mechanism: str, touches: str, reaches: tuple[str, ...] = ()) -> Choice:
    return Choice(fault, mechanism, frozenset({touches}), frozenset(reaches or {mechanism}))


CHOICES = [
    *(_choice("stop", name, "sides") for name in PAIRS),
    *(_choice("kill", name, "sides") for name in PAIRS),
    *(_choice("flood", name, "load") for name in PAIRS),
    _choice("cut", "tcp", "network"),
    _choice("holder", "", "sides", ("sysv_shm",)),
]


def _steps(seed: int, count: int = 400) -> list[Step]:
    return list(islice(plan(seed, CHOICES), count))


def test_a_seed_is_a_plan_and_another_seed_another_plan() -> None:
    assert _steps(7) == _steps(7)
    assert _steps(7) != _steps(8)


@pytest.mark.parametrize("seed", range(20))
def test_two_at_a_time_at_most_and_none_that_excludes_the_other(seed: int) -> None:
    running: dict[int, Choice] = {}
    for step in _steps(seed):
        match step:
            case Start():
                assert not any(step.choice.excludes(other) for other in running.values())
                running[step.number] = step.choice
                assert len(running) <= AT_ONCE
            case Stop():
                del running[step.number]
            case Pause():
                assert step.seconds > 0


def test_a_fault_lasts_as_long_as_planned() -> None:
    now, ends = 0.0, {}
    for step in _steps(3):
        match step:
            case Start():
                ends[step.number] = now + step.lasts_s
            case Stop():
                assert now == pytest.approx(ends.pop(step.number), abs=0.1)
            case Pause():
                now += step.seconds


def test_every_fault_comes_up_once_before_any_comes_up_again() -> None:
    names = [step.choice.fault for step in _steps(1, 2000) if isinstance(step, Start)]
    counts = Counter(names)
    assert set(counts) == {choice.fault for choice in CHOICES}
    assert max(counts.values()) - min(counts.values()) <= 1


def test_a_fault_of_the_whole_lab_excludes_only_those_on_the_pairs_that_it_reaches() -> None:
    holder = CHOICES[-1]
    by_pair = {choice.mechanism: choice for choice in CHOICES if choice.fault == "stop"}
    assert holder.excludes(by_pair["sysv_shm"])
    assert not holder.excludes(by_pair["fifo"])
    flood = next(choice for choice in CHOICES if (choice.fault, choice.mechanism) == ("flood", "sysv_shm"))
    assert not holder.excludes(flood)


def test_a_lane_waits_while_the_other_lanes_fault_excludes_every_one() -> None:
    steps = list(islice(plan(1, [_choice("stop", "fifo", "sides")]), 60))
    running = 0
    for step in steps:
        running += isinstance(step, Start) - isinstance(step, Stop)
        assert running <= 1
    assert sum(isinstance(step, Start) for step in steps) > 5
