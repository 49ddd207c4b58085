from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipclab.pair.race import RaceTally, Snapshot, Tally

FIRST = Snapshot(number=10, locked=False, epoch=1, made=1000, counter=400)


def after(before: Snapshot, *, made: int = 0, grown: int = 0) -> Snapshot:
    """The next round: so many updates, by which the counter has grown so much."""
    return before._replace(number=before.number + 1, made=before.made + made, counter=before.counter + grown)


def test_what_the_counter_does_not_show_was_lost() -> None:
    tally = RaceTally()
    assert not tally.enter(FIRST, 7, 7)  # nothing to hold it against
    second = after(FIRST, made=300, grown=200)
    assert tally.enter(second, 50, 4)
    assert tally.enter(after(second, made=10, grown=10), 5, 0)
    assert tally.tallies == {False: Tally(310, 100, 55, 4), True: Tally()}


def test_each_round_counts_under_its_own_condition() -> None:
    tally = RaceTally()
    tally.enter(FIRST, 0, 0)
    locked = after(FIRST, made=20, grown=20)._replace(locked=True)
    assert tally.enter(locked, 9, 0)
    assert tally.enter(after(locked, made=8, grown=5)._replace(locked=False), 3, 1)
    assert tally.tallies == {True: Tally(20, 0, 9, 0), False: Tally(8, 3, 3, 1)}


def test_a_counter_that_goes_back_has_lost_more_than_was_made() -> None:
    """A side that was stopped between load and store writes an old value."""
    tally = RaceTally()
    tally.enter(FIRST, 0, 0)
    tally.enter(after(FIRST, made=10, grown=-100), 0, 0)
    assert tally.tallies[False].lost_updates == 110


@pytest.mark.parametrize(
    "disturbed",
    [
        None,
        after(FIRST, made=5, grown=1)._replace(epoch=2),  # the producer was started again
        after(after(FIRST, made=5, grown=1)),  # a round in between was not done
        FIRST,  # the same again
    ],
)
def test_a_round_that_something_else_can_explain_is_not_judged(disturbed: Snapshot | None) -> None:
    tally = RaceTally()
    tally.enter(FIRST, 0, 0)
    assert not tally.enter(disturbed, 100, 100)
    assert tally.tallies == {True: Tally(), False: Tally()}


def test_the_round_after_a_disturbed_one_is_not_judged_and_the_next_is() -> None:
    tally = RaceTally()
    tally.enter(FIRST, 0, 0)
    tally.enter(None, 0, 0)
    restarted = replace_numbers(FIRST, 2)
    assert not tally.enter(restarted, 9, 9)
    assert tally.enter(after(restarted, made=6, grown=6), 2, 0)
    assert tally.tallies[False] == Tally(6, 0, 2, 0)


def replace_numbers(before: Snapshot, rounds: int) -> Snapshot:
    """What stands there after so many rounds that were not judged, with another life of the producer."""
    return before._replace(number=before.number + rounds, epoch=before.epoch + 1, made=before.made + 77)


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500), st.booleans())))
def test_the_totals_are_the_sums_of_the_rounds(rounds: list[tuple[int, int, bool]]) -> None:
    tally, now = RaceTally(), FIRST
    tally.enter(now, 0, 0)
    for made, lost, locked in rounds:
        now = after(now, made=made, grown=made - lost)._replace(locked=locked)
        tally.enter(now, 1, 0)
    for locked, counted in tally.tallies.items():
        mine = [(made, lost) for made, lost, chosen in rounds if chosen is locked]
        assert replace(counted) == Tally(sum(m for m, _ in mine), sum(lost for _, lost in mine), len(mine), 0)
