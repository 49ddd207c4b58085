from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipclab.building_blocks.ring import DATA, HEAD, TAIL, Ring
from ipclab.building_blocks.ring_batch import try_read_many, try_write_many
from ipclab.contract.errors import TornMessage

RING_BYTES = 256 + 4000
sizes = st.sampled_from([8, 64, 65, 256, 264])


def ring(begin: int = 0) -> Ring:
    made = Ring(memoryview(bytearray(RING_BYTES)))
    made.format()
    made.words[HEAD] = made.words[TAIL] = begin
    return made


def message(number: int, size: int) -> bytes:
    return bytes((number * 7 + index) % 256 for index in range(size))


@given(
    size=sizes,
    begin=st.one_of(st.integers(0, 600).map(lambda n: 8 * n), st.just(8 * (2**32 - 20))),
    steps=st.lists(
        st.tuples(st.sampled_from(["write", "write one", "read", "read one"]), st.integers(1, 70)), max_size=40
    ),
)
def test_batches_and_single_messages_come_out_in_order(size: int, begin: int, steps: list[tuple[str, int]]) -> None:
    subject, queued, number = ring(begin), deque[bytes](), 0
    for what, count in steps:
        if what == "write":
            batch = [message(number + index, size) for index in range(count)]
            taken = try_write_many(subject, memoryview(b"".join(batch)), size)
            queued += batch[:taken]
            number += taken
        elif what == "write one" and subject.try_write(memoryview(message(number, size))):
            queued.append(message(number, size))
            number += 1
        elif what == "read":
            block = memoryview(bytearray(size * count))
            got = try_read_many(subject, block, size)
            assert bytes(block[: got * size]) == b"".join(queued.popleft() for _ in range(got))
            assert got or not queued
        elif what == "read one":
            block = memoryview(bytearray(size))
            if subject.try_read_into(block) is not None:
                assert bytes(block) == queued.popleft()
        assert subject.is_sound()


def test_a_batch_takes_what_there_is_room_for() -> None:
    subject = ring()
    block = memoryview(bytes(64 * 100))
    assert try_write_many(subject, block, 64) == 4000 // 72
    assert try_write_many(subject, block, 64) == 0


def test_a_damaged_record_is_torn_and_never_handed_out() -> None:
    subject = ring()
    assert try_write_many(subject, memoryview(bytes(64 * 10)), 64) == 10
    subject.words[DATA + 9 * 5] ^= 1 << 40
    block = memoryview(bytearray(64 * 10))
    assert [try_read_many(subject, block, 64) for _ in range(5)] == [1] * 5
    with pytest.raises(TornMessage):
        try_read_many(subject, block, 64)
    assert try_read_many(subject, block, 64) == 0


def test_a_message_of_another_length_is_not_taken_for_one_of_the_batch() -> None:
    subject = ring()
    subject.try_write(memoryview(bytes(64)))
    subject.try_write(memoryview(bytes(16)))
    subject.try_write(memoryview(bytes(64)))
    block = memoryview(bytearray(64 * 10))
    assert try_read_many(subject, block, 64) == 1
    with pytest.raises(TornMessage):
        try_read_many(subject, block, 64)
    assert try_read_many(subject, block, 64) == 1
    assert try_read_many(subject, block, 64) == 0
