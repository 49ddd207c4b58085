"""The page as it is served, in a process of its own on the loopback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

import requests

_STARTS_WITHIN_S = 120  # an interpreter with many libraries, on a busy machine
_PROGRAM = (
    "import sys; from labpage.server import serve; serve(sys.argv[1], int(sys.argv[2]), '127.0.0.1', int(sys.argv[2]))"
)


class Served(NamedTuple):
    """A page that answers."""

    port: int
    pid: int


@contextmanager
def served_page(prometheus_url: str, port: int = 0) -> Iterator[Served]:
    """A page that reads this Prometheus, once it answers.

    :param port: 0 is one that is free
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        port = probe.getsockname()[1]
    with subprocess.Popen([sys.executable, "-c", _PROGRAM, prometheus_url, str(port)], env=dict(os.environ)) as process:
        try:
            deadline = time.monotonic() + _STARTS_WITHIN_S
            while not answers(port):
                assert process.poll() is None, f"the page ended with {process.returncode}"
                assert time.monotonic() < deadline, "the page does not answer"
                time.sleep(0.1)
            yield Served(port, process.pid)
        finally:
            process.terminate()


def answers(port: int) -> bool:
    """Whether the page on this port is healthy."""
    with suppress(requests.RequestException):
        return requests.get(f"http://127.0.0.1:{port}/health", timeout=5).text == "ok\n"
    return False
