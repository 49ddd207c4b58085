"""TCP: a byte stream between two sockets, on one host or on two.

Sources: tcp(7), socket(7), ip(7). The kernel of each side buffers, so `send` returns long before the
message is read: when the consumer dies, all that is in the buffers is lost. A peer that dies says so
(RST or FIN); a network that is cut says nothing, so both sides set a limit to silence. A peer that is slow or paused
is not silent, and is waited for: see `ipclab.building_blocks.tcp_silence`.
"""

from __future__ import annotations

import socket
from contextlib import suppress

from ipclab.building_blocks.connections import (
    ConnectionAnswerer,
    ConnectionAsker,
    ConnectionReceiver,
    ConnectionSender,
    inet,
    socket_error,
)
from ipclab.building_blocks.inet_address import BoundAddress, own_address, peer_address
from ipclab.building_blocks.message_size import MAX_MESSAGE_BYTES
from ipclab.building_blocks.tcp_silence import TcpWrite
from ipclab.contract.channel import (
    Address,
    Communication,
    Direction,
    Fact,
    Kind,
    OnFull,
    Persistence,
    Sharing,
    Traits,
    Wait,
)
from ipclab.contract.errors import ChannelError

_CONNECT_MS = 1000
_RTO_MAX, _RETRY_MS = 44, 1000  # TCP_RTO_MAX_MS, <linux/tcp.h>: try to reach the peer once a second at least


def _prepare(connection: socket.socket) -> None:
    """Hold nothing back; where nothing is on its way, break the connection five seconds after the peer's last word."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in ((socket.TCP_KEEPIDLE, 2), (socket.TCP_KEEPINTVL, 1), (socket.TCP_KEEPCNT, 3)):
        connection.setsockopt(socket.IPPROTO_TCP, option, value)
    with suppress(OSError):  # a kernel before 6.15 keeps doubling
        connection.setsockopt(socket.IPPROTO_TCP, _RTO_MAX, _RETRY_MS)


class Tcp:
    """See the module."""

    traits = Traits(
        kind=Fact(Kind.BYTE_STREAM, "tcp(7)"),
        ordered=Fact(True, "tcp(7)"),
        reliable=Fact(
            True,
            "tcp(7); until the peer is silent for 7 s: ipclab.building_blocks.tcp_silence",
            "a silent peer is given up after 13 to 30 minutes (tcp(7), tcp_retries2), and what was sent to it is lost",
        ),
        max_message_bytes=Fact(
            MAX_MESSAGE_BYTES,
            "ipclab.building_blocks.framing",
            "no messages and no limit: a byte stream has no borders (tcp(7))",
        ),
        on_full=Fact(OnFull.BLOCK, "send(2)"),
        persistence=Fact(Persistence.PROCESS, "tcp(7)"),
        direction=Fact(Direction.TWO_WAY, "tcp(7)"),
        communication=Fact(Communication.DIRECT, "connect(2)"),
        many_senders=Fact(True, "listen(2)"),
        many_receivers=Fact(False, "bind(2), EADDRINUSE"),
        requires=Fact(frozenset({Sharing.NETWORK}), "network_namespaces(7)"),
        copies=Fact(
            4,  # into the frame, into the kernel, out of it, out of the read buffer
            "send(2), read(2), and ipclab.building_blocks.framing",
            "2: into the kernel and out of it (send(2), read(2))",
        ),
        copies_large=Fact(2, "send(2), read(2)"),  # the pieces as they are, straight into the caller's buffer
        copies_by_send=Fact(2, "send(2), read(2)"),
        waits=Fact((Wait.BLOCK,), "poll(2), read(2), write(2)"),
        send_errnos=Fact(
            (
                "EAGAIN",
                "ECONNREFUSED",
                "ECONNRESET",
                "EAI_AGAIN",
                "EAI_NONAME",
                "EHOSTUNREACH",
                "ENETUNREACH",
                "EPIPE",
                "ETIMEDOUT",
            ),
            "connect(2), send(2), tcp(7), getaddrinfo(3)",
        ),
        man_page="tcp(7)",
    )

    def create_receiver(self, address: Address) -> ConnectionReceiver:
        what, listener, bound = _listening(address)
        return ConnectionReceiver(what, listener, prepare=_prepare, while_silent=bound.check)

    def open_sender(self, address: Address) -> ConnectionSender:
        return ConnectionSender(*_connected(address), write=TcpWrite)

    def create_answerer(self, address: Address) -> ConnectionAnswerer:
        what, listener, bound = _listening(address)
        return ConnectionAnswerer(what, listener, prepare=_prepare, write=TcpWrite, while_silent=bound.check)

    def open_asker(self, address: Address) -> ConnectionAsker:
        return ConnectionAsker(*_connected(address), write=TcpWrite)


def _listening(address: Address) -> tuple[str, socket.socket, BoundAddress]:
    what = inet("tcp", address.host, address.port)
    listener = socket.socket()
    try:
        own = own_address(address.host, address.port)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(own)
        listener.listen()
    except OSError as error:
        listener.close()
        raise socket_error(what, error) from error
    except ChannelError:
        listener.close()
        raise
    return what, listener, BoundAddress(address.host, own)


def _connected(address: Address) -> tuple[str, socket.socket]:
    what = inet("tcp", address.host, address.port)
    connection = socket.socket()
    try:
        # Also a limit of connect(2), which then returns ETIMEDOUT itself.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _CONNECT_MS)
        connection.connect(peer_address(address.host, address.port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 0)  # from here on it is TcpWrite's
        _prepare(connection)
    except OSError as error:
        connection.close()
        raise socket_error(what, error) from error
    return what, connection


MECHANISM = Tcp()
