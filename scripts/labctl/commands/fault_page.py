"""The page docs/FAULTS.md: the faults, and what they did: `./lab fault matrix --markdown` makes it."""

from __future__ import annotations

import time
from collections.abc import Sequence

from labctl.config import compose_file
from labctl.faults import matrix, registry
from labctl.faults.fault import Fault, Scope
from labctl.faults.matrix import Cell
from labctl.faults.prediction import Loss, Prediction
from labctl.lab.lab import Lab

_HEAD = """\
# Faults

`./lab fault` breaks a running pair on purpose. A fault has a name, a strength, an end, a mark on the graphs, and a
prediction. This page is made by `./lab fault matrix --markdown`.

```sh
./lab fault list
./lab fault start pause-consumer sysv_mq --for 10s
./lab fault status
./lab fault stop
```

A fault ends by itself, also without its terminal, and everything is put back. `./lab up` and `./lab reset` end faults
of their pairs. See decisions [62](decisions/0062-end-of-a-fault.md), [63](decisions/0063-prediction-of-a-fault.md),
[64](decisions/0064-detour-instead-of-netem.md) and [65](decisions/0065-faults-that-are-refused.md).
"""
_MEASURED = """
## Predicted and measured

Measured, with the prediction in parentheses. Halts: no message arrived at the end of the fault. Back: seconds from the
end of the fault until messages had arrived at two looks in a row. A look reads the ledgers of one pair after the other,
of eleven pairs in two seconds, so a pair may have been back earlier. Lost: by the reason of the ledger. Errno: all that
the producer got. Name: the kernel has the object under its name while the fault is on.

Conditions: {conditions}.

| fault | pair | halts | back, s | lost | errno | name | as predicted |
|---|---|---|---|---|---|---|---|
"""


def page(cells: Sequence[Cell], lab: Lab) -> str:
    """All of it."""
    return head() + measured(cells, conditions(lab))


def head() -> str:
    """The part that needs no running lab: the faults, and where each makes no sense."""
    lines = ["", "## The faults", "", "| fault | does | strength | for | source |", "|---|---|---|---|---|"]
    faults = list(registry.all_faults().values())
    lines += [f"| `{f.name}` | {f.does} | {_strength(f)} | {_for(f)} | {f.source} |" for f in faults]
    lines += ["", "## Where a fault makes no sense", ""]
    for fault in faults:
        by_reason: dict[str, list[str]] = {}
        for name in compose_file.declared():
            if reason := fault.told() or registry.reason(fault, name):
                by_reason.setdefault(reason, []).append(name)
        every = compose_file.declared()
        for reason, names in by_reason.items():
            lines.append(f"- `{fault.name}`, {'every pair' if names == every else ', '.join(names)}: {reason}.")
    return _HEAD + "\n".join(lines) + "\n"


def measured(cells: Sequence[Cell], words: str) -> str:
    """The table of a run."""
    rows = [f"| `{c.fault.name}` | {c.mechanism} | {' | '.join(fields(c))} |" for c in cells if c.measured]
    left_out = [
        f"- `{fault.name}`: {matrix.ONLY_BY_NAME}."
        for fault in registry.all_faults().values()
        if matrix.is_only_by_name(fault)
    ]
    left_out += [f"- `{c.fault.name}` of {c.mechanism}: {c.refused}." for c in cells if c.refused]
    tail = ["", "Not measured:", "", *left_out] if left_out else []
    return _MEASURED.format(conditions=words) + "\n".join([*rows, *tail]) + "\n"


def conditions(lab: Lab) -> str:
    """Of the run: date, machine, load."""
    info = lab.client.info()
    values = lab.configuration.values
    return (
        f"{time.strftime('%Y-%m-%d')}, {info['NCPU']} CPUs, Linux {info['KernelVersion']}, Docker Engine "
        f"{info['ServerVersion']}, {values['LAB_RATE']} messages/s of {values['LAB_SIZE']} bytes for each pair"
    )


def _strength(fault: Fault) -> str:
    return f"{fault.strength.default} {fault.strength.unit}" if fault.strength else "-"


def _for(fault: Fault) -> str:
    names = registry.targets(fault)
    whole = "the lab: " if fault.scope is Scope.LAB else ""
    if not names:
        return "-"
    return whole + ("every pair" if names == compose_file.declared() else ", ".join(names))


def fields(cell: Cell) -> list[str]:
    """What was measured, with the prediction in parentheses; and whether they agree."""
    predicted, measured = cell.predicted, cell.measured
    if predicted is None or measured is None:
        return ["-"] * 5 + ["not measured"]
    back = "late" if measured.back_s is None else f"{measured.back_s:.1f}"
    lost = ", ".join(f"{n} {reason}" for reason, n in measured.lost.items()) or "0"
    return [
        f"{_yes(measured.halted)} ({_yes(predicted.halts)})",
        f"{back} (≤ {predicted.back_within_s:.0f})",
        f"{lost} ({lost_in_words(predicted)})",
        ", ".join(measured.errnos) or "-",
        f"{_yes(measured.object_stays)} ({_yes(predicted.object_stays)})",
        "no" if cell.differs else "yes",
    ]


def lost_in_words(predicted: Prediction) -> str:
    """Such as "at most 1"."""
    if predicted.lost is Loss.NONE:
        return "0"
    if predicted.at_most is not None:
        return f"at most {predicted.at_most}"
    return str(predicted.lost)


def _yes(value: bool | None) -> str:
    return "-" if value is None else "yes" if value else "no"
