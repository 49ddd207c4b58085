"""The channels between coordinator and workers with their addresses, and the CPU time of communication.

The mechanism decides the topology. A channel with many receivers is one mailbox for all tasks: the next free worker
takes the next task. Otherwise each worker has a channel of its own for its tasks. Results share one channel where it
serves many senders; otherwise there is one channel for each worker.

`Stopwatch` adds up the CPU time of a thread inside `send` and `receive_into` (CLOCK_THREAD_CPUTIME_ID,
clock_gettime(2)): system calls, copies, framing, waking the other side, and polling. Time asleep is not part of it.
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
_RETRY_S = 0.02


@dataclass(frozen=True)
class Topology:
    """The addresses of one run.

    `key` is the first key, `path` the beginning of all names, `hosts` the pattern of a host name: `{}` is the number of
    the worker, or 0 for the coordinator.
    """

    traits: Traits
    key: int
    path: Path
    hosts: str
    port: int

    def tasks(self, worker: int) -> Address:
        """The address of the tasks of a worker, from 1."""
        channel = 0 if self.traits.many_receivers else worker
        return self._address("tasks", 2 * channel, channel, host=channel)

    def results(self, worker: int) -> Address:
        """The address of the results of a worker."""
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
    """Open a sender, and wait for its receiver.

    :raises PeerAbsent: there is no receiver within `OPEN_WITHIN_S`
    """
    deadline = time.monotonic() + OPEN_WITHIN_S
    while True:
        try:
            return open_sender(address)
        except PeerAbsent:
            if time.monotonic() > deadline:
                raise
            time.sleep(_RETRY_S)


class Stopwatch:
    """The CPU time of the calls of one process."""

    def __init__(self) -> None:
        self._moving_ns = 0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the call in this block, also if the call raises."""
        began_ns = time.thread_time_ns()
        try:
            yield
        finally:
            self._moving_ns += time.thread_time_ns() - began_ns

    def take(self) -> int:
        """The CPU time in ns since the last `take`."""
        moving_ns, self._moving_ns = self._moving_ns, 0
        return moving_ns
