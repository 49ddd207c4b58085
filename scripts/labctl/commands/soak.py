"""`./lab soak`: settles the pairs, runs the plan under load, audits every message, and writes the report."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Set
from pathlib import Path

import click

from labctl.faults import running
from labctl.faults.soak import leaks, readings
from labctl.faults.soak.document import Report
from labctl.faults.soak.leaks import Inventory
from labctl.faults.soak.readings import Quiet
from labctl.faults.soak.run import Soak
from labctl.lab import containers
from labctl.lab.lab import Lab
from labctl.report import conditions
from labctl.terminal.errors import LabError
from labctl.terminal.files import write_together
from labctl.terminal.printing import show_lines, show_verbatim
from labctl.terminal.progress import step
from labctl.terminal.waiting import wait_until

_SEEDS = 1_000_000
_AS_BEFORE_WITHIN_S = 60


def soak(lab: Lab, minutes: int, seed: int | None, folder: Path, *, as_json: bool) -> None:
    """Run one soak and print its report; exits with 1 if the audit or the watch found anything.

    :raises LabError: the lab does not run, a pair was scaled, a fault runs already, or a pair does not settle before
    """
    seed = random.randrange(_SEEDS) if seed is None else seed
    report = _run(lab, minutes, seed)
    write_together(report.files(), folder, "the report of the soak")
    if as_json:
        show_lines([json.dumps(report.as_json(), indent=1, ensure_ascii=False)])
    else:
        show_verbatim([*report.lines(), f"Report: {folder / 'soak.json'}"])
    if report.findings:
        raise click.exceptions.Exit(1)


def _run(lab: Lab, minutes: int, seed: int) -> Report:
    found = lab.running()
    if faults := running.find(lab):
        raise LabError(f"{faults[0].in_words()} is on already", hint="./lab fault stop, then the soak again")
    names = containers.mechanisms_of(found)
    if not names:
        raise LabError(f"no pair is running in {lab.project}", hint="./lab up starts the pairs")
    pairs = {mechanism: readings.sides(found, mechanism) for mechanism in names}
    with step("Settling the pairs for the first audit"), Quiet(pairs) as quiet:
        first = quiet.settled()
        if late := [name for name in names if name not in first or first[name].in_flight]:
            raise LabError(f"{', '.join(late)} does not settle", hint=f"./lab status {late[0]}; ./lab reset")
        before = readings.inventory(lab)
    began_at = time.time()
    with step(f"Soaking {len(names)} pairs for {minutes} minutes, seed {seed}") as current:
        run = Soak(lab, pairs, first, seed)
        run.run(minutes * 60, current.detail)
        ran_s = run.elapsed_s
    with step("Settling the pairs for the last audit"):
        found = lab.containers()
        with Quiet({mechanism: readings.sides(found, mechanism) for mechanism in names}) as quiet:
            run.finish(quiet.settled())
        differences = _differences(lab, before, run.volumes)
    slopes = leaks.slopes(run.samples.series)
    findings = [
        *run.findings,
        *(finding for book in run.books.values() for finding in book.findings()),
        *differences,
        *leaks.findings(slopes),
    ]
    facts = [*conditions.machine_and_versions(lab), ("load", _load(found))]
    return Report(lab.project, seed, minutes, began_at, ran_s, facts, run.books, run.done, slopes, findings)


def _differences(lab: Lab, before: Inventory, volumes: Set[str]) -> list[str]:
    """What is not as it was, a minute after the last fault at the latest."""
    found: list[str] = []

    def is_as_before() -> bool:
        found[:] = before.differences(readings.inventory(lab, volumes))
        return not found

    wait_until(is_as_before, _AS_BEFORE_WITHIN_S, every_s=2)
    return found


def _load(found: list[containers.Container]) -> str:
    loads = {f"{c.environment['LAB_RATE']}/s of {c.environment['LAB_SIZE']} B" for c in found if c.is_producer}
    return ", ".join(sorted(loads))
