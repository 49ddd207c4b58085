"""The POSIX message queue: like the System V queue, with a name, a depth in messages, and priorities.

Sources: mq_overview(7), mq_open(3), mq_send(3), mq_receive(3). The queue belongs to an IPC namespace and lives
until it is unlinked, so it keeps what was sent while the consumer is dead. A queue of ten messages (msg_max)
that is full makes the sender wait. The oldest message of the highest priority comes out first. Unasked, all have
the same; with several, later messages overtake earlier ones, so the queue as a whole keeps no order.

A timeout is a time of day (mq_send(3)): a clock that is set back makes one wait longer.
"""

from __future__ import annotations

import errno
from collections import Counter
from contextlib import suppress
from dataclasses import replace

import posix_ipc

from ipclab.channel import (
    Address,
    Communication,
    Direction,
    Kind,
    OnFull,
    Persistence,
    Sharing,
    Traits,
)
from ipclab.errors import PeerAbsent
from ipclab.mechanisms._posix import MODE, object_name, opening
from ipclab.mechanisms._posix_mq import MAX_MESSAGE_BYTES, WHAT, PosixMqReceiver, PosixMqSender

DEPTH = 10  # msg_max
_BROKEN = (posix_ipc.Error, OSError)


class PosixMq:
    """See the module."""

    traits = Traits(
        kind=Kind.MESSAGE,
        ordered=True,
        reliable=True,
        max_message_bytes=MAX_MESSAGE_BYTES,
        on_full=OnFull.BLOCK,
        persistence=Persistence.KERNEL,
        direction=Direction.ONE_WAY,
        communication=Communication.INDIRECT,
        many_senders=True,
        many_receivers=True,
        requires=frozenset({Sharing.IPC_NAMESPACE}),
        copies=4,  # into the kernel, out of it into posix_ipc's buffer, into its bytes, into ours
        send_errnos=("EAGAIN", "EIDRM", "ENOENT"),
        man_page="mq_overview(7)",
        sources={
            "kind": "mq_overview(7)",
            "ordered": "mq_send(3), mq_receive(3)",
            "reliable": "mq_overview(7), Persistence",
            "max_message_bytes": "mq_overview(7), msgsize_max",
            "on_full": "mq_send(3)",
            "persistence": "mq_overview(7), Persistence",
            "direction": "mq_receive(3): no way to pick a message but by priority",
            "communication": "mq_overview(7)",
            "many_senders": "mq_overview(7)",
            "many_receivers": "mq_overview(7)",
            "requires": "ipc_namespaces(7)",
            "copies": "mq_send(3), mq_receive(3), and posix_ipc's own buffers",
            "waits": "mq_send(3), mq_receive(3)",
            "send_errnos": "mq_open(3), mq_send(3); EIDRM: ipclab.mechanisms.posix_mq",
        },
    )

    class_name = "priority"
    receivers_pick = False

    def __init__(self, priorities: int = 1) -> None:
        self._priorities = priorities
        self.received_by_class: Counter[int] = Counter()
        if priorities > 1:
            self.traits = replace(self.traits, ordered=False)

    def classified(self, classes: int, pick: int = 0) -> PosixMq:
        if pick:
            raise ValueError("posix_mq gives out the highest priority first; a receiver cannot pick one")
        return PosixMq(classes)

    def create_receiver(self, address: Address) -> PosixMqReceiver:
        name = object_name(address)
        queue = _open(name, posix_ipc.O_CREAT, max_messages=DEPTH, max_message_size=MAX_MESSAGE_BYTES)
        if not _is_ours(queue):  # a leftover with other attributes
            queue.close()
            with suppress(*_BROKEN):
                posix_ipc.unlink_message_queue(name)
            queue = _open(name, posix_ipc.O_CREX, max_messages=DEPTH, max_message_size=MAX_MESSAGE_BYTES)
        return PosixMqReceiver(queue, self.received_by_class if self._priorities > 1 else None)

    def open_sender(self, address: Address) -> PosixMqSender:
        name = object_name(address)
        queue = _open(name, 0)
        if not _is_ours(queue):
            queue.close()
            raise PeerAbsent(f"{WHAT} {name} is not one of ours", code=errno.ENOENT)
        return PosixMqSender(queue, self._priorities)


def _open(name: str, flags: int, **attributes: int) -> posix_ipc.MessageQueue:
    with opening(WHAT, name):
        return posix_ipc.MessageQueue(name, flags, mode=MODE, **attributes)


def _is_ours(queue: posix_ipc.MessageQueue) -> bool:
    return (queue.max_messages, queue.max_message_size) == (DEPTH, MAX_MESSAGE_BYTES)


MECHANISM = PosixMq()
