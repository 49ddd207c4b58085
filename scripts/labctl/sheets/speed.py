"""The figures of `./lab bench speed --json`, as far as a sheet shows them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labctl.config.values import refuse, shown

_ROUND_TRIP, _ONE_WAY = "round trip", "one way"
_FIELDS = {"mechanism": str, "shape": str, "size_bytes": int, "cpus": str, "wait_policy": str}
_CONDITIONS = ("cpus", "machine", "kernel", "python", "date")


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

    :raises BadInput: the file is not what `./lab bench speed --json` prints
    """
    try:
        document: Any = json.loads(file.read_text(encoding="utf-8"))
        return _speed(document)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise refuse(
            f"--bench {shown(str(file))}",
            expected="a file with the JSON of ./lab bench speed --json",
            hint="./lab bench speed --json > speed.json",
        ) from error


def _speed(document: dict[str, Any]) -> Speed:
    conditions = {name: str(document["conditions"][name]) for name in _CONDITIONS}
    figures = []
    for row in document["speed"]:
        if any(not isinstance(row[name], kind) for name, kind in _FIELDS.items()):
            raise TypeError(row)
        if row["us"] is None or row["shape"] not in (_ROUND_TRIP, _ONE_WAY):
            continue
        rate = None if row["shape"] == _ROUND_TRIP else float(row["mb_per_s"])
        figures.append(
            Figure(
                mechanism=row["mechanism"],
                size_bytes=row["size_bytes"],
                us=float(row["us"]),
                mb_per_s=rate,
                two_cpus=row["cpus"] == "two",
                spins=row["wait_policy"] == "spin",
            )
        )
    return Speed(tuple(figures), conditions)
