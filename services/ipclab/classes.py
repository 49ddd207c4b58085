"""Classes of messages on one channel: an optional part of the contract, for mailboxes whose kernel tells them apart.

A System V queue gives out the messages of one type (msgtyp, msgop(2)); a POSIX queue gives out the highest priority
first (mq_send(3)). A mechanism that can do so makes a mechanism of itself that does: its senders take one class
after the other, its receivers count what they get of each.
"""

from __future__ import annotations

from collections import Counter
from typing import Protocol, runtime_checkable

from ipclab.channel import Mechanism

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
