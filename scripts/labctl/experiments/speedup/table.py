"""How a comparison is shown: a table with what its columns mean, or JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from ipclab.contract.channel import Traits
from labctl.experiments.speedup.results import Comparison
from labctl.terminal.printing import duration, new_table, show_lines, show_table, show_text

_COLUMNS = "workers", "one process", "wall", "speedup", "efficiency", "parallel", "computing", "moving", "waiting"
_MEANING = """\
Wall: first task sent to last result received. One process: the same job in the coordinator, just before each round.
Parallel: fraction of the job by Amdahl's law, from the measured speedup (Karp-Flatt metric).
Computing: CPU time of all workers in the job. Communicating is the other two. Moving: CPU time of all processes
inside send and receive. Waiting: the rest of the workers' wall time, in which they had no task or no CPU."""


def show(mechanism: str, traits: Traits, limit: int, chunks: int, found: Sequence[Comparison], as_json: bool) -> None:
    """Print all comparisons, by number of workers."""
    conditions = {
        "mechanism": mechanism,
        "wait_policy": str(traits.waits[0]),
        "tasks_by": "mailbox" if traits.many_receivers else "a channel for each worker",
        "job": f"count the primes below {limit}",
        "limit": limit,
        "primes": found[0].rounds[0]["primes"],
        "chunks": chunks,
        "rounds": len(found[0].rounds),
        "cpus": found[0].cpus,
        "python": found[0].python,
    }
    if as_json:
        document = {**conditions, "comparisons": [comparison.as_json() for comparison in found]}
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
        return
    _show_table(found)
    show_text(_MEANING)
    show_text(
        f"Measured: {mechanism}, receivers {traits.waits[0]}, tasks by {conditions['tasks_by']}; "
        f"{conditions['job']}: {conditions['primes']} (both ways), {chunks} chunks; {conditions['cpus']} CPUs, "
        f"Python {conditions['python']}; medians of {conditions['rounds']} rounds."
    )
    show_lines(remarks(found))


def remarks(found: Sequence[Comparison]) -> list[str]:
    """What has to be said of these figures and not of all."""
    lines = []
    cpus = found[0].cpus
    if crowded := [str(comparison.workers) for comparison in found if comparison.workers > cpus]:
        lines.append(
            f"{', '.join(crowded)} workers on {cpus} CPUs: no more than {cpus} compute at a time; "
            f"expect a speedup of {cpus} at most."
        )
    for comparison in found:
        count, fraction = comparison.workers, comparison.parallel_fraction
        if count == 1:
            lines.append(_of_one(comparison))
        if fraction is not None and fraction < 0:
            lines.append(f"{count} workers took longer than one process: below 0 is no fraction any more.")
        if fraction is not None and fraction > 1:
            lines.append(f"{count} workers were more than {count} times as fast: noise, or another load.")
        resent, duplicates = comparison.total("resent"), comparison.total("duplicates")
        if resent or duplicates:
            lines.append(
                f"{count} workers: {resent} tasks without an answer were sent again, {duplicates} results came twice."
            )
    return lines


def _of_one(comparison: Comparison) -> str:
    """Why the speedup of one worker is not 1.00: it shares nothing, so it shows what handing over costs, and noise."""
    alone, worker = comparison.alone_computing_s, comparison.computing_s
    took = (
        f"one process took {duration(alone)} of CPU time and {duration(max(0.0, comparison.alone_s - alone))} without "
        f"a CPU; the worker {duration(worker)} and {duration(max(0.0, comparison.wall_s - worker))}"
    )
    if comparison.speedup > 1:
        return (
            f"1 worker shares nothing, so a speedup of {comparison.speedup:.2f} is how far two measurements of the "
            f"same work differ here, and no gain: {took}. Other speedups are as uncertain."
        )
    return f"1 worker shares nothing: a speedup of {comparison.speedup:.2f} is what handing the job over costs: {took}."


def _show_table(found: Sequence[Comparison]) -> None:
    table = new_table()
    for name in _COLUMNS:
        table.add_column(name, justify="right", no_wrap=True)
    for comparison in found:
        fraction = comparison.parallel_fraction
        table.add_row(
            str(comparison.workers),
            duration(comparison.alone_s),
            duration(comparison.wall_s),
            f"{comparison.speedup:.2f}",
            f"{comparison.efficiency:.0%}",
            "-" if fraction is None else f"{fraction:.1%}",
            duration(comparison.computing_s),
            duration(comparison.moving_s),
            duration(comparison.waiting_s),
        )
    show_table(table)
