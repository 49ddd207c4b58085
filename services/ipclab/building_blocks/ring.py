"""A ring buffer in memory that two processes map: single producer, single consumer, variable records.

    word     field
    0        magic and layout version; written last, so a half-made ring is no ring
    1        capacity of the data area in bytes, a multiple of 8
    2        closed: the receiver took the ring away; the sender must open a new one
    3        receiver awake: 1 while the receiver is awake or spins; 0 before it sleeps: notify it then
    8        tail: bytes ever written; the producer's alone (its own cache line)
    16       head: bytes ever read; the consumer's alone
    24       sender waits: there was no room; the consumer notifies the sender after reading
    32 ...   data: records of [commit word][payload, padded to 8 bytes]

A commit word is the record's position (upper 32 bits of the word: position / 8, cut to 32 bits) and its length. A
record counts once `tail` passed it. `tail` is stored after the commit word, and the commit word after the payload: a
producer that is killed in between leaves nothing to read. A commit word that does not fit its position proves that
another process wrote to the memory, and raises.

The two processes take no lock, so the order of their accesses is asked for (`ipclab.linux.atomics`): the commit word,
`tail` and `head` are stored by a release, and the word of the other side is loaded by an acquire. A record is seen
after its bytes, and a byte is overwritten after it was read. A side loads its own word as it is. The ring does not
wait: `ipclab.building_blocks.ring_channel` does.

A batch moves many records of one length with a handful of copies. A message of 64 bytes costs Python about a
microsecond, because each of some twenty steps costs time. In a batch the steps are done once: records of one length lie
at one distance, so their commit words are a slice with a step, and so are their first words, their second words and so
on. The order of stores stays: the payloads, a fence, the commit words, then `tail`, once. A batch writes and reads the
same records as single calls.
"""

from __future__ import annotations

import errno
from array import array

from ipclab.building_blocks.message_size import over_buffer
from ipclab.contract.errors import DAMAGED, REMOVED, MessageTooLarge, PeerGone, TornMessage
from ipclab.linux.atomics import atomic_words, fence

