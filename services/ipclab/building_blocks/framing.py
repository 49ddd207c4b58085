"""Messages over a byte stream.

A frame is a prefix and the message:

    offset  bytes  field
         0      4  magic "FRAM"
         4      4  length of the message in bytes
         8      4  CRC-32 of the eight bytes before

The stream has no borders, and a writer that dies in the middle of a frame leaves a part of it for ever.
So the prefix checks itself: after garbage the reader looks for the next prefix that holds, and says how
much it skipped. The message has its own checksum (`ipclab.accounting.message`); the frame does not repeat it.

A *checked* frame has one more field, the CRC-32 of the message, 4 bytes behind it. It is for files, where
the next writer goes on behind the part that a dead one left: there a sound prefix proves nothing.

A *marked* frame has the same 8 bytes before and behind the message, and its prefix counts them: a number that no
other frame has, and the CRC-32 of the prefix and of it. It is for a stream that several writers share: what another
wrote in between has pushed the second mark away from where it should be. That costs 16 bytes and no checksum of the
message, because a pipe alters nothing. Only frames of more than `ATOMIC_BYTES` are marked: no others are ever mixed.
"""

from __future__ import annotations

import errno
import os
import struct
import zlib

from ipclab.building_blocks.message_size import over_buffer
from ipclab.contract.errors import DAMAGED, MessageTooLarge, TornMessage

_MAGIC = b"FRAM"
_LENGTH = struct.Struct("<4sI")
_CHECK = struct.Struct("<I")
PREFIX_BYTES = _LENGTH.size + _CHECK.size
TRAILER_BYTES = _CHECK.size
_MARK = struct.Struct("<II")  # a number that no other frame near has, and the CRC-32 of the prefix and of it
MARK_BYTES = _MARK.size
_NUMBER_BYTES = 4
ATOMIC_BYTES = 4096  # PIPE_BUF, pipe(7)
# Up to here it is faster to copy a message behind its prefix than to give the kernel two places to read. Not marked.
_COPIED_BYTES = ATOMIC_BYTES - PREFIX_BYTES


def is_marked(length: int) -> bool:
    """Does a stream of marked frames mark one whose content is so long?"""
    return PREFIX_BYTES + length > ATOMIC_BYTES


def behind(pieces: list[memoryview], taken: int) -> list[memoryview]:
    """`pieces` without their first `taken` bytes."""
    for index, piece in enumerate(pieces):
        if taken < len(piece):
            return [piece[taken:], *pieces[index + 1 :]]
        taken -= len(piece)
    return []


def write_prefix(frame: memoryview, length: int) -> None:
    """Write the prefix for a message of `length` bytes over the first `PREFIX_BYTES` of `frame`."""
    _LENGTH.pack_into(frame, 0, _MAGIC, length)
    _CHECK.pack_into(frame, _LENGTH.size, zlib.crc32(frame[: _LENGTH.size]))


def trailer(message: memoryview) -> bytes:
    """The trailer of a checked frame, which follows the message."""
    return _CHECK.pack(zlib.crc32(message))


