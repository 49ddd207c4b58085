"""What Prometheus stored over a period, in the shape of the report's tables and plots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from labctl.lab.prometheus import Line, Prometheus
from labctl.terminal.errors import LabError

PERCENTILES = (50.0, 90.0, 99.0, 99.9)
_POINTS = 300  # of a curve: more would not be seen
_RECEIVED = "mechanism:ipc_messages_received:rate5s"
_CURVES = {
    "rate": _RECEIVED,
    "p50": "mechanism:ipc_one_way_latency_seconds:p50_5s",
    "p99": "mechanism:ipc_one_way_latency_seconds:p99_5s",
}


@dataclass(frozen=True)
class Curve:
    """One mechanism over time; times are seconds since 1970."""

    mechanism: str
    times: list[float]
    values: list[float]


@dataclass(frozen=True)
class Total:
    """One mechanism over the whole period. None is "not measured"."""

    mechanism: str
    seconds: float  # of the period in which it was measured
    rate: float | None  # messages received per second, mean of these seconds
    due: tuple[float, float] | None  # least and most messages per second that were due
    size_bytes: tuple[float, float] | None  # least and most
    percentiles: tuple[float | None, ...]  # one-way seconds, of `PERCENTILES`
    lost: float | None
    skipped: float | None  # due and never sent
    cpu_s: float | None  # of both sides, for one message received
    voluntary: float | None  # context switches of both sides, for one message received
    involuntary: float | None


@dataclass(frozen=True)
class Measured:
    """A period and everything of it."""

    start: float  # seconds since 1970
    end: float
    totals: list[Total]
    curves: Mapping[str, list[Curve]]  # rate, p50, p99
    step_s: float  # between two points of a curve


def read(prometheus: Prometheus, since_s: int) -> Measured:
    """The last `since_s` seconds.

    :raises LabError: Prometheus does not answer, or has nothing of that time
    """
    end = prometheus.now()
    step_s = max(1.0, since_s / _POINTS)
    curves = {
        name: [_curve(line) for line in prometheus.query_range(expression, end - since_s, end, step_s)]
        for name, expression in _CURVES.items()
    }
    rates = {curve.mechanism: curve for curve in curves["rate"]}
    if not rates:
        raise LabError(
            f"Prometheus has no measurement of the last {since_s} s",
            hint="./lab up starts the pairs; --since may look further back, see ./lab report --help",
        )
    ask = _Period(prometheus, since_s, end, step_s)
    start = max(end - since_s, min(curve.times[0] for curve in rates.values()))
    return Measured(start, end, [ask.total(rates[name], step_s) for name in sorted(rates)], curves, step_s)


class _Period:
    """Sums over the period. What is divided are two increases of the same seconds, so no gap falsifies them."""

    def __init__(self, prometheus: Prometheus, seconds: int, end: float, step_s: float) -> None:
        self._prometheus = prometheus
        start = end - seconds
        over = f"[{seconds}s]"
        # Of the histogram, which every life of a consumer begins at 0. What a ledger counts goes on from one address to
        # another and back (`./lab place`), and `increase` of the first address would have what the second one received.
        received = f"(sum by (mechanism) (increase(ipc_one_way_latency_seconds_count{over})) > 0)"
        buckets = f"sum by (mechanism, le) (increase(ipc_one_way_latency_seconds_bucket{over}))"
        self._rate = self._ask(f"avg_over_time({_RECEIVED}{over})")
        self._due = [
            self._ask(f"{side} by (mechanism) ({side}_over_time(ipc_load_rate{over}))") for side in ("min", "max")
        ]
        self._size = [
            self._ask(f"{side} by (mechanism) ({side}_over_time(ipc_message_size_bytes{over}))")
            for side in ("min", "max")
        ]
        self._percentiles = [self._ask(f"histogram_quantile({q / 100:g}, {buckets}) >= 0") for q in PERCENTILES]
        self._lost = self._grown("mechanism:ipc_messages_lost:sum", start, end, step_s)
        self._skipped = self._grown("mechanism:ipc_messages_skipped:sum", start, end, step_s)
        self._cpu = self._ask(f"sum by (mechanism) (increase(ipc_cpu_seconds_total{over})) / {received}")
        self._switches = [
            self._ask(f"sum by (mechanism) (increase(ipc_context_switches_total{{kind='{kind}'}}{over})) / {received}")
            for kind in ("voluntary", "involuntary")
        ]

    def total(self, rate: Curve, step_s: float) -> Total:
        name = rate.mechanism
        return Total(
            mechanism=name,
            seconds=len(rate.times) * step_s,
            rate=self._rate.get(name),
            due=_between(self._due, name),
            size_bytes=_between(self._size, name),
            percentiles=tuple(found.get(name) for found in self._percentiles),
            lost=self._lost.get(name),
            skipped=self._skipped.get(name),
            cpu_s=self._cpu.get(name),
            voluntary=self._switches[0].get(name),
            involuntary=self._switches[1].get(name),
        )

    def _grown(self, expression: str, start: float, end: float, step_s: float) -> dict[str, float]:
        """By how much a count that is never reset grew, from its first point to its last."""
        lines = self._prometheus.query_range(expression, start, end, step_s)
        return {line.labels["mechanism"]: max(0.0, line.values[-1] - line.values[0]) for line in lines}

    def _ask(self, expression: str) -> dict[str, float]:
        return {sample.labels["mechanism"]: sample.value for sample in self._prometheus.query(expression)}


def _curve(line: Line) -> Curve:
    return Curve(line.labels["mechanism"], line.times, line.values)


def _between(least_and_most: list[dict[str, float]], name: str) -> tuple[float, float] | None:
    least, most = (found.get(name) for found in least_and_most)
    return None if least is None or most is None else (least, most)
