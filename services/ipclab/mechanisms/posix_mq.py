"""The POSIX message queue: like the System V queue, with a name, a depth in messages, and priorities.

Sources: mq_overview(7), mq_open(3), mq_send(3), mq_receive(3). The queue belongs to an IPC namespace and lives until it
is unlinked, so it keeps messages while the consumer is dead. A full queue of ten messages (msg_max) makes the sender
wait. The oldest message of the highest priority comes out first. By default all messages have one priority; with
several, later messages overtake earlier ones, so the queue as a whole keeps no order.

A timeout is a time of day (mq_send(3)): a clock that is set back makes one wait longer. An unlinked queue goes on
working for the processes that have it open, unlike a System V queue: see `ipclab.contract.optional_parts.FoundByName`.
"""

from __future__ import annotations

import errno
import os
from collections import Counter
from contextlib import suppress
from itertools import cycle

from ipclab.building_blocks.kernel_objects import MODE, object_name, posix_opening
from ipclab.building_blocks.libraries import posix_ipc
from ipclab.building_blocks.message_size import copy_message, over_limit
from ipclab.building_blocks.names import LosingName
from ipclab.contract.channel import (
    Address,
    ClosingEndpoint,
    Communication,
    Direction,
    Fact,
    Kind,
    OnFull,
    Persistence,
    Sharing,
    Traits,
    Wait,
)
from ipclab.contract.errors import NOT_READY, REMOVED, ChannelFull, PeerAbsent, PeerGone, ReceiveTimeout

MAX_MESSAGE_BYTES = 8192  # msgsize_max
LOWEST_PRIORITY = 0
WHAT = "message queue"


class _Endpoint(ClosingEndpoint):
    def __init__(self, queue: posix_ipc.MessageQueue) -> None:
        self._queue = queue
        self._open = True

    def close(self) -> None:
        if self._open:
            self._open = False
            self._queue.close()

    def _is_linked(self) -> bool:
        return os.fstat(self._queue.mqd).st_nlink > 0

    def _gone(self, why: object = "it was removed", code: int | str = REMOVED) -> PeerGone:
        return PeerGone(f"{WHAT} {self._queue.name}: {why}", code=code)


class PosixMqSender(_Endpoint):
    """mq_timedsend(3), of one priority after the other."""

    def __init__(self, queue: posix_ipc.MessageQueue, priorities: int) -> None:
        super().__init__(queue)
        self._limit: int = queue.max_message_size
        self._priorities = cycle(range(LOWEST_PRIORITY, LOWEST_PRIORITY + priorities))
        self._priority = next(self._priorities)
        queue.block = False  # of this descriptor alone: mq_getattr(3)

    def send(self, payload: memoryview, timeout_s: float) -> None:
        try:
            try:  # there nearly always is room, and a call without a time limit costs half as much
                self._queue.send(payload, None, self._priority)
            except posix_ipc.BusyError:
                self._send_when_taken(payload, timeout_s)
            self._priority = next(self._priorities)  # one that was not sent keeps its priority
        except ValueError as error:
            raise over_limit(len(payload), self._limit) from error
        except (posix_ipc.BusyError, posix_ipc.SignalError) as error:
            self.check_linked()
            raise ChannelFull(f"{WHAT} {self._queue.name} is full", code=errno.EAGAIN) from error
        except OSError as error:
            raise self._gone(error.strerror, error.errno or errno.EIO) from error

    def check_linked(self) -> None:
        """See `ipclab.contract.optional_parts.FoundByName`."""
        if not self._is_linked():
            raise self._gone()

    def _send_when_taken(self, payload: memoryview, timeout_s: float) -> None:
        self._queue.block = True
        try:
            self._queue.send(payload, timeout_s, self._priority)
        finally:
            self._queue.block = False


class PosixMqReceiver(_Endpoint):
    """mq_timedreceive(3); owns the queue."""

    def __init__(self, queue: posix_ipc.MessageQueue, counts: Counter[int] | None) -> None:
        super().__init__(queue)
        self._counts = counts
        self._losing = LosingName(self._is_linked, self._gone)

    def receive_into(self, buffer: memoryview, timeout_s: float) -> int:
        try:
            payload, priority = self._queue.receive(timeout_s)
        except (posix_ipc.BusyError, posix_ipc.SignalError) as error:
            empty = ReceiveTimeout(f"{WHAT} {self._queue.name} is empty", code=errno.ETIMEDOUT)
            raise self._losing.timed_out(empty) from error
        except OSError as error:
            raise self._gone(error.strerror, error.errno or errno.EIO) from error
        if self._counts is not None:
            self._counts[priority] += 1
        return copy_message(payload, buffer)

    def remove(self) -> None:
        self.close()
        with suppress(*_BROKEN):
            posix_ipc.unlink_message_queue(self._queue.name)


