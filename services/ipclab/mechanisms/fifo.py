"""The named pipe: a byte stream with a name in the filesystem, between processes that need no common parent.

Sources: mkfifo(3), fifo(7), pipe(7). The name is on the volume. The bytes are in the kernel while a process has the
FIFO open: when the reader dies, unread bytes are lost, and the writer gets EPIPE. When the last writer closes, the
reader sees the end of the stream.

All writers share one stream. A write of up to PIPE_BUF (4,096 bytes, the frame's prefix included) is atomic. The kernel
takes a part of a larger write when the pipe is nearly full, and another writer may write in between. So larger frames
are marked (`ipclab.building_blocks.framing`); mixed frames are torn messages, which are counted and cost no others.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

from ipclab.building_blocks.kernel_objects import open_error
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
from ipclab.contract.errors import PeerGone, Unusable

_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
_WRITE = os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC
_ABSENT = (errno.ENXIO, errno.ENOENT)  # no reader; no name


class FifoReceiver(PipeReceiver):
    """The reading end; owns the name."""

    def __init__(self, path: Path, descriptor: int) -> None:
        super().__init__(f"fifo {path}", marked=True, name=Name.opened(path, descriptor))
        self._path = path
        self._add_pipe(descriptor)

    def remove(self) -> None:
        self.close()
        with suppress(OSError):
            self._path.unlink()

    def _drop(self, descriptor: int) -> None:
        """Open anew after the last writer went; the old descriptor would report POLLHUP for ever.

        The new one is opened before the old is closed, so that a writer that comes now finds a reader.
        """
        try:
            self._add_pipe(os.open(self._path, _READ))
        except OSError as error:
            raise PeerGone(f"fifo {self._path}: {error.strerror}", code=error.errno or errno.ENOENT) from error
        super()._drop(descriptor)


class Fifo:
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
        persistence=Fact(Persistence.PROCESS, "fifo(7)"),
        direction=Fact(Direction.ONE_WAY, "pipe(7)"),
        communication=Fact(Communication.INDIRECT, "fifo(7)"),
        many_senders=Fact(True, "pipe(7), PIPE_BUF"),
        many_receivers=Fact(
            False,
            "ipclab.building_blocks.framing",
            "many may read one pipe; each byte goes to one of them, so messages would be torn (pipe(7))",
        ),
        requires=Fact(frozenset({Sharing.VOLUME}), "fifo(7)"),
        copies=Fact(
            4,  # into the frame, into the kernel, out of it, out of the read buffer
            "write(2), read(2), and ipclab.building_blocks.framing",
            "2: into the kernel and out of it (write(2), read(2))",
        ),
        copies_large=Fact(2, "write(2), read(2)"),  # the pieces as they are, straight into the caller's buffer
        copies_by_send=Fact(2, "write(2), read(2)"),
        waits=Fact((Wait.BLOCK,), "poll(2), read(2), write(2)"),
        send_errnos=Fact(("EAGAIN", "ENOENT", "ENXIO", "EPIPE"), "open(2), write(2)"),
        man_page="fifo(7)",
    )

    def create_receiver(self, address: Address) -> FifoReceiver:
        path = address.path
        try:
            with suppress(FileExistsError):
                os.mkfifo(path, 0o600)
            if not stat.S_ISFIFO(path.lstat().st_mode):
                raise Unusable(f"{path} is there and is no FIFO; remove it", code=errno.EEXIST)
            return FifoReceiver(path, os.open(path, _READ))
        except OSError as error:
            raise open_error(f"fifo {path}", error, absent=_ABSENT) from error

    def open_sender(self, address: Address) -> PipeSender:
        path = address.path
        try:
            descriptor = os.open(path, _WRITE)
        except OSError as error:
            raise open_error(f"fifo {path}", error, absent=_ABSENT) from error
        if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise Unusable(f"{path} is no FIFO; remove it", code=errno.EEXIST)
        return PipeSender(f"fifo {path}", descriptor, marked=True, name=Name.opened(path, descriptor))


MECHANISM = Fifo()
