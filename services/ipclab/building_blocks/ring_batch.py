"""Many records of one length, written to a ring or read from it with a handful of copies.

A message of 64 bytes costs Python about a microsecond, because each of some twenty steps costs time. In a batch the
steps are done once: records of one length lie at one distance, so their commit words are a slice with a step, and so
are their first words, their second words and so on. The order of stores stays: the payloads, a fence, the commit words,
then `tail`, once. A batch writes and reads the same records as single calls.
"""

from __future__ import annotations

from array import array

from ipclab.building_blocks.ring import DATA, HEAD, TAIL, Ring
from ipclab.contract.errors import DAMAGED, TornMessage
from ipclab.linux.atomics import fence

# A slice for each word of a message: above this, a copy for each message is faster.
_MAX_BYTES = 256
_POSITION_MASK = 0xFFFFFFFF


def try_write_many(ring: Ring, block: memoryview, size: int) -> int:
    """Write the messages of `size` bytes that lie one behind the other in `block`; how many there was room for now.

    :raises ChannelError: as `Ring.try_write` does
    """
    if not ring.reserve(size):
        return 0
    words, position, offset, step = ring.words, ring.write_position, ring.write_offset, 1 + (size >> 3)
    room = ring.capacity - max(position - ring.load_acquire(HEAD), offset)
    count = _whole(position, min(len(block) // size, room // (8 * step)), step, size)
    if count < 2:
        return int(ring.try_write(block[:size]))
    first, messages, width = DATA + (offset >> 3), block.cast("Q"), size >> 3
    end = first + count * step
    for word in range(width):
        words[first + 1 + word : end : step] = messages[word : count * width : width]
    fence()
    words[first:end:step] = _commits(position, count, step, size)
    ring.store_release(TAIL, position + 8 * count * step)
    return count


def try_read_many(ring: Ring, block: memoryview, size: int) -> int:
    """Read messages of `size` bytes into `block`, one behind the other; how many there were now, and fit.

    :raises ChannelError: as `Ring.try_read_into` does
    :raises TornMessage: a message was shorter; it is gone
    """
    if ring.find() is None:
        return 0
    words, head, offset, step = ring.words, ring.read_position, ring.read_offset, 1 + (size >> 3)
    there = min(ring.load_acquire(TAIL) - head, ring.capacity - offset)
    count = _whole(head, min(len(block) // size, there // (8 * step)), step, size)
    first = DATA + (offset >> 3)
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
