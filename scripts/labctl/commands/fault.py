"""`./lab fault list`, `start`, `stop` and `status`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from ipclab import mechanisms
from labctl.config import compose_file
from labctl.config.values import refuse
from labctl.faults import registry, running
from labctl.faults.fault import Fault, Scope
from labctl.faults.running import Running
from labctl.lab.lab import Lab
from labctl.terminal.printing import new_table, show_lines, show_table, show_text
from labctl.terminal.progress import step


def show_list(*, as_json: bool) -> None:
    """Every fault, and for which pairs it is."""
    faults = list(registry.all_faults().values())
    if as_json:
        show_lines([json.dumps({"faults": [_as_json(fault) for fault in faults]}, indent=2)])
        return
    table = new_table()
    for heading in ("fault", "does", "strength", "for"):
        table.add_column(heading, no_wrap=heading == "fault", overflow="fold")
    for fault in faults:
        strength = fault.strength
        words = f"{strength.default} {strength.unit}" if strength else "-"
        table.add_row(fault.name, fault.does, words, _for(fault))
    show_table(table)
    show_text(
        "Strength: the default, with its unit. A fault of the lab needs no MECHANISM and reaches every pair in the "
        "holder's namespace. --json has the reason for every pair that a fault is not for."
    )


def start(lab: Lab, fault: Fault, targets: Sequence[str], strength: int | None, for_s: float, *, yes: bool) -> None:
    """Begin it on every target, or on none.

    :raises BadInput: it makes no sense on one of them, or another fault excludes it
    :raises LabError: it cannot be done
    """
    running.end_overdue(lab)
    fault.may_begin(yes=yes)
    active = running.find(lab)
    for mechanism in targets:
        running.check(fault, mechanism, strength, active)
    begun: list[Running] = []
    with running.none_left(lab):
        for mechanism in targets:
            with step(f"Starting {fault.name}{f' of {mechanism}' if mechanism else ''}"):
                begun.append(running.start(lab, fault, mechanism, strength=strength, for_s=for_s))
    show_lines([f"{it.in_words()}: on for {for_s:.0f} s; ./lab fault stop {fault.name} ends it before" for it in begun])


def stop(lab: Lab, name: str | None) -> None:
    """End those that are on, or those called so.

    :raises BadInput: none of that name is on
    """
    found = running.find(lab)
    wanted = [it for it in found if name in (None, it.fault.name)]
    if name and not wanted:
        on = ", ".join(sorted({it.fault.name for it in found})) or "none"
        raise refuse(f"fault stop {name}", expected=f"one that is on: {on}", hint="./lab fault status")
    for it in wanted:
        with step(f"Ending {it.in_words()}"):
            running.stop(lab, it)
    show_lines([f"{it.in_words()}: over, everything is put back" for it in wanted] or ["no fault is on"])


def show_status(lab: Lab, *, as_json: bool) -> None:
    """Those that are on."""
    found = running.find(lab)
    if as_json:
        show_lines([json.dumps({"faults": [it.as_json() for it in found]}, indent=2)])
        return
    show_lines([str(it) for it in found] or ["no fault is on"])


def _for(fault: Fault) -> str:
    if told := fault.told():
        return f"not done: {told}"
    names = registry.targets(fault)
    whole = "the lab: " if fault.scope is Scope.LAB else ""
    return whole + ("every pair" if names == compose_file.declared() else ", ".join(names))


def _as_json(fault: Fault) -> dict[str, object]:
    declared = compose_file.declared()
    reasons = {name: fault.told() or fault.refusal(mechanisms.load(name).traits) for name in declared}
    return {
        "name": fault.name,
        "title": fault.title,
        "does": fault.does,
        "source": fault.source,
        "scope": str(fault.scope),
        "strength": asdict(fault.strength) if fault.strength else None,
        "changes": sorted(fault.touches),
        "mechanisms": registry.targets(fault),
        "refused": {name: reason for name, reason in reasons.items() if reason},
    }
