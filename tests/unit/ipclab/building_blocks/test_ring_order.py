"""In which order the two sides of a ring access the words that they share: what tests/model proves enough.

A processor that reorders cannot be had for a test. So the accesses that ask for an order are recorded, together with
what the plain stores between them have done by then.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from contextlib import suppress

import pytest

from ipclab.building_blocks import ring, ring_batch, ring_channel
from ipclab.building_blocks.ring import DATA, HEAD, RECEIVER_AWAKE, SENDER_WAITS, START, TAIL, Ring, bytes_needed
from ipclab.building_blocks.ring_channel import RING_BYTES, RingReceiver, RingSender
from ipclab.contract.errors import ChannelFull, ReceiveTimeout
from ipclab.linux.atomics import AtomicWords, FallbackWords

WORDS = {HEAD: "head", TAIL: "tail", RECEIVER_AWAKE: "awake", SENDER_WAITS: "waits", 0: "magic", 2: "closed"}
PAYLOAD = bytes(range(1, 65))


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was done, in order: "load NAME", "store NAME", "fence", "sleep"."""
    log: list[str] = []

    def recorded(memory: memoryview) -> AtomicWords:
        words = FallbackWords(memory)
        load, store = words.load_acquire, words.store_release

        def load_acquire(index: int) -> int:
            log.append(f"load {WORDS.get(index, 'commit')}")
            return load(index)

        def store_release(index: int, value: int) -> None:
            log.append(f"store {WORDS.get(index, 'commit')}")
            if index >= DATA:
                log.append("payload is there" if PAYLOAD in bytes(memory[8 * index : 8 * index + 80]) else "no payload")
            store(index, value)

        words.load_acquire, words.store_release = load_acquire, store_release
        return words

    def fence() -> None:
        log.append("fence")

    monkeypatch.setattr(ring, "atomic_words", recorded)
    for module in (ring, ring_batch, ring_channel):
        monkeypatch.setattr(module, "fence", fence)
    return log


class Notifier:
    """Sleeps for no time."""

    def __init__(self, log: list[str]) -> None:
        self._log = log

    def notify(self) -> None:
        self._log.append("notify")

    def wait(self, timeout_s: float) -> bool:
        del timeout_s
        self._log.append("sleep")
        return False


class Shared:
    """Memory of one process."""

    def __init__(self, memory: mmap.mmap, log: list[str]) -> None:
        self.memory = memoryview(memory)
        self.data_ready: ring_channel.Notifier = Notifier(log)
        self.space_available: ring_channel.Notifier = Notifier(log)

    def is_linked(self) -> bool:
        return True

    def close(self) -> None:
        self.memory.release()

    def remove(self) -> None:
        pass


@pytest.fixture
def sides(log: list[str]) -> Iterator[tuple[RingSender, RingReceiver]]:
    memory = mmap.mmap(-1, RING_BYTES)
    with RingReceiver(Shared(memory, log)) as receiver, RingSender(Shared(memory, log)) as sender:
        log.clear()
        yield sender, receiver


Sides = tuple[RingSender, RingReceiver]
WRITE = ["load head", "store commit", "payload is there", "store tail"]
WAKE = ["fence", "load awake"]
READ = ["load tail", "load commit", "store head"]
MAKE_WAY = ["fence", "load waits"]
BUFFER = memoryview(bytearray(64 * 100))


def test_the_bytes_then_the_commit_word_then_tail_then_a_fence_and_the_flag(sides: Sides, log: list[str]) -> None:
    sides[0].send(memoryview(PAYLOAD), 0)
    assert log == [*WRITE, *WAKE]


def test_tail_then_the_commit_word_then_head_then_a_fence_and_the_flag(sides: Sides, log: list[str]) -> None:
    sides[0].send(memoryview(PAYLOAD), 0)
    log.clear()
    sides[1].receive_into(BUFFER, 0)
    assert log == [*READ, *MAKE_WAY]


