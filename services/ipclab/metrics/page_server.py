"""The HTTP server of a metrics page: GET, over connections that stay open between two scrapes.

Source: RFC 9112. `http.server` of the standard library would do the same, and needs twelve modules and 5 MiB more in
every container of the lab. Prometheus keeps its connection (HTTP/1.1), so a scrape makes no socket and no thread.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from socketserver import StreamRequestHandler, ThreadingTCPServer

from ipclab.metrics.exposition import CONTENT_TYPE

IDLE_S = 60  # a connection without a request for so long is closed
_MAX_LINE_BYTES, _MAX_HEADERS = 8192, 100
_NEVER_S = 3600.0  # how often the server would look whether it was told to stop
_log = logging.getLogger("ipclab")


class PageServer(ThreadingTCPServer):
    """Serves the text that `make` returns, at /metrics, on all addresses unless one is named."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 16

    def __init__(self, port: int, make: Callable[[], str], address: str = "") -> None:
        self.make = make
        self._cpu_ns = 0
        self._cpu_lock = threading.Lock()
        super().__init__((address, port), _Connection)

    @property
    def port(self) -> int:
        """The port; what the kernel chose where 0 was asked for."""
        return int(self.server_address[1])

    @property
    def cpu_ns(self) -> int:
        """CPU time of the answers so far, of the threads that made and sent them."""
        return self._cpu_ns

    def spent(self, nanoseconds: int) -> None:
        """An answer took this much CPU time."""
        with self._cpu_lock:
            self._cpu_ns += nanoseconds

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - a method of the library
        """A page that cannot be made is logged, and its connection closed."""
        _log.exception("no metrics page for %s", client_address)

    def start(self) -> None:
        """Serve in the background, as long as this process lives."""
        threading.Thread(target=self.serve_forever, args=(_NEVER_S,), name="page", daemon=True).start()


class _BadRequest(Exception):
    """The bytes are no request."""


class _Connection(StreamRequestHandler):
    timeout = IDLE_S
    disable_nagle_algorithm = True
    server: PageServer

    def handle(self) -> None:
        try:
            while self._answer():
                pass
        except OSError:  # silent for too long, or gone
            pass

    def _answer(self) -> bool:
        """Answer one request; whether another one may follow on this connection."""
        try:
            request = self._request()
            if request is None:
                return False
            method, path, keep = request
        except _BadRequest:
            self._send(HTTPStatus.BAD_REQUEST, "", keep=False)
            return False
        if method != "GET":
            self._send(HTTPStatus.METHOD_NOT_ALLOWED, "", keep=False)
            return False
        if path.partition("?")[0] != "/metrics":
            self._send(HTTPStatus.NOT_FOUND, "", keep=keep)
            return keep
        begin = time.thread_time_ns()
        self._send(HTTPStatus.OK, self.server.make(), keep=keep)
        self.server.spent(time.thread_time_ns() - begin)
        return keep

    def _request(self) -> tuple[str, str, bool] | None:
        """Method, path, and whether the connection stays open; None where no request comes any more."""
        line = self._line()
        if not line:
            return None
        words = line.split()
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            raise _BadRequest
        method, path, version = words
        keep = version != "HTTP/1.0"
        for _ in range(_MAX_HEADERS):
            line = self._line()
            if not line.strip():
                return method, path, keep
            name, _, value = line.partition(":")
            if name.strip().lower() == "connection":
                keep = keep and value.strip().lower() != "close"
        raise _BadRequest

    def _line(self) -> str:
        line = self.rfile.readline(_MAX_LINE_BYTES + 1)
        if len(line) > _MAX_LINE_BYTES:
            raise _BadRequest
        return line.decode("latin-1")

    def _send(self, status: HTTPStatus, text: str, *, keep: bool) -> None:
        body = text.encode()
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\n"
            f"Content-Type: {CONTENT_TYPE}\r\nContent-Length: {len(body)}\r\n"
            f"Connection: {'keep-alive' if keep else 'close'}\r\n\r\n"
        )
        self.wfile.write(head.encode() + body)
