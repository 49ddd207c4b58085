"""What waits in the kernel's buffer of a receiver: an optional part of the contract, for receivers that can ask.

The buffer of a pipe or a socket belongs to those who have it open: nobody else can look into it, unlike a queue
or a segment, which anybody in the namespace finds (`ipclab.kernel`).
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class HoldsBytes(Protocol):
    """A receiver whose kernel object says how full it is; both numbers are sums over the connections open now."""

    def queued_bytes(self) -> int:
        """Bytes that were sent and not yet read, as the kernel counts them (`capacity_bytes` does so too)."""

    def capacity_bytes(self) -> int:
        """How many there can be at the most."""
