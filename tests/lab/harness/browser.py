"""A headless Chromium, driven over a pipe by the DevTools protocol: it waits for what is really drawn."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from labctl.engine import packages
from labctl.engine.machine import this_machine

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_OPTIONS = (
    "--headless",
    "--no-sandbox",  # tests may run as root, as which Chromium has none
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
# The browser gives up every request that waits for a connection when the machine's addresses change: when any container
# of the machine starts. See https://source.chromium.org/chromium/chromium/src/+/main:net/base/net_error_list.h
_NETWORK_CHANGED = "net::ERR_NETWORK_CHANGED"


def install() -> str:
    """The browser's path; the browser, and letters of both languages, are installed where they can be.

    :raises pytest.skip.Exception: there is none, and nobody may install one
    """
    machine = this_machine()
    if machine.installs_packages and machine.may_become_root:
        packages.install(["chromium", "fonts-nanum"], why="The page is looked at in a browser", machine=machine)
    found = installed()
    if found is None:
        pytest.skip(f"no Chromium, and {machine.shown_name} cannot install it: that takes Debian, and root or sudo")
    return found


def installed() -> str | None:
    """The browser's path, None if there is none."""
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


class Tab:
    """One page. Commands and answers are JSON, each with a NUL behind it."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._to, self._from = to_browser, from_browser
        self._sent, self._buffer, self._session = 0, b"", ""
        self._events: list[dict[str, Any]] = []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")

    def open(self, url: str, width: int, height: int) -> None:
        """Begin to load a page in a window of this size."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._call("Emulation.setDeviceMetricsOverride", **size)
        while self._call("Page.navigate", url=url).get("errorText") == _NETWORK_CHANGED:
            pass  # a person presses reload

    def refuse(self, *patterns: str) -> None:
        """From now on no request to these addresses is answered (`*` is any text); without one, every request is."""
        self._call("Network.setCacheDisabled", cacheDisabled=True)
        self._call("Network.setBlockedURLs", urls=list(patterns))

    def hold(self, pattern: str) -> None:
        """From now on a request to these addresses gets no answer, and no error, until `release`."""
        self._call("Network.setCacheDisabled", cacheDisabled=True)
        self._call("Fetch.enable", patterns=[{"urlPattern": pattern}])

    def release(self) -> None:
        """Requests are held no longer."""
        self._call("Fetch.disable")

    def first_run(self, javascript: str) -> str:
        """Run this before any script of each page from now on; the name by which `not_first` ends that."""
        self._call("Page.enable")
        return str(self._call("Page.addScriptToEvaluateOnNewDocument", source=javascript)["identifier"])

    def not_first(self, ran: str) -> None:
        """Run it no longer."""
        self._call("Page.removeScriptToEvaluateOnNewDocument", identifier=ran)

    def ask(self, javascript: str) -> Any:
        """The value of an expression on the page."""
        return self._call("Runtime.evaluate", expression=javascript, returnByValue=True)["result"].get("value")

    def run(self, javascript: str) -> Any:
        """The value of a promise on the page.

        :raises AssertionError: it was rejected
        """
        done = self._call("Runtime.evaluate", expression=javascript, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def press(self, key: str) -> None:
        """A key of the keyboard, by its name in DOM ("Enter", "Tab", "Escape", "ArrowDown")."""
        text = {"Enter": "\r", " ": " "}.get(key, "")
        code = {"Enter": 13, "Tab": 9, "Escape": 27, "ArrowDown": 40, "ArrowRight": 39}.get(key, 0)
        for kind in ("keyDown", "keyUp"):
            self._call("Input.dispatchKeyEvent", type=kind, key=key, code=key, text=text, windowsVirtualKeyCode=code)

    def events(self) -> list[dict[str, Any]]:
        """What the page did so far: what it asked for (Network), and what its console says (Runtime, Log)."""
        self.ask("0")
        return list(self._events)

    def complaints(self) -> list[str]:
        """Errors of the console, and exceptions, since `forget`, but for what a change of the network caused."""
        found = []
        for event in undisturbed(self.events()):
            of, what = event["method"], event["params"]
            if of == "Runtime.exceptionThrown":
                found.append(str(what["exceptionDetails"]))
            elif of == "Log.entryAdded" and what["entry"]["level"] == "error":
                if _NETWORK_CHANGED not in what["entry"]["text"]:
                    found.append(str(what["entry"]))
            elif of == "Runtime.consoleAPICalled" and what["type"] in ("error", "assert"):
                found.append(str(what["args"]))
        return found

    def account(self) -> str:
        """For the report of a test that failed, since `forget`: complaints, and requests without an answer."""
        addresses: dict[str, str] = {}
        failed, ended = [], set()  # a stream of events ends with the page
        for event in self.events():
            of, what = event["method"], event["params"]
            if of == "Network.requestWillBeSent":
                addresses[what["requestId"]] = what["request"]["url"]
                if what.get("type") == "EventSource":
                    ended.add(what["requestId"])
            elif of == "Network.loadingFailed":
                reason = what["errorText"] or what.get("blockedReason", "no reason given")
                failed.append(f"{addresses.get(what['requestId'], 'unknown address')}: {reason}")
            if of in ("Network.loadingFailed", "Network.loadingFinished"):
                ended.add(what["requestId"])
        waiting = [url for key, url in addresses.items() if key not in ended]
        parts = {"complaints": self.complaints(), "failed requests": failed, "requests under way": waiting}
        return "\n".join(
            line
            for title, lines in parts.items()
            for line in (f"{title}: {len(lines)}", *(f"  {one}" for one in lines))
        )

    def asked_for(self) -> list[str]:
        """The addresses of all requests, websockets too, since `forget`."""
        events = self.events()
        requests = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
        return requests + [e["params"]["url"] for e in events if e["method"] == "Network.webSocketCreated"]

    def forget(self) -> None:
        """What it did until now is as it should be."""
        self._events.clear()

    def picture(self) -> bytes:
        """What is seen, as PNG."""
        return base64.b64decode(self._call("Page.captureScreenshot", format="png")["data"])

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._sent += 1
        command: dict[str, Any] = {"id": self._sent, "method": method, "params": parameters}
        if self._session:
            command["sessionId"] = self._session
        os.write(self._to, json.dumps(command).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._sent:
                assert "result" in answer, f"{method}: {answer.get('error')}"
                result: dict[str, Any] = answer["result"]
                return result
            if "method" in answer:
                self._events.append(answer)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            received = os.read(self._from, 1 << 20)
            assert received, "the browser has gone"
            self._buffer += received
        message, _, self._buffer = self._buffer.partition(b"\0")
        answer: dict[str, Any] = json.loads(message)
        return answer


def undisturbed(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events without those of a load that a change of the network broke, where the page loaded itself again."""
    loads: list[list[dict[str, Any]]] = [[]]
    for event in events:
        if _document(event):
            loads.append([])
        loads[-1].append(event)
    again = [bool(one) and _document(one[0]) == _document(other[0]) for one, other in pairwise(loads)]
    return [
        event
        for load, loaded_again in zip(loads, [*again, False], strict=True)
        for event in load
        if not (loaded_again and any(_network_changed(one) for one in load))
    ]


def _document(event: dict[str, Any]) -> str:
    """The address, where this event is the request for a page; else an empty text."""
    is_page = event["method"] == "Network.requestWillBeSent" and event["params"].get("type") == "Document"
    return str(event["params"]["request"]["url"]) if is_page else ""


def _network_changed(event: dict[str, Any]) -> bool:
    return (event["method"], event["params"].get("errorText")) == ("Network.loadingFailed", _NETWORK_CHANGED)


@contextmanager
def explained(page: Tab) -> Iterator[None]:
    """A test that fails in here says what the browser says of the page, too."""
    try:
        yield
    except AssertionError as error:
        error.add_note(page.account())
        raise


@contextmanager
def tab(browser: str, profile: Path) -> Iterator[Tab]:
    """A browser of one's own, gone afterwards."""
    its_input, to_browser = os.pipe()
    from_browser, its_output = os.pipe()
    # Chromium reads from descriptor 3 and writes to 4.
    script = f'exec "$@" 3<&{its_input} 4>&{its_output}'
    process = subprocess.Popen(
        ["bash", "-c", script, "bash", browser, *_OPTIONS, f"--user-data-dir={profile}"],
        pass_fds=(its_input, its_output),
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    os.close(its_input)
    os.close(its_output)
    try:
        yield Tab(to_browser, from_browser)
    finally:
        process.terminate()
        process.wait(10)
        os.close(to_browser)
        os.close(from_browser)


def quiet(page: Tab, for_s: float, within_s: float) -> str:
    """Wait until the page's text has been the same, and not empty, for a while; the text."""
    deadline = time.monotonic() + within_s
    text, since = "", time.monotonic()
    while time.monotonic() < deadline:
        now = str(page.ask("document.body.innerText") or "")
        if now != text:
            text, since = now, time.monotonic()
        elif text and time.monotonic() - since >= for_s:
            return text
        time.sleep(0.2)
    return text
