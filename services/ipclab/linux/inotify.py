"""Notifications of the kernel that a file has changed.

Sources: inotify(7), inotify_init(2), inotify_add_watch(2), poll(2). The kernel reports every write and truncation of
this machine, by any process, also through another mount of the same volume. It does not report writes of another
machine to a network file system. Python's library has no inotify, so libc is called through ctypes.
"""

from __future__ import annotations

import ctypes
import errno
import os
import select
from contextlib import suppress
from functools import cache

_IN_MODIFY = 0x2  # written or truncated
_EVENTS_BYTES = 1 << 14


class Watch:
    """On one open file."""

    def __init__(self, descriptor: int) -> None:
        """
        :raises OSError: there is no inotify here (ENOSYS), or no more of it: EMFILE, ENOSPC, see /proc/sys/fs/inotify
        """
        self._descriptor = _checked(_libc().inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        try:
            # The very file, whatever its name leads to by now.
            path = os.fsencode(f"/proc/self/fd/{descriptor}")
            _checked(_libc().inotify_add_watch(self._descriptor, path, _IN_MODIFY))
        except OSError:
            self.close()
            raise
        self._poll = select.poll()
        self._poll.register(self._descriptor, select.POLLIN)

    def forget(self) -> None:
        """Discard the changes so far: read the file after this call, and wait if it is unchanged."""
        with suppress(BlockingIOError):
            os.read(self._descriptor, _EVENTS_BYTES)

    def wait(self, timeout_s: float) -> bool:
        """Sleep until something happens to the file, for `timeout_s` at the longest; whether it did."""
        return bool(self._poll.poll(timeout_s * 1000))

    def close(self) -> None:
        """Idempotent."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


@cache
def _libc() -> ctypes.CDLL:
    """
    :raises OSError: it has no inotify, as on macOS
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "inotify_init1"):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    return libc


def _checked(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result
