"""A peer of a TCP connection that is silent, and one that is merely slow.

TCP_USER_TIMEOUT (tcp(7)) makes no difference between the two: it also ends a connection whose peer has closed its
window and acknowledges every probe of the window, although TCP waits for such a peer for ever (RFC 9293, 3.8.6.1). So
the limit is off, and the writer polls TCP_INFO a few times a second. A peer is silent if a segment or a probe is
unacknowledged and the last acknowledgement is `SILENT_MS` old. Then the writer sets the limit, and the kernel ends the
connection with ETIMEDOUT at its next retransmission or probe. A process that is paused is not silent: its kernel
acknowledges for it.

The kernel sends one a second at least, from Linux 6.15 on (TCP_RTO_MAX_MS). Before, the time between two doubles up to
two minutes: a peer that falls silent within a long pause is then found with the next probe.

A connection with nothing on its way has keepalive instead, which counts unanswered probes.
"""

from __future__ import annotations

import socket
import struct
import time

from ipclab.building_blocks.timed_io import SocketWrite

SILENT_MS = 5000
_POLL_EVERY_S = 0.25
_NEVER, _AT_ONCE = 0, 1  # of TCP_USER_TIMEOUT, in milliseconds
# struct tcp_info, <linux/tcp.h>: where its fields are, in bytes.
_INFO_BYTES = 60
_U32 = struct.Struct("=I")
_PROBES_AT, _UNACKED_AT, _LAST_ACK_RECV_AT = 3, 24, 56


class TcpWrite(SocketWrite):
    """A `SocketWrite` that gives up a silent peer."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__(connection)
        self._connection = connection
        self._next_poll_at = 0.0
        self._limit = _NEVER
        self._seems_silent = False

    def __call__(self, pieces: list[memoryview], timeout_s: float, deadline: float) -> int:
        self._poll_sometimes()
        return super().__call__(pieces, timeout_s, deadline)

    def now(self, frame: memoryview) -> int | None:
        self._poll_sometimes()
        return super().now(frame)

    def _poll_sometimes(self) -> None:
        now = time.monotonic()
        if now >= self._next_poll_at:
            self._next_poll_at = now + _POLL_EVERY_S
            self._poll()

    def _poll(self) -> None:
        # A probe that was sent just now is not answered yet, and the one before may be minutes old: poll twice.
        was_silent, self._seems_silent = self._seems_silent, is_silent(self._connection)
        limit = _AT_ONCE if was_silent and self._seems_silent else _NEVER
        if limit != self._limit:
            self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, limit)
            self._limit = limit


def is_silent(connection: socket.socket) -> bool:
    """True if a segment or a probe waits for an acknowledgement, and none came for `SILENT_MS`."""
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES)
    unacked, last_ack_ms = (_U32.unpack_from(info, at)[0] for at in (_UNACKED_AT, _LAST_ACK_RECV_AT))
    return bool(unacked or info[_PROBES_AT]) and last_ack_ms >= SILENT_MS
