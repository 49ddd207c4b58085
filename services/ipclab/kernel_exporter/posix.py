"""The POSIX objects of this IPC namespace: files of two file systems, /dev/shm and /dev/mqueue.

Sources: shm_overview(7), sem_overview(7), mq_overview(7), statvfs(3). Names, owners and sizes are public. The kernel
shows a semaphore's value and a queue's depth only to a process that may open the object; otherwise they are None. The
number of processes that map an object is not visible.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ipclab.building_blocks.libraries import posix_ipc

DEV_SHM = Path("/dev/shm")
DEV_MQUEUE = Path("/dev/mqueue")
_SEMAPHORE = "sem."  # sem_overview(7)
_NOT_TOLD = (posix_ipc.Error, OSError, ValueError)


@dataclass(frozen=True, slots=True)
class SharedObject:
    """Shared memory."""

    name: str
    uid: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Queue:
    """A message queue; it is full at `limit_messages` (mq_maxmsg)."""

    name: str
    uid: int
    bytes: int | None
    messages: int | None
    limit_messages: int | None


@dataclass(frozen=True, slots=True)
class Semaphore:
    """A named semaphore."""

    name: str
    uid: int
    value: int | None


PosixObject = SharedObject | Queue | Semaphore


@dataclass(frozen=True, slots=True)
class Space:
    """Of a file system."""

    used_bytes: int
    limit_bytes: int


def shared_objects(directory: Path = DEV_SHM) -> list[SharedObject]:
    """Every shared memory object; semaphores are files there as well, and left out."""
    return [
        SharedObject(f"/{name}", status.st_uid, status.st_size)
        for name, status in _files(directory)
        if not name.startswith(_SEMAPHORE)
    ]


def semaphores(directory: Path = DEV_SHM) -> list[Semaphore]:
    """Every named semaphore."""
    names = ((name.removeprefix(_SEMAPHORE), s) for name, s in _files(directory) if name.startswith(_SEMAPHORE))
    return [Semaphore(f"/{name}", status.st_uid, _value(f"/{name}")) for name, status in names]


def queues(directory: Path = DEV_MQUEUE) -> list[Queue]:
    """Every message queue; none where the file system is not mounted."""
    return [
        Queue(f"/{name}", status.st_uid, _bytes(directory / name), *_depth(f"/{name}"))
        for name, status in _files(directory)
    ]


def space(directory: Path = DEV_SHM) -> Space:
    """The space of POSIX shared memory, used and in total; System V segments do not count here.

    :raises OSError: there is no such file system
    """
    of = os.statvfs(directory)
    return Space((of.f_blocks - of.f_bfree) * of.f_frsize, of.f_blocks * of.f_frsize)


def _files(directory: Path) -> Iterator[tuple[str, os.stat_result]]:
    if not directory.is_dir():
        return
    for entry in sorted(directory.iterdir()):
        with suppress(FileNotFoundError):  # gone meanwhile
            status = entry.lstat()
            if stat.S_ISREG(status.st_mode):
                yield entry.name, status


def _value(name: str) -> int | None:
    try:
        semaphore = posix_ipc.Semaphore(name)
    except _NOT_TOLD:
        return None
    try:
        return int(semaphore.value)
    finally:
        semaphore.close()


def _bytes(file: Path) -> int | None:
    """QSIZE, the first of the numbers in the queue's file."""
    try:
        found = re.match(r"QSIZE:(\d+)", file.read_text())
    except OSError:
        return None
    return int(found[1]) if found else None


def _depth(name: str) -> tuple[int | None, int | None]:
    """Messages, and how many there can be."""
    try:
        queue = posix_ipc.MessageQueue(name)
    except _NOT_TOLD:
        return None, None
    try:
        return int(queue.current_messages), int(queue.max_messages)
    finally:
        queue.close()
