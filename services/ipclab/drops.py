"""What the kernel itself threw away: an optional part of the contract, for receivers that can ask.

A consumer's own gap count misses what was dropped after the last message it saw, and cannot tell a full
buffer from a cut cable. Where the kernel keeps a count of its own, the receiver shows it.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class CountsDrops(Protocol):
    """A receiver whose kernel object counts what it had no room for."""

    def kernel_drops(self) -> int:
        """Messages dropped at this receiver since it was created; 0 again for the next one."""
