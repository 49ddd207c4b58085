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


def installed() -> str | None:
    """The browser's path, None if there is none."""
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


class Tab:
    """One page. Commands and answers are JSON, each with a NUL behind it."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._to, self._from = to_browser, from_browser
        self._sent, self._buffer, self._session = 0, b"", ""
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def open(self, url: str, width: int, height: int) -> None:
        """Begin to load a page in a window of this size."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._call("Emulation.setDeviceMetricsOverride", **size)
        self._call("Page.navigate", url=url)

    def ask(self, javascript: str) -> Any:
        """The value of an expression on the page."""
        return self._call("Runtime.evaluate", expression=javascript, returnByValue=True)["result"].get("value")

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
