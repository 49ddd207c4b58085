"""A page that did not come whole says so and loads itself again, in a real browser. No container is needed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from lab.harness import browser
from lab.harness.browser import Tab, explained
from lab.harness.panels import LOADS_AGAIN, WITHIN_S
from lab.harness.stack import wait_until
from labpage.texts import LANGUAGES, texts
from support.page_server import served_page

_NO_PROMETHEUS = "http://127.0.0.1:9"
_SAID = "document.querySelector('#loading.failed')?.textContent"
# The view is there, in its styles, and nothing is said any more; the next trouble would begin with the shortest pause.
_DRAWN = """document.querySelector('.panel') !== null && document.readyState === 'complete'
  && document.getElementById('loading').offsetParent === null && sessionStorage.getItem('lab.loads') === null
  && getComputedStyle(document.querySelector('header.top')).display === 'flex'"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Of a page whose Prometheus is away."""
    with served_page(_NO_PROMETHEUS) as served:
        yield f"http://127.0.0.1:{served.port}"


def opened(page: Tab, address: str, language: str = "en") -> None:
    page.forget()
    page.open(f"{address}/dashboards?board=start&lang={language}&theme=light", 1280, 720)


def is_said(page: Tab, words: str) -> None:
    wait_until(f"{words} is said", WITHIN_S, lambda: str(page.ask(_SAID)).startswith(words))


def is_drawn(page: Tab) -> None:
    wait_until("the page is drawn", WITHIN_S, lambda: page.ask(_DRAWN))
    assert not page.ask(LOADS_AGAIN)


@pytest.mark.parametrize(
    "part",
    [
        "*/static/nicegui.js",  # a script
        "*/static/vue.esm-browser.prod.js",  # a module by its name
        "*/components/*/boards.js",  # a component
        "*/assets/panels.js",  # what a component imports
        "*/assets/frame.js",  # a module that the view is drawn without
        "*/assets/page.css",  # a style by a link
        "*/static/quasar.important.prod.css",  # a style that a style imports
    ],
)
def test_a_part_that_did_not_come_is_said_and_the_page_loads_itself_again(page: Tab, address: str, part: str) -> None:
    language = list(LANGUAGES)[len(part) % len(LANGUAGES)]
    page.refuse(part)
    try:
        opened(page, address, language)
        is_said(page, texts(language)("loading.again").partition("{")[0])
    finally:
        page.refuse()
    with explained(page):
        is_drawn(page)


def test_the_pauses_grow_while_it_does_not_come(page: Tab, address: str) -> None:
    before, after = texts("en")("loading.again").split("{seconds}")
    page.refuse("*/static/nicegui.js")
    try:
        opened(page, address)
        for pause in (1, 2, 4):
            is_said(page, f"{before}{pause}{after}")
    finally:
        page.refuse()
    with explained(page):
        is_drawn(page)


def test_a_request_that_gets_no_answer_is_given_up(page: Tab, address: str) -> None:
    """The page's clock is fast in here: it waits a minute while nothing comes."""
    fast = page.first_run("const real = setInterval; window.setInterval = (f, ms) => real(f, ms / 20)")
    page.hold("*/static/nicegui.js")
    try:
        opened(page, address)
        is_said(page, texts("en")("loading.again").partition("{")[0])
    finally:
        page.not_first(fast)
        page.release()
    with explained(page):
        is_drawn(page)


def test_it_waits_for_a_server_that_is_away(page: Tab) -> None:
    """A browser that finds nobody would show a page of its own, which does not load itself again."""
    with served_page(_NO_PROMETHEUS) as served:
        page.refuse("*/static/nicegui.js", "*/health")
        try:
            opened(page, f"http://127.0.0.1:{served.port}")
            is_said(page, texts("en")("loading.away"))
        finally:
            os.kill(served.pid, signal.SIGKILL)
            page.refuse()
    is_said(page, texts("en")("loading.away"))
    with served_page(_NO_PROMETHEUS, served.port), explained(page):
        is_drawn(page)


def test_a_rotation_waits_for_a_server_that_is_away(page: Tab) -> None:
    shown = "new URL(document.URL).pathname"
    with served_page(_NO_PROMETHEUS) as served:
        page.open(f"http://127.0.0.1:{served.port}/matrix?kiosk=5&lang=en", 1280, 720)
        wait_until("the matrix is there", WITHIN_S, lambda: page.ask("document.getElementById('content') !== null"))
        os.kill(served.pid, signal.SIGKILL)
    away = texts("en")("trouble.page_away")
    wait_until("the page says so", WITHIN_S, lambda: page.ask("document.getElementById('trouble')?.innerText") == away)
    asked = len(page.asked_for())
    wait_until("it asks for the next view", WITHIN_S, lambda: "/health" in str(page.asked_for()[asked:]))
    assert page.ask(shown) == "/matrix"
    with served_page(_NO_PROMETHEUS, served.port):
        wait_until("the next view", WITHIN_S, lambda: page.ask(shown) not in ("/matrix", None))


def test_a_failure_says_what_the_browser_says(page: Tab, address: str) -> None:
    page.refuse("*/static/nicegui.js")
    page.hold("*/assets/page.css")
    try:
        opened(page, address)
        asked = ("page.css", "nicegui.js")
        wait_until("both are asked for", WITHIN_S, lambda: all(name in page.account() for name in asked))
        with pytest.raises(AssertionError) as failed, explained(page):
            raise AssertionError
    finally:
        page.release()
        page.refuse()
    (note,) = failed.value.__notes__
    failures, _, waiting = note.partition("requests under way")
    assert "nicegui.js: inspector" in failures
    assert "/assets/page.css" in waiting
    assert "/live" not in waiting


def test_what_a_change_of_the_network_broke_is_no_complaint_once_the_page_came_again() -> None:
    """The browser of a test is on a machine where other tests start containers."""

    def event(method: str, **params: Any) -> dict[str, Any]:
        return {"method": method, "params": params}

    def load(url: str) -> dict[str, Any]:
        return event("Network.requestWillBeSent", type="Document", request={"url": url})

    broken = event("Network.loadingFailed", errorText="net::ERR_NETWORK_CHANGED")
    refused = event("Network.loadingFailed", errorText="net::ERR_CONNECTION_REFUSED")
    thrown = event("Runtime.exceptionThrown")
    for events, left in (
        ([load("a"), broken, thrown, load("a")], 0),
        ([load("a"), broken, thrown, load("a"), thrown], 1),
        ([load("a"), refused, thrown, load("a")], 1),  # something else was the reason
        ([load("a"), broken, thrown], 1),  # it did not load itself again
        ([load("a"), broken, thrown, load("b")], 1),
    ):
        assert browser.undisturbed(events).count(thrown) == left
