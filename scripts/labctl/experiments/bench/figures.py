"""The figures of a cell: medians of its runs, their spread, and percentiles of all samples."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ipclab.bench.request import Shape
from labctl.experiments.bench.cells import Cell
from labctl.experiments.bench.run import Outcome

NOISY_SPREAD = 0.30  # of the median, between the fastest run and the slowest


@dataclass(slots=True)
class Figure:
    """A cell and its runs. `failed` has the first reason why a run had no outcome."""

    cell: Cell
    runs: list[Outcome] = field(default_factory=list)
    failed: str = ""
    failures: int = 0

    @property
    def why_not(self) -> str:
        """Why there is no figure; empty if there is one."""
        if why := self.cell.why_not:
            return why
        if self.runs:
            return ""
        return f"failed: {self.failed}" if self.failed else "not measured"

    @property
    def us(self) -> float:
        """Microseconds per message (per round trip): the median of the runs."""
        return self._median(lambda run: run.us)

    @property
    def us_range(self) -> tuple[float, float]:
        """The fastest run and the slowest."""
        values = [run.us for run in self.runs]
        return min(values), max(values)

    @property
    def spread(self) -> float:
        """The distance between the fastest run and the slowest, as a share of the median."""
        fastest, slowest = self.us_range
        return (slowest - fastest) / self.us

    @property
    def noisy(self) -> bool:
        """Do the runs differ too much for the figure to be compared?"""
        return self.spread > NOISY_SPREAD

    def percentile_us(self, percent: float) -> float | None:
        """The time per message that so many percent of all samples do not exceed; None without samples."""
        samples = sorted(sample for run in self.runs for sample in run.samples_ns)
        return percentile(samples, percent) / 1e3 if samples else None

    @property
    def messages_per_s(self) -> float:
        """Of a round trip: questions."""
        return 1e6 / self.us

    @property
    def bytes_per_s(self) -> float | None:
        """In one direction; None for round trips, and where messages have no size."""
        if self.cell.shape is Shape.ROUND_TRIP or not self.actual_size:
            return None
        return self.messages_per_s * self.actual_size

    @property
    def cpu_us(self) -> float:
        """CPU time of both sides per message."""
        return self._median(lambda run: run.cpu_s * 1e6 / max(1, run.received))

    @property
    def voluntary(self) -> float:
        """Voluntary context switches of both sides per message."""
        return self._median(lambda run: run.voluntary / max(1, run.received))

    @property
    def involuntary(self) -> float:
        """Involuntary ones."""
        return self._median(lambda run: run.involuntary / max(1, run.received))

    @property
    def actual_size(self) -> int:
        """Bytes of a message as it arrived."""
        return self.runs[-1].size

    @property
    def lost_share(self) -> float:
        """Of all messages of all runs, those that never arrived."""
        return sum(run.lost for run in self.runs) / sum(run.count for run in self.runs)

    @property
    def foreign_share(self) -> float:
        """Of the time of all CPUs, what other processes had during the runs."""
        return statistics.fmean(run.foreign_share for run in self.runs)

    @property
    def steal_share(self) -> float:
        """Of the time of all CPUs, what the hypervisor gave to other guests."""
        return statistics.fmean(run.steal_share for run in self.runs)

    def _median(self, value: Callable[[Outcome], float]) -> float:
        return statistics.median(value(run) for run in self.runs)


def percentile(ordered: Sequence[int], percent: float) -> float:
    """The nearest-rank percentile of sorted values."""
    rank = -(-len(ordered) * percent // 100)
    return float(ordered[max(0, min(len(ordered), int(rank)) - 1)])


Key = tuple[tuple[str, str], ...]


def key_of(cell: Cell, **but: str) -> Key:
    """The labels of a cell, some replaced: what a cell is found by."""
    return tuple(sorted({**cell.labels(), **but}.items()))


def ratios_to_c(figures: Sequence[Figure]) -> dict[Key, float]:
    """Python's time over C's, of each cell that both have."""
    measured = {key_of(figure.cell): figure for figure in figures if figure.runs}
    found = {}
    for figure in measured.values():
        if figure.cell.row.implementation == "python":
            reference = measured.get(key_of(figure.cell, implementation="c"))
            if reference is not None:
                found[key_of(figure.cell)] = figure.us / reference.us
    return found
