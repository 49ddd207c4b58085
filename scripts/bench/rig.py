"""Two processes on one CPU or on two: fork, pin, run, and tell how much of the CPU others had meanwhile."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

# A figure is of no use when somebody else had more than this share of the CPUs it was taken on.
MAX_FOREIGN_SHARE = 0.10
_BUSY_FIELDS = (0, 1, 2, 5, 6, 7)  # user, nice, system, irq, softirq, steal: proc(5), /proc/stat
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class Cpus(StrEnum):
    """On how many CPUs the two processes run."""

    ONE = "one"
    TWO = "two"


@dataclass(frozen=True, slots=True)
class Run:
    """`seconds` of the timed part; `foreign_share` of the pinned CPUs' time went to neither of the two."""

    seconds: float
    foreign_share: float

    @property
    def is_clean(self) -> bool:
        return self.foreign_share <= MAX_FOREIGN_SHARE


def cpus(which: Cpus) -> tuple[int, int]:
    """The parent's CPU and the child's.

    :raises ValueError: two are asked for and this process may use but one
    """
    allowed = sorted(os.sched_getaffinity(0))
    if which is Cpus.ONE:
        return allowed[0], allowed[0]
    if len(allowed) < 2:
        raise ValueError("needs two CPUs")
    return allowed[0], allowed[1]


def run(which: Cpus, parent: Callable[[], float], child: Callable[[], None]) -> Run:
    """Fork; `child` runs in the child, `parent` here and returns the seconds of its timed part.

    :raises ChildProcessError: the child failed
    """
    own, others = cpus(which)
    before = os.sched_getaffinity(0)
    pid = os.fork()
    if not pid:
        _be_the_child(others, child)
    try:
        os.sched_setaffinity(0, {own})
        begin, busy, used = time.monotonic(), _busy_s({own, others}), time.process_time()
        seconds = parent()
        used = time.process_time() - used
        busy = _busy_s({own, others}) - busy
        wall = time.monotonic() - begin
    finally:
        os.sched_setaffinity(0, before)
        _, status, usage = os.wait4(pid, 0)
    if status:
        raise ChildProcessError(f"the other process ended with {os.waitstatus_to_exitcode(status)}")
    used += usage.ru_utime + usage.ru_stime
    return Run(seconds, max(0.0, busy - used) / (wall * len({own, others})))


def _be_the_child(cpu: int, child: Callable[[], None]) -> None:
    code = 1
    try:
        os.sched_setaffinity(0, {cpu})
        child()
        code = 0
    finally:
        os._exit(code)  # nothing of the parent's is cleared away by the child


def _busy_s(which: set[int]) -> float:
    lines = dict(
        line.split(maxsplit=1)
        for line in Path("/proc/stat").read_text(encoding="utf-8").splitlines()
        if line[:3] == "cpu"
    )
    ticks = 0
    for cpu in which:
        fields = lines[f"cpu{cpu}"].split()
        ticks += sum(int(fields[index]) for index in _BUSY_FIELDS)
    return ticks / _TICKS_PER_S
