"""The ends of pipes, with or without a name, and the anonymous pipe between parent and child in one container.

Sources: pipe(2), pipe(7), fork(2). A child has all open descriptors of its parent, so both have both ends of a pipe
that was made before the fork. Each process must close the end of the other: a reader that keeps the writing end never
sees the end of the stream. A pipe is half duplex, so replies need a second pipe: see `Conversation`.
"""

from __future__ import annotations

import fcntl
import os
from functools import partial

from ipclab.building_blocks.names import Name
from ipclab.building_blocks.stream_receiver import StreamReceiver
from ipclab.building_blocks.stream_sender import StreamWriter, unread_bytes
from ipclab.building_blocks.timed_io import PipeRead, PipeWrite
from ipclab.contract.channel import ClosingEndpoint


class PipeSender(ClosingEndpoint):
    """The writing end of a pipe. Without a reader it is EPIPE (Python ignores SIGPIPE)."""

    def __init__(self, what: str, descriptor: int, *, marked: bool = False, name: Name | None = None) -> None:
        self._descriptor = descriptor
        writer = StreamWriter(what, descriptor, PipeWrite(descriptor), marked=marked, name=name)
        self.send, self.check_linked = writer.send, writer.check_linked

    def queued_bytes(self) -> int:
        """See `ipclab.contract.optional_parts`: a pipe is one buffer, and both ends may ask how full it is
        (FIONREAD)."""
        return unread_bytes(self._descriptor)

    def capacity_bytes(self) -> int:
        """See `ipclab.contract.optional_parts`."""
        return fcntl.fcntl(self._descriptor, fcntl.F_GETPIPE_SZ)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class PipeReceiver(StreamReceiver):
    """The reading ends: a byte stream with the capacity and the wait of a pipe (pipe(7))."""

    def _capacity_of(self, descriptor: int) -> int:
        return fcntl.fcntl(descriptor, fcntl.F_GETPIPE_SZ)

    def _add_pipe(self, descriptor: int) -> None:
        """Read `descriptor` too, and close it at the end of its stream."""
        self._add(descriptor, PipeRead(descriptor), partial(os.close, descriptor))


_WHAT = "anonymous pipe between parent and child"


class InheritedPipeReceiver(PipeReceiver):
    """The reading end. No writer can join later, so the end of the last writer is the end of the channel."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(_WHAT)
        self._add_pipe(descriptor)

    def remove(self) -> None:
        """Close; the kernel removes the pipe with its last descriptor."""
        self.close()


class InheritedPipe:
    """A pipe made before fork(2). After it, one process becomes the receiver and the other the sender."""

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def receiver(self) -> InheritedPipeReceiver:
        """This process reads, and closes the writing end."""
        os.close(self._writing)
        return InheritedPipeReceiver(self._reading)

    def sender(self) -> PipeSender:
        """This process writes, and closes the reading end."""
        os.close(self._reading)
        return PipeSender(_WHAT, self._writing)


class Conversation:
    """Two pipes: one to the child, one for its replies."""

    def __init__(self) -> None:
        self._to_child, self._to_parent = InheritedPipe(), InheritedPipe()

    def parent(self) -> tuple[InheritedPipeReceiver, PipeSender]:
        """The ends of the process that asks."""
        return self._to_parent.receiver(), self._to_child.sender()

    def child(self) -> tuple[InheritedPipeReceiver, PipeSender]:
        """The ends of the process that answers."""
        return self._to_child.receiver(), self._to_parent.sender()
