"""The receiver of framed messages from byte streams: the common part of pipes and connected sockets."""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ipclab.building_blocks.message_size import MAX_MESSAGE_BYTES
from ipclab.building_blocks.names import LosingName, Name
from ipclab.building_blocks.scatter import Read, ScatterReader
from ipclab.building_blocks.stream_sender import unread_bytes
from ipclab.contract.channel import ClosingEndpoint
from ipclab.contract.errors import EMPTY, ChannelError, ReceiveTimeout

# The longest time that a new sender waits at the listener while the receiver waits for the only sender.
_LISTENER_WAIT_S = 0.1
_READS_PER_POLL = 32
_NEVER_S = float("inf")


@dataclass(slots=True)
class Stream:
    """The byte stream of one sender; `close` is called at its end."""

    descriptor: int
    frames: ScatterReader
    read: Read
    close: Callable[[], None]


class StreamReceiver(ClosingEndpoint):
    """Receives messages as frames from any number of descriptors, each a byte stream of its own.

    A new sender connects to the `listener` (the descriptor of a socket; -1 for none) while the streams of others go on.
    Ready streams are read round robin, so a fast sender does not starve a slow one. With a single stream the receiver
    blocks in read(2) instead of poll(2), which halves the system calls; every `_READS_PER_POLL` reads it polls the
    listener too.
    """

    def __init__(self, what: str, listener: int = -1, *, marked: bool = False, name: Name | None = None) -> None:
        self._what = what
        self._losing = LosingName(name.is_linked, partial(name.gone, what)) if name else None
        self._marked = marked
        self._listener_descriptor = listener
        self._streams: dict[int, Stream] = {}
        self._ready: list[tuple[int, int]] = []
        self._current: ScatterReader | None = None  # may have another whole message
        self._ended: ScatterReader | None = None  # the same, and no more bytes come for it
        self._alone: Stream | None = None
        self._until_poll = 0
        self._poll = select.poll()
        self._longest_s = _LISTENER_WAIT_S if listener >= 0 else _NEVER_S
        if listener >= 0:
            self._poll.register(listener, select.POLLIN)

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
                self._poll_all()
            except (EOFError, OSError):  # ECONNRESET, ETIMEDOUT: the same as the end of the stream
                assert stream
                self._end(stream)
            except ChannelError:
                if stream and stream.frames.end:
                    self._current = stream.frames
                raise
            else:
                if stream is not None:
                    self._until_poll -= 1
                    if self._until_poll <= 0:
                        self._choose_wait(stream)
                    if stream.frames.end:  # hand out what it holds first, the next time
                        self._current = stream.frames
                    if length is not None:
                        return length
            now = time.monotonic()
            left = deadline - now

    def _next_ready(self, left_s: float) -> Stream | None:
        """A stream that can be read; None after a new sender was accepted.

        :raises ReceiveTimeout: no stream can be read within `left_s`
        :raises PeerGone: the name was removed
        """
        if not self._ready:
            self._ready = self._poll.poll(left_s * 1000) if left_s >= 0 else []
            if not self._ready:
                timeout = ReceiveTimeout(f"{self._what}: no message", code=EMPTY)
                raise self._losing.timed_out(timeout, senders_left=bool(self._streams)) if self._losing else timeout
        stream = self._streams.get(self._ready.pop()[0])
        if stream is None:
            self._accept()
        return stream

    def close(self) -> None:
        for stream in self._streams.values():
            stream.close()
        self._streams.clear()
        self._ready.clear()
        self._poll_all()
        self._current = self._ended = None

    def queued_bytes(self) -> int:
        """See `ipclab.contract.optional_parts`. Senders that are not accepted yet and bytes that were read do not
        count."""
        return sum(map(unread_bytes, self._streams))

    def capacity_bytes(self) -> int:
        """See `ipclab.contract.optional_parts`."""
        return sum(map(self._capacity_of, self._streams))

    def _capacity_of(self, descriptor: int) -> int:
        """The capacity of the kernel's buffer of this stream, in bytes."""
        raise NotImplementedError

    def _accept(self) -> None:
        """The listener is readable: accept the new sender and `_add` its stream."""
        raise NotImplementedError

    def _add(self, descriptor: int, read: Read, close: Callable[[], None]) -> None:
        """Read this stream too; `close` is called at its end, or when the receiver closes."""
        self._streams[descriptor] = Stream(
            descriptor, ScatterReader(MAX_MESSAGE_BYTES, marked=self._marked), read, close
        )
        self._poll.register(descriptor, select.POLLIN)
        self._poll_all()

    def _drop(self, descriptor: int) -> None:
        """The stream of `descriptor` ended."""
        self._poll.unregister(descriptor)
        self._streams.pop(descriptor).close()

    def _read_once(self, stream: Stream, buffer: memoryview, timeout_s: float, deadline: float) -> int | None:
        """Read once, so that the other streams are read too; the length of a message, if one is whole now."""
        return stream.frames.receive_into(buffer, stream.read, timeout_s, deadline, once=True)

    def _end(self, stream: Stream) -> None:
        """
        :raises TornMessage: it ended within a message
        """
        self._poll_all()
        self._drop(stream.descriptor)
        self._end_of_stream(stream.frames)

    def _end_of_stream(self, frames: ScatterReader) -> None:
        """
        :raises TornMessage: it ended within a message; what is behind the message comes next
        """
        self._current = self._ended = frames
        frames.end_of_stream()
        self._current = self._ended = None

    def _poll_all(self) -> None:
        """Poll all streams and the listener before the next read."""
        self._alone = None
        self._until_poll = 0

    def _choose_wait(self, stream: Stream) -> None:
        """After a read of `stream`: block in its read if it is the only one, until the next poll is due."""
        if self._alone is None and len(self._streams) == 1:
            self._alone = stream
            self._until_poll = _READS_PER_POLL
        else:
            self._poll_all()
