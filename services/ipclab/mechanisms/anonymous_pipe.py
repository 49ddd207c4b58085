"""The anonymous pipe: a byte stream without a name, for processes that were given a descriptor of it.

Sources: pipe(2), pipe(7), unix(7). A descriptor reaches another process in one of two ways:

- Parent and child: the child of fork(2) has all descriptors of its parent. This is the classic way, within one
  container; it needs nothing but the pipe.
- A Unix socket: the kernel copies the descriptor into the receiving process (SCM_RIGHTS). This module does so: two
  containers need no common pid namespace, only the volume on which the socket has its name.

The receiver owns the socket. Each sender makes a pipe, keeps the writing end and sends the reading end. The socket is a
datagram socket, because the kernel keeps a sent descriptor until the receiver takes it: neither side waits for the
other. The socket carries nothing else.

Each sender has a pipe of its own. On a common pipe only writes of up to PIPE_BUF (4,096 bytes) are atomic, and two
senders of larger messages would mix them, as `fifo` shows. The stream of a killed sender ends alone (EOF) and tears no
other. A sender whose receiver has died gets EPIPE, also when the receiver never took the descriptor. A pipe is half
duplex: replies need a second pipe in the other direction.
"""

from __future__ import annotations

import os
import socket
import stat

from ipclab.building_blocks import unix_socket
from ipclab.building_blocks.connections import socket_error
from ipclab.building_blocks.message_size import MAX_MESSAGE_BYTES
from ipclab.building_blocks.names import Name
from ipclab.building_blocks.pipes import PipeReceiver, PipeSender
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


class AnonymousPipeReceiver(PipeReceiver):
    """The reading ends, and the socket that hands them over."""

    def __init__(self, handover_socket: socket.socket, name: Name) -> None:
        handover_socket.setblocking(False)
        super().__init__(f"anonymous pipe by {name.path}", listener=handover_socket.fileno(), name=name)
        self._handover_socket = handover_socket
        self._owned = name

    def close(self) -> None:
        super().close()
        self._handover_socket.close()

    def remove(self) -> None:
        self.close()
        unix_socket.unlink(self._owned)

    def _accept(self) -> None:
        try:
            _, descriptors, _, _ = socket.recv_fds(self._handover_socket, 1, 1)
        except OSError:  # nothing in it after all
            return
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)
            if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
                self._add_pipe(descriptor)
            else:
                os.close(descriptor)


class AnonymousPipe:
    """See the module."""

    traits = Traits(
        kind=Fact(Kind.BYTE_STREAM, "pipe(7)"),
        ordered=Fact(True, "pipe(7)"),
        reliable=Fact(True, "pipe(7)"),
        max_message_bytes=Fact(
            MAX_MESSAGE_BYTES,
            "ipclab.building_blocks.framing",
            "no messages and no limit: a byte stream has no borders (pipe(7))",
        ),
        on_full=Fact(OnFull.BLOCK, "pipe(7), Pipe capacity"),
        persistence=Fact(Persistence.PROCESS, "pipe(7)"),
        direction=Fact(Direction.ONE_WAY, "pipe(2)"),
        communication=Fact(
            Communication.DIRECT,
            "ipclab.mechanisms.anonymous_pipe: a pipe for each sender",
            "indirect: a pipe names no peer; every process that has an end may use it (pipe(2), fork(2))",
        ),
        many_senders=Fact(
            True,
            "ipclab.mechanisms.anonymous_pipe: a pipe for each sender",
            "many may write one pipe; writes of up to PIPE_BUF bytes are not mixed (pipe(7))",
        ),
        many_receivers=Fact(
            False,
            "ipclab.building_blocks.unix_socket",
            "many may read one pipe; each byte goes to one of them, so messages would be torn (pipe(7))",
        ),
        requires=Fact(
            frozenset({Sharing.VOLUME}),
            "unix(7), SCM_RIGHTS, through a socket on a volume: ipclab.mechanisms.anonymous_pipe",
            "a common ancestor, from which both inherit an end (fork(2)), or any way to pass a descriptor",
        ),
        copies=Fact(
            4,  # into the frame, into the kernel, out of it, out of the read buffer
            "write(2), read(2), and ipclab.building_blocks.framing",
            "2: into the kernel and out of it (write(2), read(2))",
        ),
        copies_large=Fact(2, "write(2), read(2)"),  # the pieces as they are, straight into the caller's buffer
        copies_by_send=Fact(2, "write(2), read(2)"),
        waits=Fact((Wait.BLOCK,), "poll(2), read(2), write(2)"),
        send_errnos=Fact(("EAGAIN", "ECONNREFUSED", "ENOENT", "EPIPE"), "unix(7), write(2)"),
        man_page="pipe(7)",
    )

    def create_receiver(self, address: Address) -> AnonymousPipeReceiver:
        return AnonymousPipeReceiver(*unix_socket.bind(address.path, socket.SOCK_DGRAM))

    def open_sender(self, address: Address) -> PipeSender:
        what = f"anonymous pipe by {address.path}"
        handover_socket, name = unix_socket.connect(address.path, socket.SOCK_DGRAM)
        with handover_socket:
            reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                socket.send_fds(handover_socket, [b"\0"], [reading])
            except OSError as error:
                os.close(writing)
                raise socket_error(what, error) from error
            finally:
                os.close(reading)
        return PipeSender(what, writing, name=name)


MECHANISM = AnonymousPipe()
