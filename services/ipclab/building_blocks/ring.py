"""A ring buffer in memory that two processes map: single producer, single consumer, variable records.

    word     field
    0        magic and layout version; written last, so a half-made ring is no ring
    1        capacity of the data area in bytes, a multiple of 8
    2        closed: the receiver took the ring away; the sender must open a new one
    3        receiver awake: 1 while the receiver is awake or spins; 0 before it sleeps: notify it then
    8        tail: bytes ever written; the producer's alone (its own cache line)
    9        start: the position at the beginning of the data area; the producer's alone
    16       head: bytes ever read; the consumer's alone
    24       sender waits: there was no room; the consumer notifies the sender after reading
    32 ...   data: records of [commit word][payload, padded to 8 bytes]

A commit word is the record's position (upper 32 bits of the word: position / 8, cut to 32 bits) and its length. A
record counts once `tail` passed it. `tail` is stored after the commit word, and the commit word after the payload: a
producer that is killed in between leaves nothing to read. A commit word that does not fit its position proves that
another process wrote to the memory, and raises.

The record at a position begins `(position - start) % capacity` bytes behind the beginning of the data area. A producer
that finds the ring empty stores `start = tail`: the next record is at the beginning again, in memory that the caches
still hold. `start` is stored before `tail` and loaded after it. No record is in the ring meanwhile, and only the
producer ends that, so a consumer never sees a record with the `start` of another. A producer that is killed in between
leaves an empty ring.

A record can be made and read in place. `try_loan` hands out the memory behind the next commit word, and `commit` stores
that word and `tail`: a loan that is never committed stays behind `tail`, where no consumer looks. `try_borrow` hands
out the payload at `head`, and `release` stores `head`: until then the next consumer finds the same record, and the
ring is not empty, so its memory stays as it is.

The two processes take no lock, so the order of their accesses is asked for (`ipclab.linux.atomics`): the commit word,
`tail` and `head` are stored by a release, and the word of the other side is loaded by an acquire. A record is seen
after its bytes, and a byte is overwritten after it was read. A side loads its own word as it is. tests/model/ring.pml
is the protocol as a model that is checked. The ring does not wait: `ipclab.building_blocks.ring_channel` does.
"""

from __future__ import annotations

import errno
from contextlib import suppress

from ipclab.building_blocks.message_size import over_buffer
from ipclab.contract.errors import (
    BORROWED,
    DAMAGED,
    IN_USE,
    NOT_BORROWED,
    NOT_LOANED,
    REMOVED,
    InvalidState,
    MessageTooLarge,
    PeerGone,
    TornMessage,
)
from ipclab.linux.atomics import atomic_words, fence

