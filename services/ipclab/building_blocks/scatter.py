"""The reader of a byte stream that wastes no copy: a large message goes straight into the caller's buffer.

readv(2) takes several places at once: the prefix of the next frame goes into the reader's own buffer, the message into
the caller's, if the message is as long as the last one. Such a *direct read* begins and ends within one call of
`receive_into`. A call that ends without the whole message, for whatever reason, first moves what came of the message
into the reader's own buffer. So no place in a caller's buffer outlives the call that was given the buffer.
"""

from __future__ import annotations

import time
from typing import Protocol

from ipclab.building_blocks.framing import MARK_BYTES, PREFIX_BYTES, FrameReader, behind, is_marked

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
    """A `FrameReader` that is given the caller's buffer before the bytes are read."""

    def __init__(self, max_message_bytes: int, read_ahead_bytes: int = 65536, *, marked: bool = False) -> None:
        super().__init__(max_message_bytes, read_ahead_bytes, marked=marked)
        # Of the last frame that was sound, because the next one is most likely as long:
        self._frame_bytes = 0
        self._message_bytes = 0
        self._small = False  # its message is short, and `_message` is where it was
        self._message = self._view[:0]
        self._head = self._view[:PREFIX_BYTES]  # what is before its message
        self._tail = self._view[:0]  # what is behind it: the second mark

    def receive_into(
        self, buffer: memoryview, read: Read, timeout_s: float, deadline: float, *, once: bool = False
    ) -> int | None:
        """The next message's length; None if it is not whole yet. `once`: after one read, in any case.

        :raises EOFError: the stream has ended; see `end_of_stream`
        :raises OSError: what `read` raises
        :raises TornMessage: see `next_into`
        :raises MessageTooLarge: see `next_into`
        """
        if self.end:
            length = self.next_into(buffer)
            if length is not None:
                return length
            place = self._space()
        elif MIN_BYTES <= self._message_bytes <= len(buffer):
            return self._receive_directly(buffer, read, timeout_s, deadline, once)
        else:
            place = self._view
        count = read.into(place, timeout_s, deadline)
        if self._small and not self.end and count == self._frame_bytes and self._bytes.startswith(self._prefix):
            length = self._message_bytes
            if length <= len(buffer):
                buffer[:length] = self._message
                return length
        if not count:
            raise EOFError
        self.end += count
        return self.next_into(buffer)

    def _space(self) -> memoryview:
        """The place for the next bytes while a part of a frame is here.

        Of a large message to the end of its frame and not beyond: the next one can then be read directly.
        """
        end = self.end
        is_large = self._message_bytes >= MIN_BYTES and end >= PREFIX_BYTES and self._bytes.startswith(self._prefix)
        return self._view[end : self._frame_bytes if is_large else None]

    def _receive_directly(
        self, buffer: memoryview, read: Read, timeout_s: float, deadline: float, once: bool
    ) -> int | None:
        message, tail = buffer[: self._message_bytes], self._tail
        places = frame = [self._head, message, tail] if tail else [self._head, message]
        taken = 0
        is_whole = False
        try:
            while True:
                count = read(places, timeout_s, deadline)
                if not count:
                    raise EOFError
                taken += count
                if taken >= PREFIX_BYTES and not self._bytes.startswith(self._prefix):
                    break  # another length, or no frame
                if taken == self._frame_bytes:
                    is_whole = not tail or self._is_unmixed(PREFIX_BYTES, self._length)
                    break
                timeout_s = deadline - time.monotonic()
                if once or timeout_s <= 0:
                    break
                places = behind(frame, taken)
        finally:
            if not is_whole:
                self._take_back(message, taken)
        return len(message) if is_whole else self.next_into(buffer)

    def _take_back(self, message: memoryview, taken: int) -> None:
        """Of a frame `taken` bytes came, and the part of them that is in `message` must not stay there."""
        begin = len(self._head)
        end = min(taken, begin + len(message))
        if end > begin:
            self._view[begin:end] = message[: end - begin]
        self.end = taken

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
