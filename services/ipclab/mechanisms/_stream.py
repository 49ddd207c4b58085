"""What the byte-stream mechanisms share: writing frames to a descriptor that may not take them at once."""

from __future__ import annotations

import errno
import select
import time
from collections.abc import Callable

from ipclab.errors import ChannelFull, PeerGone
from ipclab.framing import FrameWriter


def wait_for(descriptor: int, event: int, deadline: float) -> bool:
    """poll(2) until `event` (or an error, which the next call will name) or until `deadline`, monotonic."""
    poll = select.poll()
    poll.register(descriptor, event)
    return bool(poll.poll(max(0.0, deadline - time.monotonic()) * 1000))


class StreamWriter:
    """Sends messages as frames through a non-blocking descriptor.

    `write(view)` is the system call: it returns the bytes taken and raises `OSError`.
    """

    def __init__(self, what: str, descriptor: int, write: Callable[[memoryview], int], max_message_bytes: int) -> None:
        self._what = what
        self._descriptor = descriptor
        self._write = write
        self._frames = FrameWriter(max_message_bytes)

    def send(self, payload: memoryview, timeout_s: float) -> None:
        """`Sender.send` for a byte stream."""
        deadline = time.monotonic() + timeout_s
        if not self._flush(deadline, is_this_message=False):
            raise ChannelFull(f"{self._what} is full", code=errno.EAGAIN)
        self._frames.load(payload)
        if not self._flush(deadline, is_this_message=True) and not self._frames.started:
            self._frames.unload()
            raise ChannelFull(f"{self._what} is full", code=errno.EAGAIN)

    def _flush(self, deadline: float, *, is_this_message: bool) -> bool:
        """Write what is left of the frame; False if the descriptor took no more before `deadline`."""
        while rest := self._frames.rest():
            try:
                self._frames.wrote(self._write(rest))
            except BlockingIOError:
                if not wait_for(self._descriptor, select.POLLOUT, deadline):
                    return False
            except OSError as error:
                raise PeerGone(
                    f"{self._what}: {error.strerror}",
                    code=error.errno or errno.EPIPE,
                    may_be_delivered=is_this_message and self._frames.started,
                ) from error
        return True
