"""`./lab status`: one screen of pairs; one pair, the kernel's objects or the containers where they are asked for."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from docker import DockerClient

from labctl.commands import addresses, pair_table, tables
from labctl.faults import running
from labctl.faults.running import Running
from labctl.lab import containers
from labctl.lab.containers import Container, mechanisms_of
from labctl.lab.costs import Cost, CostMeter
from labctl.lab.lab import Lab
from labctl.lab.prometheus import PrometheusSilent
from labctl.measured import accounts, fixed_cost, kernel_objects, namespace_split, races
from labctl.measured import pairs as measurements
from labctl.measured.accounts import ChannelAccounts
from labctl.measured.kernel_objects import KernelObjects
from labctl.measured.namespace_split import Split
from labctl.measured.pairs import PairMeasures
from labctl.measured.races import Race, Switches
from labctl.place import findings, moved_consumers
from labctl.terminal.errors import LabError
from labctl.terminal.printing import show_lines, show_text


class Section(StrEnum):
    """A part of what `./lab status` can show."""

    PAIRS = "pairs"
    KERNEL = "kernel"
    CONTAINERS = "containers"
    DETAILS = "details"  # switches, races, and who received what from whom


@dataclass(frozen=True)
class Reading:
    """What Prometheus, the engine and the ledgers say at one moment."""

    found: Sequence[Container]
    pairs: Sequence[PairMeasures]
    held: KernelObjects
    races: Sequence[Race]
    switches: Switches
    splits: Sequence[Split]
    placements: Sequence[findings.Finding]
    channels: Sequence[ChannelAccounts]
    fixed_cost: Mapping[str, float]  # part to the share of a core, of all containers
    faults: Sequence[Running] = ()

    def of(self, mechanism: str) -> Reading:
        """What of it concerns one pair."""
        return Reading(
            found=containers.of_pair(self.found, mechanism),
            pairs=[pair for pair in self.pairs if pair.mechanism == mechanism],
            held=self.held.of(mechanism),
            races=[race for race in self.races if race.mechanism == mechanism],
            switches={name: states for name, states in self.switches.items() if name == mechanism},
            splits=[split for split in self.splits if split.member.mechanism == mechanism],
            placements=[finding for finding in self.placements if finding.mechanism == mechanism],
            channels=[channel for channel in self.channels if channel.mechanism == mechanism],
            fixed_cost={},
            faults=[fault for fault in self.faults if fault.mechanism in ("", mechanism)],
        )


_WHY_LOST = "Why messages were lost: ./lab status MECHANISM."


def show_status(lab: Lab, sections: Collection[Section]) -> None:
    """Print sections of the lab's state; the pairs alone fit into 24 lines of 80 columns.

    :raises LabError: nothing of it runs, or Prometheus does not answer
    """
    client, found = _running(lab)
    needs_costs = Section.CONTAINERS in sections
    meter = CostMeter(found if needs_costs else [])
    try:
        reading = read(lab, client, found)
    except PrometheusSilent:
        tables.show_containers(found, meter.read())  # the containers' states are what there is to see
        raise
    if Section.PAIRS in sections:
        pair_table.show_pairs(reading.pairs)
    if Section.DETAILS in sections:
        _show_details(reading)
    if Section.KERNEL in sections:
        tables.show_kernel_objects(reading.held)
    if needs_costs:
        tables.show_containers(found, meter.read())
        show_lines(fixed_cost.lines(reading.fixed_cost))
    details = Section.DETAILS in sections
    losses = pair_table.loss_sentences(reading.pairs)
    show_lines([*(losses if details else []), *_troubles(reading, one_screen=not details)])
    if Section.PAIRS in sections:
        show_lines(addresses.lines(lab.configuration, found))
        if not needs_costs:
            elsewhere = {finding.mechanism for finding in reading.placements}
            show_text(_summary(found, reading.fixed_cost, elsewhere, lost=bool(losses)))


def show_pair(lab: Lab, mechanism: str) -> None:
    """Print everything that is known of one pair.

    :raises LabError: it does not run, or Prometheus does not answer
    """
    client, found = _running(lab)
    members = containers.of_pair(found, mechanism)
    if not members:
        raise LabError(f"{mechanism} is not running in {lab.project}", hint=f"./lab up {mechanism}")
    meter = CostMeter(members)
    try:
        reading = read(lab, client, found).of(mechanism)
    except PrometheusSilent:
        tables.show_containers(members, meter.read())
        raise
    pair_table.show_pair(reading.pairs[0])
    _show_details(reading)
    tables.show_kernel_objects(reading.held)
    tables.show_containers(members, meter.read())
    show_lines([*pair_table.loss_sentences(reading.pairs), *_troubles(reading)])


def show_json(lab: Lab) -> None:
    """Print all of it for machines.

    :raises LabError: nothing of it runs, or Prometheus does not answer
    """
    client, found = _running(lab)
    meter = CostMeter(found)
    reading = read(lab, client, found)
    document = as_document(lab.project, reading.pairs, reading.held, found, meter.read(), reading.splits, reading.races)
    document["switches"] = reading.switches
    document["placements"] = [finding.as_json() for finding in reading.placements]
    document["faults"] = [fault.as_json() for fault in reading.faults]
    document["fixed_cpu_shares"] = reading.fixed_cost
    document["channels"] = [channel.as_json() for channel in reading.channels]
    sys.stdout.write(json.dumps(document, indent=2) + "\n")


def read(lab: Lab, client: DockerClient, found: Sequence[Container]) -> Reading:
    """Ask Prometheus, and read the ledgers of pairs that are scaled.

    :raises PrometheusSilent: Prometheus does not answer
    """
    prometheus = lab.prometheus
    pairs = measurements.measure(prometheus, mechanisms_of(found))
    held = kernel_objects.read(prometheus)
    races_found = races.measure(prometheus, mechanisms_of(found))
    switches_found = races.read(prometheus)
    splits = namespace_split.find(prometheus, found)
    elsewhere = moved_consumers.all_placed(client, found, lab.project)
    placements = findings.findings(prometheus, elsewhere, pairs)
    channels = accounts.read_all(found)
    pairs = accounts.with_accounts(pairs, channels)
    cost = fixed_cost.read(prometheus)
    faults = running.find(lab)
    return Reading(found, pairs, held, races_found, switches_found, splits, placements, channels, cost, faults)


def as_document(
    project: str,
    pairs: Sequence[PairMeasures],
    held: KernelObjects,
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
        "kernel": held.as_json(),
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


def _running(lab: Lab) -> tuple[DockerClient, list[Container]]:
    """The engine, and the project's containers, of which at least one runs."""
    client = lab.client
    found = lab.running()
    return client, found


