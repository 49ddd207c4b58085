"""One attempt at an exercise, as its check gets it: what it sees, the student's values and guess, and its sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from labctl.workshop.exercise.exercise import Exercise
from labctl.workshop.exercise.language import Language
from labctl.workshop.exercise.sees import Sees
from labctl.workshop.exercise.student import Value

_STEP_S = 1.5  # a second between two steps of a history, and some


@dataclass(frozen=True)
class Attempt:
    """An attempt, in the language of whoever reads the verdict."""

    exercise: Exercise
    sees: Sees
    values: Mapping[str, Value] = field(default_factory=dict)
    guess: Mapping[str, str | float] = field(default_factory=dict)
    language: Language = Language.ENGLISH

    @property
    def started_at(self) -> float:
        """Everything is measured from here on: seconds since 1970, by the clock of Prometheus."""
        return self.sees.started_at

    def text(self, name: str) -> str:
        """A value of the student that is a word."""
        return str(self.values[name])

    def number(self, name: str) -> int:
        """A value of the student that is a number."""
        return int(self.values[name])

    def say(self, name: str, /, **values: object) -> str:
        """The sentence `name` of [says] in `exercise.toml`, with its values filled in."""
        return self.exercise.texts(self.language).says[name].format(**values)

    def one(self, expression: str) -> float | None:
        """The value of an expression that has one series; None if it has none."""
        found = self.sees.query(expression)
        return found[0].value if found else None

    def grown(self, counter: str, within: str = "") -> float | None:
        """How much a counter of the pairs grew since the exercise was started; None if nobody shows it.

        A pair keeps its counts in a ledger, so they go on over restarts, and over new containers.

        :param within: the labels of the series, as PromQL has them between the braces
        """
        selector = f"{counter}{{{within}}}"
        now = self.one(f"sum({selector})")
        before = self.one(f"sum({selector} @ {self.started_at:.3f})")
        if now is None:
            return None
        return now - before if before is not None and before <= now else now  # less than before: it was reset

    def increase(self, counter: str, within: str) -> float:
        """How much a counter grew since the exercise was started that begins at 0 in each new container.

        :param within: the labels of the series, as PromQL has them between the braces
        """
        total = 0.0
        for line in self.sees.history(f"{counter}{{{within}}}"):
            # A series that was there at the start had counted before; one that came later began at 0.
            last = line.values[0] if line.times[0] - self.started_at < _STEP_S else 0.0
            for value in line.values:
                total += value - last if value >= last else value
                last = value
        return total
