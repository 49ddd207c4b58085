"""The two calls of a System V queue, with timeouts and with the errors of the contract.

Source: msgop(2). A message has a type, a positive number, and msgrcv(2) can ask for one: `type_` above 0 is exactly
that one, below 0 the lowest up to its absolute value, 0 any.
"""

from __future__ import annotations

import errno
import time
from contextlib import suppress

from ipclab.building_blocks.kernel_objects import gone
from ipclab.building_blocks.libraries import sysv_ipc
from ipclab.contract.errors import ChannelFull, MessageTooLarge, ReceiveTimeout
from ipclab.linux.alarm import ALARM

WHAT = "message queue"
ANY_TYPE, MESSAGE_TYPE = 0, 1
_OBJECT_ERRORS = (sysv_ipc.ExistentialError, sysv_ipc.PermissionsError, OSError)


def put(queue: sysv_ipc.MessageQueue, payload: memoryview, type_: int, timeout_s: float) -> None:
    """msgsnd(2). There nearly always is room: the first try does not wait, and needs no clock.

    :raises ChannelFull: no room within `timeout_s`
    :raises PeerGone: the queue was removed
    """
    try:
        queue.send(payload, False, type_)
    except _OBJECT_ERRORS as error:
        raise gone(WHAT, queue.key, error) from error
    except sysv_ipc.Error:  # BusyError
        _put_when_taken(queue, payload, type_, timeout_s)


def _put_when_taken(queue: sysv_ipc.MessageQueue, payload: memoryview, type_: int, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    ALARM.limit(timeout_s, deadline)
    try:
        queue.send(payload, True, type_)
    except _OBJECT_ERRORS as error:
        raise gone(WHAT, queue.key, error) from error
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
    :raises PeerGone: the queue was removed
    """
    deadline = time.monotonic() + timeout_s
    ALARM.limit(timeout_s, deadline)
    try:
        received: tuple[bytes, int] = queue.receive(True, type_)
    except _OBJECT_ERRORS as error:
        raise gone(WHAT, queue.key, error) from error
    except sysv_ipc.Error as error:
        left = deadline - time.monotonic()
        if left <= 0:
            raise ReceiveTimeout(f"{WHAT} {queue.key:#x} is empty", code=errno.ENOMSG) from error
        return take(queue, type_, left)
    finally:
        ALARM.waiting = False
    return received


def discard(queue: sysv_ipc.MessageQueue, type_: int) -> None:
    """Throw away what waits of one type. Never raises."""
    with suppress(sysv_ipc.Error, OSError):
        while True:
            queue.receive(False, type_)


def copied(payload: bytes, buffer: memoryview) -> int:
    """Copy `payload` to `buffer`; its length.

    :raises MessageTooLarge: it does not fit
    """
    length = len(payload)
    if length > len(buffer):
        raise MessageTooLarge(f"a message of {length} bytes for a buffer of {len(buffer)}", code=errno.E2BIG)
    buffer[:length] = payload
    return length


def remove(queue: sysv_ipc.MessageQueue) -> None:
    """IPC_RMID, msgctl(2). Never raises."""
    with suppress(*_OBJECT_ERRORS):
        queue.remove()
