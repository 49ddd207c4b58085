"""Who may ask: a browser on this machine, by a name of this machine, from this page.

A page elsewhere can make a browser ask 127.0.0.1: by a name that resolves to it (DNS rebinding; the Host header has
that name), or by a request of its own (the headers Origin and Sec-Fetch-Site say so). Both are refused. Sources: RFC
9110 section 7.2, RFC 6455 section 10.2, https://www.w3.org/TR/fetch-metadata/
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

_NAMES = ("127.0.0.1", "localhost", "[::1]")
_SECURE = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    # The browser itself refuses a request to another host. NiceGUI's page has its scripts and styles in line.
    (
        b"content-security-policy",
        b"default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
        b"img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' ws:; frame-ancestors 'none'",
    ),
)


def allowed_hosts(port: int) -> frozenset[str]:
    """The Host headers of a browser on this machine. Port 80 is left out of the header."""
    return frozenset(f"{name}:{port}" for name in _NAMES) | (frozenset(_NAMES) if port == 80 else frozenset())


def refusal(kind: str, method: str, headers: Iterable[tuple[bytes, bytes]], hosts: frozenset[str]) -> str | None:
    """The reason to refuse a request ("http" or "websocket"), in one line; None for one that may pass."""
    found: dict[str, list[str]] = {}
    for name, value in headers:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1").lower())
    named = found.get("host", [])
    if len(named) != 1 or named[0] not in hosts:
        return f"invalid Host: expected one of {', '.join(sorted(hosts))}"
    # A websocket is under no same-origin policy: the browser says where it is from, and leaves the rest to the server.
    origins = found.get("origin", [])
    if any(origin not in {f"http://{host}" for host in hosts} for origin in origins):
        return "invalid Origin: expected this page"
    from_elsewhere = any(site in ("cross-site", "same-site") for site in found.get("sec-fetch-site", []))
    followed_a_link = kind == "http" and method == "GET" and found.get("sec-fetch-dest") == ["document"]
    if from_elsewhere and not followed_a_link:
        return "a request from another site"
    return None


class Guard:
    """ASGI middleware around everything that the server answers."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        reason = refusal(scope["type"], scope.get("method", "GET"), scope["headers"], self._hosts)
        if reason is None:
            await self._pass_on(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            status = 421 if reason.startswith("invalid Host") else 403
            headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close"), *_SECURE]
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": f"{reason}\n".encode()})

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What a library raises where the browser has given its request up is no fault: nobody waits for an answer."""
        is_gone = False

        async def receiving() -> Any:
            nonlocal is_gone
            message = await receive()
            is_gone = is_gone or message["type"] == "http.disconnect"
            return message

        try:
            await self._app(scope, receiving, _with_headers(send))
        except Exception:
            if not is_gone:
                raise


def _with_headers(send: Send) -> Send:
    async def sending(message: Any) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", []), *_SECURE]}
        await send(message)

    return sending
