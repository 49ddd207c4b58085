"""`./lab status`: what is measured, and the containers it runs in."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from labctl import (
    addresses,
    books_table,
    channel_books,
    containers,
    engine,
    kernel_books,
    kernel_table,
    measurements,
    namespace_split,
    placed,
    placed_findings,
    race_table,
    races,
    switches,
    tables,
)
from labctl.configuration import Configuration
from labctl.containers import Container
from labctl.costs import Cost, CostMeter
from labctl.errors import LabError
from labctl.kernel_books import KernelBooks
from labctl.measurements import PairMeasures
from labctl.namespace_split import Split
from labctl.printing import show_lines
from labctl.prometheus import Prometheus, PrometheusSilent
from labctl.races import Race


def show_status(configuration: Configuration, as_json: bool) -> None:
    """Print the lab's state; for machines with `as_json`.

    :raises LabError: nothing of it runs, or Prometheus does not answer
    """
    client = engine.connect()
    found = containers.of_project(client, configuration.project)
    require_running(found, configuration.project)
    meter = CostMeter(found)
    prometheus = Prometheus(configuration.number("LAB_PROMETHEUS_PORT"))
    try:
        pairs = measurements.measure(prometheus, mechanisms_of(found))
        books = kernel_books.read(prometheus)
        races_found = races.measure(prometheus, mechanisms_of(found))
        switches_found = switches.read(prometheus)
        splits = namespace_split.find(prometheus, found)
        placements = placed_findings.findings(
            prometheus, placed.all_placed(client, found, configuration.project), pairs
        )
    except PrometheusSilent:
        if not as_json:  # the containers' states are what there is to see
            tables.show_containers(found, meter.read())
        raise
    costs = meter.read()
    channels = channel_books.read_all(found)
    pairs = channel_books.with_books(pairs, channels)
    if as_json:
        document = as_document(configuration.project, pairs, books, found, costs, splits, races_found)
        document["switches"] = switches_found
        document["placements"] = [finding.as_json() for finding in placements]
        document["channels"] = [channel.as_json() for channel in channels]
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
        return
    tables.show_pairs(pairs)
    show_lines([*switches.lines(switches_found), *([""] if switches_found else [])])
    books_table.show(channels)
    kernel_table.show(books)
    race_table.show(races_found)
    tables.show_containers(found, costs)
    show_lines(list(map(str, placements)))
    show_lines([f"split: {split} (hint: ./lab up heals it)" for split in splits])
    show_lines(addresses.lines(configuration, found))


def require_running(found: Sequence[Container], project: str) -> None:
    """Refuse to go on without a running container.

    :raises LabError: none runs
    """
    if not any(container.running for container in found):
        stopped = f", {len(found)} of its containers are stopped" if found else ""
        raise LabError(f"{project} is not running{stopped}", hint="./lab up starts it")


def mechanisms_of(found: Sequence[Container]) -> list[str]:
    """The pairs that have containers, whatever their state."""
    return sorted({container.mechanism for container in found if container.mechanism})


def as_document(
    project: str,
    pairs: Sequence[PairMeasures],
    books: KernelBooks,
    found: Sequence[Container],
    costs: dict[str, Cost],
    splits: Sequence[Split],
    races_found: Sequence[Race] = (),
) -> dict[str, Any]:
    """The JSON document. null is "not measured"; counts are totals since the pair was created."""
    return {
        "project": project,
        "window_seconds": measurements.WINDOW_S,
        "pairs": [pair.as_json() for pair in pairs],
        "kernel": books.as_json(),
        "races": [race.as_json() for race in races_found],
        "containers": [_container(container, costs.get(container.id, Cost(None, None))) for container in found],
        "namespace_splits": [
            {
                "service": split.member.service,
                "ipc": split.inode,
                "holder": split.holder_service,
                "holder_ipc": split.holder_inode,
            }
            for split in splits
        ],
    }


def _container(container: Container, cost: Cost) -> dict[str, Any]:
    return {
        "service": container.service,
        "number": container.number,
        "id": container.id,
        "state": container.state,
        "health": container.health,
        "exit_code": None if container.running else container.exit_code,
        "memory_bytes": cost.memory_bytes,
        "cpu_share": cost.cpu_share,
    }
