"""The race: two processes change the same words, with a lock or, by one flag, without, and the tally of its cost.

Each side adds 1 to a shared counter: load, add, store. A store of the other side in between loses its update. The
producer also writes a record of several words, and the consumer reads it. A read during a write is torn: it mixes two
writes. Under the lock neither can happen.

A side yields its CPU between the load and the store, and in the middle of a record (sched_yield(2)). A scheduler may do
so anywhere and does so seldom; yielding makes it frequent enough to count, on one CPU as well as on two. The code is
the same with and without the lock.

Both sides meet at the time of a round, change words for a bounded time, and store that they are done. The clock of the
rounds is CLOCK_MONOTONIC, one for all containers of a kernel. The words:

    0  magic            3  epoch of the producer     6, 7  round that each side has done, and its flag
    1  lock: 1 or 0     4, 5  round each side is in  8, 9  updates that each side has made
    2  the counter      16 to 23  the record

`RaceTally` counts lost updates and torn reads, by whether the lock was taken. It judges a round only if nothing else
can explain the words: both sides did this round and the one before, alike and to the end, and the producer is the same
process. A killed side may have changed a word without having said so; the rounds that it disturbed are not judged.
"""

from __future__ import annotations

import errno
import os
import time
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from ipclab.contract.errors import NOT_READY, PeerAbsent, Unusable
from ipclab.contract.optional_parts import Words


class Snapshot(NamedTuple):
    """The shared words after a round, while both sides rest."""

    number: int
    locked: bool  # whether both sides took the lock in this round
    epoch: int  # which life of the producer
    made: int  # updates that both sides made, ever
    counter: int  # how far they brought the counter


@dataclass
class Tally:
    """Totals of the rounds that were judged."""

    updates: int = 0
    lost_updates: int = 0
    records_read: int = 0
    torn_reads: int = 0


class RaceTally:
    """A tally for the rounds with the lock, and one for those without."""

    def __init__(self) -> None:
        self.tallies = {True: Tally(), False: Tally()}
        self._before: Snapshot | None = None

    def enter(self, now: Snapshot | None, records_read: int, torn_reads: int) -> bool:
        """Judge the round that `now` was taken after; None is a round that cannot be judged. Whether it was."""
        before, self._before = self._before, now
        if before is None or now is None or (before.number + 1, before.epoch) != (now.number, now.epoch):
            return False
        tally = self.tallies[now.locked]
        updates = now.made - before.made
        tally.updates += updates
        tally.lost_updates += updates - (now.counter - before.counter)
        tally.records_read += records_read
        tally.torn_reads += torn_reads
        return True


_MAGIC = int.from_bytes(b"IPCRACE1", "little")
_MAGIC_AT, _LOCKED_AT, COUNTER_AT, _EPOCH_AT, _ARRIVED_AT, _DONE_AT, _MADE_AT = 0, 1, 2, 3, 4, 6, 8
RECORD = range(16, 24)
WORDS = 24
_WORD_MASK = 2**64 - 1
_HALVES = RECORD[: len(RECORD) // 2], RECORD[len(RECORD) // 2 :]

# Together they bound what a round costs: some 1 to 2 ms of one CPU on each side, once a second.
MEET_NS = 1_000_000
BURST_NS = 1_000_000
MAX_STEPS = 500


class Side(IntEnum):
    """The side of a pair."""

    PRODUCER = 0
    CONSUMER = 1


class Race:
    """One side of the race on words that are open."""

    def __init__(self, words: Words, side: Side) -> None:
        """Join; the consumer makes of new words what they are to be.

        :raises PeerAbsent: no consumer has been here yet
        :raises Unusable: the words belong to another program
        """
        self._words = words
        self._side = side
        self._other = Side(1 - side)
        magic = words.load(_MAGIC_AT)
        if magic == 0 and side is Side.PRODUCER:
            raise PeerAbsent("the shared words are no race yet", code=NOT_READY)
        if magic not in (0, _MAGIC):
            raise Unusable("the shared words are not ours; remove them", code=errno.EEXIST)
        if side is Side.PRODUCER:
            words.store(_EPOCH_AT, time.time_ns())
        else:
            words.store(_MAGIC_AT, _MAGIC)
        self._made = words.load(_MADE_AT + side)
        self.records_read = 0
        self.torn_reads = 0

    @property
    def locked(self) -> bool:
        """True if the lock is taken. One word for both sides; the consumer writes it between two rounds."""
        return bool(self._words.load(_LOCKED_AT))

    @locked.setter
    def locked(self, value: bool) -> None:
        self._words.store(_LOCKED_AT, int(value))

    def run_round(self, number: int) -> None:
        """Meet the other side and change words, or give up when it does not come."""
        words = self._words
        self.records_read = self.torn_reads = 0
        words.store(_ARRIVED_AT + self._side, number)
        give_up_ns = time.monotonic_ns() + MEET_NS
        while words.load(_ARRIVED_AT + self._other) != number:
            if time.monotonic_ns() >= give_up_ns:
                return
            os.sched_yield()
        locked = self.locked
        self._burst(locked, time.monotonic_ns() + BURST_NS)
        words.store(_MADE_AT + self._side, self._made)
        words.store(_DONE_AT + self._side, number << 1 | locked)

    def snapshot(self, number: int) -> Snapshot | None:
        """The words after round `number`; None unless both sides have done it alike and rest."""
        load = self._words.load
        done = load(_DONE_AT + Side.PRODUCER)
        if done >> 1 != number or load(_DONE_AT + Side.CONSUMER) != done:
            return None
        made = load(_MADE_AT + Side.PRODUCER) + load(_MADE_AT + Side.CONSUMER)
        seen = Snapshot(number, bool(done & 1), load(_EPOCH_AT), made, load(COUNTER_AT))
        return seen if load(_ARRIVED_AT + Side.PRODUCER) == number else None

    def _burst(self, locked: bool, until_ns: int) -> None:
        try_lock, unlock = (self._words.try_lock, self._words.unlock) if locked else (_free, _nothing)
        use_record = self._write_record if self._side is Side.PRODUCER else self._read_record
        for _ in range(MAX_STEPS):
            for work in (self._update, use_record):
                while not try_lock():
                    if time.monotonic_ns() >= until_ns:
                        return
                    os.sched_yield()
                try:
                    work()
                finally:
                    unlock()
            if time.monotonic_ns() >= until_ns:
                return

    def _update(self) -> None:
        value = self._words.load(COUNTER_AT)
        os.sched_yield()
        self._words.store(COUNTER_AT, (value + 1) & _WORD_MASK)  # another program may have left any word
        self._made = (self._made + 1) & _WORD_MASK

    def _write_record(self) -> None:
        first, second = _HALVES
        store, generation = self._words.store, self._made
        for index in first:
            store(index, generation)
        os.sched_yield()
        for index in second:
            store(index, generation)

    def _read_record(self) -> None:
        first, second = _HALVES
        seen = set(map(self._words.load, first))
        os.sched_yield()
        seen.update(map(self._words.load, second))
        self.records_read += 1
        self.torn_reads += len(seen) > 1


def _free() -> bool:
    return True


def _nothing() -> None:
    pass
