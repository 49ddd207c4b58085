"""The holder: owns the shared IPC namespace and does nothing else.

An IPC namespace dies with its last process. If a consumer owned it, restarting the consumer would take
it away from its producer; so a container that never needs a restart owns it, and shows its inode.
"""

from __future__ import annotations

import time

from ipclab.lifecycle import TICK_S, Stop, Vitals


def hold(vitals: Vitals, stop: Stop) -> None:
    """Hold the namespace until told to stop."""
    vitals.opened()
    while not stop.requested:
        vitals.tick(time.monotonic_ns())
        time.sleep(TICK_S)
