"""POSIX shared memory: a named object that both processes map, a ring in it, and two named semaphores to wait on.

Sources: shm_overview(7), sem_overview(7), shm_open(3), sem_open(3), posix_fallocate(3). The objects are files of the
tmpfs at /dev/shm, found through the mount and not through the IPC namespace (Docker's `ipc:` shares both). They live
until a process unlinks them. Unlike a System V segment, the memory counts against the size of that file system
(`shm_size`). A semaphore's timeout is a time of day (sem_timedwait(3)): a clock that is set back makes one wait longer.

The shared words of a pair are in an object of their own, locked by flock(2) on its descriptor.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

from ipclab.building_blocks.kernel_objects import MODE, map_whole, object_name, posix_opening
from ipclab.building_blocks.libraries import posix_ipc
from ipclab.building_blocks.names import Name
from ipclab.building_blocks.ring_channel import (
    RING_BYTES,
    Notifier,
    RingMechanism,
    RingReceiver,
    RingSender,
)
from ipclab.building_blocks.ring_traits import ring_traits
from ipclab.building_blocks.shared_words import MappedWords, take
from ipclab.contract.channel import Address, Fact, Persistence, Sharing
from ipclab.contract.errors import NOT_READY, PeerAbsent, Unusable
from ipclab.contract.optional_parts import Words


class WordsInObject:
    """The shared words of a mechanism whose channel is a POSIX object: a second object beside it."""

    def create_words(self, address: Address, count: int) -> Words:
        return _open_words(address, count, posix_ipc.O_CREAT)

    def open_words(self, address: Address, count: int) -> Words:
        return _open_words(address, count, 0)


def _name(channel: str) -> str:
    return f"{channel}.words"


def _open_words(address: Address, count: int, flags: int) -> Words:
    name = _name(object_name(address))
    with posix_opening("shared words", name):
        descriptor = int(posix_ipc.SharedMemory(name, flags, mode=MODE).fd)
    return take(f"shared words {name}", descriptor, count, MappedWords, creates=bool(flags))


def remove_words(channel: str) -> None:
    """Take the words of the channel called so away. Never raises."""
    with suppress(posix_ipc.Error, OSError):
        posix_ipc.unlink_shared_memory(_name(channel))


_WHAT = "shared memory"
_DIRECTORY = Path("/dev/shm")  # shm_overview(7); a semaphore's file is called "sem." and its name, sem_overview(7)


class _SemaphoreNotifier:
    """A named semaphore."""

    def __init__(self, semaphore: posix_ipc.Semaphore) -> None:
        self._semaphore = semaphore

    def notify(self) -> None:
        try:  # noqa: SIM105 - suppress() would cost several times what the call does
            self._semaphore.release()
        except OSError:  # EOVERFLOW, at SEM_VALUE_MAX already: it cannot be missed
            pass

    def wait(self, timeout_s: float) -> bool:
        try:
            self._semaphore.acquire(timeout_s)
        except posix_ipc.BusyError:
            return False
        except posix_ipc.SignalError:  # poll again
            return True
        return True


class _Object:
    """A shared memory object and its semaphores, mapped and open."""

    def __init__(self, name: str, descriptor: int, flags: int) -> None:
        """Take over `descriptor`, also when this fails."""
        self._name = name
        self._descriptor = descriptor
        self._semaphores: list[posix_ipc.Semaphore] = []
        self._names = [Name.opened(_DIRECTORY / name[1:], descriptor)]
        try:
            self._map = map_whole(f"{_WHAT} {name}", descriptor, RING_BYTES)
            for semaphore_name in _semaphore_names(name):
                with posix_opening("semaphore", semaphore_name):
                    self._semaphores.append(posix_ipc.Semaphore(semaphore_name, flags, mode=MODE))
                    self._names.append(Name.of(_DIRECTORY / f"sem.{semaphore_name[1:]}"))
        except BaseException:
            self._release()
            raise
        self.memory = memoryview(self._map)
        self.data_ready: Notifier = _SemaphoreNotifier(self._semaphores[0])
        self.space_available: Notifier = _SemaphoreNotifier(self._semaphores[1])

    def is_linked(self) -> bool:
        return all(name.is_linked() for name in self._names)

    def close(self) -> None:
        self.memory.release()
        with suppress(BufferError):  # a slice outlives its loan or borrow: the last one unmaps the memory
            self._map.close()
        self._release()

    def _release(self) -> None:
        os.close(self._descriptor)
        for semaphore in self._semaphores:
            semaphore.close()

    def remove(self) -> None:
        _unlink(self._name)


def _semaphore_names(name: str) -> tuple[str, str]:
    return f"{name}.record", f"{name}.room"


def _unlink(name: str) -> None:
    """Take the names of the object and its semaphores away, those that there are."""
    with suppress(posix_ipc.Error, OSError):
        posix_ipc.unlink_shared_memory(name)
    remove_words(name)
    for semaphore_name in _semaphore_names(name):
        with suppress(posix_ipc.Error, OSError):
            posix_ipc.unlink_semaphore(semaphore_name)


class PosixShm(WordsInObject, RingMechanism):
    """See the module."""

    traits = ring_traits(
        kind="shm_overview(7)",
        persistence=Fact(Persistence.KERNEL, "shm_overview(7), Persistence"),
        requires=Fact(frozenset({Sharing.DEV_SHM}), "shm_overview(7), sem_overview(7), mount_namespaces(7)"),
        waits="sem_wait(3)",
        errnos="shm_open(3), sem_post(3)",
        man_page="shm_overview(7)",
    )

    def create_receiver(self, address: Address) -> RingReceiver:
        name = object_name(address)
        made = _open(name, posix_ipc.O_CREAT)
        if os.fstat(made).st_size not in (0, RING_BYTES):  # a leftover that was never ours
            os.close(made)
            _unlink(name)
            made = _open(name, posix_ipc.O_CREAT)
        fresh = os.fstat(made).st_size == 0
        try:
            return RingReceiver(_Object(name, made, posix_ipc.O_CREAT), self._wait)
        except BaseException:
            if fresh:
                _unlink(name)
            raise

    def open_sender(self, address: Address) -> RingSender:
        name = object_name(address)
        descriptor = _open(name, 0)
        if os.fstat(descriptor).st_size != RING_BYTES:
            os.close(descriptor)
            raise PeerAbsent(f"{_WHAT} {name} is not a ring", code=NOT_READY)
        return RingSender(_Object(name, descriptor, 0), self._wait)


def _open(name: str, flags: int) -> int:
    if not posix_ipc.SEMAPHORE_TIMEOUT_SUPPORTED:  # every wait would be for ever
        raise Unusable("posix_ipc was built without sem_timedwait", code=errno.ENOSYS)
    with posix_opening(_WHAT, name):
        return int(posix_ipc.SharedMemory(name, flags, mode=MODE).fd)


MECHANISM = PosixShm()
