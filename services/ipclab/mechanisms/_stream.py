"""What the byte-stream mechanisms share: frames through descriptors that neither give nor take them at once."""

from __future__ import annotations

import errno
import fcntl
import os
import select
import struct
import termios
import time
from collections.abc import Callable

from ipclab.channel import ClosingEndpoint
from ipclab.errors import ChannelFull, PeerGone, ReceiveTimeout
from ipclab.framing import FrameReader, FrameWriter

MAX_MESSAGE_BYTES = 1 << 20
_INT = struct.Struct("i")


def wait_for(descriptor: int, event: int, deadline: float) -> bool:
    """poll(2) until `event` (or an error, which the next call will name) or until `deadline`, monotonic."""
    poll = select.poll()
    poll.register(descriptor, event)
    return bool(poll.poll(max(0.0, deadline - time.monotonic()) * 1000))


def unread_bytes(descriptor: int) -> int:
    """What could be read now: FIONREAD, of pipe(7), tcp(7) and unix(7)."""
    return int(_INT.unpack(fcntl.ioctl(descriptor, termios.FIONREAD, bytes(_INT.size)))[0])


class StreamWriter:
    """Sends messages as frames through a non-blocking descriptor.

    `write(view)` is the system call: it returns the bytes taken and raises `OSError`. `marked`, here and below, where
    several senders write into one stream: see `ipclab.framing`.
    """

    def __init__(self, what: str, descriptor: int, write: Callable[[memoryview], int], *, marked: bool = False) -> None:
        self._what = what
        self._descriptor = descriptor
        self._write = write
        self._frames = FrameWriter(MAX_MESSAGE_BYTES, marked=marked)

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


class StreamReceiver(ClosingEndpoint):
    """Receives messages as frames from any number of non-blocking descriptors, each a byte stream of its own.

    A new sender comes in through the `door` (a socket; -1: there is none), so it need not wait until the
    old one's stream has ended. Whoever has bytes is read once before anybody is read twice: a fast sender
    does not starve a slow one.
    """

    def __init__(self, what: str, door: int = -1, *, marked: bool = False) -> None:
        self._what = what
        self._marked = marked
        self._door = door
        self._streams: dict[int, FrameReader] = {}
        self._ready: list[int] = []
        self._current: FrameReader | None = None
        self._poll = select.poll()
        if door >= 0:
            self._poll.register(door, select.POLLIN)

    def receive_into(self, buffer: memoryview, timeout_s: float) -> int:
        deadline = time.monotonic() + timeout_s
        left = timeout_s
        while True:
            if self._current:
                length = self._current.next_into(buffer)
                if length is not None:
                    return length
                self._current = None
            if not self._ready:
                self._ready = [descriptor for descriptor, _ in self._poll.poll(left * 1000)] if left >= 0 else []
                if not self._ready:
                    raise ReceiveTimeout(f"{self._what}: no message", code=errno.EAGAIN)
                left = deadline - time.monotonic()
            self._read(self._ready.pop())

    def close(self) -> None:
        for descriptor in self._streams:
            os.close(descriptor)
        self._streams.clear()
        self._ready.clear()
        self._current = None

    def queued_bytes(self) -> int:
        """See `ipclab.queued`. Who waits at the door is not looked into, and what we have read is not the kernel's."""
        return sum(map(unread_bytes, self._streams))

    def capacity_bytes(self) -> int:
        """See `ipclab.queued`."""
        return sum(map(self._capacity_of, self._streams))

    def _capacity_of(self, descriptor: int) -> int:
        """How many bytes can wait in this one."""
        raise NotImplementedError

    def _let_in(self) -> None:
        """The door is readable: `_add` whoever stands there."""
        raise NotImplementedError

    def _add(self, descriptor: int) -> None:
        """Read this one too; it is closed when its stream ends."""
        self._streams[descriptor] = FrameReader(MAX_MESSAGE_BYTES, marked=self._marked)
        self._poll.register(descriptor, select.POLLIN)

    def _drop(self, descriptor: int) -> None:
        """The stream of `descriptor` ended."""
        self._poll.unregister(descriptor)
        del self._streams[descriptor]
        os.close(descriptor)

    def _read(self, descriptor: int) -> None:
        if descriptor == self._door:
            self._let_in()
            return
        frames = self._streams[descriptor]
        try:
            count = os.readv(descriptor, [frames.space()])
        except BlockingIOError:
            return
        except OSError:  # ECONNRESET, ETIMEDOUT: the same as the end of the stream
            count = 0
        if count:
            frames.filled(count)
            self._current = frames
        else:
            self._drop(descriptor)
            frames.end_of_stream()
