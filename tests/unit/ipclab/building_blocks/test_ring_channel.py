"""Which side notifies and which side sleeps, with a ring and semaphores in memory of our own."""

from __future__ import annotations

import mmap
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from ipclab.building_blocks.message_size import MAX_MESSAGE_BYTES
from ipclab.building_blocks.ring import DATA, HEADER_BYTES, RECEIVER_AWAKE, SENDER_WAITS
from ipclab.building_blocks.ring_channel import RING_BYTES, Notifier, RingReceiver, RingSender
from ipclab.contract.channel import Wait
from ipclab.contract.errors import ChannelFull, PeerGone, ReceiveTimeout, TornMessage
from ipclab.linux.semaphore import SEMAPHORE_BYTES, PsharedSemaphore

TIMEOUT_S = 20.0
SOON_S = 5.0  # far below the timeout


class CountingNotifier:
    """A semaphore, and how often it was notified and waited on in this process. `before_wait` is done first."""

    def __init__(self, memory: memoryview, *, fresh: bool) -> None:
        self._semaphore = PsharedSemaphore(memory, fresh=fresh)
        self.notifications = self.waits = 0
        self.before_wait: Callable[[], None] | None = None

    def notify(self) -> None:
        self.notifications += 1
        self._semaphore.notify()

    def wait(self, timeout_s: float) -> bool:
        self.waits += 1
        if self.before_wait:
            self.before_wait()
        return self._semaphore.wait(timeout_s)


class Shared:
    """What one side has of the memory."""

    def __init__(self, memory: mmap.mmap, *, fresh: bool) -> None:
        whole = memoryview(memory)
        self.memory = whole[2 * SEMAPHORE_BYTES :]
        self.data_ready: Notifier = CountingNotifier(whole[:SEMAPHORE_BYTES], fresh=fresh)
        self.space_available: Notifier = CountingNotifier(whole[SEMAPHORE_BYTES : 2 * SEMAPHORE_BYTES], fresh=fresh)

    def is_linked(self) -> bool:
        return True

    def close(self) -> None:
        self.memory.release()

    def remove(self) -> None:
        self.close()


@pytest.fixture
def memory() -> mmap.mmap:
    """Shared with whoever is forked."""
    return mmap.mmap(-1, RING_BYTES + 2 * SEMAPHORE_BYTES)


@pytest.fixture
def receiver(memory: mmap.mmap) -> Iterator[RingReceiver]:
    with RingReceiver(Shared(memory, fresh=True)) as receiver:
        yield receiver


@pytest.fixture
def sender(memory: mmap.mmap, receiver: RingReceiver) -> Iterator[RingSender]:
    del receiver  # must be there first
    with RingSender(Shared(memory, fresh=False)) as sender:
        notifier_of(sender).notifications = 0  # one for whatever an earlier sender left
        yield sender


def notifier_of(side: RingSender | RingReceiver) -> CountingNotifier:
    notifier = side._shared.data_ready
    assert isinstance(notifier, CountingNotifier)
    return notifier


def space_notifier_of(sender: RingSender) -> CountingNotifier:
    notifier = sender._shared.space_available
    assert isinstance(notifier, CountingNotifier)
    while notifier.wait(0):  # what was notified before
        pass
    notifier.waits = 0
    return notifier


def fill(sender: RingSender) -> None:
    """No room is left for another message of this size."""
    with suppress(ChannelFull):
        while True:
            sender.send(memoryview(bytes(MAX_MESSAGE_BYTES)), 0)


def receive_all(receiver: RingReceiver) -> None:
    buffer = memoryview(bytearray(MAX_MESSAGE_BYTES))
    with suppress(ReceiveTimeout):
        while True:
            receiver.receive_into(buffer, 0)


def receive(receiver: RingReceiver, timeout_s: float = TIMEOUT_S) -> bytes:
    buffer = memoryview(bytearray(100))
    return bytes(buffer[: receiver.receive_into(buffer, timeout_s)])


def test_a_receiver_that_is_awake_is_not_rung_for(sender: RingSender, receiver: RingReceiver) -> None:
    for number in range(100):
        sender.send(memoryview(b"%d" % number), TIMEOUT_S)
    assert [receive(receiver) for _ in range(100)] == [b"%d" % number for number in range(100)]
    assert (notifier_of(sender).notifications, notifier_of(receiver).waits) == (0, 0)


def test_one_ring_wakes_for_all_records_until_the_receiver_sleeps_again(memory: mmap.mmap, sender: RingSender) -> None:
    words = sender._ring.words
    words[RECEIVER_AWAKE] = 0  # as one that sleeps leaves it
    for _ in range(100):
        sender.send(memoryview(b"x"), TIMEOUT_S)
    assert notifier_of(sender).notifications == 1
    assert words[RECEIVER_AWAKE] == 1
    del memory


def test_the_commits_of_a_burst_are_rung_for_once_at_its_end(sender: RingSender) -> None:
    sender._ring.words[RECEIVER_AWAKE] = 0
    for number in range(5):
        sender.loan(8)[:] = bytes([number]) * 8
        sender.commit(more=number < 4)
        assert notifier_of(sender).notifications == (number == 4)


