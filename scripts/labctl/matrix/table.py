"""`./lab matrix`: mechanism by placement, as the probes measured it a few seconds ago."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from rich.text import Text

from ipclab.matrix.placement import SHARED, AnyPlacement, Placement
from labctl.config.compose_file import RESPONDER
from labctl.lab import containers
from labctl.lab.lab import Lab
from labctl.lab.probes import placements_shown, probes_of
from labctl.matrix import cells as reachability
from labctl.matrix import explain
from labctl.matrix.cells import Cell
from labctl.terminal.errors import LabError
from labctl.terminal.printing import duration, new_table, show_lines, show_table
from labctl.terminal.waiting import wait_until

_MEASURED_WITHIN_S = 12  # a round, a scrape, and a start
_HEADINGS = {place: str(place).replace("_", " ") for place in Placement}
_STARTS: dict[AnyPlacement, str] = {Placement.SECOND_HOST: "./lab hosts up"}  # else ./lab up starts the probe
_CONDITIONS = (
    "✓ reached. ✗ with the errno that a system call returned, or plain words where no call failed. A few seconds old.",
)
_TIMES_CONDITIONS = (
    "Round trips, from request to reply: 64 B each way, up to 40 a try, one after the other, after opening. Both",
    "processes are on one CPU and sleep in between, so waking is included. The median of the last tries, 15 tries or a",
    "minute at most; in brackets the lowest and the highest of their medians.",
)
# The same mechanism across ever more: what the two sides have in common besides is in the table above.
_DISTANCES: dict[str, tuple[AnyPlacement, ...]] = {
    "one container": (Placement.SAME_CONTAINER,),
    "two containers": (Placement.SHARED_IPC, Placement.SHARED_VOLUME, Placement.SHARED_NETWORK),
    "two hosts": (Placement.SECOND_HOST,),
}


def show_matrix(lab: Lab, form: str) -> None:
    """Print the matrix as a "table", as "json" or as "markdown".

    :raises LabError: it is not running, or a cell differs from what is predicted
    """
    placements = placements_shown(_probes(lab))
    prometheus = lab.prometheus

    def measured() -> list[Cell] | None:
        cells = reachability.read(prometheus, placements)
        return cells if all(cell.as_predicted for cell in cells) else None

    # What has just been started, or was just cut off, gets the time of a round; what is wrong stays wrong.
    cells = wait_until(measured, _MEASURED_WITHIN_S) or reachability.read(prometheus, placements)
    if form == "json":
        sys.stdout.write(json.dumps({"project": lab.project, "cells": list(map(as_json, cells))}, indent=2))
        sys.stdout.write("\n")
    elif form == "markdown":
        sys.stdout.write(as_markdown(cells, placements))
    else:
        _show_table(cells, placements)
        show_lines([*_CONDITIONS, "", *reason_lines(cells), ""])
        _show_times(cells)
        show_lines(_TIMES_CONDITIONS)
    require_as_predicted(cells)


def show_evidence(lab: Lab, mechanism: str, placement: Placement) -> None:
    """Print what the two containers of one cell have in common, and the system call that failed.

    :raises LabError: it is not running
    """
    probes = _probes(lab)
    if placement not in probes:
        raise LabError(f"no probe runs at {placement}", hint=f"{_STARTS.get(placement, './lab up')} starts it")
    prometheus = lab.prometheus
    explain.show(prometheus, probes, mechanism, placement)


def require_as_predicted(cells: Sequence[Cell]) -> None:
    """Every cell must be what `Traits.requires` predicts.

    :raises LabError: one is not; all that are not are named
    """
    measured = {cell.placement for cell in cells if cell.success is not None}
    if measured and (silent := [cell for cell in cells if cell.placement not in measured]):
        where = silent[0].placement
        raise LabError(
            f"nothing is measured from {where}: no probe runs there, or Prometheus does not reach it",
            hint=f"{_STARTS.get(where, './lab up')} starts it",
        )
    if wrong := [cell for cell in cells if not cell.as_predicted]:
        named = ", ".join(
            f"{cell.mechanism} from {cell.placement} is {in_words(cell)} and should be {'✓' if cell.predicted else '✗'}"
            for cell in wrong
        )
        raise LabError(
            f"{len(wrong)} of {len(cells)} cells differ from what the mechanisms' traits predict: {named}",
            hint=f"./lab matrix --explain {wrong[0].mechanism} {wrong[0].placement}",
        )


def in_words(cell: Cell) -> str:
    """A cell as a person reads it."""
    if cell.success is None:
        return "not measured"
    return "✓" if cell.success else f"✗ {cell.error}"


def with_time(cell: Cell) -> str:
    """A cell with the median of its round trips."""
    return f"✓ {duration(cell.round_trip_s)}" if cell.success else in_words(cell)


def time_in_words(cell: Cell) -> str:
    """The median and its range; "-" where it was not reached."""
    if not cell.success or cell.round_trip_range_s is None:
        return "-"
    low, high = map(duration, cell.round_trip_range_s)
    number, unit = low.split()
    return f"{duration(cell.round_trip_s)} ({number if high.endswith(f' {unit}') else low} to {high})"


def as_markdown(cells: Sequence[Cell], placements: Sequence[Placement]) -> str:
    """The table of README."""
    lines = [["mechanism", *(_HEADINGS[place] for place in placements)], ["---"] * (1 + len(placements))]
    lines += [[f"`{name}`", *map(in_words, row)] for name, row in _rows(cells).items()]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def as_json(cell: Cell) -> dict[str, Any]:
    """Seconds; null is "not measured", or no time because it was not reached."""
    reason = cell.reason
    return {
        "mechanism": cell.mechanism,
        "placement": cell.placement,
        "shares": sorted(SHARED[cell.placement]),
        "success": cell.success,
        "predicted": cell.predicted,
        "as_predicted": cell.as_predicted,
        "round_trip_seconds": cell.round_trip_s,
        "round_trip_range_seconds": cell.round_trip_range_s,
        "round_trip_tries": cell.tries,
        "duration_seconds": cell.duration_s,
        "error": cell.error or None,
        "reason": reason.sentence if reason else None,
        "source": reason.source if reason else None,
    }


def reason_lines(cells: Sequence[Cell]) -> list[str]:
    """Each rule once, with the mechanisms that met it."""
    met: dict[tuple[str, str, str], list[str]] = {}
    for cell in cells:
        if reason := cell.reason:
            names = met.setdefault((cell.error, reason.sentence, reason.source), [])
            names += [] if cell.mechanism in names else [cell.mechanism]
    return [
        line
        for (error, sentence, source), names in met.items()
        for line in (f"✗ {error} ({', '.join(names)}):", f"  {sentence}", f"  {source}")
    ]


def _probes(lab: Lab) -> dict[Placement, containers.Container]:
    found = lab.running()
    probes = probes_of(found)
    if any(container.service == RESPONDER and container.state == "paused" for container in found):
        raise LabError("the responder is paused and does not answer", hint="`docker unpause` it")
    if Placement.SAME_CONTAINER not in probes:
        raise LabError("the responder does not run", hint="./lab up starts it")
    return probes


def _rows(cells: Sequence[Cell]) -> dict[str, list[Cell]]:
    rows: dict[str, list[Cell]] = {}
    for cell in cells:
        rows.setdefault(cell.mechanism, []).append(cell)
    return rows


def _show_table(cells: Sequence[Cell], placements: Sequence[Placement]) -> None:
    table = new_table()
    table.add_column("mechanism", no_wrap=True)
    for place in placements:
        table.add_column(_HEADINGS[place], no_wrap=True)
    for name, row in _rows(cells).items():
        table.add_row(name, *(Text(in_words(cell), style="" if cell.as_predicted else "bold red") for cell in row))
    show_table(table)


def _show_times(cells: Sequence[Cell]) -> None:
    reached = [cell for cell in cells if cell.success]
    distances = {name: places for name, places in _DISTANCES.items() if {c.placement for c in reached} & set(places)}
    table = new_table()
    for name in ("round trip", *distances):
        table.add_column(name, no_wrap=True)
    for mechanism, row in _rows(reached).items():
        nearest = (next((cell for cell in row if cell.placement in places), None) for places in distances.values())
        table.add_row(mechanism, *("-" if cell is None else time_in_words(cell) for cell in nearest))
    show_table(table)
