"""Who may ask, and who is refused: the rules, and the server that holds them."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
import requests

from labctl.terminal.waiting import wait_until
from labpage.connections import ASKS_WITHIN_S, MOST
from labpage.guard import allowed_hosts, refusal
from support.page_server import answers, served_page

HOSTS = allowed_hosts(8080)
OWN = "http://127.0.0.1:8080"


def refused(kind: str = "http", method: str = "GET", **headers: str) -> str | None:
    named = {"host": "127.0.0.1:8080", **headers}
    raw = [(key.replace("_", "-").encode(), value.encode()) for key, value in named.items()]
    return refusal(kind, method, raw, HOSTS)


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "[::1]:8080", "LOCALHOST:8080"])
def test_the_names_of_this_machine_may_ask(host: str) -> None:
    assert refused(host=host) is None


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "127.0.0.1:9090", "localhost.evil.example:8080", "", "127.0.0.1:8080@evil"]
)
def test_another_host_is_refused(host: str) -> None:
    assert str(refused(host=host)).startswith("invalid Host")


def test_two_hosts_or_none_are_refused() -> None:
    assert refusal("http", "GET", [], HOSTS)
    assert refusal("http", "GET", [(b"host", b"127.0.0.1:8080"), (b"Host", b"evil")], HOSTS)


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1:8080", "http://127.0.0.1:9090"])
def test_another_origin_is_refused(kind: str, origin: str) -> None:
    assert refused(kind, origin=origin) == "invalid Origin: expected this page"
    assert refused(kind, origin=OWN) is None


def test_another_site_may_link_here_and_not_embed() -> None:
    assert refused(sec_fetch_site="cross-site", sec_fetch_dest="document") is None
    assert refused(sec_fetch_site="cross-site", sec_fetch_dest="iframe")
    assert refused(sec_fetch_site="cross-site", sec_fetch_dest="image")
    assert refused(method="POST", sec_fetch_site="cross-site", sec_fetch_dest="document")
    assert refused("websocket", sec_fetch_site="same-site")
    assert refused(sec_fetch_site="same-origin", sec_fetch_dest="image") is None


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Of a page whose Prometheus is away."""
    with served_page("http://127.0.0.1:9") as found:
        yield found.port


def raw(port: int, text: str) -> bytes:
    """The first bytes of the answer to what is no well-behaved request."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(text.encode())
        return connection.recv(65_536)


def test_the_server_refuses_by_the_same_rules(port: int) -> None:
    assert raw(port, "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n").startswith(b"HTTP/1.1 421")
    for path in ("/", "/live", "/matrix.json", "/assets/frame.js", "/_nicegui/"):
        answer = requests.get(f"http://127.0.0.1:{port}{path}", headers={"Origin": "http://evil.example"}, timeout=30)
        assert answer.status_code == 403, path
    key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="
    upgrade = f"Upgrade: websocket\r\nConnection: Upgrade\r\n{key}"
    path = "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
    asked = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{upgrade}\r\nOrigin: {{}}\r\n\r\n"
    assert raw(port, asked.format("http://evil.example")).startswith(b"HTTP/1.1 403")
    assert raw(port, asked.format(f"http://127.0.0.1:{port}")).startswith(b"HTTP/1.1 101")


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../server.py",
        "/assets/..%2f..%2fserver.py",
        "/assets/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/assets//etc/passwd",
        "/history/..%2f..%2fetc%2fpasswd",
        "/_nicegui/../../../../etc/passwd",
    ],
)
def test_no_path_leads_out(port: int, path: str) -> None:
    answer = raw(port, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n")
    assert answer.split()[1] in (b"404", b"400"), answer[:200]
    assert b"root:" not in answer


def test_every_answer_forbids_other_hosts_and_frames(port: int) -> None:
    headers = requests.get(f"http://127.0.0.1:{port}/", timeout=30).headers
    assert headers["x-frame-options"] == "DENY"
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "connect-src 'self'" in headers["content-security-policy"]


def test_what_says_nothing_is_closed_and_the_page_answers_again(port: int) -> None:
    silent = [socket.create_connection(("127.0.0.1", port), timeout=30) for _ in range(1000)]
    try:
        # Those over the limit are closed at once, the others when they have said nothing for a while.
        assert wait_until(lambda: answers(port), 20 * ASKS_WITHIN_S)
        assert [one.recv(1) for one in silent[MOST:]] == [b""] * (1000 - MOST)
    except ConnectionResetError:
        pass  # closed as well: abort(3) of a connection sends RST
    finally:
        for one in silent:
            one.close()
