"""What a browser asked for, and what it had chosen before."""

from __future__ import annotations

from typing import Any, cast

import pytest
from starlette.requests import Request

from labpage.visit import KIOSK_S, Visit, visit


def of(query: str, cookie: str = "") -> Visit:
    headers = [(b"cookie", cookie.encode())] if cookie else []
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": query.encode(), "headers": headers}
    return visit(Request({**scope, "scheme": "http", "server": ("127.0.0.1", 8080)}), cast(Any, None))


@pytest.mark.parametrize(
    ("query", "seconds"),
    [("", 0), ("kiosk", KIOSK_S), ("kiosk=60", 60), ("kiosk=0", 3), ("kiosk=99999", 3600), ("kiosk=soon", KIOSK_S)],
)
def test_the_rotation(query: str, seconds: int) -> None:
    assert of(query).kiosk == seconds


def test_the_colours_are_the_asked_ones_then_the_remembered_then_the_browsers() -> None:
    assert of("theme=dark", "theme=light").theme == "dark"
    assert of("", "theme=light").theme == "light"
    assert of("theme=pink").theme is None
