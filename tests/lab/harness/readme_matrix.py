"""The table that `./lab matrix --markdown` prints and README shows."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from lab.harness.stack import ROOT

# A container of an internal network has no route out of it. Docker Engine 20.10 gives it one, and drops what takes it.
# So the kernel's word differs, and README has one of them.
_NO_WAY = ("✗ ENETUNREACH", "✗ ETIMEDOUT", "✗ no answer")
SECOND_HOST = "second host"  # the heading of the column that is there only with `./lab hosts up`
_BEGIN = "| mechanism |"


def of_readme() -> dict[tuple[str, str], str]:
    """The cells of README's table."""
    return cells((ROOT / "README.md").read_text())


def cells(markdown: str) -> dict[tuple[str, str], str]:
    """Mechanism and column to "✓", "✗" with the errno, or "✗ no way there", of the one such table in the text."""
    lines = itertools.dropwhile(lambda line: not line.startswith(_BEGIN), markdown.splitlines())
    heading, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in _table(lines))
    return {
        (row[0].strip("`"), place): "✗ no way there" if cell in _NO_WAY else cell
        for row in rows
        for place, cell in zip(heading[1:], row[1:], strict=True)
    }


def _table(lines: Iterable[str]) -> Iterable[str]:
    return itertools.takewhile(lambda line: line.startswith("|"), lines)
