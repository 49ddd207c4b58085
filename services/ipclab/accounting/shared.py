"""The accounts of consumers that share a mailbox: what each consumer received, and what all of them lost.

A consumer of a shared mailbox sees gaps that are messages of other consumers, so one consumer cannot tell what is lost.
Each consumer stores the sequence numbers that it received, in one mapped file for each producer. The files survive kill
-9. They lie in a folder that is named like the container, on a volume that all consumers of the channel share: the
files stay when the container is removed. See docs/decisions/0016-shared-mailbox-accounting.md.

    0 magic   1 producer   2 baseline   3 received before   4 duplicates   5 selector
    6, 7 copy 0 and 8, 9 copy 1: [head, out of window]      10… `BLOCKS` words of 64 numbers each, a bit per number

    sequence number   0 ......... baseline ............ window of `VALID` blocks ............ head
    counted in           received before    out of window    one bit per number

Numbers below the baseline are in the private ledger of the consumer that was alone before. The bits are a ring: number
n is bit n % 64 of block n // 64, in slot block % `BLOCKS`. `head` is the newest block. `out of window` counts the
received numbers of blocks that are `VALID` and more behind the head. One store enters a number. A new head empties its
slot first and then switches the copy: the numbers of that slot were counted `BLOCKS - VALID` blocks ago, so neither a
death in between nor a slow reader sees a wrong count.

`merge` is pure. For each producer, at whatever time each file was read,

    sent = received + lost + on the way

A missing number is lost once every running consumer has received a later one: a mailbox gives out one producer's
messages in order, so a consumer took the message and no longer holds it. Until then the message is on the way: in the
mailbox or in a consumer. Without a running consumer, every missing number below the last received one is lost.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ipclab.accounting.ledger import (
    MOST_COUNTED,
    STREAMS,
    ConsumerLedger,
    LedgerError,
    NoAccount,
    Stream,
    map_words,
    not_ours,
)
from ipclab.contract.errors import in_one_line
from ipclab.contract.optional_parts import MOST
from ipclab.linux import file_lock
from ipclab.linux.atomics import fence

_MAGIC = int.from_bytes(b"IPCLREC1", "little")
_PRODUCER, _BASELINE, _RECEIVED_BEFORE, _DUPLICATES, _SELECTOR, _COPIES, _BITS = 1, 2, 3, 4, 5, 6, 10
BLOCKS = 1 << 14
VALID = BLOCKS - 64


class Received:
    """The numbers that one consumer received of one producer: the mapped file, for the consumer that writes it."""

    def __init__(self, path: Path, producer: int, *, baseline: int = 0, received_before: int = 0) -> None:
        """Map the file, or make it: of the numbers below `baseline`, `received_before` were received.

        :raises LedgerError: the file cannot be mapped, or is another one
        """
        self._words = words = map_words(path, _BITS + BLOCKS, _MAGIC)
        if not words[0]:
            words[_PRODUCER], words[_BASELINE], words[_RECEIVED_BEFORE] = producer, baseline, received_before
            words[_COPIES] = baseline // 64
            fence()
            words[0] = _MAGIC
        try:
            snapshot = Snapshot.of(bytes(words.cast("B")))
        except LedgerError as error:
            raise not_ours(path) from error
        self._head, self._out_of_window = self._copy()
        self.count = snapshot.count if snapshot else 0

    @property
    def duplicates(self) -> int:
        """Messages that this consumer itself received a second time."""
        return self._words[_DUPLICATES]

    def enter(self, sequence: int) -> None:
        """Enter one received number."""
        block, bit = sequence >> 6, 1 << (sequence & 63)
        if block > self._head:
            self._move_to(block)
        elif block <= self._head - VALID:  # too old to be told from a duplicate
            self._switch(self._head, self._out_of_window + 1)
            self.count += 1
            return
        at = _BITS + block % BLOCKS
        bits = self._words[at]
        if bits & bit:
            self._words[_DUPLICATES] += 1
            return
        self._words[at] = bits | bit
        self.count += 1

    def _move_to(self, block: int) -> None:
        first = self._head + 1
        for new in range(first, min(block, first + BLOCKS) + 1):
            self._words[_BITS + new % BLOCKS] = 0
            leaving = (new - VALID) % BLOCKS if new >= VALID else None
            left = self._words[_BITS + leaving].bit_count() if leaving is not None else 0
            self._switch(new, self._out_of_window + left)
        if block > self._head:
            self._switch(block, self._out_of_window)

    def _copy(self) -> tuple[int, int]:
        at = _COPIES + 2 * self._words[_SELECTOR]
        return self._words[at], self._words[at + 1]

    def _switch(self, head: int, out_of_window: int) -> None:
        spare = 1 - self._words[_SELECTOR]
        self._words[_COPIES + 2 * spare], self._words[_COPIES + 2 * spare + 1] = head, out_of_window
        fence()
        self._words[_SELECTOR] = spare
        self._head, self._out_of_window = head, out_of_window


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One file as it was when it was copied. Bit n of `bits` is number `first + n`."""

    producer: int
    baseline: int
    received_before: int
    duplicates: int
    out_of_window: int
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
        if words[_SELECTOR] > 1 or max(words[_BASELINE:_BITS]) > MOST_COUNTED:
            raise LedgerError("it counts more than there are numbers")
        at = _COPIES + 2 * words[_SELECTOR]
        head, out_of_window = words[at], words[at + 1]
        if head > MOST_COUNTED // 64:
            raise LedgerError("it counts more than there are numbers")
        first = max(0, head - VALID + 1)
        begin, end = _BITS + first % BLOCKS, _BITS + head % BLOCKS + 1
        octets = content[8 * begin : 8 * end] if begin < end else content[8 * begin :] + content[8 * _BITS : 8 * end]
        producer, baseline, before, duplicates = words[_PRODUCER : _DUPLICATES + 1]
        return cls(producer, baseline, before, duplicates, out_of_window, 64 * first, int.from_bytes(octets, "little"))

    @property
    def count(self) -> int:
        """Messages this consumer received while it shared the channel."""
        return self.out_of_window + self.bits.bit_count()

    @property
    def end(self) -> int:
        """One more than the highest number received; the baseline before the first."""
        return max(self.baseline, self.first + self.bits.bit_length() if self.bits else 0)


