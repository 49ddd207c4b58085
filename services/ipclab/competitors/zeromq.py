"""ZeroMQ by pyzmq: a PUSH and a PULL socket, by a Unix socket (`ipc://`) and by TCP.

Sources: https://zguide.zeromq.org/docs/chapter2, https://pyzmq.readthedocs.io/en/latest/api/zmq.html. A thread of the
library moves the messages on each side, so `send` returns when the library has the message. The high-water marks limit
its queues to what a ring of the lab holds; by default they count 1,000 messages of any size.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from ipclab.bench import endpoint
from ipclab.bench.endpoint import Ends
from ipclab.bench.ports import Receives, Sends
from ipclab.bench.request import Request, Side
from ipclab.competitors._rows import absent, depth_of, optional, row
from ipclab.contract.channel import Address
from ipclab.contract.errors import ChannelFull, MessageTooLarge, PeerAbsent, ReceiveTimeout

IPC, TCP = "zeromq_ipc", "zeromq_tcp"
zmq = optional("zmq")
_LINGER_MS = 5_000  # what was sent is delivered before the process ends


def main(argv: Sequence[str]) -> int:
    """See `ipclab.bench.endpoint.main`."""
    return endpoint.main(argv, describe, open_ends)


def describe() -> dict[str, Any]:
    """See `ipclab.bench.endpoint`."""
    if zmq is None:
        return absent("pyzmq")
    version = f"pyzmq {zmq.__version__}, libzmq {zmq.zmq_version()}"
    return {"rows": [row("zeromq", IPC, ["volume"], version), row("zeromq", TCP, ["network"], version)]}


class _Sends:
    def __init__(self, end: Any) -> None:
        self._send = end.send
        self._full = zmq.Again

    def send(self, payload: memoryview, timeout_s: float, /) -> None:
        del timeout_s  # SNDTIMEO
        try:
            self._send(payload)
        except self._full as error:
            raise ChannelFull("the queue is full", code=errno.EAGAIN) from error


class _Receives:
    def __init__(self, end: Any) -> None:
        self._receive_into = end.recv_into
        self._empty = zmq.Again

    def receive_into(self, buffer: memoryview, timeout_s: float, /) -> int:
        del timeout_s  # RCVTIMEO
        try:
            length: int = self._receive_into(buffer)
        except self._empty as error:
            raise ReceiveTimeout("no message", code=errno.EAGAIN) from error
        if length > len(buffer):
            raise MessageTooLarge(f"{length} bytes for a buffer of {len(buffer)}", code=errno.EMSGSIZE)
        return length


def open_ends(request: Request, stack: ExitStack) -> Ends:
    """A pair of sockets in each direction: the receiver binds, the sender connects."""
    context = zmq.Context()
    stack.callback(context.destroy, _LINGER_MS)

    def receives(address: Address) -> Receives:
        return _Receives(_socket(context, zmq.PULL, request, address))

    def sends(address: Address) -> Sends:
        return _Sends(_socket(context, zmq.PUSH, request, address))

    if request.role is Side.PRODUCER:
        replies = receives(request.back)
        return Ends(sends(request.address), lambda: replies)
    return Ends(receives(request.address), lambda: sends(request.back))


def _socket(context: Any, kind: int, request: Request, address: Address) -> Any:
    end = context.socket(kind)
    milliseconds = round(request.silence_s * 1000)
    depth = depth_of(request.size)
    for option, value in (
        (zmq.SNDHWM, depth),
        (zmq.RCVHWM, depth),
        (zmq.SNDTIMEO, milliseconds),
        (zmq.RCVTIMEO, milliseconds),
    ):
        end.setsockopt(option, value)
    try:
        if request.mechanism == IPC:
            if kind == zmq.PULL:
                address.path.unlink(missing_ok=True)
            where = f"ipc://{address.path}"
        else:
            where = f"tcp://{_bindable(address.host)}:{address.port}"
        (end.bind if kind == zmq.PULL else end.connect)(where)
    except zmq.ZMQError as error:
        raise PeerAbsent(f"{request.mechanism}: {error}", code=error.errno or errno.EADDRNOTAVAIL) from error
    return end


def _bindable(host: str) -> str:
    """bind() takes an address or the name of an interface, and no host name."""
    return socket.gethostbyname(host) if host else "*"
