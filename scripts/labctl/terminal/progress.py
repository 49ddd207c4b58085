"""Progress of the long steps: a live list on a terminal, plain lines everywhere else.

    with progress.step("Building the lab image") as step:
        progress.run(["docker", "compose", "build"], step=step, hint="…")

Everything goes to stderr, so that stdout stays clean for `--json`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner
from rich.table import Table

_PLAIN_DETAIL_EVERY_S = 10.0  # plain lines are a log: a line now and then shows that it lives

_console = Console(stderr=True, highlight=False)
_started = time.monotonic()


class Step:
    """One running step; `detail` says what it is at."""

    def __init__(self, title: str) -> None:
        self.title = title
        self._started = time.monotonic()
        self._detail = ""
        self._last_plain = self._started

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self._started

    def detail(self, text: str) -> None:
        """Show `text` as what the step is doing now; cheap enough for every line of a subprocess."""
        self._detail = text.strip()
        now = time.monotonic()
        if not _console.is_terminal and now - self._last_plain >= _PLAIN_DETAIL_EVERY_S:
            self._last_plain = now
            say(f"  {self.title}: {self._detail}")

    def __rich__(self) -> Table:
        line = Table.grid(padding=(0, 1))
        line.add_column(no_wrap=True)
        line.add_column(no_wrap=True)
        line.add_column(no_wrap=True, overflow="ellipsis", style="dim")
        line.add_row(
            Spinner("dots" if _console.encoding.startswith("utf") else "line"),
            f"{escape(self.title)} [dim]{self.elapsed_s:.0f} s[/dim]",
            escape(self._detail),
        )
        return line


def say(text: str) -> None:
    """One permanent line, between or during steps."""
    if _console.is_terminal:
        _console.print(escape(text))
    else:
        _console.print(f"[{time.monotonic() - _started:3.0f} s] {text}", markup=False, soft_wrap=True)


class _LiveList:
    """The steps that run now, on a terminal: one line each, and nothing where none runs."""

    def __init__(self) -> None:
        self._steps: list[Step] = []
        self._lock = threading.Lock()
        self._live: Live | None = None

    def __rich__(self) -> Group:
        return Group(*self._steps)

    def add(self, current: Step) -> None:
        with self._lock:
            self._steps = [*self._steps, current]
            if self._live is None:
                self._live = Live(self, console=_console, refresh_per_second=8, transient=True)
                self._live.start()

    def remove(self, current: Step) -> None:
        with self._lock:
            self._steps = [step for step in self._steps if step is not current]
            if not self._steps and self._live is not None:
                self._live.stop()
                self._live = None


_live_list = _LiveList()


@contextmanager
def step(title: str) -> Iterator[Step]:
    """Show a step while the block runs, and how long it took when it ends, well or badly.

    Steps of several threads may run at once.
    """
    current = Step(title)
    if _console.is_terminal:
        _live_list.add(current)
    else:
        say(title)
    try:
        yield current
    except GeneratorExit:  # a signal came before the block began, and the command has said so by now
        if _console.is_terminal:
            _live_list.remove(current)
        raise
    except BaseException as error:
        _close(current, "✗", "red", "interrupted" if isinstance(error, KeyboardInterrupt) else "failed")
        raise
    _close(current, "✓", "green", "done")


def _close(current: Step, mark: str, colour: str, word: str) -> None:
    if _console.is_terminal:
        _live_list.remove(current)
        _console.print(f"[{colour}]{mark}[/] {escape(current.title)} [dim]{current.elapsed_s:.0f} s[/dim]")
    else:
        say(f"{current.title}: {word} ({current.elapsed_s:.1f} s)")
