from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipclab.accounting import checker
from ipclab.accounting.checker import PATIENCE, Checker
from ipclab.accounting.ledger import ConsumerLedger, Stream

CHANNEL, PRODUCER, CONSUMER = "lost_in_channel", "lost_at_producer_restart", "lost_at_consumer_restart"


class Fates:
    """The plain way to keep the same accounts: one fate per sequence number. For one producer."""

    def __init__(self, *, ordered: bool, window: int) -> None:
        self.fate: dict[int, str] = {}
        self.events: Counter[str] = Counter()
        self._ordered = ordered
        self._window = window
        self._epoch = 0
        self._fresh = True

    @property
    def expected(self) -> int:
        return len(self.fate)

    def count(self, fate: str) -> int:
        return sum(1 for other in self.fate.values() if other == fate)

    def consumer_restarts(self) -> None:
        self._fresh = True
        for number, fate in self.fate.items():
            if fate == "missing":
                self.fate[number] = CONSUMER

    def arrives(self, epoch: int, sequence: int) -> None:
        fresh, self._fresh = self._fresh, False
        if sequence < self.expected:
            if self.fate[sequence] == "missing":
                self.fate[sequence] = "received"
                self.events["reordered"] += 1
            else:
                self.events["duplicate"] += 1
            return
        ordinary = not fresh and epoch == self._epoch
        reason = CONSUMER if fresh else PRODUCER if not ordinary else CHANNEL if self._ordered else "missing"
        for number in range(self.expected, sequence):
            self.fate[number] = reason
        self.fate[sequence] = "received"
        self._epoch = epoch
        if ordinary:
            for number in range(max(sequence - self._window, 0)):
                if self.fate[number] == "missing":
                    self.fate[number] = CHANNEL


def assert_same(stream: Stream, fates: Fates) -> None:
    assert stream.expected == fates.expected
    assert stream.received == fates.count("received")
    assert stream.missing == fates.count("missing")
    assert stream.lost_in_channel == fates.count(CHANNEL)
    assert stream.lost_at_producer_restart == fates.count(PRODUCER)
    assert stream.lost_at_consumer_restart == fates.count(CONSUMER)
    assert stream.duplicate == fates.events["duplicate"]
    assert stream.reordered == fates.events["reordered"]
    assert fates.count("received") + stream.lost + stream.missing == stream.expected


class Consumption:
    """A consumer with its ledger on disk, and the plain accounts beside it."""

    def __init__(self, directory: Path, *, ordered: bool, window: int = checker.WINDOW) -> None:
        self._path = directory / "consumer.ledger"
        self._ordered = ordered
        self._window = window
        self.fates: dict[int, Fates] = {}
        self.checker = self._open()

    def _open(self) -> Checker:
        return Checker(ConsumerLedger(self._path), ordered=self._ordered)

    def restart(self) -> None:
        self.checker = self._open()
        for fates in self.fates.values():
            fates.consumer_restarts()
        self.compare()

    def arrives(self, sequence: int, *, epoch: int = 1, producer: int = 77) -> None:
        self.checker.account(producer, epoch, sequence)
        fates = self.fates.setdefault(producer, Fates(ordered=self._ordered, window=self._window))
        fates.arrives(epoch, sequence)

    def compare(self) -> None:
        streams = list(self.checker.streams())
        assert len(streams) == len(self.fates)
        for stream, fates in zip(streams, self.fates.values(), strict=True):
            assert_same(stream, fates)
        on_file = [record.read() for record in ConsumerLedger(self._path).records.values()]
        assert on_file == streams  # what a kill -9 now would leave

    @property
    def stream(self) -> Stream:
        (stream,) = self.checker.streams()
        return stream


@pytest.fixture
def ordered(tmp_path: Path) -> Consumption:
    return Consumption(tmp_path, ordered=True)


@pytest.fixture
def unordered(tmp_path: Path) -> Consumption:
    return Consumption(tmp_path, ordered=False)


arrival = st.tuples(st.sampled_from([77, 78]), st.integers(0, 40))
steps = st.lists(st.one_of(arrival, arrival, arrival, st.sampled_from(["consumer restarts", "producer restarts"])))


@settings(max_examples=150)
@given(steps=steps, is_ordered=st.booleans(), window=st.sampled_from([1, 4, 1024]))
def test_whatever_arrives_the_accounts_are_those_of_counting_every_number(
    steps: list[tuple[int, int] | str], is_ordered: bool, window: int
) -> None:
    with TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
        patch.setattr(checker, "WINDOW", window)
        consumption = Consumption(Path(directory), ordered=is_ordered, window=window)
        epoch = 1
        for step in steps:
            if step == "consumer restarts":
                consumption.restart()
            elif step == "producer restarts":
                epoch += 1
            elif isinstance(step, tuple):
                consumption.arrives(step[1], epoch=epoch, producer=step[0])
            consumption.compare()


