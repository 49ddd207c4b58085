"""Solved: the kernel gave one lock back, the other one hung, and it is free again, all in one IPC namespace."""

from labctl.lab.prometheus import Line
from labctl.workshop.exercise.attempt import Attempt
from labctl.workshop.exercise.settled import longest_run_s
from labctl.workshop.exercise.verdict import Verdict, cannot_tell, not_yet, solved

_HELD_AT_MOST_S = 8  # hold.py holds a lock for 3 s
_STUCK_AT_LEAST_S = 10


def check(attempt: Attempt) -> Verdict:
    if not attempt.sees.query("ipc_kernel_limit{limit='semmni'}"):
        return cannot_tell(attempt.say("no_exporter"))
    if any(c.service == "holder" and c.started_at > attempt.started_at for c in attempt.sees.containers()):
        return cannot_tell(attempt.say("new_namespace"))
    undo, keep = attempt.number("undo"), attempt.number("keep")
    names = {"undo": _hexadecimal(undo), "keep": _hexadecimal(keep)}
    held = {key: longest_run_s(_values(attempt, key), lambda value: value == 0) for key in (undo, keep)}
    now = {key: attempt.one(_series(key)) for key in (undo, keep)}
    measured: dict[str, str | float] = {}
    for key in (undo, keep):
        if not _was_taken(attempt, key):
            saw = attempt.say("never", key=_hexadecimal(key))
            return not_yet(saw=saw, waits_for=attempt.say("never_wait", **names), measured=measured)
    wait_undo = attempt.say("undo_wait", key=names["undo"])
    if held[undo] > _HELD_AT_MOST_S:
        saw = attempt.say("undo_stuck", key=names["undo"], seconds=f"{held[undo]:.0f}")
        return not_yet(saw=saw, waits_for=wait_undo)
    if now[undo] != 1:
        value = "-" if now[undo] is None else f"{now[undo]:.0f}"
        return not_yet(saw=attempt.say("undo_taken", key=names["undo"], value=value), waits_for=wait_undo)
    measured["undo"] = 1.0
    if held[keep] < _STUCK_AT_LEAST_S:
        saw = attempt.say("keep_short", key=names["keep"], seconds=f"{held[keep]:.0f}")
        wait = attempt.say("keep_wait", key=names["keep"], seconds=_STUCK_AT_LEAST_S)
        return not_yet(saw=saw, waits_for=wait, measured=measured)
    measured["keep"] = 0.0
    seconds = f"{held[keep]:.0f}"
    if now[keep] != 1:
        saw = attempt.say("stuck", **names, seconds=seconds)
        return not_yet(saw=saw, waits_for=attempt.say("stuck_wait", keep=names["keep"]), measured=measured)
    return solved(attempt.say("solved", **names, seconds=seconds), measured=measured)


def _hexadecimal(key: int) -> str:
    """A key as ipcs(1) and the dashboards have it."""
    return f"0x{key:08x}"


def _series(key: int) -> str:
    return f"max(ipc_kernel_semaphore_value{{key='{_hexadecimal(key)}'}})"


def _values(attempt: Attempt, key: int) -> list[Line]:
    return attempt.sees.history(_series(key))


def _was_taken(attempt: Attempt, key: int) -> bool:
    return any(0 in line.values for line in _values(attempt, key))
