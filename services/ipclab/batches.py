"""Batches: an optional part of the contract, for mechanisms that move many messages at the price of one.

All messages of a batch have one length and lie one behind the other in `block`. Single messages and batches can be
mixed on one channel; the other side need not know.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class BatchSender(Protocol):
    """A sender that takes several messages at once."""

    def send_many(self, block: memoryview, size: int, timeout_s: float) -> int:
        """Send messages of `size` bytes from the beginning of `block`; how many, at least one.

        :raises ChannelError: as `Sender.send` does; nothing was sent
        """


@runtime_checkable
class BatchReceiver(Protocol):
    """A receiver that hands out several messages at once."""

    def receive_many(self, block: memoryview, size: int, timeout_s: float) -> int:
        """Receive messages of `size` bytes into `block`; how many, at least one.

        :raises ChannelError: as `Receiver.receive_into` does
        :raises TornMessage: a message was shorter; it is gone
        """
