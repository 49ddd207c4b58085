"""The sender of byte streams: frames into descriptors that may take a part of a frame at a time."""

from __future__ import annotations

import errno
import fcntl
import select
import struct
import termios
import time

from ipclab.building_blocks.framing import FrameWriter, behind
from ipclab.building_blocks.message_size import MAX_MESSAGE_BYTES
from ipclab.building_blocks.names import Name
from ipclab.building_blocks.timed_io import Write
from ipclab.contract.errors import ChannelFull, PeerGone

_INT = struct.Struct("i")


def wait_for(descriptor: int, event: int, deadline: float) -> bool:
    """poll(2) until `event` (or an error, which the next call will name) or until `deadline`, monotonic."""
    poll = select.poll()
    poll.register(descriptor, event)
    return bool(poll.poll(max(0.0, deadline - time.monotonic()) * 1000))


def unread_bytes(descriptor: int) -> int:
    """The number of bytes that can be read now: FIONREAD, of pipe(7), tcp(7) and unix(7)."""
    return int(_INT.unpack(fcntl.ioctl(descriptor, termios.FIONREAD, bytes(_INT.size)))[0])


class StreamWriter:
    """Sends messages as frames through a descriptor.

    `write` is the system call, writev(2), which may wait for room itself; a small message that is as long as the last
    one goes by its `now`, and waits only if there is no room. `marked`, here and below, where several
    senders write into one stream: see `ipclab.building_blocks.framing`. A frame of which one byte was written must be
    finished, or the stream is broken for all that follow.
    """

    def __init__(
        self, what: str, descriptor: int, write: Write, *, marked: bool = False, name: Name | None = None
    ) -> None:
        self._what = what
        self._name = name
        self._write = write
        self._now = write.now
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)
        self._frames = FrameWriter(MAX_MESSAGE_BYTES, marked=marked)
        self._rest: memoryview | None = None  # of a message that was accepted: a copy, the caller's has changed

    def send(self, payload: memoryview, timeout_s: float) -> None:
        """`Sender.send` for a byte stream."""
        frames = self._frames
        if len(payload) == frames.copied and self._rest is None:  # nearly always, where messages are small
            frames.body[:] = payload
            try:
                taken = self._now(frames.frame) or 0
            except OSError as error:
                raise self._gone(error, may_be_delivered=False) from error
            if taken == frames.frame_bytes:
                return
            self._go_on([frames.frame], frames.frame_bytes, taken, time.monotonic() + timeout_s)
            return
        deadline = time.monotonic() + timeout_s
        if self._rest is not None:
            self._send_rest(deadline)
        pieces = frames.pieces(payload)
        try:
            taken = self._write(pieces, timeout_s, deadline)
        except BlockingIOError:
            taken = 0
        except OSError as error:
            raise self._gone(error, may_be_delivered=False) from error
        if taken != frames.frame_bytes:
            self._go_on(pieces, frames.frame_bytes, taken, deadline)

    def check_linked(self) -> None:
        """See `ipclab.contract.optional_parts.FoundByName`."""
        if self._name is not None and self._rest is None and not self._name.is_linked():
            raise self._name.gone(self._what)

    def _send_rest(self, deadline: float) -> None:
        """Finish the message of which the kernel took only a part.

        :raises ChannelFull: it did not take all of the rest before `deadline`
        """
        rest = self._rest
        assert rest is not None
        taken = self._write_more([rest], len(rest), 0, deadline, is_in_hand=False)
        self._rest = rest[taken:] if taken < len(rest) else None
        if self._rest is not None:
            raise self._full()

    def _go_on(self, pieces: list[memoryview], size: int, taken: int, deadline: float) -> None:
        taken = self._write_more(pieces, size, taken, deadline, is_in_hand=True)
        if not taken:
            raise self._full()
        if taken < size:
            self._rest = memoryview(b"".join(behind(pieces, taken)))

    def _write_more(self, pieces: list[memoryview], size: int, taken: int, deadline: float, *, is_in_hand: bool) -> int:
        """Write what is behind the first `taken` bytes of `size`; how many the descriptor had taken at `deadline`."""
        is_full = is_in_hand  # it has just taken less than it could have
        while taken < size:
            left = deadline - time.monotonic()
            if is_full and not self._poll.poll(max(0.0, left) * 1000):
                break
            try:
                taken += self._write(behind(pieces, taken), max(0.0, left), deadline)
                is_full = is_in_hand
            except BlockingIOError:
                is_full = True
                if left <= 0:
                    break
            except OSError as error:
                raise self._gone(error, may_be_delivered=is_in_hand and taken > 0) from error
        return taken

    def _full(self) -> ChannelFull:
        return ChannelFull(f"{self._what} is full", code=errno.EAGAIN)  # by writev(2) or poll(2)

    def _gone(self, error: OSError, *, may_be_delivered: bool) -> PeerGone:
        message = f"{self._what}: {error.strerror}"
        return PeerGone(message, code=error.errno or errno.EPIPE, may_be_delivered=may_be_delivered)
