"""The table that `./lab matrix --markdown` prints and README shows: what it says, without the times."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from lab.harness.stack import ROOT

SECOND_HOST = "second host"  # the heading of the column that is there only with `./lab hosts up`
_BEGIN = "| mechanism |"


def of_readme() -> dict[tuple[str, str], str]:
    """The cells of README's table."""
    return cells((ROOT / "README.md").read_text())


def cells(markdown: str) -> dict[tuple[str, str], str]:
    """Mechanism and column to "✓", or "✗" with the errno, of the one such table in the text."""
    lines = itertools.dropwhile(lambda line: not line.startswith(_BEGIN), markdown.splitlines())
    heading, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in _table(lines))
    return {
        (row[0].strip("`"), place): "✓" if cell.startswith("✓ ") else cell
        for row in rows
        for place, cell in zip(heading[1:], row[1:], strict=True)
    }


def _table(lines: Iterable[str]) -> Iterable[str]:
    return itertools.takewhile(lambda line: line.startswith("|"), lines)
