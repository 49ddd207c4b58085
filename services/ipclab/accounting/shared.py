"""Which sequence numbers of one producer a consumer that shares its channel has received; survives kill -9.

A consumer that shares a mailbox sees gaps that are other consumers' messages, so it cannot tell what is lost: it
notes what it received, and whoever has the notes of all (`ipclab.accounting.shared`) can tell. The notes are a mapped
file of words, as in `ipclab.accounting.ledger`:

    0 magic   1 producer   2 floor   3 received below the floor   4 again   5 selector
    6, 7 copy 0 and 8, 9 copy 1: [head, older]        10… `BLOCKS` words of 64 numbers each, a bit per number

The bits are a ring: number n is bit n % 64 of block n // 64, in slot block % `BLOCKS`. `head` is the newest block;
`older` counts what was received in blocks that are `VALID` and more behind it. One store enters a number. When the
head moves on, the slot it moves to is emptied first and then the copy is switched: what the slot held was counted as
older `BLOCKS - VALID` blocks ago, so a death in between, and a reader that takes a while, see nothing wrong.

The accounts of a consumer that shares its channel with others: what it received, and no word of what is lost.

Each consumer writes into a folder of its own, named like its container, on a volume that the consumers of one channel
share; so its notes are still there when its container is gone. See docs/decisions/0016-shared-mailbox-accounting.md.

What all consumers of a shared channel received of one producer, together: pure.

    sent = received + lost + on the way

for each producer, whatever moment each consumer's notes are from. A missing number is lost once every consumer that
runs has received a later one: a mailbox gives out one producer's messages in order, so somebody took it out, and
nobody has it in hand any more. Until then it is on the way: in the mailbox, or in a hand. Where no consumer runs,
what was taken out before the last number that any received was in a hand that is dead.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ipclab.accounting.ledger import ConsumerLedger, LedgerError, Stream, map_words
from ipclab.contract.optional import MOST

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


@dataclass(frozen=True, slots=True)
class Account:
    """One producer's messages."""

    sent: int
    received: int  # numbers that some consumer received
    twice: int  # numbers that two consumers received, among the latest, and those one received again
    lost: int
    on_the_way: int


def merge(sent: int, notes: Sequence[Snapshot], running: Sequence[Snapshot | None], *, overtaking: int = 0) -> Account:
    """The account of a producer that has taken `sent` numbers.

    :param notes: of every consumer that ever was, if it received anything
    :param running: of the consumers that run, the same notes; None for one that has received nothing yet
    :param overtaking: by how many numbers a later message may pass an earlier one
    """
    floor = max((note.floor for note in notes), default=0)
    earlier = max((note.below for note in notes if note.floor == floor), default=0)
    notes = [note for note in notes if note.end > floor]  # the others are in the ledger below the floor
    base = max([floor, *(note.first for note in notes)])
    older, sets = 0, []
    for note in notes:
        shift = base - note.first
        older += note.older + (note.bits & ((1 << shift) - 1)).bit_count()
        sets.append(note.bits >> shift)
    seen = union = 0
    for bits in sets:
        seen += bits.bit_count()
        union |= bits
    twice = seen - union.bit_count() + sum(note.again for note in notes)
    union &= (1 << max(0, sent - base)) - 1  # what came since `sent` was read belongs to the next account
    ends = [note.end if note else floor for note in running] or [max((note.end for note in notes), default=floor)]
    border = min(max(min(ends) - overtaking, base), max(sent, base))
    passed = border - base
    lost = (floor - earlier) + (base - floor - older) + passed - (union & ((1 << passed) - 1)).bit_count()
    received = earlier + older + union.bit_count()
    return Account(sent, received, twice, lost, sent - received - lost)


_LOCK = "lock"


