"""readv(2) and writev(2) that wait themselves, for a limited time: one system call where poll(2) first makes it two.

Sources: readv(2), pipe(7), setitimer(2), fcntl(2), socket(7).
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Protocol

from ipclab.alarm import ALARM
from ipclab.mechanisms._socket_timeout import SocketTimeout


class Timed(Protocol):
    """One of the two calls, on one descriptor: the number of bytes moved. `deadline` (monotonic) is `timeout_s` away.

    :raises BlockingIOError: no byte could be moved for `timeout_s`, or a little less
    :raises OSError: as the call does
    """

    def __call__(self, places: list[memoryview], timeout_s: float, deadline: float, /) -> int: ...


def pipe_read(descriptor: int) -> Timed:
    """A pipe knows no time limit: the alarm ends the wait, and no byte is lost by it.

    Its handler does not raise, which would throw away what the call has just returned. It makes the descriptor
    non-blocking: a call that waits is then begun anew (PEP 475) and says EAGAIN, one that has bytes returns them.
    """
    alarm, limit, readv = ALARM, ALARM.limit, os.readv

    def read(places: list[memoryview], timeout_s: float, deadline: float) -> int:
        limit(timeout_s, deadline, descriptor)
        try:
            return readv(descriptor, places)
        except BlockingIOError:
            os.set_blocking(descriptor, True)
            raise
        finally:
            alarm.waiting = False

    os.set_blocking(descriptor, True)
    return read


def pipe_write(descriptor: int) -> Timed:
    """A frame in one piece is small: it nearly always finds room, so it does not wait, and needs no alarm."""
    alarm, limit, writev = ALARM, ALARM.limit, os.writev
    waits = False

    def write(pieces: list[memoryview], timeout_s: float, deadline: float) -> int:
        nonlocal waits
        is_large = len(pieces) > 1
        if is_large != waits:
            os.set_blocking(descriptor, is_large)
            waits = is_large
        if not waits:
            return writev(descriptor, pieces)
        limit(timeout_s, deadline, descriptor)
        try:
            return writev(descriptor, pieces)
        except BlockingIOError:
            waits = False
            raise
        finally:
            alarm.waiting = False

    os.set_blocking(descriptor, False)
    return write


def socket_read(connection: socket.socket) -> Timed:
    """A socket has SO_RCVTIMEO."""
    return _socket_call(connection, socket.SO_RCVTIMEO, os.readv)


def socket_write(connection: socket.socket) -> Timed:
    """A socket has SO_SNDTIMEO."""
    return _socket_call(connection, socket.SO_SNDTIMEO, os.writev)


def _socket_call(connection: socket.socket, option: int, call: Callable[[int, list[memoryview]], int]) -> Timed:
    descriptor = connection.fileno()
    set_timeout = SocketTimeout(connection, option).set

    def move(places: list[memoryview], timeout_s: float, deadline: float) -> int:
        del deadline
        set_timeout(timeout_s)
        return call(descriptor, places)

    connection.setblocking(True)
    return move