_MAGIC = int.from_bytes(b"IPCRING2", "little")
_WORD = 8
_CAPACITY, _CLOSED, RECEIVER_AWAKE, TAIL, START, HEAD, SENDER_WAITS, DATA = 1, 2, 3, 8, 9, 16, 24, 32
_WRAP = 0xFFFFFFFF  # as a length: the rest of the data area is unused, go on at its beginning
HEADER_BYTES = DATA * _WORD


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
    """One side's view of the shared memory; `close` before the memory is unmapped.

    `load_acquire` and `store_release` are also for the two flags, `RECEIVER_AWAKE` and `SENDER_WAITS`; `words` is the
    same memory without an order.
    `reserve` leaves the place of the new record in `write_position` and `write_offset` (in bytes, from the beginning of
    the data area), `find` that of the next record in `read_position` and `read_offset`.
    """

    def __init__(self, memory: memoryview) -> None:
        self._memory = memory
        self.words = memory.cast("Q")
        self._atomic = atomic_words(memory)
        self.load_acquire = self._atomic.load_acquire
        self.store_release = self._atomic.store_release
        self._data = memory[HEADER_BYTES:]
        self._data_to_read = self._data.toreadonly()
        self._loaned: memoryview | None = None
        self._borrowed: memoryview | None = None
        self._tail = self._next_head = 0
        self.write_position = self.write_offset = 0
        self.read_position = self.read_offset = 0
        self.capacity = (len(memory) - HEADER_BYTES) // _WORD * _WORD

    def close(self) -> None:
        """Drop every view of the memory. A view that another object still exports is left to that object."""
        self._atomic.release()
        for view in (self._loaned, self._borrowed, self.words, self._data, self._data_to_read, self._memory):
            if view is not None:
                with suppress(BufferError):
                    view.release()

    def is_sound(self) -> bool:
        """Is there a ring of this size in the memory, with head and tail that add up?"""
        if not self.is_ready():
            return False
        words = self.words
        head = words[HEAD]
        tail = self.load_acquire(TAIL)
        start = words[START]
        return start <= head <= tail <= head + self.capacity and not (start | head | tail) % _WORD

    def format(self) -> None:
        """Make an empty ring of whatever the memory holds."""
        words = self.words
        words[0] = 0
        fence()
        for index in range(1, DATA):
            words[index] = 0
        words[_CAPACITY] = self.capacity
        self.store_release(0, _MAGIC)

    def is_ready(self) -> bool:
        """Has a receiver made this ring, not taken it away, and nobody else written over that?"""
        words = self.words
        return self.load_acquire(0) == _MAGIC and words[_CAPACITY] == self.capacity and not words[_CLOSED]

    def mark_closed(self) -> None:
        """Tell the sender that this memory is no longer read."""
        self.store_release(_CLOSED, 1)

    def try_write(self, payload: memoryview) -> bool:
        """Write one record; False if there is no room now. A loan that was not committed ends.

        :raises MessageTooLarge: the ring could not hold it even when empty
        :raises PeerGone: the receiver took the ring away, or the ring is damaged
        """
        length = len(payload)
        if not self.reserve(length):
            return False
        begin = self.write_offset + _WORD
        self._data[begin : begin + length] = payload
        self._publish(length)
        return True

    def try_loan(self, length: int) -> memoryview | None:
        """The memory of a new record of `length` bytes, to be written in place; None if there is no room now.

        :raises ChannelError: as `try_write` does
        """
        if not self.reserve(length):
            return None
        begin = self.write_offset + _WORD
        self._loaned = loaned = self._data[begin : begin + length]
        return loaned

    def commit(self) -> None:
        """Make the loaned record readable.

        :raises InvalidState: nothing is loaned, or another object exports the memory of the loan
        :raises PeerGone: the receiver took the ring away, or the ring is damaged
        """
        loaned, words = self._loaned, self.words
        if loaned is None:
            raise InvalidState("nothing is loaned", code=NOT_LOANED)
        length = len(loaned)
        self._end_loan(loaned)
        if words[_CLOSED]:
            raise PeerGone("the receiver took the ring away", code=REMOVED)
        if words[TAIL] != self._tail:
            raise self._damaged(words[TAIL], words[HEAD])
        self._publish(length)

    def _end_loan(self, loaned: memoryview) -> None:
        try:
            loaned.release()
        except BufferError as error:
            raise InvalidState(f"the loaned memory is in use: {error}", code=IN_USE) from error
        self._loaned = None

    def reserve(self, length: int) -> bool:
        """Find the place of a record of `length` bytes; False if there is no room now."""
        if self._loaned is not None:
            self._end_loan(self._loaned)
        words, capacity = self.words, self.capacity
        if words[_CLOSED]:
            raise PeerGone("the receiver took the ring away", code=REMOVED)
        record = (length + 15) & -8  # the commit word, and the payload padded
        if 2 * record > capacity:
            raise MessageTooLarge(f"{length} bytes in a ring of {capacity}", code=errno.EMSGSIZE)
        self._tail = self.write_position = tail = words[TAIL]
        head = self.load_acquire(HEAD)
        if tail == head and not head & 7:
            words[START] = tail
            self.write_offset = 0
            return True
        start = words[START]
        if (tail | head | start) & 7 or not start <= head <= tail <= head + capacity:
            raise self._damaged(tail, head)
        offset = (tail - start) % capacity
        to_end = capacity - offset
        if record > to_end:
            if tail + to_end + record - head > capacity:
                return False
            words[DATA + (offset >> 3)] = _commit(tail, _WRAP)
            self.write_position = tail + to_end
            offset = 0
        elif tail + record - head > capacity:
            return False
        self.write_offset = offset
        return True

    def _publish(self, length: int) -> None:
        """Store the commit word of the reserved record, and `tail`."""
        position = self.write_position
        self.store_release(DATA + (self.write_offset >> 3), (position >> 3 & 0xFFFFFFFF) << 32 | length)
        self.store_release(TAIL, position + ((length + 15) & -8))

    def try_read_into(self, buffer: memoryview) -> int | None:
        """Read one record into `buffer` and return its length; None if the ring is empty.

        :raises InvalidState: a record is borrowed
        :raises MessageTooLarge: the record does not fit `buffer`; it is gone
        :raises TornMessage: a record is damaged; everything in the ring was dropped
        :raises PeerGone: the ring is damaged; the receiver has to make a new one
        """
        length = self.find()
        if length is None:
            return None
        if length <= len(buffer):
            begin = self.read_offset + _WORD
            buffer[:length] = self._data[begin : begin + length]
        self.store_release(HEAD, self._next_head)
        if length > len(buffer):
            raise over_buffer(length, buffer)
        return length

    def try_borrow(self) -> memoryview | None:
        """The payload of the next record where it is, read-only; None if the ring is empty.

        :raises ChannelError: as `try_read_into` does
        """
        length = self.find()
        if length is None:
            return None
        begin = self.read_offset + _WORD
        self._borrowed = borrowed = self._data_to_read[begin : begin + length]
        return borrowed

    def release(self) -> None:
        """Give the borrowed record back: it is read.

        :raises InvalidState: nothing is borrowed, or another object exports the borrowed memory
        """
        borrowed = self._borrowed
        if borrowed is None:
            raise InvalidState("nothing is borrowed", code=NOT_BORROWED)
        try:
            borrowed.release()
        except BufferError as error:
            raise InvalidState(f"the borrowed memory is in use: {error}", code=IN_USE) from error
        self._borrowed = None
        self.store_release(HEAD, self._next_head)

    def find(self) -> int | None:
        """The length of the next record, or None if the ring is empty."""
        if self._borrowed is not None:
            raise InvalidState("a message is borrowed and not yet released", code=BORROWED)
        words, capacity = self.words, self.capacity
        head = words[HEAD]
        tail = self.load_acquire(TAIL)
        if head == tail and not head & 7:
            return None
        start = words[START]  # after `tail`
        if (tail | head | start) & 7 or not start <= head <= tail <= head + capacity:
            raise self._damaged(tail, head)
        offset = (head - start) % capacity
        length = self._length_at(head, offset)
        if length == _WRAP:
            head += capacity - offset
            offset = 0
            length = self._length_at(head, 0)
        if length is None or head + _record_bytes(length) > tail:
            self.store_release(HEAD, tail)
            raise TornMessage(f"the ring is damaged at {head}; {tail - head} bytes dropped", code=DAMAGED)
        self.read_position, self.read_offset = head, offset
        self._next_head = head + ((length + 15) & -8)
        return length

    @staticmethod
    def _damaged(tail: int, head: int) -> PeerGone:
        return PeerGone(f"the ring is damaged: head {head}, tail {tail}", code=DAMAGED)

    def _length_at(self, position: int, offset: int) -> int | None:
        commit = self.load_acquire(DATA + (offset >> 3))
        if commit >> 32 != position >> 3 & 0xFFFFFFFF:
            return None
        length = commit & 0xFFFFFFFF
        return length if length == _WRAP or offset + ((length + 15) & -8) <= self.capacity else None
