from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator

import pytest

from ipclab.building_blocks.framing import PREFIX_BYTES
from ipclab.building_blocks.stream_sender import StreamWriter
from ipclab.contract.errors import ChannelFull, PeerGone

MAX = 1000
FIRST, SECOND, THIRD = b"first" * 10, b"other" * 10, b"third" * 10
Answer = int | OSError


@pytest.fixture
def roomy_pipe() -> Iterator[int]:
    """A descriptor that is always writable."""
    read_end, write_end = os.pipe()
    yield write_end
    os.close(read_end)
    os.close(write_end)


@pytest.fixture
def full_pipe() -> Iterator[int]:
    """A descriptor that never becomes writable."""
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    try:
        while True:
            try:
                os.write(write_end, b"x" * 65536)
            except BlockingIOError:
                break
        yield write_end
    finally:
        os.close(read_end)
        os.close(write_end)


class Kernel:
    """Answers one call of write(2) or writev(2) after the other as the script says, then takes everything."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.taken = b""

    def __call__(self, pieces: list[memoryview], timeout_s: float, deadline: float) -> int:
        del timeout_s, deadline
        return self._take(b"".join(pieces))

    def now(self, frame: memoryview) -> int | None:
        try:
            return self._take(bytes(frame))
        except BlockingIOError:
            return None

    def _take(self, offered: bytes) -> int:
        answer = self.answers.pop(0) if self.answers else len(offered)
        if isinstance(answer, OSError):
            raise answer
        self.taken += offered[:answer]
        return answer


def broken() -> OSError:
    return BrokenPipeError(errno.EPIPE, "Broken pipe")


def frame_bytes(message: bytes) -> int:
    return PREFIX_BYTES + len(message)


def send(writer: StreamWriter, payload: bytes) -> None:
    writer.send(memoryview(payload), 0.01)


Writer = Callable[[Kernel], StreamWriter]


@pytest.fixture(params=["the first message", "one as long as the last"])
def writer(full_pipe: int, request: pytest.FixtureRequest) -> Writer:
    def write(kernel: Kernel) -> StreamWriter:
        stream = StreamWriter("pipe", full_pipe, kernel)
        if request.param != "the first message":
            answers, kernel.answers = kernel.answers, []
            send(stream, FIRST)
            kernel.answers, kernel.taken = answers, b""
        return stream

    return write


@pytest.mark.parametrize("taken", [1, PREFIX_BYTES, frame_bytes(FIRST) - 1])
def test_a_message_of_which_a_part_is_written_is_accepted_and_finished_before_the_next(
    writer: Writer, taken: int
) -> None:
    kernel = Kernel(taken, BlockingIOError())  # asked anew when the second message comes, and still full
    stream = writer(kernel)
    send(stream, FIRST)
    with pytest.raises(ChannelFull):
        send(stream, SECOND)
    send(stream, THIRD)
    assert len(kernel.taken) == frame_bytes(FIRST) + frame_bytes(THIRD)
    assert kernel.taken.endswith(THIRD)


def test_a_message_of_which_nothing_is_written_is_taken_back(writer: Writer) -> None:
    kernel = Kernel(BlockingIOError())
    stream = writer(kernel)
    with pytest.raises(ChannelFull):
        send(stream, FIRST)
    send(stream, b"second")
    assert len(kernel.taken) == frame_bytes(b"second")


@pytest.mark.parametrize("taken", [1, PREFIX_BYTES, frame_bytes(FIRST) - 1])
def test_the_message_that_broke_half_way_may_arrive(roomy_pipe: int, taken: int) -> None:
    with pytest.raises(PeerGone) as caught:
        send(StreamWriter("pipe", roomy_pipe, Kernel(taken, broken())), FIRST)
    assert caught.value.may_be_delivered
    assert caught.value.errno_name == "EPIPE"


def test_the_message_of_which_nothing_was_written_surely_did_not_arrive(writer: Writer) -> None:
    with pytest.raises(PeerGone) as caught:
        send(writer(Kernel(broken())), FIRST)
    assert not caught.value.may_be_delivered


@pytest.mark.parametrize("more", [[], [5]])
def test_a_message_behind_one_that_broke_half_way_surely_did_not_arrive(writer: Writer, more: list[Answer]) -> None:
    stream = writer(Kernel(10, *more, broken()))
    send(stream, FIRST)  # accepted: a part of it is written
    with pytest.raises(PeerGone) as caught:
        send(stream, b"second")
    assert not caught.value.may_be_delivered
    assert caught.value.errno_name == "EPIPE"


def test_a_message_behind_one_that_was_finished_may_arrive(roomy_pipe: int) -> None:
    stream = StreamWriter("pipe", roomy_pipe, Kernel(10, frame_bytes(FIRST) - 10, 3, broken()))
    send(stream, FIRST)
    with pytest.raises(PeerGone) as caught:
        send(stream, b"second")
    assert caught.value.may_be_delivered


def test_what_is_kept_of_a_message_is_not_the_senders_buffer(writer: Writer) -> None:
    """The producer builds the next message in the same buffer while the rest of this one waits."""
    kernel = Kernel(3)
    stream, payload = writer(kernel), bytearray(FIRST)
    stream.send(memoryview(payload), 0.01)
    payload[:] = b"other" * 10
    send(stream, b"second")
    assert kernel.taken.count(FIRST) == 1
    assert kernel.taken.endswith(b"second")


@pytest.mark.parametrize("taken", [1, PREFIX_BYTES - 1, PREFIX_BYTES, PREFIX_BYTES + 1, 50_000])
def test_a_large_message_is_finished_from_where_the_kernel_stopped(roomy_pipe: int, taken: int) -> None:
    kernel = Kernel(taken, BlockingIOError(), 1, 7)
    payload = os.urandom(60_000)
    send(StreamWriter("pipe", roomy_pipe, kernel), payload)
    assert kernel.taken[PREFIX_BYTES:] == payload