class SharedChecker:
    """As `ipclab.accounting.checker.Checker`; what the private ledger knows stands, and nothing is added to it but
    `corrupt`."""

    shared = True

    def __init__(self, ledger: ConsumerLedger, folder: Path) -> None:
        self._ledger = ledger
        self._folder = folder
        self._before = {producer: record.read() for producer, record in ledger.records.items()}
        self._received: dict[int, Received] = {}
        folder.mkdir(exist_ok=True)
        for producer in {*self._before, *(int(path.name) for path in folder.iterdir())}:
            self._received_of(producer)

    def account(self, producer: int, epoch: int, sequence: int) -> None:
        """Enter one message that arrived whole."""
        del epoch  # a gap proves nothing here, so neither does its place
        received = self._received.get(producer)
        if received is None:
            received = self._received_of(producer)
        received.enter(sequence)

    def tick(self) -> None:
        """Nothing is given up here: `./lab` merges the notes of all consumers."""

    def corrupt(self) -> None:
        """Enter one arrival that was no message as sent."""
        self._ledger.corrupt += 1

    @property
    def corrupt_count(self) -> int:
        """Arrivals that were no message as it was sent."""
        return self._ledger.corrupt

    def streams(self) -> Iterable[Stream]:
        """Of every producer: the private ledger as it was closed, and on top what was received since."""
        for producer, received in list(self._received.items()):
            before = self._before.get(producer, Stream(0, 0, 0, 0, 0, 0, 0, 0))
            yield before._replace(
                expected=before.expected + received.count, duplicate=before.duplicate + received.again
            )

    def _received_of(self, producer: int) -> Received:
        before = self._before.get(producer)
        floor, below = (before.expected, before.received) if before else (0, 0)
        received = Received(self._folder / str(producer), producer, floor=floor, below=below)
        self._received[producer] = received
        return received


def fold(ledger: ConsumerLedger, shared_ledger: Path) -> None:
    """Enter what many consumers received into the ledger of the one that is alone now; a second time changes nothing.

    What none of them received is lost. The lab lets a channel run empty before its consumers are stopped.
    """
    found: dict[int, list[Snapshot]] = {}
    for path in shared_ledger.glob("*/*"):
        if snapshot := Snapshot.of(path.read_bytes()):
            found.setdefault(snapshot.producer, []).append(snapshot)
    for producer, notes in found.items():
        end = max(note.end for note in notes)
        record = ledger.record_of(producer)
        stream = record.read()
        if end <= stream.expected:
            continue
        account = merge(end, notes, [])
        lost = max(0, account.lost - stream.lost)
        record.write(
            stream._replace(
                expected=end,
                missing=0,
                lost_at_consumer_restart=stream.lost_at_consumer_restart + lost,
                duplicate=stream.duplicate + account.twice,
            )
        )


def claim(shared_ledger: Path, *, shared: bool) -> int:
    """Say whether this consumer is alone on its channel, for as long as it lives (flock(2)); returns the descriptor.

    :raises LedgerError: another one says otherwise; then the accounts of both would be wrong
    """
    try:
        descriptor = os.open(shared_ledger / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError as error:
        other = "keeps the channel to itself" if shared else "takes from this channel already"
        raise LedgerError(
            f"shared ledger {shared_ledger}: another consumer {other} (hint: ./lab up --scale tells all of them; "
            "with Compose alone, LAB_SYSV_MQ_SHARED=1 or LAB_POSIX_MQ_SHARED=1 does)"
        ) from error
    except OSError as error:
        raise LedgerError(f"shared ledger {shared_ledger}: {error.strerror}") from error
    return descriptor


def free_class(shared_ledger: Path, classes: int) -> int:
    """Lock a class for this consumer until the process ends (flock(2)): a free one, while there is one.

    :raises LedgerError: more consumers than there can be
    """
    for slot in range(MOST):
        descriptor = os.open(shared_ledger / f"class-{slot}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
        else:
            return slot % classes + 1
    raise LedgerError(f"shared ledger {shared_ledger}: {MOST} consumers are at work already")
