"""Leaks: what a soak must leave as it was, and what must not grow while it runs.

The trend of a series is judged twice. Kendall's test says whether it rises at all, within the lives of its processes: S
is the number of pairs of samples of one life that rise less those that fall, and z = S / sqrt(Var S), both summed over
the lives, is standard normal where there is no trend (H. B. Mann, 1945, Econometrica 13; for blocks: R. M. Hirsch,
J. R. Slack, R. A. Smith, 1982, Water Resources Research 18). So a process that a fault restarted, and that has more
than the one before it, is no trend. Sen's slope says by how much all of it rises: the median of the slopes of all pairs
(P. K. Sen, 1968, JASA 63). Both are robust: a burst is one sample of many.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MIB = 1 << 20
LEAST_SAMPLES = 8
_SURE = 3.3  # z: by chance in one of 2,000 series without a trend


@dataclass(frozen=True)
class Sample:
    """A value at a time in seconds, and which life of a process it is from."""

    at_s: float
    value: float
    life: float = 0.0


Series = Sequence[Sample]


@dataclass(frozen=True)
class Trend:
    """How a series went."""

    samples: int
    slope_per_minute: float
    growth: float  # by the slope, over the time of the series
    z: float


def trend(series: Series) -> Trend:
    """The trend of a series of two samples or more, in order of time."""
    slopes = [(y.value - x.value) / (y.at_s - x.at_s) for x, y in itertools.combinations(series, 2)]
    lives: dict[float, list[float]] = {}
    for sample in series:
        lives.setdefault(sample.life, []).append(sample.value)
    rising = sum((y > x) - (y < x) for values in lives.values() for x, y in itertools.combinations(values, 2))
    variance = sum(_variance(values) for values in lives.values())
    z = 0.0 if not rising or variance <= 0 else (rising - math.copysign(1, rising)) / math.sqrt(variance)
    slope = statistics.median(slopes)
    return Trend(len(series), slope * 60, slope * (series[-1].at_s - series[0].at_s), z)


def _variance(values: Sequence[float]) -> float:
    """Of S for the samples of one life; equal values make it smaller."""

    def of(count: int) -> float:
        return count * (count - 1) * (2 * count + 5) / 18

    return of(len(values)) - sum(of(count) for count in Counter(values).values())


@dataclass(frozen=True)
class Limit:
    """By how much something may grow over a soak before it counts as a leak."""

    what: str
    growth: float
    unit: str
    per_unit: float = 1

    def in_words(self, value: float) -> str:
        """Such as "5.2 MiB of memory"."""
        return f"{value / self.per_unit:.1f} {self.unit}"


LIMITS = {
    "memory": Limit("memory", 4 * MIB, "MiB of memory", MIB),
    "descriptors": Limit("descriptors", 3, "descriptors"),
    "kernel_objects": Limit("kernel objects", 1, "kernel objects"),
}


@dataclass(frozen=True)
class Slope:
    """One series that was watched: a container's memory or descriptors, or the kernel's objects."""

    kind: str  # of `LIMITS`
    of: str
    trend: Trend

    @property
    def is_leak(self) -> bool:
        """Whether it surely rises, and by more than its limit."""
        return self.trend.z > _SURE and self.trend.growth > LIMITS[self.kind].growth

    def as_json(self) -> dict[str, Any]:
        """For the report."""
        return {
            "kind": self.kind,
            "of": self.of,
            "samples": self.trend.samples,
            "slope_per_minute": self.trend.slope_per_minute,
            "growth": self.trend.growth,
            "z": self.trend.z,
            "limit": LIMITS[self.kind].growth,
            "leak": self.is_leak,
        }


def slopes(watched: Mapping[tuple[str, str], Series]) -> list[Slope]:
    """The trend of each series with enough samples, by kind and name."""
    return [
        Slope(kind, of, trend(series)) for (kind, of), series in sorted(watched.items()) if len(series) >= LEAST_SAMPLES
    ]


def findings(of: Sequence[Slope]) -> list[str]:
    """One line for each leak."""
    return [
        f"{slope.of} grows: {LIMITS[slope.kind].in_words(slope.trend.growth)} over the soak, "
        f"{LIMITS[slope.kind].in_words(slope.trend.slope_per_minute)} a minute"
        for slope in of
        if slope.is_leak
    ]


@dataclass(frozen=True)
class Inventory:
    """What the engine and the kernel hold for the lab; each name or count that must be there again afterwards."""

    containers: Mapping[str, str]  # service and number: state
    volumes: frozenset[str]
    networks: frozenset[str]
    kernel_objects: Mapping[str, int]  # by kind

    def differences(self, later: Inventory) -> list[str]:
        """What is not as it was, one line each."""
        found = []
        for what, before, after in (
            ("container", self.containers.keys(), later.containers.keys()),
            ("volume", self.volumes, later.volumes),
            ("network", self.networks, later.networks),
        ):
            found += [f"{what} {name} is left over" for name in sorted(after - before)]
            found += [f"{what} {name} is gone" for name in sorted(before - after)]
        found += [
            f"container {name} was {state} and is {later.containers[name]}"
            for name, state in sorted(self.containers.items())
            if later.containers.get(name, state) != state
        ]
        found += [
            f"{kind}: {count} before and {later.kernel_objects.get(kind, 0)} after"
            for kind, count in self.kernel_objects.items()
            if later.kernel_objects.get(kind, 0) != count
        ]
        return found
