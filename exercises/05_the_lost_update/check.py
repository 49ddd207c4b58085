"""A pair lost updates without its lock; the student's lock loses none, also when its holder is killed."""

from __future__ import annotations

from labctl.workshop.exercise.attempt import Attempt
from labctl.workshop.exercise.verdict import Verdict, not_yet, solved


def check(attempt: Attempt) -> Verdict:
    """First what the pair lost, then the student's file."""
    pair = attempt.text("victim")
    series = f"mechanism='{pair}',sync="
    lost, updates, lost_with_lock, updates_with_lock = (
        attempt.increase(f"ipc_shared_updates{what}_total", f"{series}'{sync}'")
        for sync in ("off", "on")
        for what in ("_lost", "")
    )
    measured: dict[str, str | float] = {}
    if updates:
        measured["lost_percent"] = round(100 * lost / updates, 1)
    if updates_with_lock:
        measured["with_lock"] = round(100 * lost_with_lock / updates_with_lock, 1)
    if lost < attempt.number("lost"):
        saw = attempt.say("lost_so_far", count=f"{lost:.0f}", pair=pair)
        waits_for = attempt.say("lose", count=attempt.number("lost"), pair=pair)
        return not_yet(saw=saw, waits_for=waits_for, measured=measured)
    if lost_with_lock or not updates_with_lock:
        saw = attempt.say("lost_with_lock", count=f"{lost_with_lock:.0f}", pair=pair)
        return not_yet(saw=saw, waits_for=attempt.say("lock_on", pair=pair), measured=measured)
    student = attempt.sees.student()
    works = attempt.say("works", added=2 * attempt.number("count"))
    if student.problem:
        saw = attempt.say("problem", problem=student.problem)
    elif student.received != student.sent:
        lost_own = student.sent - student.received
        saw = attempt.say("lost_yours", added=student.sent, counter=student.received, lost=lost_own)
    elif not student.kills or student.sent != 2 * attempt.number("count"):
        saw = attempt.say("not_killed", added=student.sent)
    else:
        numbers = {"lost": f"{lost:,.0f}", "updates": f"{updates:,.0f}", "added": f"{student.sent:,}"}
        return solved(attempt.say("done", pair=pair, **numbers), measured=measured)
    return not_yet(saw=saw, waits_for=works, measured=measured)
