"""The figures of `./lab bench`, as far as a sheet shows them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labctl.config.json_document import INVALID
from labctl.config.values import refuse, shown
from labctl.terminal.errors import printable

_ROUND_TRIP, _ONE_WAY = "round-trip", "one-way"
_SCHEMA = "ipc-lab-bench/1"


@dataclass(frozen=True, slots=True)
class Figure:
    """One row. `mb_per_s` is None for a round trip."""

    mechanism: str
    size_bytes: int
    us: float
    mb_per_s: float | None
    two_cpus: bool
    spins: bool


@dataclass(frozen=True, slots=True)
class Speed:
    """All rows that were measured, and where."""

    figures: tuple[Figure, ...]
    conditions: dict[str, str]


def read(file: Path) -> Speed:
    """The figures of a file.

    :raises BadInput: the file is not the bench.json of `./lab bench`
    """
    try:
        document: Any = json.loads(file.read_text(encoding="utf-8"))
        return _speed(document)
    except (OSError, *INVALID) as error:
        raise refuse(
            f"--bench {shown(str(file))}",
            expected="the bench.json of ./lab bench",
            hint="./lab bench writes bench/bench.json",
        ) from error


def _speed(document: dict[str, Any]) -> Speed:
    """The hand-over rows of the mechanisms in Python, with the copies of `send` and `receive_into`."""
    if document["schema"] != _SCHEMA:
        raise ValueError(document["schema"])
    machine = document["machine"]
    conditions = {
        "cpus": str(machine["cpus"]),
        "machine": f"{machine['processor']}, {machine['architecture']}",
        "rounds": str(document["rounds"]),
        "kernel": str(machine["kernel"]),
        "python": f"Python {machine['python']}",
        "date": str(document["at"])[:10],
    }
    figures = []
    for cell in document["cells"]:
        unfit = cell["why_not"] or cell["touched"] or not cell["copies"] or cell["implementation"] != "python"
        if unfit or cell["shape"] not in (_ROUND_TRIP, _ONE_WAY):
            continue
        rate = cell["bytes_per_s"]
        figures.append(
            Figure(
                mechanism=str(cell["mechanism"]),
                size_bytes=int(cell["size_bytes"]),
                us=float(cell["us"]),
                mb_per_s=None if rate is None else float(rate) / 1e6,
                two_cpus=cell["cpus"] == "two",
                spins=cell["wait"] == "spin",
            )
        )
    return Speed(tuple(figures), {name: printable(said) for name, said in conditions.items()})
