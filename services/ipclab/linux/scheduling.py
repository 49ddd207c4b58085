"""The time that a thread waits for a CPU: the cost of a wake-up beside the work that follows it.

Source: Documentation/scheduler/sched-stats.rst of Linux, /proc/PID/schedstat: time on a CPU in ns, time runnable and
waiting for a CPU in ns, and the number of runs. For a thread that mostly sleeps, the second divided by the third is the
mean time from wake-up to running. The interrupt that reaches an idle CPU is not part of it.
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
    """The counts of the kernel so far; None on a kernel without them (CONFIG_SCHED_INFO)."""
    try:
        _, delay_ns, runs = path.read_bytes().split()
        return Scheduling(int(delay_ns), int(runs))
    except (OSError, ValueError):
        return None
