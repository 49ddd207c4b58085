"""What a race cost: lost updates and torn reads, by whether the lock was taken. Pure arithmetic.

A round is judged only when nothing else can explain what is seen: both sides did this round and the one
before, alike and to the end, and the producer is the same process. A side that is killed may have changed a
word and not have said so; the rounds it disturbed are not judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Snapshot(NamedTuple):
    """The shared words after a round, while both sides rest."""

    number: int
    sync: bool  # whether both sides took the lock in this round
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


class RaceBooks:
    """A tally for the rounds with the lock, and one for those without."""

    def __init__(self) -> None:
        self.tallies = {True: Tally(), False: Tally()}
        self._before: Snapshot | None = None

    def enter(self, now: Snapshot | None, records_read: int, torn_reads: int) -> bool:
        """Judge the round that `now` was taken after; None is a round that cannot be judged. Whether it was."""
        before, self._before = self._before, now
        if before is None or now is None or (before.number + 1, before.epoch) != (now.number, now.epoch):
            return False
        tally = self.tallies[now.sync]
        updates = now.made - before.made
        tally.updates += updates
        tally.lost_updates += updates - (now.counter - before.counter)
        tally.records_read += records_read
        tally.torn_reads += torn_reads
        return True