def _show_details(reading: Reading) -> None:
    lines = races.lines(reading.switches)
    show_lines([*lines, *([""] if lines else [])])
    tables.show_accounts(reading.channels)
    tables.show_races(reading.races)


def _troubles(reading: Reading, *, one_screen: bool = False) -> Iterator[str]:
    """What a person must know whatever they asked for: consumers elsewhere, faults, members that are split off.

    :param one_screen: all faults in one line
    """
    yield from map(str, reading.placements)
    match reading.faults:
        case [fault] if one_screen:
            yield fault.left_in_words()
        case [_, *_] if one_screen:
            yield f"{len(reading.faults)} faults are on (hint: ./lab fault status)"
        case faults:
            yield from map(str, faults)
    yield from (f"split: {split} (hint: ./lab up heals it)" for split in reading.splits)


def _summary(found: Sequence[Container], cost: Mapping[str, float], elsewhere: Set[str], *, lost: bool) -> str:
    """How many containers run, which of the pairs' do not, what they cost beside messages, and where the rest is.

    :param elsewhere: pairs whose consumer was moved: that its container in the pair does not run is as it should be
    """
    running = sum(container.running for container in found)
    moved = {c.id for c in found if c.mechanism in elsewhere and not c.is_producer}
    stopped = [
        f"{c.label} ({c.state_in_words()})" for c in found if c.mechanism and not c.running and c.id not in moved
    ]
    scaled = sorted({c.mechanism for c in found if c.mechanism and c.number > 1})
    sentences = [f"{running} containers run{', not ' if stopped else ''}{', '.join(stopped)}."]
    if cost:
        sentences.append(f"Beside messages they take {sum(cost.values()) * 100:.0f} % of a core.")
    if scaled:
        sentences.append(f"Several containers on a side: {', '.join(scaled)}.")
    if lost:
        sentences.append(_WHY_LOST)
    return " ".join([*sentences, "More: ./lab status MECHANISM, --containers, --kernel, --all."])


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