def test_a_burst_that_finds_no_room_rings_before_it_waits(sender: RingSender) -> None:
    sender._ring.words[RECEIVER_AWAKE] = 0
    committed = 0
    with suppress(ChannelFull):
        while True:
            sender.loan(MAX_MESSAGE_BYTES // 4)
            sender.commit(more=True)
            committed += 1
    assert committed > 1
    assert notifier_of(sender).notifications == 1


def test_a_receiver_asleep_is_woken(memory: mmap.mmap, sender: RingSender, receiver: RingReceiver) -> None:
    pid = os.fork()
    if not pid:
        began = time.monotonic()
        good = receive(receiver) == b"here" and time.monotonic() - began < SOON_S
        os._exit(0 if good else 1)
    give_up = time.monotonic() + TIMEOUT_S
    while sender._ring.words[RECEIVER_AWAKE]:
        assert time.monotonic() < give_up
    sender.send(memoryview(b"here"), TIMEOUT_S)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert notifier_of(sender).notifications == 1
    del memory


def test_a_ring_for_nothing_does_not_end_the_wait_early(receiver: RingReceiver, sender: RingSender) -> None:
    notifier_of(sender).notify()
    began = time.monotonic()
    with pytest.raises(ReceiveTimeout):
        receive(receiver, 0.1)
    assert time.monotonic() - began >= 0.1


def test_a_receiver_sleeps_once_until_it_is_notified(receiver: RingReceiver) -> None:
    with pytest.raises(ReceiveTimeout):
        receive(receiver, 0.2)
    assert notifier_of(receiver).waits == 1


def test_a_sender_that_waits_for_room_sleeps_once_and_finds_the_room_that_an_early_wake_up_did_not_tell(
    memory: mmap.mmap, sender: RingSender, receiver: RingReceiver
) -> None:
    del memory
    fill(sender)
    space = space_notifier_of(sender)
    space.waits = 0
    space.before_wait = lambda: receive_all(receiver)
    began = time.monotonic()
    sender.send(memoryview(bytes(MAX_MESSAGE_BYTES)), TIMEOUT_S)
    assert time.monotonic() - began < SOON_S
    assert space.waits == 1


def test_a_sender_is_woken_by_a_receiver_that_takes_over_and_by_one_that_removes_the_ring(
    memory: mmap.mmap, sender: RingSender, receiver: RingReceiver
) -> None:
    fill(sender)
    space = space_notifier_of(sender)

    def receiver_dies_before_it_notifies_and_another_one_takes_over() -> None:
        space.before_wait = receiver.remove
        sender._ring.store_release(SENDER_WAITS, 0)
        RingReceiver(Shared(memory, fresh=False)).close()

    space.before_wait = receiver_dies_before_it_notifies_and_another_one_takes_over
    began = time.monotonic()
    with pytest.raises(PeerGone):
        sender.send(memoryview(bytes(MAX_MESSAGE_BYTES)), TIMEOUT_S)
    assert time.monotonic() - began < SOON_S


def test_a_receiver_that_spins_is_never_rung_for_and_never_sleeps(memory: mmap.mmap) -> None:
    with RingReceiver(Shared(memory, fresh=True), Wait.SPIN) as receiver:
        with pytest.raises(ReceiveTimeout):
            receive(receiver, 0.01)
        with RingSender(Shared(memory, fresh=False)) as sender:
            notifier_of(sender).notifications = 0
            sender.send(memoryview(b"x"), TIMEOUT_S)
            assert receive(receiver) == b"x"
            assert (notifier_of(sender).notifications, notifier_of(receiver).waits) == (0, 0)


def test_a_batch_is_rung_for_once_and_makes_room_for_a_sender_that_waits(
    sender: RingSender, receiver: RingReceiver
) -> None:
    words = sender._ring.words
    words[RECEIVER_AWAKE] = 0
    block = memoryview(bytes(range(64)) * 100)
    assert sender.send_many(block, 64, TIMEOUT_S) == 100
    assert notifier_of(sender).notifications == 1
    words[SENDER_WAITS] = 1
    arrived = memoryview(bytearray(len(block)))
    assert receiver.receive_many(arrived, 64, TIMEOUT_S) == 100
    assert arrived == block
    assert not words[SENDER_WAITS]
    with pytest.raises(ReceiveTimeout):
        receiver.receive_many(arrived, 64, 0.01)


def test_a_batch_that_finds_no_room_waits_and_says_so(sender: RingSender) -> None:
    block = memoryview(bytes(64 * 256))
    room = (RING_BYTES - HEADER_BYTES) // 72
    assert sum(sender.send_many(block, 64, 0.01) for _ in range(room // 256)) == room // 256 * 256
    assert sender.send_many(block, 64, 0.01) == room % 256
    with pytest.raises(ChannelFull):
        sender.send_many(block, 64, 0.01)


def test_a_receiver_that_drops_a_damaged_ring_wakes_the_sender_that_waits_for_room(
    sender: RingSender, receiver: RingReceiver
) -> None:
    fill(sender)
    space = space_notifier_of(sender)
    sender._ring.words[DATA] ^= 1 << 40

    def drop_everything() -> None:
        space.before_wait = None
        with pytest.raises(TornMessage):
            receive(receiver, 0)
        with pytest.raises(ReceiveTimeout):
            receive(receiver, 0)

    space.before_wait = drop_everything
    began = time.monotonic()
    sender.send(memoryview(bytes(MAX_MESSAGE_BYTES)), TIMEOUT_S)
    assert time.monotonic() - began < SOON_S
