"""A file that both processes map: a ring in it, and two semaphores beside the ring to wait on.

Sources: mmap(2), posix_fallocate(3), sem_overview(7). Nothing but the file is shared, so it works between
containers with private IPC namespaces that have a volume in common. Both map the same pages of the page
cache: no copy passes through the kernel, and the file is not read or written. What is in the ring is still
there after both processes ended, and as safe as the file system is.

The file is [our magic word][a semaphore for records][one for room][the ring].
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

from ipclab.building_blocks.kernel_objects import MODE, map_whole, open_error
from ipclab.building_blocks.names import Name
from ipclab.building_blocks.ring import Ring
from ipclab.building_blocks.ring_channel import (
    RING_BYTES,
    Notifier,
    RingMechanism,
    RingReceiver,
    RingSender,
)
from ipclab.building_blocks.ring_traits import ring_traits
from ipclab.building_blocks.shared_words import MappedWords, WordsInFile, remove_words
from ipclab.contract.channel import Address, Fact, Persistence, Sharing
from ipclab.contract.errors import NOT_READY, PeerAbsent, Unusable
from ipclab.linux.semaphore import SEMAPHORE_BYTES, PsharedSemaphore

_MAGIC = b"IPCMMAP1"
DATA_READY_AT, SPACE_AVAILABLE_AT, _RING_AT = (SEMAPHORE_BYTES * n for n in (1, 2, 3))
FILE_BYTES = _RING_AT + RING_BYTES
_FLAGS = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


class _MappedFile:
    """The file, mapped."""

    def __init__(self, path: Path, descriptor: int, *, repair: bool) -> None:
        """Take over `descriptor`, also when this fails. Without a sound ring, `repair` makes new notifiers."""
        self._path = path
        self._descriptor = descriptor
        self._name = Name.opened(path, descriptor)
        try:
            self._map = map_whole(f"file {path}", descriptor, FILE_BYTES)
        except BaseException:
            os.close(descriptor)
            raise
        whole = memoryview(self._map)
        fresh = repair and not _holds_a_ring(whole[_RING_AT:])
        self.memory = whole[_RING_AT:]
        self.data_ready: Notifier = PsharedSemaphore(whole[DATA_READY_AT:SPACE_AVAILABLE_AT], fresh=fresh)
        self.space_available: Notifier = PsharedSemaphore(whole[SPACE_AVAILABLE_AT:_RING_AT], fresh=fresh)

    def is_linked(self) -> bool:
        return self._name.is_linked()

    def close(self) -> None:
        self.memory.release()
        with suppress(BufferError):  # a slice outlives its loan or borrow: the last one unmaps the memory
            self._map.close()
        os.close(self._descriptor)

    def remove(self) -> None:
        with suppress(OSError):
            self._path.unlink()
        remove_words(self._path)


def _holds_a_ring(memory: memoryview) -> bool:
    ring = Ring(memory)
    try:
        return ring.is_sound()
    finally:
        ring.close()


class MmapFile(WordsInFile, RingMechanism):
    """See the module."""

    make_words = MappedWords
    traits = ring_traits(
        kind="mmap(2), MAP_SHARED",
        persistence=Fact(Persistence.FILESYSTEM, "mmap(2), MAP_SHARED"),
        requires=Fact(frozenset({Sharing.VOLUME}), "mmap(2), MAP_SHARED"),
        waits="sem_init(3), pshared",
        errnos="open(2), mmap(2)",
        man_page="mmap(2)",
    )

    def create_receiver(self, address: Address) -> RingReceiver:
        path = address.path
        descriptor = _open(path, os.O_CREAT)
        size = os.fstat(descriptor).st_size
        if size not in (0, len(_MAGIC), FILE_BYTES):  # ours, of another layout
            os.close(descriptor)
            with suppress(OSError):
                path.unlink()
            descriptor = _open(path, os.O_CREAT)
            size = 0
        try:
            if size < len(_MAGIC):
                _sign(path, descriptor)
            return RingReceiver(_MappedFile(path, descriptor, repair=True), self._wait)
        except Unusable:
            if size < FILE_BYTES:
                path.unlink(missing_ok=True)
            raise

    def open_sender(self, address: Address) -> RingSender:
        path = address.path
        descriptor = _open(path, 0)
        if os.fstat(descriptor).st_size != FILE_BYTES:
            os.close(descriptor)
            raise PeerAbsent(f"{path} holds no ring yet", code=NOT_READY)
        return RingSender(_MappedFile(path, descriptor, repair=False), self._wait)


def _sign(path: Path, descriptor: int) -> None:
    """Write the magic word, before anything else, so that a file whose maker was killed is known as ours."""
    try:
        os.pwrite(descriptor, _MAGIC, 0)
    except OSError as error:
        os.close(descriptor)
        raise open_error(f"file {path}", error) from error


def _open(path: Path, flags: int) -> int:
    """Open the file, which is ours: signed, or empty.

    :raises Unusable: it is a file of another program
    """
    try:
        descriptor = os.open(path, _FLAGS | flags, MODE)
    except OSError as error:
        raise open_error(f"file {path}", error) from error
    ours = stat.S_ISREG(os.fstat(descriptor).st_mode) and os.pread(descriptor, len(_MAGIC), 0) in (b"", _MAGIC)
    if not ours:
        os.close(descriptor)
        raise Unusable(f"{path} is there and is not ours; remove it", code=errno.EEXIST)
    return descriptor


MECHANISM = MmapFile()