@dataclass(frozen=True, slots=True)
class Account:
    """One producer's messages."""

    sent: int
    received: int  # numbers that some consumer received
    twice: int  # numbers that two consumers received, among the latest, and those one received again
    lost: int
    on_the_way: int


def merge(
    sent: int, snapshots: Sequence[Snapshot], running: Sequence[Snapshot | None], *, overtaking: int = 0
) -> Account:
    """The account of a producer that has taken `sent` numbers.

    :param snapshots: of every consumer that ever received a message
    :param running: of the running consumers; None for one that has received nothing yet
    :param overtaking: by how many numbers a later message may pass an earlier one
    """
    baseline = max((snapshot.baseline for snapshot in snapshots), default=0)
    before = max((snapshot.received_before for snapshot in snapshots if snapshot.baseline == baseline), default=0)
    counted = [snapshot for snapshot in snapshots if snapshot.end > baseline]  # the ledger has the others
    first = max([baseline, *(snapshot.first for snapshot in counted)])
    out_of_window, sets = 0, []
    for snapshot in counted:
        shift = first - snapshot.first
        out_of_window += snapshot.out_of_window + _below(snapshot.bits, shift).bit_count()
        sets.append(snapshot.bits >> shift)
    seen = union = 0
    for bits in sets:
        seen += bits.bit_count()
        union |= bits
    twice = seen - union.bit_count() + sum(snapshot.duplicates for snapshot in counted)
    union = _below(union, max(0, sent - first))  # later numbers belong to the next account
    last = max((snapshot.end for snapshot in counted), default=baseline)
    ends = [snapshot.end if snapshot else baseline for snapshot in running] or [last]
    border = min(max(min(ends) - overtaking, first), max(sent, first))
    passed = border - first
    lost = baseline - before + first - baseline - out_of_window + passed - _below(union, passed).bit_count()
    received = before + out_of_window + union.bit_count()
    return Account(sent, received, twice, lost, sent - received - lost)


def _below(bits: int, count: int) -> int:
    """The first `count` bits. `count` may be the number of all messages: no mask is longer than `bits`."""
    return bits & ((1 << min(count, bits.bit_length())) - 1)


_LOCK = "lock"


