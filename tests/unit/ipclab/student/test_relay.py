"""The FIFO of exercise 10: small pieces, pauses within a message, nothing lost when the reader changes."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipclab.student.relay import Relay, make_fifo

DATA = bytes(range(256)) * 8


@pytest.fixture
def ends(tmp_path: Path) -> Iterator[tuple[int, int]]:
    """The relay's source and target."""
    source, target = make_fifo(tmp_path / "source"), make_fifo(tmp_path / "target")
    yield source, target
    for descriptor in (source, target):
        os.close(descriptor)


def read(descriptor: int, count: int) -> list[bytes]:
    """Reads until so many bytes are here."""
    pieces: list[bytes] = []
    while sum(map(len, pieces)) < count:
        pieces.append(os.read(descriptor, 4096))
    return pieces


def test_no_read_returns_more_than_the_most(ends: tuple[int, int]) -> None:
    source, target = ends
    relay = Relay(source, target, 7, seed=1)
    relay.start()
    os.write(source, DATA)
    pieces = read(target, len(DATA))
    relay.stop()
    os.write(source, b"!")  # wakes its read
    relay.join()
    assert b"".join(pieces) == DATA
    assert {len(piece) for piece in pieces} == set(range(1, 8))


def test_the_seed_draws_the_pieces(tmp_path: Path) -> None:
    def cut(seed: int) -> list[int]:
        source, target = make_fifo(tmp_path / "source"), make_fifo(tmp_path / "target")
        relay = Relay(source, target, 50, seed)
        relay.start()
        os.write(source, DATA)
        pieces = read(target, len(DATA))
        relay.stop()
        os.write(source, b"!")
        relay.join()
        os.close(source)
        os.close(target)
        return [len(piece) for piece in pieces]

    assert cut(1) == cut(1) != cut(2)


def test_it_pauses_at_the_byte_and_a_new_reader_gets_the_rest(ends: tuple[int, int], tmp_path: Path) -> None:
    source, target = ends
    relay = Relay(source, target, 64, pauses=[100, 1000], paused=tmp_path / "paused")
    relay.start()
    os.write(source, DATA)
    first = b"".join(read(target, 100))
    wait_for(tmp_path / "paused.1")
    assert first == DATA[:100]
    os.set_blocking(target, False)
    with pytest.raises(BlockingIOError):
        os.read(target, 1)
    os.set_blocking(target, True)
    relay.resume()
    second = b"".join(read(target, 900))
    wait_for(tmp_path / "paused.2")
    relay.resume()
    assert first + second + b"".join(read(target, len(DATA) - 1000)) == DATA
    relay.stop()
    os.write(source, b"!")
    relay.join()


def test_a_stopped_relay_ends_although_nobody_reads(ends: tuple[int, int]) -> None:
    source, target = ends
    relay = Relay(source, target, 5)
    relay.start()
    os.write(source, DATA)
    relay.stop()
    ended = threading.Thread(target=relay.join)
    ended.start()
    ended.join(5)
    assert not ended.is_alive()


def wait_for(path: Path) -> None:
    """Until the file is there."""
    deadline = time.monotonic() + 5
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
