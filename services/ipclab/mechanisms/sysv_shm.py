"""System V shared memory: one segment that both processes map, a ring in it, and two semaphores to wait on.

Sources: shmget(2), shmop(2), semop(2), sysvipc(7). No copy passes through the kernel; the kernel only makes a side
wait. The ring and its waits are in `ipclab.building_blocks.ring_channel`. This module has the segment, which lives
until a process removes it, and the semaphores of its notifiers.

The shared words of a pair are in a segment of their own, with a semaphore as lock (semop(2), SEM_UNDO). The kernel
undoes the operations of a process on this semaphore when the process ends, for whatever reason.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable
from contextlib import suppress

from ipclab.building_blocks.kernel_objects import (
    MODE,
    SYSV_OBJECT_ERRORS,
    is_removed,
    removed_error,
    require_semaphore_timeouts,
    sysv_opening,
)
from ipclab.building_blocks.libraries import sysv_ipc
from ipclab.building_blocks.ring_channel import (
    RING_BYTES,
    Notifier,
    RingMechanism,
    RingReceiver,
    RingSender,
)
from ipclab.building_blocks.ring_traits import ring_traits
from ipclab.contract.channel import Address, Fact, Persistence, Sharing
from ipclab.contract.errors import NOT_READY, ChannelError, PeerAbsent, Unusable
from ipclab.contract.optional_parts import WORD_BYTES, Words
from ipclab.linux.atomics import atomic_words

_WORDS = "shared words"


class SysvWords:
    """See `ipclab.contract.optional_parts.Words`."""

    def __init__(self, segment_key: int, semaphore_key: int, count: int, *, creates: bool) -> None:
        """Make or adopt the two, or open them.

        :raises ChannelError: see `ipclab.contract.optional_parts.SharesWords`
        """
        flags = sysv_ipc.IPC_CREAT if creates else 0
        with sysv_opening(_WORDS, segment_key):
            size = count * WORD_BYTES if creates else 0
            segment = sysv_ipc.SharedMemory(segment_key, flags, mode=MODE, size=size, init_character=b"\0")
        try:
            if segment.size < count * WORD_BYTES:
                raise Unusable(f"{_WORDS} {segment_key:#x} is there and is none of ours; remove it", code=errno.EEXIST)
            self._semaphore = _lock(semaphore_key, creates=creates)
        except ChannelError:
            segment.detach()
            raise
        self._segment = segment
        self._words = atomic_words(memoryview(segment).cast("B")[: count * WORD_BYTES])
        self.load: Callable[[int], int] = self._words.load_acquire
        self.store: Callable[[int, int], None] = self._words.store_release

    def try_lock(self) -> bool:
        try:
            self._semaphore.acquire(0)
        except (sysv_ipc.BusyError, InterruptedError):
            return False
        except SYSV_OBJECT_ERRORS as error:
            raise removed_error(_WORDS, self._semaphore.key, error) from error
        except sysv_ipc.Error:  # "Signaled while waiting"
            return False
        return True

    def unlock(self) -> None:
        try:
            self._semaphore.release()
        except SYSV_OBJECT_ERRORS as error:
            raise removed_error(_WORDS, self._semaphore.key, error) from error

    def is_linked(self) -> bool:
        try:
            return not is_removed(self._segment) and self._semaphore.value >= 0
        except SYSV_OBJECT_ERRORS:
            return False

    def close(self) -> None:
        self._words.release()
        with suppress(sysv_ipc.Error):  # it is detached already
            self._segment.detach()


def _lock(key: int, *, creates: bool) -> sysv_ipc.Semaphore:
    """The semaphore: 1 is free, 0 is taken; 0 and never used is one whose maker died before it was ready."""
    with sysv_opening("semaphore", key):
        semaphore = _open_or_make(key) if creates else sysv_ipc.Semaphore(key)
        if not semaphore.value and not semaphore.o_time:
            if not creates:
                raise PeerAbsent(f"semaphore {key:#x} is not ready yet", code=NOT_READY)
            semaphore.value = 1
    semaphore.undo = True
    return semaphore


def _open_or_make(key: int) -> sysv_ipc.Semaphore:
    """IPC_CREAT alone would not do: with it `sysv_ipc` sets the value of a semaphore that is there, too."""
    try:
        return sysv_ipc.Semaphore(key)
    except sysv_ipc.ExistentialError:
        return sysv_ipc.Semaphore(key, sysv_ipc.IPC_CREX, mode=MODE, initial_value=1)


def remove_words(segment_key: int, semaphore_key: int) -> None:
    """Take the two away. Never raises."""
    with suppress(*SYSV_OBJECT_ERRORS):
        sysv_ipc.Semaphore(semaphore_key).remove()
    with suppress(*SYSV_OBJECT_ERRORS):
        segment = sysv_ipc.SharedMemory(segment_key)
        segment.remove()
        segment.detach()  # a dropped handle would keep it


_WHAT = "shared memory segment"


def _neighbour(key: int, distance: int = 1) -> int:
    """The key of what belongs to it: one of the next, and of those before at the end of the range."""
    return key + distance if key <= 2**31 - 1 - distance else key - distance


def _words_keys(key: int) -> tuple[int, int]:
    """Of the segment of the shared words, and of the semaphore that is their lock."""
    return _neighbour(key), _neighbour(key, 2)


def lock_key(key: int) -> int:
    """The key of the semaphore that is the lock of the shared words of the channel with `key`."""
    return _words_keys(key)[1]


class _SemaphoreNotifier:
    """A System V semaphore."""

    def __init__(self, semaphore: sysv_ipc.Semaphore) -> None:
        self._semaphore = semaphore

    def notify(self) -> None:
        try:
            self._semaphore.release()
        except ValueError:  # at SEMVMX already: it cannot be missed
            pass
        except SYSV_OBJECT_ERRORS as error:
            raise removed_error(_WHAT, self._semaphore.key, error) from error

    def wait(self, timeout_s: float) -> bool:
        try:
            self._semaphore.acquire(timeout_s)
        except sysv_ipc.BusyError:
            return False
        except SYSV_OBJECT_ERRORS as error:
            raise removed_error(_WHAT, self._semaphore.key, error) from error
        except sysv_ipc.Error:  # "Signaled while waiting": poll again
            return True
        return True


_REFERENCES_WITHOUT_A_VIEW = 2  # the attribute, and the argument of sys.getrefcount


class _Segment:
    """A segment and its semaphores, attached."""

    def __init__(self, segment: sysv_ipc.SharedMemory, semaphores: list[sysv_ipc.Semaphore]) -> None:
        self._segment = segment
        self._semaphores = semaphores
        self.memory = memoryview(segment)
        self.data_ready: Notifier = _SemaphoreNotifier(semaphores[0])
        self.space_available: Notifier = _SemaphoreNotifier(semaphores[1])

    def is_linked(self) -> bool:
        try:
            return not is_removed(self._segment) and all(semaphore.value >= 0 for semaphore in self._semaphores)
        except SYSV_OBJECT_ERRORS:
            return False

    def close(self) -> None:
        self.memory.release()
        # A slice that outlives its loan or borrow refers to the segment. After shmdt(2), which sysv_ipc does
        # not refuse, a read of the slice would be a SIGSEGV: the segment stays attached until the process ends.
        if sys.getrefcount(self._segment) <= _REFERENCES_WITHOUT_A_VIEW:
            self._segment.detach()

    def remove(self) -> None:
        for thing in (self._segment, *self._semaphores):
            with suppress(*SYSV_OBJECT_ERRORS):
                thing.remove()
        remove_words(*_words_keys(self._segment.key))


class SysvShm(RingMechanism):
    """See the module."""

    traits = ring_traits(
        kind="shmget(2), shmop(2)",
        persistence=Fact(Persistence.KERNEL, "shmctl(2), IPC_RMID"),
        requires=Fact(frozenset({Sharing.IPC_NAMESPACE}), "ipc_namespaces(7)"),
        waits="semop(2)",
        errnos="shmget(2), semop(2)",
        kernel_errnos=("EIDRM", "ENOENT"),
        man_page="sysvipc(7)",
    )

    def create_receiver(self, address: Address) -> RingReceiver:
        require_semaphore_timeouts()
        key = address.key
        self._discard_if_damaged(key)
        with sysv_opening(_WHAT, key):
            segment = sysv_ipc.SharedMemory(key, sysv_ipc.IPC_CREAT, mode=MODE, size=RING_BYTES)
        return RingReceiver(self._with_semaphores(segment, key, sysv_ipc.IPC_CREAT), self._wait)

    def open_sender(self, address: Address) -> RingSender:
        require_semaphore_timeouts()
        key = address.key
        with sysv_opening(_WHAT, key):
            segment = sysv_ipc.SharedMemory(key)
        if segment.size < RING_BYTES:
            segment.detach()
            raise PeerAbsent(f"{_WHAT} {key:#x} is not a ring", code=NOT_READY)
        return RingSender(self._with_semaphores(segment, key, 0), self._wait)

    def create_words(self, address: Address, count: int) -> Words:
        return SysvWords(*_words_keys(address.key), count, creates=True)

    def open_words(self, address: Address, count: int) -> Words:
        return SysvWords(*_words_keys(address.key), count, creates=False)

    @staticmethod
    def _with_semaphores(segment: sysv_ipc.SharedMemory, key: int, flags: int) -> _Segment:
        try:
            with sysv_opening("semaphore", key):
                return _Segment(segment, [sysv_ipc.Semaphore(k, flags, mode=MODE) for k in (key, _neighbour(key))])
        except BaseException:
            segment.detach()
            raise

    @staticmethod
    def _discard_if_damaged(key: int) -> None:
        """Remove a leftover of another size, which shmget(2) would refuse with EINVAL."""
        with suppress(sysv_ipc.ExistentialError, sysv_ipc.PermissionsError):
            leftover = sysv_ipc.SharedMemory(key)
            size = leftover.size
            leftover.detach()
            if size != RING_BYTES:
                leftover.remove()


MECHANISM = SysvShm()
