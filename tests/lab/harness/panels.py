"""Views with panels, in the browser of the tests."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import requests

from lab.harness.browser import Tab, explained
from lab.harness.stack import wait_until

WIDTH, HEIGHT = 1280, 3400  # all panels of the largest dashboard are seen at once, and so are asked for
WITHIN_S = 60  # on a busy machine; nothing here says how fast anything is
STATES = "[...document.querySelectorAll('.panel')].map(it => [it.dataset.panel, it.dataset.state, it.innerText])"
LOADS_AGAIN = "document.querySelector('#loading.failed') !== null"  # as a part of the page did not come
# A part of the canvas that is not of one colour: something was drawn on it.
_BLANK = """[...document.querySelectorAll('.panel canvas')].filter(canvas => {
  const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  return pixels.every((value, at) => value === pixels[at % 4]);
}).length"""


def keep(page: Tab, name: str) -> None:
    """Write the picture, if a directory is named for it."""
    if folder := os.environ.get("LAB_PICTURES"):
        (Path(folder) / name).write_bytes(page.picture())


def show(page: Tab, url: str, count: int, height: int = HEIGHT) -> None:
    """Open a view, and wait until this many panels are drawn; one that says why it is empty is not."""
    wait_until(f"{url} answers", WITHIN_S, lambda: _answers(url))  # a browser that found nobody does not ask again
    page.forget()
    with explained(page):
        page.open(url, WIDTH, height)
        states: list[list[str]] = []

        def all_drawn() -> bool:
            nonlocal states
            states = page.ask(STATES) or []
            if page.ask(LOADS_AGAIN):
                return False
            return len(states) == count and all(state == "drawn" for _, state, _ in states)

        try:
            wait_until(f"every panel of {url} is drawn", WITHIN_S, all_drawn)
        finally:
            assert states, f"no panel on {page.ask('location.href')}: {page.ask('document.body.innerText')}"
            assert [[key, text] for key, state, text in states if state != "drawn"] == []
        wait_until("something is on every canvas", WITHIN_S, lambda: page.ask(_BLANK) == 0)
        assert page.complaints() == []
        here = url.split("/")[2]
        assert [
            asked for asked in page.asked_for() if not asked.startswith("data:") and asked.split("/")[2] != here
        ] == []


def local_session() -> requests.Session:
    """One that asks no proxy: what it asks is on this machine."""
    session = requests.Session()
    session.trust_env = False
    return session


def _answers(url: str) -> bool:
    try:
        return local_session().get(url, timeout=10).ok
    except requests.ConnectionError:
        return False


def ask(address: str, path: str, **asked: str) -> dict[str, Any]:
    found = local_session().get(f"{address}{path}", params=asked, timeout=30)
    assert found.status_code == 200, found.text
    answer: dict[str, Any] = found.json()
    return answer
