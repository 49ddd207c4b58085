"""Receives messages as frames from byte streams: what the pipes and the connected sockets have in common."""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ipclab.building_blocks.names import LosingName, Name
from ipclab.building_blocks.scatter import Read, ScatterReader
from ipclab.building_blocks.stream_sender import MAX_MESSAGE_BYTES, unread_bytes
from ipclab.contract.channel import ClosingEndpoint
from ipclab.contract.errors import EMPTY, ChannelError, ReceiveTimeout

# How long somebody may stand at the door while we wait for the one who spoke last.
_DOOR_S = 0.1
_READS_PER_LOOK = 32
_NEVER_S = float("inf")


@dataclass(slots=True)
class Stream:
    """One sender's bytes; `close` when they end."""

    descriptor: int
    frames: ScatterReader
    read: Read
    close: Callable[[], None]


class StreamReceiver(ClosingEndpoint):
    """Receives messages as frames from any number of descriptors, each a byte stream of its own.

    A new sender comes in through the `door` (a socket; -1: there is none), so it need not wait until the
    old one's stream has ended. Whoever has bytes is read once before anybody is read twice: a fast sender
    does not starve a slow one. One that is alone and has just spoken is waited for by its read, without poll(2):
    half the system calls. Then the others, who are none, and the door get their look every now and then.
    """

    def __init__(self, what: str, door: int = -1, *, marked: bool = False, name: Name | None = None) -> None:
        self._what = what
        self._losing = LosingName(name.is_linked, partial(name.gone, what)) if name else None
        self._marked = marked
        self._door = door
        self._streams: dict[int, Stream] = {}
        self._ready: list[tuple[int, int]] = []
        self._current: ScatterReader | None = None  # may have another whole message
        self._ended: ScatterReader | None = None  # the same, and no more bytes come for it
        self._alone: Stream | None = None
        self._until_look = 0
        self._poll = select.poll()
        self._longest_s = _DOOR_S if door >= 0 else _NEVER_S
        if door >= 0:
            self._poll.register(door, select.POLLIN)

    def receive_into(self, buffer: memoryview, timeout_s: float) -> int:
        length: int | None
        frames = self._current
        if frames is not None:
            length = frames.next_into(buffer)
            if length is not None:
                return length
            self._current = None
            if frames is self._ended:
                self._end_of_stream(frames)
        now = time.monotonic()
        deadline = now + timeout_s
        left = timeout_s
        while True:
            stream = self._alone
            try:
                if stream is None or left <= 0:
                    stream = self._next_ready(left)
                    length = self._read_once(stream, buffer, left, deadline) if stream else None
                else:
                    if left > self._longest_s:
                        left = self._longest_s
                    length = stream.frames.receive_into(buffer, stream.read, left, now + left)
            except BlockingIOError:
                self._look_at_all()
            except (EOFError, OSError):  # ECONNRESET, ETIMEDOUT: the same as the end of the stream
                assert stream
                self._end(stream)
            except ChannelError:
                if stream and stream.frames.end:
                    self._current = stream.frames
                raise
            else:
                if stream is not None:
                    self._until_look -= 1
                    if self._until_look <= 0:
                        self._look_or_not(stream)
                    if stream.frames.end:  # look into it first the next time
                        self._current = stream.frames
                    if length is not None:
                        return length
            now = time.monotonic()
            left = deadline - now

    def _next_ready(self, left_s: float) -> Stream | None:
        """A stream that can be read; None: it was the door.

        :raises ReceiveTimeout: none can within `left_s`
        :raises PeerGone: the name is gone
        """
        if not self._ready:
            self._ready = self._poll.poll(left_s * 1000) if left_s >= 0 else []
            if not self._ready:
                timeout = ReceiveTimeout(f"{self._what}: no message", code=EMPTY)
                raise self._losing.timed_out(timeout, senders_left=bool(self._streams)) if self._losing else timeout
        stream = self._streams.get(self._ready.pop()[0])
        if stream is None:
            self._let_in()
        return stream

    def close(self) -> None:
        for stream in self._streams.values():
            stream.close()
        self._streams.clear()
        self._ready.clear()
        self._look_at_all()
        self._current = self._ended = None

    def queued_bytes(self) -> int:
        """See `ipclab.contract.optional`. Who waits at the door is not looked into, and what we have read is not the
        kernel's."""
        return sum(map(unread_bytes, self._streams))

    def capacity_bytes(self) -> int:
        """See `ipclab.contract.optional`."""
        return sum(map(self._capacity_of, self._streams))

    def _capacity_of(self, descriptor: int) -> int:
        """How many bytes can wait in this one."""
        raise NotImplementedError

    def _let_in(self) -> None:
        """The door is readable: `_add` whoever stands there."""
        raise NotImplementedError

    def _add(self, descriptor: int, read: Read, close: Callable[[], None]) -> None:
        """Read this one too; `close` is called when its stream ends, or ours."""
        self._streams[descriptor] = Stream(
            descriptor, ScatterReader(MAX_MESSAGE_BYTES, marked=self._marked), read, close
        )
        self._poll.register(descriptor, select.POLLIN)
        self._look_at_all()

    def _drop(self, descriptor: int) -> None:
        """The stream of `descriptor` ended."""
        self._poll.unregister(descriptor)
        self._streams.pop(descriptor).close()

    def _read_once(self, stream: Stream, buffer: memoryview, timeout_s: float, deadline: float) -> int | None:
        """Read once, so that others get their turn; a message's length, if one is whole now."""
        return stream.frames.receive_into(buffer, stream.read, timeout_s, deadline, once=True)

    def _end(self, stream: Stream) -> None:
        """
        :raises TornMessage: it ended within a message
        """
        self._look_at_all()
        self._drop(stream.descriptor)
        self._end_of_stream(stream.frames)

    def _end_of_stream(self, frames: ScatterReader) -> None:
        """
        :raises TornMessage: it ended within a message; what is behind the message comes next
        """
        self._current = self._ended = frames
        frames.end_of_stream()
        self._current = self._ended = None

    def _look_at_all(self) -> None:
        """Before the next read, see who can be read."""
        self._alone = None
        self._until_look = 0

    def _look_or_not(self, stream: Stream) -> None:
        """`stream` has spoken: either this was its turn after a look, or it is time for one."""
        if self._alone is None and len(self._streams) == 1:
            self._alone = stream
            self._until_look = _READS_PER_LOOK
        else:
            self._look_at_all()
