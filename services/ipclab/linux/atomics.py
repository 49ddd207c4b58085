"""Atomic words in memory that processes share without a lock, and a full fence.

The order of two accesses to memory is a promise only where one of them asks for it. `load_acquire` is done before every
later access, `store_release` after every earlier one (C11, 7.17.3). So a process that loads what another one stored by
`store_release` also sees everything that was stored before. "Store a word, then load another one" needs more: `fence`
stands between the two, on both sides, and then at least one side sees the store of the other.

CPython has none of the three. `services/atomics` is a C extension that has: it is built where sysv_ipc is built, in the
image and in the test tools' .venv. Without it, `FallbackWords` and `fallback_fence` serve: slower, and said once. They
rest on the sources of CPython, of glibc, and on the manuals of the processors:

- x86-64 does stores in their order and loads in theirs (Intel SDM 3A, 9.2.2), and `memoryview` loads or stores a word
  by one instruction. An uncontended lock is taken by `lock cmpxchg`, which is a full fence there (9.2.5).
- AArch64 promises neither. The lock is held; the fence frees it, which is a store-release, and takes it again, which is
  a load-acquire (glibc's sem_post(3) and sem_wait(3), or CPython's own PyMutex). The processor does not swap a
  store-release with a later load-acquire (Arm ARM, B2.3.7), so everything before is done before everything after.
  "Take, then free" would be no fence: both neighbours may move in between.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from functools import cache
from typing import Protocol

_log = logging.getLogger("ipclab")
# Stores are seen in their order, and loads are done in theirs.
KEEPS_ORDER = os.uname().machine in ("x86_64", "AMD64")

_held = threading.Lock()
_held.acquire()


class AtomicWords(Protocol):
    """Unsigned words of 8 bytes in writable memory, each loaded and stored in one piece.

    Every method may raise `IndexError`, and `ValueError` after `release`.
    """

    @property
    def load_acquire(self) -> Callable[[int], int]:
        """The word; no later access of this thread is done before."""

    @property
    def store_release(self) -> Callable[[int, int], None]:
        """Replace the word; no earlier access of this thread is done after."""

    def release(self) -> None:
        """Let go of the memory. Idempotent."""


def fallback_fence() -> None:
    """A full fence, made of a lock that this process holds."""
    _held.release()
    _held.acquire()


class FallbackWords:
    """`AtomicWords` of a `memoryview`. Every load and every store costs two locks unless the processor keeps order."""

    load_acquire: Callable[[int], int]
    store_release: Callable[[int, int], None]

    def __init__(self, memory: memoryview, *, keeps_order: bool = KEEPS_ORDER) -> None:
        self._words = memory.cast("B")[: len(memory) // 8 * 8].cast("Q")
        plain = keeps_order
        self.load_acquire = self._words.__getitem__ if plain else self._load_then_fence
        self.store_release = self._words.__setitem__ if plain else self._fence_then_store

    def release(self) -> None:
        """See `AtomicWords`."""
        self._words.release()

    def _load_then_fence(self, index: int) -> int:
        value = self._words[index]
        fallback_fence()
        return value

    def _fence_then_store(self, index: int, value: int) -> None:
        fallback_fence()
        self._words[index] = value


try:
    import ipclab_atomics

    IS_FALLBACK = False
    fence: Callable[[], None] = ipclab_atomics.fence
except ImportError:
    IS_FALLBACK = True
    fence = fallback_fence


def atomic_words(memory: memoryview) -> AtomicWords:
    """The words of `memory`, which is writable and begins at a multiple of 8 bytes."""
    if not IS_FALLBACK:
        words: AtomicWords = ipclab_atomics.AtomicWords(memory)
        return words
    _say_once()
    return FallbackWords(memory)


@cache
def _say_once() -> None:
    _log.warning("the C extension ipclab_atomics is absent: shared memory is ordered by locks, which costs more time")
