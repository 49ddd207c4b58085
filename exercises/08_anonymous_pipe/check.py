"""The ledger of the child has every message, although the child was killed twice."""

from __future__ import annotations

from dataclasses import asdict

from labctl.workshop.exercise.attempt import Attempt
from labctl.workshop.exercise.verdict import Verdict, not_yet, solved

KILLS = 2


def check(attempt: Attempt) -> Verdict:
    """Run the student's parent, then read the ledger of the lab's child."""
    found = attempt.sees.student()
    counts = asdict(found)
    if found.problem:
        return not_yet(saw=attempt.say("problem", **counts), waits_for=attempt.say("ends"))
    if found.corrupt:
        return not_yet(saw=attempt.say("corrupt", **counts), waits_for=attempt.say("whole"))
    if found.lost or found.kills < KILLS:  # who sends less than a part of them is never killed
        return not_yet(saw=attempt.say("lost", **counts), waits_for=attempt.say("complete", **counts))
    if found.duplicated > found.kills:
        return not_yet(saw=attempt.say("twice", **counts), waits_for=attempt.say("once", **counts))
    return solved(attempt.say("solved", **counts), measured={"twice": found.duplicated})
