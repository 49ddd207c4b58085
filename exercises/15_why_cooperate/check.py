"""Solved: in one comparison computing took nearly all CPU time, in another one moving messages took more than it."""

from labctl.experiments.speedup.kept import Kept
from labctl.terminal.printing import duration
from labctl.workshop.exercise.attempt import Attempt
from labctl.workshop.exercise.verdict import Verdict, not_yet, solved

_CHEAP = 0.1  # moving, as a part of computing


def check(attempt: Attempt) -> Verdict:
    carrier, job = attempt.text("carrier"), attempt.number("job")
    found = [kept for kept in attempt.sees.speedups() if kept.mechanism == carrier and kept.workers == 2]
    large = [kept for kept in found if kept.limit >= job]
    if not large:
        wait = attempt.say("none_wait", carrier=carrier, job=job)
        return not_yet(saw=attempt.say("none", carrier=carrier), waits_for=wait)
    gain = min(large, key=_share)
    if _share(gain) >= _CHEAP:
        saw = attempt.say(
            "dear",
            chunks=gain.chunks,
            job=gain.limit,
            moving=duration(gain.moving_s),
            computing=duration(gain.computing_s),
        )
        return not_yet(saw=saw, waits_for=attempt.say("cheap_wait"))
    measured: dict[str, str | float] = {"speedup": round(gain.speedup, 2)}
    eaten = max(found, key=_share)
    figures = {"chunks": gain.chunks, "speedup": f"{gain.speedup:.2f}", "fraction": f"{gain.parallel_fraction:.0%}"}
    if _share(eaten) <= 1:
        saw = attempt.say("gain", **figures, job=gain.limit, share=f"{_share(gain):.1%}")
        return not_yet(saw=saw, waits_for=attempt.say("eaten_wait", carrier=carrier), measured=measured)
    measured["eaten"] = "more chunks" if eaten.chunks / eaten.limit > gain.chunks / gain.limit else "fewer chunks"
    text = attempt.say(
        "solved",
        **figures,
        cpus=gain.cpus,
        many=eaten.chunks,
        small=eaten.limit,
        times=f"{_share(eaten):.1f}",
        eaten=f"{eaten.speedup:.2f}",
    )
    return solved(text, measured=measured)


def _share(kept: Kept) -> float:
    """CPU time of moving messages, as a multiple of that of the job."""
    return kept.moving_s / kept.computing_s if kept.computing_s else 0.0
