"""Threads that ask the engine at once do not close each other's connections."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from labctl.engine import engine

_PATHS = 200  # more than the SDK keeps pools
_VERSION = {"ApiVersion": "1.41", "MinAPIVersion": "1.12"}


class _Engine(BaseHTTPRequestHandler):
    """Answers everything with its version, over a connection that stays open."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = json.dumps(_VERSION).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "a socket"

    def log_message(self, *_: object) -> None:
        pass


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    connections = 0

    def process_request(self, request: object, client_address: object) -> None:
        self.connections += 1
        super().process_request(request, client_address)  # type: ignore[arg-type]


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[_Server]:
    """An engine at a socket of its own."""
    path = tmp_path / "docker.sock"
    monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
    with _Server(str(path), _Engine) as found:
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield found
        found.shutdown()


def test_a_connection_that_one_thread_has_chosen_outlives_what_others_ask(server: _Server) -> None:
    api = engine.connect().api
    adapter = api.get_adapter(api.base_url)
    chosen = adapter.get_connection(f"{api.base_url}/v1.41/containers/first/json")
    for number in range(_PATHS):
        assert api.get(f"{api.base_url}/v1.41/containers/{number}/json").json() == _VERSION
    assert chosen.pool is not None  # a closed one has none
    assert server.connections < 10
