"""The commands of an endpoint that races: see `conformance.harness.endpoint`."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

from ipclab import mechanisms
from ipclab.contract.channel import Address
from ipclab.contract.optional_parts import SharesWords, Words, shares_words
from ipclab.pair.race import WORDS, Side
from ipclab.pair.racer import Racer, Rounds

_PERIOD_NS = 20_000_000
_WITHIN_S = 60.0


class RacingEndpoint:
    """One side of a race, on real words."""

    def __init__(self, mechanism: str, address: Address) -> None:
        self._race_name = mechanism
        self._race_address = address
        self._racer: Racer | None = None
        self._words: Words | None = None
        self._locked = True

    def race(self, side: str, locked: bool = True) -> None:
        """Begin to race, 50 rounds a second."""
        self._locked = locked
        rounds = Rounds(_PERIOD_NS)
        self._racer = Racer(self._sharing(), self._race_address, Side[side], lambda: self._locked, rounds)
        self._racer.start()

    def switch_lock(self, on: bool) -> None:
        """The consumer wants the lock, or no longer."""
        self._locked = on

    def tallies(self) -> dict[str, dict[str, int]]:
        """What the consumer has counted, with the lock and without."""
        assert self._racer
        return {"on" if locked else "off": asdict(tally) for locked, tally in self._racer.tally.tallies.items()}

    def race_until(self, locked: str, **more: int) -> dict[str, int]:
        """Wait until so much more was counted of each that is named, but not for ever; what was counted by then."""
        wanted = {name: self.tallies()[locked][name] + count for name, count in more.items()}
        deadline = time.monotonic() + _WITHIN_S
        while any(self.tallies()[locked][name] < count for name, count in wanted.items()):
            if time.monotonic() > deadline:
                break
            time.sleep(0.005)
        return self.tallies()[locked]

    def end_race(self) -> None:
        """Stop, and let go of the words."""
        assert self._racer
        self._racer.stop()

    def share_words(self, side: str) -> None:
        """Open the words, without a race."""
        sharing = self._sharing()
        open_words = sharing.create_words if side == "CONSUMER" else sharing.open_words
        self._words = open_words(self._race_address, WORDS)

    def word(self, index: int, value: int | None = None) -> int:
        """Store a word, and load it."""
        assert self._words
        if value is not None:
            self._words.store(index, value)
        return self._words.load(index)

    def lock_words(self) -> bool:
        """Try to take the lock."""
        assert self._words
        return self._words.try_lock()

    def unlock_words(self) -> None:
        """Let the next one in."""
        assert self._words
        self._words.unlock()

    def words_are_linked(self) -> bool:
        """Can they be found by their name?"""
        assert self._words
        return self._words.is_linked()

    def close_words(self) -> None:
        """Close, twice: it is idempotent."""
        assert self._words
        self._words.close()
        self._words.close()

    def _sharing(self) -> SharesWords:
        mechanism: Any = mechanisms.load(self._race_name)
        assert shares_words(mechanism)
        return mechanism
