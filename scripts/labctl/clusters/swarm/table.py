"""The tables of the stack: the pairs across the nodes, and the matrix of two tasks."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from docker.models.services import Service

from ipclab.matrix.placement import Placement
from labctl.clusters.swarm import pages as swarm_pages
from labctl.clusters.swarm import views as swarm_view
from labctl.clusters.swarm.nodes import Manager
from labctl.clusters.swarm.pages import Page
from labctl.clusters.swarm.views import PairView
from labctl.matrix import table as matrix
from labctl.matrix.cells import Cell
from labctl.terminal.errors import LabError
from labctl.terminal.printing import new_table, show_lines, show_table, show_text
from labctl.terminal.waiting import wait_until

_MEASURED_WITHIN_S = 12  # a round of the probes, and a start
_PLACES = {
    Placement.SAME_CONTAINER: "same task",
    Placement.SHARED_NETWORK: "task on the same node",
    Placement.SECOND_HOST: "task on another node",
}
_CONDITIONS = (
    "Sent, received, lost, skipped (due, and never sent): messages, by the tasks that run now. Epochs: the start "
    "times (UTC) of the producers whose messages the consumer has received. ✗: the producer has no open channel, with "
    "the kernel's errno. "
    "Swarm shares no IPC namespace between services and no volume between nodes: two tasks share only a network."
)


def show(project: str, manager: Manager, services: Mapping[str, Service], *, as_json: bool = False) -> None:
    """Print both tables, or JSON.

    :raises LabError: no task of this node runs, or a cell is not what is predicted
    """
    client = manager.client
    reader = next(iter(swarm_view.tasks_here(client, services).values()), None)
    if reader is None:
        raise LabError(f"no task of {project}'s stack runs on the manager's node", hint="./lab swarm up starts them")

    def read() -> tuple[dict[str, list[Page]], list[Cell]]:
        pages = swarm_pages.read(manager, reader, services)
        return pages, swarm_pages.cells(pages, _PLACES)

    def as_predicted() -> tuple[dict[str, list[Page]], list[Cell]] | None:
        found = read()
        return found if all(cell.as_predicted for cell in found[1]) else None

    # What has just been started gets the time of a round. JSON is the moment as it is.
    pages, cells = read() if as_json else wait_until(as_predicted, _MEASURED_WITHIN_S, every_s=1) or read()
    views = swarm_view.of_pairs(client, services, pages)
    if as_json:
        document = {"pairs": [view.as_json() for view in views], "cells": list(map(matrix.as_json, cells))}
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
        return
    _show_pairs(views)
    _show_matrix(cells)
    matrix.require_as_predicted(cells)


def _show_pairs(views: Sequence[PairView]) -> None:
    table = new_table()
    for heading in ("pair", "producer on", "consumer on", "channel", "sent", "received", "lost", "skipped", "epochs"):
        table.add_column(heading, no_wrap=True)
    for view in views:
        table.add_row(
            view.mechanism,
            ", ".join(view.producer_on) or "nowhere",
            ", ".join(view.consumer_on) or "nowhere",
            _channel(view),
            *("-" if count is None else f"{count:,}" for count in (view.sent, view.received, view.lost, view.skipped)),
            ", ".join(f"{datetime.fromtimestamp(epoch / 1e9, UTC):%H:%M:%S}" for epoch in view.epochs) or "-",
        )
    show_table(table)
    show_text(_CONDITIONS)
    show_lines([""])


def _channel(view: PairView) -> str:
    if view.open is None:
        return "no answer"
    return "✓" if view.open else f"✗ {view.error}"


def _show_matrix(cells: Sequence[Cell]) -> None:
    table = new_table()
    table.add_column("mechanism", no_wrap=True)
    for heading in _PLACES.values():
        table.add_column(heading, no_wrap=True)
    rows: dict[str, list[Cell]] = {}
    for cell in cells:
        rows.setdefault(cell.mechanism, []).append(cell)
    for mechanism, row in rows.items():
        table.add_row(mechanism, *map(matrix.with_time, row))
    show_table(table)
    show_lines(matrix.reason_lines(cells))
