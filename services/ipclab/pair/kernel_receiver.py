"""The kernel's counts of the open endpoint, which a consumer or a producer exports.

The kernel is asked on a tick, a few times a second and from the thread that communicates, never per message.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from ipclab.contract.optional_parts import CountsDrops, HoldsBytes
from ipclab.metrics import definitions as metrics
from ipclab.metrics.definitions import Sample


class KernelReceiver:
    """Follows one receiver after the other. What was dropped adds up; what is held belongs to the open one.

    A receiver of which the kernel tells nothing has no series: that is not the same as 0.
    """

    def __init__(self) -> None:
        self._receiver: object = None
        self._dropped_before = 0  # at the receivers that are closed
        self._dropped: int | None = None
        self._held: tuple[int, int] | None = None  # bytes, and how many there can be

    @contextmanager
    def following(self, receiver: object) -> Iterator[None]:
        """`receiver` is open within the block."""
        self._receiver = receiver
        self.tick()
        try:
            yield
        finally:
            self.tick()
            self._receiver = self._held = None
            self._dropped_before = self._dropped or 0

    def tick(self) -> None:
        """Ask the kernel: at most four system calls for each connection."""
        receiver = self._receiver
        if isinstance(receiver, CountsDrops):
            self._dropped = self._dropped_before + receiver.kernel_drops()
        if isinstance(receiver, HoldsBytes):
            self._held = receiver.queued_bytes(), receiver.capacity_bytes()

    def samples(self) -> Iterable[Sample]:
        """The kernel's counts at the last tick."""
        held = self._held
        if self._dropped is not None:
            yield Sample(metrics.KERNEL_DROPS, self._dropped)
        if held is not None:
            yield Sample(metrics.KERNEL_BUFFER, held[0])
            yield Sample(metrics.KERNEL_BUFFER_LIMIT, held[1])
