"""Each consumer of sysv_mq receives one type, and urgent messages of posix_mq overtook others."""

from __future__ import annotations

from labctl.workshop.exercise.attempt import Attempt
from labctl.workshop.exercise.verdict import Verdict, cannot_tell, not_yet, solved

_NOW = "sum by (instance, number) (increase(ipc_messages_received_by_class_total{{mechanism='{}'}}[5s])) > 0"


def check(attempt: Attempt) -> Verdict:
    """Ask who got which type, then whether anything was overtaken."""
    for pair in ("sysv_mq", "posix_mq"):
        if attempt.grown("ipc_messages_received_total", f"mechanism='{pair}'") is None:
            return cannot_tell(attempt.say("silent", pair=pair))
    types, priorities = attempt.number("types"), attempt.number("priorities")
    by_consumer: dict[str, set[str]] = {}
    for sample in attempt.sees.query(_NOW.format("sysv_mq")):
        by_consumer.setdefault(sample.labels["instance"], set()).add(sample.labels["number"])
    seen = set().union(*by_consumer.values())
    if len(by_consumer) != types or len(seen) != types:
        saw = attempt.say("untyped", seen=len(seen), consumers=len(by_consumer))
        return not_yet(saw=saw, waits_for=attempt.say("typed", types=types))
    most = max(map(len, by_consumer.values()))
    measured: dict[str, str | float] = {"each": most}
    if most > 1:
        return not_yet(saw=attempt.say("mixed", count=most), waits_for=attempt.say("own"), measured=measured)
    reordered = attempt.grown("ipc_messages_reordered_total", "mechanism='sysv_mq'") or 0
    corrupt = attempt.grown("ipc_messages_corrupt_total", "mechanism=~'sysv_mq|posix_mq'") or 0
    if reordered > 0 or corrupt > 0:
        saw = attempt.say("disorder", count=f"{reordered:.0f}", corrupt=f"{corrupt:.0f}")
        return not_yet(saw=saw, waits_for=attempt.say("order"), measured=measured)
    found = {sample.labels["number"] for sample in attempt.sees.query(_NOW.format("posix_mq"))}
    if len(found) != priorities:
        saw = attempt.say("priorities", seen=len(found))
        return not_yet(saw=saw, waits_for=attempt.say("wanted", priorities=priorities), measured=measured)
    overtaken = attempt.grown("ipc_messages_reordered_total", "mechanism='posix_mq'") or 0
    received = attempt.grown("ipc_messages_received_total", "mechanism='posix_mq'") or 0
    if overtaken <= 0:
        saw = attempt.say("none", received=f"{received:,.0f}")
        return not_yet(saw=saw, waits_for=attempt.say("overtaken"), measured=measured)
    text = attempt.say("solved", types=types, received=f"{received:,.0f}", overtaken=f"{overtaken:,.0f}")
    return solved(text, measured={**measured, "first": "the most urgent"})
