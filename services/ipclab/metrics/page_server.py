"""The HTTP server of a metrics page: GET, over connections that stay open between two scrapes.

Source: RFC 9112, select(2). One thread serves all connections, and each of them has limits: bytes, time, and how many
there are at once. So a client that asks slowly, reads slowly, asks for too much or comes a thousand times costs this
container a bounded amount of memory and no thread, and Prometheus is answered meanwhile. See
docs/decisions/0069-one-thread-for-the-metrics-page.md.

`http.server` of the standard library needs twelve modules and 5 MiB more in every container. Prometheus keeps
its connection (HTTP/1.1), so a scrape makes no socket and no thread.
"""

from __future__ import annotations

import logging
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus

from ipclab.metrics.exposition import CONTENT_TYPE
from ipclab.metrics.http_request import MAX_HEAD_BYTES, BadRequest, parse

_ACCEPTED_AT_ONCE = 16
_BACKLOG = 1024
_NO_DESCRIPTOR_S = 1.0  # how long nobody is let in where accept(2) fails, as with EMFILE
_log = logging.getLogger("ipclab")


@dataclass(frozen=True, slots=True)
class Limits:
    """What clients may take of this server."""

    # One more of either ends one of the address that has the most: of its connections the one whose last answer is the
    # oldest, of its unfinished answers the one that was read from the longest ago.
    connections: int = 64
    answers: int = 8
    request_s: float = 5.0  # from the first byte, or from the connection, to the end of the request
    answer_s: float = 10.0  # from the first byte of the answer to the last
    idle_s: float = 60.0  # between two requests
    linger_s: float = 1.0  # for the end of what a client still sends, so that no reset overtakes the answer


_DEFAULT = Limits()


class _Connection:
    """One client."""

    __slots__ = ("address", "answer", "answered_at", "deadline", "last", "received", "since", "socket")

    def __init__(self, accepted: socket.socket, address: str, now: float, deadline: float) -> None:
        self.socket = accepted
        self.address = address
        self.received = bytearray()
        self.answer: memoryview | None = None  # what is left of it
        self.last = False  # no request follows
        self.since = now  # it came, or took bytes of an answer
        self.answered_at = float("-inf")
        self.deadline = deadline

    def fileno(self) -> int:
        """For the selector."""
        return self.socket.fileno()


