"""The CPU time of a container beside its loop: what it costs to measure it and to watch over it.

Sources: clock_getcpuclockid(3) and pthread_getcpuclockid(3), the time of the process and of its main thread;
cpuacct.usage (cgroup v1) and cpu.stat (v2), the time of all processes of the container. What a process used before its
role began, such as its imports, is in none of the parts.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from ipclab.metrics import definitions as metrics
from ipclab.metrics.definitions import Sample

_CGROUP = Path("/sys/fs/cgroup")
_CGROUP_FILES = ("cpu.stat", "cpuacct/cpuacct.usage", "cpu,cpuacct/cpuacct.usage")


def container_ns(cgroup: Path = _CGROUP) -> int | None:
    """CPU time of all processes of this container in ns; None where the kernel shows none."""
    for name in _CGROUP_FILES:
        try:
            words = (cgroup / name).read_text().split()
            return int(words[words.index("usage_usec") + 1]) * 1000 if name == "cpu.stat" else int(words[0])
        except (OSError, ValueError, IndexError):
            continue
    return None


class FixedCost:
    """The parts since this object was made, which is when the role begins."""

    def __init__(self, page_ns: Callable[[], int], *, has_messages: bool, cgroup: Path = _CGROUP) -> None:
        """`page_ns` is the time of the threads that answer scrapes.

        `has_messages`: the loop is the messages', and `ipc_cpu_seconds_total` has it; else the loop is a part.
        """
        self._page_ns = page_ns
        self._has_messages = has_messages
        self._cgroup = cgroup
        ident = threading.main_thread().ident
        assert ident is not None
        self._loop_clock = time.pthread_getcpuclockid(ident)
        self._first = self._read()
        self._shown: dict[str, int] = {}

    def _read(self) -> tuple[int, int, int | None]:
        """The loop's thread, the process, and the container, in ns."""
        return time.clock_gettime_ns(self._loop_clock), time.process_time_ns(), container_ns(self._cgroup)

    def samples(self) -> Iterable[Sample]:
        """The parts in seconds; none of other processes where the kernel does not show the container's time."""
        (loop, process, container), (loop_0, process_0, container_0) = self._read(), self._first
        loop_ns, process_ns, page_ns = loop - loop_0, process - process_0, self._page_ns()
        parts = {"page": page_ns, "threads": process_ns - loop_ns - page_ns}
        if container is not None and container_0 is not None:
            parts["processes"] = container - container_0 - process_ns
        if not self._has_messages:
            parts["loop"] = loop_ns
        for part, nanoseconds in parts.items():
            # The clocks are read one after the other, so a difference may fall. Prometheus would take that for a
            # restart and count the whole value once more.
            self._shown[part] = max(self._shown.get(part, 0), nanoseconds)
            yield Sample(metrics.FIXED_CPU, self._shown[part] / 1e9, (part,))
