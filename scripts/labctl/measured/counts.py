"""What a pair's two sides count, so that it adds up: nothing is received that is not yet among what was sent.

Prometheus scrapes the sides at different moments of a second. The newest of both would show what the consumer received
in between and the producer had not sent when it was asked. So of the consumer the last scrape counts that was over when
the producer's last one began; all that the consumer counts is of that one scrape.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from labctl.lab.prometheus import Line, Prometheus

# By the fields of `labctl.measured.pairs.PairMeasures`; the first two are the producer's.
COUNTERS = {
    "sent": "ipc_messages_sent_total",
    "skipped": "ipc_messages_skipped_total",
    "received": "ipc_messages_received_total",
    "lost": "ipc_messages_lost_total",
    "duplicated": "ipc_messages_duplicate_total",
    "reordered": "ipc_messages_reordered_total",
    "corrupt": "ipc_messages_corrupt_total",
    "kernel_drops": "ipc_kernel_drops_total",
}
_DURATION, _UP = "scrape_duration_seconds", "up"
_NAMES = {metric: name for name, metric in COUNTERS.items()}


@dataclass(frozen=True)
class Counts:
    """By mechanism: totals of its containers that answer, by the words of `COUNTERS`; what is not there is absent."""

    totals: Mapping[str, Mapping[str, int]]
    lost_by_reason: Mapping[str, Mapping[str, int]]


@dataclass
class _Instance:
    """One container as it was scraped in the window."""

    counters: list[Line] = field(default_factory=list)
    up: Line | None = None
    durations: dict[float, float] = field(default_factory=dict)  # of a scrape, by when it began

    @property
    def answers(self) -> bool:
        return self.up is not None and self.up.values[-1] == 1

    @property
    def sends(self) -> bool:
        return any(line.labels["__name__"] == COUNTERS["sent"] for line in self.counters)

    @property
    def times(self) -> list[float]:
        return self.counters[0].times if self.counters else []


def read(prometheus: Prometheus, window_s: int) -> Counts:
    """One question for all of it, over the last `window_s` seconds, which are several scrapes."""
    names = "|".join((*COUNTERS.values(), _DURATION, _UP))
    return of(prometheus.query_samples(f'{{__name__=~"{names}"}}[{window_s}s]'))


def of(lines: Iterable[Line]) -> Counts:
    """The counts of the scraped samples of these series."""
    instances: dict[str, _Instance] = defaultdict(_Instance)
    for line in lines:
        instance = instances[line.labels.get("instance", "")]
        match line.labels["__name__"]:
            case "up":
                instance.up = line
            case "scrape_duration_seconds":
                instance.durations = dict(zip(line.times, line.values, strict=True))
            case _:
                instance.counters.append(line)
    there = [instance for instance in instances.values() if instance.answers and instance.counters]
    asked = _producers_asked(there)
    totals: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    reasons: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for instance in there:
        for line in instance.counters:
            mechanism = line.labels.get("mechanism", "")
            before = None if instance.sends else asked.get(mechanism)
            value = int(line.values[_index(instance, line, before)])
            totals[mechanism][_NAMES[line.labels["__name__"]]] += value
            if "reason" in line.labels:
                reasons[mechanism][line.labels["reason"]] += value
    return Counts(
        {mechanism: dict(found) for mechanism, found in totals.items()},
        {mechanism: dict(found) for mechanism, found in reasons.items()},
    )


def _producers_asked(there: Iterable[_Instance]) -> dict[str, float]:
    """Mechanism to the moment at which the first of its producers was asked for what counts here."""
    asked: dict[str, float] = {}
    for instance in there:
        if instance.sends:
            mechanism = instance.counters[0].labels.get("mechanism", "")
            asked[mechanism] = min(instance.times[-1], asked.get(mechanism, instance.times[-1]))
    return asked


def _index(instance: _Instance, line: Line, before: float | None) -> int:
    """Of the sample that counts: the last one, of a scrape that was over `before` then; the first one if none was."""
    if before is None:
        return -1
    over = [time + instance.durations.get(time, 0.0) for time in line.times]
    return max(0, bisect_right(over, before) - 1)
