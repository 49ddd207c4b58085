"""Connections of the socket mechanisms: a byte stream in each direction, and the meaning of socket errors.

A connection is two-way. Each direction is a byte stream of its own, framed like the other.
"""

from __future__ import annotations

import errno
import fcntl
import socket
import struct
import termios
import time
from collections.abc import Callable
from typing import Any

from ipclab.building_blocks.message_size import MAX_MESSAGE_BYTES
from ipclab.building_blocks.names import Name
from ipclab.building_blocks.scatter import ScatterReader
from ipclab.building_blocks.stream_receiver import Stream, StreamReceiver
from ipclab.building_blocks.stream_sender import StreamWriter
from ipclab.building_blocks.timed_io import SocketRead, SocketWrite
from ipclab.contract.channel import ClosingEndpoint
from ipclab.contract.errors import (
    EMPTY,
    GONE,
    NO_ANSWER,
    AccessRefused,
    ChannelError,
    PeerAbsent,
    PeerGone,
    ReceiveTimeout,
    Unusable,
)

_INT = struct.Struct("i")
_REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS)
_UNUSABLE = (errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EEXIST, errno.EMFILE, errno.ENAMETOOLONG, errno.EPROTOTYPE)


def socket_error(what: str, error: OSError) -> ChannelError:
    """The error of making or opening the socket `what`."""
    message = f"{what}: {error.strerror or error}"
    if isinstance(error, socket.gaierror):  # no system call failed; no such host now, perhaps later
        return PeerAbsent(message, code=_resolver_word(error))
    code = error.errno or errno.ENAMETOOLONG  # "AF_UNIX path too long" is all that has no number
    if code in _REFUSED:
        return AccessRefused(message, code=code)
    if code in _UNUSABLE:
        return Unusable(message, code=code)
    return PeerAbsent(message, code=code)


def _resolver_word(error: socket.gaierror) -> str:
    """The name of a resolver's error, whose numbers are not errnos: getaddrinfo(3)."""
    names = (name for name in dir(socket) if name.startswith("EAI_") and getattr(socket, name) == error.errno)
    return next(names, f"EAI {error.errno}")


def inet(kind: str, host: str, port: int) -> str:
    """The words for an address in messages.

    :raises Unusable: no host can have that name; the resolver would raise something that is no error of a socket
    """
    what = f"{kind} {host}:{port}"
    if "\0" in host:
        raise Unusable(f"{kind}: a host name has no null character", code=errno.EINVAL)
    try:
        host.encode("idna")
    except UnicodeError as error:
        raise Unusable(f"{what} is no address: {error}", code=errno.EINVAL) from error
    return what


class ConnectionSender(ClosingEndpoint):
    """The connecting side; `write` makes what writes to the connection."""

    def __init__(
        self,
        what: str,
        connection: socket.socket,
        write: Callable[[socket.socket], SocketWrite] = SocketWrite,
        name: Name | None = None,
    ) -> None:
        self._connection = connection
        writer = StreamWriter(what, connection.fileno(), write(connection), name=name)
        self.send, self.check_linked = writer.send, writer.check_linked

    def queued_bytes(self) -> int:
        """See `ipclab.contract.optional_parts`: what was sent and the other side's socket has not taken over
        (SIOCOUTQ).

        Of a Unix socket that is all that waits, with the kernel's overhead (unix(7)); of TCP what is not acknowledged
        (tcp(7)): what waits in the receiver's socket is acknowledged, and only the receiver can ask for it.
        """
        return int(_INT.unpack(fcntl.ioctl(self._connection, termios.TIOCOUTQ, bytes(_INT.size)))[0])

    def capacity_bytes(self) -> int:
        """See `ipclab.contract.optional_parts`."""
        return self._connection.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)

    def close(self) -> None:
        self._connection.close()


