"""The rows of `./lab bench speed`: which mechanism, waiting how, on how many CPUs, with messages of which size.

The names are those under which the mechanisms are usually compared; `mechanism` is the lab's name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bench.rig import Cpus
from ipclab import mechanisms
from ipclab.contract.channel import Wait

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
_DATAGRAMS = (("UDP", "udp"),)
_QUEUES = (("SysV queue", "sysv_mq"), ("POSIX queue", "posix_mq"))
_RINGS = (
    ("shm + SysV semaphore", "sysv_shm"),
    ("shm + POSIX semaphore", "posix_shm"),
    ("mmap + POSIX semaphore", "mmap_file"),
)
_ELSEWHERE = ("plain_file",)  # has a benchmark of its own


def rows() -> Iterator[Row]:
    """All of them, in the order in which they are printed; last those of mechanisms that are not named above."""
    for name, mechanism in (*_PIPES, *_SOCKETS, *_DATAGRAMS, *_QUEUES, *_RINGS):
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
    yield from _others((*_PIPES, *_SOCKETS, *_DATAGRAMS, *_QUEUES, *_RINGS))


def _others(named: Sequence[tuple[str, str]]) -> Iterator[Row]:
    known = {mechanism for _, mechanism in named}.union(_ELSEWHERE)
    for name in mechanisms.names():
        if name not in known:
            yield Row(name, name, Shape.ROUND_TRIP, SMALL)
            traits = mechanisms.load(name).traits
            if traits.reliable:  # what is dropped has no rate at which all of it arrives
                for size in (SMALL, min(LARGE, traits.max_message_bytes)):
                    yield Row(name, name, Shape.ONE_WAY, size)
