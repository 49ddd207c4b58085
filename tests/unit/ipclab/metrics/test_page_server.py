"""The HTTP server of the metrics page, over real sockets."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
import requests

from ipclab.metrics.exposition import CONTENT_TYPE
from ipclab.metrics.page_reader import labels_in, read_page
from ipclab.metrics.page_server import Limits, PageServer

PAGE = "# TYPE up gauge\nup 1\n"
ASK = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
WITHIN_S = 20


@contextmanager
def serving(limits: Limits | None = None) -> Iterator[int]:
    """The port of a server whose page has the number of pages made so far."""
    made = [0]

    def make() -> str:
        made[0] += 1
        return f"{PAGE}pages {made[0]}\n"

    with closing(PageServer(0, make, "127.0.0.1", limits or Limits())) as server:
        server.start()
        yield server.port


@pytest.fixture
def port() -> Iterator[int]:
    """Of a server with the limits of the containers."""
    with serving() as port:
        yield port


def answer_to(port: int, request: bytes) -> bytes:
    """All that comes until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", port), WITHIN_S) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(1 << 16), b""))


def test_a_page_is_made_for_each_request_on_one_connection(port: int) -> None:
    with requests.Session() as session:
        pages = [session.get(f"http://127.0.0.1:{port}/metrics", timeout=WITHIN_S) for _ in range(3)]
        (pool,) = (session.get_adapter("http://").poolmanager.pools[key] for key in _keys(session))  # type: ignore[attr-defined]
    assert [page.text for page in pages] == [f"{PAGE}pages {number}\n" for number in (1, 2, 3)]
    assert {page.headers["Content-Type"] for page in pages} == {CONTENT_TYPE}
    assert pool.num_connections == 1


def _keys(session: requests.Session) -> list[object]:
    return list(session.get_adapter("http://").poolmanager.pools.keys())  # type: ignore[attr-defined]


def test_two_requests_at_once_get_two_answers(port: int) -> None:
    answers = answer_to(port, ASK + ASK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert answers.count(b"HTTP/1.1 200 OK") == 2
    assert answers.endswith(b"pages 2\n")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /metrics HTTP/1.0\r\n\r\n", b"200 OK"),
        (b"GET /metrics?a=b HTTP/1.1\r\nhost: x\r\nCONNECTION: Close\r\n\r\n", b"200 OK"),
        (b"GET /metrics HTTP/1.1\r\nHost: elsewhere.example:80\r\nConnection: close\r\n\r\n", b"200 OK"),
        (b"GET / HTTP/1.0\r\n\r\n", b"404 Not Found"),
        (b"GET /metrics HTTP/1.1\r\n\r\n", b"400 Bad Request"),
        (b"GET /metrics HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", b"400 Bad Request"),
        (b"GET /metrics HTTP/1.1\r\nHost: a b\r\n\r\n", b"400 Bad Request"),
        (b"GET /metrics HTTP/1.1\r\nHost : x\r\n\r\n", b"400 Bad Request"),
        (b"POST /metrics HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", b"405 Method Not Allowed"),
        (ASK[:-2] + b"Content-Length: 3\r\n\r\nGET", b"413 "),
        (ASK[:-2] + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"413 "),
        (b"GET /metrics\r\n\r\n", b"400 Bad Request"),
        (b"GET /metrics HTTP/2.0\r\n\r\n", b"400 Bad Request"),
        (b"\xff\xfe\0 what\r\n", b"400 Bad Request"),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n", b"431 "),
        (b"GET /metrics HTTP/1.1\r\n" + b"A: b\r\n" * 2000 + b"\r\n", b"431 "),
        (b"x" * (1 << 20), b"431 "),
    ],
)
def test_a_request_is_answered_and_then_the_connection_closed(port: int, request_: bytes, status: bytes) -> None:
    answer = answer_to(port, request_)
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert (b"pages 1\n" in answer) == (status == b"200 OK")


def test_a_client_that_says_nothing_is_left() -> None:
    with serving(Limits(request_s=0.05)) as port:
        assert answer_to(port, b"") == b""
        assert answer_to(port, b"GET /metrics HTTP") == b""
        assert "pages 1\n" in read_page("127.0.0.1", port, WITHIN_S), "others are served"


def test_a_page_that_cannot_be_made_is_logged_and_answered_with_500(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> str:
        raise TypeError("of no type")

    with closing(PageServer(0, fail, "127.0.0.1")) as server:
        server.start()
        assert answer_to(server.port, ASK).startswith(b"HTTP/1.1 500 ")
    (record,) = caplog.records
    assert record.getMessage() == "no metrics page"


def test_labels_are_those_of_each_sample_of_the_series() -> None:
    page = 'ipc_a{x="1",y="of }"} 2\nipc_a{x="3",y=""} 4\nipc_ab{x="5"} 6\n# ipc_a{x="7"}\n'
    assert list(labels_in(page, "ipc_a")) == [{"x": "1", "y": "of }"}, {"x": "3", "y": ""}]
