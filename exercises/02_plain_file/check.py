"""Updates were lost without the lock, none with it, and send was timed while the producer waited for the disk."""

from __future__ import annotations

from statistics import median

from labctl.terminal.printing import duration
from labctl.workshop.exercise.attempt import Attempt
from labctl.workshop.exercise.verdict import Verdict, cannot_tell, not_yet, solved

PAIR = "mechanism='plain_file'"
TIMED_S = 5


def check(attempt: Attempt) -> Verdict:
    """The three steps, in the order of the page; what is not done yet is what it waits for."""
    lost, updates = (
        attempt.increase(f"ipc_shared_updates{what}_total", f"{PAIR},sync='off'") for what in ("_lost", "")
    )
    measured: dict[str, str | float] = {}
    if updates:
        measured["lost_percent"] = round(100 * lost / updates, 1)
    if lost < attempt.number("lost"):
        saw = attempt.say("lost_so_far", count=f"{lost:.0f}")
        return not_yet(saw=saw, waits_for=attempt.say("lose", count=attempt.number("lost")), measured=measured)
    locked = attempt.one(f"min(ipc_switch_on{{{PAIR},switch='sync'}})")
    if locked is None:
        return cannot_tell(attempt.say("no_number"))
    if not locked or not attempt.increase("ipc_shared_updates_total", f"{PAIR},sync='on'"):
        return not_yet(saw=attempt.say("lock_is_off"), waits_for=attempt.say("lock_on"), measured=measured)
    if lost_with_lock := attempt.increase("ipc_shared_updates_lost_total", f"{PAIR},sync='on'"):
        saw = attempt.say("lost_with_lock", count=f"{lost_with_lock:.0f}")
        return not_yet(saw=saw, waits_for=attempt.say("lock_on"), measured=measured)
    usual, disk = _medians(attempt, 0), _medians(attempt, 1)
    if usual is None or disk is None:
        return not_yet(saw=attempt.say("no_fsync"), waits_for=attempt.say("fsync"), measured=measured)
    measured["times_slower"] = round(disk / usual, 1)
    counts = {"lost": f"{lost:,.0f}", "updates": f"{updates:,.0f}"}
    return solved(attempt.say("done", **counts, usual=duration(usual), disk=duration(disk)), measured=measured)


def _medians(attempt: Attempt, fsync: int) -> float | None:
    """The median of what was recorded of send while the switch was so; None of less than five seconds."""
    recorded = f"mechanism_part:ipc_message_part_seconds:p50_5s{{{PAIR},part='send'}}"
    # What is recorded is of the last five seconds: the switch must have been so for all of them.
    state = f"ipc_switch_on{{{PAIR},switch='fsync',role='producer'}}"
    only = f"min(min_over_time({state}[6s])) == {fsync} and max(max_over_time({state}[6s])) == {fsync}"
    values = [value for line in attempt.sees.history(f"{recorded} and on() ({only})") for value in line.values]
    return median(values) if len(values) >= TIMED_S else None
