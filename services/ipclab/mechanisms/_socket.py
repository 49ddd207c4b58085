"""What the socket mechanisms share: what their errors mean, and connections that carry a byte stream."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable

from ipclab.contract.channel import ClosingEndpoint
from ipclab.contract.errors import AccessRefused, ChannelError, PeerAbsent, Unusable
from ipclab.mechanisms._stream import StreamWriter
from ipclab.mechanisms._stream_receiver import StreamReceiver
from ipclab.mechanisms._timed import SocketRead, SocketWrite

_REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS)
_UNUSABLE = (errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EEXIST, errno.EMFILE, errno.ENAMETOOLONG, errno.EPROTOTYPE)


def named(what: str, error: OSError) -> ChannelError:
    """The error of making or opening the socket `what`."""
    message = f"{what}: {error.strerror or error}"
    if isinstance(error, socket.gaierror):  # its numbers are not errnos; no such host now, perhaps later
        return PeerAbsent(message, code=errno.EHOSTUNREACH)
    if isinstance(error, TimeoutError):
        return PeerAbsent(message, code=errno.ETIMEDOUT)
    code = error.errno or errno.ENAMETOOLONG  # "AF_UNIX path too long" is all that has no number
    if code in _REFUSED:
        return AccessRefused(message, code=code)
    if code in _UNUSABLE:
        return Unusable(message, code=code)
    return PeerAbsent(message, code=code)


def inet(kind: str, host: str, port: int) -> str:
    """The words for an address in messages.

    :raises Unusable: no host can have that name; the resolver would raise something that is no error of a socket
    """
    what = f"{kind} {host}:{port}"
    if "\0" in host:
        raise Unusable(f"{kind}: a host name has no null character", code=errno.EINVAL)
    try:
        host.encode("idna")
    except UnicodeError as error:
        raise Unusable(f"{what} is no address: {error}", code=errno.EINVAL) from error
    return what


class ConnectionSender(ClosingEndpoint):
    """The connecting side."""

    def __init__(self, what: str, connection: socket.socket) -> None:
        self._connection = connection
        self.send = StreamWriter(what, connection.fileno(), SocketWrite(connection)).send

    def close(self) -> None:
        self._connection.close()


class ConnectionReceiver(StreamReceiver):
    """The listening side. `prepare` sets the options of every connection that comes in.

    `limit_option` is the socket option that limits what can wait in one: the receiver's or the sender's buffer.
    """

    def __init__(
        self,
        what: str,
        listener: socket.socket,
        prepare: Callable[[socket.socket], None] | None = None,
        limit_option: int = socket.SO_RCVBUF,
    ) -> None:
        listener.setblocking(False)
        super().__init__(what, door=listener.fileno())
        self._listener = listener
        self._prepare = prepare
        self._limit_option = limit_option

    def close(self) -> None:
        super().close()
        self._listener.close()

    def remove(self) -> None:
        self.close()

    def _capacity_of(self, descriptor: int) -> int:
        connection = socket.socket(fileno=descriptor)
        try:
            return connection.getsockopt(socket.SOL_SOCKET, self._limit_option)
        finally:
            connection.detach()

    def _let_in(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:  # the peer may be gone again by now
            return
        connection.setblocking(True)
        try:
            if self._prepare:
                self._prepare(connection)
        except OSError:
            connection.close()
            return
        self._welcome(connection)

    def _welcome(self, connection: socket.socket) -> None:
        """Read what comes from there, and close it when that ends."""
        self._add(connection.fileno(), SocketRead(connection), connection.close)
