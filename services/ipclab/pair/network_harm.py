"""What `./lab fault` does to the packets of a pair on its network: they take a detour through a container of its own.

Source: `ipclab.linux.link`. A treatment gets each packet from the producer to the consumer, and says what is sent
instead, and when. Answers go the direct way.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from ipaddress import IPv4Address

from ipclab.linux.link import Detour, Treat
from ipclab.linux.packets import Packet
from ipclab.linux.route import interface_to

_HELD_BACK_S = 0.02


def _delayed(milliseconds: int) -> Treat:
    return lambda packet: [(milliseconds / 1000, packet)]


def _lost(percent: int) -> Treat:
    return lambda packet: [] if random.random() * 100 < percent else [(0.0, packet)]


def _duplicated(percent: int) -> Treat:
    return lambda packet: [(0.0, packet)] * (2 if random.random() * 100 < percent else 1)


def _reordered(percent: int) -> Treat:
    return lambda packet: [(_HELD_BACK_S if random.random() * 100 < percent else 0.0, packet)]


def _sliced(most_bytes: int) -> Treat:
    return lambda packet: [(0.0, part) for part in (packet.sliced(most_bytes) if packet.is_tcp else [packet])]


class _Reset:
    """Ends the connection every so many seconds."""

    def __init__(self, every_s: int) -> None:
        self._every_s = every_s
        self._last = -1e9

    def __call__(self, packet: Packet) -> Iterable[tuple[float, Packet]]:
        if not packet.is_tcp or not packet.payload or time.monotonic() - self._last < self._every_s:
            return [(0.0, packet)]
        self._last = time.monotonic()
        return [(0.0, reset) for reset in packet.resets()]


TREATMENTS: Mapping[str, Callable[[int], Treat]] = {
    "latency": _delayed,
    "loss": _lost,
    "duplicate": _duplicated,
    "reorder": _reordered,
    "slice": _sliced,
    "reset": _Reset,
}


def start(name: str, strength: int, address: str) -> None:
    """Treat the packets for this IPv4 address in the background.

    :raises OSError: there is no route to it, or the right to receive packets is missing
    """
    detour = Detour(interface_to(str(IPv4Address(address))), address, TREATMENTS[name](strength))
    threading.Thread(target=detour.run, args=(lambda: False,), name="detour", daemon=True).start()
