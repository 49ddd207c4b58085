"""The race, with the other side in a script: it acts exactly between a load and a store."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from ipclab.contract.errors import PeerAbsent, Unusable
from ipclab.contract.optional_parts import Words
from ipclab.pair import race
from ipclab.pair.race import COUNTER_AT, MAX_STEPS, RECORD, WORDS, Race, Side

ROUND = 7
_ARRIVED_AT, _DONE_AT, _MADE_AT = 4, 6, 8


class ScriptedWords:
    """Words in a list. Before each store, and between two loads of the record, `meanwhile` acts if it may."""

    def __init__(self) -> None:
        self.words = [0] * WORDS
        self.locked = False
        self.lock_is_free = True
        self.came_in_between = 0
        self.meanwhile: Callable[[int], None] = lambda _index: None

    def load(self, index: int, /) -> int:
        if index == RECORD[-1]:
            self._let_the_other_side_act(index)
        return self.words[index]

    def store(self, index: int, value: int, /) -> None:
        if index == COUNTER_AT:
            self._let_the_other_side_act(index)
        self.words[index] = value

    def _let_the_other_side_act(self, index: int) -> None:
        if not self.locked:
            self.came_in_between += 1
            self.meanwhile(index)

    def try_lock(self) -> bool:
        if not self.lock_is_free or self.locked:
            return False
        self.locked = True
        return True

    def unlock(self) -> None:
        self.locked = False

    def is_linked(self) -> bool:
        return True

    def close(self) -> None: ...


@pytest.fixture
def words() -> ScriptedWords:
    return ScriptedWords()


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count, not time, ends a burst."""
    monkeypatch.setattr(race, "BURST_NS", 60_000_000_000)


def met(words: ScriptedWords, side: Side, *, locked: bool) -> Race:
    """One side after a round with the scripted other one."""
    Race(words, Side.CONSUMER).locked = locked
    own = Race(words, side)
    words.words[_ARRIVED_AT + 1 - side] = ROUND
    own.run_round(ROUND)
    return own


def add_one(words: ScriptedWords) -> Callable[[int], None]:
    def act(index: int) -> None:
        if index == COUNTER_AT:
            words.words[COUNTER_AT] += 1

    return act


@pytest.mark.parametrize("side", Side)
def test_an_update_between_load_and_store_is_lost_without_the_lock(words: ScriptedWords, side: Side) -> None:
    words.meanwhile = add_one(words)
    met(words, side, locked=False)
    assert words.words[_MADE_AT + side] == MAX_STEPS
    assert words.words[COUNTER_AT] == MAX_STEPS  # and as many of the other side are gone


@pytest.mark.parametrize("side", Side)
def test_with_the_lock_nobody_comes_in_between(words: ScriptedWords, side: Side) -> None:
    words.meanwhile = add_one(words)
    met(words, side, locked=True)
    assert words.words[COUNTER_AT] == words.words[_MADE_AT + side] == MAX_STEPS
    assert words.came_in_between == 0
    assert not words.locked


@pytest.mark.parametrize(("locked", "torn"), [(False, MAX_STEPS), (True, 0)])
def test_a_record_that_changes_while_it_is_read_is_torn(words: ScriptedWords, locked: bool, torn: int) -> None:
    def act(index: int) -> None:
        if index == RECORD[-1]:
            for at in RECORD:
                words.words[at] += 1

    words.meanwhile = act
    consumer = met(words, Side.CONSUMER, locked=locked)
    assert (consumer.records_read, consumer.torn_reads) == (MAX_STEPS, torn)


def test_the_producer_writes_whole_records(words: ScriptedWords) -> None:
    met(words, Side.PRODUCER, locked=False)
    assert {words.words[at] for at in RECORD} == {MAX_STEPS}


def test_whoever_is_alone_changes_nothing_and_says_nothing(words: ScriptedWords) -> None:
    consumer = Race(words, Side.CONSUMER)
    consumer.run_round(ROUND)
    assert words.words[COUNTER_AT] == words.words[_DONE_AT + Side.CONSUMER] == 0
    assert consumer.snapshot(ROUND) is None


def test_a_lock_that_is_never_free_ends_the_round_in_time(
    words: ScriptedWords, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(race, "BURST_NS", 1_000_000)
    words.lock_is_free = False
    began = time.monotonic()
    met(words, Side.PRODUCER, locked=True)
    assert time.monotonic() - began < 10
    assert words.words[COUNTER_AT] == 0
    assert words.words[_DONE_AT] == ROUND << 1 | 1


def test_a_snapshot_is_of_a_round_that_both_have_done_alike(words: ScriptedWords) -> None:
    consumer = met(words, Side.CONSUMER, locked=True)
    assert consumer.snapshot(ROUND) is None  # the producer is not done yet
    words.words[_MADE_AT] = 5
    words.words[_DONE_AT] = ROUND << 1 | 1
    seen = consumer.snapshot(ROUND)
    assert seen is not None
    assert (seen.number, seen.locked, seen.made, seen.counter) == (ROUND, True, MAX_STEPS + 5, MAX_STEPS)
    assert consumer.snapshot(ROUND + 1) is None
    words.words[_DONE_AT] = ROUND << 1
    assert consumer.snapshot(ROUND) is None  # it took no lock, and we did
    words.words[_DONE_AT] = ROUND << 1 | 1
    words.words[_ARRIVED_AT] = ROUND + 1
    assert consumer.snapshot(ROUND) is None  # it may be changing words again


def test_another_life_goes_on_counting_and_a_producers_is_told_apart(words: ScriptedWords) -> None:
    met(words, Side.PRODUCER, locked=False)
    epoch = words.words[3]
    met(words, Side.PRODUCER, locked=False)
    assert words.words[_MADE_AT] == 2 * MAX_STEPS
    assert words.words[3] > epoch


def test_a_producer_waits_for_words_that_a_consumer_has_made(words: ScriptedWords) -> None:
    with pytest.raises(PeerAbsent):
        Race(words, Side.PRODUCER)
    Race(words, Side.CONSUMER)
    Race(words, Side.PRODUCER)


@pytest.mark.parametrize("side", Side)
def test_words_of_somebody_else_are_left_alone(words: ScriptedWords, side: Side) -> None:
    words.words[0] = 12345
    with pytest.raises(Unusable):
        Race(words, side)
    assert words.words == [12345] + [0] * (WORDS - 1)


def test_the_script_keeps_the_contract(words: ScriptedWords) -> None:
    kept: Words = words
    assert kept.is_linked()
