"""An HTTP server that answers in JSON, in the place of Prometheus and Grafana."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlparse


@dataclass(frozen=True)
class Request:
    """What was asked; `body` is None where nothing was sent, `headers` are found in any case of letters."""

    path: str
    query: dict[str, str]
    headers: Message[str, str]
    body: Any


@contextmanager
def json_server(answer: Callable[[Request], tuple[int, Any]]) -> Iterator[int]:
    """A server whose answers, status and body, `answer` makes; its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlparse(self.path)
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            code, body = answer(Request(url.path, query, self.headers, json.loads(sent) if sent else None))
            text = json.dumps(body).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_POST = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            del format, args

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def success(result: Any) -> tuple[int, Any]:
    """Prometheus' answer to a query."""
    return 200, {"status": "success", "data": {"result": result}}
