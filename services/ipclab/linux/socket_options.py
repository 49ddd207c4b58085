"""Options of sockets: timeouts that the kernel keeps, and what a receive buffer holds, may hold and dropped.

Sources: SO_RCVTIMEO and SO_SNDTIMEO in socket(7); SO_MEMINFO in <asm-generic/socket.h>, whose words are those of
SK_MEMINFO in sock_diag(7).
"""

from __future__ import annotations

import socket
import struct
from typing import NamedTuple

# A wait that goes on keeps its limit if no more than this share of it is over: a system call for each would cost more.
_TOO_LONG = 1.1


class SocketTimeout:
    """One of the two options of one blocking socket, so that a message costs one system call and no more.

    `seconds`: what was set last.
    """

    def __init__(self, endpoint: socket.socket, option: int) -> None:
        self._socket = endpoint
        self._option = option
        self.seconds = -1.0

    def set(self, timeout_s: float) -> None:
        """From now on a call that must wait ends with EAGAIN after `timeout_s`, or up to a tenth later.

        :raises OSError: the socket is closed
        """
        if not timeout_s <= self.seconds <= _TOO_LONG * timeout_s:
            microseconds = max(1, round(timeout_s * 1e6))  # 0 would mean for ever
            timeval = struct.pack("ll", *divmod(microseconds, 1_000_000))
            self._socket.setsockopt(socket.SOL_SOCKET, self._option, timeval)
            self.seconds = timeout_s


_SO_MEMINFO = 55
_WORDS = struct.Struct("9I")
_RMEM_ALLOC, _RCVBUF, _DROPS = 0, 1, 8


class Meminfo(NamedTuple):
    """Of the receiving side. Bytes are with the kernel's overhead, which counts against the limit."""

    received_bytes: int
    limit_bytes: int
    dropped: int  # arrivals since the socket was made


def meminfo(endpoint: socket.socket) -> Meminfo:
    """The words as they are now.

    :raises OSError: a kernel before 4.12
    """
    words = _WORDS.unpack(endpoint.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _WORDS.size))
    return Meminfo(words[_RMEM_ALLOC], words[_RCVBUF], words[_DROPS])
