"""What a check says: solved, not yet, or cannot tell; each is an exit code of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """The three answers of a check."""

    SOLVED = "solved"
    NOT_YET = "not yet"
    CANNOT_TELL = "cannot tell"

    @property
    def exit_code(self) -> int:
        """Of `./lab exercise check`."""
        return {Outcome.SOLVED: 0, Outcome.NOT_YET: 1, Outcome.CANNOT_TELL: 3}[self]


@dataclass(frozen=True)
class Verdict:
    """One answer, and what was measured of the student's guesses, by their keys."""

    outcome: Outcome
    saw: str
    waits_for: str = ""
    measured: Mapping[str, str | float] = field(default_factory=dict)


def solved(saw: str, *, measured: Mapping[str, str | float] | None = None) -> Verdict:
    """The goal is met."""
    return Verdict(Outcome.SOLVED, saw, measured=measured or {})


def not_yet(*, saw: str, waits_for: str, measured: Mapping[str, str | float] | None = None) -> Verdict:
    """The lab answers, and the goal is not met.

    :param saw: the state that the lab has
    :param waits_for: the state that the exercise asks for
    """
    return Verdict(Outcome.NOT_YET, saw, waits_for, measured or {})


def cannot_tell(why: str) -> Verdict:
    """Nothing can be judged, because what the check would look at does not answer."""
    return Verdict(Outcome.CANNOT_TELL, why)
