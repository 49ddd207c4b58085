"""Replies on a connection: it goes both ways, each its own byte stream, framed as the other."""

from __future__ import annotations

import errno
import socket
import time
from typing import Any

from ipclab.contract.errors import PeerGone, ReceiveTimeout
from ipclab.mechanisms._socket import ConnectionReceiver, ConnectionSender
from ipclab.mechanisms._stream import MAX_MESSAGE_BYTES, StreamWriter
from ipclab.mechanisms._stream_receiver import Stream
from ipclab.mechanisms._timed import SocketRead, SocketWrite
from ipclab.scatter import ScatterReader


class ConnectionAsker(ConnectionSender):
    """The connecting side, which also reads."""

    def __init__(self, what: str, connection: socket.socket) -> None:
        super().__init__(what, connection)
        self._what = what
        self._frames = ScatterReader(MAX_MESSAGE_BYTES)
        self._read = SocketRead(connection)

    def receive_into(self, buffer: memoryview, timeout_s: float) -> int:
        deadline = time.monotonic() + timeout_s
        frames, left = self._frames, timeout_s
        try:
            while True:
                length = frames.receive_into(buffer, self._read, left, deadline)
                if length is not None:
                    return length
                left = deadline - time.monotonic()
                if left <= 0:
                    break
        except BlockingIOError:
            pass
        except EOFError as error:
            frames.end_of_stream()
            raise PeerGone(f"{self._what}: the answerer has closed", code=errno.ECONNRESET) from error
        except OSError as error:
            raise PeerGone(f"{self._what}: {error.strerror}", code=error.errno or errno.ECONNRESET) from error
        frames.fill_hole()  # the buffer is the caller's again
        raise ReceiveTimeout(f"{self._what}: no reply", code=errno.EAGAIN)


class ConnectionAnswerer(ConnectionReceiver):
    """The listening side, which also writes, to the connection it read from last."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._asker: StreamWriter | None = None
        self._writers: dict[int, StreamWriter] = {}

    def reply(self, payload: memoryview, timeout_s: float) -> None:
        """See `ipclab.contract.optional.Answerer`."""
        asker = self._asker
        if asker is None:
            raise PeerGone(f"{self._what}: whoever asked has gone", code=errno.EPIPE)
        asker.send(payload, timeout_s)

    def _welcome(self, connection: socket.socket) -> None:
        super()._welcome(connection)
        descriptor = connection.fileno()
        self._writers[descriptor] = StreamWriter(self._what, descriptor, SocketWrite(connection))

    def _read_once(self, stream: Stream, buffer: memoryview, timeout_s: float, deadline: float) -> int | None:
        self._asker = self._writers[stream.descriptor]
        return super()._read_once(stream, buffer, timeout_s, deadline)

    def _drop(self, descriptor: int) -> None:
        super()._drop(descriptor)
        del self._writers[descriptor]
        self._asker = None
