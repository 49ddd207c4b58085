"""A detour on a link: packets for one address are received here, treated, and sent on to where they belong.

Sources: packet(7), arp(7). Who sends them has this machine's link address for their destination
(`ipclab.linux.netlink.set_neighbour`). It takes the place of netem (tc-netem(8)), which many kernels lack: the kernels
of virtual machines for Docker Desktop and of small clouds are built without it. It needs CAP_NET_RAW, and the kernel
must not forward the same packets itself (net.ipv4.ip_forward).
"""

from __future__ import annotations

import fcntl
import heapq
import itertools
import select
import socket
import struct
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from ipclab.linux.packets import VNET_BYTES, Packet

_ETH_P_IP = 0x0800
_SOL_PACKET, _PACKET_VNET_HDR = 263, 15
_SIOCGIFHWADDR = 0x8927
_TO_US = 0  # PACKET_HOST
_MOST_BYTES = VNET_BYTES + 14 + 65536
_LOOK_EVERY_S = 0.25
_ANY_PORT = 9

# What becomes of a packet: those to send instead, each with the seconds that it waits.
Treat = Callable[[Packet], Iterable[tuple[float, Packet]]]


class Detour:
    """The packets for one IPv4 address of a link."""

    def __init__(self, interface: str, address: str, treat: Treat) -> None:
        """
        :raises OSError: EPERM without CAP_NET_RAW
        """
        self._address = address
        self._treat = treat
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_IP))
        self._socket.setsockopt(_SOL_PACKET, _PACKET_VNET_HDR, 1)
        self._socket.bind((interface, _ETH_P_IP))
        self._own = link_address_of(interface)
        self._order = itertools.count()
        self._waiting: list[tuple[float, int, Packet]] = []
        self._target = b""
        self._asked_at = -1.0
        self.seen = 0

    def run(self, stopped: Callable[[], bool]) -> None:
        """Treat packets until told to stop."""
        while not stopped():
            self._send_due()
            timeout = min(_LOOK_EVERY_S, max(0.0, self._waiting[0][0] - time.monotonic()) if self._waiting else 9.0)
            if select.select([self._socket], [], [], timeout)[0]:
                self._receive()

    def _receive(self) -> None:
        data, (_, _, kind, _, _) = self._socket.recvfrom(_MOST_BYTES)
        packet = Packet(data[:VNET_BYTES], data[VNET_BYTES:])
        if kind != _TO_US or not packet.is_ipv4 or packet.destination != self._address:
            return
        self.seen += 1
        self._look_up()
        if not self._target:
            return  # nobody answers for the address: as without the detour, the packet is lost
        now = time.monotonic()
        for wait_s, treated in self._treat(packet):
            target = treated.to(self._target, self._own) if treated.destination == self._address else treated
            heapq.heappush(self._waiting, (now + wait_s, next(self._order), target))

    def _send_due(self) -> None:
        while self._waiting and self._waiting[0][0] <= time.monotonic():
            _, _, packet = heapq.heappop(self._waiting)
            with suppress(OSError):  # the link is full or down: a packet may be lost
                self._socket.send(packet.vnet + packet.frame)

    def _look_up(self) -> None:
        """The link address of the destination, which is another one when its container was started anew."""
        now = time.monotonic()
        if self._target and now - self._asked_at < 1:
            return
        self._asked_at = now
        with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.sendto(b"", (self._address, _ANY_PORT))  # so that the kernel asks by ARP
        for _ in range(20):
            if found := neighbour(self._address):
                self._target = found
                return
            time.sleep(0.01)


def link_address_of(interface: str) -> bytes:
    """The link address of an own interface (netdevice(7))."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        answer = fcntl.ioctl(asker, _SIOCGIFHWADDR, struct.pack("256s", interface.encode()))
    return answer[18:24]


def neighbour(address: str) -> bytes:
    """The link address that the kernel knows for an IPv4 address (/proc/net/arp, proc(5)); empty where it has none."""
    for line in Path("/proc/net/arp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[0] == address and fields[3] != "00:00:00:00:00:00":
            return bytes.fromhex(fields[3].replace(":", ""))
    return b""
