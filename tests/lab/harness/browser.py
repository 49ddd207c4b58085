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
        self._call("Page.navigate", url=url)

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
        """Errors of the console, exceptions, and requests that failed, since `forget`."""
        found = []
        for event in self.events():
            of, what = event["method"], event["params"]
            if of == "Runtime.exceptionThrown":
                found.append(str(what["exceptionDetails"]))
            elif of == "Log.entryAdded" and what["entry"]["level"] == "error":
                found.append(str(what["entry"]))
            elif of == "Runtime.consoleAPICalled" and what["type"] in ("error", "assert"):
                found.append(str(what["args"]))
        return found

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
