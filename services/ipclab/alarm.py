"""A time limit for system calls that have none of their own.

msgsnd(2), msgrcv(2) and the read(2) of a pipe know no timeout; a signal ends them with EINTR. One signal can come
just before the call and be lost, so the timer repeats. It is left running when the call returns, because setting it
twice a message costs more than the message: most calls find one that will fire in time. The first that fires
while nobody waits switches it off.

The signal is handled in the main thread, which is therefore the thread that must make the call.
"""

from __future__ import annotations

import atexit
import os
import signal
import time

_REPEAT_S = 0.02
_NEVER = float("inf")


class Alarm:
    """The process's only one, `ALARM`: there is one ITIMER_REAL."""

    def __init__(self) -> None:
        self._waiting = False
        self._fires_at = _NEVER
        os.register_at_fork(after_in_child=self._forget)  # a child inherits no timer: setitimer(2)
        # The interpreter gives up its handlers before the process ends; the next signal would kill it.
        atexit.register(signal.setitimer, signal.ITIMER_REAL, 0)

    def limit(self, timeout_s: float) -> float:
        """From here to `done()`, blocking system calls are interrupted at the returned time (monotonic), or before."""
        self._waiting = True  # first: from now on the handler leaves the timer alone
        now = time.monotonic()
        deadline = now + timeout_s
        if not now < self._fires_at <= deadline:
            signal.signal(signal.SIGALRM, self._fired)
            signal.setitimer(signal.ITIMER_REAL, max(timeout_s, 1e-6), _REPEAT_S)
            self._fires_at = deadline
        return deadline

    def done(self) -> None:
        """The call returned."""
        self._waiting = False

    def _fired(self, *_: object) -> None:
        if not self._waiting:
            signal.setitimer(signal.ITIMER_REAL, 0)
            self._fires_at = _NEVER

    def _forget(self) -> None:
        self._waiting, self._fires_at = False, _NEVER


ALARM = Alarm()
