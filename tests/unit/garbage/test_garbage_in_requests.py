"""Requests to the page with garbage in them: refused in one line, or answered as if it were not there."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any, cast
from urllib.parse import quote_from_bytes

from hypothesis import strategies as st
from starlette.datastructures import QueryParams
from starlette.requests import Request

from labpage.guard import allowed_hosts, refusal
from labpage.panels.files import dashboards
from labpage.panels.service import EVERY_S, RANGES_S, InvalidRequestError, PanelService
from labpage.prometheus import PrometheusSilent
from labpage.texts import LANGUAGES
from labpage.visit import THEMES, visit
from support.garbage import Garbage, noise

HOSTS = allowed_hosts(8080)
HOST = b"127.0.0.1:8080"
LOCAL = {"type": "http", "method": "GET", "scheme": "http", "server": ("127.0.0.1", 8080)}


class Silent:
    """A Prometheus that never answers: what is asked for is read all the same."""

    async def query(self, *_: object) -> Any:
        raise PrometheusSilent("silent")

    query_range = query


def test_only_a_host_of_this_machine_may_ask_whatever_else_is_said(garbage: Garbage) -> None:
    names = st.sampled_from([b"host", b"Host", b"origin", b"sec-fetch-site", b"sec-fetch-dest", b"\xff"])
    values = noise(HOST, b"http://127.0.0.1:8080", b"cross-site", b"document", b"localhost:8080")

    def reader(headers: list[tuple[bytes, bytes]]) -> None:
        for kind in ("http", "websocket"):
            reason = refusal(kind, "GET", headers, HOSTS)
            hosts = [value.lower() for name, value in headers if name.lower() == b"host"]
            assert reason or (len(hosts) == 1 and hosts[0].decode() in HOSTS)
            assert reason is None or len(reason.splitlines()) == 1

    sound = st.just((b"host", HOST))
    garbage(st.lists(st.one_of(sound, st.tuples(names, values)), max_size=4), reader)


def test_a_visit_has_a_language_a_theme_and_a_rotation_that_there_are(garbage: Garbage) -> None:
    sound = (b"lang=ko&theme=dark&kiosk=60", b"lang=en&lang=ko", b"kiosk=%D9%A3", b"theme=light;lang=")
    # The parser of the server refuses what is no ASCII.
    queries = noise(*sound).map(lambda query: quote_from_bytes(query, safe="=&;%+").encode())
    cookies = noise(b"lang=ko; theme=dark", b'lang="\\777"; theme', b"ko,en;q=0.5,*")

    def reader(given: tuple[bytes, bytes, bytes, str]) -> None:
        query, cookie, accepted, path = given
        headers = [(b"host", HOST), (b"cookie", cookie), (b"accept-language", accepted)]
        scope = {**LOCAL, "path": f"/{path}", "query_string": query, "headers": headers}
        seen = visit(Request(scope), cast(Any, None))
        assert seen.language in LANGUAGES
        assert seen.theme in (None, *THEMES)
        assert seen.kiosk == 0 or 3 <= seen.kiosk <= 3600

    garbage(st.tuples(queries, cookies, cookies, st.text(max_size=20)), reader)


def test_panels_are_refused_or_answered_in_json(garbage: Garbage) -> None:
    boards = dashboards()
    name, board = next(iter(boards.items()))
    key = f"{name}.{board.panels[0].number}"
    words = [key, f"{key},{key}", name, f"{name}.9999", "ko", *map(str, (*RANGES_S[:1], *EVERY_S[:1])), '"}', "{{", "$"]
    keys = ["panels", "range", "every", "language", "marks", *(f"var-{v.name}" for v in board.variables), "var-", "x"]
    values = st.one_of(st.sampled_from(words), noise(key.encode()).map(quote_from_bytes))

    async def answered(asked: QueryParams) -> None:
        with suppress(InvalidRequestError):
            json.loads(await PanelService(boards, cast(Any, Silent())).answer(asked))

    def reader(pairs: list[tuple[str, str]]) -> None:
        asyncio.run(answered(QueryParams("&".join(f"{name}={value}" for name, value in pairs))))

    garbage(st.lists(st.tuples(st.sampled_from(keys), values), max_size=5), reader)
