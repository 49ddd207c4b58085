"""`./lab bench`: pause the load, measure every cell in containers of its own, resume, and show the figures."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from labctl.config.configuration import CPUS
from labctl.config.paths import ROOT
from labctl.engine.compose import ensure_compose
from labctl.engine.images import ensure_images
from labctl.experiments.bench import comparison, publication, table
from labctl.experiments.bench.cells import Cell, Cpus, Place, Row, Selection, rows_of, unknown
from labctl.experiments.bench.containers import BenchContainers, bench_containers, places
from labctl.experiments.bench.document import Conditions, as_csv, document, has_failed
from labctl.experiments.bench.figures import Figure
from labctl.experiments.bench.harness import Harness, Progress
from labctl.experiments.bench.link import Group
from labctl.experiments.bench.pause import load_paused
from labctl.lab.lab import Lab
from labctl.lab.project_lock import changing
from labctl.terminal.errors import LabError
from labctl.terminal.files import write_together
from labctl.terminal.printing import in_time, show_lines
from labctl.terminal.progress import Step, step

_DESCRIBES_WITHIN_S = 60.0
_BAR = 20  # signs


@dataclass(frozen=True, slots=True)
class Plan:
    """What was asked for. `budget_s` is for the rounds; a bench that `may_cut` leaves out rounds to keep to it."""

    selection: Selection
    repeat: int
    budget_s: float
    may_cut: bool
    options: Mapping[str, Any]


def bench(lab: Lab, plan: Plan, folder: Path, as_json: bool, before: Mapping[str, Any] | None) -> None:
    """Measure, write the files of `folder`, publish, and print.

    :raises LabError: no engine, no image, an unknown mechanism, or a container that ended
    :raises click.exceptions.Exit: with 1, if a run of a mechanism failed
    """
    client = lab.client
    with changing(lab.project, "./lab bench"):
        ensure_compose()
        ensure_images(client, lab.configuration.values, root=ROOT)
        with load_paused(lab):
            whole = _measured(lab, plan)
    from labctl.experiments.bench.plots import plots  # matplotlib takes longer to import than bad input takes to refuse

    files = {
        "bench.json": (json.dumps(whole, indent=1) + "\n").encode(),
        "bench.csv": as_csv(whole).encode(),
        "bench.md": table.as_markdown(whole).encode(),
        **plots(whole),
    }
    write_together(files, folder, "the bench")
    said = publication.publish(lab, whole)
    if as_json:
        sys.stdout.write(json.dumps(whole, indent=2) + "\n")
    else:
        table.show(whole)
        if before:
            show_lines(comparison.lines(before, whole))
        show_lines([f"Written to {folder}: {', '.join(files)}", said])
    if has_failed(whole):
        raise click.exceptions.Exit(1)


def _measured(lab: Lab, plan: Plan) -> dict[str, Any]:
    began = time.monotonic()
    settings = lab.configuration
    with bench_containers(lab.client, lab.project, settings.lab_image, settings.values[CPUS]) as containers:
        with step("Starting the bench's containers") as current:
            machine, rows, absent = _described(containers)
            if missing := unknown(plan.selection.mechanisms, rows):
                raise LabError(f"{', '.join(missing)} cannot be measured here", hint="; ".join(absent))
            cells = plan.selection.cells(rows)
            for place in places(cell.row.place for cell in cells if not cell.why_not):
                if place not in containers.groups:
                    current.detail(place)
                    containers.start(place)
        cpus = [int(cpu) for cpu in machine["cpus"]]
        cells, too_few = _possible_here(cells, len(cpus))
        with step(f"Measuring {len(cells)} figures, {plan.repeat} times each") as current:
            harness = Harness(containers.groups, (cpus[0], cpus[-1]), lambda progress: _show(current, progress))
            figures = harness.measure(cells, plan.repeat, plan.budget_s, may_cut=plan.may_cut)
    return document(
        figures,
        Conditions(
            machine={**machine, "cpus": len(cpus)},
            versions={**_versions(rows), **_engine(lab)},
            options=plan.options,
            absent=[*absent, *too_few],
            seconds=time.monotonic() - began,
            rounds=_rounds(figures),
        ),
    )


def _described(containers: BenchContainers) -> tuple[dict[str, Any], list[Row], list[str]]:
    group = containers.start(Place.ALONE)
    group.links[Group.CONSUMER].describe()
    _, event = group.next(time.monotonic() + _DESCRIBES_WITHIN_S)
    described = event.pop("implementations")
    rows, absent = rows_of(described)
    return {name: value for name, value in event.items() if name != "event"}, rows, absent


def _possible_here(cells: Sequence[Cell], cpus: int) -> tuple[list[Cell], list[str]]:
    if cpus > 1:
        return list(cells), []
    kept = [cell for cell in cells if cell.cpus is Cpus.ONE]
    lost = len(cells) - len(kept)
    return kept, [f"{lost} figures of two CPUs are absent: this lab may use one"] if lost else []


def _show(current: Step, progress: Progress) -> None:
    round_ = f"round {progress.round} of {progress.rounds}" if progress.round else "warm-up"
    done = progress.done / progress.of
    bar = f"[{'#' * int(done * _BAR):.<{_BAR}}]"
    current.detail(
        f"{bar} {done:.0%}, {in_time(progress.left_s)} left; {round_}: "
        f"{progress.cell.row.mechanism} ({progress.cell.row.implementation})"
    )


def _rounds(figures: Sequence[Figure]) -> int:
    return max((len(figure.runs) for figure in figures), default=0)


def _versions(rows: Sequence[Row]) -> dict[str, str]:
    return {row.implementation: row.version for row in rows}


def _engine(lab: Lab) -> dict[str, str]:
    information = lab.client.version()
    return {"engine": str(information["Version"]), "engine_kernel": str(information.get("KernelVersion", ""))}
