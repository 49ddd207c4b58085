"""Exercise 8: the student's program is the parent of the lab's receiver, which it forks and executes.

The receiver kills itself with SIGKILL twice, at counts that the lab gives it, and its ledger outlives it. So no timing
decides. See `ipclab.student.child`.
"""

from __future__ import annotations

from ipclab.student import DEATHS, DEATHS_VARIABLE
from labctl.lab import state_files
from labctl.workshop.student.containers import PRODUCER, STATE, StudentContainers
from labctl.workshop.student.judgement import Judgement, counts
from labctl.workshop.student.program import Program
from labctl.workshop.student.run import Run

_SILENT_AFTER_S = 8.0


def start(containers: StudentContainers, program: Program, count: int) -> Run:
    """Run the program: it sends `count` messages to its child."""
    deaths = f"{count // 3},{2 * count // 3}"
    run = Run(containers.student(PRODUCER, program, [str(count)], {DEATHS_VARIABLE: deaths}), program.name)
    run.start()
    return run


def judge(containers: StudentContainers, program: Program, count: int) -> Judgement:
    """Run the program to its end, or until nothing arrives any more, and read the child's ledger."""
    run = start(containers, program, count)
    arrived = -1
    while arrived < (arrived := counts(run).arrived) and not run.ended():
        run.wait_until(lambda least=arrived: counts(run).arrived > least, _SILENT_AFTER_S)  # type: ignore[misc]
    hangs = not run.wait_until(run.ended, 0)
    problem = run.problem()
    if hangs:
        run.kill()
        problem = f"{program.name} did not end: after {arrived} messages nothing arrived for {_SILENT_AFTER_S:.0f} s"
    found = counts(run)
    kills = len(state_files.read(run.container, STATE).get(DEATHS, b"").splitlines())
    return Judgement(
        count, found.received, max(0, count - found.received), found.duplicated, found.corrupt, kills, problem
    )
