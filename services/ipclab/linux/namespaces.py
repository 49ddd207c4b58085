"""The namespaces and the CPUs of this process.

Two containers share a namespace when its inodes are equal (namespaces(7)). A wake-up across two CPUs costs many times
as much as one on the same CPU (sched_getaffinity(2)).
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

KINDS = ("ipc", "mnt", "net", "pid")


def inodes() -> dict[str, str]:
    """Kind of namespace to inode number, of this process (namespaces(7))."""
    return {kind: str(Path(f"/proc/self/ns/{kind}").stat().st_ino) for kind in KINDS}


def container() -> str:
    """This container's short id, which Docker makes its host name."""
    return socket.gethostname()


_WORDS = {1: "one", 2: "two"}


def allowed() -> str:
    """The CPUs that this process may use (sched_getaffinity(2), a container's `cpuset`): "one", "two", "3", …"""
    count = len(os.sched_getaffinity(0))
    return _WORDS.get(count, str(count))


def pin() -> int:
    """Keep this thread, and what it forks, on the last CPU that it may use: sched_setaffinity(2); which one that is."""
    last = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {last})
    return last
