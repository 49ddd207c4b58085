from __future__ import annotations

import pytest

from ipclab.contract.channel import Address
from ipclab.contract.optional_parts import Words
from ipclab.metrics import definitions as metrics
from ipclab.pair.race import WORDS, Side, Tally
from ipclab.pair.racer import PERIOD_NS, Racer, Rounds


@pytest.mark.parametrize("rounds", [Rounds(), Rounds(1000, 300), Rounds.of(3, 4)])
def test_the_next_round_is_never_over_and_less_than_a_period_away(rounds: Rounds) -> None:
    for now in (0, 1, 299, 300, 301, 999, 10**18, 10**18 + 700):
        moment = rounds.moment(rounds.next(now))
        assert 0 < moment - now <= rounds.period_ns


def test_both_sides_find_the_same_number_for_a_moment() -> None:
    rounds = Rounds.of(1, 11)
    number = rounds.next(10**12)
    assert rounds.next(rounds.moment(number) - 1) == number
    assert rounds.next(rounds.moment(number)) == number + 1


def test_pairs_race_at_moments_of_their_own() -> None:
    phases = [Rounds.of(place, 11).phase_ns for place in range(11)]
    assert len(set(phases)) == 11
    assert all(0 <= phase < PERIOD_NS for phase in phases)


class NoWords:
    """A mechanism nobody has opened."""

    def create_words(self, address: Address, count: int) -> Words:
        raise AssertionError((address, count, WORDS))

    open_words = create_words


def test_the_tally_is_the_consumers_and_both_show_the_lock() -> None:
    shown = {}
    for side in Side:
        racer = Racer(NoWords(), Address(), side, lambda: True, Rounds())
        racer.tally.tallies[False] = Tally(9, 3, 5, 2)
        shown[side] = {(s.definition, *s.labels): s.value for s in racer.samples()}
    assert shown[Side.PRODUCER] == {(metrics.SWITCH_ON, "sync"): True}
    assert shown[Side.CONSUMER] == {
        (metrics.SWITCH_ON, "sync"): True,
        **{(d, "on"): 0 for d in (metrics.UPDATES, metrics.LOST_UPDATES, metrics.RECORDS_READ, metrics.TORN_READS)},
        (metrics.UPDATES, "off"): 9,
        (metrics.LOST_UPDATES, "off"): 3,
        (metrics.RECORDS_READ, "off"): 5,
        (metrics.TORN_READS, "off"): 2,
    }
