"""What a measured speedup says about the job: Amdahl's law, read backwards.

Amdahl (1967, AFIPS 30, 483): a job of which the fraction f runs in parallel on p processors is done
S = 1 / ((1 - f) + f / p) times as fast. Karp and Flatt (1990, CACM 33, 539) solve that for the serial fraction,
e = (1/S - 1/p) / (1 - 1/p), of which the measured S is the only unknown; f = 1 - e. What is not parallel in it is not
the job alone, but also everything that cooperating costs.
"""

from __future__ import annotations


def speedup_of(alone_s: float, together_s: float) -> float:
    """How many times as fast."""
    return alone_s / together_s


def efficiency_of(measured_speedup: float, workers: int) -> float:
    """The share of each worker's time that counts: 1 if `workers` are `workers` times as fast."""
    return measured_speedup / workers


def parallel_fraction_of(measured_speedup: float, workers: int) -> float | None:
    """1 less the Karp-Flatt metric; None with one worker, of which the law says nothing.

    Below 0 where cooperating took longer than one process alone; over 1 where the speedup is more than `workers`.
    """
    if workers == 1:
        return None
    return 1 - (1 / measured_speedup - 1 / workers) / (1 - 1 / workers)
