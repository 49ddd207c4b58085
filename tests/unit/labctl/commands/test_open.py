"""`./lab open` with a browser that cannot be started."""

from __future__ import annotations

import errno
import webbrowser

import pytest

from labctl.commands import open as open_command


class _Missing(webbrowser.BaseBrowser):
    """As Python's one for macOS, where osascript(1) is missing: what it writes meets a pipe that nobody reads."""

    def open(self, url: str, new: int = 0, autoraise: bool = True) -> bool:
        del url, new, autoraise
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")


@pytest.fixture
def missing_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROWSER", "missing")
    monkeypatch.setattr(webbrowser, "_tryorder", None)
    monkeypatch.setattr(webbrowser, "_browsers", {})
    webbrowser.register("missing", None, _Missing("missing"), preferred=True)


@pytest.mark.usefixtures("missing_browser")
def test_a_browser_whose_pipe_breaks_has_opened_nothing() -> None:
    """The command took it for its own output, which had ended, and printed no address."""
    assert open_command._opens("http://127.0.0.1:9/") is False
