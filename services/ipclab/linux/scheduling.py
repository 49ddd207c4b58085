"""How long the kernel lets a thread wait for a CPU: what a wake-up costs beside the work that follows it.

Source: Documentation/scheduler/sched-stats.rst of Linux, /proc/PID/schedstat: time on a CPU, time that the thread could
have run and waited for a CPU, both in ns, and how often it was given one. Of a thread that mostly sleeps, the second by
the third is the mean time from being woken to running; the interrupt that reaches a CPU which was idle is not in it.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

_SCHEDSTAT = Path("/proc/thread-self/schedstat")


class Scheduling(NamedTuple):
    """Since the thread began."""

    delay_ns: int
    runs: int


def of_this_thread(path: Path = _SCHEDSTAT) -> Scheduling | None:
    """What the kernel counted so far; None where it does not (CONFIG_SCHED_INFO)."""
    try:
        _, delay_ns, runs = path.read_bytes().split()
        return Scheduling(int(delay_ns), int(runs))
    except (OSError, ValueError):
        return None
