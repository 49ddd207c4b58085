"""Leaks: what a soak must leave as it was, and what must not grow while it runs.

The trend of a series is judged twice. Mann's test says whether it rises at all: S is the number of pairs of samples
that rise less those that fall, and z = S / sqrt(Var S) is standard normal where there is no trend (H. B. Mann, 1945,
Econometrica 13). Sen's slope says by how much: the median of the slopes of all pairs (P. K. Sen, 1968, JASA 63). Both
are robust: a process that a fault restarted begins low again, and a burst is one sample of many.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MIB = 1 << 20
LEAST_SAMPLES = 8
_SURE = 3.3  # z: by chance in one of 2,000 series without a trend
Series = Sequence[tuple[float, float]]  # seconds, value


@dataclass(frozen=True)
class Trend:
    """How a series went."""

    samples: int
    slope_per_minute: float
    growth: float  # by the slope, over the time of the series
    z: float


def trend(series: Series) -> Trend:
    """The trend of a series of two samples or more, in order of time."""
    slopes, rising = [], 0
    for later, (time, value) in enumerate(series):
        for earlier_time, earlier in series[:later]:
            slopes.append((value - earlier) / (time - earlier_time))
            rising += (value > earlier) - (value < earlier)
    count = len(series)
    ties = [values.count(value) for values in ([v for _, v in series],) for value in set(values)]
    variance = (count * (count - 1) * (2 * count + 5) - sum(t * (t - 1) * (2 * t + 5) for t in ties)) / 18
    z = 0.0 if not rising or variance <= 0 else (rising - math.copysign(1, rising)) / math.sqrt(variance)
    slope = statistics.median(slopes)
    return Trend(count, slope * 60, slope * (series[-1][0] - series[0][0]), z)


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
