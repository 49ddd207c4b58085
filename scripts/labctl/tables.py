"""What a person reads of containers and of a machine's checks; every number has its unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.table import Table
from rich.text import Text

from labctl.lab.containers import Container
from labctl.lab.costs import Cost
from labctl.terminal.printing import new_table, show_table


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


def _table(*columns: str, left: int = 1) -> Table:
    table = new_table()
    for index, name in enumerate(columns):
        table.add_column(name, justify="left" if index < left else "right", no_wrap=True)
    return table
