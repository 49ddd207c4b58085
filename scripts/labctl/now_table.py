"""What `./lab watch` shows of one moment: a line for all pairs, a table with a row for each, and the conditions."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from labctl import colours, pairs
from labctl.measurements import WINDOW_S
from labctl.now import Row
from labctl.now_totals import Totals
from labctl.printing import new_table
from labctl.tables import duration

# In two lines, so that the table fits into 100 columns.
_HEADINGS = (
    "mechanism",
    "messages\n/s",
    "median",
    "p99",
    "in\nflight",
    "lost",
    "corrupt",
    "CPU/\nmessage",
    "switches/\nmessage",
)
_CONDITIONS = (
    f"Over the last {WINDOW_S} s; latency is one-way, from the moment a message was due; CPU time",
    "and context switches: of both sides together. Lost, corrupt: since the pair was created.",
)


def summary(totals: Totals) -> str:
    """What all pairs together do, in one line."""
    size = None if totals.bytes_rate is None else totals.bytes_rate / 2**20
    share = None if totals.cpu_cores is None else totals.cpu_cores * 100
    parts = (
        f"{_number(totals.pairs, '.0f')} of {len(pairs.declared())} pairs at work",
        f"{_number(totals.rate, ',.0f')} messages/s",
        f"{_number(size, '.2f')} MiB/s",
        f"{_number(share, '.0f')} % of a core",
        f"{_number(totals.lost, ',.0f')} lost",
        f"{_number(totals.containers, '.0f')} containers",
    )
    return ", ".join(parts)


def conditions(rows: Sequence[Row]) -> list[str]:
    """Under which the figures were measured."""
    cpus = ", ".join(sorted({row.cpus for row in rows if row.cpus}))
    return [*_CONDITIONS, f"CPUs that the containers may use: {cpus} (LAB_CPUS)."]


def as_table(rows: Sequence[Row], stale: bool = False) -> Table:
    """One row per mechanism; what is not measured is "-"."""
    table = new_table()
    for index, heading in enumerate(_HEADINGS):
        table.add_column(heading, justify="right" if index else "left", no_wrap=True, min_width=7)
    for row in rows:
        table.add_row(
            Text(row.mechanism, style=colours.of_mechanism(row.mechanism)),
            Text("no answer", style="bold") if not row.running else _number(row.rate, ",.0f"),
            duration(row.p50_s),
            duration(row.p99_s),
            _number(row.in_flight, ",.0f"),
            Text(_number(row.lost, ",.0f"), style="bold red" if row.lost else ""),
            Text(_number(row.corrupt, ",.0f"), style="bold red" if row.corrupt else ""),
            duration(row.cpu_s),
            _number(row.switches, ".1f"),
            style="dim" if stale or not row.running else "",
        )
    return table


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
