"""The System V message queue: the kernel keeps messages with their borders until a receiver takes them.

Sources: msgget(2), msgop(2), sysvipc(7). The queue belongs to an IPC namespace and lives until it is removed, so it
keeps messages while the consumer is dead. A full queue (msg_qbytes, by default msgmnb = 16,384 bytes) makes the sender
wait. Each message has a type, a positive number. A `type_` above 0 of msgrcv(2) takes exactly that type, below 0 the
lowest type up to the absolute value, and 0 any type.

Replies use types, because a queue has no ends. A question is a message of type 2 that begins with the type on which its
asker waits; a reply is a message of that type. Questions and replies share the room of one queue, so a full queue can
keep the answerer from answering: it waits for its timeout and no longer. The reply to an asker that died stays in the
queue. The answerer removes such replies when the queue is full, or after a whole timeout without a question.
"""

from __future__ import annotations

import errno
import os
import struct
import time
from collections import Counter
from contextlib import suppress
from itertools import cycle
from pathlib import Path

from ipclab.building_blocks.kernel_objects import MODE, SYSV_OBJECT_ERRORS, removed_error, sysv_opening
from ipclab.building_blocks.libraries import sysv_ipc
from ipclab.building_blocks.message_size import copy_message, over_limit
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
from ipclab.contract.errors import (
    DAMAGED,
    GONE,
    ChannelError,
    ChannelFull,
    MessageTooLarge,
    PeerGone,
    ReceiveTimeout,
    TornMessage,
)
from ipclab.linux.alarm import ALARM

WHAT = "message queue"
ANY_TYPE, MESSAGE_TYPE = 0, 1


def put(queue: sysv_ipc.MessageQueue, payload: memoryview, type_: int, timeout_s: float) -> None:
    """msgsnd(2). There nearly always is room: the first try does not wait, and needs no clock.

    :raises ChannelFull: no room within `timeout_s`
    :raises PeerGone: the queue was removed
    """
    try:
        queue.send(payload, False, type_)
    except SYSV_OBJECT_ERRORS as error:
        raise removed_error(WHAT, queue.key, error) from error
    except sysv_ipc.Error:  # BusyError
        _put_when_taken(queue, payload, type_, timeout_s)