_MAGIC = int.from_bytes(b"IPCRING1", "little")
_WORD = 8
_CAPACITY, _CLOSED, RECEIVER_AWAKE, TAIL, HEAD, SENDER_WAITS, DATA = 1, 2, 3, 8, 16, 24, 32
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
    """

    def __init__(self, memory: memoryview) -> None:
        self._memory = memory
        self.words = memory.cast("Q")
        self._atomic = atomic_words(memory)
        self.load_acquire = self._atomic.load_acquire
        self.store_release = self._atomic.store_release
        self._data = memory[HEADER_BYTES:]
        self.capacity = (len(memory) - HEADER_BYTES) // _WORD * _WORD

    def close(self) -> None:
        """Drop every view of the memory."""
        for view in (self._atomic, self.words, self._data, self._memory):
            view.release()

    def is_sound(self) -> bool:
        """Is there a ring of this size in the memory, with head and tail that add up?"""
        words = self.words
        if self.load_acquire(0) != _MAGIC or words[_CAPACITY] != self.capacity or words[_CLOSED]:
            return False
        head = words[HEAD]
        tail = self.load_acquire(TAIL)
        return head <= tail <= head + self.capacity and head % _WORD == tail % _WORD == 0

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
        """Has a receiver made this ring, and not taken it away?"""
        return self.load_acquire(0) == _MAGIC and not self.words[_CLOSED]

    def mark_closed(self) -> None:
        """Tell the sender that this memory is no longer read."""
        self.store_release(_CLOSED, 1)

    def try_write(self, payload: memoryview) -> bool:
        """Write one record; False if there is no room now.

        :raises MessageTooLarge: the ring could not hold it even when empty
        :raises PeerGone: the receiver took the ring away, or the ring is damaged
        """
        words, capacity = self.words, self.capacity
        if words[_CLOSED]:
            raise PeerGone("the receiver took the ring away", code=REMOVED)
        length = len(payload)
        record = (length + 15) & -8  # the commit word, and the payload padded
        if 2 * record > capacity:
            raise MessageTooLarge(f"{length} bytes in a ring of {capacity}", code=errno.EMSGSIZE)
        tail = words[TAIL]
        head = self.load_acquire(HEAD)
        if (tail | head) & 7 or not 0 <= tail - head <= capacity:
            raise self._damaged(tail, head)
        offset = tail % capacity
        to_end = capacity - offset
        if record <= to_end:
            if tail + record - head > capacity:
                return False
        else:
            if tail + to_end + record - head > capacity:
                return False
            words[DATA + (offset >> 3)] = _commit(tail, _WRAP)
            tail += to_end
            offset = 0
        begin = offset + _WORD
        self._data[begin : begin + length] = payload
        self.store_release(DATA + (offset >> 3), (tail >> 3 & 0xFFFFFFFF) << 32 | length)
        self.store_release(TAIL, tail + record)
        return True

    def try_read_into(self, buffer: memoryview) -> int | None:
        """Read one record into `buffer` and return its length; None if the ring is empty.

        :raises MessageTooLarge: the record does not fit `buffer`; it is gone
        :raises TornMessage: a record is damaged; everything in the ring was dropped
        :raises PeerGone: the ring is damaged; the receiver has to make a new one
        """
        words, capacity = self.words, self.capacity
        head = words[HEAD]
        tail = self.load_acquire(TAIL)
        if head == tail and not head & 7:
            return None
        if (tail | head) & 7 or not 0 <= tail - head <= capacity:
            raise self._damaged(tail, head)
        offset = head % capacity
        length = self._length_at(head, offset)
        if length == _WRAP:
            head += capacity - offset
            offset = 0
            length = self._length_at(head, 0)
        if length is None or head + _record_bytes(length) > tail:
            self.store_release(HEAD, tail)
            raise TornMessage(f"the ring is damaged at {head}; {tail - head} bytes dropped", code=DAMAGED)
        if length <= len(buffer):
            begin = offset + _WORD
            buffer[:length] = self._data[begin : begin + length]
        self.store_release(HEAD, head + ((length + 15) & -8))
        if length > len(buffer):
            raise over_buffer(length, buffer)
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


# A slice for each word of a message: above this, a copy for each message is faster.
_MAX_BYTES = 256
_POSITION_MASK = 0xFFFFFFFF


def try_write_many(ring: Ring, block: memoryview, size: int) -> int:
    """Write the messages of `size` bytes that lie one behind the other in `block`; how many there was room for now.

    :raises ChannelError: as `Ring.try_write` does
    """
    words, capacity = ring.words, ring.capacity
    tail, step = words[TAIL], 1 + (size >> 3)
    room = min(capacity - (tail - ring.load_acquire(HEAD)), capacity - tail % capacity)
    count = _whole(tail, min(len(block) // size, room // (8 * step)), step, size)
    if count < 2 or not ring.is_ready():
        return int(ring.try_write(block[:size]))
    first, messages, width = DATA + (tail % capacity >> 3), block.cast("Q"), size >> 3
    end = first + count * step
    for word in range(width):
        words[first + 1 + word : end : step] = messages[word : count * width : width]
    fence()
    words[first:end:step] = _commits(tail, count, step, size)
    ring.store_release(TAIL, tail + 8 * count * step)
    return count


def try_read_many(ring: Ring, block: memoryview, size: int) -> int:
    """Read messages of `size` bytes into `block`, one behind the other; how many there were now, and fit.

    :raises ChannelError: as `Ring.try_read_into` does
    :raises TornMessage: a message was shorter; it is gone
    """
    words, capacity = ring.words, ring.capacity
    head, step = words[HEAD], 1 + (size >> 3)
    there = min(ring.load_acquire(TAIL) - head, capacity - head % capacity)
    count = _whole(head, min(len(block) // size, there // (8 * step)), step, size)
    first = DATA + (head % capacity >> 3)
    end = first + count * step
    if count < 2 or words[first:end:step] != _commits(head, count, step, size):
        return _read_one(ring, block, size)
    messages, width = block.cast("Q"), size >> 3
    for word in range(width):
        messages[word : count * width : width] = words[first + 1 + word : end : step]
    ring.store_release(HEAD, head + 8 * count * step)
    return count


def _read_one(ring: Ring, block: memoryview, size: int) -> int:
    length = ring.try_read_into(block[:size])
    if length is not None and length != size:
        raise TornMessage(f"a message of {length} bytes among those of {size}", code=DAMAGED)
    return int(length is not None)


def _whole(position: int, count: int, step: int, size: int) -> int:
    """`count`, or 0 where it must go one by one: no whole words, too long, or a position that begins at 0 again."""
    begin = position >> 3 & _POSITION_MASK
    if size & 7 or not 0 < size <= _MAX_BYTES or position & 7 or begin + count * step > _POSITION_MASK:
        return 0
    return count


def _commits(position: int, count: int, step: int, size: int) -> memoryview:
    begin = (position >> 3 & _POSITION_MASK) << 32 | size
    return memoryview(array("Q", range(begin, begin + count * (step << 32), step << 32)))
