"""The reader of a byte stream that wastes no copy: large messages go straight into the caller's buffer.

readv(2) takes several places at once: the prefix of the next frame goes here, the message into the buffer of
whoever waits for it, if it is as long as the last one. The reader's own buffer then has a *hole* where the
message would be, and the hole is in the caller's. If the guess was wrong, or the caller stops waiting before the
message is whole, the hole is filled with what came so far, and everything is as if it had been read in one piece.
"""

from __future__ import annotations

import time
from typing import Protocol

from ipclab.building_blocks.framing import MARK_BYTES, PREFIX_BYTES, FrameReader, is_marked

# Shorter ones come many to a read; then one copy costs less than one more system call.
MIN_BYTES = 16384


class Read(Protocol):
    """readv(2) on one descriptor: the number of bytes moved, 0 at the end. `deadline` (monotonic) is `timeout_s` away.

    :raises BlockingIOError: no byte came for `timeout_s`, or a little less
    :raises OSError: as the call does
    """

    def __call__(self, places: list[memoryview], timeout_s: float, deadline: float, /) -> int: ...

    def into(self, place: memoryview, timeout_s: float, deadline: float, /) -> int:
        """The same for one place: read(2), which costs less."""


class ScatterReader(FrameReader):
    """A `FrameReader` that can be given the buffer before the bytes are read.

    Use: `receive_into(buffer, read, ...)` until it returns a length. Who may read but once calls `next_into(buffer)`
    until it returns None, reads into `places(buffer)`, and calls `took(n, buffer)`, which returns what `next_into`
    would. Before another buffer is used, or none: `fill_hole()`.
    """

    def __init__(self, max_message_bytes: int, read_ahead_bytes: int = 65536, *, marked: bool = False) -> None:
        super().__init__(max_message_bytes, read_ahead_bytes, marked=marked)
        # Of the last frame that was sound, because the next one is most likely as long:
        self._frame_bytes = 0
        self._message_bytes = 0
        self._small = False  # its message is short, and `_message` is where it was
        self._message = self._view[:0]
        self._head = self._view[:PREFIX_BYTES]  # what is before its message
        self._tail = self._view[:0]  # what is behind it: the second mark
        self._hole: memoryview | None = None

    def receive_into(self, buffer: memoryview, read: Read, timeout_s: float, deadline: float) -> int | None:
        """The next message's length; None if it is not whole yet.

        :raises EOFError: the stream has ended; see `end_of_stream`
        :raises OSError: what `read` raises
        :raises TornMessage: see `next_into`
        :raises MessageTooLarge: see `next_into`
        """
        if self.end:
            length = self.next_into(buffer)
            if length is not None:
                return length
        elif self._small:
            count = read.into(self._view, timeout_s, deadline)
            if count == self._frame_bytes and self._bytes.startswith(self._prefix):
                length = self._message_bytes
                if length <= len(buffer):
                    buffer[:length] = self._message
                    return length
            if not count:
                raise EOFError
            return self.took(count, buffer)
        places = self.places(buffer)
        while True:
            count = read(places, timeout_s, deadline)
            if not count:
                raise EOFError
            length = self.took(count, buffer)
            if length is not None or self._hole is None:
                return length
            places = self._behind()
            timeout_s = deadline - time.monotonic()
            if timeout_s <= 0:
                return None

    def places(self, buffer: memoryview) -> list[memoryview]:
        """Where the next read may put its bytes, in this order; after `next_into` returned None."""
        end, hole = self.end, self._hole
        if hole is not None:
            return self._behind()
        if self._message_bytes < MIN_BYTES:
            return [self._view[end:]]
        if not end and self._message_bytes <= len(buffer):
            self._hole = hole = buffer[: self._message_bytes]
            return [self._head, hole, self._tail] if self._marked else [self._head, hole]
        # To the end of the frame and not beyond: the next message then has nothing in our buffer.
        is_known = end >= PREFIX_BYTES and self._bytes.startswith(self._prefix)
        return [self._view[end : self._frame_bytes if is_known else None]]

    def _behind(self) -> list[memoryview]:
        """Where the rest of the message goes, of which a part is in the hole."""
        assert self._hole is not None
        here = self.end - len(self._head)
        rest = self._hole[here:]
        if not self._marked:
            return [rest]
        return [rest, self._tail] if rest else [self._tail[here - len(self._hole) :]]

    def took(self, count: int, buffer: memoryview) -> int | None:
        """`count` bytes were put into `places(buffer)`; the next message's length, or None if more are needed.

        :raises TornMessage: see `next_into`
        :raises MessageTooLarge: see `next_into`
        """
        self.end += count
        if self._hole is None:
            return self.next_into(buffer)
        if self.end >= len(self._head) and self._bytes.startswith(self._prefix):
            if self.end < self._frame_bytes:
                return None
            if not self._tail or self._is_unmixed(PREFIX_BYTES, self._length):
                self._hole = None
                self.end = 0
                return self._message_bytes
        self.fill_hole()
        return self.next_into(buffer)

    def fill_hole(self) -> None:
        """Take what came of a message out of the caller's buffer."""
        hole, self._hole = self._hole, None
        begin = len(self._head)
        if hole is not None and self.end > begin:
            end = min(self.end, begin + len(hole))
            self._view[begin:end] = hole[: end - begin]

    def _length_at(self, position: int) -> int | None:
        length = super()._length_at(position)
        if length is not None:
            mark_bytes = MARK_BYTES if self._marked and is_marked(length) else 0
            end = PREFIX_BYTES + length
            self._frame_bytes, self._message_bytes = end, length - 2 * mark_bytes
            self._small = not mark_bytes and length < MIN_BYTES
            self._head = self._view[: PREFIX_BYTES + mark_bytes]
            self._message = self._view[PREFIX_BYTES + mark_bytes : end - mark_bytes]
            self._tail = self._view[end - mark_bytes : end]
        return length

    def end_of_stream(self) -> None:
        self._hole = None
        super().end_of_stream()
