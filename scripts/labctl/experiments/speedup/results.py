"""The results of a comparison: the medians of its rounds, and the parallel fraction by Amdahl's law, read backwards.

Amdahl (1967, AFIPS 30, 483): a job of which the fraction f runs in parallel on p processors is done S = 1 / ((1 - f) +
f / p) times as fast. Karp and Flatt (1990, CACM 33, 539) solve that for the serial fraction, e = (1/S - 1/p) / (1 -
1/p), of which the measured S is the only unknown; f = 1 - e. What is not parallel in it is not the job alone, but also
everything that cooperating costs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any


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


_NS = 1e9


@dataclass(frozen=True)
class Comparison:
    """One number of workers; `rounds` are the documents of `ipclab.speedup.coordinator.Round`."""

    workers: int
    cpus: int
    python: str
    rounds: Sequence[Mapping[str, Any]]

    @property
    def alone_s(self) -> float:
        """Wall time of one process."""
        return self._median("alone_wall_ns")

    @property
    def alone_computing_s(self) -> float:
        """CPU time of one process in the job: the rest of its wall time it had no CPU."""
        return self._median("alone_computing_ns")

    @property
    def wall_s(self) -> float:
        """Wall time of the workers, from the first task sent to the last result received."""
        return self._median("wall_ns")

    @property
    def computing_s(self) -> float:
        """CPU time of all workers in the job itself."""
        return self._median("computing_ns")

    @property
    def moving_s(self) -> float:
        """CPU time of all processes in `send` and `receive_into`."""
        return self._median("moving_workers_ns", "moving_coordinator_ns")

    @property
    def waiting_s(self) -> float:
        """The workers' time that is left: neither computing nor moving."""
        return float(
            median(
                (self.workers * r["wall_ns"] - r["computing_ns"] - r["moving_workers_ns"]) / _NS for r in self.rounds
            )
        )

    @property
    def speedup(self) -> float:
        """Median of the rounds' own, because the two parts of a round are neighbours in time."""
        return median(speedup_of(r["alone_wall_ns"], r["wall_ns"]) for r in self.rounds)

    @property
    def efficiency(self) -> float:
        """Speedup per worker."""
        return efficiency_of(self.speedup, self.workers)

    @property
    def parallel_fraction(self) -> float | None:
        """By Karp and Flatt; None with one worker."""
        return parallel_fraction_of(self.speedup, self.workers)

    def total(self, field: str) -> int:
        """The sum of a count over all rounds."""
        return sum(int(r[field]) for r in self.rounds)

    def as_json(self) -> dict[str, Any]:
        """Seconds, ratios and counts, and the rounds as they were."""
        return {
            "workers": self.workers,
            "alone_wall_seconds": self.alone_s,
            "alone_computing_cpu_seconds": self.alone_computing_s,
            "wall_seconds": self.wall_s,
            "speedup": self.speedup,
            "efficiency": self.efficiency,
            "parallel_fraction": self.parallel_fraction,
            "computing_cpu_seconds": self.computing_s,
            "moving_cpu_seconds": self.moving_s,
            "waiting_worker_seconds": self.waiting_s,
            "resent": self.total("resent"),
            "duplicates": self.total("duplicates"),
            "rounds": [dict(r) for r in self.rounds],
        }

    def _median(self, *fields: str) -> float:
        return float(median(sum(r[field] for field in fields) / _NS for r in self.rounds))
