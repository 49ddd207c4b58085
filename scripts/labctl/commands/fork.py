"""`./lab fork`: the anonymous pipe between a parent and its child, inside one container of the lab."""

from __future__ import annotations

from labctl.lab.containers import read_in
from labctl.lab.lab import Lab
from labctl.terminal.errors import LabError
from labctl.terminal.printing import duration, new_table, show_lines, show_table

_MECHANISM = "anonymous_pipe"
_WHY = (
    "A pipe has one direction, so the answers need a second pipe. By their inodes, one process reads the pipe that",
    "the other one writes. Neither pipe has a name: fork(2) copied the ends into the child. The pair's producer hands",
    "an end to its consumer through a Unix socket (SCM_RIGHTS), so producer and consumer need no common parent.",
    "pipe(2), pipe(7), fork(2)",
)


def show_fork(lab: Lab) -> None:
    """Fork in the pair's producer's container; print both ends of both pipes, and the time of a round trip.

    :raises LabError: the pair does not run, or the two cannot talk
    """
    where = lab.endpoints(_MECHANISM, producers=True)[0]
    ran = read_in(where.docker, ["python", "-m", "ipclab", "fork"])
    if ran.code:
        raise LabError(
            f"no parent and child in {where.service}: {ran.said}", hint="./lab status --containers shows them"
        )
    talk = ran.answer()
    table = new_table()
    for heading in (f"in {where.label}", "process", "writes", "reads"):
        table.add_column(heading, no_wrap=True)
    for name in ("parent", "child"):
        process = talk[name]
        table.add_row(name, str(process["pid"]), ", ".join(process["writes"]), ", ".join(process["reads"]))
    show_table(table)
    show_lines(
        [
            f"{talk['round_trips']} round trips of {talk['size_bytes']} B: median {duration(talk['median_s'])}, "
            f"p99 {duration(talk['p99_s'])}; {talk['wrong']} wrong answers. Both on one kernel, reads block.",
            *_WHY,
        ]
    )
