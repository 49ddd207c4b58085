"""The System V objects of this IPC namespace, as the kernel lists them in /proc/sysvipc (proc(5)).

The lists show every object and its owner to every process. A queue's limit and a semaphore's value are not in the
lists: the kernel shows them only to a process that may read the object (msgctl(2), semctl(2)); otherwise they are None.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ipclab.building_blocks.libraries import sysv_ipc

LISTS = Path("/proc/sysvipc")
_SHM_DEST = 0o1000
_NOT_TOLD = (sysv_ipc.Error, OSError, ValueError)  # removed meanwhile; of another user; a key that sysv_ipc cannot take

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Segment:
    """Shared memory; `attachments` is nattch, and 0 for one that outlived its processes.

    One that was removed has lost its key, and is there until the last process detaches it (SHM_DEST, shmctl(2)).
    """

    key: int
    id: int
    uid: int
    size_bytes: int
    attachments: int
    is_removed: bool = False


@dataclass(frozen=True, slots=True)
class Queue:
    """A message queue; it is full at `limit_bytes` (msg_qbytes)."""

    key: int
    id: int
    uid: int
    messages: int
    bytes: int
    limit_bytes: int | None


@dataclass(frozen=True, slots=True)
class SemaphoreSet:
    """`value` is that of a set of one semaphore, which is what `sysv_ipc` makes and can ask."""

    key: int
    id: int
    uid: int
    semaphores: int
    value: int | None


SysvObject = Segment | Queue | SemaphoreSet


def segments(lists: Path = LISTS) -> list[Segment]:
    """Every segment of the namespace."""
    return [
        Segment(row["key"], row["shmid"], row["uid"], row["size"], row["nattch"], _is_removed(row["perms"]))
        for row in rows((lists / "shm").read_text())
    ]


def queues(lists: Path = LISTS) -> list[Queue]:
    """Every message queue of the namespace."""
    return [
        Queue(row["key"], row["msqid"], row["uid"], row["qnum"], row["cbytes"], _limit_bytes(row["key"], row["msqid"]))
        for row in rows((lists / "msg").read_text())
    ]


def semaphore_sets(lists: Path = LISTS) -> list[SemaphoreSet]:
    """Every semaphore set of the namespace."""
    return [
        SemaphoreSet(
            row["key"],
            row["semid"],
            row["uid"],
            row["nsems"],
            _value(row["key"], row["semid"]) if row["nsems"] == 1 else None,
        )
        for row in rows((lists / "sem").read_text())
    ]


def rows(text: str) -> list[dict[str, int]]:
    """The lines of one list by the names in its first line; a kernel may add columns, and has."""
    head, *lines = text.splitlines()
    return [dict(zip(head.split(), map(int, line.split()), strict=True)) for line in lines]


def _is_removed(perms: int) -> bool:
    """The list has the mode in octal digits."""
    return bool(int(str(perms), 8) & _SHM_DEST)


def hexadecimal(key: int) -> str:
    """A key as ipcs(1) shows it; the lists have it signed."""
    return f"0x{key & 0xFFFFFFFF:08x}"


def _limit_bytes(key: int, id_: int) -> int | None:
    def limit() -> int | None:
        queue = sysv_ipc.MessageQueue(key)
        return int(queue.max_size) if queue.id == id_ else None

    return _told(key, limit)


def _value(key: int, id_: int) -> int | None:
    def value() -> int | None:
        semaphore = sysv_ipc.Semaphore(key)
        return int(semaphore.value) if semaphore.id == id_ else None

    return _told(key, value)


def _told(key: int, ask: Callable[[], _T | None]) -> _T | None:
    """The kernel's answer; None without one. An object without a key (IPC_PRIVATE, 0) cannot be opened by it."""
    if not key:
        return None
    try:
        return ask()
    except _NOT_TOLD:
        return None
