"""readv(2) and writev(2) that wait themselves, for a limited time: one system call where poll(2) first makes it two.

Sources: readv(2), pipe(7), setitimer(2), fcntl(2), socket(7).
"""

from __future__ import annotations

import errno
import os
import socket
from io import FileIO
from typing import Protocol

from ipclab.linux.alarm import ALARM
from ipclab.linux.socket_options import SocketTimeout


class Write(Protocol):
    """writev(2) on one descriptor: the number of bytes moved. `deadline` (monotonic) is `timeout_s` away.

    :raises BlockingIOError: there was no room for `timeout_s`, or a little less
    :raises OSError: as the call does
    """

    def __call__(self, pieces: list[memoryview], timeout_s: float, deadline: float, /) -> int: ...

    def now(self, frame: memoryview, /) -> int | None:
        """write(2) of a small frame behind others in one piece, without waiting; None: there is no room."""


class PipeRead:
    """A pipe knows no time limit: the alarm ends the wait, and no byte is lost by it.

    Its handler does not raise, which would throw away what the call has just returned. It makes the descriptor
    non-blocking: a call that waits is then begun anew (PEP 475) and says EAGAIN, one that has bytes returns them.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._readinto = FileIO(descriptor, "rb", closefd=False).readinto
        os.set_blocking(descriptor, True)

    def __call__(self, places: list[memoryview], timeout_s: float, deadline: float) -> int:
        descriptor = self._descriptor
        ALARM.limit(timeout_s, deadline, descriptor)
        try:
            return os.readv(descriptor, places)
        except BlockingIOError:
            os.set_blocking(descriptor, True)
            raise
        finally:
            ALARM.waiting = False

    def into(self, place: memoryview, timeout_s: float, deadline: float) -> int:
        ALARM.limit(timeout_s, deadline, self._descriptor)
        try:
            count = self._readinto(place)
        finally:
            ALARM.waiting = False
        if count is None:
            os.set_blocking(self._descriptor, True)
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        return count


class PipeWrite:
    """A frame in one piece is small: it nearly always finds room, so it does not wait, and needs no alarm."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._waits = False
        self.now = FileIO(descriptor, "wb", closefd=False).write
        os.set_blocking(descriptor, False)

    def __call__(self, pieces: list[memoryview], timeout_s: float, deadline: float) -> int:
        descriptor, is_large = self._descriptor, len(pieces) > 1
        if is_large != self._waits:
            os.set_blocking(descriptor, is_large)
            self._waits = is_large
        if not is_large:
            return os.writev(descriptor, pieces)
        ALARM.limit(timeout_s, deadline, descriptor)
        try:
            return os.writev(descriptor, pieces)
        except BlockingIOError:
            self._waits = False
            raise
        finally:
            ALARM.waiting = False


class SocketRead:
    """A socket has SO_RCVTIMEO."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(True)
        self._descriptor = connection.fileno()
        self._timeout = SocketTimeout(connection, socket.SO_RCVTIMEO)
        self._recv_into = connection.recv_into

    def __call__(self, places: list[memoryview], timeout_s: float, deadline: float) -> int:
        del deadline
        self._timeout.set(timeout_s)
        return os.readv(self._descriptor, places)

    def into(self, place: memoryview, timeout_s: float, deadline: float) -> int:
        del deadline
        if timeout_s != self._timeout.seconds:
            self._timeout.set(timeout_s)
        return self._recv_into(place)


class SocketWrite:
    """A socket has SO_SNDTIMEO."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(True)
        self._descriptor = connection.fileno()
        self._timeout = SocketTimeout(connection, socket.SO_SNDTIMEO)
        self._send = connection.send

    def __call__(self, pieces: list[memoryview], timeout_s: float, deadline: float) -> int:
        del deadline
        self._timeout.set(timeout_s)
        return os.writev(self._descriptor, pieces)

    def now(self, frame: memoryview) -> int | None:
        try:
            return self._send(frame, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
