from __future__ import annotations

import struct
import time
import zlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipclab.building_blocks.framing import PREFIX_BYTES, FrameWriter
from ipclab.building_blocks.scatter import MIN_BYTES, ScatterReader
from ipclab.contract.errors import MessageTooLarge, TornMessage
from support.byte_script import ByteScript, received

MAX = 3 * MIN_BYTES
lengths = st.one_of(st.sampled_from([MIN_BYTES, MIN_BYTES + 1, MAX]), st.integers(0, MAX))


def framed(payload: bytes) -> bytes:
    head = b"FRAM" + struct.pack("<I", len(payload))
    return head + struct.pack("<I", zlib.crc32(head)) + payload


def payloads(sizes: Sequence[int]) -> list[bytes]:
    return [bytes([1 + number % 250]) * size for number, size in enumerate(sizes)]


@given(
    sizes=st.lists(lengths, max_size=8),
    takes=st.lists(st.one_of(st.integers(1, 64), st.integers(1, 2 * MAX)), min_size=1, max_size=5),
    gives_up=st.lists(st.booleans(), max_size=5).map(lambda some: [*some, False]),
    repeats=st.integers(1, 3),
    once=st.booleans(),
)
def test_any_split_gives_the_same_messages_whenever_a_read_wakes_early(
    sizes: list[int], takes: list[int], gives_up: list[bool], repeats: int, once: bool
) -> None:
    sizes = [size for size in (sizes[:1] if min(takes) < 64 else sizes) for _ in range(repeats)]
    wanted = payloads(sizes)
    script = ByteScript(b"".join(map(framed, wanted)), takes, gives_up)
    assert list(received(ScatterReader(MAX), script, once=once)) == wanted


def test_a_small_message_like_the_last_one_that_does_not_fit_the_buffer_is_dropped() -> None:
    first, second, third = payloads([100, 100, 100])
    reader, small = ScatterReader(MAX), memoryview(bytearray(99))
    script = ByteScript(framed(first) + framed(second) + framed(third), [PREFIX_BYTES + 100])
    messages = received(reader, script)
    assert next(messages) == first
    with pytest.raises(MessageTooLarge):
        reader.receive_into(small, script, 60, time.monotonic() + 60)
    assert list(messages) == [third]


def test_garbage_as_long_as_the_last_small_frame_is_no_message() -> None:
    first, second = payloads([100, 100])
    size = PREFIX_BYTES + 100
    script = ByteScript(framed(first) + b"?" * size + framed(second), [size])
    assert list(received(ScatterReader(MAX), script)) == [first, TornMessage, TornMessage, second]


@pytest.mark.parametrize("size", [100, MIN_BYTES])
def test_the_end_of_a_stream_is_said(size: int) -> None:
    class Ended(ByteScript):
        def __call__(self, places: list[memoryview], timeout_s: float = 0, deadline: float = 0) -> int:
            return super().__call__(places, timeout_s, deadline) if self.left else 0

    (message,) = payloads([size])
    messages = received(ScatterReader(MAX), Ended(framed(message), [PREFIX_BYTES + size]))
    assert next(messages) == message
    with pytest.raises(EOFError):
        next(messages)


@pytest.mark.parametrize("once", [False, True])
@pytest.mark.parametrize("takes", [[MIN_BYTES + PREFIX_BYTES], [PREFIX_BYTES], [1000, 7, 40_000]])
def test_large_messages_of_one_length_go_straight_into_the_callers_buffer(takes: list[int], once: bool) -> None:
    wanted = payloads([MIN_BYTES] * 5)
    script = ByteScript(b"".join(map(framed, wanted)), takes)
    assert list(received(ScatterReader(MAX), script, once=once)) == wanted
    assert script.direct >= 3


@pytest.mark.parametrize("error", [BlockingIOError, OSError, KeyboardInterrupt])
@pytest.mark.parametrize("come", [0, 1, PREFIX_BYTES, PREFIX_BYTES + 1, PREFIX_BYTES + MIN_BYTES - 1])
def test_a_direct_read_that_ends_early_leaves_nothing_in_the_callers_buffer(
    come: int, error: type[BaseException]
) -> None:
    class Interrupted(ByteScript):
        reads = 0

        def __call__(self, places: list[memoryview], timeout_s: float = 0, deadline: float = 0) -> int:
            self.reads += 1
            if self.reads == (3 if come else 2):
                raise error
            return super().__call__(places, timeout_s, deadline)

    first, second = payloads([MIN_BYTES, MIN_BYTES])
    whole = MIN_BYTES + PREFIX_BYTES
    script = Interrupted(framed(first) + framed(second), [whole, come, whole] if come else [whole])
    reader, here, there = ScatterReader(MAX), *(memoryview(bytearray(MAX)) for _ in range(2))
    assert reader.receive_into(here, script, 60, time.monotonic() + 60) == MIN_BYTES
    with pytest.raises(error):
        reader.receive_into(here, script, 60, time.monotonic() + 60)
    assert reader.pending_bytes == come
    here[:] = bytes(MAX)
    assert reader.receive_into(there, script, 60, time.monotonic() + 60) == MIN_BYTES
    assert there[:MIN_BYTES] == second
    assert bytes(here) == bytes(MAX)


def test_an_empty_message_where_a_large_marked_one_is_awaited_is_there_at_once() -> None:
    writer = FrameWriter(MAX, marked=True)
    stream = b"".join(b"".join(writer.pieces(memoryview(one))) for one in payloads([MIN_BYTES, 0]))
    script = ByteScript(stream, [len(stream) - PREFIX_BYTES, PREFIX_BYTES])
    assert list(received(ScatterReader(MAX, marked=True), script)) == payloads([MIN_BYTES, 0])


def test_garbage_behind_a_large_message_is_skipped_and_the_next_one_is_whole() -> None:
    first, second = payloads([MIN_BYTES, MIN_BYTES])
    script = ByteScript(framed(first) + b"garbage" * 5000 + framed(second), [65536])
    seen = list(received(ScatterReader(MAX), script))
    assert [m for m in seen if m is not TornMessage] == [first, second]
    assert TornMessage in seen


def test_a_stream_that_ends_within_a_large_message_says_so_and_the_next_begins_clean() -> None:
    first, second = payloads([MIN_BYTES, MIN_BYTES])
    reader = ScatterReader(MAX)
    assert list(received(reader, ByteScript(framed(first) + framed(second)[:-1], [65536]))) == [first]
    with pytest.raises(TornMessage):
        reader.end_of_stream()
    assert reader.pending_bytes == 0


def test_what_others_wrote_behind_a_message_that_was_never_finished_is_handed_out_at_the_end() -> None:
    killed, others = FrameWriter(MAX, marked=True), FrameWriter(MAX, marked=True)
    part = b"".join(killed.pieces(memoryview(b"k" * MAX)))[: MAX // 2]
    wanted = payloads([100, 200])
    stream = part + b"".join(b"".join(others.pieces(memoryview(one))) for one in wanted)
    reader, buffer = ScatterReader(MAX, marked=True), memoryview(bytearray(MAX))
    assert list(received(reader, ByteScript(stream, [len(stream)]))) == []
    with pytest.raises(TornMessage):
        reader.end_of_stream()
    for one in wanted:
        length = reader.next_into(buffer)
        assert length is not None
        assert buffer[:length] == one
    reader.end_of_stream()
    assert reader.pending_bytes == 0
