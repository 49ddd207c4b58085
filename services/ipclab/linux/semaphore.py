"""Unnamed POSIX semaphores in memory that two processes share, through ctypes.

Sources: sem_overview(7), sem_init(3), sem_post(3), sem_wait(3). Every process that maps the memory has the semaphore:
it needs no name, and so no IPC namespace. glibc keeps the value and the number of waiters in it, and calls futex(2)
only to sleep and to wake a sleeper. Python has no atomic addition and could not do so itself.

With sem_clockwait (glibc 2.30) a timeout is CLOCK_MONOTONIC; sem_timedwait knows only the time of day.
"""

from __future__ import annotations

import ctypes
import errno
import time
from functools import cache

_NS = 1_000_000_000
SEMAPHORE_BYTES = 64  # sem_t is 32 bytes on 64-bit Linux; a cache line each


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


_now_ns = time.clock_gettime_ns


class _Libc:
    """The functions of libc. Looked up when the first semaphore is made: macOS has no sem_timedwait(3)."""

    def __init__(self) -> None:
        # Calls that never sleep keep the interpreter's lock, which makes them faster; the one that sleeps gives it up.
        quick, sleepy = ctypes.PyDLL(None), ctypes.CDLL(None, use_errno=True)
        self.init, self.post = quick.sem_init, quick.sem_post
        self.init.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_uint)
        self.post.argtypes = (ctypes.c_void_p,)
        has_clockwait = hasattr(sleepy, "sem_clockwait")
        self.clock = time.CLOCK_MONOTONIC if has_clockwait else time.CLOCK_REALTIME
        self.with_clock = (self.clock,) if has_clockwait else ()
        self.sleep = sleepy.sem_clockwait if has_clockwait else sleepy.sem_timedwait
        self.sleep.argtypes = (ctypes.c_void_p, *(ctypes.c_int for _ in self.with_clock), ctypes.POINTER(_Timespec))


_libc = cache(_Libc)


class PsharedSemaphore:
    """A notifier in shared memory. It must not be used once the memory is unmapped: no check would notice."""

    def __init__(self, memory: memoryview, *, fresh: bool) -> None:
        """The semaphore in the first bytes of writable `memory`; `fresh` sets it to 0, whatever was there.

        No view of the memory is kept, only its address.
        """
        assert len(memory) >= SEMAPHORE_BYTES
        self._address = ctypes.c_void_p(ctypes.addressof(ctypes.c_char.from_buffer(memory)))
        self._until = _Timespec()
        libc = _libc()
        self._clock, self._post, self._sleep = libc.clock, libc.post, libc.sleep
        self._sleep_arguments = (self._address, *libc.with_clock, ctypes.byref(self._until))
        if fresh:
            libc.init(self._address, 1, 0)

    def notify(self) -> None:
        """See `ipclab.building_blocks.ring_channel.Notifier`."""
        self._post(self._address)  # fails with EOVERFLOW at SEM_VALUE_MAX: it cannot be missed then

    def wait(self, timeout_s: float) -> bool:
        """See `ipclab.building_blocks.ring_channel.Notifier`."""
        until_ns = _now_ns(self._clock) + int(timeout_s * 1e9)
        until = self._until
        until.seconds = seconds = until_ns // _NS
        until.nanoseconds = until_ns - seconds * _NS
        if self._sleep(*self._sleep_arguments):
            return ctypes.get_errno() == errno.EINTR  # a signal: poll again
        return True
