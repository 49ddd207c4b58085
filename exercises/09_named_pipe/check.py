"""Two producers mixed large messages, and do not mix any now, with messages as large as PIPE_BUF allows."""

from __future__ import annotations

from labctl.workshop.exercise.attempt import Attempt
from labctl.workshop.exercise.verdict import Verdict, cannot_tell, not_yet, solved

LARGEST = 4096 - 12  # PIPE_BUF (pipe(7)), less the prefix of a frame (docs/MESSAGE_FORMAT.md)
NEAR = LARGEST - 84
CLEAN_S = 10


def check(attempt: Attempt) -> Verdict:
    """First the baseline: these two mixed messages. Then the absence: they mix none of this size."""
    size = attempt.number("size")
    received = attempt.grown("ipc_messages_received_total", "mechanism='fifo'")
    if received is None:
        return cannot_tell(attempt.say("silent"))
    producers = _seconds(attempt, "count(ipc_load_rate{mechanism='fifo'})")
    least = _seconds(attempt, "min(ipc_message_size_bytes{mechanism='fifo'})")
    most = _seconds(attempt, "max(ipc_message_size_bytes{mechanism='fifo'})")
    corrupt = _seconds(attempt, "sum(ipc_messages_corrupt_total{mechanism='fifo'})")
    large = [moment for moment, count in producers.items() if count >= 2 and least.get(moment) == size]
    mixed = _growth(corrupt, large)
    if not mixed:
        saw = attempt.say("no_mix", received=f"{received:.0f}", corrupt=f"{mixed:.0f}", size=size)
        return not_yet(saw=saw, waits_for=attempt.say("mix", size=size))
    running = [it for it in attempt.sees.containers() if it.mechanism == "fifo" and it.running]
    writers = sum(it.role == "producer" for it in running)
    if writers < 2:
        return not_yet(saw=attempt.say("alone", producers=writers), waits_for=attempt.say("two"))
    if (count := len({it.pid for it in running})) < len(running):
        return not_yet(saw=attempt.say("namespaces", count=count), waits_for=attempt.say("strangers"))
    last = max(most)
    bytes_now = most[last]
    if least.get(last) != bytes_now or not NEAR <= bytes_now <= LARGEST:
        size_now = f"{bytes_now:,.0f}"
        saw = attempt.say("above", bytes=size_now) if bytes_now > LARGEST else attempt.say("below", bytes=size_now)
        return not_yet(saw=saw, waits_for=attempt.say("best"))
    clean = [moment for moment in sorted(most) if moment >= last - CLEAN_S]
    bad = _growth(corrupt, clean)
    moved = _growth(_seconds(attempt, "sum(ipc_messages_received_total{mechanism='fifo'})"), clean)
    steady = [producers.get(moment, 0) >= 2 and most[moment] == least.get(moment) == bytes_now for moment in clean]
    if bad or not moved or not all(steady) or len(clean) <= CLEAN_S:
        values = [corrupt.get(moment, 0) for moment in clean]
        seconds = _clean_seconds(steady, values)
        saw = attempt.say("still", corrupt=f"{bad:.0f}", window=CLEAN_S, moved=f"{moved:.0f}", seconds=seconds)
        return not_yet(saw=saw, waits_for=attempt.say("clean", missing=max(1, CLEAN_S - seconds)))
    text = attempt.say("solved", mixed=f"{mixed:.0f}", size=size, moved=f"{moved:,.0f}", bytes=f"{bytes_now:,.0f}")
    return solved(text, measured={"largest": bytes_now})


def _clean_seconds(steady: list[bool], corrupt: list[float]) -> int:
    """For how many seconds up to the last one two producers have sent this size and nothing became corrupt."""
    seconds = 0
    for index in range(len(steady) - 1, 0, -1):
        if not (steady[index] and steady[index - 1]) or corrupt[index] != corrupt[index - 1]:
            break
        seconds += 1
    return seconds


def _growth(counter: dict[float, float], moments: list[float]) -> float:
    """How much a counter grew from the first of these moments to the last."""
    values = [counter[moment] for moment in sorted(moments) if moment in counter]
    return values[-1] - values[0] if values else 0


def _seconds(attempt: Attempt, expression: str) -> dict[float, float]:
    """Second to value."""
    return {
        moment: value
        for line in attempt.sees.history(expression)
        for moment, value in zip(line.times, line.values, strict=True)
    }
