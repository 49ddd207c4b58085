"""Asking and answering on one channel: an optional part of the contract, for mechanisms that go both ways.

A mechanism whose `Traits.direction` is two-way makes these two besides its sender and its receiver. Both use
one kernel object: a reply takes no second channel. What the contract in `ipclab.channel` promises of messages
holds for replies. A mechanism that goes one way only needs a second channel: see `ipclab.round_trip`.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from ipclab.channel import Address, Endpoint, Mechanism, Receiver, Sender


class Hears(Endpoint, Protocol):
    """An end at which messages arrive. Unlike a `Receiver` it need not own a kernel object."""

    def receive_into(self, buffer: memoryview, timeout_s: float) -> int:
        """See `ipclab.channel.Receiver`."""


class Asker(Sender, Hears, Protocol):
    """Asks with `send`; `receive_into` hears the replies to its own messages and to nobody else's.

    A question that timed out may still be answered, and nothing tells the late reply from the next one: after
    an error close the asker and open another.
    """


class Answerer(Receiver, Protocol):
    """Owns the channel as a receiver does, and can answer."""

    def reply(self, payload: memoryview, timeout_s: float) -> None:
        """Send one message to whoever sent the message that was received last.

        :raises ChannelFull: no room within `timeout_s`; nothing was sent
        :raises MessageTooLarge: over `Traits.max_message_bytes`; nothing was sent
        :raises PeerGone: whoever asked is not there any more
        """


@runtime_checkable
class TwoWay(Mechanism, Protocol):
    """A mechanism that carries questions and replies on one channel."""

    def create_answerer(self, address: Address) -> Answerer:
        """Make the kernel object or adopt a leftover, as `create_receiver` does."""

    def open_asker(self, address: Address) -> Asker:
        """Open what an answerer made, as `open_sender` does."""
