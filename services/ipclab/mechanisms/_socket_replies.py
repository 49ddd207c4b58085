"""Replies on a connection: it goes both ways, each its own byte stream, framed as the other."""

from __future__ import annotations

import errno
import os
import select
import socket
import time
from functools import partial
from typing import Any

from ipclab.errors import PeerGone, ReceiveTimeout
from ipclab.framing import FrameReader
from ipclab.mechanisms._socket import ConnectionReceiver, ConnectionSender
from ipclab.mechanisms._stream import MAX_MESSAGE_BYTES, StreamWriter


class ConnectionAsker(ConnectionSender):
    """The connecting side, which also reads."""

    def __init__(self, what: str, connection: socket.socket) -> None:
        super().__init__(what, connection)
        self._what = what
        self._frames = FrameReader(MAX_MESSAGE_BYTES)
        self._poll = select.poll()
        self._poll.register(connection, select.POLLIN)

    def receive_into(self, buffer: memoryview, timeout_s: float) -> int:
        deadline = time.monotonic() + timeout_s
        left = timeout_s
        while (length := self._frames.next_into(buffer)) is None:
            if left < 0 or not self._poll.poll(left * 1000):
                raise ReceiveTimeout(f"{self._what}: no reply", code=errno.EAGAIN)
            self._read()
            left = deadline - time.monotonic()
        return length

    def _read(self) -> None:
        try:
            count = self._connection.recv_into(self._frames.space())
        except BlockingIOError:
            return
        except OSError as error:
            raise PeerGone(f"{self._what}: {error.strerror}", code=error.errno or errno.ECONNRESET) from error
        if not count:
            self._frames.end_of_stream()
            raise PeerGone(f"{self._what}: the answerer has closed", code=errno.ECONNRESET)
        self._frames.filled(count)


class ConnectionAnswerer(ConnectionReceiver):
    """The listening side, which also writes, to the connection it read from last."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._asker = -1
        self._writers: dict[int, StreamWriter] = {}

    def reply(self, payload: memoryview, timeout_s: float) -> None:
        """See `ipclab.two_way.Answerer`."""
        descriptor = self._asker
        if descriptor < 0:
            raise PeerGone(f"{self._what}: whoever asked has gone", code=errno.EPIPE)
        writer = self._writers.get(descriptor)
        if writer is None:
            writer = self._writers[descriptor] = StreamWriter(self._what, descriptor, partial(os.writev, descriptor))
        writer.send(payload, timeout_s)

    def _read(self, descriptor: int, buffer: memoryview) -> int | None:
        self._asker = descriptor
        return super()._read(descriptor, buffer)

    def _drop(self, descriptor: int) -> None:
        super()._drop(descriptor)
        self._writers.pop(descriptor, None)
        self._asker = -1
