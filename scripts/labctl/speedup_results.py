"""What a comparison found: the medians of its rounds, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from labctl import amdahl

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
        return median(amdahl.speedup_of(r["alone_wall_ns"], r["wall_ns"]) for r in self.rounds)

    @property
    def efficiency(self) -> float:
        """Speedup per worker."""
        return amdahl.efficiency_of(self.speedup, self.workers)

    @property
    def parallel_fraction(self) -> float | None:
        """By Karp and Flatt; None with one worker."""
        return amdahl.parallel_fraction_of(self.speedup, self.workers)

    def total(self, field: str) -> int:
        """The sum of a count over all rounds."""
        return sum(int(r[field]) for r in self.rounds)

    def as_json(self) -> dict[str, Any]:
        """Seconds, ratios and counts, and the rounds as they were."""
        return {
            "workers": self.workers,
            "alone_wall_seconds": self.alone_s,
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
