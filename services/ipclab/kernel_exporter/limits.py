"""The kernel's limits on inter-process communication: sysvipc(7), mq_overview(7), proc(5)."""

from __future__ import annotations

from pathlib import Path

SYSCTL = Path("/proc/sys")
_SYSV = ("shmmax", "shmall", "shmmni", "msgmax", "msgmnb", "msgmni")
_SEMAPHORES = ("semmsl", "semmns", "semopm", "semmni")  # the four numbers of one file
_QUEUES = ("msg_max", "msgsize_max", "queues_max", "msg_default", "msgsize_default")


def read(sysctl: Path = SYSCTL) -> dict[str, int]:
    """Name to value, in proc(5)'s units: bytes and counts; of shmall, pages. POSIX queues' begin with "mqueue_".

    Limits that this kernel does not have are left out.
    """
    found: dict[str, int] = {}
    for name in _SYSV:
        found |= _numbers(sysctl / "kernel" / name, name)
    found |= _numbers(sysctl / "kernel" / "sem", *_SEMAPHORES)
    for name in _QUEUES:
        found |= _numbers(sysctl / "fs" / "mqueue" / name, f"mqueue_{name}")
    return found


def _numbers(file: Path, *names: str) -> dict[str, int]:
    if not file.exists():
        return {}
    return dict(zip(names, map(int, file.read_text().split()), strict=True))
