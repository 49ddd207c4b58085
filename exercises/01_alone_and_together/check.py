"""The two sides are in one IPC namespace, share no volume, and nothing arrives; before, messages did."""

from __future__ import annotations

from labctl.workshop.exercise.attempt import Attempt
from labctl.workshop.exercise.verdict import Verdict, cannot_tell, not_yet, solved


def check(attempt: Attempt) -> Verdict:
    """Compare the inodes of the two sides, then ask what arrives."""
    pair = attempt.text("victim")
    running = [container for container in attempt.sees.containers() if container.running]
    holder = next((container.ipc for container in running if container.service == "holder"), "")
    measured: dict[str, str | float] = {"in_namespace": sum(container.ipc == holder for container in running)}
    ends = {container.role: container for container in running if container.mechanism == pair}
    together = attempt.say("together", pair=pair)
    for role in ("producer", "consumer"):
        if role not in ends:
            saw = attempt.say("not_running", pair=pair, role=role)
            return not_yet(saw=saw, waits_for=together, measured=measured)
    producer, consumer = ends["producer"], ends["consumer"]
    if not producer.ipc or producer.ipc != consumer.ipc:
        saw = attempt.say("apart", pair=pair, producer=producer.ipc, consumer=consumer.ipc)
        return not_yet(saw=saw, waits_for=together, measured=measured)
    # No message is an absence: first the pair must have been seen moving, and the consumer must answer now.
    received = attempt.grown("ipc_messages_received_total", f"mechanism='{pair}'")
    rate = attempt.one(f"sum(rate(ipc_messages_received_total{{mechanism='{pair}'}}[5s]))")
    if received is None or rate is None:
        return cannot_tell(attempt.say("silent", pair=pair))
    if not received:
        return cannot_tell(attempt.say("never_moved", pair=pair))
    if rate:
        saw = attempt.say("moves", pair=pair, rate=f"{rate:.0f}")
        return not_yet(saw=saw, waits_for=attempt.say("stops", pair=pair), measured={**measured, "arrives": "yes"})
    return solved(attempt.say("stopped", pair=pair, inode=consumer.ipc), measured={**measured, "arrives": "no"})
