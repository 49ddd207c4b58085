"""All three pairs were measured at one time under one load, at both sizes. Which is quicker decides nothing here."""

from __future__ import annotations

from statistics import median

from labctl.terminal.printing import duration
from labctl.workshop.exercise.attempt import Attempt
from labctl.workshop.exercise.verdict import Verdict, not_yet, solved

TIMED_S = 5
WINDOW_S = 7  # of a recorded latency: see services/prometheus/rules.yml
_LATENCY = "mechanism:ipc_one_way_latency_seconds:p50_5s"
_CPU = "mechanism:ipc_cpu_seconds_per_message:ratio_rate5s"

Medians = dict[str, tuple[float, float]]


def check(attempt: Attempt) -> Verdict:
    """The medians at both sizes, or which pair is not measured yet."""
    pairs = attempt.exercise.pairs
    rate = attempt.number("rate")
    found: dict[str, Medians] = {}
    for name in ("small", "large"):
        size = attempt.number(name)
        found[name] = _medians(attempt, size, rate)
        if missing := [pair for pair in pairs if pair not in found[name]]:
            shown = {"size": size, "rate": rate, "seconds": TIMED_S}
            return not_yet(
                saw=attempt.say("not_measured", missing=", ".join(missing), **shown),
                waits_for=attempt.say("measure", pairs=", ".join(pairs), **shown),
                measured={f"fastest_{done}": _fastest(found[done]) for done in found if done != name},
            )
    latencies = [latency for latency, _ in found["large"].values()]
    return solved(
        attempt.say(
            "done",
            small=attempt.number("small"),
            large=attempt.number("large"),
            small_rows=_rows(attempt, found["small"]),
            large_rows=_rows(attempt, found["large"]),
        ),
        measured={
            "fastest_small": _fastest(found["small"]),
            "fastest_large": _fastest(found["large"]),
            "times_large": round(max(latencies) / min(latencies), 1),
        },
    )


def _medians(attempt: Attempt, size: int, rate: int) -> Medians:
    """Pair to latency and CPU time of a message, while all pairs had this load for the whole window of the figures."""
    pairs = "|".join(attempt.exercise.pairs)
    alike = " and on() ".join(
        f"(count({side}_over_time({metric}{{mechanism=~'{pairs}'}}[{WINDOW_S}s]) == {value})"
        f" == {len(attempt.exercise.pairs)})"
        for metric, value in (("ipc_message_size_bytes", size), ("ipc_load_rate", rate))
        for side in ("min", "max")
    )
    both: list[dict[str, float]] = []
    for figure in (_LATENCY, _CPU):
        lines = attempt.sees.history(f"{figure}{{mechanism=~'{pairs}'}} and on() ({alike})")
        both.append({line.labels["mechanism"]: median(line.values) for line in lines if len(line.values) >= TIMED_S})
    latency, cpu = both
    return {pair: (latency[pair], cpu[pair]) for pair in attempt.exercise.pairs if pair in latency and pair in cpu}


def _fastest(found: Medians) -> str:
    return min(found, key=lambda pair: found[pair][0])


def _rows(attempt: Attempt, found: Medians) -> str:
    return ", ".join(
        attempt.say("row", pair=pair, latency=duration(latency), cpu=duration(cpu))
        for pair, (latency, cpu) in found.items()
    )
