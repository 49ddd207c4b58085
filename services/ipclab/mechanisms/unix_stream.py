"""The Unix domain socket: a byte stream between two processes of one kernel, found by a name in the filesystem.

Sources: unix(7), socket(7). The name is on the volume, the bytes are in the kernel. The kernel knows the connecting
process and lets in only those that may write to the name. The sender's own buffer (net.core.wmem_default) is the only
one between the two: when the receiver dies, unread bytes are lost, and the sender gets ECONNRESET or EPIPE. The name of
a dead receiver stays, and the next receiver takes it over.
"""

from __future__ import annotations

import socket

from ipclab.building_blocks import unix_socket
from ipclab.building_blocks.connections import ConnectionAnswerer, ConnectionAsker, ConnectionReceiver, ConnectionSender
from ipclab.building_blocks.message_size import MAX_MESSAGE_BYTES
from ipclab.building_blocks.names import Name
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


class UnixStreamReceiver(ConnectionReceiver):
    """The listening side; owns the name."""

    def __init__(self, listener: socket.socket, name: Name) -> None:
        # unix(7): SO_RCVBUF has no effect, the sender's SO_SNDBUF limits; neither side sets it, so it is ours as well.
        super().__init__(f"unix socket {name.path}", listener, limit_option=socket.SO_SNDBUF, name=name)
        self._owned = name

    def remove(self) -> None:
        self.close()
        unix_socket.unlink(self._owned)


class UnixStreamAnswerer(UnixStreamReceiver, ConnectionAnswerer):
    """The same, answering."""


class UnixStream:
    """See the module."""

    traits = Traits(
        kind=Fact(Kind.BYTE_STREAM, "unix(7)"),
        ordered=Fact(True, "unix(7)"),
        reliable=Fact(True, "unix(7)"),
        max_message_bytes=Fact(
            MAX_MESSAGE_BYTES,
            "ipclab.building_blocks.framing",
            "no messages and no limit: a byte stream has no borders (unix(7))",
        ),
        on_full=Fact(OnFull.BLOCK, "send(2)"),
        persistence=Fact(Persistence.PROCESS, "unix(7)"),
        direction=Fact(Direction.TWO_WAY, "socket(2)"),
        communication=Fact(Communication.DIRECT, "connect(2)"),
        many_senders=Fact(True, "listen(2)"),
        many_receivers=Fact(
            False,
            "ipclab.building_blocks.unix_socket",
            "one socket at a name (bind(2), EADDRINUSE); processes that inherit it may share connections (accept(2))",
        ),
        requires=Fact(frozenset({Sharing.VOLUME}), "unix(7), pathname"),
        copies=Fact(
            4,  # into the frame, into the kernel, out of it, out of the read buffer
            "send(2), read(2), and ipclab.building_blocks.framing",
            "2: into the kernel and out of it (send(2), read(2))",
        ),
        copies_large=Fact(2, "send(2), read(2)"),  # the pieces as they are, straight into the caller's buffer
        copies_by_send=Fact(2, "send(2), read(2)"),
        waits=Fact((Wait.BLOCK,), "poll(2), read(2), write(2)"),
        send_errnos=Fact(("EAGAIN", "ECONNREFUSED", "ECONNRESET", "ENOENT", "EPIPE"), "connect(2), unix(7), send(2)"),
        man_page="unix(7)",
    )

    def create_receiver(self, address: Address) -> UnixStreamReceiver:
        return UnixStreamReceiver(*unix_socket.bind(address.path, socket.SOCK_STREAM))

    def open_sender(self, address: Address) -> ConnectionSender:
        connection, name = unix_socket.connect(address.path, socket.SOCK_STREAM)
        return ConnectionSender(f"unix socket {address.path}", connection, name=name)

    def create_answerer(self, address: Address) -> UnixStreamAnswerer:
        return UnixStreamAnswerer(*unix_socket.bind(address.path, socket.SOCK_STREAM))

    def open_asker(self, address: Address) -> ConnectionAsker:
        connection, _ = unix_socket.connect(address.path, socket.SOCK_STREAM)
        return ConnectionAsker(f"unix socket {address.path}", connection)


MECHANISM = UnixStream()
