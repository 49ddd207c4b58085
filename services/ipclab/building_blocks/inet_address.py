"""Internet addresses of the two ends: a peer's, and an own one, which may be taken away while it is listened on.

Sources: getaddrinfo(3), ip(7), bind(2). A container has an address in each of its networks. A receiver binds to the one
that its own name has, so that no peer reaches it from another network. A container that leaves a network and joins it
again may get another address there; a socket stays bound to the old one and hears nothing any more.
"""

from __future__ import annotations

import errno
import socket
import time

from ipclab.contract.errors import PeerAbsent, PeerGone

_ANY = "0.0.0.0"
_CHECK_EVERY_S = 1.0


def peer_address(host: str, port: int) -> tuple[str, int]:
    """The first IPv4 address of `host`.

    :raises socket.gaierror: the name has none here
    """
    return _addresses(host, port)[0]


def own_address(host: str, port: int) -> tuple[str, int]:
    """The IPv4 address of `host` that this network namespace has; every local address where `host` is empty.

    :raises socket.gaierror: the name has none
    :raises PeerAbsent: EADDRNOTAVAIL, all that it has are others'
    """
    if not host:
        return _ANY, port
    found = _addresses(host, port)
    for address in found:
        if _is_here(address[0]):
            return address
    raise PeerAbsent(f"{host} is {found[0][0]}, which is no address of this host", code=errno.EADDRNOTAVAIL)


class BoundAddress:
    """The address that a receiver's socket is bound to, and the name it was found by."""

    def __init__(self, host: str, address: tuple[str, int]) -> None:
        self._host = host
        self._address = address
        self._next_check = 0.0

    def check(self) -> None:
        """Call it in silence; it looks once a second. An address that comes back is not given up.

        :raises PeerGone: EADDRNOTAVAIL, the address is gone, and the name has another one by now
        """
        now = time.monotonic()
        if now < self._next_check:
            return
        self._next_check = now + _CHECK_EVERY_S
        if self._address[0] == _ANY or _is_here(self._address[0]):
            return
        try:
            current = own_address(self._host, self._address[1])
        except (OSError, PeerAbsent):  # cut off: the old address may come back
            return
        raise PeerGone(f"{self._address[0]} is gone, {self._host} is {current[0]} now", code=errno.EADDRNOTAVAIL)


def _addresses(host: str, port: int) -> list[tuple[str, int]]:
    found = socket.getaddrinfo(host, port, socket.AF_INET, socket.SOCK_STREAM)
    return [(str(address[0]), int(address[1])) for *_, address in found]


def _is_here(address: str) -> bool:
    """Whether bind(2) to it, at any free port, is not EADDRNOTAVAIL."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError as error:
            return error.errno != errno.EADDRNOTAVAIL
    return True
