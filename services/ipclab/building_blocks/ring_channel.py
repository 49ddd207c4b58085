"""A channel of a ring in shared memory and two notifiers: the common part of every shared-memory mechanism.

A mechanism provides the memory and the notifiers (`Shared`). The notifiers only wake a process: the words of the ring
say what the ring holds. A producer that is killed between its write and its notification costs one wake-up and no
message.

A notification may be a system call, so the sender notifies only a receiver that sleeps. An awake receiver has set
`RECEIVER_AWAKE` in the ring; before it sleeps it clears the word and polls the ring once more. A sender that finds the
word cleared sets it for the receiver and notifies, so one notification covers all records until the receiver sleeps
again. "Clear the word, then poll" on this side and "write the record, then read the word" on the other one need a fence
each (`ipclab.linux.atomics`): without it, each side may miss the store of the other, and the receiver sleeps beside a
record. A sender that waits for room is woken in the same way, by `SENDER_WAITS`. So a side sleeps until it is notified.
Either side notifies when it opens the ring, in case its predecessor died before it did. A receiver that spins
(`Wait.SPIN`) is always awake. It polls until its timeout, and its only system calls read the clock and yield the CPU.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, Self, TypeVar, TypeVarTuple

from ipclab.building_blocks.message_size import MAX_MESSAGE_BYTES
from ipclab.building_blocks.names import LosingName
from ipclab.building_blocks.ring import RECEIVER_AWAKE, SENDER_WAITS, Ring, bytes_needed
from ipclab.building_blocks.ring_batch import try_read_many, try_write_many
from ipclab.contract.channel import ClosingEndpoint, Tuning, Wait
from ipclab.contract.errors import (
    DAMAGED,
    EMPTY,
    FULL,
    NOT_READY,
    REMOVED,
    ChannelError,
    ChannelFull,
    PeerAbsent,
    PeerGone,
    ReceiveTimeout,
    TornMessage,
)
from ipclab.linux.atomics import fence

RING_BYTES = bytes_needed(MAX_MESSAGE_BYTES)
_POLLS_PER_CLOCK = 64

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")


class Notifier(Protocol):
    """Wakes the other process. Both calls raise `ChannelError` once the kernel object was removed."""

    def notify(self) -> None:
        """Wake the process that waits, or the next process that does."""

    def wait(self, timeout_s: float) -> bool:
        """Sleep until a notification, and take one; may return early. False after `timeout_s`."""


class Shared(Protocol):
    """The objects of a mechanism: memory that both processes map, and a notifier for each direction."""

    memory: memoryview
    data_ready: Notifier
    space_available: Notifier

    def is_linked(self) -> bool:
        """Can the next process still find the memory and the notifiers by their names?"""

    def close(self) -> None:
        """Close; the ring has released its views of the memory before. Idempotent."""

    def remove(self) -> None:
        """Remove the names, after `close`. Never raises."""


class _Endpoint(ClosingEndpoint):
    def __init__(self, shared: Shared, wait: Wait | None) -> None:
        self._shared = shared
        self._ring = Ring(shared.memory)
        self._load_acquire, self._store_release = self._ring.load_acquire, self._ring.store_release
        self._spins = wait is Wait.SPIN
        self._open = True

    def close(self) -> None:
        if self._open:
            self._open = False
            self._ring.close()  # no view may be left when the memory goes
            self._shared.close()

    def _is_linked(self) -> bool:
        """Can the next process open the ring: are its names there, and is it still a ring?

        A stranger that maps the memory can write over the words that no record changes. The two sides would go on, and
        a process that comes later would wait for ever.
        """
        return self._shared.is_linked() and self._ring.is_ready()

    def _gone(self) -> PeerGone:
        if self._shared.is_linked():
            return PeerGone("the header of the ring was overwritten", code=DAMAGED)
        return PeerGone("the shared memory or a semaphore of it was removed", code=REMOVED)


class RingSender(_Endpoint):
    """Writes records, and notifies the receiver."""

    def __init__(self, shared: Shared, wait: Wait | None = None) -> None:
        """Open the ring that a receiver made.

        :raises PeerAbsent: there is none in this memory
        """
        super().__init__(shared, wait)
        self._notify = shared.data_ready.notify
        self._try_write = self._ring.try_write
        try:
            if not self._ring.is_ready():
                raise PeerAbsent("the shared memory holds no ring yet", code=NOT_READY)
            self._notify()  # an earlier sender may have died between its write and its notification
        except ChannelError:
            self.close()
            raise

    def check_linked(self) -> None:
        """See `ipclab.contract.optional_parts.FoundByName`."""
        if not self._is_linked():
            raise self._gone()

    def send(self, payload: memoryview, timeout_s: float) -> None:
        if not self._try_write(payload):
            self._when_read(self._try_write, False, timeout_s, payload)
        self._wake()

    def loan(self, size: int, timeout_s: float = 0.0) -> memoryview:
        """See `ipclab.contract.optional_parts.LoanSender`."""
        loaned = self._ring.try_loan(size)
        return self._when_read(self._ring.try_loan, None, timeout_s, size) if loaned is None else loaned

    def commit(self, *, more: bool = False) -> None:
        """See `ipclab.contract.optional_parts.LoanSender`."""
        self._ring.commit()
        if not more:
            self._wake()

    def send_many(self, block: memoryview, size: int, timeout_s: float) -> int:
        """See `ipclab.contract.optional_parts`."""
        count = try_write_many(self._ring, block, size)
        if not count:
            self.send(block[:size], timeout_s)
            return 1
        self._wake()
        return count

    def _wake(self) -> None:
        fence()  # between the record and the word
        if not self._load_acquire(RECEIVER_AWAKE):
            self._store_release(RECEIVER_AWAKE, 1)
            try:
                self._notify()
            except ChannelError as error:
                error.may_be_delivered = True
                raise

    def _when_read(self, write: Callable[[*_Ts], _T | None], no_room: _T | None, timeout_s: float, *what: *_Ts) -> _T:
        """The first result of `write` that is not `no_room`, once the receiver has made room."""
        self._wake()  # it may sleep before records that were committed with `more`
        deadline = time.monotonic() + timeout_s
        if self._spins:
            result = _spin(write, no_room, deadline, *what)
        else:
            result = self._wait_for_room(write, no_room, deadline, *what)
        if result is no_room or result is None:
            self.check_linked()
            raise ChannelFull(f"the ring of {RING_BYTES} bytes is full", code=FULL)
        return result

    def _wait_for_room(
        self, write: Callable[[*_Ts], _T | None], no_room: _T | None, deadline: float, *what: *_Ts
    ) -> _T | None:
        while True:
            self._store_release(SENDER_WAITS, 1)
            fence()  # between the word and the poll
            result = write(*what)
            if result is not no_room:
                break
            left = deadline - time.monotonic()
            if left <= 0:
                return no_room
            self._shared.space_available.wait(left)
        self._store_release(SENDER_WAITS, 0)
        return result


class RingReceiver(_Endpoint):
    """Reads records; owns the memory and the notifiers."""

    def __init__(self, shared: Shared, wait: Wait | None = None) -> None:
        """Adopt the ring in this memory, or make one of whatever is there."""
        super().__init__(shared, wait)
        if not self._ring.is_sound():
            self._ring.format()
        self._store_release(RECEIVER_AWAKE, 1)  # before it first sleeps
        try:
            shared.space_available.notify()  # an earlier receiver may have died between its read and its notification
        except ChannelError:
            self.close()
            raise
        self._try_read_into = self._ring.try_read_into
        self._wait_for_record = shared.data_ready.wait
        self._slept = False
        self._losing = LosingName(self._is_linked, self._gone)

    def receive_into(self, buffer: memoryview, timeout_s: float) -> int:
        # A receiver that slept for the last message will most likely sleep for this one: then one poll suffices.
        length = None if self._slept else self._try_read_into(buffer)
        if length is None:
            length = self._when_written(self._try_read_into, timeout_s, buffer)
        self._make_way()
        return length

    def borrow(self, timeout_s: float) -> memoryview:
        """See `ipclab.contract.optional_parts.BorrowReceiver`."""
        borrowed = None if self._slept else self._ring.try_borrow()
        return self._when_written(self._ring.try_borrow, timeout_s) if borrowed is None else borrowed

    def release(self) -> None:
        """See `ipclab.contract.optional_parts.BorrowReceiver`."""
        self._ring.release()
        self._make_way()

    def receive_many(self, block: memoryview, size: int, timeout_s: float) -> int:
        """See `ipclab.contract.optional_parts`."""
        count = try_read_many(self._ring, block, size)
        if not count:
            length = self.receive_into(block[:size], timeout_s)
            if length != size:
                raise TornMessage(f"a message of {length} bytes among those of {size}", code=DAMAGED)
            return 1
        self._make_way()
        return count

    def _make_way(self) -> None:
        """Notify the sender if it waits for room."""
        fence()  # between what was read and the word
        if self._load_acquire(SENDER_WAITS):
            self._store_release(SENDER_WAITS, 0)
            self._shared.space_available.notify()

    def _when_written(self, read: Callable[[*_Ts], _T | None], timeout_s: float, *into: *_Ts) -> _T:
        """The first result of `read` that is not None."""
        if self._spins:
            result = _spin(read, None, time.monotonic() + timeout_s, *into)
        else:
            result = self._wait_for_data(read, timeout_s, *into)
        if result is None:
            raise self._losing.timed_out(ReceiveTimeout("the ring is empty", code=EMPTY))
        return result

    def _wait_for_data(self, read: Callable[[*_Ts], _T | None], timeout_s: float, *into: *_Ts) -> _T | None:
        store = self._store_release
        store(RECEIVER_AWAKE, 0)
        self._make_way()  # for a record that was dropped; its fence is also the one between the word and the poll
        result = read(*into)
        self._slept = result is None
        if result is None:
            deadline = time.monotonic() + timeout_s
            left = timeout_s
            while result is None and left > 0:
                if self._wait_for_record(left):
                    result = read(*into)  # the sender has set RECEIVER_AWAKE
                    if result is not None:
                        return result
                    store(RECEIVER_AWAKE, 0)
                    fence()
                result = read(*into)
                left = deadline - time.monotonic()
        store(RECEIVER_AWAKE, 1)
        return result

    def remove(self) -> None:
        if self._open:
            self._ring.mark_closed()
            with suppress(ChannelError):  # its semaphore was removed: nobody sleeps there
                self._shared.space_available.notify()  # a sender that waits for room finds the ring closed
            self.close()
        self._shared.remove()


def _spin(poll: Callable[[*_Ts], _T | None], nothing: _T | None, deadline: float, *arguments: *_Ts) -> _T | None:
    """The first result of `poll` that is not `nothing`, or `nothing` after `deadline`."""
    while True:
        for _ in range(_POLLS_PER_CLOCK):
            seen = poll(*arguments)
            if seen is not nothing:
                return seen
        if time.monotonic() >= deadline:
            return nothing
        os.sched_yield()


class RingMechanism:
    """A mechanism made of a ring, with the choice of how to wait."""

    def __init__(self, wait: Wait | None = None) -> None:
        self._wait = wait

    def tuned(self, tuning: Tuning) -> Self:
        return type(self)(tuning.wait)
