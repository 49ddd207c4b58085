"""How fast the mechanisms are: raw payloads through the real endpoints, medians of interleaved clean runs."""

from __future__ import annotations

import json
import os
import platform
import statistics
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import channels, rig, shapes
from bench.rig import MAX_FOREIGN_SHARE, Run
from bench.rows import Row, Shape, rows

ROUNDS = 5
_RUN_S = 0.15
_FIRST_COUNT = 200
_DO: dict[Shape, tuple[shapes.Parent, shapes.Child]] = {
    Shape.ROUND_TRIP: (shapes.ask, shapes.answer),
    Shape.ONE_WAY: (shapes.pour, shapes.drain),
    Shape.ONE_WAY_BATCHED: (shapes.pour_batches, shapes.drain_batches),
    Shape.ONE_WAY_CHECKED: (shapes.pour_sealed, shapes.drain_sealed),
}


@dataclass(slots=True)
class Figure:
    """A row and its clean runs, in microseconds a message or a round trip."""

    row: Row
    count: int = 0
    microseconds: list[float] = field(default_factory=list)
    dropped: int = 0
    why_not: str = ""

    @property
    def median_us(self) -> float | None:
        return statistics.median(self.microseconds) if self.microseconds else None

    def as_json(self) -> dict[str, Any]:
        row, median = self.row, self.median_us
        return {
            "row": row.name,
            "mechanism": row.mechanism,
            "shape": str(row.shape),
            "size_bytes": row.size,
            "cpus": str(row.cpus),
            "wait_policy": str(row.wait),
            "us": median,
            "mb_per_s": None if median is None or row.shape is Shape.ROUND_TRIP else row.size / median,
            "clean_runs": len(self.microseconds),
            "dropped_runs": self.dropped,
            "why_not": self.why_not,
        }


def report(*, as_json: bool) -> list[str]:
    """The lines to print."""
    figures = measure(rows())
    if as_json:
        return [json.dumps(as_document(figures), indent=2)]
    return [
        f"speed on {os.cpu_count()} CPUs, {platform.machine()}, Linux {platform.release()}, Python "
        f"{platform.python_version()}: two processes, raw payloads, checksums off unless it says on; medians of up to "
        f"{ROUNDS} interleaved runs; runs in which others had over {MAX_FOREIGN_SHARE:.0%} of the CPU are dropped:",
        *map(_line, figures),
        "UDP has no one-way row: what comes too fast is dropped, so there is no rate at which all of it arrives.",
    ]


def as_document(figures: Iterable[Figure]) -> dict[str, Any]:
    """The figures, and the machine and the day to which they belong."""
    conditions = {
        "cpus": os.cpu_count(),
        "machine": platform.machine(),
        "kernel": platform.release(),
        "python": f"Python {platform.python_version()}",
        "date": datetime.now(UTC).date().isoformat(),
    }
    return {"conditions": conditions, "speed": [figure.as_json() for figure in figures]}


def _line(figure: Figure) -> str:
    row, median = figure.row, figure.median_us
    name = f"  {row.name:23} {row.shape:22} {row.size:7} B  cpus={row.cpus}  wait={row.wait:5}"
    if median is None:
        return f"{name}  no clean run: {figure.why_not or f'{figure.dropped} dropped'}"
    rate = "" if row.shape is Shape.ROUND_TRIP else f"{row.size / median:8,.0f} MB/s"
    dropped = (
        f"  ({figure.dropped} of {figure.dropped + len(figure.microseconds)} runs dropped)" if figure.dropped else ""
    )
    return f"{name} {median:9.2f} µs {rate}{dropped}".rstrip()


def measure(wanted: Iterable[Row], rounds: int = ROUNDS) -> list[Figure]:
    """Every row once a round, `rounds` times, so that what changes on the machine meets all of them."""
    figures = [Figure(row) for row in wanted]
    with tempfile.TemporaryDirectory() as directory:
        for _ in range(rounds):
            for figure in figures:
                _add_run(figure, Path(directory))
    return figures


def _add_run(figure: Figure, directory: Path) -> None:
    try:
        if not figure.count:
            trial = _run(figure.row, _FIRST_COUNT, directory)
            figure.count = max(20, int(_FIRST_COUNT * _RUN_S / trial.seconds))
        run = _run(figure.row, figure.count, directory)
    except ValueError as error:
        figure.why_not = str(error)
        return
    if run.is_clean:
        figure.microseconds.append(run.seconds / figure.count * 1e6)
    else:
        figure.dropped += 1


def _run(row: Row, count: int, directory: Path) -> Run:
    parent, child = _DO[row.shape]
    with channels.open_pair(row.mechanism, row.wait, directory, replies=row.shape is Shape.ROUND_TRIP) as pair:
        return rig.run(
            row.cpus,
            lambda: parent(pair.parent(), row.size, count),
            lambda: child(pair.child(), row.size, count),
        )
