"""`./lab fault matrix`: every fault on every pair, as a table, as JSON, or as the page docs/FAULTS.md."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from labctl.commands import fault_page
from labctl.faults import matrix, publication, registry, running
from labctl.faults.matrix import Cell
from labctl.lab.containers import mechanisms_of
from labctl.lab.lab import Lab
from labctl.terminal.errors import BadInput, LabError
from labctl.terminal.printing import new_table, show_lines, show_table, show_text
from labctl.terminal.progress import say, step

_NOTE = (
    "Back: seconds from the end of the fault until messages arrived at two looks in a row. Lost: by the reason of the "
    "ledger. Errno: of the producer. Name: whether the kernel has the object under its name while the fault is on. "
    "Predicted, in parentheses: from the traits of the mechanism and the fault; ./lab fault matrix --json names the "
    "source of each part."
)


def run(lab: Lab, names: Sequence[str], *, quick: bool, as_json: bool, as_markdown: bool) -> None:
    """Measure, show, and publish.

    :raises BadInput: a fault is on, or none of those named can be measured here
    :raises LabError: a cell differs from its prediction
    """
    running.end_overdue(lab)
    if active := running.find(lab):
        raise BadInput(f"fault matrix while {active[0].in_words()} is on", hint="./lab fault stop")
    if alone := next((name for name in names if matrix.is_only_by_name(registry.fault(name))), None):
        raise BadInput(f"fault matrix {alone}: {matrix.ONLY_BY_NAME}", hint=f"./lab fault start {alone} --yes")
    pairs = mechanisms_of([c for c in lab.running() if c.running and not c.is_one_off])
    wanted = matrix.plan(pairs, names, quick=quick)
    if not wanted:
        raise BadInput(f"fault matrix {' '.join(names)}: no running pair has one of them", hint="./lab fault list")
    cells: list[Cell] = []
    for fault, targets in wanted:
        with step(f"{fault.name} on {len(targets)} pairs") as current:
            for cell in matrix.measure(lab, fault, targets, quick=quick):
                cells.append(cell)
                current.detail(cell.mechanism)
        for cell in cells:
            if cell.fault is fault and cell.differs:
                say(f"{fault.name} of {cell.mechanism}: {'; '.join(cell.differs)}")
    publication.publish(lab, cells)
    if as_json:
        sys.stdout.write(json.dumps({"cells": [cell.as_json() for cell in cells]}, indent=2) + "\n")
    elif as_markdown:
        sys.stdout.write(fault_page.page(cells, lab))
    else:
        _show(cells)
    if differing := [cell for cell in cells if cell.differs]:
        first = differing[0]
        raise LabError(
            f"{len(differing)} of {len(cells)} cells differ from their prediction; {first.fault.name} of "
            f"{first.mechanism}: {'; '.join(first.differs)}",
            hint="docs/FAULTS.md; ./lab status",
        )


def _show(cells: Sequence[Cell]) -> None:
    table = new_table()
    for heading in ("fault", "pair", "halts", "back s", "lost", "errno", "name", "as predicted"):
        table.add_column(heading, no_wrap=heading not in ("lost", "errno"), overflow="fold")
    for cell in cells:
        table.add_row(cell.fault.name, cell.mechanism, *fault_page.fields(cell))
    show_table(table)
    show_text(_NOTE)
    show_lines([f"Not measured: {c.fault.name} of {c.mechanism}: {c.refused}" for c in cells if c.refused])
