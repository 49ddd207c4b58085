"""The rows of `./lab bench speed`: which mechanism, waiting how, on how many CPUs, with messages of which size.

The names are those under which the mechanisms are usually compared; `mechanism` is the lab's name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from bench.rig import Cpus
from ipclab.channel import Wait

SMALL, LARGE, HUGE, QUEUE_MAX = 64, 1 << 16, 1 << 20, 8192


class Shape(StrEnum):
    """What is timed."""

    ROUND_TRIP = "round trip"
    ONE_WAY = "one way"
    ONE_WAY_CHECKED = "one way, checksums on"
    ONE_WAY_BATCHED = "one way, batched"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure."""

    name: str
    mechanism: str
    shape: Shape
    size: int
    cpus: Cpus = Cpus.ONE
    wait: Wait = Wait.BLOCK


_PIPES = (("pipe", "anonymous_pipe"), ("FIFO", "fifo"))
_SOCKETS = (("Unix", "unix_stream"), ("TCP", "tcp"))
_QUEUES = (("SysV queue", "sysv_mq"), ("POSIX queue", "posix_mq"))
_RINGS = (
    ("shm + SysV semaphore", "sysv_shm"),
    ("shm + POSIX semaphore", "posix_shm"),
    ("mmap + POSIX semaphore", "mmap_file"),
)


def rows() -> Iterator[Row]:
    """All of them, in the order in which they are printed."""
    for name, mechanism in (*_PIPES, *_SOCKETS, ("UDP", "udp"), *_QUEUES, *_RINGS):
        yield Row(name, mechanism, Shape.ROUND_TRIP, SMALL)
    yield Row("shm, spinning", "sysv_shm", Shape.ROUND_TRIP, SMALL, Cpus.TWO, Wait.SPIN)
    for size in (SMALL, LARGE, HUGE):
        for name, mechanism in (*_PIPES, *_SOCKETS, *_RINGS):
            yield Row(name, mechanism, Shape.ONE_WAY, size)
    for size in (SMALL, QUEUE_MAX):
        for name, mechanism in _QUEUES:
            yield Row(name, mechanism, Shape.ONE_WAY, size)
    for size in (SMALL, LARGE):
        yield Row("ring", "sysv_shm", Shape.ONE_WAY, size, Cpus.TWO)
    yield Row("ring", "sysv_shm", Shape.ONE_WAY_BATCHED, SMALL, Cpus.TWO)
    yield Row("ring, spinning", "sysv_shm", Shape.ONE_WAY_BATCHED, SMALL, Cpus.TWO, Wait.SPIN)
    for size in (SMALL, LARGE):
        yield Row("pipe", "anonymous_pipe", Shape.ONE_WAY_CHECKED, size)
