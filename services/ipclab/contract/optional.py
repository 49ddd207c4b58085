"""Words that two processes share, and a lock for them: an optional part of the contract, for memory and files.

Nothing here makes two processes take turns but the lock, and whoever does not take it is not kept out. That is
what `ipclab.pair.race` shows. The words lie beside a channel and are none of its own: to race on them alters no
message.

Words belong to the thread that opened them. The lock must be one that the kernel frees when its holder is
killed (semop(2) with SEM_UNDO, flock(2)); what the holder left half done stays half done.

Classes of messages on one channel: an optional part of the contract, for mailboxes whose kernel tells them apart.

A System V queue gives out the messages of one type (msgtyp, msgop(2)); a POSIX queue gives out the highest priority
first (mq_send(3)). A mechanism that can do so makes a mechanism of itself that does: its senders take one class
after the other, its receivers count what they get of each.

Asking and answering on one channel: an optional part of the contract, for mechanisms that go both ways.

A mechanism whose `Traits.direction` is two-way makes these two besides its sender and its receiver. Both use
one kernel object: a reply takes no second channel. What the contract in `ipclab.contract.channel` promises of messages
holds for replies. A mechanism that goes one way only needs a second channel: see `ipclab.matrix.request_reply`.

Batches: an optional part of the contract, for mechanisms that move many messages at the price of one.

All messages of a batch have one length and lie one behind the other in `block`. Single messages and batches can be
mixed on one channel; the other side need not know.

What waits in the kernel's buffer of an endpoint: an optional part of the contract, for those that can ask.

The buffer of a pipe or a socket belongs to those who have it open: nobody else can look into it, unlike a queue
or a segment, which anybody in the namespace finds (`ipclab.kernel_exporter.exporter`). Both sides have a pipe open, so
a sender tells what waits while its receiver is paused. Of sockets a sender can tell its own side; of UDP it has nothing
to tell.

What the kernel itself threw away: an optional part of the contract, for receivers that can ask.

A consumer's own gap count misses what was dropped after the last message it saw, and cannot tell a full
buffer from a cut cable. Where the kernel keeps a count of its own, the receiver shows it.

A channel that is found by a name: an optional part of the contract, for senders.

A name can be removed (unlink(2), shm_unlink(3), mq_unlink(3), shmctl(2) with IPC_RMID) while both sides have the object
open, and the object goes on working for the two and for nobody else. A sender is asked a few times a second: it leaves
the object, and the receiver reads what is left. A receiver notices by itself, when nothing comes.
"""

from __future__ import annotations

from collections import Counter
from typing import Protocol, TypeGuard, runtime_checkable

from ipclab.contract.channel import Address, Endpoint, Mechanism, Receiver, Sender, Wait

WORD_BYTES = 8


class Words(Protocol):
    """Unsigned words of 8 bytes each, all 0 when they are made. Every method may raise `ChannelError`."""

    def load(self, index: int, /) -> int:
        """The word as it is now."""

    def store(self, index: int, value: int, /) -> None:
        """Replace the word, in one piece."""

    def try_lock(self) -> bool:
        """Take the lock if it is free; never waits."""

    def unlock(self) -> None:
        """Let the next one in."""

    def is_linked(self) -> bool:
        """Can the next process still find these words by their name?"""

    def close(self) -> None:
        """Let go. Idempotent; never raises."""


@runtime_checkable
class SharesWords(Protocol):
    """A mechanism whose two sides can share words. Its receiver's `remove()` takes them away with the channel."""

    def create_words(self, address: Address, count: int) -> Words:
        """Make `count` words, or adopt those that are there. For the consumer.

        :raises AccessRefused: somebody else's object is in the way
        :raises Unusable: it cannot be done here
        """

    def open_words(self, address: Address, count: int) -> Words:
        """Open what the consumer made. For the producer.

        :raises PeerAbsent: there are none
        :raises AccessRefused: they belong to somebody else, or another producer has them
        """


def shares_words(mechanism: Mechanism | SharesWords) -> TypeGuard[SharesWords]:
    """Whether its two sides can share words."""
    return isinstance(mechanism, SharesWords)


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


class ReceivingEnd(Endpoint, Protocol):
    """An end at which messages arrive. Unlike a `Receiver` it need not own a kernel object."""

    def receive_into(self, buffer: memoryview, timeout_s: float) -> int:
        """See `ipclab.contract.channel.Receiver`."""


class Asker(Sender, ReceivingEnd, Protocol):
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


@runtime_checkable
class SaysHowItWaits(Protocol):
    """A receiver that may have to wait in another way than was asked for, because this machine lacks something."""

    waits_by: Wait


@runtime_checkable
class HoldsBytes(Protocol):
    """An endpoint whose kernel object says how full it is; both numbers are sums over the connections open now."""

    def queued_bytes(self) -> int:
        """Bytes that were sent and not yet read, as the kernel counts them (`capacity_bytes` does so too)."""

    def capacity_bytes(self) -> int:
        """How many there can be at the most."""


@runtime_checkable
class CountsDrops(Protocol):
    """A receiver whose kernel object counts what it had no room for."""

    def kernel_drops(self) -> int:
        """Messages dropped at this receiver since it was created; 0 again for the next one."""


@runtime_checkable
class FoundByName(Protocol):
    """A sender whose channel has a name that can be removed."""

    def check_linked(self) -> None:
        """A few system calls; nothing happens within a message of which the kernel has a part.

        :raises PeerGone: the next process does not find this channel by its name any more
        """
