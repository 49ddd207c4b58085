"""Which sequence numbers of one producer a consumer that shares its channel has received; survives kill -9.

A consumer that shares a mailbox sees gaps that are other consumers' messages, so it cannot tell what is lost: it
notes what it received, and whoever has the notes of all (`ipclab.merge`) can tell. The notes are a mapped file of
words, as in `ipclab.ledger`:

    0 magic   1 producer   2 floor   3 received below the floor   4 again   5 selector
    6, 7 copy 0 and 8, 9 copy 1: [head, older]        10… `BLOCKS` words of 64 numbers each, a bit per number

The bits are a ring: number n is bit n % 64 of block n // 64, in slot block % `BLOCKS`. `head` is the newest block;
`older` counts what was received in blocks that are `VALID` and more behind it. One store enters a number. When the
head moves on, the slot it moves to is emptied first and then the copy is switched: what the slot held was counted as
older `BLOCKS - VALID` blocks ago, so a death in between, and a reader that takes a while, see nothing wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ipclab.ledger import LedgerError, map_words

_MAGIC = int.from_bytes(b"IPCLREC1", "little")
_PRODUCER, _FLOOR, _BELOW, _AGAIN, _SELECTOR, _COPIES, _BITS = 1, 2, 3, 4, 5, 6, 10
BLOCKS = 1 << 14
VALID = BLOCKS - 64


class Received:
    """The file of one producer, for the consumer that writes it."""

    def __init__(self, path: Path, producer: int, *, floor: int = 0, below: int = 0) -> None:
        """Map it, or make it: numbers under `floor` were accounted for before, and `below` of them were received."""
        self._words = words = map_words(path, _BITS + BLOCKS, _MAGIC)
        if not words[0]:
            words[_PRODUCER], words[_FLOOR], words[_BELOW] = producer, floor, below
            words[_COPIES] = floor // 64
            words[0] = _MAGIC
        self._head, self._older = self._copy()
        snapshot = Snapshot.of(bytes(words.cast("B")))
        self.count = snapshot.count if snapshot else 0

    @property
    def again(self) -> int:
        """Messages that this consumer itself received a second time."""
        return self._words[_AGAIN]

    def enter(self, sequence: int) -> None:
        """Note one message."""
        block, bit = sequence >> 6, 1 << (sequence & 63)
        if block > self._head:
            self._move_to(block)
        elif block <= self._head - VALID:  # too long ago to be told from one that came before
            self._switch(self._head, self._older + 1)
            self.count += 1
            return
        at = _BITS + block % BLOCKS
        bits = self._words[at]
        if bits & bit:
            self._words[_AGAIN] += 1
            return
        self._words[at] = bits | bit
        self.count += 1

    def _move_to(self, block: int) -> None:
        first = self._head + 1
        for new in range(first, min(block, first + BLOCKS) + 1):
            self._words[_BITS + new % BLOCKS] = 0
            leaving = (new - VALID) % BLOCKS if new >= VALID else None
            self._switch(new, self._older + (self._words[_BITS + leaving].bit_count() if leaving is not None else 0))
        if block > self._head:
            self._switch(block, self._older)

    def _copy(self) -> tuple[int, int]:
        at = _COPIES + 2 * self._words[_SELECTOR]
        return self._words[at], self._words[at + 1]

    def _switch(self, head: int, older: int) -> None:
        spare = 1 - self._words[_SELECTOR]
        self._words[_COPIES + 2 * spare], self._words[_COPIES + 2 * spare + 1] = head, older
        self._words[_SELECTOR] = spare
        self._head, self._older = head, older


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One file as it was when it was copied. Bit n of `bits` is number `first + n`."""

    producer: int
    floor: int
    below: int
    again: int
    older: int
    first: int
    bits: int

    @classmethod
    def of(cls, content: bytes) -> Self | None:
        """Read a copy of a file; None if its consumer died while it made it.

        :raises LedgerError: it is no such file
        """
        if not any(content[:8]):
            return None
        if len(content) != 8 * (_BITS + BLOCKS) or int.from_bytes(content[:8], "little") != _MAGIC:
            raise LedgerError("it holds no received numbers")
        words = memoryview(content).cast("Q")
        at = _COPIES + 2 * (words[_SELECTOR] & 1)
        head, older = words[at], words[at + 1]
        first = max(0, head - VALID + 1)
        begin, end = _BITS + first % BLOCKS, _BITS + head % BLOCKS + 1
        octets = content[8 * begin : 8 * end] if begin < end else content[8 * begin :] + content[8 * _BITS : 8 * end]
        producer, floor, below, again = words[_PRODUCER : _AGAIN + 1]
        return cls(producer, floor, below, again, older, 64 * first, int.from_bytes(octets, "little"))

    @property
    def count(self) -> int:
        """Messages this consumer received while it shared the channel."""
        return self.older + self.bits.bit_count()

    @property
    def end(self) -> int:
        """One more than the highest number received; the floor before the first."""
        return max(self.floor, self.first + self.bits.bit_length() if self.bits else 0)
