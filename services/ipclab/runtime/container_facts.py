"""What a container is, beside its messages: its memory, the start of its process, the placement that moved it.

Sources: memory.current, memory.stat and memory.max (cgroup v2, https://docs.kernel.org/admin-guide/cgroup-v2.html);
memory.usage_in_bytes and memory.limit_in_bytes (v1); proc_pid_stat(5), starttime, which execve(2) keeps; proc_stat(5),
btime. Memory is counted as `docker stats` does: without pages of files that the kernel can drop at once.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from ipclab.metrics import definitions as metrics
from ipclab.metrics.definitions import Sample

PLACEMENT = "LAB_PLACEMENT"  # `./lab place` sets it in the container that it makes
_CGROUP = Path("/sys/fs/cgroup")
_DESCRIPTORS = Path("/proc/self/fd")
_FILES = (  # used, limit, and the name in memory.stat of what can be dropped
    ("memory.current", "memory.max", "memory.stat", "inactive_file"),
    ("memory/memory.usage_in_bytes", "memory/memory.limit_in_bytes", "memory/memory.stat", "total_inactive_file"),
)
_NO_LIMIT = 1 << 60  # cgroup v1 says nearly 2**63 where there is none


def memory(cgroup: Path = _CGROUP) -> tuple[int, int | None] | None:
    """Bytes of this container's memory, and its limit, None without one; None where the kernel shows none."""
    for used_name, limit_name, stat_name, droppable in _FILES:
        try:
            used = int((cgroup / used_name).read_text())
            words = (cgroup / stat_name).read_text().split()
            limit = (cgroup / limit_name).read_text().strip()
        except OSError:
            continue
        used -= int(words[words.index(droppable) + 1])
        bounded = limit != "max" and int(limit) < _NO_LIMIT
        return max(used, 0), int(limit) if bounded else None
    return None


def started_at(proc: Path = Path("/proc")) -> float:
    """When this process began, in seconds since 1970.

    :raises OSError: there is no /proc
    """
    boot = next(line.split()[1] for line in (proc / "stat").read_text().splitlines() if line.startswith("btime "))
    fields = (proc / "self/stat").read_text().rpartition(")")[2].split()  # the name may have blanks
    return int(boot) + int(fields[19]) / os.sysconf("SC_CLK_TCK")


class ContainerFacts:
    """The samples of one container."""

    def __init__(
        self, environment: Mapping[str, str] = os.environ, cgroup: Path = _CGROUP, descriptors: Path = _DESCRIPTORS
    ) -> None:
        self._placement = environment.get(PLACEMENT, "")
        self._cgroup = cgroup
        self._descriptors = descriptors
        self._started_at = started_at()

    def samples(self) -> Iterable[Sample]:
        """Those that can be measured here."""
        yield Sample(metrics.STARTED_AT, self._started_at)
        if self._placement:
            yield Sample(metrics.PLACEMENT_INFO, 1, (self._placement,))
        if found := memory(self._cgroup):
            used, limit = found
            yield Sample(metrics.CONTAINER_MEMORY, used)
            if limit is not None:
                yield Sample(metrics.CONTAINER_MEMORY_LIMIT, limit)
        # Without the one that lists them: proc_pid_fd(5).
        yield Sample(metrics.OPEN_DESCRIPTORS, sum(1 for _ in self._descriptors.iterdir()) - 1)
