"""The thread beside the loop that runs one side of the race once a second, and exports its cost.

The thread uses the shared words and no part of the channel. A failure is logged once and tried again: the traffic does
not stop for it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ipclab.contract.channel import Address, Switch
from ipclab.contract.errors import ChannelError
from ipclab.contract.optional_parts import SharesWords, Words
from ipclab.metrics import definitions as metrics
from ipclab.metrics.definitions import Sample
from ipclab.pair.race import WORDS, Race, RaceTally, Side
from ipclab.runtime.lifecycle import LogOnce

PERIOD_NS = 1_000_000_000
# A side that is later than this meets no other side.
_LATE_NS = 10_000_000


@dataclass(frozen=True, slots=True)
class Rounds:
    """When they are: every `period_ns`, `phase_ns` after it begins. Both sides of a pair must say the same."""

    period_ns: int = PERIOD_NS
    phase_ns: int = 0

    @classmethod
    def of(cls, place: int, places: int) -> Rounds:
        """For one of several pairs, so that they do not all want the CPUs at once."""
        return cls(PERIOD_NS, PERIOD_NS * place // places)

    def next(self, now_ns: int) -> int:
        """The number of the first round that is not over yet."""
        return (now_ns - self.phase_ns) // self.period_ns + 1

    def moment(self, number: int) -> int:
        """When the round is, on CLOCK_MONOTONIC."""
        return number * self.period_ns + self.phase_ns


class Racer:
    """One side. `wanted` says whether the lock is to be taken; the consumer's word counts, the producer follows."""

    def __init__(
        self, mechanism: SharesWords, address: Address, side: Side, wanted: Callable[[], bool], rounds: Rounds
    ) -> None:
        self._open_words = mechanism.create_words if side is Side.CONSUMER else mechanism.open_words
        self._address = address
        self._side = side
        self._wanted = wanted
        self._rounds = rounds
        self._locked = wanted()
        self._warnings = LogOnce()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="race", daemon=True)
        self.tally = RaceTally()

    def start(self) -> None:
        """Begin to race, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Be done with the round in hand, and let go."""
        self._stop.set()
        self._thread.join()

    def samples(self) -> Iterable[Sample]:
        """The metrics of this side; only the consumer has the tally."""
        yield Sample(metrics.SWITCH_ON, self._locked, (Switch.RACE_LOCK.metric_label,))
        if self._side is Side.CONSUMER:
            for locked, tally in self.tally.tallies.items():
                label = ("on" if locked else "off",)
                yield Sample(metrics.UPDATES, tally.updates, label)
                yield Sample(metrics.LOST_UPDATES, tally.lost_updates, label)
                yield Sample(metrics.RECORDS_READ, tally.records_read, label)
                yield Sample(metrics.TORN_READS, tally.torn_reads, label)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                words = self._open_words(self._address, WORDS)
                try:
                    self._race_on(words)
                finally:
                    words.close()
            except ChannelError as error:
                self._warnings.warning(f"no race, trying again: {error}")
                self._stop.wait(self._rounds.period_ns / 1e9)

    def _race_on(self, words: Words) -> None:
        """Round after round, until the words have lost their name or we stop."""
        race = Race(words, self._side)
        if self._side is Side.CONSUMER:
            race.locked = self._wanted()
        self._warnings.reset()
        while words.is_linked():
            number = self._rounds.next(time.monotonic_ns())
            moment = self._rounds.moment(number)
            if self._wait_until(moment):
                return
            if time.monotonic_ns() < moment + _LATE_NS:
                race.run_round(number)
            self._locked = race.locked
            if self._side is Side.CONSUMER:
                if self._wait_until(moment + self._rounds.period_ns // 2):
                    return
                self.tally.enter(race.snapshot(number), race.records_read, race.torn_reads)
                race.locked = self._wanted()

    def _wait_until(self, moment_ns: int) -> bool:
        """Sleep; True when it is time to stop."""
        return self._stop.wait(max(moment_ns - time.monotonic_ns(), 0) / 1e9)
