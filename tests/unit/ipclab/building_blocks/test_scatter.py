from __future__ import annotations

import struct
import time
import zlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipclab.building_blocks.framing import PREFIX_BYTES
from ipclab.building_blocks.scatter import MIN_BYTES, ScatterReader
from ipclab.contract.errors import ChannelError, MessageTooLarge, TornMessage
from support.byte_script import ByteScript, received

MAX = 3 * MIN_BYTES
lengths = st.one_of(st.sampled_from([MIN_BYTES, MIN_BYTES + 1, MAX]), st.integers(0, MAX))


def framed(payload: bytes) -> bytes:
    head = b"FRAM" + struct.pack("<I", len(payload))
    return head + struct.pack("<I", zlib.crc32(head)) + payload


def payloads(sizes: Sequence[int]) -> list[bytes]:
    return [bytes([1 + number % 250]) * size for number, size in enumerate(sizes)]


class Stream:
    """Bytes that come in pieces, read as a receiver does: into the caller's buffer where the reader says so."""

    def __init__(self, stream: bytes, takes: Sequence[int], gives_up: Sequence[bool] = (False,)) -> None:
        self.reader = ScatterReader(MAX)
        self._left = stream
        self._takes = takes
        self._gives_up = gives_up
        self._turn = 0
        self.straight = 0  # reads into the caller's buffer

    def messages(self) -> list[bytes | type[ChannelError]]:
        seen: list[bytes | type[ChannelError]] = []
        buffer = memoryview(bytearray(MAX))
        while True:
            try:
                length = self.reader.next_into(buffer)
                while length is None:
                    if not self._left:
                        return seen
                    length = self._read(buffer)
                seen.append(bytes(buffer[:length]))
            except ChannelError as error:
                seen.append(type(error))

    def _read(self, buffer: memoryview) -> int | None:
        places = self.reader.places(buffer)
        assert sum(map(len, places)), "nowhere to read to"
        self.straight += any(place.obj is buffer.obj for place in places)
        count = min(self._takes[self._turn % len(self._takes)], sum(map(len, places)), len(self._left))
        given, self._left = self._left[:count], self._left[count:]
        for place in places:
            part, given = given[: len(place)], given[len(place) :]
            place[: len(part)] = part
        length = self.reader.took(count, buffer)
        self._turn += 1
        if length is None and self._gives_up[self._turn % len(self._gives_up)]:
            self.reader.fill_hole()
            buffer[:] = b"\0" * len(buffer)  # it is the caller's again
        return length


@given(
    sizes=st.lists(lengths, max_size=8),
    takes=st.lists(st.one_of(st.integers(1, 64), st.integers(1, 2 * MAX)), min_size=1, max_size=5),
    gives_up=st.lists(st.booleans(), min_size=1, max_size=5),
)
def test_any_split_gives_the_same_messages_whenever_the_caller_gives_up(
    sizes: list[int], takes: list[int], gives_up: list[bool]
) -> None:
    if min(takes) < 64:
        sizes = sizes[:2]  # byte by byte is slow
    wanted = payloads(sizes)
    assert Stream(b"".join(map(framed, wanted)), takes, gives_up).messages() == wanted


@given(
    sizes=st.lists(lengths, max_size=8),
    takes=st.lists(st.one_of(st.integers(1, 64), st.integers(1, 2 * MAX)), min_size=1, max_size=5),
    gives_up=st.lists(st.booleans(), max_size=5).map(lambda some: [*some, False]),
    repeats=st.integers(1, 3),
)
def test_so_it_is_where_the_reader_waits(
    sizes: list[int], takes: list[int], gives_up: list[bool], repeats: int
) -> None:
    sizes = [size for size in (sizes[:1] if min(takes) < 64 else sizes) for _ in range(repeats)]
    wanted = payloads(sizes)
    script = ByteScript(b"".join(map(framed, wanted)), takes, gives_up)
    assert list(received(ScatterReader(MAX), script)) == wanted


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


@pytest.mark.parametrize("takes", [[MIN_BYTES + PREFIX_BYTES], [PREFIX_BYTES], [1000, 7, 40_000]])
def test_large_messages_of_one_length_go_straight_into_the_callers_buffer(takes: list[int]) -> None:
    wanted = payloads([MIN_BYTES] * 5)
    stream = Stream(b"".join(map(framed, wanted)), takes)
    assert stream.messages() == wanted
    assert stream.straight >= 3


def test_garbage_behind_a_large_message_is_skipped_and_the_next_one_is_whole() -> None:
    first, second = payloads([MIN_BYTES, MIN_BYTES])
    stream = Stream(framed(first) + b"garbage" * 5000 + framed(second), [65536])
    seen = stream.messages()
    assert [m for m in seen if m is not TornMessage] == [first, second]
    assert TornMessage in seen


def test_a_stream_that_ends_within_a_large_message_says_so_and_the_next_begins_clean() -> None:
    first, second = payloads([MIN_BYTES, MIN_BYTES])
    stream = Stream(framed(first) + framed(second)[:-1], [65536])
    assert stream.messages() == [first]
    with pytest.raises(TornMessage):
        stream.reader.end_of_stream()
    assert stream.reader.pending_bytes == 0
