"""A time limit for system calls that have none of their own.

msgsnd(2), msgrcv(2), and read(2) and write(2) of a pipe know no timeout; a signal ends them with EINTR. Python repeats
read and write (PEP 475), so for them the signal also makes the descriptor non-blocking. One signal can come just before
the call and be lost, so the timer repeats. The timer keeps running when the call returns, because setting it twice a
message costs more than the message: most calls find a timer that will fire in time. The first signal outside a call
switches the timer off.

The main thread handles signals, so the main thread must make the call.
"""

from __future__ import annotations

import atexit
import os
import signal

_REPEAT_S = 0.02
_NEVER = float("inf")


class Alarm:
    """The process's only one, `ALARM`: there is one ITIMER_REAL."""

    def __init__(self) -> None:
        self.waiting = False
        self._descriptor = -1
        self._fires_at = _NEVER
        os.register_at_fork(after_in_child=self.forget)  # a child inherits no timer: setitimer(2)
        # The interpreter gives up its handlers before the process ends; the next signal would kill it.
        atexit.register(signal.setitimer, signal.ITIMER_REAL, 0)

    def limit(self, timeout_s: float, deadline: float, descriptor: int = -1) -> None:
        """From here until `waiting` is False, blocking system calls are interrupted at `deadline` or before.

        `deadline` is monotonic and lies `timeout_s` from now: the caller has read the clock. A call on `descriptor`
        then fails with EAGAIN, and so does each later call until the descriptor is blocking again.
        """
        self._descriptor = descriptor
        self.waiting = True  # first: from now on the handler leaves the timer alone
        if not deadline - timeout_s < self._fires_at <= deadline:
            signal.signal(signal.SIGALRM, self._fired)
            signal.setitimer(signal.ITIMER_REAL, max(timeout_s, 1e-6), _REPEAT_S)
            self._fires_at = deadline

    def _fired(self, *_: object) -> None:
        if self.waiting:
            if self._descriptor >= 0:
                os.set_blocking(self._descriptor, False)
        else:
            signal.setitimer(signal.ITIMER_REAL, 0)
            self._fires_at = _NEVER

    def forget(self) -> None:
        """Forget the timer: this is another process, or other code has set it."""
        self.waiting, self._fires_at = False, _NEVER


ALARM = Alarm()
