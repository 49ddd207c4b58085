"""Marked frames of several writers in one stream: exactly the mixed ones are lost, however they were mixed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ipclab.building_blocks.framing import ATOMIC_BYTES, PREFIX_BYTES, FrameReader, FrameWriter, is_marked
from ipclab.building_blocks.scatter import MIN_BYTES, ScatterReader
from ipclab.contract.errors import TornMessage
from support.byte_script import ByteScript, received

MAX = 12_000
MARK_BYTES = 8
TAIL = 3 * MIN_BYTES  # the scattered reader expects more of this length
sizes = st.one_of(
    st.integers(0, 200), st.integers(ATOMIC_BYTES - 40, ATOMIC_BYTES + 40), st.integers(5000, MAX), st.just(TAIL)
)


def frame(writer: FrameWriter, payload: bytes) -> bytes:
    """The bytes that a writer puts on the stream."""
    return b"".join(writer.pieces(memoryview(payload)))


def read_straight(stream: bytes, takes: list[int]) -> tuple[list[bytes], int]:
    """The same, by the reader that puts large messages straight into the caller's buffer."""
    seen = list(received(ScatterReader(TAIL, marked=True), ByteScript(stream, takes)))
    return [message for message in seen if isinstance(message, bytes)], seen.count(TornMessage)


def read(stream: bytes) -> tuple[list[bytes], int]:
    """The messages in it, and how often something was none."""
    reader, buffer, messages, torn = FrameReader(TAIL, marked=True), memoryview(bytearray(TAIL)), [], 0
    while True:
        try:
            length = reader.next_into(buffer)
        except TornMessage:
            torn += 1
            continue
        if length is not None:
            messages.append(bytes(buffer[:length]))
        elif stream:
            space = reader.space()
            part, stream = stream[: len(space)], stream[len(space) :]
            space[: len(part)] = part
            reader.filled(len(part))
        else:
            return messages, torn


@given(st.lists(st.lists(sizes, min_size=1, max_size=4), min_size=2, max_size=3), st.data())
def test_exactly_the_mixed_messages_are_lost(writers: list[list[int]], data: st.DataObject) -> None:
    pieces: list[list[tuple[bytes, bytes]]] = []  # of each writer: what the kernel takes at once, and of which message
    for index, lengths in enumerate(writers):
        own, writer = [], FrameWriter(TAIL, marked=True)
        for number, length in enumerate(lengths):
            message = bytes([index * 16 + number]) * length
            whole = frame(writer, message)
            # Behind the first mark and before the second: what is cut within one may happen to be completed.
            middle = st.integers(PREFIX_BYTES + MARK_BYTES, len(whole) - MARK_BYTES)
            cut = data.draw(middle) if len(whole) > ATOMIC_BYTES else len(whole)
            own += [(part, message) for part in (whole[:cut], whole[cut:]) if part]
        pieces.append(own)
    stream, order = b"", []
    while waiting := [own for own in pieces if own]:
        part, message = data.draw(st.sampled_from(waiting)).pop(0)
        stream += part
        order.append((part, message))
    # Whole is what lies in one piece, or in two that nothing came between.
    intact = []
    for position, (part, message) in enumerate(order):
        before = order[position - 1][0] if position and order[position - 1][1] is message else b""
        if is_complete(part, message) or (before and is_complete(before + part, message)):
            intact.append(message)
    tail = frame(FrameWriter(TAIL, marked=True), b"tail" * (TAIL // 4))  # shows the reader where to go on
    begin = [b"tail" * (TAIL // 4)] * data.draw(st.integers(0, 1))
    stream = tail * len(begin) + stream + tail * 2
    messages, torn = read(stream)
    assert messages == [*begin, *intact, b"tail" * (TAIL // 4), b"tail" * (TAIL // 4)]
    within_a_mark = PREFIX_BYTES + MARK_BYTES + TAIL + 3
    takes = data.draw(st.lists(st.just(within_a_mark) | st.integers(4000, 70_000), min_size=1, max_size=4))
    assert read_straight(stream, takes) == (messages, torn)
    assert torn == sum(map(len, writers)) - len(intact), "each mixed message counts once"


def is_complete(part: bytes, message: bytes) -> bool:
    """Is it a whole frame of the message?"""
    marks = 2 * MARK_BYTES if is_marked(len(message)) else 0
    return len(part) == PREFIX_BYTES + len(message) + marks


def test_a_frame_that_is_never_mixed_has_no_marks() -> None:
    for length, marks in ((ATOMIC_BYTES - PREFIX_BYTES, 0), (ATOMIC_BYTES - PREFIX_BYTES + 1, 16)):
        assert len(frame(FrameWriter(TAIL, marked=True), bytes(length))) == PREFIX_BYTES + length + marks
