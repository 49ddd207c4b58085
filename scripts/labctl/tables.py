"""What a person reads: one row per pair, one per container, every number with its unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.table import Table
from rich.text import Text

from labctl.containers import Container
from labctl.costs import Cost
from labctl.measurements import WINDOW_S, PairMeasures
from labctl.printing import new_table, show_lines, show_table

_CONDITIONS = (
    f"Messages/s, median and p99: over the last {WINDOW_S} s. One-way latency counts from the moment a message was\n"
    "due; both ends on one kernel; buckets are at most 25 % wide.\n"
    "Lost and corrupt: messages since the pair was created. Dropped: what the kernel had no room for, by its own\n"
    "count, since the consumer started; - where it makes the sender wait instead. Another - is not measured."
)


def show_pairs(pairs: Sequence[PairMeasures]) -> None:
    """One row per pair, and under which conditions it was measured."""
    table = _table("pair", "messages/s", "due/s", "size", "median", "p99", "lost", "dropped", "corrupt")
    for pair in pairs:
        table.add_row(
            pair.mechanism,
            _count(pair.rate),
            _count(pair.load_rate),
            _count(pair.size_bytes, " B"),
            duration(pair.one_way_p50_seconds),
            duration(pair.one_way_p99_seconds),
            _count(pair.lost),
            _count(pair.kernel_drops),
            _count(pair.corrupt),
        )
    show_table(table)
    conditions = [
        line
        for line in (
            _shared("CPUs that the containers may use (LAB_CPUS)", {pair.mechanism: pair.cpus for pair in pairs}),
            _shared("While nothing comes, receivers", {pair.mechanism: pair.wait for pair in pairs}),
        )
        if line
    ]
    show_lines([*_CONDITIONS.splitlines(), *conditions, ""])


def _shared(what: str, words: Mapping[str, str | None]) -> str:
    """One line for all pairs: the word that most of them have, then the others by name; "" where nothing is known."""
    known = [word for word in words.values() if word]
    if not known:
        return ""
    usual = max(sorted(set(known)), key=known.count)
    others = [f"{mechanism} {word}" for mechanism, word in words.items() if word and word != usual]
    return f"{what}: {usual}" + "".join(f"; {other}" for other in others) + "."


def show_containers(containers: Sequence[Container], costs: Mapping[str, Cost]) -> None:
    """One row per container."""
    table = _table("container", "state", "health", "memory", "CPU", left=3)
    for container in containers:
        cost = costs.get(container.id, Cost(None, None))
        table.add_row(
            container.label,
            container.state_in_words(),
            container.health,
            "-" if cost.memory_bytes is None else f"{cost.memory_bytes / 2**20:.1f} MiB",
            "-" if cost.cpu_share is None else f"{cost.cpu_share:.1%} of a core",
        )
    show_table(table)


def show_findings(findings: Sequence[tuple[str, str, str, str]]) -> None:
    """What was looked at, ok or warn or bad, what was found, what to change."""
    colours = {"ok": "green", "warn": "yellow", "bad": "red"}
    table = new_table()
    table.add_column("check", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("found", overflow="fold")
    table.add_column("change", overflow="fold")
    for what, verdict, found, change in findings:
        table.add_row(what, Text(verdict, style=colours[verdict]), Text(found), Text(change))
    show_table(table)


def duration(seconds: float | None) -> str:
    """With the unit that leaves one to three digits before the point."""
    if seconds is None:
        return "-"
    for unit, factor in (("µs", 1e6), ("ms", 1e3)):
        if seconds * factor < 999.5:
            value = seconds * factor
            return f"{value:.0f} {unit}" if value >= 100 else f"{value:.1f} {unit}"
    return f"{seconds:.2f} s"


def _count(value: float | None, unit: str = "") -> str:
    return "-" if value is None else f"{value:,.0f}{unit}"


def _table(*columns: str, left: int = 1) -> Table:
    table = new_table()
    for index, name in enumerate(columns):
        table.add_column(name, justify="left" if index < left else "right", no_wrap=True)
    return table
