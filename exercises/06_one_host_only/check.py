"""The two sides share no IPC namespace and no volume, and nothing arrives; before the move messages did."""

from __future__ import annotations

from labctl.workshop.exercise.attempt import Attempt
from labctl.workshop.exercise.sees import SeenContainer
from labctl.workshop.exercise.verdict import Verdict, cannot_tell, not_yet, solved


def check(attempt: Attempt) -> Verdict:
    """The probes first, which measure the guesses; then the pair."""
    pair = attempt.text("victim")
    measured: dict[str, str | float] = {}
    for question in attempt.exercise.guess:
        placement = question.key
        reached = attempt.one(f"max(probe_success{{mechanism='{pair}',placement='{placement}'}})")
        if reached is None:
            return cannot_tell(attempt.say("no_probe", pair=pair, placement=placement))
        measured[placement] = "reached" if reached else "not reached"
    apart = attempt.say("apart", pair=pair)
    ends = {it.role: it for it in attempt.sees.containers() if it.mechanism == pair and it.running}
    for role in ("producer", "consumer"):
        if role not in ends:
            return not_yet(saw=attempt.say("not_running", pair=pair, role=role), waits_for=apart, measured=measured)
    if shared := _shared(attempt, ends["producer"], ends["consumer"]):
        saw = attempt.say("together", pair=pair, shared=", ".join(shared))
        return not_yet(saw=saw, waits_for=apart, measured=measured)
    # No message is an absence: first the pair must have been seen moving, and the consumer must answer now.
    received = attempt.grown("ipc_messages_received_total", f"mechanism='{pair}'")
    rate = attempt.one(f"sum(rate(ipc_messages_received_total{{mechanism='{pair}'}}[5s]))")
    if received is None or rate is None:
        return cannot_tell(attempt.say("silent", pair=pair))
    if not received:
        return cannot_tell(attempt.say("never_moved", pair=pair))
    if rate:
        saw = attempt.say("moves", pair=pair, rate=f"{rate:.0f}")
        return not_yet(saw=saw, waits_for=attempt.say("stopped", pair=pair), measured=measured)
    errors = attempt.sees.query(f"probe_error_info{{mechanism='{pair}',placement='shared_network'}}")
    error = errors[0].labels["error"] if errors else measured["shared_network"]
    return solved(attempt.say("done", pair=pair, count=f"{received:,.0f}", error=error), measured=measured)


def _shared(attempt: Attempt, producer: SeenContainer, consumer: SeenContainer) -> list[str]:
    """What a pair could meet in: the IPC namespace, or a volume."""
    volumes = sorted(volume for volume in producer.volumes if volume in consumer.volumes)
    same = [attempt.say("ipc_namespace")] if producer.ipc == consumer.ipc else []
    return [*same, *(attempt.say("volume", volume=volume) for volume in volumes)]
