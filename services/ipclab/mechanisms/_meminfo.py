"""What a socket's buffer holds, may hold, and dropped: SO_MEMINFO.

Source: <asm-generic/socket.h>; the words are those of sock_diag(7), SK_MEMINFO.
"""

from __future__ import annotations

import socket
import struct
from typing import NamedTuple

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
