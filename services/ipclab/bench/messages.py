"""The messages of a bench, the same in every language, and the account of their sequence numbers.

    offset  bytes  field
         0      8  sequence   from 0, warm-up included
         8      8  due_ns     CLOCK_MONOTONIC at the beginning of a burst; 0 in every other shape
        16         payload    byte i is (8 * (sequence % 8) + i) % 251

Little-endian. *Hand-over*: the payload is there already, and nobody reads it; a message costs its 16 bytes. *Touched*:
the producer copies the payload from its pattern into each message (memcpy), and the consumer compares each payload with
its own pattern (memcmp). `bytes.startswith` of a buffer is memcmp(3) at an offset: the cheapest means that Python has
to read every byte. The pattern moves with the sequence, so that an old payload is no new one.
"""

from __future__ import annotations

import struct

HEADER = struct.Struct("<QQ")
SEQUENCE = struct.Struct("<Q")
HEADER_BYTES = HEADER.size
MAX_BYTES = 1 << 20
_PERIOD = 251
_PLACES, _STEP = 8, 8


def pattern_of(size: int) -> bytes:
    """The pattern for messages of `size` bytes: the payload of each sequence number is a slice of it."""
    length = size - HEADER_BYTES + _PLACES * _STEP
    return (bytes(range(_PERIOD)) * (length // _PERIOD + 1))[:length]


def payloads_of(pattern: bytes, size: int) -> list[memoryview]:
    """The payloads by `sequence % 8`."""
    view = memoryview(pattern)
    return [view[place * _STEP : place * _STEP + size - HEADER_BYTES] for place in range(_PLACES)]


def place_of(sequence: int) -> int:
    """The offset in the pattern at which the payload of this message begins."""
    return sequence % _PLACES * _STEP


class Tally:
    """The sequence numbers that arrived."""

    def __init__(self) -> None:
        self.reset()

    def reset(self, first: int = 0) -> None:
        """Begin anew with number `first`: what was before is the warm-up, also what of it arrives late."""
        self.first = first
        self.received = 0
        self.reordered = 0
        self.duplicated = 0
        self.corrupt = 0
        self._missing = set[int]()

    @property
    def missing(self) -> int:
        """Numbers that were skipped and have not come since."""
        return len(self._missing)

    @property
    def in_order(self) -> bool:
        """Has every number come so far, once and in its turn?"""
        return not (self._missing or self.reordered or self.duplicated)

    def unexpected(self, expected: int, sequence: int) -> int:
        """Enter a number that is not the expected one; the number expected next."""
        if sequence > expected:
            self._missing.update(range(expected, sequence))
            self.received += 1
            return sequence + 1
        if sequence < self.first:
            return expected
        if sequence in self._missing:
            self._missing.discard(sequence)
            self.reordered += 1
            self.received += 1
        else:
            self.duplicated += 1
        return expected
