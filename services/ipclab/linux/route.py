"""The route to a host in this network namespace: the host's address, and the interface that leads there.

connect(2) on a datagram socket looks the route up and sends nothing (udp(7)). SIOCGIFADDR gives the interface of the
source address that connect(2) chose (netdevice(7)).
"""

from __future__ import annotations

import fcntl
import socket
import struct
from contextlib import suppress

_SIOCGIFADDR = 0x8915  # <linux/sockios.h>
_REQUEST = struct.Struct("256s")
_ANY_PORT = 9
_ADDRESS = slice(20, 24)  # of sin_addr in struct ifreq


def route_to(host: str) -> str:
    """In words: "172.18.0.3 by eth1, from 172.18.0.5"; or why there is none."""
    try:
        address = str(socket.getaddrinfo(host, _ANY_PORT, socket.AF_INET, socket.SOCK_DGRAM)[0][4][0])
    except (OSError, UnicodeError) as error:
        return f"none, the name has no address here: {error}"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        try:
            asker.connect((address, _ANY_PORT))
        except OSError as error:
            return f"none to {address}: {error}"
        own = str(asker.getsockname()[0])
        by = "lo" if own == address else _interface(asker, own)  # an own address is reached by the loopback: ip(7)
        return f"{address} by {by}, from {own}"


def _interface(asker: socket.socket, own: str) -> str:
    for _, name in socket.if_nameindex():
        with suppress(OSError):  # one without an address
            request = fcntl.ioctl(asker, _SIOCGIFADDR, _REQUEST.pack(name.encode()))
            if socket.inet_ntoa(request[_ADDRESS]) == own:
                return name
    return "an interface that is not told"


def interface_to(address: str) -> str:
    """The interface that leads to an IPv4 address.

    :raises OSError: no route does
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.connect((address, _ANY_PORT))
        return _interface(asker, str(asker.getsockname()[0]))
