"""The System V message queue: the kernel keeps messages with their borders until somebody takes them.

Sources: msgget(2), msgop(2), sysvipc(7). The queue belongs to an IPC namespace and lives until it is
removed, so it keeps what was sent while the consumer is dead. A full queue (msg_qbytes, by default
msgmnb = 16,384 bytes) makes the sender wait. Each message has a type, and a receiver may ask for one type alone.
"""

from __future__ import annotations

import errno
from collections import Counter
from itertools import cycle

from ipclab.building_blocks.kernel_objects import MODE, sysv_opening
from ipclab.building_blocks.libraries import sysv_ipc
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
from ipclab.contract.errors import MessageTooLarge
from ipclab.mechanisms._sysv_mq import ANY_TYPE, MESSAGE_TYPE, WHAT, copied, put, remove, take
from ipclab.mechanisms._sysv_mq_replies import SysvMqAnswerer, SysvMqAsker

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
            raise MessageTooLarge(f"{len(payload)} bytes; at most {MAX_MESSAGE_BYTES}", code=errno.EMSGSIZE)
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
