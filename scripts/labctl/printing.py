"""How tables and lines reach stdout. Knows nothing of what is in them, and loads nothing but rich."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table

_PIPED_WIDTH = 110  # wide enough for every column: a pipe has no edge to keep to


def new_table() -> Table:
    """A table without columns, in the one style that there is."""
    return Table(box=box.SIMPLE_HEAD, pad_edge=False)


def show_table(table: Table) -> None:
    """To a terminal in its width; to a pipe in full, without the blanks that pad a table's lines."""
    console = Console() if sys.stdout.isatty() else Console(width=_PIPED_WIDTH)
    with console.capture() as capture:
        console.print(table)
    show_lines([line.rstrip() for line in capture.get().strip("\n").splitlines() if line.strip()] + [""])


def show_lines(lines: Sequence[str]) -> None:
    """Lines as they are, never wrapped."""
    for line in lines:
        sys.stdout.write(f"{line}\n")
