"""What communicating costs a process: the CPU time of its thread inside `send` and `receive_into`.

That is system calls, copies, framing, waking the other side, and looking again and again where a mechanism polls
(CLOCK_THREAD_CPUTIME_ID, clock_gettime(2)). The time a process sleeps in these calls is not in it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """Adds up the calls of one process."""

    def __init__(self) -> None:
        self._moving_ns = 0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the call in this block, whether it succeeds or raises."""
        began_ns = time.thread_time_ns()
        try:
            yield
        finally:
            self._moving_ns += time.thread_time_ns() - began_ns

    def take(self) -> int:
        """The CPU time in ns since the last `take`."""
        moving_ns, self._moving_ns = self._moving_ns, 0
        return moving_ns
