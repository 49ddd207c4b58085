"""The ledgers: the accounts of a producer and of a consumer that survive kill -9, in a mapped file.

The file is on the container's private volume. A store into a shared mapping is in the page cache at once and stays
there when the process dies, so a message needs no system call to be remembered. A process can die between any two
stores: values that belong together are one word, or are written to a spare copy that one word then selects. Another
process may read the file meanwhile: the word that selects is stored behind a fence.

    producer file:  magic, identity, next sequence, skipped
    consumer file:  magic, corrupt, then STREAMS records of
                    [producer, selector, copy 0, copy 1], a copy = the words of `Stream`
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from typing import NamedTuple

from ipclab.contract.errors import in_one_line
from ipclab.linux.atomics import fence

_PRODUCER_MAGIC = int.from_bytes(b"IPCLPRO1", "little")
_CONSUMER_MAGIC = int.from_bytes(b"IPCLCON1", "little")
_WORD = 8
_PRODUCER_WORDS = 4
STREAMS = 64
MOST_COUNTED = 2**63  # one more than the highest sequence number: what a word may hold, and room to add to it


class LedgerError(Exception):
    """The file of a ledger cannot be used; the text names the file and the reason."""


def map_words(path: Path, count: int, magic: int) -> memoryview:
    """Map `count` words of a file, and make the file if there is none; the first word is `magic`, or 0 in a new file.

    :raises LedgerError: the file cannot be mapped, or has another magic
    """
    size = count * _WORD
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(fd, 0, size)  # a full disk is an error here, not a SIGBUS later
            mapping = mmap.mmap(fd, size)
        finally:
            os.close(fd)
    except OSError as error:
        raise LedgerError(in_one_line(error, f"ledger {path}")) from error
    words = memoryview(mapping).cast("Q")
    if words[0] not in (0, magic):
        raise not_ours(path)
    return words


def not_ours(path: Path) -> LedgerError:
    """The error for a file that no lab wrote, or that was damaged."""
    return LedgerError(f"ledger {path} is not one of ours; remove it")


class NoAccount(LedgerError):
    """A message of one producer too many: there is no room for the account of another one."""


class ProducerLedger:
    """The producer's identity and the next sequence number, across restarts.

    A sequence number is taken *before* its message is sent. `next_sequence` therefore counts sent messages, and the one
    message that a killed producer did not send; the consumer sees that message as a gap.
    """

    def __init__(self, path: Path) -> None:
        self._words = map_words(path, _PRODUCER_WORDS, _PRODUCER_MAGIC)
        if not (self._words[0] and self._words[1]):  # new; or cut off before its identity
            self._words[1] = int.from_bytes(os.urandom(8), "little") >> 1 | 1
            fence()
            self._words[0] = _PRODUCER_MAGIC
        if max(self._words[2:]) > MOST_COUNTED:
            raise not_ours(path)

    @property
    def identity(self) -> int:
        """The random number of this producer, drawn when the file was made."""
        return self._words[1]

    @property
    def next_sequence(self) -> int:
        """The number of the next message, which is the count of messages sent."""
        return self._words[2]

    @next_sequence.setter
    def next_sequence(self, value: int) -> None:
        self._words[2] = value

    @property
    def skipped(self) -> int:
        """Messages that were due and never sent."""
        return self._words[3]

    @skipped.setter
    def skipped(self, value: int) -> None:
        self._words[3] = value


class Stream(NamedTuple):
    """The account of one producer at a consumer. Received messages are `expected - missing - lost`."""

    epoch: int
    expected: int  # one more than the highest sequence number seen
    missing: int  # gaps that may still be filled, on a mechanism that reorders
    lost_in_channel: int
    lost_at_producer_restart: int
    lost_at_consumer_restart: int
    duplicate: int
    reordered: int

    @property
    def lost(self) -> int:
        """Sequence numbers given up, for all reasons."""
        return self.lost_in_channel + self.lost_at_producer_restart + self.lost_at_consumer_restart

    @property
    def received(self) -> int:
        """Messages received once."""
        return self.expected - self.missing - self.lost

    @property
    def is_sound(self) -> bool:
        """Whether counts can be added to it: no sum of its fields leaves a word."""
        return max(self[1:]) <= MOST_COUNTED and self.missing + self.lost <= MOST_COUNTED


_NEW_STREAM = Stream(0, 0, 0, 0, 0, 0, 0, 0)
_FIELDS = len(_NEW_STREAM)
_EXPECTED = Stream._fields.index("expected")
_RECORD = 2 + 2 * _FIELDS
_HEAD = 2


class StreamRecord:
    """One producer's record in the consumer's file."""

    def __init__(self, words: memoryview, begin: int) -> None:
        self._words = words
        self._begin = begin
        self.read()

    def read(self) -> Stream:
        """The current record; also finds the word that `advance` writes."""
        copy = self._copy(self._words[self._begin + 1])
        self._expected_at = copy + _EXPECTED
        return Stream(*self._words[copy : copy + _FIELDS])

    def write(self, stream: Stream) -> None:
        """Replace the record; a death in between leaves the old one."""
        spare = 1 - self._words[self._begin + 1]
        copy = self._copy(spare)
        for offset, value in enumerate(stream):
            self._words[copy + offset] = value
        fence()
        self._words[self._begin + 1] = spare
        self._expected_at = copy + _EXPECTED

    def advance(self, expected: int) -> None:
        """The common case in one store: the next message in order was received."""
        self._words[self._expected_at] = expected

    def _copy(self, selector: int) -> int:
        return self._begin + 2 + selector * _FIELDS


class ConsumerLedger:
    """The accounts of every producer at a consumer, across restarts."""

    def __init__(self, path: Path) -> None:
        self._words = map_words(path, _HEAD + STREAMS * _RECORD, _CONSUMER_MAGIC)
        self._words[0] = _CONSUMER_MAGIC
        self.records: dict[int, StreamRecord] = {}
        for begin in range(_HEAD, _HEAD + STREAMS * _RECORD, _RECORD):
            producer = self._words[begin]
            if not producer:
                if any(self._words[begin:]):  # a record is written after its producer
                    raise not_ours(path)
                break
            if self._words[begin + 1] > 1 or producer in self.records:
                raise not_ours(path)
            record = self.records[producer] = StreamRecord(self._words, begin)
            if not record.read().is_sound:
                raise not_ours(path)
        if self.corrupt > MOST_COUNTED:
            raise not_ours(path)

    @property
    def corrupt(self) -> int:
        """Arrivals that were no message as it was sent."""
        return self._words[1]

    @corrupt.setter
    def corrupt(self, value: int) -> None:
        self._words[1] = value

    def record_of(self, producer: int) -> StreamRecord:
        """The record of `producer`, made on its first message.

        :raises NoAccount: `STREAMS` producers were seen already
        """
        record = self.records.get(producer)
        if record is None:
            if len(self.records) == STREAMS:
                raise NoAccount(f"producer {producer:#x} is one more than the {STREAMS} that have accounts")
            begin = _HEAD + len(self.records) * _RECORD
            record = self.records[producer] = StreamRecord(self._words, begin)
            self._words[begin] = producer
        return record


def producer_in(content: bytes) -> tuple[int, int, int]:
    """A copy of a producer's file: its identity, how many numbers it has taken, and how many messages it skipped.

    :raises LedgerError: it is no such file
    """
    words = _copied(content, _PRODUCER_MAGIC, _PRODUCER_WORDS)
    return words[1], words[2], words[3]


def streams_in(content: bytes) -> dict[int, Stream]:
    """A copy of a consumer's file: producer to its stream.

    :raises LedgerError: it is no such file
    """
    words = _copied(content, _CONSUMER_MAGIC, _HEAD)
    begins = [begin for begin in range(_HEAD, len(words) - _RECORD + 1, _RECORD) if words[begin]]
    if any(words[begin + 1] > 1 for begin in begins):
        raise LedgerError("a record of it selects no copy")
    return {words[begin]: StreamRecord(words, begin).read() for begin in begins}


def corrupt_in(content: bytes) -> int:
    """A copy of a consumer's file: the arrivals that were no message as it was sent.

    :raises LedgerError: it is no such file
    """
    return _copied(content, _CONSUMER_MAGIC, _HEAD)[1]


def _copied(content: bytes, magic: int, least: int) -> memoryview:
    words = memoryview(content[: len(content) // _WORD * _WORD]).cast("Q")
    if len(words) < least or words[0] != magic:
        raise LedgerError("it is no ledger of ours")
    return words
