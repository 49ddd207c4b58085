from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipclab.accounting import message
from ipclab.accounting.message import HEADER_BYTES, CorruptMessage
from ipclab.building_blocks.framing import ATOMIC_BYTES, PREFIX_BYTES, FrameReader, FrameWriter, trailer, write_prefix
from ipclab.contract.errors import MessageTooLarge, TornMessage

MAX = 400


def prefix(length: int) -> bytes:
    """What the module's documentation says, written by other means."""
    head = b"FRAM" + struct.pack("<I", length)
    return head + struct.pack("<I", zlib.crc32(head))


def framed(payload: bytes) -> bytes:
    return prefix(len(payload)) + payload


def checked(payload: bytes) -> bytes:
    return framed(payload) + struct.pack("<I", zlib.crc32(payload))


def sealed(sequence: int, body: bytes) -> bytes:
    whole = bytearray(HEADER_BYTES) + body
    message.seal(memoryview(whole), producer=1, epoch=1, sequence=sequence, due_ns=0, sent_ns=0)
    return bytes(whole)


class Reading:
    """Feeds a reader as a loop over read(2) does, and notes what comes out."""

    def __init__(self, reader: FrameReader | None = None, buffer_bytes: int = MAX) -> None:
        self.reader = reader or FrameReader(MAX)
        self.messages: list[bytes] = []
        self.torn = 0
        self.too_large = 0
        self._buffer = memoryview(bytearray(buffer_bytes))

    def feed(self, chunk: bytes) -> None:
        while chunk:
            space = self.reader.space()
            assert space, "no space although the last answer was None"
            part, chunk = chunk[: len(space)], chunk[len(space) :]
            space[: len(part)] = part
            self.reader.filled(len(part))
            self.drain(len(part))

    def drain(self, new_bytes: int = 0) -> None:
        # Whatever the bytes are, an answer other than None uses up at least one: no more answers than bytes.
        for _ in range(MAX + PREFIX_BYTES + new_bytes + 1):
            try:
                length = self.reader.next_into(self._buffer)
            except TornMessage:
                self.torn += 1
                continue
            except MessageTooLarge:
                self.too_large += 1
                continue
            if length is None:
                return
            self.messages.append(bytes(self._buffer[:length]))
        pytest.fail("next_into goes round in circles")

    def intact(self) -> list[bytes]:
        """What the consumer counts: the messages whose header and checksum hold."""
        return [m for m in self.messages if is_intact(m)]


def is_intact(arrived: bytes) -> bool:
    try:
        message.parse(memoryview(arrived))
    except CorruptMessage:
        return False
    return True


def read_all(chunks: Iterable[bytes]) -> Reading:
    reading = Reading()
    for chunk in chunks:
        reading.feed(chunk)
    return reading


def cut(stream: bytes, sizes: Sequence[int]) -> Iterable[bytes]:
    """The stream in pieces of these sizes, over and over."""
    begin = turn = 0
    while begin < len(stream):
        end = begin + sizes[turn % len(sizes)]
        yield stream[begin:end]
        begin, turn = end, turn + 1


payloads = st.lists(st.binary(max_size=MAX), max_size=8)
chunkings = st.lists(st.integers(1, 2 * MAX), min_size=1, max_size=8)
streams_of_messages = st.lists(st.binary(max_size=60), min_size=1, max_size=6).map(
    lambda found: [sealed(number, body) for number, body in enumerate(found)]
)


@given(length=st.integers(0, 2**32 - 1))
def test_the_prefix_is_the_documented_one(length: int) -> None:
    frame = bytearray(PREFIX_BYTES + 3)
    write_prefix(memoryview(frame), length)
    assert frame == prefix(length) + bytes(3)


@given(payloads=payloads, chunking=chunkings, read_ahead=st.sampled_from([0, 1, 13, 65536]))
def test_any_split_of_the_stream_gives_the_same_messages(
    payloads: list[bytes], chunking: list[int], read_ahead: int
) -> None:
    reading = Reading(FrameReader(MAX, read_ahead))
    for chunk in cut(b"".join(map(framed, payloads)), chunking):
        reading.feed(chunk)
    assert reading.messages == payloads
    assert reading.torn == reading.too_large == 0
    reading.reader.end_of_stream()


@pytest.mark.parametrize("size", [1, 2, 11, 12, 13, 4096, 65536, 1 << 20])
def test_reads_of_one_size(size: int) -> None:
    chance = random.Random(size)
    payloads = [chance.randbytes(chance.randrange(MAX + 1)) for _ in range(60)]
    assert read_all(cut(b"".join(map(framed, payloads)), [size])).messages == payloads


