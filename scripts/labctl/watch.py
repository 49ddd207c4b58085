"""`./lab watch`: the first dashboard in the terminal. Once where nobody looks on: in a pipe or a file."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from labctl import colours, now
from labctl.configuration import Configuration
from labctl.errors import LabError
from labctl.measurements import WINDOW_S
from labctl.now import Row
from labctl.printing import new_table, show_lines, show_table
from labctl.prometheus import Prometheus, PrometheusSilent
from labctl.tables import duration

_EVERY_S = 1.0  # Prometheus scrapes as often
_HEADINGS = ("mechanism", "messages/s", "median", "p99", "lost", "CPU/message", "switches/message")
_CONDITIONS = (
    f"Over the last {WINDOW_S} s; latency is one-way, from the moment a message was due; CPU time",
    "and context switches: of both sides together. Lost: since the pair was created.",
)


def watch(configuration: Configuration) -> None:
    """Show the table, again every second on a terminal until Ctrl-C.

    :raises LabError: no pair is measured, or Prometheus does not answer when asked first
    """
    prometheus = Prometheus(configuration.number("LAB_PROMETHEUS_PORT"))
    screen = Screen(lambda: now.read(prometheus))
    screen.look()
    if not screen.rows:
        raise LabError(f"no pair of {configuration.project} is measured", hint="./lab up starts them")
    if not sys.stdout.isatty():
        show_table(as_table(screen.rows))
        show_lines(conditions(screen.rows))
        return
    # Ctrl-C is how one leaves: no failure, and the last figures stay to be read.
    with suppress(KeyboardInterrupt), Live(screen, console=Console(), auto_refresh=False, screen=False) as live:
        while True:
            live.refresh()
            time.sleep(_EVERY_S)
            with suppress(PrometheusSilent):
                screen.look()


class Screen:
    """What is shown: a row for every pair that was ever seen, and what is wrong."""

    def __init__(self, read: Callable[[], Sequence[Row]]) -> None:
        self.rows: list[Row] = []
        self.trouble = ""
        self._read = read
        self._seen_at = 0.0

    def look(self) -> None:
        """Ask once more. A pair that stopped, or is not scraped yet, keeps its row, without figures.

        :raises PrometheusSilent: it does not answer; the last rows stay, and `trouble` says so
        """
        try:
            found = {row.mechanism: row for row in self._read()}
        except PrometheusSilent as error:
            self.trouble = error.message
            raise
        names = found.keys() | {row.mechanism for row in self.rows}
        self.rows = [found.get(name, Row(name)) for name in sorted(names)]
        self.trouble = ""
        self._seen_at = time.time()

    def __rich__(self) -> Group:
        seen = datetime.fromtimestamp(self._seen_at).astimezone()
        state = f"{seen:%H:%M:%S}   Ctrl-C ends"
        if self.trouble:
            age_s = time.time() - self._seen_at
            state = f"{self.trouble}; these are the figures of {seen:%H:%M:%S}, {age_s:.0f} s ago"
        line = Text(state, style="bold red" if self.trouble else "dim")
        return Group(
            as_table(self.rows, stale=bool(self.trouble)),
            *(Text(text, style="dim") for text in conditions(self.rows)),
            line,
        )


def conditions(rows: Sequence[Row]) -> list[str]:
    """Under which the figures were measured."""
    cpus = ", ".join(sorted({row.cpus for row in rows if row.cpus}))
    return [*_CONDITIONS, f"CPUs that the containers may use: {cpus} (LAB_CPUS)."]


def as_table(rows: Sequence[Row], stale: bool = False) -> Table:
    """One row per mechanism; what is not measured is "-"."""
    table = new_table()
    for index, heading in enumerate(_HEADINGS):
        table.add_column(heading, justify="right" if index else "left", no_wrap=True, min_width=8)
    for row in rows:
        table.add_row(
            Text(row.mechanism, style=colours.of_mechanism(row.mechanism)),
            Text("no answer", style="bold") if not row.running else _number(row.rate, ",.0f"),
            duration(row.p50_s),
            duration(row.p99_s),
            Text(_number(row.lost, ",.0f"), style="bold red" if row.lost else ""),
            duration(row.cpu_s),
            _number(row.switches, ".1f"),
            style="dim" if stale or not row.running else "",
        )
    return table


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
