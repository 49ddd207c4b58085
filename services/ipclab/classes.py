"""Classes of messages on one channel: an optional part of the contract, for mailboxes whose kernel tells them apart.

A System V queue gives out the messages of one type (msgtyp, msgop(2)); a POSIX queue gives out the highest priority
first (mq_send(3)). A mechanism that can do so makes a mechanism of itself that does: its senders take one class
after the other, its receivers count what they get of each.
"""

from __future__ import annotations

import fcntl
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol, runtime_checkable

from ipclab import metrics
from ipclab.channel import Mechanism
from ipclab.ledger import LedgerError
from ipclab.metrics import Sample

MOST = 8


@runtime_checkable
class Classifies(Protocol):
    """A mechanism whose messages have classes: `class_name` is the kernel's word for it, "type" or "priority"."""

    class_name: str
    receivers_pick: bool  # or the kernel decides what comes out first
    received_by_class: Counter[int]

    def classified(self, classes: int, pick: int = 0) -> Mechanism:
        """The same mechanism with so many classes; its receivers take `pick` and no other, or all for 0.

        :raises ValueError: a receiver cannot pick
        """


def samples(mechanism: Mechanism) -> Iterable[Sample]:
    """What its receivers got of each class in this life of the consumer; nothing where there are none."""
    if isinstance(mechanism, Classifies):
        for number, count in sorted(mechanism.received_by_class.copy().items()):
            yield Sample(metrics.RECEIVED_BY_CLASS, count, (mechanism.class_name, str(number)))


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