@settings(max_examples=100)
@given(
    sent=st.integers(1, 60),
    data=st.data(),
    is_ordered=st.booleans(),
)
def test_a_channel_that_loses_repeats_and_shuffles(sent: int, data: st.DataObject, is_ordered: bool) -> None:
    """Any delivery of any part of what was sent: with the last number in, every number has one fate."""
    delivered = data.draw(st.permutations(data.draw(st.lists(st.integers(0, sent - 1), max_size=2 * sent))))
    with TemporaryDirectory() as directory:
        consumption = Consumption(Path(directory), ordered=is_ordered)
        for sequence in [0, *delivered, sent]:
            consumption.arrives(sequence)
        consumption.compare()
        stream = consumption.stream
        distinct = {0, *delivered, sent}
        assert stream.received + stream.lost + stream.missing == sent + 1
        if is_ordered:
            assert stream.missing == stream.reordered == 0
            assert stream.received + stream.duplicate == len(delivered) + 2
        else:  # within the window nothing is given up, and only what came twice is a duplicate
            assert stream.lost == 0
            assert stream.received == len(distinct)
            assert stream.duplicate == len(delivered) + 2 - len(distinct)


def test_in_order_and_complete(ordered: Consumption) -> None:
    for sequence in range(3000):
        ordered.arrives(sequence)
    assert ordered.stream == Stream(1, 3000, 0, 0, 0, 0, 0, 0)
    assert ordered.stream.received == 3000


def test_a_gap_on_an_ordered_mechanism_is_lost_at_once(ordered: Consumption) -> None:
    for sequence in (0, 1, 5):
        ordered.arrives(sequence)
    assert (ordered.stream.lost_in_channel, ordered.stream.missing, ordered.stream.received) == (3, 0, 3)


def test_a_gap_on_an_unordered_mechanism_is_missing_until_filled(unordered: Consumption) -> None:
    for sequence in (0, 3):
        unordered.arrives(sequence)
    assert (unordered.stream.missing, unordered.stream.lost, unordered.stream.reordered) == (2, 0, 0)
    unordered.arrives(2)
    unordered.arrives(2)
    assert (unordered.stream.missing, unordered.stream.reordered, unordered.stream.duplicate) == (1, 1, 1)
    unordered.arrives(1)
    assert (unordered.stream.missing, unordered.stream.reordered, unordered.stream.received) == (0, 2, 4)


def test_a_gap_is_given_up_when_it_is_a_window_old_and_not_before(unordered: Consumption) -> None:
    for sequence in (0, *range(2, checker.WINDOW + 2)):
        unordered.arrives(sequence)
    assert (unordered.stream.missing, unordered.stream.lost) == (1, 0)
    unordered.arrives(checker.WINDOW + 2)
    assert (unordered.stream.missing, unordered.stream.lost_in_channel) == (0, 1)
    unordered.arrives(1)  # too late: it has been counted as lost, and cannot be counted twice
    assert (unordered.stream.lost_in_channel, unordered.stream.duplicate) == (1, 1)


def test_where_messages_may_be_dropped_a_gap_is_given_up_with_time(tmp_path: Path) -> None:
    checker = Checker(ConsumerLedger(tmp_path / "ledger"), ordered=False, reliable=False)
    for sequence in (0, 3):
        checker.account(7, 1, sequence)
    for _ in range(PATIENCE):
        checker.tick()
    checker.account(7, 1, 2)  # late, and not too late
    checker.account(7, 1, 5)
    assert [(s.missing, s.reordered, s.lost_in_channel) for s in checker.streams()] == [(2, 1, 0)]
    checker.tick()
    assert [(s.missing, s.reordered, s.lost_in_channel) for s in checker.streams()] == [(1, 1, 1)]  # 1; 4 may come
    checker.account(7, 1, 1)
    assert [(s.received, s.duplicate, s.lost_in_channel) for s in checker.streams()] == [(4, 1, 1)]


def test_where_none_may_be_dropped_time_alone_loses_nothing(unordered: Consumption) -> None:
    unordered.arrives(0)
    unordered.arrives(3)
    for _ in range(10 * PATIENCE):
        unordered.checker.tick()
    assert unordered.stream.missing == 2


@pytest.mark.parametrize("gap", [checker.WINDOW - 1, checker.WINDOW, checker.WINDOW + 1, 10 * checker.WINDOW])
def test_of_a_gap_wider_than_the_window_only_the_end_may_still_come(unordered: Consumption, gap: int) -> None:
    unordered.arrives(0)
    unordered.arrives(gap + 1)
    assert unordered.stream.missing == min(gap, checker.WINDOW)
    assert unordered.stream.lost_in_channel == max(0, gap - checker.WINDOW)
    unordered.compare()


