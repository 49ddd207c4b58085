"""TCP: a byte stream between two sockets, on one host or on two.

Sources: tcp(7), socket(7), ip(7). The kernel of each side buffers, so `send` returns long before the
message is read: when the consumer dies, all that is in the buffers is lost. A peer that dies says so
(RST or FIN); a network that is cut says nothing, so both sides set a limit to silence.
"""

from __future__ import annotations

import socket
from contextlib import suppress

from ipclab.channel import (
    Address,
    Communication,
    Direction,
    Kind,
    OnFull,
    Persistence,
    Sharing,
    Traits,
)
from ipclab.mechanisms._socket import ConnectionReceiver, ConnectionSender, inet, named
from ipclab.mechanisms._socket_replies import ConnectionAnswerer, ConnectionAsker
from ipclab.mechanisms._stream import MAX_MESSAGE_BYTES

_CONNECT_TIMEOUT_S = 1.0
_SILENCE_MS = 5000
_RTO_MAX, _RETRY_MS = 44, 1000  # TCP_RTO_MAX_MS, <linux/tcp.h>: look for the peer once a second at least, until then


def _prepare(connection: socket.socket) -> None:
    """Hold nothing back; break the connection after five seconds in which the peer acknowledged nothing (tcp(7))."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _SILENCE_MS)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in ((socket.TCP_KEEPIDLE, 2), (socket.TCP_KEEPINTVL, 1), (socket.TCP_KEEPCNT, 3)):
        connection.setsockopt(socket.IPPROTO_TCP, option, value)
    with suppress(OSError):  # a kernel before 6.15 keeps doubling: what lasts over 3 s it finds mended at 5 s, too late
        connection.setsockopt(socket.IPPROTO_TCP, _RTO_MAX, _RETRY_MS)


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
        many_senders=True,
        many_receivers=False,
        requires=frozenset({Sharing.NETWORK}),
        copies=4,  # into the frame, into the kernel, out of it, out of the read buffer; large ones: the middle two
        send_errnos=("EAGAIN", "ECONNREFUSED", "ECONNRESET", "EHOSTUNREACH", "EPIPE", "ETIMEDOUT"),
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
            "many_senders": "listen(2)",
            "many_receivers": "bind(2), EADDRINUSE",
            "requires": "network_namespaces(7)",
            "copies": "send(2), read(2), and ipclab.framing",
            "waits": "poll(2); read(2), write(2), and ipclab.mechanisms._timed",
            "send_errnos": "connect(2), send(2), tcp(7); EHOSTUNREACH: ipclab.mechanisms._socket",
        },
    )

    def create_receiver(self, address: Address) -> ConnectionReceiver:
        return ConnectionReceiver(*_listening(address), prepare=_prepare)

    def open_sender(self, address: Address) -> ConnectionSender:
        return ConnectionSender(*_connected(address))

    def create_answerer(self, address: Address) -> ConnectionAnswerer:
        return ConnectionAnswerer(*_listening(address), prepare=_prepare)

    def open_asker(self, address: Address) -> ConnectionAsker:
        return ConnectionAsker(*_connected(address))


def _listening(address: Address) -> tuple[str, socket.socket]:
    what = inet("tcp", address.host, address.port)
    listener = socket.socket()
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address.host, address.port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise named(what, error) from error
    return what, listener


def _connected(address: Address) -> tuple[str, socket.socket]:
    what = inet("tcp", address.host, address.port)
    try:
        connection = socket.create_connection((address.host, address.port), timeout=_CONNECT_TIMEOUT_S)
    except OSError as error:
        raise named(what, error) from error
    try:
        _prepare(connection)
    except OSError as error:  # gone again
        connection.close()
        raise named(what, error) from error
    return what, connection


MECHANISM = Tcp()
