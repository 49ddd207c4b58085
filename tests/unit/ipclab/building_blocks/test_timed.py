from __future__ import annotations

import os
import random
import socket
import time
from collections.abc import Callable, Iterator

import pytest

from ipclab.building_blocks.scatter import Read
from ipclab.building_blocks.timed_io import PipeRead, PipeWrite, SocketRead, SocketWrite
from ipclab.linux.alarm import ALARM

PIPE_BYTES = 65536
Pipe = tuple[int, int]
Sockets = tuple[socket.socket, socket.socket]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    ALARM.forget()  # the test's own time limit has the same timer
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)
    os.close(writing)
    assert not ALARM.waiting


@pytest.fixture
def sockets() -> Iterator[Sockets]:
    here, there = socket.socketpair()
    with here, there:
        yield here, there


Timed = Callable[[list[memoryview], float, float], int]


def scattered(read: Read) -> Timed:
    """Reads into a list of places, by readv(2)."""
    return read


def into_one(read: Read) -> Timed:
    """Reads into one place, by read(2)."""
    return lambda places, timeout_s, deadline: read.into(places[0], timeout_s, deadline)


either_way = pytest.mark.parametrize("way", [scattered, into_one])
Way = Callable[[Read], Timed]


def call(timed: Timed, places: list[memoryview], timeout_s: float) -> int:
    return timed(places, timeout_s, time.monotonic() + timeout_s)


def place(size: int) -> list[memoryview]:
    return [memoryview(bytearray(size))]


def seconds_until_refused(timed: Timed, places: list[memoryview], timeout_s: float) -> float:
    """How long it waits for nothing; it may end early, and is then asked again for what is left."""
    began = time.monotonic()
    while (left := began + timeout_s - time.monotonic()) > 0:
        with pytest.raises(BlockingIOError):
            call(timed, places, left)
    return time.monotonic() - began


@either_way
@pytest.mark.parametrize("timeout_s", [0.01, 0.1])
def test_a_read_of_an_empty_pipe_ends_in_time_again_and_again(pipe: Pipe, timeout_s: float, way: Way) -> None:
    read = way(PipeRead(pipe[0]))
    for _ in range(3):
        assert timeout_s <= seconds_until_refused(read, place(10), timeout_s) < timeout_s + 2
    os.write(pipe[1], b"bytes")
    assert call(read, place(10), 0.01) == 5


@either_way
def test_it_sleeps_meanwhile(pipe: Pipe, way: Way) -> None:
    """The descriptor is blocking again after each wait that was in vain."""
    read = way(PipeRead(pipe[0]))
    seconds_until_refused(read, place(10), 0.01)
    used = time.process_time()
    seconds_until_refused(read, place(10), 0.3)
    assert time.process_time() - used < 0.15


@either_way
def test_the_end_of_a_stream_is_no_wait(way: Way) -> None:
    reading, writing = os.pipe()
    os.close(writing)
    assert call(way(PipeRead(reading)), place(10), 5) == 0
    os.close(reading)


@either_way
def test_no_byte_is_lost_by_an_alarm_whenever_it_fires(pipe: Pipe, way: Way) -> None:
    """The alarm fires thousands of times, before, in and just after the reads."""
    reading, writing = pipe
    count = 3000
    if not (child := os.fork()):
        draw = random.Random(1)
        for number in range(count):
            os.write(writing, number.to_bytes(4, "little"))
            time.sleep(draw.random() * 3e-4)
        os._exit(0)
    read, draw, seen, refused = way(PipeRead(reading)), random.Random(2), bytearray(), 0
    buffer = place(4096)
    give_up = time.monotonic() + 60
    while len(seen) < 4 * count and time.monotonic() < give_up:
        try:
            seen += buffer[0][: call(read, buffer, draw.random() * 3e-4)]
        except BlockingIOError:
            refused += 1
    os.waitpid(child, 0)
    assert seen == b"".join(number.to_bytes(4, "little") for number in range(count))
    assert refused > 100


def test_a_small_frame_for_a_full_pipe_is_refused_at_once(pipe: Pipe) -> None:
    write = PipeWrite(pipe[1])
    assert call(write, [*place(10), *place(PIPE_BYTES)], 0.01) == PIPE_BYTES
    began = time.monotonic()
    with pytest.raises(BlockingIOError):
        call(write, place(10), 30)
    assert time.monotonic() - began < 20


def test_a_frame_that_must_go_now_says_that_there_is_no_room(pipe: Pipe, sockets: Sockets) -> None:
    for write, reader in ((PipeWrite(pipe[1]), pipe[0]), (SocketWrite(sockets[0]), sockets[1].fileno())):
        frame, sent = place(4096)[0], 0
        while (taken := write.now(frame)) is not None:
            sent += taken
        assert sent >= PIPE_BYTES
        while sent:
            sent -= len(os.read(reader, sent))
        assert write.now(frame) == len(frame)


def test_a_large_frame_waits_for_room_and_says_how_much_was_taken(pipe: Pipe) -> None:
    write = PipeWrite(pipe[1])
    frame = [*place(12), *place(PIPE_BYTES)]
    assert call(write, frame, 0.05) == PIPE_BYTES
    assert seconds_until_refused(write, frame, 0.05) >= 0.05
    assert len(os.read(pipe[0], 2 * PIPE_BYTES)) == PIPE_BYTES
    assert call(write, frame, 0.05) == PIPE_BYTES


def test_a_large_frame_is_written_by_one_call_while_somebody_reads(pipe: Pipe) -> None:
    reading, writing = pipe
    size = 5 * PIPE_BYTES
    if not (child := os.fork()):
        got = 0
        while got < size + 1:
            got += len(os.read(reading, 1000))
        os._exit(0)
    assert call(PipeWrite(writing), [*place(1), *place(size)], 30) == size + 1
    assert os.waitpid(child, 0)[1] == 0


@either_way
def test_a_socket_ends_both_waits_in_time(sockets: Sockets, way: Way) -> None:
    here, _ = sockets
    read, write = way(SocketRead(here)), SocketWrite(here)
    assert 0.05 <= seconds_until_refused(read, place(10), 0.05) < 2
    while True:
        try:
            call(write, place(PIPE_BYTES), 0.01)
        except BlockingIOError:
            break
    assert 0.05 <= seconds_until_refused(write, place(10), 0.05) < 2


@either_way
def test_a_socket_gives_what_is_there(sockets: Sockets, way: Way) -> None:
    here, there = sockets
    there.send(b"bytes")
    assert call(way(SocketRead(here)), place(10), 5) == 5
