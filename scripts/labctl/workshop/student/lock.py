"""Exercise 5: the student's function adds 1 to a counter in shared memory, in two containers at one time.

    student-racer-1 ──┐
                      ├── a file that both map: the counter, and what each has added
    student-racer-2 ──┘

The first racer kills itself once, halfway, with SIGKILL, before a store: a lock that it holds is then held by nobody
that lives. It is started again. See `ipclab.student.racer`.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from ipclab.student.racer import ADDED, COUNTER, KILLED, WORDS
from labctl.lab import state_files
from labctl.terminal.waiting import wait_until
from labctl.workshop.student.containers import CHANNEL, RACERS, StudentContainers
from labctl.workshop.student.judgement import Judgement
from labctl.workshop.student.program import Program
from labctl.workshop.student.run import Run

_FILE = "words"
_SILENT_AFTER_S = 8.0
_WORDS = struct.Struct(f"<{WORDS}Q")


def start(containers: StudentContainers, program: Program, count: int) -> list[Run]:
    """Start both racers."""
    runs = []
    for number, service in enumerate(RACERS):
        arguments = ["student-racer", f"{program.folder}/{program.name}", f"--words={CHANNEL}/{_FILE}"]
        arguments += [f"--number={number}", f"--count={count}"]
        runs.append(Run(containers.lab_end(service, arguments, program=program), program.name))
    for run in runs:
        run.start()
    return runs


def judge(containers: StudentContainers, program: Program, count: int) -> Judgement:
    """Let both racers add `count` times each, start the one that is killed again, and compare.

    An update that is lost is one that a racer made and the counter does not have; a *duplicated* one is the reverse.
    """
    runs = start(containers, program, count)
    kills, problem = 0, None
    now = _state(runs)
    while problem is None:
        if now.ended[0] and now.words[KILLED] and not kills:
            kills = 1
            runs[0].start()
        elif all(now.ended):
            break
        before = now
        # Something must change: an update, the death of the first racer, or the end of one.
        wait_until(lambda old=before: _state(runs) != old, _SILENT_AFTER_S)  # type: ignore[misc]
        now = _state(runs)
        problem = None if now.words[KILLED] and not kills else _problem(runs)
        if now == before and not problem:
            after = "after one racer was killed, " if kills else ""
            problem = f"{program.name} hangs: {after}no update for {_SILENT_AFTER_S:.0f} s"
    words = _words(runs)
    problem = problem or _problem(runs)
    for run in runs:
        run.kill()
    made, counter = sum(words[number] for number in ADDED), words[COUNTER]
    return Judgement(made, counter, max(0, made - counter), max(0, counter - made), 0, kills, problem)


class _State(NamedTuple):
    """Both racers at one moment."""

    words: tuple[int, ...]
    ended: tuple[bool, ...]


def _state(runs: list[Run]) -> _State:
    ended = tuple(run.ended() for run in runs)  # before the words: who says that it dies says it before it dies
    return _State(_words(runs), ended)


def _problem(runs: list[Run]) -> str | None:
    return next((found for run in runs if (found := run.problem())), None)


def _words(runs: list[Run]) -> tuple[int, ...]:
    """The words of the file; zeros before it is there."""
    content = state_files.read(runs[1].container, CHANNEL).get(_FILE, b"")
    return _WORDS.unpack(content) if len(content) == _WORDS.size else (0,) * WORDS
