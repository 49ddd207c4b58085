"""A timeout that the kernel keeps: SO_RCVTIMEO and SO_SNDTIMEO, socket(7)."""

from __future__ import annotations

import socket
import struct


class SocketTimeout:
    """One of the two options of one blocking socket, so that a message costs one system call and no more."""

    def __init__(self, endpoint: socket.socket, option: int) -> None:
        self._socket = endpoint
        self._option = option
        self._timeout_s = -1.0

    def set(self, timeout_s: float) -> None:
        """From now on a call that must wait ends with EAGAIN after `timeout_s`.

        :raises OSError: the socket is closed
        """
        if timeout_s != self._timeout_s:
            microseconds = max(1, round(timeout_s * 1e6))  # 0 would mean for ever
            timeval = struct.pack("ll", *divmod(microseconds, 1_000_000))
            self._socket.setsockopt(socket.SOL_SOCKET, self._option, timeval)
            self._timeout_s = timeout_s