def _put_when_taken(queue: sysv_ipc.MessageQueue, payload: memoryview, type_: int, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    ALARM.limit(timeout_s, deadline)
    try:
        queue.send(payload, True, type_)
    except SYSV_OBJECT_ERRORS as error:
        raise removed_error(WHAT, queue.key, error) from error
    except sysv_ipc.Error as error:  # "Signaled while waiting", perhaps early
        left = deadline - time.monotonic()
        if left <= 0:
            raise ChannelFull(f"{WHAT} {queue.key:#x} is full", code=errno.EAGAIN) from error
        _put_when_taken(queue, payload, type_, left)
    finally:
        ALARM.waiting = False


def take(queue: sysv_ipc.MessageQueue, type_: int, timeout_s: float) -> tuple[bytes, int]:
    """msgrcv(2): a message and its type.

    :raises ReceiveTimeout: none came within `timeout_s`
    :raises MessageTooLarge: one of another program is over our maximum (E2BIG); it is gone
    :raises PeerGone: the queue was removed
    """
    deadline = time.monotonic() + timeout_s
    ALARM.limit(timeout_s, deadline)
    try:
        received: tuple[bytes, int] = queue.receive(True, type_)
    except SYSV_OBJECT_ERRORS as error:
        if isinstance(error, OSError) and error.errno == errno.E2BIG:
            raise _too_large(queue, type_) from error
        raise removed_error(WHAT, queue.key, error) from error
    except sysv_ipc.Error as error:
        left = deadline - time.monotonic()
        if left <= 0:
            raise ReceiveTimeout(f"{WHAT} {queue.key:#x} is empty", code=errno.ENOMSG) from error
        return take(queue, type_, left)
    finally:
        ALARM.waiting = False
    return received


def _too_large(queue: sysv_ipc.MessageQueue, type_: int) -> ChannelError:
    """Take a message that is larger than ours away: msgrcv(2) leaves it at the head, where it would block the queue."""
    limit = int(Path("/proc/sys/kernel/msgmax").read_text())
    try:
        payload, _ = sysv_ipc.MessageQueue(queue.key, max_message_size=limit).receive(False, type_)
    except (sysv_ipc.Error, OSError):  # somebody else took it
        return ReceiveTimeout(f"{WHAT} {queue.key:#x} is empty", code=errno.ENOMSG)
    return MessageTooLarge(f"{len(payload)} bytes; at most {MAX_MESSAGE_BYTES} in a message", code=errno.E2BIG)


def discard(queue: sysv_ipc.MessageQueue, type_: int) -> None:
    """Throw away what waits of one type. Never raises."""
    with suppress(sysv_ipc.Error, OSError):
        while True:
            queue.receive(False, type_)


def copied(payload: bytes, buffer: memoryview) -> int:
    """Copy a message into the caller's buffer, or fail with the errno of msgrcv(2); its length in bytes.

    :raises MessageTooLarge: it does not fit
    """
    return copy_message(payload, buffer, errno.E2BIG)


def remove(queue: sysv_ipc.MessageQueue) -> None:
    """IPC_RMID, msgctl(2). Never raises."""
    with suppress(*SYSV_OBJECT_ERRORS):
        queue.remove()


_QUESTION_TYPE = 2
_FIRST_REPLY_TYPE = 1 << 30
_RETURN = struct.Struct("=I")


class SysvMqAsker(ClosingEndpoint):
    """Puts its own type before each message. Two cannot have the same by counting: they may know nothing of each
    other, not even the process ids in another container; so it is drawn at random from 2**30.
    """

    def __init__(self, queue: sysv_ipc.MessageQueue, max_message_bytes: int) -> None:
        self._queue = queue
        self._type = _FIRST_REPLY_TYPE | int.from_bytes(os.urandom(4), "little") >> 2
        self._question = memoryview(bytearray(max_message_bytes))
        self._max = max_message_bytes - _RETURN.size
        _RETURN.pack_into(self._question, 0, self._type)

    def send(self, payload: memoryview, timeout_s: float) -> None:
        length = len(payload)
        if length > self._max:
            raise MessageTooLarge(f"{length} bytes; at most {self._max} in a question", code=errno.EMSGSIZE)
        end = _RETURN.size + length
        self._question[_RETURN.size : end] = payload
        put(self._queue, self._question[:end], _QUESTION_TYPE, timeout_s)

    def receive_into(self, buffer: memoryview, timeout_s: float) -> int:
        payload, _ = take(self._queue, self._type, timeout_s)
        return copied(payload, buffer)

    def close(self) -> None:
        """Remove late replies from the queue."""
        discard(self._queue, self._type)


class SysvMqAnswerer(ClosingEndpoint):
    """Takes plain messages and questions, and answers the questions."""

    def __init__(self, queue: sysv_ipc.MessageQueue, max_message_bytes: int) -> None:
        self._queue = queue
        self._max = max_message_bytes
        self._asker = 0
        self._answered: set[int] = set()

    def receive_into(self, buffer: memoryview, timeout_s: float) -> int:
        try:
            payload, type_ = take(self._queue, -_QUESTION_TYPE, timeout_s)
        except ReceiveTimeout:
            self._discard_unfetched()
            raise
        self._asker = 0
        if type_ != _QUESTION_TYPE:
            return copied(payload, buffer)
        if len(payload) < _RETURN.size:
            raise TornMessage(
                f"{WHAT} {self._queue.key:#x}: a question of {len(payload)} bytes names no asker", code=DAMAGED
            )
        (self._asker,) = _RETURN.unpack_from(payload)
        return copied(payload[_RETURN.size :], buffer)

    def reply(self, payload: memoryview, timeout_s: float) -> None:
        if len(payload) > self._max:
            raise over_limit(len(payload), self._max)
        if not self._asker:
            raise PeerGone("the message was no question: it has no type to answer to", code=GONE)
        try:
            put(self._queue, payload, self._asker, timeout_s)
        except ChannelFull:
            self._discard_unfetched()
            raise
        self._answered.add(self._asker)

    def close(self) -> None:
        """Remove the replies that no asker took; a queue has no descriptor to close."""
        self._discard_unfetched()

    def remove(self) -> None:
        remove(self._queue)

    def _discard_unfetched(self) -> None:
        while self._answered:
            discard(self._queue, self._answered.pop())


MAX_MESSAGE_BYTES = 8192  # msgmax


class _Endpoint(ClosingEndpoint):
    def __init__(self, queue: sysv_ipc.MessageQueue) -> None:
        self._queue = queue

    def close(self) -> None:
        """Nothing to let go of: a queue is found by key, there is no descriptor."""


class SysvMqSender(_Endpoint):
    """msgsnd(2), of one type after the other."""

    def __init__(self, queue: sysv_ipc.MessageQueue, types: int) -> None:
        super().__init__(queue)
        self._types = cycle(range(MESSAGE_TYPE, MESSAGE_TYPE + types))
        self._type = next(self._types)

    def send(self, payload: memoryview, timeout_s: float) -> None:
        if len(payload) > MAX_MESSAGE_BYTES:
            raise over_limit(len(payload), MAX_MESSAGE_BYTES)
        put(self._queue, payload, self._type, timeout_s)
        self._type = next(self._types)  # one that was not sent keeps its type


class SysvMqReceiver(_Endpoint):
    """msgrcv(2)."""

    def __init__(self, queue: sysv_ipc.MessageQueue, pick: int, counts: Counter[int] | None) -> None:
        super().__init__(queue)
        self._pick = pick
        self._counts = counts

    def receive_into(self, buffer: memoryview, timeout_s: float) -> int:
        payload, type_ = take(self._queue, self._pick, timeout_s)
        if self._counts is not None:
            self._counts[type_] += 1
        return copied(payload, buffer)

    def remove(self) -> None:
        remove(self._queue)


_COPIES = Fact(
    4,  # into sysv_ipc's buffer, into the kernel, out of it, into ours
    "msgop(2), sysv_ipc's own buffers, and ipclab.mechanisms.sysv_mq",
    "2: into the kernel and out of it (msgop(2))",
)


class SysvMq:
    """See the module."""

    traits = Traits(
        kind=Fact(Kind.MESSAGE, "msgop(2)"),
        ordered=Fact(True, "msgop(2)"),
        reliable=Fact(True, "msgop(2)"),
        max_message_bytes=Fact(MAX_MESSAGE_BYTES, "msgop(2), MSGMAX"),
        on_full=Fact(OnFull.BLOCK, "msgop(2), msg_qbytes"),
        persistence=Fact(Persistence.KERNEL, "msgctl(2), IPC_RMID"),
        direction=Fact(Direction.TWO_WAY, "msgop(2), msgtyp"),
        communication=Fact(Communication.INDIRECT, "msgget(2)"),
        many_senders=Fact(True, "msgop(2)"),
        many_receivers=Fact(True, "msgop(2)"),
        requires=Fact(frozenset({Sharing.IPC_NAMESPACE}), "ipc_namespaces(7)"),
        copies=_COPIES,
        copies_large=_COPIES,
        copies_by_send=_COPIES,
        waits=Fact((Wait.BLOCK,), "msgop(2)"),
        send_errnos=Fact(("EAGAIN", "EIDRM", "ENOENT"), "msgget(2), msgop(2)"),
        man_page="sysvipc(7)",
    )

    class_name = "type"
    receivers_pick = True

    def __init__(self, types: int = 1, pick: int = ANY_TYPE) -> None:
        self._types = types
        self._pick = pick
        self.received_by_class: Counter[int] = Counter()

    def classified(self, classes: int, pick: int = ANY_TYPE) -> SysvMq:
        return SysvMq(classes, pick)

    def create_receiver(self, address: Address) -> SysvMqReceiver:
        counts = self.received_by_class if self._types > 1 else None
        return SysvMqReceiver(_queue(address, sysv_ipc.IPC_CREAT), self._pick, counts)

    def open_sender(self, address: Address) -> SysvMqSender:
        return SysvMqSender(_queue(address, 0), self._types)

    def create_answerer(self, address: Address) -> SysvMqAnswerer:
        return SysvMqAnswerer(_queue(address, sysv_ipc.IPC_CREAT), MAX_MESSAGE_BYTES)

    def open_asker(self, address: Address) -> SysvMqAsker:
        return SysvMqAsker(_queue(address, 0), MAX_MESSAGE_BYTES)


def _queue(address: Address, flags: int) -> sysv_ipc.MessageQueue:
    with sysv_opening(WHAT, address.key):
        return sysv_ipc.MessageQueue(address.key, flags, mode=MODE, max_message_size=MAX_MESSAGE_BYTES)


MECHANISM = SysvMq()
