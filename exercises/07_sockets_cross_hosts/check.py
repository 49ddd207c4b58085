"""Messages of the student's size arrived on the second host, and the probe there was answered over tcp."""

from __future__ import annotations

from statistics import median

from labctl.workshop.exercise.attempt import Attempt
from labctl.workshop.exercise.verdict import Verdict, cannot_tell, not_yet, solved

_THERE = "instance=~'second-host:.*'"  # all consumers on the second host have its one address
_SETTLED_S = 5  # the window of the recorded latency


def check(attempt: Attempt) -> Verdict:
    """Find the seconds in which the consumer was there, and compare the latency of those with the others."""
    size = attempt.number("size")
    received = attempt.grown("ipc_messages_received_total", "mechanism='tcp'")
    if received is None:
        return cannot_tell(attempt.say("silent"))
    there = _seconds(
        attempt,
        f"(sum(rate(ipc_messages_received_total{{mechanism='tcp',{_THERE}}}[{_SETTLED_S}s])) > 0)"
        f" and on () (max(ipc_message_size_bytes{{mechanism='tcp'}}) == {size})",
    )
    if not there:
        saw = attempt.say("here", received=f"{received:.0f}", size=size)
        return not_yet(saw=saw, waits_for=attempt.say("there", size=size))
    answers = _seconds(attempt, "max(probe_success{mechanism='tcp',placement='second_host'}) == 1")
    if not answers:
        return not_yet(saw=attempt.say("unasked"), waits_for=attempt.say("answered"))
    both_hosts = _seconds(attempt, f"sum(rate(ipc_messages_received_total{{mechanism='tcp',{_THERE}}}[{_SETTLED_S}s]))")
    latency = _seconds(attempt, "mechanism:ipc_one_way_latency_seconds:p50_5s{mechanism='tcp'}")
    over_there = [seconds for moment, seconds in latency.items() if moment in there]
    over_here = [seconds for moment, seconds in latency.items() if not both_hosts.get(moment)]
    if min(len(over_there), len(over_here)) < _SETTLED_S:
        saw = attempt.say("short", here=len(over_here), there=len(over_there))
        return not_yet(saw=saw, waits_for=attempt.say("longer"))
    here_s, there_s = median(over_here), median(over_there)
    ratio = there_s / here_s
    word = "about the same" if ratio < 2 else "2 to 5 times" if ratio <= 5 else "more than 5 times"
    text = attempt.say(
        "solved", size=size, here_us=f"{here_s * 1e6:.0f}", there_us=f"{there_s * 1e6:.0f}", ratio=f"{ratio:.1f}"
    )
    return solved(text, measured={"slower": word})


def _seconds(attempt: Attempt, expression: str) -> dict[float, float]:
    """The seconds in which the expression had a value, and the value."""
    return {
        moment: value
        for line in attempt.sees.history(expression)
        for moment, value in zip(line.times, line.values, strict=True)
    }