@pytest.mark.parametrize("size", [999, 65536, 1 << 20])
def test_messages_of_a_mebibyte(size: int) -> None:
    reader = FrameReader(1 << 20)
    payloads = [random.Random(n).randbytes((1 << 20) - n) for n in range(3)]
    buffer = memoryview(bytearray(1 << 20))
    found = []
    for chunk in cut(b"".join(map(framed, payloads)), [size]):
        left = chunk
        while left:
            space = reader.space()
            part, left = left[: len(space)], left[len(space) :]
            space[: len(part)] = part
            reader.filled(len(part))
            while (length := reader.next_into(buffer)) is not None:
                found.append(bytes(buffer[:length]))
    assert found == payloads


# --- what a dead writer leaves in the stream ----------------------------------------------------------


@given(messages=streams_of_messages, garbage=st.lists(st.binary(max_size=90), max_size=7), chunking=chunkings)
def test_garbage_between_frames_costs_no_frame(
    messages: list[bytes], garbage: list[bytes], chunking: list[int]
) -> None:
    stream = b""
    for number, whole in enumerate(messages):
        stream += (garbage[number] if number < len(garbage) else b"") + framed(whole)
    reading = read_all(cut(stream, chunking))
    assert reading.messages == messages
    assert (reading.torn > 0) == any(garbage[: len(messages)])
    reading.reader.end_of_stream()


@pytest.mark.parametrize(
    "garbage",
    [
        b"F",
        b"FRA",
        b"FRAM",
        b"FRAMFRAMFRA",
        b"FRAM" * 40,
        prefix(5)[:11],
        prefix(5)[:11] + b"\0",
        prefix(MAX + 1),
        prefix(2**32 - 1),
        b"\0" * 70_000,
    ],
    ids=lambda g: f"{g[:12]!r}x{len(g)}",
)
@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_garbage_that_looks_like_a_prefix_costs_no_frame(garbage: bytes, size: int) -> None:
    messages = [sealed(n, b"m" * n) for n in range(4)]
    stream = garbage + framed(messages[0]) + garbage + b"".join(map(framed, messages[1:]))
    reading = read_all(cut(stream, [size]))
    assert reading.messages == messages
    assert reading.torn >= 2


@given(messages=streams_of_messages, where=st.floats(0, 1, exclude_max=True), chunking=chunkings)
def test_a_torn_frame_takes_with_it_exactly_what_its_length_covers(
    messages: list[bytes], where: float, chunking: list[int]
) -> None:
    torn = framed(sealed(99, b"t" * 100))
    kept = int(where * len(torn))
    stream, begins = torn[:kept], []
    for whole in messages:
        begins.append(len(stream))
        stream += framed(whole)
    reading = read_all(cut(stream, chunking))
    if kept < PREFIX_BYTES:  # its length never arrived
        assert reading.messages == messages
        assert (reading.torn > 0) == (kept > 0)
    elif len(stream) < len(torn):  # still waiting for the rest of it, and only the end will tell
        assert reading.messages == []
        with pytest.raises(TornMessage):
            reading.reader.end_of_stream()
    else:
        later = [whole for whole, begin in zip(messages, begins, strict=True) if begin >= len(torn)]
        assert reading.messages == [stream[PREFIX_BYTES : len(torn)], *later]
        assert reading.intact() == later


def test_the_end_of_the_stream_drops_a_part_and_the_next_stream_begins_clean() -> None:
    whole = framed(sealed(1, b"x" * 50))
    for kept in range(1, len(whole)):
        reading = read_all([framed(b"before"), whole[:kept]])
        with pytest.raises(TornMessage, match=f"; {kept} bytes dropped") as caught:
            reading.reader.end_of_stream()
        assert caught.value.errno_name == "damaged"
        reading.feed(framed(b"after"))
        assert reading.messages == [b"before", b"after"]
        assert reading.torn == 0
        reading.reader.end_of_stream()


def test_a_message_over_the_buffer_is_skipped_and_the_next_one_is_whole() -> None:
    reading = Reading(buffer_bytes=10)
    for chunk in cut(framed(b"a" * 10) + framed(b"b" * 11) + framed(b"") + framed(b"c" * 10), [5]):
        reading.feed(chunk)
    assert reading.messages == [b"a" * 10, b"", b"c" * 10]
    assert (reading.too_large, reading.torn) == (1, 0)


def test_twelve_thousand_damaged_streams_never_hang_and_never_invent_a_message() -> None:
    chance = random.Random(20_261_122)
    messages = [sealed(n, chance.randbytes(n * 7 % 50)) for n in range(40)]
    survivors = 0
    for _ in range(12_000):
        sent = chance.sample(messages, 3)
        stream = b"".join(map(framed, sent))
        for _ in range(chance.randrange(4)):
            begin = chance.randrange(len(stream) + 1)
            end = min(len(stream), begin + chance.choice((0, 1, 4, chance.randrange(120))))
            new = chance.choice((b"", chance.randbytes(chance.randrange(20)), b"FRAM", prefix(chance.randrange(500))))
            stream = stream[:begin] + new + stream[end:]
        reading = read_all(cut(stream, [chance.choice((1 << 20, 1 << 20, 100, 9))]))
        intact = reading.intact()
        survivors += len(intact)
        order = iter(sent)
        assert all(arrived in order for arrived in intact), "a message nobody sent, or out of order"
    assert 12_000 < survivors < 36_000  # some of the damage was damage


