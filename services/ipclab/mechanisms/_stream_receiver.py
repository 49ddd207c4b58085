"""Receives messages as frames from byte streams: what the pipes and the connected sockets have in common."""

from __future__ import annotations

import errno
import os
import select
import time

from ipclab.channel import ClosingEndpoint
from ipclab.errors import ChannelError, ReceiveTimeout
from ipclab.mechanisms._stream import MAX_MESSAGE_BYTES, unread_bytes
from ipclab.scatter import ScatterReader


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
        self._streams: dict[int, ScatterReader] = {}
        self._ready: list[tuple[int, int]] = []
        self._current: ScatterReader | None = None  # may have another whole message
        self._reading: ScatterReader | None = None  # may have a hole in the caller's buffer
        self._poll = select.poll()
        if door >= 0:
            self._poll.register(door, select.POLLIN)

    def receive_into(self, buffer: memoryview, timeout_s: float) -> int:
        frames = self._current
        if frames is not None:
            length = frames.next_into(buffer)
            if length is not None:
                return length
            self._current = None
        deadline = time.monotonic() + timeout_s
        left = timeout_s
        try:
            while True:
                length = self._read(self._next_ready(left), buffer)
                if length is not None:
                    return length
                left = deadline - time.monotonic()
        except ChannelError:
            self._leave_buffer()
            raise

    def _next_ready(self, left_s: float) -> int:
        """A descriptor that can be read.

        :raises ReceiveTimeout: none can within `left_s`
        """
        if not self._ready:
            self._ready = self._poll.poll(left_s * 1000) if left_s >= 0 else []
            if not self._ready:
                raise ReceiveTimeout(f"{self._what}: no message", code=errno.EAGAIN)
        return self._ready.pop()[0]

    def _leave_buffer(self) -> None:
        """The caller's buffer is the caller's again: take the part of a message out of it that came so far."""
        if self._reading is not None:
            self._reading.fill_hole()
            self._reading = None

    def close(self) -> None:
        for descriptor in self._streams:
            os.close(descriptor)
        self._streams.clear()
        self._ready.clear()
        self._current = self._reading = None

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
        self._streams[descriptor] = ScatterReader(MAX_MESSAGE_BYTES, marked=self._marked)
        self._poll.register(descriptor, select.POLLIN)

    def _drop(self, descriptor: int) -> None:
        """The stream of `descriptor` ended."""
        self._poll.unregister(descriptor)
        del self._streams[descriptor]
        os.close(descriptor)

    def _read(self, descriptor: int, buffer: memoryview) -> int | None:
        """Read once; a message's length, if one is whole now."""
        frames = self._streams.get(descriptor)
        if frames is None:
            self._let_in()
            return None
        if frames is not self._reading:
            self._leave_buffer()
            self._reading = frames
        try:
            count = os.readv(descriptor, frames.places(buffer))
        except BlockingIOError:
            return None
        except OSError:  # ECONNRESET, ETIMEDOUT: the same as the end of the stream
            count = 0
        if count:
            self._current = frames  # whatever happens, look into it first the next time
            return frames.took(count, buffer)
        self._drop(descriptor)
        self._reading = None
        frames.end_of_stream()
        return None
