"""The optional parts of the contract: protocols of what a mechanism, a sender or a receiver may also be able to do.

**Shared words** are words that both sides of a pair change, with a lock. Only the lock keeps the sides apart, and it
stops no process that does not take it: `ipclab.pair.race` shows this. The words lie beside the channel and are no part
of it, so a race on them alters no message. They belong to the thread that opened them. The kernel frees the lock when
its holder is killed (semop(2) with SEM_UNDO, flock(2)); a half-done update stays half done.

**Classes** are the types or priorities of messages in a mailbox. A System V queue gives out the messages of one type
(msgtyp, msgop(2)), a POSIX queue the highest priority first (mq_send(3)). The senders of a classified mechanism send
one class after the other, and its receivers count the messages of each class.

**Two-way** mechanisms carry questions and replies on one channel and one kernel object. The promises of
`ipclab.contract.channel` about messages hold for replies. A one-way mechanism needs a second channel for replies: see
`ipclab.matrix.request_reply`.

**Shrinking** mechanisms have a channel that takes less of the kernel, for questions and replies of a few bytes.

**Batches** move many messages for the price of one. All messages of a batch have one length and lie one behind the
other in `block`. Single messages and batches can be mixed on one channel, and the other side need not know.

**Loans and borrows** pass a message without a copy (the words are iceoryx2's). A sender loans memory of the channel,
writes the message there, and commits it. A receiver borrows a message where it lies, and releases it. Nothing of a loan
is delivered before its commit, also when the sender is killed. The next receiver gets a message again whose borrower
was killed before the release. One loan and one borrow are open at a time. `send` and `receive_into` can be mixed with
them on one channel, and the other side need not know. A view ends with its commit or release: Python refuses its use
then (`ValueError`). Slices that were taken from it must not be used any longer, because Python cannot end them.

**Queued bytes** are in the kernel's buffer of an endpoint. The buffer of a pipe or a socket belongs to the processes
that have it open; a queue or a segment is visible to every process of the namespace
(`ipclab.kernel_exporter.exporter`). Both sides have a pipe open, so a sender shows the bytes that wait while its
receiver is paused. A sender of a stream socket shows its own side. A sender of UDP has no such count.

**Kernel drops** are messages that the kernel dropped. A consumer's own gap count misses drops after the last message
that arrived, and cannot tell a full buffer from a cut cable. A receiver shows the count of the kernel where there is
one.

**A name** of a channel can be removed (unlink(2), shm_unlink(3), mq_unlink(3), shmctl(2) with IPC_RMID) while both
sides have the object open. The object then works for these two sides only. A sender checks the name a few times a
second and leaves the object; the receiver reads the rest. A receiver checks the name when no message comes.
"""

from __future__ import annotations

from collections import Counter
from typing import Protocol, TypeGuard, runtime_checkable

from ipclab.contract.channel import Address, Endpoint, Mechanism, Receiver, Sender, Wait

WORD_BYTES = 8


class Words(Protocol):
    """Unsigned words of 8 bytes each, all 0 when they are made. Every method may raise `ChannelError`."""

    def load(self, index: int, /) -> int:
        """The word as it is now; no later access is done before."""

    def store(self, index: int, value: int, /) -> None:
        """Replace the word, in one piece; no earlier access is done after."""

    def try_lock(self) -> bool:
        """Take the lock if it is free. Never waits."""

    def unlock(self) -> None:
        """Free the lock."""

    def is_linked(self) -> bool:
        """Can the next process still find these words by their name?"""

    def close(self) -> None:
        """Close. Idempotent; never raises."""


@runtime_checkable
class SharesWords(Protocol):
    """A mechanism whose two sides can share words. Its receiver's `remove()` takes them away with the channel."""

    def create_words(self, address: Address, count: int) -> Words:
        """Make `count` words, or adopt the present ones. For the consumer.

        :raises AccessRefused: an object of another user is in the way
        :raises Unusable: it cannot be done here
        """

    def open_words(self, address: Address, count: int) -> Words:
        """Open the words that the consumer made. For the producer.

        :raises PeerAbsent: there are none
        :raises AccessRefused: they belong to another user, or another producer holds them
        """


def shares_words(mechanism: Mechanism | SharesWords) -> TypeGuard[SharesWords]:
    """True if the two sides of the mechanism can share words."""
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
    """An end that receives messages. Unlike a `Receiver` it need not own a kernel object."""

    def receive_into(self, buffer: memoryview, timeout_s: float) -> int:
        """See `ipclab.contract.channel.Receiver`."""


class Asker(Sender, ReceivingEnd, Protocol):
    """The side that asks with `send`; `receive_into` receives only the replies to its own messages.

    A late reply to a question that timed out looks like the next reply: after an error close the asker and open
    another.
    """


class Answerer(Receiver, Protocol):
    """The side that owns the channel, as a receiver does, and answers."""

    def reply(self, payload: memoryview, timeout_s: float) -> None:
        """Send one message to the sender of the message that was received last.

        :raises ChannelFull: no room within `timeout_s`; nothing was sent
        :raises MessageTooLarge: over `Traits.max_message_bytes`; nothing was sent
        :raises PeerGone: the asker has ended
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
class LoanSender(Protocol):
    """A sender of a channel whose memory both sides map."""

    def loan(self, size: int, timeout_s: float = 0.0) -> memoryview:
        """`size` bytes of the channel, with any content. A loan that was not committed ends by the next loan or `send`.

        :raises ChannelFull: no room within `timeout_s`
        :raises MessageTooLarge: over `Traits.max_message_bytes`
        :raises PeerGone: the channel broke; open a new sender
        :raises InvalidState: an object still exports the memory of the loan before
        """

    def commit(self, *, more: bool = False) -> None:
        """Send the loaned bytes as one message.

        `more` says that another commit follows at once. The receiver is then woken by the last of them, and need not be
        woken by this one (MSG_MORE of send(2) is the same promise); it finds the message when its wait ends.

        :raises InvalidState: nothing is loaned, or an object (numpy, ctypes) still exports the memory of the loan
        :raises PeerGone: the channel broke; open a new sender
        """


@runtime_checkable
class BorrowReceiver(Protocol):
    """A receiver of a channel whose memory both sides map. While a message is borrowed, `receive_into` is refused."""

    def borrow(self, timeout_s: float) -> memoryview:
        """The next message, read-only, where its sender wrote it. A close of the receiver leaves it in the channel.

        :raises ReceiveTimeout: none came within `timeout_s`
        :raises InvalidState: a message is borrowed already
        :raises TornMessage: bytes were skipped that are no whole message
        :raises PeerGone: the kernel object was removed; create a new receiver
        """

    def release(self) -> None:
        """The message is done with: its memory is the channel's again.

        :raises InvalidState: nothing is borrowed, or an object (numpy, ctypes) still exports the memory of the message
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
        """The limit of these bytes."""


@runtime_checkable
class CountsDrops(Protocol):
    """A receiver whose kernel object counts what it had no room for."""

    def kernel_drops(self) -> int:
        """Messages dropped at this receiver since it was created."""


@runtime_checkable
class FoundByName(Protocol):
    """A sender whose channel has a name that can be removed."""

    def check_linked(self) -> None:
        """A few system calls; nothing happens within a message of which the kernel has a part.

        :raises PeerGone: the next process does not find this channel by its name any more
        """


@runtime_checkable
class Shrinking(Protocol):
    """A mechanism whose channel can take less of the kernel."""

    def for_questions(self) -> Mechanism:
        """The same mechanism, for messages of 256 bytes or less; both sides must use it."""
