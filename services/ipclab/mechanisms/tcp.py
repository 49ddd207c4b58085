"""TCP: a byte stream between two sockets, on one host or on two.

Sources: tcp(7), socket(7), ip(7). The kernel of each side buffers, so `send` returns long before the
message is read: when the consumer dies, all that is in the buffers is lost. A peer that dies says so
(RST or FIN); a network that is cut says nothing, so both sides set a limit to silence.
"""

from __future__ import annotations

import errno
import select
import socket
import time
from contextlib import suppress

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
from ipclab.errors import AccessRefused, ChannelError, PeerAbsent, ReceiveTimeout, Unusable
from ipclab.framing import FrameReader
from ipclab.mechanisms._stream import StreamWriter

MAX_MESSAGE_BYTES = 1 << 20
_CONNECT_TIMEOUT_S = 1.0
_SILENCE_MS = 5000


def _limit_silence(connection: socket.socket) -> None:
    """Break the connection after five seconds in which the peer acknowledged nothing (tcp(7))."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _SILENCE_MS)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in ((socket.TCP_KEEPIDLE, 2), (socket.TCP_KEEPINTVL, 1), (socket.TCP_KEEPCNT, 3)):
        connection.setsockopt(socket.IPPROTO_TCP, option, value)


class TcpSender(ClosingEndpoint):
    """The connecting side."""

    def __init__(self, connection: socket.socket, peer: str) -> None:
        self._connection = connection
        self.send = StreamWriter(f"tcp {peer}", connection.fileno(), connection.send, MAX_MESSAGE_BYTES).send

    def close(self) -> None:
        self._connection.close()


class TcpReceiver(ClosingEndpoint):
    """The listening side; reads from every connection, so that a new sender need not wait for the old to break."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._connections: dict[int, tuple[socket.socket, FrameReader]] = {}
        self._ready: list[int] = []
        self._poll = select.poll()
        self._poll.register(listener, select.POLLIN)

    def receive_into(self, buffer: memoryview, timeout_s: float) -> int:
        deadline = time.monotonic() + timeout_s
        while True:
            while self._ready:
                length = self._from_connection(self._ready[-1], buffer)
                if length is not None:
                    return length
            events = self._poll.poll(max(0.0, deadline - time.monotonic()) * 1000)
            if not events:
                raise ReceiveTimeout("no bytes on any connection", code=errno.EAGAIN)
            for descriptor, _ in events:
                if descriptor == self._listener.fileno():
                    self._accept()
                else:
                    self._ready.append(descriptor)

    def close(self) -> None:
        for connection, _ in self._connections.values():
            connection.close()
        self._connections.clear()
        self._ready.clear()
        self._listener.close()

    def remove(self) -> None:
        self.close()

    def _accept(self) -> None:
        with suppress(OSError):  # the peer may be gone again by now
            connection, _ = self._listener.accept()
            connection.setblocking(False)
            _limit_silence(connection)
            self._connections[connection.fileno()] = (connection, FrameReader(MAX_MESSAGE_BYTES))
            self._poll.register(connection, select.POLLIN)

    def _from_connection(self, descriptor: int, buffer: memoryview) -> int | None:
        """The next message of one connection; None once it has no more bytes for now."""
        connection, frames = self._connections[descriptor]
        while True:
            length = frames.next_into(buffer)
            if length is not None:
                return length
            try:
                count = connection.recv_into(frames.space())
            except BlockingIOError:
                self._ready.remove(descriptor)
                return None
            except OSError:  # ECONNRESET, ETIMEDOUT: the same as the end of the stream
                count = 0
            if count:
                frames.filled(count)
                continue
            self._drop(descriptor)
            frames.end_of_stream()
            return None

    def _drop(self, descriptor: int) -> None:
        self._poll.unregister(descriptor)
        connection, _ = self._connections.pop(descriptor)
        connection.close()
        self._ready.remove(descriptor)


class Tcp:
    """See the module."""

    traits = Traits(
        kind=Kind.BYTE_STREAM,
        ordered=True,
        reliable=True,
        max_message_bytes=MAX_MESSAGE_BYTES,
        on_full=OnFull.BLOCK,
        persistence=Persistence.PROCESS,
        direction=Direction.TWO_WAY,
        communication=Communication.DIRECT,
        requires=frozenset({Sharing.NETWORK}),
        copies=4,  # into the frame, into the kernel, out of it, out of the read buffer
        send_errnos=("EAGAIN", "ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT"),
        man_page="tcp(7)",
        sources={
            "kind": "tcp(7)",
            "ordered": "tcp(7)",
            "reliable": "tcp(7)",
            "max_message_bytes": "ipclab.framing",
            "on_full": "send(2)",
            "persistence": "tcp(7)",
            "direction": "tcp(7)",
            "communication": "connect(2)",
        },
    )

    def create_receiver(self, address: Address) -> TcpReceiver:
        listener = socket.socket()
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address.host, address.port))
            listener.listen()
            listener.setblocking(False)
        except OSError as error:
            listener.close()
            raise _named(address, error) from error
        return TcpReceiver(listener)

    def open_sender(self, address: Address) -> TcpSender:
        try:
            connection = socket.create_connection((address.host, address.port), timeout=_CONNECT_TIMEOUT_S)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _limit_silence(connection)
            connection.setblocking(False)
        except OSError as error:
            raise _named(address, error) from error
        return TcpSender(connection, f"{address.host}:{address.port}")


def _named(address: Address, error: OSError) -> ChannelError:
    message = f"tcp {address.host}:{address.port}: {error.strerror or error}"
    if isinstance(error, socket.gaierror):  # its numbers are not errnos; no such host now, perhaps later
        return PeerAbsent(message, code=errno.EHOSTUNREACH)
    if isinstance(error, TimeoutError):
        return PeerAbsent(message, code=errno.ETIMEDOUT)
    code = error.errno or errno.EIO
    if code in (errno.EACCES, errno.EPERM):
        return AccessRefused(message, code=code)
    if code in (errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EMFILE):
        return Unusable(message, code=code)
    return PeerAbsent(message, code=code)


MECHANISM = Tcp()
