"""The rounds: every cell once a round, so that what changes on the machine meets all cells alike.

A first round finds out how many messages of each cell fit its share of the time, and is thrown away as the warm-up.
The share follows from the time that is left: a bench takes as long as it was given, however slow the machine is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from labctl.experiments.bench.cells import Cell, Place
from labctl.experiments.bench.figures import Figure
from labctl.experiments.bench.link import Group
from labctl.experiments.bench.run import RunFailed, request_of, run

Groups = Mapping[Place, Group]
_TRIAL_COUNT = 24
_LEAST_RUN_S, _MOST_RUN_S = 0.005, 0.1
_MOST_COUNT = 200_000
_MARGIN = 0.93  # of the time that is left: the last round must not be cut
_LEAST_ROUNDS = 3  # a median of fewer is none
_FAILURES = 2  # in a row, and the cell is left alone
_DEADLINE_S = 20.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the bench is. `left_s` is an estimate."""

    round: int
    rounds: int
    cell: Cell
    done: int
    of: int
    left_s: float


class Harness:
    """Measures cells.

    :param groups: the agents, by what their containers share
    :param cpus: the two CPUs; the same twice where there is one
    :param tell: is told before each run
    """

    def __init__(self, groups: Groups, cpus: tuple[int, int], tell: Callable[[Progress], None]) -> None:
        self._groups = groups
        self._cpus = cpus
        self._tell = tell
        self._number = 0
        self._message_s: dict[int, float] = {}
        self._gave_up: dict[int, int] = {}

    def measure(self, cells: Sequence[Cell], repeat: int, budget_s: float, *, may_cut: bool = False) -> list[Figure]:
        """Every possible cell `repeat` times, in about `budget_s`.

        With `may_cut`, the rounds that do not fit are left out, once there are three.

        :raises LabError: an agent has ended
        """
        figures = [Figure(cell) for cell in cells]
        possible = [index for index, cell in enumerate(cells) if not cell.why_not]
        began, done, total = time.monotonic(), 0, len(possible) * (repeat + 1)
        run_s, overhead_s = _LEAST_RUN_S, 0.0
        for number in range(repeat + 1):
            round_began = time.monotonic()
            for index in possible:
                elapsed = time.monotonic() - began
                left_s = _left(budget_s, elapsed, done, total, settled=number > 1)
                self._tell(Progress(number, repeat, cells[index], done, total, left_s))
                if self._gave_up.get(index, 0) < _FAILURES:
                    self._once(index, figures[index], run_s, trial=not number)
                done += 1
            if not number and possible:
                overhead_s = (time.monotonic() - round_began) / len(possible)
            if possible and number < repeat:
                left_s = budget_s * _MARGIN - (time.monotonic() - began)
                share_s = left_s / ((repeat - number) * len(possible))
                if number:
                    spent_s = (time.monotonic() - round_began) / len(possible)
                    overhead_s = max(0.0, spent_s - run_s)
                run_s = min(_MOST_RUN_S, max(_LEAST_RUN_S, share_s - overhead_s))
                if may_cut and number >= _LEAST_ROUNDS and left_s < time.monotonic() - round_began:
                    break
        return figures

    def _once(self, index: int, figure: Figure, run_s: float, *, trial: bool) -> None:
        cell, self._number = figure.cell, self._number + 1
        count = _fitting(self._message_s.get(index), run_s)
        group = self._groups[cell.row.place]
        request = request_of(cell, count, group, self._cpus, self._number)
        try:
            outcome = run(cell, request, group, _DEADLINE_S)
        except RunFailed as failure:
            figure.failed = figure.failed or str(failure)
            figure.failures += 1
            self._gave_up[index] = self._gave_up.get(index, 0) + 1
            return
        self._gave_up.pop(index, None)
        self._message_s[index] = outcome.seconds / max(1, outcome.received)
        if not trial:
            figure.runs.append(outcome)


def _left(budget_s: float, elapsed_s: float, done: int, total: int, *, settled: bool) -> float:
    """The seconds that are left: before runs have their final length, the longer one of two guesses."""
    by_pace = (total - done) * elapsed_s / max(1, done)
    return by_pace if settled else max(by_pace, budget_s - elapsed_s, 0.0)


def _fitting(message_s: float | None, run_s: float) -> int:
    """How many messages a run has time for; few while nothing is known of a message."""
    if message_s is None:
        return _TRIAL_COUNT
    return max(_TRIAL_COUNT, min(_MOST_COUNT, int(run_s / message_s)))
