"""Solved: the fault was seen, every pair is as `./lab up` starts it, and no healthy pair was touched."""

from labctl.lab.prometheus import Line
from labctl.workshop.exercise.attempt import Attempt
from labctl.workshop.exercise.sees import SeenContainer
from labctl.workshop.exercise.verdict import Verdict, cannot_tell, not_yet, solved

_NEARLY = 0.8  # of the messages that are due
_RATE = "sum by (mechanism) (rate(ipc_messages_received_total[5s]))"
_SHOWS = {  # the causes that messages do not show at once
    "unlocked": "min(ipc_switch_on{{mechanism='{pair}',switch='sync'}})",
    "flooded": "min(ipc_load_rate{{mechanism='{pair}'}} @ {at:.3f}) / max(ipc_load_rate{{mechanism='{pair}'}})",
}


def check(attempt: Attempt) -> Verdict:
    cause, _, pair = attempt.text("fault").partition(":")
    ends = [c for c in attempt.sees.containers() if c.mechanism in attempt.exercise.pairs]
    broken = [mechanism for mechanism in attempt.exercise.pairs if not _is_as_started(attempt, mechanism, ends)]
    if not _was_seen(attempt, cause, pair):
        return cannot_tell(attempt.say("silent", count=len(broken)))
    if broken:
        return not_yet(saw=attempt.say("broken", count=len(broken)), waits_for=attempt.say("broken_wait"))
    touched = [c.service for c in ends if c.mechanism != pair and c.started_at > attempt.started_at]
    touched += [
        mechanism for mechanism in attempt.exercise.pairs if mechanism != pair and _was_reset(attempt, mechanism)
    ]
    if touched:
        saw = attempt.say("touched", services=", ".join(touched))
        return not_yet(saw=saw, waits_for=attempt.say("touched_wait"))
    lost = _lost(attempt, cause, pair)
    measured: dict[str, str | float] = {"pair": pair, "cause": cause, "lost": lost}
    return solved(attempt.say("solved", pair=pair, cause=cause, lost=f"{lost:.0f}"), measured=measured)


def _is_as_started(attempt: Attempt, mechanism: str, ends: list[SeenContainer]) -> bool:
    """Whether both sides run in their places, with the load and the lock of their start, and messages arrive."""
    pair = [c for c in ends if c.mechanism == mechanism]
    roles = {c.role for c in pair if c.running and not c.placement}
    if roles != {"producer", "consumer"}:
        return False
    producer = next(c for c in pair if c.role == "producer")
    due = attempt.one(f"max(ipc_load_rate{{mechanism='{mechanism}'}})")
    size = attempt.one(f"max(ipc_message_size_bytes{{mechanism='{mechanism}'}})")
    if (due, size) != tuple(float(producer.environment[name]) for name in ("LAB_RATE", "LAB_SIZE")):
        return False
    lock = attempt.one(f"min(ipc_switch_on{{mechanism='{mechanism}',switch='sync'}})")
    if lock is not None and lock != (producer.environment.get("LAB_RACE_LOCK") == "on"):
        return False
    rates = {sample.labels["mechanism"]: sample.value for sample in attempt.sees.query(_RATE)}
    return due is not None and rates.get(mechanism, 0.0) >= _NEARLY * due


def _was_reset(attempt: Attempt, mechanism: str) -> bool:
    """Whether its counts began anew since the start, which `./lab reset` does."""
    sent = f"ipc_messages_sent_total{{mechanism='{mechanism}'}}"
    now, before = attempt.one(f"sum({sent})"), attempt.one(f"sum({sent} @ {attempt.started_at:.3f})")
    return now is not None and before is not None and now < before


def _was_seen(attempt: Attempt, cause: str, pair: str) -> bool:
    """Whether the pair was other than usual since the start."""
    if cause in _SHOWS:
        return any(
            value < 1 for value in _values(attempt.sees.history(_SHOWS[cause].format(pair=pair, at=attempt.started_at)))
        )
    received = f"sum(increase(ipc_messages_received_total{{mechanism='{pair}'}}[3s])) or 0 * count(up)"
    return 0 in _values(attempt.sees.history(received))


def _values(lines: list[Line]) -> list[float]:
    return [value for line in lines for value in line.values]


def _lost(attempt: Attempt, cause: str, pair: str) -> float:
    """Messages that were lost since the start; updates, where the lock was off."""
    if cause == "unlocked":
        return attempt.increase("ipc_shared_updates_lost_total", f"mechanism='{pair}',sync='off'")
    return attempt.grown("ipc_messages_lost_total", f"mechanism='{pair}'") or 0.0
