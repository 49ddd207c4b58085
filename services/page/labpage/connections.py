"""Connections, bounded: so many at once, and none that says nothing.

uvicorn has a limit of its own, that answers 503; it counts connections that never ask as well, so that a thousand idle
ones would keep every browser out for ever.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST = 256  # a browser holds up to six while it loads, and two afterwards: the stream of numbers and NiceGUI's socket
ASKS_WITHIN_S = 10.0


class BoundedProtocol(HttpToolsProtocol):
    """HTTP/1.1 that closes a connection beyond `MOST`, and one that sends no whole head of a request in time."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._accepted = False
        self._patience: asyncio.TimerHandle | None = None
        self._asked = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take it, or close it at once."""
        self._accepted = len(self.connections) < MOST  # uvicorn counts websockets there too
        if not self._accepted:
            transport.abort()
            return
        super().connection_made(transport)
        self._patience = self.loop.call_later(ASKS_WITHIN_S, self._lose_patience)

    def data_received(self, data: bytes) -> None:
        """As uvicorn does, unless it was closed."""
        if self._accepted:
            super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """As uvicorn does, unless it was never taken."""
        self._be_patient()
        if self._accepted:
            super().connection_lost(exc)

    def on_headers_complete(self) -> None:
        """A request has come whole, but for its body."""
        self._asked = True
        super().on_headers_complete()

    def handle_websocket_upgrade(self) -> None:
        """From here on another protocol has the connection."""
        self._be_patient()
        super().handle_websocket_upgrade()

    def _be_patient(self) -> None:
        if self._patience:
            self._patience.cancel()

    def _lose_patience(self) -> None:
        if not self._asked:
            self.transport.abort()
