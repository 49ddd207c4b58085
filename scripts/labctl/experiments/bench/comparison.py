"""Two benches: what changed beyond noise.

A cell changed where the ranges of the runs (fastest to slowest) of the two benches do not overlap, and the medians
differ by more than a twentieth. Cells that are noisy in either bench say nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labctl.config.values import shown
from labctl.experiments.bench.document import LABELS
from labctl.experiments.bench.table import name_of
from labctl.terminal.printing import size as in_words

_LEAST_CHANGE = 0.05
Cell = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """A cell of both benches, and the microseconds then and now."""

    cell: Cell
    before_us: float
    now_us: float

    @property
    def times(self) -> float:
        """The time now over the time before."""
        return self.now_us / self.before_us


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[Change]:
    """What changed beyond noise, the largest change first."""
    found = [
        Change(cell, old["us"], cell["us"])
        for old, cell in _pairs(before, now)
        if not (old["noisy"] or cell["noisy"])
        and (cell["us_min"] > old["us_max"] or cell["us_max"] < old["us_min"])
        and abs(cell["us"] / old["us"] - 1) > _LEAST_CHANGE
    ]
    return sorted(found, key=lambda change: -max(change.times, 1 / change.times))


def lines(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What a person reads."""
    pairs = list(_pairs(before, now))
    noisy = sum(1 for old, cell in pairs if old["noisy"] or cell["noisy"])
    changed = changes(before, now)
    head = (
        f"Against {before['at'][:10]}: {len(changed)} of {len(pairs)} figures changed beyond noise; {noisy} are noisy."
    )
    return [head, *_other_machine(before, now), *map(_line, changed)]


def _line(change: Change) -> str:
    cell, times = change.cell, change.times
    word = f"{times:.2f} times as slow" if times > 1 else f"{1 / times:.2f} times as fast"
    touched = "touched" if cell["touched"] else "hand-over"
    return (
        f"  {name_of(cell)} {cell['shape']} {in_words(cell['size_bytes'])} {touched}: {word} "
        f"({change.before_us:.2f} to {change.now_us:.2f} µs)"
    )


def _other_machine(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    differ = [
        f"{name} {shown(str(before['machine'].get(name)))} then, {shown(str(now['machine'].get(name)))} now"
        for name in ("processor", "cpus", "kernel", "python")
        if before["machine"].get(name) != now["machine"].get(name)
    ]
    return [f"  not the same machine: {'; '.join(differ)}"] if differ else []


def _pairs(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[tuple[Cell, Cell]]:
    earlier = {_key(cell): cell for cell in _measured(before["cells"])}
    for cell in _measured(now["cells"]):
        if (old := earlier.get(_key(cell))) is not None:
            yield old, cell


def _measured(cells: Sequence[Cell]) -> list[Cell]:
    return [cell for cell in cells if not cell["why_not"]]


def _key(cell: Cell) -> tuple[object, ...]:
    return tuple(cell[name] for name in LABELS)
