"""The rotation: each exercise comes up every three days, in each way in turn, and the days cost about the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from labctl.workshop.exercise import exercise, student
from labctl.workshop.exercise.exercise import Choices
from support.rotation import THIRDS, chosen, runs_of, seconds_of, thirds

EXERCISES = exercise.every()


def test_every_exercise_comes_up_once_in_three_days_and_each_of_its_ways_in_turn() -> None:
    days = [chosen(EXERCISES, "", day) for day in range(300, 300 + THIRDS)]
    numbers = sorted(run.exercise.number for day in days for run in day)
    assert numbers == [it.number for it in EXERCISES]
    for it in EXERCISES:
        turns = THIRDS * len(runs_of(it))
        done = {run[1:] for day in range(turns) for run in chosen(EXERCISES, "", day) if run.exercise == it}
        assert done == {run[1:] for run in runs_of(it)}


def test_the_thirds_cost_about_the_same() -> None:
    costs = [sum(seconds_of(run.exercise) for run in chosen(EXERCISES, "", day)) for day in range(THIRDS)]
    assert max(costs) <= 1.2 * min(costs), costs


@given(st.lists(st.floats(1, 300), min_size=THIRDS, max_size=30))
def test_no_third_costs_more_than_another_and_its_dearest(costs: list[float]) -> None:
    parts = thirds(dict(enumerate(costs)))
    assert sorted(each for part in parts for each in part) == list(range(len(costs)))
    sums = [sum(costs[each] for each in part) for part in parts]
    assert max(sums) - min(sums) <= max(costs)


def test_a_secret_is_tried_in_all_its_ways() -> None:
    for it in EXERCISES:
        for name, value in it.values.items():
            if isinstance(value, Choices) and value.secret:
                assert {student.draw(it, run.student)[name] for run in runs_of(it)} == set(value.words)


def test_numbers_choose_these_in_every_way_and_all_the_first_way_of_each() -> None:
    two = EXERCISES[:2]
    assert chosen(EXERCISES, "1,2", 7) == [run for it in two for run in runs_of(it)]
    assert [run.way for run in chosen(EXERCISES, "all", 7)] == ["solution"] * len(EXERCISES)
