"""UDP: datagrams, each delivered whole or not at all, in any order; a lost datagram is reported to no process.

Sources: udp(7), ip(7), socket(7), recvfrom(2), sendto(2). The kernel drops datagrams that find the receiver's buffer
full (net.core.rmem_default), and only the kernel counts them. There is no connection: connect(2) stores the address and
sends nothing. If a kernel answers that no socket listens (ICMP), the *next* call gets ECONNREFUSED: an earlier message
is lost, and the current one was not sent. So `open_sender` probes the peer with an empty datagram; see
docs/decisions/0008-udp-peer-detection.md.

An answerer stores the source of each question and sends the reply to it. The asker's socket is connected, so the kernel
hands it only datagrams of the answerer (connect(2)). A reply to a closed socket is lost like any datagram.
"""

from __future__ import annotations

import errno
import socket
import time

from ipclab.building_blocks.connections import inet, socket_error
from ipclab.building_blocks.inet_address import BoundAddress, own_address, peer_address
from ipclab.building_blocks.message_size import over_buffer, over_limit
from ipclab.building_blocks.stream_sender import wait_for
from ipclab.contract.channel import (
    Address,
    ClosingEndpoint,
    Communication,
    Direction,
    Fact,
    Kind,
    OnFull,
    Persistence,
    Sender,
    Sharing,
    Traits,
    Wait,
)
from ipclab.contract.errors import GONE, ChannelError, ChannelFull, PeerGone, ReceiveTimeout
from ipclab.linux.socket_options import SocketTimeout, meminfo


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

    def __init__(self, what: str, bound: socket.socket, address: BoundAddress, max_message_bytes: int) -> None:
        self._what = what
        self._socket = bound
        self._bound = address
        self._max = max_message_bytes
        self._asker: tuple[str, int] | None = None
        self._receiving = SocketTimeout(bound, socket.SO_RCVTIMEO)
        self._sending = SocketTimeout(bound, socket.SO_SNDTIMEO)

    def receive_into(self, buffer: memoryview, timeout_s: float) -> int:
        length = 0
        while not length:  # an empty datagram is the probe of an asker
            try:
                self._receiving.set(timeout_s)
                length, self._asker = self._socket.recvfrom_into(buffer, 0, socket.MSG_TRUNC)
            except BlockingIOError as error:
                self._bound.check()
                raise ReceiveTimeout(f"{self._what}: no datagram", code=errno.EAGAIN) from error
            except OSError as error:
                raise PeerGone(f"{self._what}: {error.strerror}", code=error.errno or errno.EIO) from error
        return whole(length, buffer)

    def reply(self, payload: memoryview, timeout_s: float) -> None:
        if len(payload) > self._max:
            raise over_limit(len(payload), self._max)
        if self._asker is None:
            raise PeerGone(f"{self._what}: no question has arrived", code=GONE)
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
        raise over_buffer(length, buffer)
    return length


_IP_RECVERR = 11  # <linux/in.h>
_PROBE_S = 0.02


def probe_peer(connected: socket.socket) -> None:
    """Send an empty datagram to the peer of `connected`, and give its kernel the time to refuse.

    :raises OSError: it did
    """
    connected.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)  # also say, now and later, that the host is gone
    connected.send(b"")
    if wait_for(connected.fileno(), 0, time.monotonic() + _PROBE_S):  # no event is asked for: nothing but an error
        connected.send(b"")  # the kernel's report of the first one is the error of the next call: udp(7)


MAX_MESSAGE_BYTES = 65_507  # 65,535 without the headers of IP and UDP


class _Endpoint(ClosingEndpoint):
    """A blocking socket."""

    def __init__(self, what: str, endpoint: socket.socket, timeout_option: int) -> None:
        self._what = what
        self._socket = endpoint
        self._timeout = SocketTimeout(endpoint, timeout_option)

    def close(self) -> None:
        self._socket.close()


class UdpSender(_Endpoint):
    """A socket that is connected to the receiver's address."""

    def send(self, payload: memoryview, timeout_s: float) -> None:
        if len(payload) > MAX_MESSAGE_BYTES:
            raise over_limit(len(payload), MAX_MESSAGE_BYTES)
        try:
            try:  # there nearly always is room
                self._socket.send(payload, socket.MSG_DONTWAIT)
            except BlockingIOError:
                self._timeout.set(timeout_s)
                self._socket.send(payload)
        except BlockingIOError as error:  # our own buffer is full; the receiver's drops
            raise ChannelFull(f"{self._what}: no room to send", code=errno.EAGAIN) from error
        except OSError as error:  # about an earlier message; this one was not sent
            raise PeerGone(f"{self._what}: {error.strerror}", code=error.errno or errno.EIO) from error