class SharedChecker:
    """As `ipclab.accounting.checker.Checker`, for a shared mailbox. The private ledger only counts `corrupt`."""

    shared = True

    def __init__(self, ledger: ConsumerLedger, folder: Path) -> None:
        self._ledger = ledger
        self._folder = folder
        self._before = {producer: record.read() for producer, record in ledger.records.items()}
        self._received: dict[int, Received] = {}
        folder.mkdir(exist_ok=True)
        for producer in {*self._before, *_producers_in(folder)}:
            self._received_of(producer)

    def account(self, producer: int, epoch: int, sequence: int) -> None:
        """Enter one message that arrived whole.

        :raises NoAccount: its producer is one too many
        """
        del epoch  # a gap proves nothing in a shared mailbox
        received = self._received.get(producer)
        if received is None:
            if len(self._received) >= STREAMS:
                raise NoAccount(f"producer {producer:#x} is one more than the {STREAMS} that have accounts")
            received = self._received_of(producer)
        received.enter(sequence)

    def tick(self) -> None:
        """This consumer gives no number up: `./lab` merges the snapshots of all consumers."""

    def corrupt(self) -> None:
        """Enter one arrival that was no message as sent."""
        self._ledger.corrupt += 1

    @property
    def corrupt_count(self) -> int:
        """Arrivals that were no message as it was sent."""
        return self._ledger.corrupt

    def streams(self) -> Iterable[Stream]:
        """The stream of every producer: the private ledger, and the numbers received since."""
        for producer, received in list(self._received.items()):
            before = self._before.get(producer, Stream(0, 0, 0, 0, 0, 0, 0, 0))
            yield before._replace(
                expected=before.expected + received.count, duplicate=before.duplicate + received.duplicates
            )

    def _received_of(self, producer: int) -> Received:
        before = self._before.get(producer)
        baseline, received_before = (before.expected, before.received) if before else (0, 0)
        received = Received(self._folder / str(producer), producer, baseline=baseline, received_before=received_before)
        self._received[producer] = received
        return received


def _producers_in(folder: Path) -> Iterable[int]:
    for path in folder.iterdir():
        if not path.name.isdecimal() or str(producer := int(path.name)) != path.name or producer >= 2**64:
            raise not_ours(path)
        yield producer


def merge_into_ledger(ledger: ConsumerLedger, shared_ledger: Path) -> None:
    """Enter the numbers of many consumers into the ledger of the only consumer; a second call changes nothing.

    Numbers that no consumer received are lost. The lab drains a channel before it stops the consumers.
    """
    by_producer: dict[int, list[Snapshot]] = {}
    for path in shared_ledger.glob("*/*"):
        if snapshot := Snapshot.of(path.read_bytes()):
            by_producer.setdefault(snapshot.producer, []).append(snapshot)
    for producer, snapshots in by_producer.items():
        end = max(snapshot.end for snapshot in snapshots)
        record = ledger.record_of(producer)
        stream = record.read()
        if end <= stream.expected:
            continue
        account = merge(end, snapshots, [])
        lost = max(0, account.lost - stream.lost)
        record.write(
            stream._replace(
                expected=end,
                missing=0,
                lost_at_consumer_restart=stream.lost_at_consumer_restart + lost,
                duplicate=stream.duplicate + account.twice,
            )
        )


def lock_mailbox(shared_ledger: Path, *, shared: bool) -> int:
    """Lock the mailbox until the process ends, `shared` or alone; returns the descriptor of the lock.

    :raises LedgerError: another consumer holds the other kind of lock: the accounts of both would be wrong
    """
    try:
        descriptor = os.open(shared_ledger / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        locked = file_lock.try_lock(descriptor, shared=shared)
    except OSError as error:
        raise LedgerError(in_one_line(error, f"shared ledger {shared_ledger}")) from error
    if not locked:
        os.close(descriptor)
        other = "has the mailbox alone" if shared else "takes from this mailbox already"
        raise LedgerError(
            f"shared ledger {shared_ledger}: another consumer {other} (hint: ./lab up --scale MECHANISM=N; "
            "docker compose needs LAB_SYSV_MQ_SHARED=1 or LAB_POSIX_MQ_SHARED=1)"
        )
    return descriptor


def lock_class(shared_ledger: Path, classes: int) -> int:
    """Lock a class for this consumer until the process ends (flock(2)): a free one, while there is one.

    :raises LedgerError: `MOST` consumers share the mailbox already
    """
    for slot in range(MOST):
        descriptor = os.open(shared_ledger / f"class-{slot}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if file_lock.try_lock(descriptor):
            return slot % classes + 1
        os.close(descriptor)
    raise LedgerError(f"shared ledger {shared_ledger}: {MOST} consumers share the mailbox already")
