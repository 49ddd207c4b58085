"""The reader of a byte stream that wastes no copy: large messages go straight into the caller's buffer.

readv(2) takes several places at once: the prefix of the next frame goes here, the message into the buffer of
whoever waits for it, if it is as long as the last one. The reader's own buffer then has a *hole* where the
message would be, and the hole is in the caller's. If the guess was wrong, or the caller stops waiting before the
message is whole, the hole is filled with what came so far, and everything is as if it had been read in one piece.
"""

from __future__ import annotations

from ipclab.framing import PREFIX_BYTES, FrameReader, is_marked

# Shorter ones come many to a read; then one copy costs less than one more system call.
MIN_BYTES = 16384


class ScatterReader(FrameReader):
    """A `FrameReader` that can be given the buffer before the bytes are read.

    Use: `next_into(buffer)` until it returns None; read into `places(buffer)`; `took(n, buffer)`, which returns what
    `next_into` would. Before another buffer is used, or none: `fill_hole()`.
    """

    def __init__(self, max_message_bytes: int, read_ahead_bytes: int = 65536, *, marked: bool = False) -> None:
        super().__init__(max_message_bytes, read_ahead_bytes, marked=marked)
        self._everything = [self._view]
        self._head = self._view[:PREFIX_BYTES]
        self._hole: memoryview | None = None
        self._frame_bytes = 0  # of a small frame like the last one; 0: it was not small
        self._message = self._view[:0]  # where its message is, if a read brought exactly one

    def places(self, buffer: memoryview) -> list[memoryview]:
        """Where the next read may put its bytes, in this order; after `next_into` returned None."""
        end, length = self.end, self._length
        if length < MIN_BYTES or self._marked:  # a mixed message must not reach the caller's buffer
            return [self._view[end:]] if end else self._everything
        if not end and length <= len(buffer):
            self._hole = buffer[:length]
            return [self._head, self._hole]
        if self._hole is not None:
            return [self._hole[end - PREFIX_BYTES :]]
        # To the end of the frame and not beyond: the next message then has nothing in our buffer.
        frame_end = PREFIX_BYTES + length if end >= PREFIX_BYTES and self._bytes.startswith(self._prefix) else None
        return [self._view[end:frame_end]]

    def took(self, count: int, buffer: memoryview) -> int | None:
        """`count` bytes were put into `places(buffer)`; the next message's length, or None if more are needed.

        :raises TornMessage: see `next_into`
        :raises MessageTooLarge: see `next_into`
        """
        length = self._length
        if (
            count == self._frame_bytes
            and not self.end
            and length <= len(buffer)
            and self._bytes.startswith(self._prefix)
        ):
            buffer[:length] = self._message
            return length
        self.end += count
        if self._hole is None:
            return self.next_into(buffer)
        if self.end >= PREFIX_BYTES and self._bytes.startswith(self._prefix):
            if self.end < PREFIX_BYTES + self._length:
                return None
            self._hole = None
            self.end = 0
            return self._length
        self.fill_hole()
        return self.next_into(buffer)

    def fill_hole(self) -> None:
        """Take what came of a message out of the caller's buffer."""
        hole, self._hole = self._hole, None
        if hole is not None and self.end > PREFIX_BYTES:
            self._view[PREFIX_BYTES : self.end] = hole[: self.end - PREFIX_BYTES]

    def _length_at(self, position: int) -> int | None:
        length = super()._length_at(position)
        if length is not None:
            is_small = length < MIN_BYTES and not (self._marked and is_marked(length))
            self._frame_bytes = PREFIX_BYTES + length if is_small else 0
            self._message = self._view[PREFIX_BYTES : self._frame_bytes]
        return length

    def end_of_stream(self) -> None:
        self._hole = None
        super().end_of_stream()