class ConnectionReceiver(StreamReceiver):
    """The listening side. `prepare` sets the options of every connection that comes in.

    `limit_option` is the socket option that limits what can wait in one: the receiver's or the sender's buffer.
    `while_silent` is called when a wait ended without a message, and raises where nothing can come any more.
    """

    def __init__(
        self,
        what: str,
        listener: socket.socket,
        prepare: Callable[[socket.socket], None] | None = None,
        limit_option: int = socket.SO_RCVBUF,
        name: Name | None = None,
        while_silent: Callable[[], None] | None = None,
    ) -> None:
        listener.setblocking(False)
        super().__init__(what, listener=listener.fileno(), name=name)
        self._listener = listener
        self._prepare = prepare
        self._limit_option = limit_option
        self._while_silent = while_silent

    def close(self) -> None:
        super().close()
        self._listener.close()

    def remove(self) -> None:
        self.close()

    def _capacity_of(self, descriptor: int) -> int:
        connection = socket.socket(fileno=descriptor)
        try:
            return connection.getsockopt(socket.SOL_SOCKET, self._limit_option)
        finally:
            connection.detach()

    def _next_ready(self, left_s: float) -> Stream | None:
        try:
            return super()._next_ready(left_s)
        except ReceiveTimeout:
            if self._while_silent:
                self._while_silent()
            raise

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:  # the peer may be gone again by now
            return
        connection.setblocking(True)
        try:
            if self._prepare:
                self._prepare(connection)
        except OSError:
            connection.close()
            return
        self._welcome(connection)

    def _welcome(self, connection: socket.socket) -> None:
        """Read what comes from there, and close it when that ends."""
        self._add(connection.fileno(), SocketRead(connection), connection.close)


class ConnectionAsker(ConnectionSender):
    """The connecting side, which also reads."""

    def __init__(
        self, what: str, connection: socket.socket, write: Callable[[socket.socket], SocketWrite] = SocketWrite
    ) -> None:
        super().__init__(what, connection, write)
        self._what = what
        self._frames = ScatterReader(MAX_MESSAGE_BYTES)
        self._read = SocketRead(connection)

    def receive_into(self, buffer: memoryview, timeout_s: float) -> int:
        deadline = time.monotonic() + timeout_s
        frames, left = self._frames, timeout_s
        try:
            while True:
                length = frames.receive_into(buffer, self._read, left, deadline)
                if length is not None:
                    return length
                left = deadline - time.monotonic()
                if left <= 0:
                    break
        except BlockingIOError:
            pass
        except EOFError as error:
            frames.end_of_stream()
            raise PeerGone(f"{self._what}: the answerer has closed", code=NO_ANSWER) from error
        except OSError as error:
            raise PeerGone(f"{self._what}: {error.strerror}", code=error.errno or errno.ECONNRESET) from error
        raise ReceiveTimeout(f"{self._what}: no reply", code=EMPTY)


class ConnectionAnswerer(ConnectionReceiver):
    """The listening side, which also writes, to the connection it read from last."""

    def __init__(
        self, *arguments: Any, write: Callable[[socket.socket], SocketWrite] = SocketWrite, **options: Any
    ) -> None:
        super().__init__(*arguments, **options)
        self._write = write
        self._asker: StreamWriter | None = None
        self._writers: dict[int, StreamWriter] = {}

    def reply(self, payload: memoryview, timeout_s: float) -> None:
        """See `ipclab.contract.optional_parts.Answerer`."""
        asker = self._asker
        if asker is None:
            raise PeerGone(f"{self._what}: the asker has ended", code=GONE)
        asker.send(payload, timeout_s)

    def _welcome(self, connection: socket.socket) -> None:
        super()._welcome(connection)
        descriptor = connection.fileno()
        self._writers[descriptor] = StreamWriter(self._what, descriptor, self._write(connection))

    def _read_once(self, stream: Stream, buffer: memoryview, timeout_s: float, deadline: float) -> int | None:
        self._asker = self._writers[stream.descriptor]
        return super()._read_once(stream, buffer, timeout_s, deadline)

    def _drop(self, descriptor: int) -> None:
        super()._drop(descriptor)
        del self._writers[descriptor]
        self._asker = None
