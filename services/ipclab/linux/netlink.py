"""Two changes of a network namespace by rtnetlink(7): a neighbour's link address, and a route that leads nowhere.

Both need CAP_NET_ADMIN in the namespace. Both are undone exactly by their removal: the kernel asks by ARP again
(arp(7)), and the route that was there applies again.
"""

from __future__ import annotations

import errno
import os
import socket
import struct

_HEADER = struct.Struct("=IHHII")  # struct nlmsghdr
_NEIGHBOUR = struct.Struct("=BBHiHBB")  # struct ndmsg
_ROUTE = struct.Struct("=BBBBBBBBI")  # struct rtmsg
_ATTRIBUTE = struct.Struct("=HH")
_ERROR = struct.Struct("=i")
_NEW_NEIGHBOUR, _DELETE_NEIGHBOUR, _NEW_ROUTE, _DELETE_ROUTE = 28, 29, 24, 25
_REQUEST, _ACKNOWLEDGE, _REPLACE, _CREATE = 0x1, 0x4, 0x100, 0x400
_PERMANENT = 0x80  # NUD_PERMANENT: the kernel never asks again
_ADDRESS, _LINK_ADDRESS, _DESTINATION = 1, 2, 1
_LOCAL_TABLE, _STATIC, _UNREACHABLE = 255, 4, 7
_HOST_BITS = 32


def set_neighbour(interface: str, address: str, link_address: str) -> None:
    """Let packets to an IPv4 address of this link go to a link address of our choice.

    :raises OSError: EPERM without CAP_NET_ADMIN, ENODEV without the interface
    """
    _neighbour(_NEW_NEIGHBOUR, _CREATE | _REPLACE, interface, address, bytes.fromhex(link_address.replace(":", "")))


def forget_neighbour(interface: str, address: str) -> None:
    """Let the kernel ask for the link address again. One that is not known is no error.

    :raises OSError: as `set_neighbour`
    """
    try:
        _neighbour(_DELETE_NEIGHBOUR, 0, interface, address, b"")
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise


def make_unreachable(address: str) -> None:
    """Let every packet to an own IPv4 address of this namespace fail with EHOSTUNREACH.

    :raises OSError: EPERM without CAP_NET_ADMIN
    """
    _local_route(_NEW_ROUTE, _CREATE | _REPLACE, address)


def make_reachable(address: str) -> None:
    """Undo `make_unreachable`. One that was not made is no error.

    :raises OSError: EPERM without CAP_NET_ADMIN
    """
    try:
        _local_route(_DELETE_ROUTE, 0, address)
    except OSError as error:
        if error.errno != errno.ESRCH:
            raise


def _neighbour(kind: int, flags: int, interface: str, address: str, link_address: bytes) -> None:
    body = _NEIGHBOUR.pack(socket.AF_INET, 0, 0, socket.if_nametoindex(interface), _PERMANENT, 0, 0)
    body += _attribute(_ADDRESS, socket.inet_aton(address))
    _ask(kind, flags, body + (_attribute(_LINK_ADDRESS, link_address) if link_address else b""))


def _local_route(kind: int, flags: int, address: str) -> None:
    body = _ROUTE.pack(socket.AF_INET, _HOST_BITS, 0, 0, _LOCAL_TABLE, _STATIC, 0, _UNREACHABLE, 0)
    _ask(kind, flags, body + _attribute(_DESTINATION, socket.inet_aton(address)))


def _attribute(kind: int, value: bytes) -> bytes:
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(value), kind) + value + bytes(-len(value) % 4)


def _ask(kind: int, flags: int, body: bytes) -> None:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as kernel:
        kernel.bind((0, 0))
        kernel.send(_HEADER.pack(_HEADER.size + len(body), kind, _REQUEST | _ACKNOWLEDGE | flags, 1, 0) + body)
        answer = kernel.recv(65536)
    (negative,) = _ERROR.unpack_from(answer, _HEADER.size)
    if negative:
        raise OSError(-negative, os.strerror(-negative))
