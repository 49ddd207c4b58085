"""A datagram socket that knocks before it trusts an address: see docs/decisions/0008-udp-peer-detection.md."""

from __future__ import annotations

import os
import socket
import time

from ipclab.building_blocks.stream_sender import wait_for

_IP_RECVERR = 11  # <linux/in.h>
_KNOCK_S = 0.02


def knock(noted: socket.socket) -> None:
    """Give the kernel of the peer that `noted` is connected to the time to refuse.

    :raises OSError: it did
    """
    noted.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)  # also say, now and later, that the host is gone
    noted.send(b"")
    if wait_for(noted.fileno(), 0, time.monotonic() + _KNOCK_S):  # no event is asked for: nothing but an error
        refused = noted.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        raise OSError(refused, os.strerror(refused))