def test_noise_is_nothing_but_torn() -> None:
    chance = random.Random(7)
    for _ in range(300):
        reading = read_all(cut(chance.randbytes(chance.randrange(3000)), [chance.randrange(1, 500)]))
        assert reading.messages == []
        assert reading.too_large == 0


# --- the writer ---------------------------------------------------------------------------------------


@given(payload=st.binary(max_size=MAX))
def test_the_trailer_is_the_documented_one(payload: bytes) -> None:
    assert framed(payload) + trailer(memoryview(payload)) == checked(payload)


@given(payloads=payloads, chunking=chunkings, read_ahead=st.sampled_from([0, 1, 13, 65536]))
def test_any_split_of_checked_frames_gives_the_same_messages(
    payloads: list[bytes], chunking: list[int], read_ahead: int
) -> None:
    reading = Reading(FrameReader(MAX, read_ahead, checked=True))
    for chunk in cut(b"".join(map(checked, payloads)), chunking):
        reading.feed(chunk)
    assert reading.messages == payloads
    assert reading.torn == reading.too_large == reading.reader.pending_bytes == 0


@given(payloads=st.lists(st.binary(min_size=1, max_size=60), min_size=2, max_size=6), data=st.data())
def test_a_flipped_bit_costs_one_checked_message_and_no_other(payloads: list[bytes], data: st.DataObject) -> None:
    damaged = data.draw(st.integers(0, len(payloads) - 2))  # behind the last one nothing would show where to go on
    frames = [bytearray(checked(payload)) for payload in payloads]
    bit = data.draw(st.integers(0, 8 * len(frames[damaged]) - 1))
    frames[damaged][bit // 8] ^= 1 << bit % 8
    reading = Reading(FrameReader(MAX, checked=True))
    reading.feed(b"".join(frames))
    assert reading.messages == payloads[:damaged] + payloads[damaged + 1 :]
    assert reading.torn == 1


@given(before=payloads, torn=st.binary(min_size=1, max_size=MAX), after=payloads, data=st.data())
def test_giving_up_loses_the_unfinished_frame_and_no_whole_one_behind_it(
    before: list[bytes], torn: bytes, after: list[bytes], data: st.DataObject
) -> None:
    whole = checked(torn)
    part = whole[: data.draw(st.integers(1, len(whole) - 1))]
    reading = Reading(FrameReader(MAX, checked=True))
    reading.feed(b"".join(map(checked, before)) + part + b"".join(map(checked, after)))
    while reading.reader.pending_bytes:
        try:
            reading.reader.give_up()
        except TornMessage:
            reading.torn += 1
        reading.drain()
    assert reading.messages == before + after
    assert reading.torn == 1


def test_ten_thousand_damaged_files_never_hang_and_never_invent_a_message() -> None:
    chance = random.Random(5)
    for _ in range(10_000):
        payloads = [chance.randbytes(chance.randrange(40)) for _ in range(4)]
        content = bytearray(b"".join(map(checked, payloads)))
        for _ in range(chance.randrange(1, 4)):
            where = chance.randrange(len(content))
            content[where : where + chance.randrange(9)] = chance.randbytes(chance.randrange(9))
        reading = Reading(FrameReader(MAX, checked=True))
        reading.feed(bytes(content))
        while reading.reader.pending_bytes:
            try:
                reading.reader.give_up()
            except TornMessage:
                reading.torn += 1
            reading.drain()
        assert set(reading.messages) <= set(payloads)


@pytest.mark.parametrize("length", [0, 1, 64, ATOMIC_BYTES - PREFIX_BYTES, ATOMIC_BYTES - PREFIX_BYTES + 1, 100_000])
def test_the_pieces_are_the_frame(length: int) -> None:
    writer = FrameWriter(1 << 20)
    for byte in (b"a", b"b"):
        payload = byte * length
        assert b"".join(writer.pieces(memoryview(payload))) == framed(payload)


def test_a_message_over_the_maximum_is_refused_and_the_next_one_is_framed() -> None:
    writer = FrameWriter(MAX)
    with pytest.raises(MessageTooLarge) as caught:
        writer.pieces(memoryview(bytes(MAX + 1)))
    assert caught.value.errno_name == "EMSGSIZE"
    assert not caught.value.may_be_delivered
    assert b"".join(writer.pieces(memoryview(bytes(MAX)))) == framed(bytes(MAX))


@pytest.mark.parametrize("filler", [b"\0", b"F", b"\xff"])
def test_a_stream_of_one_byte_is_no_message(filler: bytes) -> None:
    """A reader that has seen no prefix yet knows none that could be compared with."""
    assert not read_all([filler * 500]).messages
