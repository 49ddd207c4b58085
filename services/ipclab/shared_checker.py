"""The books of a consumer that shares its channel with others: what it received, and no word of what is lost.

Each consumer writes into a folder of its own, named like its container, on a volume that the consumers of one channel
share; so its notes are still there when its container is gone. See docs/decisions/0016-shared-mailbox-accounting.md.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable
from pathlib import Path

from ipclab.contract.optional import MOST
from ipclab.ledger import ConsumerLedger, LedgerError, Stream
from ipclab.merge import merge
from ipclab.received import Received, Snapshot

_LOCK = "lock"


class SharedChecker:
    """As `ipclab.checker.Checker`; what the private ledger knows stands, and nothing is added to it but `corrupt`."""

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
        """Of every producer: the private books as they were closed, and on top what was received since."""
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


def fold(ledger: ConsumerLedger, books: Path) -> None:
    """Enter what many consumers received into the ledger of the one that is alone now; a second time changes nothing.

    What none of them received is lost. The lab lets a channel run empty before its consumers are stopped.
    """
    found: dict[int, list[Snapshot]] = {}
    for path in books.glob("*/*"):
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


def claim(books: Path, *, shared: bool) -> int:
    """Say whether this consumer is alone on its channel, for as long as it lives (flock(2)); returns the descriptor.

    :raises LedgerError: another one says otherwise; then the books of both would be wrong
    """
    try:
        descriptor = os.open(books / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError as error:
        other = "keeps the channel to itself" if shared else "takes from this channel already"
        raise LedgerError(
            f"books {books}: another consumer {other} (hint: ./lab up --scale tells all of them; with Compose alone, "
            "LAB_SYSV_MQ_SHARED=1 or LAB_POSIX_MQ_SHARED=1 does)"
        ) from error
    except OSError as error:
        raise LedgerError(f"books {books}: {error.strerror}") from error
    return descriptor


def free_class(books: Path, classes: int) -> int:
    """A class that no other consumer of these books takes, while there is one; ours for as long as we live (flock(2)).

    :raises LedgerError: more consumers than there can be
    """
    for slot in range(MOST):
        descriptor = os.open(books / f"class-{slot}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
        else:
            return slot % classes + 1
    raise LedgerError(f"books {books}: {MOST} consumers are at work already")
