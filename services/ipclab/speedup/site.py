"""Where coordinator and workers meet: which channels there are between them, and the address of each.

Which shape they have is the mechanism's. Where a channel serves many receivers it is a mailbox: all tasks go into one,
and whichever worker is free takes the next. Elsewhere each worker has a channel of its own for its tasks. Results share
one channel where it serves many senders, and have one for each worker where it does not.

What communicating costs a process: the CPU time of its thread inside `send` and `receive_into`.

That is system calls, copies, framing, waking the other side, and looking again and again where a mechanism polls
(CLOCK_THREAD_CPUTIME_ID, clock_gettime(2)). The time a process sleeps in these calls is not in it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ipclab.contract.channel import KEYS_PER_CHANNEL, Address, Sender, Traits
from ipclab.contract.errors import PeerAbsent

COORDINATOR = 0  # workers are 1, 2, …
OPEN_WITHIN_S = 30.0
_LOOK_AGAIN_S = 0.02


@dataclass(frozen=True)
class Site:
    """Addresses that all of one run agree upon.

    `key` is the first of the keys that are used, `path` what all names begin with, `hosts` the pattern of a host's
    name, in which `{}` is the number of its worker, or 0 for the coordinator.
    """

    traits: Traits
    key: int
    path: Path
    hosts: str
    port: int

    def tasks(self, worker: int) -> Address:
        """Where a worker, from 1, takes its tasks."""
        channel = 0 if self.traits.many_receivers else worker
        return self._address("tasks", 2 * channel, channel, host=channel)

    def results(self, worker: int) -> Address:
        """Where the results of a worker go."""
        channel = 0 if self.traits.many_senders else worker
        return self._address("results", 2 * channel + 1, channel, host=COORDINATOR)

    def _address(self, what: str, index: int, channel: int, *, host: int) -> Address:
        return Address(
            self.key + KEYS_PER_CHANNEL * index,
            self.path.with_name(f"{self.path.name}-{what}-{channel}"),
            self.hosts.format(host),
            self.port,
        )


def open_patiently(open_sender: Callable[[Address], Sender], address: Address) -> Sender:
    """A sender, once its receiver is there.

    :raises PeerAbsent: it was not within `OPEN_WITHIN_S`
    """
    deadline = time.monotonic() + OPEN_WITHIN_S
    while True:
        try:
            return open_sender(address)
        except PeerAbsent:
            if time.monotonic() > deadline:
                raise
            time.sleep(_LOOK_AGAIN_S)


class Stopwatch:
    """Adds up the calls of one process."""

    def __init__(self) -> None:
        self._moving_ns = 0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the call in this block, whether it succeeds or raises."""
        began_ns = time.thread_time_ns()
        try:
            yield
        finally:
            self._moving_ns += time.thread_time_ns() - began_ns

    def take(self) -> int:
        """The CPU time in ns since the last `take`."""
        moving_ns, self._moving_ns = self._moving_ns, 0
        return moving_ns