DEPTH = 10  # msg_max
# A queue for questions and answers of a few bytes. A queue's maximum counts against its user's RLIMIT_MSGQUEUE from the
# start, over all containers (mq_overview(7), setrlimit(2)): 82,880 bytes for a pair's, 1,408 for this.
_QUESTION_BYTES, _QUESTION_DEPTH = 256, 4
_BROKEN = (posix_ipc.Error, OSError)

_COPIES = Fact(
    4,  # into the kernel, out of it into posix_ipc's buffer, into its bytes, into ours
    "mq_send(3), mq_receive(3), posix_ipc's own buffers, and ipclab.mechanisms.posix_mq",
    "2: into the kernel and out of it (mq_send(3), mq_receive(3))",
)


class PosixMq:
    """See the module."""

    traits = Traits(
        kind=Fact(Kind.MESSAGE, "mq_overview(7)"),
        ordered=Fact(True, "mq_send(3), mq_receive(3)"),
        reliable=Fact(True, "mq_overview(7), Persistence"),
        max_message_bytes=Fact(MAX_MESSAGE_BYTES, "mq_overview(7), msgsize_max"),
        on_full=Fact(OnFull.BLOCK, "mq_send(3)"),
        persistence=Fact(Persistence.KERNEL, "mq_overview(7), Persistence"),
        direction=Fact(
            Direction.ONE_WAY,
            "ipclab.mechanisms.posix_mq",
            "two way: every process that opens it with O_RDWR may send and receive (mq_open(3)); yet a receiver cannot "
            "leave out its own messages, because mq_receive(3) picks by priority alone",
        ),
        communication=Fact(Communication.INDIRECT, "mq_overview(7)"),
        many_senders=Fact(True, "mq_overview(7)"),
        many_receivers=Fact(True, "mq_overview(7)"),
        requires=Fact(frozenset({Sharing.IPC_NAMESPACE}), "ipc_namespaces(7)"),
        copies=_COPIES,
        copies_large=_COPIES,
        copies_by_send=_COPIES,
        waits=Fact((Wait.BLOCK,), "mq_send(3), mq_receive(3)"),
        send_errnos=Fact(
            ("EAGAIN", "ENOENT", NOT_READY, REMOVED),
            "mq_open(3), mq_send(3); the others: ipclab.mechanisms.posix_mq",
            "EAGAIN and ENOENT; a queue that lost its name goes on working for those who have it open (mq_unlink(3))",
        ),
        man_page="mq_overview(7)",
    )

    class_name = "priority"
    receivers_pick = False

    def __init__(self, priorities: int = 1, depth: int = DEPTH, message_bytes: int = MAX_MESSAGE_BYTES) -> None:
        self._priorities = priorities
        self._attributes = {"max_messages": depth, "max_message_size": message_bytes}
        self.received_by_class: Counter[int] = Counter()
        if message_bytes != MAX_MESSAGE_BYTES:
            self.traits = self.traits.but(max_message_bytes=Fact(message_bytes, "ipclab.mechanisms.posix_mq"))
        if priorities > 1:
            self.traits = self.traits.but(ordered=Fact(False, "mq_receive(3): the highest priority first"))

    def classified(self, classes: int, pick: int = 0) -> PosixMq:
        if pick:
            raise ValueError("posix_mq gives out the highest priority first; a receiver cannot pick one")
        return PosixMq(classes)

    def for_questions(self) -> PosixMq:
        """See `ipclab.contract.optional_parts.Shrinking`."""
        return PosixMq(1, _QUESTION_DEPTH, _QUESTION_BYTES)

    def create_receiver(self, address: Address) -> PosixMqReceiver:
        name = object_name(address)
        queue = _open(name, posix_ipc.O_CREAT, **self._attributes)
        if not self._is_ours(queue):  # a leftover with other attributes
            queue.close()
            with suppress(*_BROKEN):
                posix_ipc.unlink_message_queue(name)
            queue = _open(name, posix_ipc.O_CREX, **self._attributes)
        return PosixMqReceiver(queue, self.received_by_class if self._priorities > 1 else None)

    def open_sender(self, address: Address) -> PosixMqSender:
        name = object_name(address)
        queue = _open(name, 0)
        if not self._is_ours(queue):
            queue.close()
            raise PeerAbsent(f"{WHAT} {name} is not one of ours", code=NOT_READY)
        return PosixMqSender(queue, self._priorities)

    def _is_ours(self, queue: posix_ipc.MessageQueue) -> bool:
        found = {"max_messages": queue.max_messages, "max_message_size": queue.max_message_size}
        return found == self._attributes


def _open(name: str, flags: int, **attributes: int) -> posix_ipc.MessageQueue:
    with posix_opening(WHAT, name):
        return posix_ipc.MessageQueue(name, flags, mode=MODE, **attributes)


MECHANISM = PosixMq()
