"""Shared words in a System V segment of their own, and the semaphore that is their lock (semop(2), SEM_UNDO).

With SEM_UNDO the kernel takes back what a process did to the semaphore when that process ends, however it ends.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from contextlib import suppress

from ipclab.building_blocks.kernel_objects import MODE, gone, sysv_opening
from ipclab.building_blocks.libraries import sysv_ipc
from ipclab.contract.errors import ChannelError, PeerAbsent, Unusable
from ipclab.contract.optional import WORD_BYTES

_WORDS = "shared words"
_GONE = (sysv_ipc.ExistentialError, sysv_ipc.PermissionsError, OSError)


class SysvWords:
    """See `ipclab.contract.optional.Words`."""

    def __init__(self, segment_key: int, semaphore_key: int, count: int, *, creates: bool) -> None:
        """Make or adopt the two, or open them.

        :raises ChannelError: see `ipclab.contract.optional.SharesWords`
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
        self._words = memoryview(segment).cast("B")[: count * WORD_BYTES].cast("Q")
        self.load: Callable[[int], int] = self._words.__getitem__
        self.store: Callable[[int, int], None] = self._words.__setitem__

    def try_lock(self) -> bool:
        try:
            self._semaphore.acquire(0)
        except (sysv_ipc.BusyError, InterruptedError):
            return False
        except _GONE as error:
            raise gone(_WORDS, self._semaphore.key, error) from error
        except sysv_ipc.Error:  # "Signaled while waiting"
            return False
        return True

    def unlock(self) -> None:
        try:
            self._semaphore.release()
        except _GONE as error:
            raise gone(_WORDS, self._semaphore.key, error) from error

    def is_linked(self) -> bool:
        try:
            return bool(self._semaphore.value >= 0)
        except _GONE:
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
                raise PeerAbsent(f"semaphore {key:#x} is not ready yet", code=errno.ENOENT)
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
    with suppress(*_GONE):
        sysv_ipc.Semaphore(semaphore_key).remove()
    with suppress(*_GONE):
        segment = sysv_ipc.SharedMemory(segment_key)
        segment.remove()
        segment.detach()  # a dropped handle would keep it
