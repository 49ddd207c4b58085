"""The ledger has every message once, but for those that the killed program had read."""

from __future__ import annotations

from dataclasses import asdict

from labctl.workshop.exercise.attempt import Attempt
from labctl.workshop.exercise.verdict import Verdict, not_yet, solved

LOST_A_KILL = 2  # a part of one message, and one that was whole and not handed over yet


def check(attempt: Attempt) -> Verdict:
    """Run the student's reader, then compare the producer's ledger with what was handed over."""
    found = attempt.sees.student()
    counts = asdict(found)
    if found.problem:
        return not_yet(saw=attempt.say("problem", **counts), waits_for=attempt.say("runs"))
    if found.corrupt:
        return not_yet(saw=attempt.say("corrupt", **counts), waits_for=attempt.say("whole"))
    if found.lost > LOST_A_KILL * found.kills:
        return not_yet(saw=attempt.say("lost", **counts), waits_for=attempt.say("few"))
    if found.duplicated:
        return not_yet(saw=attempt.say("twice", **counts), waits_for=attempt.say("once"))
    return solved(attempt.say("solved", **counts), measured={"lost": found.lost})
