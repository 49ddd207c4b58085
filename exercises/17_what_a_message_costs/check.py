"""Solved: one ring was measured asleep at a low rate, asleep at a high rate, and spinning."""

from statistics import median

from labctl.terminal.printing import duration
from labctl.workshop.exercise.attempt import Attempt
from labctl.workshop.exercise.settled import settled, values_at
from labctl.workshop.exercise.verdict import Verdict, cannot_tell, not_yet
from labctl.workshop.exercise.verdict import solved as is_solved

_ENOUGH = 3  # seconds, each of which stands for a whole window
_LOW_RATE = 1000  # messages per second: below, a side sleeps between two messages


def check(attempt: Attempt) -> Verdict:
    ring, rate = attempt.text("ring"), attempt.number("rate")
    rates = attempt.sees.history(f"max(ipc_load_rate{{mechanism='{ring}'}})")
    spins = attempt.sees.history(f"count(ipc_wait_info{{mechanism='{ring}',wait='spin'}}) or 0 * count(up)")
    if not rates:
        return cannot_tell(attempt.say("no_exporter", ring=ring))
    sleeping = set(settled(spins, lambda sides: sides == 0))
    moments = {
        "slow": sleeping & set(settled(rates, lambda value: value <= _LOW_RATE)),
        "fast": sleeping & set(settled(rates, lambda value: value >= rate)),
        "spin": set(settled(spins, lambda sides: sides == 2)),
    }
    costs = attempt.sees.history(f"max(mechanism:ipc_cpu_seconds_per_message:ratio_rate5s{{mechanism='{ring}'}})")
    switches = attempt.sees.history(
        f"max(mechanism_kind:ipc_context_switches_per_message:ratio_rate5s{{mechanism='{ring}',kind='voluntary'}})"
    )
    cpu = {name: values_at(costs, found) for name, found in moments.items()}
    switched = {name: values_at(switches, found) for name, found in moments.items()}
    if any(len(values) < _ENOUGH for values in (*cpu.values(), *switched.values())):
        seconds = {name: len(values) for name, values in cpu.items()}
        wait = attempt.say("missing_wait", seconds=_ENOUGH)
        return not_yet(saw=attempt.say("missing", ring=ring, rate=rate, **seconds), waits_for=wait)
    figures = {f"{name}_cpu": duration(median(values)) for name, values in cpu.items()}
    figures |= {f"{name}_switches": f"{median(values):.2f}" for name, values in switched.items()}
    dearer = median(cpu["spin"]) > median(cpu["slow"])
    measured: dict[str, str | float] = {
        "spinning": round(median(switched["spin"]), 2),
        "cpu": "more" if dearer else "less",
    }
    return is_solved(attempt.say("solved", ring=ring, rate=rate, **figures), measured=measured)
