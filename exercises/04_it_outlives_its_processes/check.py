"""What the kernel kept of a pair whose two processes had ended was seen, and is gone while they are still ended."""

from __future__ import annotations

from labctl.workshop.exercise.attempt import Attempt
from labctl.workshop.exercise.verdict import Verdict, cannot_tell, not_yet, solved

SEEN_S = 3
_KINDS = ("ipc_kernel_shm_size_bytes", "ipc_kernel_queue_messages", "ipc_kernel_semaphores")


def check(attempt: Attempt) -> Verdict:
    """First the processes, then what was left of them, then that it is gone."""
    pair = attempt.text("victim")
    both_ended = attempt.say("both_ended", pair=pair)
    for container in attempt.sees.containers():
        if container.mechanism == pair and container.running:
            return not_yet(saw=attempt.say("runs", pair=pair, role=container.role), waits_for=both_ended)
    # That nothing is there proves nothing while the exporter is silent.
    if not attempt.sees.query("ipc_kernel_limit and last_over_time(ipc_kernel_limit[5s])"):
        return cannot_tell(attempt.say("silent"))
    objects = " + ".join(f"(count({kind}{{mechanism='{pair}'}}) or vector(0))" for kind in _KINDS)
    # A process of the pair that lives shows its namespaces; one that ended does not.
    orphans = f"(({objects}) > 0) unless on() (count(ipc_namespace_info{{mechanism='{pair}'}}) > 0)"
    counts = [value for line in attempt.sees.history(orphans) for value in line.values]
    if len(counts) < SEEN_S:
        return not_yet(saw=attempt.say("not_seen", pair=pair), waits_for=both_ended)
    measured: dict[str, str | float] = {"left": max(counts), "attached": _attached(attempt, pair)}
    now = sum(
        len(attempt.sees.query(f"{kind}{{mechanism='{pair}'}} and last_over_time({kind}[5s])")) for kind in _KINDS
    )
    if now:
        return not_yet(
            saw=attempt.say("left", pair=pair, count=now), waits_for=attempt.say("removed"), measured=measured
        )
    return solved(attempt.say("done", pair=pair, count=f"{max(counts):.0f}"), measured=measured)


def _attached(attempt: Attempt, pair: str) -> float:
    """The fewest attachments that were seen of the pair's segments; a queue has none to count."""
    lines = attempt.sees.history(f"sum(ipc_kernel_shm_attachments{{mechanism='{pair}'}})")
    return min((value for line in lines for value in line.values), default=0.0)