class PageServer:
    """Serves the text that `make` returns, at /metrics, on all addresses unless one is named."""

    def __init__(self, port: int, make: Callable[[], str], address: str = "", limits: Limits = _DEFAULT) -> None:
        """:raises OSError: the port is in use"""
        self._make = make
        self._limits = limits
        self._cpu_ns = 0
        self._connections: dict[_Connection, None] = {}
        self._with_more: list[_Connection] = []  # further bytes have been received already
        self._shut_until = 0.0
        self._listener = socket.create_server((address, port), backlog=_BACKLOG)
        self._listener.setblocking(False)
        self._woken, self._wake = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._serve, name="page", daemon=True)

    @property
    def port(self) -> int:
        """The port; what the kernel chose where 0 was asked for."""
        return int(self._listener.getsockname()[1])

    @property
    def cpu_ns(self) -> int:
        """CPU time of the thread that makes and sends the pages."""
        return self._cpu_ns

    def start(self) -> None:
        """Serve in the background, as long as this process lives, or until `close`."""
        self._thread.start()

    def close(self) -> None:
        """End all connections, and free the port."""
        self._wake.close()
        if self._thread.ident is not None:
            self._thread.join()
        for connection in list(self._connections):
            self._end(connection)
        for opened in (self._listener, self._woken, self._selector):
            opened.close()

    def _serve(self) -> None:
        while True:
            for key, _ in self._selector.select(self._within_s()):
                if key.fileobj is self._woken:
                    return
                if key.fileobj is self._listener:
                    self._accept()
                elif key.data in self._connections:  # an earlier event of this turn may have ended it
                    self._go_on(key.data)
            with_more, self._with_more = self._with_more, []
            for connection in with_more:
                if connection in self._connections:
                    self._answer_next(connection)
            self._end_overdue()
            self._cpu_ns = time.thread_time_ns()

    def _within_s(self) -> float | None:
        """How long nothing has to be done unless somebody sends; None: for ever."""
        if self._with_more:
            return 0
        deadlines = [connection.deadline for connection in self._connections]
        if self._shut_until:
            deadlines.append(self._shut_until)
        return max(0.0, min(deadlines) - time.monotonic()) if deadlines else None

    def _end_overdue(self) -> None:
        now = time.monotonic()
        for connection in [connection for connection in self._connections if connection.deadline <= now]:
            self._end(connection)
        if self._shut_until and self._shut_until <= now:
            self._shut_until = 0.0
            self._selector.register(self._listener, selectors.EVENT_READ)

    def _accept(self) -> None:
        for _ in range(_ACCEPTED_AT_ONCE):
            try:
                accepted, (address, *_) = self._listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as error:  # EMFILE, ENFILE, ENOMEM: the client waits in the kernel's queue
                _log.warning("no connection to the metrics page for %.0f s: %s", _NO_DESCRIPTOR_S, error)
                self._selector.unregister(self._listener)
                self._shut_until = time.monotonic() + _NO_DESCRIPTOR_S
                return
            accepted.setblocking(False)
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            now = time.monotonic()
            connection = _Connection(accepted, address, now, now + self._limits.request_s)
            if len(self._connections) >= self._limits.connections:
                crowd = _of_the_most(self._connections)
                self._end(min(crowd, key=lambda other: (other.answered_at, other.since)))
            self._connections[connection] = None
            self._selector.register(connection, selectors.EVENT_READ, connection)
            self._go_on(connection)  # the request is there already as a rule

    def _go_on(self, connection: _Connection) -> None:
        try:
            if connection.answer is not None:
                self._send(connection)
                return
            received = connection.socket.recv(MAX_HEAD_BYTES)
        except BlockingIOError:
            return
        except OSError:
            self._end(connection)
            return
        if not received:
            self._end(connection)
        elif not connection.last:
            if not connection.received:
                connection.deadline = time.monotonic() + self._limits.request_s
            connection.received += received
            self._answer_next(connection)

    def _answer_next(self, connection: _Connection) -> None:
        """Answer the request that was received, if all of it was."""
        try:
            request = parse(connection.received)
            if request is None:
                return
            del connection.received[: request.length]
            connection.last = not request.keep
            if request.path.partition("?")[0] == "/metrics":
                status, body = HTTPStatus.OK, self._make().encode()
            else:
                status, body = HTTPStatus.NOT_FOUND, b""
        except BadRequest as bad:
            status, body, connection.last = bad.status, b"", True
        except Exception:  # noqa: BLE001 - a fault of ours ends one answer, and no thread
            _log.exception("no metrics page")
            status, body, connection.last = HTTPStatus.INTERNAL_SERVER_ERROR, b"", True
        if connection.last:
            connection.received.clear()
        allow = "Allow: GET\r\n" if status is HTTPStatus.METHOD_NOT_ALLOWED else ""
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\n{allow}"
            f"Content-Type: {CONTENT_TYPE}\r\nContent-Length: {len(body)}\r\n"
            f"Connection: {'close' if connection.last else 'keep-alive'}\r\n\r\n"
        )
        connection.answer = memoryview(head.encode() + body)
        connection.since = time.monotonic()
        connection.deadline = connection.since + self._limits.answer_s
        try:
            self._send(connection)
        except BlockingIOError:
            self._selector.modify(connection, selectors.EVENT_WRITE, connection)
            self._bound_answers()
        except OSError:
            self._end(connection)

    def _send(self, connection: _Connection) -> None:
        """:raises BlockingIOError: the client has to read first"""
        assert connection.answer is not None
        while connection.answer:
            connection.answer = connection.answer[connection.socket.send(connection.answer) :]
            connection.since = time.monotonic()
        connection.answer = None
        connection.answered_at = time.monotonic()
        if self._selector.get_key(connection).events != selectors.EVENT_READ:
            self._selector.modify(connection, selectors.EVENT_READ, connection)
        if connection.last:
            with suppress(OSError):
                connection.socket.shutdown(socket.SHUT_WR)
            connection.deadline = connection.answered_at + self._limits.linger_s
            return
        connection.deadline = connection.answered_at + (
            self._limits.request_s if connection.received else self._limits.idle_s
        )
        if connection.received:
            self._with_more.append(connection)

    def _bound_answers(self) -> None:
        """Pages that nobody reads are memory."""
        unfinished = [connection for connection in self._connections if connection.answer is not None]
        if len(unfinished) > self._limits.answers:
            self._end(min(_of_the_most(unfinished), key=lambda other: other.since))

    def _end(self, connection: _Connection) -> None:
        del self._connections[connection]
        self._selector.unregister(connection)
        connection.socket.close()


def _of_the_most(connections: Iterable[_Connection]) -> list[_Connection]:
    """Those of the address that has the most of them: each container has an address of its own."""
    by_address: dict[str, list[_Connection]] = {}
    for connection in connections:
        by_address.setdefault(connection.address, []).append(connection)
    return max(by_address.values(), key=len)
