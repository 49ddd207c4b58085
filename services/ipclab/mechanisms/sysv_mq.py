"""The System V message queue: the kernel keeps messages with their borders until somebody takes them.

Sources: msgget(2), msgop(2), sysvipc(7). The queue belongs to an IPC namespace and lives until it is
removed, so it keeps what was sent while the consumer is dead. A full queue (msg_qbytes, by default
msgmnb = 16,384 bytes) makes the sender wait.
"""

from __future__ import annotations

import errno
from contextlib import suppress

import sysv_ipc

from ipclab.alarm import interrupted_after
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
from ipclab.errors import ChannelFull, MessageTooLarge, ReceiveTimeout
from ipclab.mechanisms._sysv import MODE, gone, opening

MAX_MESSAGE_BYTES = 8192  # msgmax
_WHAT = "message queue"
_OBJECT_ERRORS = (sysv_ipc.ExistentialError, sysv_ipc.PermissionsError, OSError)


class _Endpoint(ClosingEndpoint):
    def __init__(self, queue: sysv_ipc.MessageQueue, key: int) -> None:
        self._queue = queue
        self._key = key

    def close(self) -> None:
        """Nothing to let go of: a queue is found by key, there is no descriptor."""


class SysvMqSender(_Endpoint):
    """msgsnd(2)."""

    def send(self, payload: memoryview, timeout_s: float) -> None:
        if len(payload) > MAX_MESSAGE_BYTES:
            raise MessageTooLarge(f"{len(payload)} bytes; at most {MAX_MESSAGE_BYTES}", code=errno.EMSGSIZE)
        try:
            try:
                self._queue.send(payload, False)
            except sysv_ipc.BusyError:
                with interrupted_after(timeout_s):
                    self._queue.send(payload)
        except _OBJECT_ERRORS as error:
            raise gone(_WHAT, self._key, error) from error
        except sysv_ipc.Error as error:  # "Signaled while waiting"
            raise ChannelFull(f"{_WHAT} {self._key:#x} is full", code=errno.EAGAIN) from error


class SysvMqReceiver(_Endpoint):
    """msgrcv(2)."""

    def receive_into(self, buffer: memoryview, timeout_s: float) -> int:
        try:
            try:
                payload, _ = self._queue.receive(False)
            except sysv_ipc.BusyError:
                with interrupted_after(timeout_s):
                    payload, _ = self._queue.receive()
        except _OBJECT_ERRORS as error:
            raise gone(_WHAT, self._key, error) from error
        except sysv_ipc.Error as error:
            raise ReceiveTimeout(f"{_WHAT} {self._key:#x} is empty", code=errno.ENOMSG) from error
        length = len(payload)
        if length > len(buffer):
            raise MessageTooLarge(f"a message of {length} bytes for a buffer of {len(buffer)}", code=errno.E2BIG)
        buffer[:length] = payload
        return length

    def remove(self) -> None:
        with suppress(*_OBJECT_ERRORS):
            self._queue.remove()


class SysvMq:
    """See the module."""

    traits = Traits(
        kind=Kind.MESSAGE,
        ordered=True,
        reliable=True,
        max_message_bytes=MAX_MESSAGE_BYTES,
        on_full=OnFull.BLOCK,
        persistence=Persistence.KERNEL,
        direction=Direction.TWO_WAY,
        communication=Communication.INDIRECT,
        many_senders=True,
        many_receivers=True,
        requires=frozenset({Sharing.IPC_NAMESPACE}),
        copies=4,  # into sysv_ipc's buffer, into the kernel, out of it, into ours
        send_errnos=("EAGAIN", "EIDRM", "ENOENT"),
        man_page="sysvipc(7)",
        sources={
            "kind": "msgop(2)",
            "ordered": "msgop(2)",
            "reliable": "msgop(2)",
            "max_message_bytes": "msgop(2), MSGMAX",
            "on_full": "msgop(2), msg_qbytes",
            "persistence": "msgctl(2), IPC_RMID",
            "direction": "msgop(2), msgtyp",
            "communication": "msgget(2)",
            "many_senders": "msgop(2)",
            "many_receivers": "msgop(2)",
            "requires": "ipc_namespaces(7)",
            "copies": "msgop(2), and sysv_ipc's own buffers",
            "waits": "msgop(2)",
            "send_errnos": "msgget(2), msgop(2)",
        },
    )

    def create_receiver(self, address: Address) -> SysvMqReceiver:
        with opening(_WHAT, address.key):
            queue = sysv_ipc.MessageQueue(
                address.key, sysv_ipc.IPC_CREAT, mode=MODE, max_message_size=MAX_MESSAGE_BYTES
            )
        return SysvMqReceiver(queue, address.key)

    def open_sender(self, address: Address) -> SysvMqSender:
        with opening(_WHAT, address.key):
            queue = sysv_ipc.MessageQueue(address.key, max_message_size=MAX_MESSAGE_BYTES)
        return SysvMqSender(queue, address.key)


MECHANISM = SysvMq()
