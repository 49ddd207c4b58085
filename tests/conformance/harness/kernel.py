"""What the kernel keeps when a process has ended, and an IPC namespace in which nobody else keeps anything."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Container, Iterator
from contextlib import contextmanager
from pathlib import Path

_CLONE_NEWIPC = 0x08000000  # unshare(2)
# A file system that is mounted nowhere but can be listed: fsopen(2), fsconfig(2), fsmount(2); their numbers are
# the same on every architecture.
_FSOPEN, _FSCONFIG, _FSMOUNT, _FSCONFIG_CMD_CREATE = 430, 431, 432, 6

_ANY = range(-(1 << 31), 1 << 32)
_is_ours = False
_libc = ctypes.CDLL(None)
_DEV_SHM = Path("/dev/shm")
_DEV_MQUEUE = Path("/dev/mqueue")
# Where this namespace's message queues are listed, if anywhere (mq_overview(7)): not every system mounts them.
_queues = _DEV_MQUEUE if _DEV_MQUEUE.is_dir() else None


def objects(prefix: str, keys: Container[int]) -> dict[str, set[str]]:
    """The keys of System V objects (proc(5)), and the names of POSIX objects with our prefix.

    In a namespace of our own every key counts; elsewhere only `keys`, which other programs hardly have.
    """
    found = {
        kind: {key for row in _rows(kind) if int(key := row.split()[0]) in (_ANY if _is_ours else keys)}
        for kind in ("shm", "sem", "msg")
    }
    found["/dev/shm"] = _names(_DEV_SHM, prefix)
    if _queues is not None:
        found["mqueue"] = _names(_queues, prefix)
    return found


def _rows(kind: str) -> list[str]:
    return Path(f"/proc/sysvipc/{kind}").read_text().splitlines()[1:]


def queues_directory() -> Path | None:
    """Where the message queues of the namespace that we are in are listed; None where that is nowhere."""
    return _queues


def _names(directory: Path, prefix: str) -> set[str]:
    return {entry.name for entry in directory.iterdir() if prefix in entry.name}


@contextmanager
def own_ipc_namespace() -> Iterator[bool]:
    """Be in an IPC namespace of our own within the block; False where that takes a right we do not have."""
    global _queues, _is_ours
    before, queues_before = os.open("/proc/self/ns/ipc", os.O_RDONLY | os.O_CLOEXEC), _queues
    if _libc.unshare(_CLONE_NEWIPC):
        os.close(before)
        yield False
        return
    queues = _open_queues()
    _queues = None if queues is None else Path(f"/proc/self/fd/{queues}")
    _is_ours = True
    try:
        yield True
    finally:
        _is_ours = False
        _libc.setns(before, _CLONE_NEWIPC)
        os.close(before)
        if queues is not None:
            os.close(queues)
        _queues = queues_before


def _open_queues() -> int | None:
    """The directory of this namespace's message queues, opened; None on a kernel before 5.2."""
    context = _libc.syscall(_FSOPEN, b"mqueue", 1)
    if context < 0:
        return None
    try:
        if _libc.syscall(_FSCONFIG, context, _FSCONFIG_CMD_CREATE, None, None, 0):
            return None
        mount = _libc.syscall(_FSMOUNT, context, 1, 0)
        try:
            return os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=mount)
        finally:
            os.close(mount)
    finally:
        os.close(context)
