"""A time limit for system calls that have none of their own.

msgsnd(2) and msgrcv(2) know no timeout; a signal ends them with EINTR. One signal can come just before
the call and be lost, so the timer repeats until it is switched off. The signal is handled in the main
thread, which is therefore the thread that must make the call.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

_REPEAT_S = 0.02


@contextmanager
def interrupted_after(timeout_s: float) -> Iterator[None]:
    """Within the block, a blocking system call is interrupted once `timeout_s` has passed."""
    signal.signal(signal.SIGALRM, _wake)
    signal.setitimer(signal.ITIMER_REAL, max(timeout_s, 1e-6), _REPEAT_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _wake(number: int, frame: object) -> None:
    """The system call has already been interrupted; there is nothing left to do."""
