"""`./lab watch`: the first dashboard in the terminal. Once where nobody looks on: in a pipe or a file."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from labctl import now, now_totals
from labctl.config.configuration import Configuration
from labctl.now import Row
from labctl.now_table import as_table, conditions, summary
from labctl.now_totals import Totals
from labctl.prometheus import Prometheus, PrometheusSilent
from labctl.terminal.errors import LabError
from labctl.terminal.printing import least_width, pieces, show_lines, show_table, show_text

_EVERY_S = 1.0  # Prometheus scrapes as often


def watch(configuration: Configuration) -> None:
    """Show the table, again every second on a terminal until Ctrl-C.

    :raises LabError: no pair is measured, or Prometheus does not answer when asked first
    """
    prometheus = Prometheus(configuration.number("LAB_PROMETHEUS_PORT"))
    screen = Screen(lambda: (now_totals.read_totals(prometheus), now.read_rows(prometheus)))
    screen.look()
    if not screen.rows:
        raise LabError(f"no pair of {configuration.project} is measured", hint="./lab up starts them")
    if not sys.stdout.isatty():
        show_lines([summary(screen.totals), ""])
        show_table(as_table(screen.rows))
        show_text(conditions(screen.rows))
        return
    # Ctrl-C is how one leaves: no failure, and the last figures stay to be read.
    with suppress(KeyboardInterrupt), Live(screen, console=Console(), auto_refresh=False, screen=False) as live:
        while True:
            live.refresh()
            time.sleep(_EVERY_S)
            with suppress(PrometheusSilent):
                screen.look()


class Screen:
    """What is shown: all pairs together, a row for every one that was ever seen, and what is wrong."""

    def __init__(self, read: Callable[[], tuple[Totals, Sequence[Row]]]) -> None:
        self.totals = Totals()
        self.rows: list[Row] = []
        self.trouble = ""
        self._read = read
        self._seen_at = 0.0

    def look(self) -> None:
        """Ask once more. A pair that stopped, or is not scraped yet, keeps its row, without figures.

        :raises PrometheusSilent: it does not answer; the last rows stay, and `trouble` says so
        """
        try:
            totals, rows = self._read()
        except PrometheusSilent as error:
            self.trouble = error.message
            raise
        self.totals = totals
        found = {row.mechanism: row for row in rows}
        names = found.keys() | {row.mechanism for row in self.rows}
        self.rows = [found.get(name, Row(name)) for name in sorted(names)]
        self.trouble = ""
        self._seen_at = time.time()

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> RenderResult:
        seen = datetime.fromtimestamp(self._seen_at).astimezone()
        state = f"{seen:%H:%M:%S}   Ctrl-C ends"
        if self.trouble:
            age_s = time.time() - self._seen_at
            state = f"{self.trouble}; these are the figures of {seen:%H:%M:%S}, {age_s:.0f} s ago"
        line = Text(state, style="bold red" if self.trouble else "dim")
        yield Text(summary(self.totals), style="dim" if self.trouble else "bold")
        table = as_table(self.rows, stale=bool(self.trouble))
        # One screen: what a narrow window has no room for is named, and not shown below.
        first, *others = pieces(table, options.max_width)
        yield first
        if others:
            names = ", ".join(" ".join(str(c.header).split()) for piece in others for c in piece.columns[1:])
            yield Text(f"In a window of {least_width(table)} columns: {names}.", style="dim")
        yield ""
        yield Text(conditions(self.rows), style="dim")
        yield line