class FrameReader:
    """Cuts a byte stream into messages, whatever the sizes of the reads.

    Use: `next_into(buffer)` until it returns None, then read into `space()` and call `filled(n)`.
    One buffer, allocated once; a message is copied out of it exactly once. `ipclab.building_blocks.scatter` spares
    large ones that.
    `end` is how much of it is in use: 0 when all that was read has been handed out.
    """

    def __init__(
        self, max_message_bytes: int, read_ahead_bytes: int = 65536, *, checked: bool = False, marked: bool = False
    ) -> None:
        self._max = max_message_bytes + (2 * MARK_BYTES if marked else 0)
        self._marked = marked
        self._trailer = TRAILER_BYTES if checked else 0
        self._bytes = bytearray(PREFIX_BYTES + self._max + self._trailer + read_ahead_bytes)
        self._view = memoryview(self._bytes)
        self._start = 0
        self.end = 0
        # The last sound prefix: nearly always the next one is the same, and comparing is faster than checking.
        write_prefix(self._view, 0)
        self._prefix = bytes(self._view[:PREFIX_BYTES])
        self._length = 0
        self._owed = 0  # bytes of mixed frames that were counted already, and still come as if they were garbage

    def space(self) -> memoryview:
        """The place for the bytes of the next read; never empty once `next_into` returned None."""
        return self._view[self.end :]

    def filled(self, count: int) -> None:
        """`count` bytes were put into `space()`."""
        self.end += count

    @property
    def pending_bytes(self) -> int:
        """Bytes read that belong to no message handed out or skipped yet."""
        return self.end - self._start

    def next_into(self, buffer: memoryview) -> int | None:
        """Copy the next whole message to `buffer` and return its length, or None if more bytes are needed.

        :raises TornMessage: bytes that are no frame were skipped
        :raises MessageTooLarge: the message does not fit `buffer`; it was skipped
        """
        start = self._start
        available = self.end - start
        if available < PREFIX_BYTES:
            if start:
                self._make_room()
            return None
        length = self._length if self._bytes.startswith(self._prefix, start) else self._length_at(start)
        if length is None:
            torn = self._resynchronize()
            if not self._owed:
                raise torn
            self._owed = max(0, self._owed - (self._start - start))
            return self.next_into(buffer)
        begin = start + PREFIX_BYTES
        end = begin + length
        frame_end = end + self._trailer
        if self.end < frame_end:
            self._make_room()
            return None
        if self._trailer and not self._holds(begin, end):
            raise self._resynchronize()
        if self._marked and is_marked(length):
            if not self._is_unmixed(begin, length):
                torn = self._resynchronize()
                self._owed = max(0, self._owed + end - self._start)
                raise torn
            begin, end = begin + MARK_BYTES, end - MARK_BYTES
            length -= 2 * MARK_BYTES
        if frame_end == self.end:
            self._start = self.end = 0
        else:
            self._start = frame_end
        if length > len(buffer):
            raise over_buffer(length, buffer)
        buffer[:length] = self._view[begin:end]
        return length

    def end_of_stream(self) -> None:
        """All writers are gone for good; what is left begins with a part of a message.

        One writer leaves nothing else. Of several, another one may have written whole messages behind the part.

        :raises TornMessage: a part of a message was left, and is dropped; if `pending_bytes` are left, go on with
            `next_into`, and when it returns None, come back
        """
        if self._marked:
            self.give_up()
            return
        left = self.end - self._start
        self._start = self.end = 0
        if left:
            raise TornMessage(f"the writer ended within a message; {left} bytes dropped", code=DAMAGED)

    def give_up(self) -> None:
        """Nothing more will come for the frame that has begun; go on with the next one that is here already.

        :raises TornMessage: always, unless nothing is pending
        """
        begin, left = self._start, self.pending_bytes
        if left:
            position = self._next_prefix()
            self._start = position if position >= 0 else self.end
            raise TornMessage(f"{self._start - begin} bytes of a message that was never finished", code=DAMAGED)

    def _length_at(self, position: int) -> int | None:
        magic, length = _LENGTH.unpack_from(self._view, position)
        (check,) = _CHECK.unpack_from(self._view, position + _LENGTH.size)
        sound = (
            magic == _MAGIC
            and length <= self._max
            and check == zlib.crc32(self._view[position : position + _LENGTH.size])
        )
        if not sound:
            return None
        self._prefix, self._length = bytes(self._view[position : position + PREFIX_BYTES]), int(length)
        return self._length

    def _holds(self, begin: int, end: int) -> bool:
        (check,) = _CHECK.unpack_from(self._view, end)
        return bool(check == zlib.crc32(self._view[begin:end]))

    def _is_unmixed(self, begin: int, length: int) -> bool:
        mark = self._bytes[begin : begin + MARK_BYTES]
        # Two equal words may lie that far apart in any message; a mark of this prefix is only one that was made for it.
        return self._bytes.startswith(mark, begin + length - MARK_BYTES) and mark.endswith(
            _CHECK.pack(zlib.crc32(self._bytes[begin - PREFIX_BYTES : begin + _NUMBER_BYTES]))
        )

    def _next_prefix(self) -> int:
        """The position after the first byte of a sound prefix, or of the beginning of one; -1 if there is none."""
        last = self.end - PREFIX_BYTES
        position = self._bytes.find(_MAGIC, self._start + 1, self.end)
        while 0 <= position <= last and self._length_at(position) is None:
            position = self._bytes.find(_MAGIC, position + 1, self.end)
        return position

    def _resynchronize(self) -> TornMessage:
        begin = self._start
        position = self._next_prefix()
        # No sound prefix: keep the last bytes, which may be the beginning of one.
        self._start = position if position >= 0 else max(begin + 1, self.end - len(_MAGIC) + 1)
        return TornMessage(f"{self._start - begin} bytes are no frame; skipped", code=DAMAGED)

    def _make_room(self) -> None:
        if self._start == self.end:
            self._start = self.end = 0
        elif self._start:
            kept = self.end - self._start
            self._view[:kept] = self._view[self._start : self.end]
            self._start, self.end = 0, kept


class FrameWriter:
    """Makes frames without copying large messages: the pieces that writev(2) is to write one behind the other.

    `frame_bytes`: how many they were together, the last time. A frame up to PIPE_BUF is one piece.
    """

    def __init__(self, max_message_bytes: int, *, marked: bool = False) -> None:
        self._max = max_message_bytes
        self._marked = marked
        self._mark = int.from_bytes(os.urandom(4), "little")  # hardly any other writer begins here
        self._marks = memoryview(bytearray(MARK_BYTES))
        self._small = memoryview(bytearray(PREFIX_BYTES + _COPIED_BYTES))
        self._prefix = self._small[:PREFIX_BYTES]
        self._prepare(0)

    def pieces(self, payload: memoryview) -> list[memoryview]:
        """The frame of `payload`; valid until the next call, and as long as the payload is.

        :raises MessageTooLarge: there is none
        """
        length = len(payload)
        if length != self._length:
            if length > self._max:
                raise MessageTooLarge(f"a message of {length} bytes; at most {self._max}", code=errno.EMSGSIZE)
            self._prepare(length)
        if length <= _COPIED_BYTES:
            self.body[:] = payload
            return [self.frame]
        if not self._with_marks:
            return [self._prefix, payload]
        self._mark = (self._mark + 1) & 0xFFFFFFFF
        number = self._mark.to_bytes(_NUMBER_BYTES, "little")
        _MARK.pack_into(self._marks, 0, self._mark, zlib.crc32(number, self._prefix_check))
        return [self._prefix, self._marks, payload, self._marks]

    def _prepare(self, length: int) -> None:
        """Write the prefix for messages of this length, which the next one most likely has too."""
        self._length = length
        self._with_marks = self._marked and is_marked(length)
        self.frame_bytes = PREFIX_BYTES + length + (2 * MARK_BYTES if self._with_marks else 0)
        write_prefix(self._prefix, length + (2 * MARK_BYTES if self._with_marks else 0))
        self._prefix_check = zlib.crc32(self._prefix)
        self.copied = length if length <= _COPIED_BYTES else -1
        self.frame = self._small[: PREFIX_BYTES + length]
        self.body = self.frame[PREFIX_BYTES:]
