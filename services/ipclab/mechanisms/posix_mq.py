"""The POSIX message queue: like the System V queue, with a name, a depth in messages, and priorities.

Sources: mq_overview(7), mq_open(3), mq_send(3), mq_receive(3). The queue belongs to an IPC namespace and lives
until it is unlinked, so it keeps what was sent while the consumer is dead. A queue of ten messages (msg_max)
that is full makes the sender wait. The oldest message of the highest priority comes out first; here all have
the same, `PRIORITY`.

An unlinked queue goes on working for those who have it open, unlike a System V queue; so a sender asks whether
its queue still has a name when it has been full for too long. A timeout is a time of day (mq_send(3)): a clock
that is set back makes one wait longer.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress

import posix_ipc

from ipclab.channel import (
    Address,
    ClosingEndpoint,
    Communication,
    Direction,
    Kind,
    OnFull,
    Persistence,
    Sharing,
    Traits,
)
from ipclab.errors import ChannelError, ChannelFull, MessageTooLarge, PeerAbsent, PeerGone, ReceiveTimeout
from ipclab.mechanisms._posix import MODE, object_name, opening

MAX_MESSAGE_BYTES = 8192  # msgsize_max
DEPTH = 10  # msg_max
PRIORITY = 0
_WHAT = "message queue"
_BROKEN = (posix_ipc.Error, OSError)


class _Endpoint(ClosingEndpoint):
    def __init__(self, queue: posix_ipc.MessageQueue) -> None:
        self._queue = queue
        self._open = True

    def close(self) -> None:
        if self._open:
            self._open = False
            self._queue.close()

    def _timed_out(self, error: ChannelError) -> ChannelError:
        """`error`, unless nothing can happen here any more, because the queue has lost its name."""
        if os.fstat(self._queue.mqd).st_nlink:
            return error
        return self._gone("it was removed", errno.EIDRM)

    def _gone(self, why: object, code: int) -> PeerGone:
        return PeerGone(f"{_WHAT} {self._queue.name}: {why}", code=code)


class PosixMqSender(_Endpoint):
    """mq_timedsend(3)."""

    def send(self, payload: memoryview, timeout_s: float) -> None:
        try:
            self._queue.send(payload, timeout_s, PRIORITY)
        except ValueError as error:
            raise MessageTooLarge(f"{len(payload)} bytes; at most {MAX_MESSAGE_BYTES}", code=errno.EMSGSIZE) from error
        except (posix_ipc.BusyError, posix_ipc.SignalError) as error:
            raise self._timed_out(ChannelFull(f"{_WHAT} {self._queue.name} is full", code=errno.EAGAIN)) from error
        except OSError as error:
            raise self._gone(error.strerror, error.errno or errno.EIO) from error


class PosixMqReceiver(_Endpoint):
    """mq_timedreceive(3); owns the queue."""

    def receive_into(self, buffer: memoryview, timeout_s: float) -> int:
        try:
            payload, _ = self._queue.receive(timeout_s)
        except (posix_ipc.BusyError, posix_ipc.SignalError) as error:
            empty = ReceiveTimeout(f"{_WHAT} {self._queue.name} is empty", code=errno.ETIMEDOUT)
            raise self._timed_out(empty) from error
        except OSError as error:
            raise self._gone(error.strerror, error.errno or errno.EIO) from error
        length = len(payload)
        if length > len(buffer):
            raise MessageTooLarge(f"a message of {length} bytes for a buffer of {len(buffer)}", code=errno.EMSGSIZE)
        buffer[:length] = payload
        return length

    def remove(self) -> None:
        self.close()
        with suppress(*_BROKEN):
            posix_ipc.unlink_message_queue(self._queue.name)


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

    def create_receiver(self, address: Address) -> PosixMqReceiver:
        name = object_name(address)
        queue = _open(name, posix_ipc.O_CREAT, max_messages=DEPTH, max_message_size=MAX_MESSAGE_BYTES)
        if not _is_ours(queue):  # a leftover with other attributes
            queue.close()
            with suppress(*_BROKEN):
                posix_ipc.unlink_message_queue(name)
            queue = _open(name, posix_ipc.O_CREX, max_messages=DEPTH, max_message_size=MAX_MESSAGE_BYTES)
        return PosixMqReceiver(queue)

    def open_sender(self, address: Address) -> PosixMqSender:
        name = object_name(address)
        queue = _open(name, 0)
        if not _is_ours(queue):
            queue.close()
            raise PeerAbsent(f"{_WHAT} {name} is not one of ours", code=errno.ENOENT)
        return PosixMqSender(queue)


def _open(name: str, flags: int, **attributes: int) -> posix_ipc.MessageQueue:
    with opening(_WHAT, name):
        return posix_ipc.MessageQueue(name, flags, mode=MODE, **attributes)


def _is_ours(queue: posix_ipc.MessageQueue) -> bool:
    return (queue.max_messages, queue.max_message_size) == (DEPTH, MAX_MESSAGE_BYTES)


MECHANISM = PosixMq()
