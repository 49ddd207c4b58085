"""The metrics page while clients take what they can of it: bounded memory, no thread, no traceback, and scrapes go on.

Each client here is a real socket; the server is a process of its own, with the limits of the containers.
"""

from __future__ import annotations

import itertools
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from ipclab.metrics.page_reader import read_page
from ipclab.metrics.page_server import Limits, PageServer

WITHIN_S = 30
CONNECTIONS = 600
LINES = 20_000
LARGE = "ipc_a 1\n" * 2_000_000
PAGE_BYTES = LINES * len("ipc_a 1\n")
ASK = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
# Prints its port, then at each line of its input: threads, descriptors, and resident KiB.
SERVER = """
import logging, os, re, sys, threading
from pathlib import Path
from ipclab.metrics.page_server import PageServer
logging.basicConfig(level=logging.INFO)
server = PageServer(0, lambda: "ipc_a 1\\n" * int(sys.argv[1]), "127.0.0.1")
server.start()
print(server.port, flush=True)
for _ in sys.stdin:
    resident = re.search(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]
    print(threading.active_count(), len(os.listdir("/proc/self/fd")), resident, flush=True)
"""


@dataclass
class Server:
    """A process with one metrics page."""

    port: int
    process: subprocess.Popen[str]

    def taken(self) -> tuple[int, int, int]:
        """Threads, descriptors, resident KiB."""
        print(file=self.process.stdin, flush=True)
        assert self.process.stdout is not None
        threads, descriptors, resident = map(int, self.process.stdout.readline().split())
        return threads, descriptors, resident

    def connect(self, address: str) -> socket.socket:
        """One more client, which has this address."""
        return socket.create_connection(("127.0.0.1", self.port), WITHIN_S, (address, 0))


@pytest.fixture
def log(tmp_path: Path) -> Iterator[IO[str]]:
    """What the server says."""
    with (tmp_path / "log").open("w+") as file:
        yield file


@pytest.fixture
def server(log: IO[str]) -> Iterator[Server]:
    """Ended after the test, which must not have made it say anything."""
    command = [sys.executable, "-c", SERVER, str(LINES)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        yield Server(int(process.stdout.readline()), process)
        process.stdin.close()
        assert process.wait(WITHIN_S) == 0
    log.seek(0)
    assert log.read() == ""


class Prometheus:
    """A client that keeps its connection, as Prometheus does."""

    def __init__(self, server: Server) -> None:
        self._connection = server.connect("127.0.0.1")
        self._file = self._connection.makefile("rb")

    def scrape(self) -> None:
        """One page, whole, on the same connection."""
        self._connection.sendall(ASK)
        assert self._file.readline().startswith(b"HTTP/1.1 200 ")
        while self._file.readline() != b"\r\n":
            pass
        assert len(self._file.read(PAGE_BYTES)) == PAGE_BYTES

    def close(self) -> None:
        """Leave."""
        self._file.close()
        self._connection.close()


def ask_half(client: socket.socket) -> None:
    client.sendall(b"GET /metrics HTTP/1.1\r\nHost:")


def say_nothing(client: socket.socket) -> None:
    assert client.fileno() >= 0


def read_nothing(client: socket.socket) -> None:
    client.sendall(ASK * 40)


def ask_once_and_stay(client: socket.socket) -> None:
    client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert client.recv(100).startswith(b"HTTP/1.1 404 ")


def send_too_much(client: socket.socket) -> None:
    client.sendall(b"\xff" * 20_000)


def ask_with_wrong_host(client: socket.socket) -> None:
    client.sendall(b"GET /metrics HTTP/1.1\r\nHost: \x00/\xff\r\n\r\n")
    assert client.recv(100).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "attack", [ask_half, say_nothing, read_nothing, ask_once_and_stay, send_too_much, ask_with_wrong_host]
)
def test_scrapes_go_on_while_hundreds_of_clients_misbehave(
    server: Server, attack: Callable[[socket.socket], None]
) -> None:
    limits = Limits()
    with ExitStack() as opened:
        prometheus = Prometheus(server)
        opened.callback(prometheus.close)
        prometheus.scrape()
        threads, descriptors, resident = server.taken()
        for number in range(CONNECTIONS):
            client = opened.enter_context(server.connect("127.0.0.2"))
            with suppress(ConnectionError):  # ended already, for a newer one
                attack(client)
            if number % 50 == 49:
                prometheus.scrape()
        newcomer = Prometheus(server)
        opened.callback(newcomer.close)
        newcomer.scrape()
        during = server.taken()
        assert during[0] == threads
        assert during[1] <= descriptors + limits.connections
        # Each unfinished answer is a page, and a moment's copies of it; each connection has the head of a request.
        bound = (limits.answers + 4) * PAGE_BYTES + limits.connections * (1 << 14) + (2 << 20)
        assert during[2] - resident < bound / 1024
        prometheus.scrape()


@pytest.fixture
def hasty() -> Iterator[int]:
    """The port of a server with a large page and little patience."""
    limits = Limits(request_s=0.2, answer_s=0.5, linger_s=0.2)
    with closing(PageServer(0, lambda: LARGE, "127.0.0.1", limits)) as server:
        server.start()
        yield server.port


def test_a_writer_of_a_byte_at_a_time_is_ended(hasty: int) -> None:
    with socket.create_connection(("127.0.0.1", hasty), WITHIN_S) as writer, pytest.raises(ConnectionError):
        write_for_ever(writer)


def write_for_ever(writer: socket.socket) -> None:
    for _ in itertools.count():
        writer.sendall(b"G")


def test_a_reader_of_a_byte_at_a_time_is_ended(hasty: int) -> None:
    with socket.create_connection(("127.0.0.1", hasty), WITHIN_S) as reader:
        reader.sendall(ASK)
        slow_until = time.monotonic() + 2
        received = 0
        while got := len(reader.recv(1 if time.monotonic() < slow_until else 1 << 20)):
            received += got
    assert 0 < received < len(LARGE)


def test_a_steady_reader_gets_the_whole_page() -> None:
    with closing(PageServer(0, lambda: LARGE, "127.0.0.1")) as server:
        server.start()
        assert read_page("127.0.0.1", server.port, WITHIN_S) == LARGE