class UdpReceiver(_Endpoint):
    """A bound socket. For what the kernel counts of it see `ipclab.contract.optional_parts`."""

    def __init__(self, what: str, endpoint: socket.socket, bound: BoundAddress) -> None:
        super().__init__(what, endpoint, socket.SO_RCVTIMEO)
        self._bound = bound

    def receive_into(self, buffer: memoryview, timeout_s: float) -> int:
        length = 0
        while not length:  # an empty datagram is the probe of a sender
            try:
                if timeout_s != self._timeout.seconds:
                    self._timeout.set(timeout_s)
                length = self._socket.recv_into(buffer, 0, socket.MSG_TRUNC)
            except BlockingIOError as error:
                self._bound.check()
                raise ReceiveTimeout(f"{self._what}: no datagram", code=errno.EAGAIN) from error
            except OSError as error:
                raise PeerGone(f"{self._what}: {error.strerror}", code=error.errno or errno.EIO) from error
        return whole(length, buffer)

    def kernel_drops(self) -> int:
        return meminfo(self._socket).dropped

    def queued_bytes(self) -> int:
        """With the kernel's overhead, which counts against the limit. FIONREAD tells of the next datagram only."""
        return meminfo(self._socket).received_bytes

    def capacity_bytes(self) -> int:
        """SO_RCVBUF."""
        return meminfo(self._socket).limit_bytes

    def remove(self) -> None:
        self.close()


class Udp:
    """See the module."""

    traits = Traits(
        kind=Fact(Kind.MESSAGE, "udp(7)"),
        ordered=Fact(False, "udp(7)"),
        reliable=Fact(False, "udp(7)"),
        max_message_bytes=Fact(MAX_MESSAGE_BYTES, "udp(7)"),
        on_full=Fact(OnFull.DROP, "socket(7), SO_RCVBUF"),
        persistence=Fact(Persistence.PROCESS, "udp(7)"),
        direction=Fact(Direction.TWO_WAY, "udp(7)"),
        communication=Fact(Communication.DIRECT, "connect(2)"),
        many_senders=Fact(True, "udp(7)"),
        many_receivers=Fact(False, "bind(2), EADDRINUSE"),
        requires=Fact(frozenset({Sharing.NETWORK}), "network_namespaces(7)"),
        copies=Fact(2, "send(2), recv(2)"),  # into the kernel, out of it
        copies_large=Fact(2, "send(2), recv(2)"),
        copies_by_send=Fact(2, "send(2), recv(2)"),
        waits=Fact((Wait.BLOCK,), "socket(7), SO_RCVTIMEO"),
        send_errnos=Fact(
            ("EAGAIN", "ECONNREFUSED", "EAI_AGAIN", "EAI_NONAME", "EHOSTUNREACH", "ENETUNREACH"),
            "udp(7), connect(2), send(2), getaddrinfo(3)",
        ),
        man_page="udp(7)",
    )

    def create_receiver(self, address: Address) -> UdpReceiver:
        return UdpReceiver(*_bound(address))

    def open_sender(self, address: Address) -> UdpSender:
        return UdpSender(*_connected(address), socket.SO_SNDTIMEO)

    def create_answerer(self, address: Address) -> UdpAnswerer:
        return UdpAnswerer(*_bound(address), MAX_MESSAGE_BYTES)

    def open_asker(self, address: Address) -> UdpAsker:
        what, connected = _connected(address)
        return UdpAsker(what, UdpSender(what, connected, socket.SO_SNDTIMEO), connected)


def _bound(address: Address) -> tuple[str, socket.socket, BoundAddress]:
    what = inet("udp", address.host, address.port)
    bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        own = own_address(address.host, address.port)
        bound.bind(own)  # no SO_REUSEADDR: a second receiver would take the first one's
    except OSError as error:
        bound.close()
        raise socket_error(what, error) from error
    except ChannelError:
        bound.close()
        raise
    return what, bound, BoundAddress(address.host, own)


def _connected(address: Address) -> tuple[str, socket.socket]:
    what = inet("udp", address.host, address.port)
    connected = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        connected.connect(peer_address(address.host, address.port))
        probe_peer(connected)
    except OSError as error:
        connected.close()
        raise socket_error(what, error) from error
    return what, connected


MECHANISM = Udp()
