"""Shared words in a file or in a POSIX object, which is a file too: mapped, or read and written, with flock(2) as lock.

The kernel frees flock(2) when its holder dies. A POSIX semaphore would stay taken for ever (sem_overview(7) knows no
owner). Each side also holds an owner lock, a lock of one byte by fcntl(2), so that one process at a time is this side:
several producers may append to a file, and one of them shares its words.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ipclab.building_blocks.kernel_objects import MODE, map_whole, open_error, take_room
from ipclab.contract.channel import Address
from ipclab.contract.errors import NOT_READY, AccessRefused, PeerAbsent, Unusable
from ipclab.contract.optional_parts import WORD_BYTES, Words
from ipclab.linux import file_lock
from ipclab.linux.atomics import atomic_words

_WORD = struct.Struct("=Q")
_CONSUMER_OWNER_LOCK, _PRODUCER_OWNER_LOCK = 0, 1


class _Locked:
    """A descriptor with its lock and its owner lock."""

    def __init__(self, what: str, descriptor: int) -> None:
        self._what = what
        self._descriptor = descriptor

    def try_lock(self) -> bool:
        try:
            return file_lock.try_lock(self._descriptor)
        except OSError as error:
            raise open_error(self._what, error) from error

    def unlock(self) -> None:
        file_lock.unlock(self._descriptor)

    def is_linked(self) -> bool:
        return os.fstat(self._descriptor).st_nlink > 0

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class MappedWords(_Locked):
    """Words in memory. A process that loads what was stored sees what was stored before, also without the lock."""

    def __init__(self, what: str, descriptor: int, count: int) -> None:
        super().__init__(what, descriptor)
        self._map = map_whole(what, descriptor, count * WORD_BYTES)
        self._words = atomic_words(memoryview(self._map))
        self.load: Callable[[int], int] = self._words.load_acquire
        self.store: Callable[[int, int], None] = self._words.store_release

    def close(self) -> None:
        self._words.release()
        with suppress(BufferError):
            self._map.close()
        super().close()


class FileWords(_Locked):
    """Words in a file: each load is a pread(2) and each store a pwrite(2)."""

    def __init__(self, what: str, descriptor: int, count: int) -> None:
        super().__init__(what, descriptor)
        take_room(what, descriptor, count * WORD_BYTES)

    def load(self, index: int, /) -> int:
        try:
            (value,) = _WORD.unpack(os.pread(self._descriptor, WORD_BYTES, index * WORD_BYTES))
        except (OSError, struct.error) as error:  # struct: another process shortened the file
            raise Unusable(f"{self._what}: {error}", code=errno.EIO) from error
        return int(value)

    def store(self, index: int, value: int, /) -> None:
        try:
            os.pwrite(self._descriptor, _WORD.pack(value), index * WORD_BYTES)
        except OSError as error:
            raise open_error(self._what, error) from error


def take(what: str, descriptor: int, count: int, make: Callable[[str, int, int], Words], *, creates: bool) -> Words:
    """The words behind `descriptor`. The call owns the descriptor, also when it fails.

    :raises ChannelError: there are none, not so many, or another process holds the owner lock of this side
    """
    try:
        _check_size(what, os.fstat(descriptor), count * WORD_BYTES, creates=creates)
        owner_lock = _CONSUMER_OWNER_LOCK if creates else _PRODUCER_OWNER_LOCK
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, owner_lock)
        except OSError as error:
            raise AccessRefused(f"{what}: this side is taken by another process", code=errno.EAGAIN) from error
        return make(what, descriptor, count)
    except BaseException:
        os.close(descriptor)
        raise


def _check_size(what: str, status: os.stat_result, size: int, *, creates: bool) -> None:
    if not stat.S_ISREG(status.st_mode) or status.st_size not in (0, size):
        raise Unusable(f"{what} is there and is none of ours; remove it", code=errno.EEXIST)
    if not status.st_size and not creates:
        raise PeerAbsent(f"{what} is empty: no consumer has made it yet", code=NOT_READY)


def path_of(path: Path) -> Path:
    """The path of the words of the channel at `path`."""
    return path.with_name(f"{path.name}.words")


def remove_words(path: Path) -> None:
    """Remove the words of the channel at `path`. Never raises."""
    with suppress(OSError):
        path_of(path).unlink()


class WordsInFile:
    """The shared words of a mechanism whose channel is a file: a second file beside it."""

    make_words: Callable[[str, int, int], Words]

    def create_words(self, address: Address, count: int) -> Words:
        return self._open(address, count, creates=True)

    def open_words(self, address: Address, count: int) -> Words:
        return self._open(address, count, creates=False)

    def _open(self, address: Address, count: int, *, creates: bool) -> Words:
        path = path_of(address.path)
        flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK | (os.O_CREAT if creates else 0)
        try:
            descriptor = os.open(path, flags, MODE)
        except OSError as error:
            raise open_error(f"file {path}", error) from error
        return take(f"file {path}", descriptor, count, type(self).make_words, creates=creates)