def test_a_gap_of_a_thousand_billion_costs_no_memory(unordered: Consumption) -> None:
    unordered.checker.account(77, 1, 0)
    unordered.checker.account(77, 1, 10**12)
    assert unordered.stream.missing == checker.WINDOW
    assert unordered.stream.received == 2


@pytest.mark.parametrize("is_ordered", [True, False])
def test_what_died_with_the_producer_is_lost_at_its_restart(tmp_path: Path, is_ordered: bool) -> None:
    consumption = Consumption(tmp_path, ordered=is_ordered)
    consumption.arrives(0, epoch=10)
    consumption.arrives(3, epoch=20)
    assert consumption.stream == Stream(20, 4, 0, 0, 2, 0, 0, 0)
    consumption.arrives(5, epoch=20)  # the second gap of the new life is the channel's
    assert consumption.stream.lost_at_producer_restart == 2
    assert consumption.stream.lost_in_channel + consumption.stream.missing == 1


def test_a_producer_restart_that_loses_nothing_loses_nothing(ordered: Consumption) -> None:
    ordered.arrives(0, epoch=10)
    ordered.arrives(1, epoch=20)
    assert ordered.stream == Stream(20, 2, 0, 0, 0, 0, 0, 0)


@pytest.mark.parametrize("is_ordered", [True, False])
def test_what_the_consumer_missed_while_it_was_down_is_lost_at_its_restart(tmp_path: Path, is_ordered: bool) -> None:
    consumption = Consumption(tmp_path, ordered=is_ordered)
    consumption.arrives(0)
    consumption.restart()
    consumption.arrives(4)
    assert consumption.stream == Stream(1, 5, 0, 0, 0, 3, 0, 0)
    consumption.restart()
    consumption.arrives(5)
    consumption.arrives(8)  # not the first of this life
    assert consumption.stream.lost_at_consumer_restart == 3
    assert consumption.stream.lost_in_channel + consumption.stream.missing == 2


def test_what_a_killed_consumer_had_entered_and_not_released_comes_again_and_is_no_duplicate(tmp_path: Path) -> None:
    path = tmp_path / "ledger"

    def life(*arrivals: tuple[int, int], gives_back: bool = True) -> Stream:
        with_it = Checker(ConsumerLedger(path), ordered=True, gives_back=gives_back)
        for epoch, sequence in arrivals:
            with_it.account(7, epoch, sequence)
        (stream,) = with_it.streams()
        return stream

    life((1, 0), (1, 1))
    again = life((1, 1), (1, 2))
    assert (again.received, again.duplicate, again.lost_at_consumer_restart) == (3, 0, 0)
    assert life((1, 1)).duplicate == 1  # older than the last number
    assert life((1, 2), (1, 2)).duplicate == 2  # the second time in one life
    assert life((2, 2)).duplicate == 3  # of another life of the producer
    assert life((1, 2), gives_back=False).duplicate == 4


def test_when_both_restarted_the_consumer_is_blamed(ordered: Consumption) -> None:
    ordered.arrives(0, epoch=1)
    ordered.restart()
    ordered.arrives(4, epoch=2)
    assert ordered.stream == Stream(2, 5, 0, 0, 0, 3, 0, 0)


def test_a_restart_gives_up_what_was_missing(unordered: Consumption) -> None:
    unordered.arrives(0)
    unordered.arrives(3)
    unordered.restart()
    assert unordered.stream == Stream(1, 4, 0, 0, 0, 2, 0, 0)
    unordered.restart()
    assert unordered.stream.lost_at_consumer_restart == 2  # once


def test_what_came_before_the_first_consumer_ever_is_lost_to_it(ordered: Consumption) -> None:
    ordered.arrives(500)
    assert ordered.stream == Stream(1, 501, 0, 0, 0, 500, 0, 0)


def test_the_producers_do_not_mix(ordered: Consumption) -> None:
    chance = random.Random(5)
    following = dict.fromkeys(range(1, 6), 0)
    for _ in range(2000):
        producer = chance.randrange(1, 6)
        ordered.arrives(following[producer], producer=producer)
        following[producer] += chance.choice((1, 1, 1, 1, 2, 7))
    ordered.compare()
    assert sum(s.received for s in ordered.checker.streams()) == 2000
    assert len(list(ordered.checker.streams())) == 5


def test_corrupt_arrivals_are_remembered(ordered: Consumption) -> None:
    ordered.checker.corrupt()
    ordered.checker.corrupt()
    ordered.restart()
    ordered.checker.corrupt()
    assert ordered.checker.corrupt_count == 3
