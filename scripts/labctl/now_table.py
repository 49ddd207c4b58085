"""What `./lab watch` shows of one moment: a line for all pairs, a table with a row for each, and the conditions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.table import Table
from rich.text import Text

from labctl.config import compose_file
from labctl.measurements import WINDOW_S
from labctl.now import Row
from labctl.now_totals import Totals
from labctl.terminal import colours
from labctl.terminal.printing import count, duration, new_table

_CONDITIONS = (
    f"Over the last {WINDOW_S} s; one-way latency from when a message was due; CPU time and context switches of both "
    "sides for one message. Skipped (due, and never sent), lost, corrupt: since the pair was created."
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
    return f"{_CONDITIONS}{corrupt} LAB_CPUS: {cpus}."


def as_table(rows: Sequence[Row], stale: bool = False) -> Table:
    """One row per mechanism; what is not measured is "-". 80 columns are enough while no message is corrupt."""
    table = new_table(gap=1)
    columns = {heading: cell for heading, cell in _COLUMNS.items() if heading != _CORRUPT or _any_corrupt(rows)}
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


_CORRUPT = "corrupt"
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
    "context\nswitches": lambda row: _number(row.switches, ".1f"),
}


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