def test_a_message_in_place_has_the_same_order(sides: Sides, log: list[str]) -> None:
    sender, receiver = sides
    loaned = sender.loan(len(PAYLOAD))
    assert log == WRITE[:1]
    loaned[:] = PAYLOAD
    sender.commit()
    assert log == [*WRITE, *WAKE]
    log.clear()
    receiver.borrow(0)
    assert log == READ[:-1]
    receiver.release()
    assert log == [*READ, *MAKE_WAY]


def test_the_beginning_of_an_empty_ring_is_stored_before_tail(
    sides: Sides, log: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And loaded after `tail`: a receiver that finds a record knows where it begins."""
    sender, receiver = sides
    words = sender._ring.words
    for _ in range(2):
        sender.send(memoryview(PAYLOAD), 0)
        receiver.receive_into(BUFFER, 0)
    log.clear()
    store = sender._ring.store_release

    def store_release(index: int, value: int) -> None:
        log.append(f"start {words[START]}")
        store(index, value)

    monkeypatch.setattr(sender._ring, "store_release", store_release)
    sender.send(memoryview(PAYLOAD), 0)
    position = words[HEAD]
    assert log[1:3] == [f"start {position}", "store commit"]


def test_a_loan_and_a_borrow_have_the_order_of_a_write_and_a_read(sides: Sides, log: list[str]) -> None:
    sender, receiver = sides
    sender.loan(64)[:] = PAYLOAD
    sender.commit()
    assert log == [*WRITE, *WAKE]
    log.clear()
    assert receiver.borrow(0) == PAYLOAD
    assert log == READ[:2]
    receiver.release()
    assert log == [*READ, *MAKE_WAY]


def test_a_batch_has_the_same_order_with_a_fence_before_its_commit_words(sides: Sides, log: list[str]) -> None:
    sender, receiver = sides
    assert sender.send_many(memoryview(PAYLOAD * 10), 64, 0) == 10
    assert log == ["load head", "load head", "fence", "store tail", *WAKE]
    log.clear()
    assert receiver.receive_many(BUFFER, 64, 0) == 10
    assert log == ["load tail", "load commit", "load tail", "store head", *MAKE_WAY]


def test_the_commit_words_of_a_batch_are_stored_after_the_fence(
    sides: Sides, log: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = sides[0]._ring.words

    def fence() -> None:
        log.append("payload is there" if PAYLOAD in bytes(words[DATA : DATA + 20]) else "no payload")
        log.append(f"commit {words[DATA]}")

    monkeypatch.setattr(ring_batch, "fence", fence)
    sides[0].send_many(memoryview(PAYLOAD * 10), 64, 0)
    assert log[2:4] == ["payload is there", "commit 0"]


def test_a_receiver_clears_its_flag_and_polls_behind_a_fence_before_it_sleeps(sides: Sides, log: list[str]) -> None:
    with pytest.raises(ReceiveTimeout):
        sides[1].receive_into(BUFFER, 0.001)
    first_sleep = log.index("sleep")
    assert log[:first_sleep] == ["load tail", "store awake", "fence", "load waits", "load tail"]
    assert log[-2:] == ["store awake", "load magic"]  # the latter: is it still a ring?


def test_a_sender_sets_its_flag_and_polls_behind_a_fence_before_it_sleeps(sides: Sides, log: list[str]) -> None:
    sender, _ = sides
    largest = memoryview(bytes(RING_BYTES // 2 - 4096))
    with suppress(ChannelFull):
        while True:
            log.clear()
            sender.send(largest, 0.001)
    assert log[: log.index("sleep")] == ["load head", *WAKE, "store waits", "fence", "load head"]


def test_a_ring_is_made_before_it_is_signed(log: list[str]) -> None:
    made = Ring(memoryview(bytearray(bytes_needed(64))))
    made.format()
    assert log == ["fence", "store magic"]
    log.clear()
    made.mark_closed()
    assert log == ["store closed"]
