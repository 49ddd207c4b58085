"""Which exercises are done for real in a run of tests/lab/test_exercises.py: all, some, or the third of today.

The thirds cost about the same. What an exercise costs is in its recordings: the seconds from its start to the check
that found it solved, when its solution was recorded in a real lab. So a new exercise is registered nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from statistics import median
from typing import NamedTuple, TypeVar

from labctl.workshop.exercise import recording, student
from labctl.workshop.exercise.exercise import Choices, Exercise

THIRDS = 3
_BESIDE_S = 20.0  # the start, the untouched check, and the reset
T = TypeVar("T")


class Run(NamedTuple):
    """One exercise for real: the folder whose script does it, and the student whose values are drawn."""

    exercise: Exercise
    way: str
    student: str


def chosen(every: Sequence[Exercise], wanted: str, day: int) -> list[Run]:
    """The runs of a day.

    :param wanted: "" is the third of the day, one way of each; "all" the first solution of each; "ways" all in every
        way; else numbers with commas between: these in every way
    """
    match wanted:
        case "":
            turn = day // THIRDS
            today = thirds({it.number: seconds_of(it) for it in every})[day % THIRDS]
            ways = [runs_of(it) for it in every if it.number in today]
            return [runs[turn % len(runs)] for runs in ways]
        case "all":
            return [Run(it, "solution", "solution") for it in every]
        case "ways":
            return [run for it in every for run in runs_of(it)]
    return [run for it in every if str(it.number) in wanted.split(",") for run in runs_of(it)]


def runs_of(it: Exercise) -> list[Run]:
    """Every way of an exercise: solutions, wrong ones that look right, and each word of a secret."""
    names = sorted(path.parent.name for path in it.folder.glob("*/apply.sh"))
    runs = [Run(it, name, name) for name in names if name.startswith(("solution", "wrong"))]
    for name, value in it.values.items():
        if isinstance(value, Choices) and value.secret:
            drawn = {student.draw(it, run.student)[name] for run in runs}
            runs += [Run(it, "solution", student_with(it, name, word)) for word in value.words if word not in drawn]
    return runs


def student_with(it: Exercise, name: str, word: str) -> str:
    """A student for whom this word is drawn."""
    return next(who for number in count() if student.draw(it, who := f"student {number}")[name] == word)


def seconds_of(it: Exercise) -> float:
    """What one run of an exercise costs, by the recordings of its solutions; 60 s before there is one."""
    found = [recording.read(file) for file in (it.folder / "recorded").glob("solved*.json")]
    return _BESIDE_S + (median(each.now - each.started_at for each in found) if found else 40.0)


def thirds(costs: Mapping[T, float]) -> list[list[T]]:
    """All of them in three parts of nearly one cost: the dearest first, each to the part that is cheapest so far."""
    parts: list[list[T]] = [[] for _ in range(THIRDS)]
    for each in sorted(costs, key=lambda one: costs[one], reverse=True):
        min(parts, key=lambda part: sum(costs[one] for one in part)).append(each)
    return parts
