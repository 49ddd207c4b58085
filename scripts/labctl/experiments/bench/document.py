"""The JSON of a bench, and its CSV. docs/BENCH.md says what each field is; `SCHEMA` changes with them.

Seconds and bytes per second are derived from what was measured; `runs` has what was measured.
"""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from labctl.config.json_document import INVALID, has_type
from labctl.config.values import refuse, shown
from labctl.experiments.bench.cells import OURS, Cell
from labctl.experiments.bench.figures import Figure, key_of, ratios_to_c
from labctl.experiments.bench.run import Outcome

SCHEMA = "ipc-lab-bench/1"
PERCENTILES = {"p50_us": 50.0, "p99_us": 99.0, "p999_us": 99.9}
_THINNED_TO = 100  # samples of each run that the JSON keeps; percentiles are of all
# The first columns of the CSV and the first fields of a cell.
_LABEL_TYPES = {
    "implementation": str,
    "mechanism": str,
    "size_bytes": int,
    "shape": str,
    "wait": str,
    "cpus": str,
    "copies": bool,
    "touched": bool,
    "limit": bool,
}
LABELS = tuple(_LABEL_TYPES)
VALUES = (
    "us",
    "us_min",
    "us_max",
    *PERCENTILES,
    "messages_per_s",
    "bytes_per_s",
    "cpu_us",
    "voluntary",
    "involuntary",
    "actual_size_bytes",
    "lost_share",
    "noisy",
    "foreign_share",
    "steal_share",
    "ratio_to_c",
)


@dataclass(frozen=True, slots=True)
class Conditions:
    """Where and how it was measured."""

    machine: Mapping[str, Any]
    versions: Mapping[str, str]
    options: Mapping[str, Any]
    absent: Sequence[str]
    seconds: float
    rounds: int


def document(figures: Sequence[Figure], conditions: Conditions) -> dict[str, Any]:
    """The whole bench."""
    now = time.time()
    ratios = ratios_to_c(figures)
    return {
        "schema": SCHEMA,
        "at": datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds"),
        "at_unix_s": now,
        **asdict(conditions),
        "cells": [_cell(figure, ratios.get(key_of(figure.cell))) for figure in figures],
    }


def has_failed(whole: Mapping[str, Any]) -> bool:
    """Whether a run of a mechanism lost or altered what it must not, in Python or in C.

    A library of somebody else that does is shown with its reason, and is no failure of the bench.
    """
    return any(cell["failures"] for cell in whole["cells"] if cell["implementation"] in OURS)


def read(path: Path, option: str) -> dict[str, Any]:
    """The document of an earlier bench.

    :raises BadInput: the file is none
    """
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8"))
        if found["schema"] == SCHEMA and _is_whole(found):
            return dict(found)
    except (OSError, *INVALID):
        pass
    raise refuse(
        f"{option} {shown(str(path))}",
        expected=f"the JSON of a bench ({SCHEMA})",
        hint="bench/bench.json of ./lab bench",
    )


def _is_whole(found: Mapping[str, Any]) -> bool:
    """Whether it has what a comparison reads, each of its type."""
    whole = _is_printable(found["at"]) and has_type(found["machine"], Mapping[str, Any])
    return whole and has_type(found["cells"], list[Any]) and all(map(_is_cell, found["cells"]))


def _is_cell(cell: Mapping[str, Any]) -> bool:
    if not all(has_type(cell[name], kind) for name, kind in {**_LABEL_TYPES, "why_not": str}.items()):
        return False
    if not all(_is_printable(cell[name]) for name, kind in _LABEL_TYPES.items() if kind is str):
        return False
    times = (cell["us"], cell["us_min"], cell["us_max"])
    return bool(cell["why_not"]) or (
        isinstance(cell["noisy"], bool) and all(has_type(time_us, float) and time_us > 0 for time_us in times)
    )


def _is_printable(text: object) -> bool:
    return isinstance(text, str) and text.isprintable()


def as_csv(whole: Mapping[str, Any]) -> str:
    """A line for each cell, without its runs."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [*LABELS, *VALUES, "runs", "why_not"], extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for cell in whole["cells"]:
        writer.writerow({**cell, "runs": len(cell["runs"])})
    return text.getvalue()


def _cell(figure: Figure, ratio: float | None) -> dict[str, Any]:
    values = dict.fromkeys(VALUES) if figure.why_not else _values(figure, ratio)
    return {
        **_labels(figure.cell),
        "why_not": figure.why_not,
        "failures": figure.failures,
        "failed": figure.failed,
        **values,
        "runs": [_run(outcome) for outcome in figure.runs],
    }


def _labels(cell: Cell) -> dict[str, Any]:
    return {
        "implementation": cell.row.implementation,
        "mechanism": cell.row.mechanism,
        "size_bytes": cell.size,
        "shape": str(cell.shape),
        "wait": str(cell.wait),
        "cpus": str(cell.cpus),
        "copies": cell.copies,
        "touched": cell.touched,
        "limit": cell.row.limit,
    }


def _values(figure: Figure, ratio: float | None) -> dict[str, Any]:
    fastest, slowest = figure.us_range
    return {
        "us": figure.us,
        "us_min": fastest,
        "us_max": slowest,
        **{name: figure.percentile_us(percent) for name, percent in PERCENTILES.items()},
        "messages_per_s": figure.messages_per_s,
        "bytes_per_s": figure.bytes_per_s,
        "cpu_us": figure.cpu_us,
        "voluntary": figure.voluntary,
        "involuntary": figure.involuntary,
        "actual_size_bytes": figure.actual_size,
        "lost_share": figure.lost_share,
        "noisy": figure.noisy,
        "foreign_share": figure.foreign_share,
        "steal_share": figure.steal_share,
        "ratio_to_c": ratio,
    }


def _run(outcome: Outcome) -> dict[str, Any]:
    every = max(1, len(outcome.samples_ns) // _THINNED_TO)
    return {**asdict(outcome), "us": outcome.us, "samples_ns": list(outcome.samples_ns[::every])}
