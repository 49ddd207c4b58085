"""Replies by datagram: the answerer notes where each question came from and sends back to there.

Sources: udp(7), recvfrom(2), sendto(2). The asker's socket is connected, so the kernel hands it only what comes
from the answerer (connect(2)). A reply to a socket that is gone is lost like any datagram.
"""

from __future__ import annotations

import errno
import socket

from ipclab.contract.channel import ClosingEndpoint, Sender
from ipclab.contract.errors import ChannelFull, MessageTooLarge, PeerGone, ReceiveTimeout
from ipclab.linux.socket_options import SocketTimeout


class UdpAsker(ClosingEndpoint):
    """A sender, and the socket it sends through, which also receives."""

    def __init__(self, what: str, sender: Sender, connected: socket.socket) -> None:
        self.send = sender.send
        self.close = sender.close  # type: ignore[method-assign]
        self._what = what
        self._receive = connected.recv_into
        self._timeout = SocketTimeout(connected, socket.SO_RCVTIMEO)

    def receive_into(self, buffer: memoryview, timeout_s: float) -> int:
        try:
            self._timeout.set(timeout_s)
            length = self._receive(buffer, 0, socket.MSG_TRUNC)
        except BlockingIOError as error:
            raise ReceiveTimeout(f"{self._what}: no reply", code=errno.EAGAIN) from error
        except OSError as error:
            raise PeerGone(f"{self._what}: {error.strerror}", code=error.errno or errno.EIO) from error
        return whole(length, buffer)


class UdpAnswerer(ClosingEndpoint):
    """A bound socket that remembers who sent the last message."""

    def __init__(self, what: str, bound: socket.socket, max_message_bytes: int) -> None:
        self._what = what
        self._socket = bound
        self._max = max_message_bytes
        self._asker: tuple[str, int] | None = None
        self._receiving = SocketTimeout(bound, socket.SO_RCVTIMEO)
        self._sending = SocketTimeout(bound, socket.SO_SNDTIMEO)

    def receive_into(self, buffer: memoryview, timeout_s: float) -> int:
        length = 0
        while not length:  # an empty datagram is an asker that knocks
            try:
                self._receiving.set(timeout_s)
                length, self._asker = self._socket.recvfrom_into(buffer, 0, socket.MSG_TRUNC)
            except BlockingIOError as error:
                raise ReceiveTimeout(f"{self._what}: no datagram", code=errno.EAGAIN) from error
            except OSError as error:
                raise PeerGone(f"{self._what}: {error.strerror}", code=error.errno or errno.EIO) from error
        return whole(length, buffer)

    def reply(self, payload: memoryview, timeout_s: float) -> None:
        if len(payload) > self._max:
            raise MessageTooLarge(f"{len(payload)} bytes; at most {self._max}", code=errno.EMSGSIZE)
        if self._asker is None:
            raise PeerGone(f"{self._what}: nobody has asked", code=errno.EDESTADDRREQ)
        try:
            self._sending.set(timeout_s)
            self._socket.sendto(payload, self._asker)
        except BlockingIOError as error:
            raise ChannelFull(f"{self._what}: no room to send", code=errno.EAGAIN) from error
        except OSError as error:
            raise PeerGone(f"{self._what}: {error.strerror}", code=error.errno or errno.EIO) from error

    def close(self) -> None:
        self._socket.close()

    def remove(self) -> None:
        self.close()


def whole(length: int, buffer: memoryview) -> int:
    """`length` of a datagram that fitted.

    :raises MessageTooLarge: it did not, and the kernel has cut it
    """
    if length > len(buffer):
        raise MessageTooLarge(f"a message of {length} bytes for a buffer of {len(buffer)}", code=errno.EMSGSIZE)
    return length
