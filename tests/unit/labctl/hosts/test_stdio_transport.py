"""An engine behind a command: the SDK talks HTTP over the standard input and output of a process."""

from __future__ import annotations

import sys

import pytest
import requests
from docker.errors import APIError

from labctl.hosts import stdio_transport

# What `docker system dial-stdio` is to the SDK: requests come in, an engine's answers go out, until the input ends.
_ENGINE = """
import sys
for _ in range(100):
    path = sys.stdin.readline().split()[1:2]
    if not path:
        break
    while sys.stdin.readline().strip():
        pass
    known = path == ["/v1.44/version"]
    status, body = ("200 OK", '{"Version": "20.10.24"}') if known else ("404 No", '{"message": "no"}')
    head = f"HTTP/1.1 {status}\\r\\nContent-Type: application/json\\r\\nContent-Length: {len(body)}\\r\\n\\r\\n"
    sys.stdout.write(head + body)
    sys.stdout.flush()
"""


def test_the_sdk_reaches_the_engine_behind_a_command() -> None:
    client = stdio_transport.client([sys.executable, "-c", _ENGINE])
    try:
        assert client.version()["Version"] == "20.10.24"
        with pytest.raises(APIError, match="no"):
            client.containers.get("nobody")
        assert client.version()["Version"] == "20.10.24", "the connection does not survive a refusal"
    finally:
        client.close()


def test_a_command_that_reaches_nobody_is_an_error_of_the_client() -> None:
    client = stdio_transport.client([sys.executable, "-c", ""])
    try:
        with pytest.raises(requests.ConnectionError):
            client.version()
    finally:
        client.close()


def test_the_way_into_a_container() -> None:
    assert stdio_transport.dial_container("abc") == [
        "docker",
        "exec",
        "--interactive",
        "abc",
        "docker",
        "system",
        "dial-stdio",
    ]
