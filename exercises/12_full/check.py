"""The queue was full and lost nothing; the socket was full, and the kernel counted each datagram that it dropped."""

from __future__ import annotations

from labctl.workshop.exercise.attempt import Attempt
from labctl.workshop.exercise.verdict import Verdict, cannot_tell, not_yet, solved

_LIMITS = {"sysv_mq": "msgmax", "posix_mq": "mqueue_msgsize_max"}


def check(attempt: Attempt) -> Verdict:
    """Compare what was skipped, lost and dropped since the start."""
    service = f"{attempt.text('queue')}-consumer"
    pair = attempt.text("queue").replace("-", "_")
    states = {it.service: it.state for it in attempt.sees.containers()}
    for name in (service, "udp-consumer"):
        if states.get(name) != "running":
            saw = attempt.say("paused", service=name, state=states.get(name, "absent"))
            return not_yet(saw=saw, waits_for=attempt.say("going"))
    counts: dict[str, float] = {}
    for name, counter, mechanism in (
        ("skipped", "ipc_messages_skipped_total", pair),
        ("queue_lost", "ipc_messages_lost_total", pair),
        ("dropped", "ipc_kernel_drops_total", "udp"),
        ("lost", "ipc_messages_lost_total", "udp"),
    ):
        grown = attempt.grown(counter, f"mechanism='{mechanism}'")
        if grown is None:
            return cannot_tell(attempt.say("silent", pair=mechanism))
        counts[name] = grown
    shown = {name: f"{count:,.0f}" for name, count in counts.items()}
    if counts["skipped"] <= 0:
        return not_yet(saw=attempt.say("room", pair=pair), waits_for=attempt.say("full"))
    measured: dict[str, str | float] = {"lost": counts["queue_lost"]}
    if counts["queue_lost"] > 0:
        saw = attempt.say("lossy", pair=pair, lost=shown["queue_lost"])
        return not_yet(saw=saw, waits_for=attempt.say("lossless"), measured=measured)
    if counts["dropped"] <= 0:
        return not_yet(saw=attempt.say("fits"), waits_for=attempt.say("dropped"), measured=measured)
    if counts["lost"] != counts["dropped"]:
        saw = attempt.say("uneven", lost=shown["lost"], dropped=shown["dropped"])
        return not_yet(saw=saw, waits_for=attempt.say("even"), measured=measured)
    limit = attempt.one(f"max(ipc_kernel_limit{{limit='{_LIMITS[pair]}'}})")
    if limit is None:
        return cannot_tell(attempt.say("silent", pair=pair))
    text = attempt.say(
        "solved",
        pair=pair,
        skipped=shown["skipped"],
        dropped=shown["dropped"],
        lost=shown["lost"],
        limit=f"{limit:,.0f}",
    )
    return solved(text, measured={**measured, "counted": "by the kernel"})
