"""A ring buffer in memory that two processes map: single producer, single consumer, variable records.

    word     field
    0        magic and layout version; written last, so a half-made ring is no ring
    1        capacity of the data area in bytes, a multiple of 8
    2        closed: the receiver took the ring away; the sender must open a new one
    3        receiver spins: it looks by itself, nobody need ring its bell
    8        tail: bytes ever written; the producer's alone (its own cache line)
    16       head: bytes ever read; the consumer's alone
    24       sender waits: there was no room; the consumer rings the sender's bell after reading
    32 ...   data: records of [commit word][payload, padded to 8 bytes]

A commit word is the record's position (upper 32 bits of the word: position / 8, cut to 32 bits) and its
length. A record counts once `tail` passed it, and `tail` is stored after the commit word, which is stored
after the payload: a producer killed anywhere before leaves nothing to read. A commit word that does not
fit its position means that the memory was written by somebody else, and raises.

Waiting is not the ring's business (see the mechanism that owns the memory). Ordering between the two
processes comes from the system calls they wait and wake with; x86-64 keeps the order of stores anyway.
"""

from __future__ import annotations

import errno

from ipclab.errors import MessageTooLarge, PeerGone, TornMessage

_MAGIC = int.from_bytes(b"IPCRING1", "little")
_WORD = 8
_CAPACITY, _CLOSED, _RECEIVER_SPINS, _TAIL, _HEAD, _SENDER_WAITS, _DATA = 1, 2, 3, 8, 16, 24, 32
_WRAP = 0xFFFFFFFF  # as a length: the rest of the data area is unused, go on at its beginning
HEADER_BYTES = _DATA * _WORD


def bytes_needed(max_message_bytes: int) -> int:
    """Memory for a ring in which the largest message always fits once the ring is empty.

    Twice the record: the end of the data area may have to be skipped.
    """
    return HEADER_BYTES + 2 * _record_bytes(max_message_bytes)


def _record_bytes(length: int) -> int:
    return _WORD + (length + _WORD - 1) // _WORD * _WORD


def _commit(position: int, length: int) -> int:
    return ((position // _WORD) & 0xFFFFFFFF) << 32 | length


class Ring:
    """One side's view of the shared memory; `close` before the memory is unmapped."""

    def __init__(self, memory: memoryview) -> None:
        self._memory = memory
        self._words = memory.cast("Q")
        self._data = memory[HEADER_BYTES:]
        self._capacity = (len(memory) - HEADER_BYTES) // _WORD * _WORD

    def close(self) -> None:
        """Drop every view of the memory."""
        for view in (self._words, self._data, self._memory):
            view.release()

    def is_sound(self) -> bool:
        """Is there a ring of this size in the memory, with books that add up?"""
        words = self._words
        return (
            words[0] == _MAGIC
            and words[_CAPACITY] == self._capacity
            and not words[_CLOSED]
            and words[_HEAD] <= words[_TAIL] <= words[_HEAD] + self._capacity
            and words[_HEAD] % _WORD == words[_TAIL] % _WORD == 0
        )

    def format(self) -> None:
        """Make an empty ring of whatever the memory holds."""
        words = self._words
        words[0] = 0
        for index in range(1, _DATA):
            words[index] = 0
        words[_CAPACITY] = self._capacity
        words[0] = _MAGIC

    def is_ready(self) -> bool:
        """Has a receiver made this ring, and not taken it away?"""
        return self._words[0] == _MAGIC and not self._words[_CLOSED]

    def mark_closed(self) -> None:
        """Tell the sender that this memory is no longer read."""
        self._words[_CLOSED] = 1

    def try_write(self, payload: memoryview) -> bool:
        """Write one record; False if there is no room now.

        :raises MessageTooLarge: the ring could not hold it even when empty
        :raises PeerGone: the receiver took the ring away, or its books are damaged
        """
        words = self._words
        if words[_CLOSED]:
            raise PeerGone("the receiver took the ring away", code=errno.EIDRM)
        length = len(payload)
        record = _record_bytes(length)
        if 2 * record > self._capacity:
            raise MessageTooLarge(f"{length} bytes in a ring of {self._capacity}", code=errno.EMSGSIZE)
        tail = words[_TAIL]
        self._require_sound(tail, words[_HEAD])
        offset = tail % self._capacity
        to_end = self._capacity - offset
        skip = to_end if record > to_end else 0
        if tail + skip + record - words[_HEAD] > self._capacity:
            return False
        if skip:
            words[_DATA + offset // _WORD] = _commit(tail, _WRAP)
            tail += skip
            offset = 0
        begin = offset + _WORD
        self._data[begin : begin + length] = payload
        words[_DATA + offset // _WORD] = _commit(tail, length)
        words[_TAIL] = tail + record
        return True

    def try_read_into(self, buffer: memoryview) -> int | None:
        """Read one record into `buffer` and return its length; None if the ring is empty.

        :raises MessageTooLarge: the record does not fit `buffer`; it is gone
        :raises TornMessage: a record is damaged; everything in the ring was dropped
        :raises PeerGone: the books are damaged; the ring has to be made anew
        """
        words = self._words
        head = words[_HEAD]
        tail = words[_TAIL]
        self._require_sound(tail, head)
        if head == tail:
            return None
        offset = head % self._capacity
        length = self._length_at(head, offset)
        if length == _WRAP:
            head += self._capacity - offset
            offset = 0
            length = self._length_at(head, 0)
        if length is None or head + _record_bytes(length) > tail:
            words[_HEAD] = tail
            raise TornMessage(f"the ring is damaged at {head}; {tail - head} bytes dropped", code=errno.EBADMSG)
        if length <= len(buffer):
            begin = offset + _WORD
            buffer[:length] = self._data[begin : begin + length]
        words[_HEAD] = head + _record_bytes(length)
        if length > len(buffer):
            raise MessageTooLarge(f"a message of {length} bytes for a buffer of {len(buffer)}", code=errno.EMSGSIZE)
        return length

    @property
    def sender_waits(self) -> bool:
        """Did the sender find no room, and went to sleep?"""
        return bool(self._words[_SENDER_WAITS])

    @sender_waits.setter
    def sender_waits(self, value: bool) -> None:
        self._words[_SENDER_WAITS] = value

    @property
    def receiver_spins(self) -> bool:
        """Does the receiver look by itself, so that its bell need not ring?"""
        return bool(self._words[_RECEIVER_SPINS])

    @receiver_spins.setter
    def receiver_spins(self, value: bool) -> None:
        self._words[_RECEIVER_SPINS] = value

    def _require_sound(self, tail: int, head: int) -> None:
        if (tail | head) % _WORD or not 0 <= tail - head <= self._capacity:
            raise PeerGone(f"the ring's books are damaged: head {head}, tail {tail}", code=errno.EBADMSG)

    def _length_at(self, position: int, offset: int) -> int | None:
        commit = self._words[_DATA + offset // _WORD]
        if commit >> 32 != (position // _WORD) & 0xFFFFFFFF:
            return None
        length = commit & 0xFFFFFFFF
        return length if length == _WRAP or offset + _record_bytes(length) <= self._capacity else None
