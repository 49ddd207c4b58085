"""`./lab watch`: the first dashboard in the terminal, or once in a pipe or a file.

One screen is a line for all pairs, a table with a row for each pair, and the conditions of the measurement.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.table import Table
from rich.text import Text

from labctl.config import compose_file
from labctl.lab.lab import Lab
from labctl.lab.prometheus import PrometheusSilent
from labctl.measured import pairs
from labctl.measured.pairs import WINDOW_S, Row, Totals, per_mib, sizes_differ
from labctl.terminal import colours
from labctl.terminal.errors import LabError
from labctl.terminal.printing import (
    count,
    duration,
    least_width,
    new_table,
    pieces,
    ratio,
    show_lines,
    show_table,
    show_text,
)

_CONDITIONS = (
    f"Over the last {WINDOW_S} s; one-way latency from the due time; CPU time and context switches of both sides for "
    "one message. Skipped (due, never sent), lost, corrupt: since the pair was created or reset."
)


def summary(totals: Totals) -> str:
    """What all pairs together do, in one line."""
    size = None if totals.bytes_rate is None else totals.bytes_rate / 2**20
    share = None if totals.cpu_cores is None else totals.cpu_cores * 100
    parts = (
        f"{_number(totals.pairs, '.0f')} of {len(compose_file.declared())} pairs at work",
        f"{_number(totals.rate, ',.0f')} messages/s",
        f"{_number(size, '.2f')} MiB/s",
        f"{_number(share, '.0f')} % of a core",
        f"{_number(totals.skipped, ',.0f')} skipped",
        f"{_number(totals.lost, ',.0f')} lost",
        f"{_number(totals.containers, '.0f')} containers",
    )
    return ", ".join(parts)


def conditions(rows: Sequence[Row]) -> str:
    """Under which the figures were measured."""
    cpus = ", ".join(sorted({row.cpus for row in rows if row.cpus}))
    corrupt = "" if _any_corrupt(rows) else " No message was corrupt."
    beside = " CPU/MiB: that CPU time by the size of the message." if sizes_differ(rows) else ""
    return f"{_CONDITIONS}{beside}{corrupt} LAB_CPUS: {cpus}."


def as_table(rows: Sequence[Row], stale: bool = False) -> Table:
    """One row per mechanism; what is not measured is "-". 80 columns are enough while no message is
    corrupt and all pairs send messages of one size.
    """
    table = new_table(gap=1)
    left_out = {_CORRUPT: not _any_corrupt(rows), _PER_MIB: not sizes_differ(rows)}
    columns = {heading: cell for heading, cell in _COLUMNS.items() if not left_out.get(heading)}
    for heading in columns:
        table.add_column(heading, justify="left" if heading == "mechanism" else "right", no_wrap=True)
    for row in rows:
        table.add_row(*(cell(row) for cell in columns.values()), style="dim" if stale or not row.running else "")
    return table


def _any_corrupt(rows: Sequence[Row]) -> bool:
    return any(row.corrupt for row in rows)


def _rate(row: Row) -> Text:
    return Text(count(row.rate)) if row.running else Text("no answer", style="bold")


def _bad(value: float | None) -> Text:
    """A count that had better be 0."""
    return Text(count(value), style="bold red" if value else "")


_CORRUPT, _PER_MIB = "corrupt", "CPU\n/MiB"
_COLUMNS: dict[str, Callable[[Row], str | Text]] = {
    "mechanism": lambda row: Text(row.mechanism, style=colours.of_mechanism(row.mechanism)),
    "messages\n/s": _rate,
    "one-way\nmedian": lambda row: duration(row.p50_s),
    "one-way\np99": lambda row: duration(row.p99_s),
    "in\nflight": lambda row: count(row.in_flight),
    "skipped": lambda row: _bad(row.skipped),
    "lost": lambda row: _bad(row.lost),
    _CORRUPT: lambda row: _bad(row.corrupt),
    "CPU\ntime": lambda row: duration(row.cpu_s),
    _PER_MIB: lambda row: duration(per_mib(row.cpu_s, row.size_bytes)),
    "context\nswitches": lambda row: ratio(row.switches),
}


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


_EVERY_S = 1.0  # Prometheus scrapes as often


def watch(lab: Lab) -> None:
    """Show the table, again every second on a terminal until Ctrl-C.

    :raises LabError: no pair is measured, or Prometheus does not answer when asked first
    """
    prometheus = lab.prometheus
    screen = Screen(lambda: (pairs.read_totals(prometheus), pairs.read_rows(prometheus)))
    screen.look()
    if not screen.rows:
        raise LabError(f"no pair of {lab.project} is measured", hint="./lab up starts them")
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
