"""The Unix domain socket: a byte stream between two processes of one kernel, found by a name in the filesystem.

Sources: unix(7), socket(7). The name lives on the volume; the bytes live in the kernel. The kernel knows who
connects and lets in only who may write to the name. The sender's own buffer (net.core.wmem_default) is all
that lies between the two: when the receiver dies, what it had not read is lost, and the sender gets
ECONNRESET or EPIPE. The name of a dead receiver stays behind, and the next one takes it over.
"""

from __future__ import annotations

import socket
from pathlib import Path

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
from ipclab.mechanisms import _unix
from ipclab.mechanisms._socket import ConnectionReceiver, ConnectionSender
from ipclab.mechanisms._socket_replies import ConnectionAnswerer, ConnectionAsker
from ipclab.mechanisms._stream import MAX_MESSAGE_BYTES


class UnixStreamReceiver(ConnectionReceiver):
    """The listening side; owns the name."""

    def __init__(self, path: Path, listener: socket.socket) -> None:
        # unix(7): SO_RCVBUF has no effect, the sender's SO_SNDBUF limits; neither side sets it, so it is ours as well.
        super().__init__(f"unix socket {path}", listener, limit_option=socket.SO_SNDBUF)
        self._path = path
        self._identity = _unix.identity(path)

    def remove(self) -> None:
        self.close()
        _unix.unlink(self._path, self._identity)


class UnixStreamAnswerer(UnixStreamReceiver, ConnectionAnswerer):
    """The same, answering."""


class UnixStream:
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
        requires=frozenset({Sharing.VOLUME}),
        copies=4,  # into the frame, into the kernel, out of it, out of the read buffer; large ones: the middle two
        send_errnos=("EAGAIN", "ECONNREFUSED", "ECONNRESET", "ENOENT", "EPIPE"),
        man_page="unix(7)",
        sources={
            "kind": "unix(7)",
            "ordered": "unix(7)",
            "reliable": "unix(7)",
            "max_message_bytes": "ipclab.framing",
            "on_full": "send(2)",
            "persistence": "unix(7)",
            "direction": "socket(2)",
            "communication": "connect(2)",
            "many_senders": "listen(2)",
            "many_receivers": "ipclab.mechanisms._unix",
            "requires": "unix(7), pathname",
            "copies": "send(2), read(2), and ipclab.framing",
            "waits": "poll(2); read(2), write(2), and ipclab.mechanisms._timed",
            "send_errnos": "connect(2), unix(7), send(2)",
        },
    )

    def create_receiver(self, address: Address) -> UnixStreamReceiver:
        return UnixStreamReceiver(address.path, _unix.bind(address.path, socket.SOCK_STREAM))

    def open_sender(self, address: Address) -> ConnectionSender:
        return ConnectionSender(f"unix socket {address.path}", _unix.connect(address.path, socket.SOCK_STREAM))

    def create_answerer(self, address: Address) -> UnixStreamAnswerer:
        return UnixStreamAnswerer(address.path, _unix.bind(address.path, socket.SOCK_STREAM))

    def open_asker(self, address: Address) -> ConnectionAsker:
        return ConnectionAsker(f"unix socket {address.path}", _unix.connect(address.path, socket.SOCK_STREAM))


MECHANISM = UnixStream()
