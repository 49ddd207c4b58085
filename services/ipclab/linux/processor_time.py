"""The time of all CPUs of the machine, as the kernel adds it up: what is not ours is somebody else's.

Source: proc_stat(5), the line `cpu`: user, nice, system, idle, iowait, irq, softirq, steal. Steal is the time in which
the hypervisor gave a virtual CPU to another guest.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

_STAT = Path("/proc/stat")
_BUSY, _STEAL = (0, 1, 2, 5, 6), 7
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class ProcessorTime:
    """Seconds since the machine was started, summed over `cpus`; `at_s` is CLOCK_MONOTONIC."""

    at_s: float
    busy_s: float
    steal_s: float
    cpus: int

    @classmethod
    def now(cls, path: Path = _STAT) -> ProcessorTime:
        """As it is now.

        :raises OSError: there is no such file
        """
        lines = path.read_text(encoding="utf-8").splitlines()
        ticks = [int(field) for field in lines[0].split()[1:]]
        cpus = sum(line.startswith("cpu") for line in lines) - 1
        busy = sum(ticks[index] for index in _BUSY)
        return cls(time.monotonic(), busy / _TICKS_PER_S, ticks[_STEAL] / _TICKS_PER_S, cpus)
