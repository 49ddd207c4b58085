"""The lab's command line as a Mac has it: `python tests/support/mac.py ARGUMENT...`, or its module in a forked process.

Hides what macOS lacks before anything of ours is imported: `sysv_ipc` and `posix_ipc`, sem_timedwait(3) and other
symbols of libc, /proc and /sys, signals and constants of Linux. The names are those that the documentation of
Python's modules gives as Linux's alone. HIDDEN_MODULES names more modules, with commas between them.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import mmap
import os
import platform
import select
import signal
import socket
import sys
import time
import urllib.request  # noqa: F401 - on a Mac it imports a module that only a Mac has
from types import ModuleType
from typing import Any

_ABSENT_MODULES = ("sysv_ipc", "posix_ipc")
_ABSENT_SYMBOLS = ("sem_timedwait", "sem_clockwait", "ptrace", "prctl", "membarrier", "unshare", "setns", "eventfd")
_ABSENT_FOLDERS = ("/proc", "/sys", "/dev/shm", "/dev/mqueue", "/etc/os-release", "/usr/lib/os-release")
_ABSENT_NAMES: dict[ModuleType, tuple[str, ...]] = {
    os: (
        *(
            "posix_fallocate",
            "posix_fadvise",
            "fdatasync",
            "pipe2",
            "eventfd",
            "memfd_create",
            "splice",
            "copy_file_range",
        ),
        *("sched_getaffinity", "sched_setaffinity", "sched_getscheduler", "sched_setscheduler", "sched_getparam"),
        *("setns", "unshare", "pidfd_open", "getxattr", "setxattr", "getrandom", "waitid", "getresuid", "getresgid"),
        *(
            "O_DIRECT",
            "O_TMPFILE",
            "O_PATH",
            "O_NOATIME",
            "O_RSYNC",
            "RWF_DSYNC",
            "RWF_NOWAIT",
            "RWF_SYNC",
            "RWF_HIPRI",
        ),
    ),
    signal: (
        *("SIGRTMIN", "SIGRTMAX", "SIGCLD", "SIGPOLL", "SIGPWR", "SIGSTKFLT"),
        *("sigwaitinfo", "sigtimedwait", "pidfd_send_signal"),
    ),
    socket: (
        *("SO_PEERCRED", "SO_DOMAIN", "SO_PROTOCOL", "SO_MARK", "SO_PRIORITY", "SO_BINDTODEVICE", "SO_PASSCRED"),
        *("TCP_USER_TIMEOUT", "TCP_QUICKACK", "TCP_CORK", "TCP_DEFER_ACCEPT", "TCP_LINGER2", "TCP_SYNCNT", "TCP_INFO"),
        *(
            "SOCK_NONBLOCK",
            "SOCK_CLOEXEC",
            "MSG_CMSG_CLOEXEC",
            "MSG_ERRQUEUE",
            "MSG_MORE",
            "MSG_CONFIRM",
            "MSG_NOSIGNAL",
        ),
        *("AF_NETLINK", "AF_PACKET", "AF_VSOCK", "AF_ALG", "SCM_CREDENTIALS", "IP_RECVTOS"),
    ),
    select: ("epoll", "EPOLLIN", "EPOLLOUT", "EPOLLERR", "EPOLLHUP", "EPOLLET", "EPOLLRDHUP", "POLLRDHUP", "POLLMSG"),
    fcntl: (
        *("F_SETPIPE_SZ", "F_GETPIPE_SZ", "F_OFD_GETLK", "F_OFD_SETLK", "F_OFD_SETLKW", "F_ADD_SEALS", "F_GET_SEALS"),
        *("F_SETSIG", "F_GETSIG", "F_SETLEASE", "F_GETLEASE", "F_NOTIFY", "DN_MODIFY"),
    ),
    errno: ("EBADFD", "EUCLEAN", "EREMOTEIO", "ECHRNG", "EBADSLT", "ECOMM", "ESTRPIPE", "EL2NSYNC", "ENOTUNIQ"),
    mmap: ("MAP_POPULATE", "MADV_HUGEPAGE", "MADV_DONTFORK", "MADV_REMOVE", "MADV_MERGEABLE"),
    time: ("CLOCK_BOOTTIME", "CLOCK_TAI", "pthread_getcpuclockid"),
}


def become() -> None:
    """Hide it all, for the rest of this process; what was imported of ours before is forgotten."""
    for name in [name for name in sys.modules if name.partition(".")[0] in ("ipclab", "labctl", *_ABSENT_MODULES)]:
        del sys.modules[name]
    for name in (*_ABSENT_MODULES, *filter(None, os.environ.get("HIDDEN_MODULES", "").split(","))):
        sys.modules[name] = None  # type: ignore[assignment]
    for module, names in _ABSENT_NAMES.items():
        for name in names:
            if hasattr(module, name):
                delattr(module, name)
    _hide_symbols()
    _hide_files()
    platform.system = lambda: "Darwin"
    platform.machine = lambda: "arm64"
    sys.platform = "darwin"


def _hide_symbols() -> None:
    original = ctypes.CDLL.__getitem__

    def getitem(library: ctypes.CDLL, name: Any) -> Any:
        if name in _ABSENT_SYMBOLS:
            raise AttributeError(f"dlsym(RTLD_DEFAULT, {name}): symbol not found")
        return original(library, name)

    ctypes.CDLL.__getitem__ = getitem  # type: ignore[method-assign]


def _hide_files() -> None:
    """What is opened or listed passes an audit hook (PEP 578); stat(2) and readlink(2) do not."""

    def refuse(path: object) -> None:
        if isinstance(path, (str, bytes, os.PathLike)):
            name = os.fsdecode(path)
            if any(name == folder or name.startswith(f"{folder}/") for folder in _ABSENT_FOLDERS):
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in ("open", "os.listdir", "os.scandir") and arguments:
            refuse(arguments[0])

    sys.addaudithook(hook)
    for name in ("stat", "lstat", "readlink", "access", "statvfs"):
        original = getattr(os, name)

        def checked(path: Any, *arguments: Any, _original: Any = original, **named: Any) -> Any:
            refuse(path)
            return _original(path, *arguments, **named)

        setattr(os, name, checked)


if __name__ == "__main__":
    become()
    from labctl.main import main

    sys.exit(main(sys.argv[1:]))
